"""What the reviews of convention B count: steps and outcomes, as codes (B-4.2).

What the Mission Locale observes of those it meets leaves as such numbers, and no other way (B-0.4).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.conventions.b_city_mission_locale.convention import INCLUSION
from services.chassis import standing
from services.chassis.database import Tx
from services.chassis.tally import OPENED, Indicator, count

INDICATORS: Final = (
    Indicator(
        what=OPENED,
        article="B-1.1",
        label="Dossiers ouverts",
        labels={INCLUSION: "Insertion sociale et professionnelle"},
    ),
    Indicator(
        what="orientation.answered",
        article="B-2.10",
        label="Suites données aux orientations",
        labels={
            "received": "Reçu",
            "registered": "Inscrit",
            "declined": "Déclinée",
            "unreachable": "Injoignable",
        },
    ),
    Indicator(
        what="cosupport",
        article="B-2.14",
        label="Co-accompagnements",
        labels={"opened": "Ouverts", "checkpoint": "Points faits"},
    ),
    Indicator(
        what="cosupport.closed",
        article="B-2.11",
        label="Co-accompagnements terminés",
        labels={
            "objectives_met": "Objectifs atteints",
            "handed_over": "Relais pris par d'autres",
            "no_answer": "Sans réponse",
            "ended": "Fin d'un commun accord",
        },
    ),
    Indicator(
        what="immersion.status",
        article="B-2.9",
        label="Immersions",
        labels={
            "accepted": "Accueil accepté",
            "declined": "Accueil refusé",
            "confirmed": "Confirmées",
            "completed": "Allées à leur terme",
            "interrupted": "Interrompues",
        },
    ),
    Indicator(
        what="common_event",
        article="B-2.6",
        label="Événements communs",
        labels={"held": "Tenus"},
        persons=False,
    ),
    Indicator(
        what="stopped",
        article="B-3.1",
        label="Dossiers arrêtés par le jeune",
        labels={"withdrawn": "Accord retiré"},
    ),
)
"""Each code of an indicator is one of its message; the text of a case is never counted."""


def counted(tx: Tx, case_id: str, what: str, code: str, at: datetime) -> None:
    """Count a step of a case for the convention that it belongs to."""
    case = tx.get(standing.CASES, case_id)
    if case is not None:
        count(tx, case.instrument, what, code, at)
