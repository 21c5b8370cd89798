"""What the yearly review of convention A counts (A-8.1): steps and outcomes, as codes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.conventions.a_city_school.convention import ALTERNATIVE, PURPOSE
from services.chassis import standing
from services.chassis.database import Tx
from services.chassis.tally import OPENED, Indicator, count

INDICATORS: Final = (
    Indicator(
        what=OPENED,
        article="A-1.3",
        label="Dossiers ouverts",
        labels={PURPOSE: "Accompagnement", ALTERNATIVE: "Alternative à l'exclusion"},
    ),
    Indicator(
        what="referral.answered",
        article="A-4.2",
        label="Réponses aux fiches de repérage",
        labels={
            "accepted": "Accompagnement accepté",
            "declined": "Déclinée",
            "more_contact_needed": "À approfondir",
        },
    ),
    Indicator(
        what="pathway.closed",
        article="A-2.4",
        label="Parcours terminés",
        labels={
            "objectives_met": "Objectifs atteints",
            "handed_over": "Relais pris par d'autres",
            "left_school": "Départ de l'établissement",
            "no_answer": "Sans réponse",
        },
    ),
    Indicator(
        what="meeting.called",
        article="A-2.9",
        label="Rencontres avec la famille",
        labels={"school": "Sur le temps scolaire", "city": "Hors temps scolaire"},
    ),
    Indicator(
        what="alternative.answered",
        article="A-3.3",
        label="Réponses aux demandes d'alternative",
        labels={"accepted": "Accueil accepté", "declined": "Déclinée"},
    ),
    Indicator(
        what="alternative.ended",
        article="A-3.14",
        label="Mesures terminées",
        labels={
            "completed": "Allée à son terme",
            "ended_hygiene": "Arrêtée (hygiène)",
            "ended_safety": "Arrêtée (sécurité)",
            "ended_morality": "Arrêtée (moralité)",
        },
    ),
    Indicator(
        what="alternative.alert",
        article="A-3.15",
        label="Informations sans délai",
        labels={
            "absence": "Absence",
            "breach": "Manquement",
            "incident": "Incident",
            "accident": "Accident",
        },
    ),
    Indicator(
        what="stopped",
        article="A-2.11",
        label="Accompagnements arrêtés par la famille",
        labels={"withdrawn": "Accord retiré"},
    ),
)
"""Each code of an indicator is one of its message; the text of a case is never counted."""


def counted(tx: Tx, case_id: str, what: str, code: str, at: datetime) -> None:
    """Count a step of a case for the convention that it belongs to."""
    case = tx.get(standing.CASES, case_id)
    if case is not None:
        count(tx, case.instrument, what, code, at)
