"""Messages of convention A: the strictly necessary fields, each with its reason (A-5.1).

Never here: absence counts, sanctions, appraisals, siblings, why a request was declined.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from contracts.kernel.fields import Day, Payload, Uai, said
from contracts.kernel.messages import Identity, ProfessionalContact, Representative

Concern = Literal["absences", "motivation", "climate", "orientation", "other"]
"""What worries the school, as a code: absences, motivation, climat, orientation, autre."""

Help = Literal["support", "activities", "mediation", "orientation_advice"]
"""What the school hopes for: accompagnement, activités, médiation, conseil d'orientation."""

Level = Literal["6e", "5e", "4e", "3e", "2de", "1re", "terminale", "cap1", "cap2"]
"""Class level, never the class."""


def _each_once(concerns: tuple[Concern, ...]) -> tuple[Concern, ...]:
    if len(set(concerns)) != len(concerns):
        raise PydanticCustomError("twice", "names one sign twice")
    return concerns


# The bounds stand next to the tuple: behind the validator they would read as those of a text.
Concerns = Annotated[
    tuple[Concern, ...],
    Field(min_length=1, max_length=3, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]


class ReferralSubmitted(Payload):
    """Fiche de repérage: a school asks the city's youth service to meet a pupil (A-4.3)."""

    pupil: Identity = said(
        "Élève",
        why="Désigne le jeune à rencontrer, une seule fois.",
        source="A-4.3",
        filled="identity",
    )
    representative: Representative | None = said(
        "Représentant légal",
        why="Permet d'associer la famille à chaque étape ; absent si l'élève est majeur.",
        source="A-2.12",
        filled="representative",
    )
    uai: Uai = said(
        "Établissement", why="Dit où l'élève est scolarisé.", source="A-1.2", filled="uai"
    )
    level: Level = said(
        "Niveau", why="Situe l'âge scolaire, sans nommer la classe.", source="A-4.3"
    )
    concerns: Concerns = said(
        "Signes repérés", why="Trois signes au plus, choisis dans une liste.", source="A-0.2"
    )
    hoped_help: Help = said("Aide espérée", why="Oriente la première réponse.", source="A-2.6")


class ReferralAnswered(Payload):
    """The city answers a referral and, when it accepts, names the pathway referent (A-2.5)."""

    decision: Literal["accepted", "declined", "more_contact_needed"] = said(
        "Réponse", why="Dit si le service Jeunesse accompagne, jamais pourquoi non.", source="A-4.2"
    )
    referent: ProfessionalContact | None = said(
        "Référent de parcours", why="Dit à qui s'adresser.", source="A-2.5"
    )
    next_date: Day | None = said(
        "Prochaine date", why="Date du premier rendez-vous.", source="A-2.4"
    )
