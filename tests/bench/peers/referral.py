"""The letter that every peer carries: a school's referral, about 1 KiB of JSON."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["6e", "5e", "4e", "3e", "2de", "1re", "terminale", "cap"]
Concern = Literal["absences", "isolation", "violence", "dropping_out", "family", "health"]
Help = Literal["mediation", "housing", "food", "tutoring", "counselling"]
LEVELS: tuple[Level, ...] = ("6e", "5e", "4e", "3e", "2de", "1re", "terminale", "cap")
CONCERNS: tuple[Concern, ...] = (
    "absences",
    "isolation",
    "violence",
    "dropping_out",
    "family",
    "health",
)
HELPS: tuple[Help, ...] = ("mediation", "housing", "food", "tutoring", "counselling")


class Referral(BaseModel):
    """What a school tells the city about a pupil, shaped like the real referral form."""

    model_config = ConfigDict(extra="forbid")

    case_id: UUID
    family_name: str = Field(min_length=1, max_length=80)
    given_name: str = Field(min_length=1, max_length=80)
    birth_date: date
    address: str = Field(max_length=200)
    representative_name: str = Field(min_length=1, max_length=120)
    representative_phone: str = Field(pattern=r"^\+33\d{9}$")
    representative_email: str = Field(max_length=120)
    school_uai: str = Field(pattern=r"^\d{7}[A-Z]$")
    level: Level
    concern_codes: list[Concern] = Field(min_length=1, max_length=6)
    help_code: Help
    steps_taken: str = Field(max_length=800)


_STEPS = (
    "Entretien avec la famille le 3 mars, deux relances du conseiller principal d'éducation, "
    "cellule de veille réunie le 12 mars, aménagement d'emploi du temps proposé et refusé ; "
    "l'élève accepte d'être rencontré au centre social avec son représentant, de préférence le "
    "mercredi après-midi ; la fiche a été relue avec lui avant son envoi ; un point commun est "
    "prévu avec le référent de la ville dans les trois semaines, puis un bilan en fin de "
    "trimestre ; dossier suivi n° "
)


def birth_date(index: int, today: date) -> date:
    """Return a birthday that makes a pupil 14 or 15 years old."""
    return date(today.year - 15, 1 + index % 12, 1 + index % 28)


def sample_referral(index: int, today: date) -> Referral:
    """Return the referral of message `index`; no two are alike, all weigh about 1 KiB in JSON."""
    return Referral(
        case_id=UUID(int=(index + 1) << 96, version=4),
        family_name=f"Démonstration-{index:06d}",
        given_name="Camille",
        birth_date=birth_date(index, today),
        address=f"{1 + index % 199} rue de l'Exemple, 93000 Ville-Fictive",
        representative_name=f"Dominique Démonstration-{index:06d}",
        representative_phone=f"+336{index % 10**8:08d}",
        representative_email=f"representant.{index:06d}@exemple.invalid",
        school_uai="0930001A",
        level=LEVELS[index % len(LEVELS)],
        concern_codes=[CONCERNS[index % 6], CONCERNS[(index + 1) % 6]],
        help_code=HELPS[index % len(HELPS)],
        steps_taken=_STEPS + str(index),
    )
