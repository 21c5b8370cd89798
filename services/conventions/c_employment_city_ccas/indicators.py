"""What the reviews of the employer axis count: steps and outcomes, as codes (C-7.3).

Supported contracts agreed are the number that is set against the staff (C-3a.7), which the
employer knows by itself: its report alone says the share.
"""

from __future__ import annotations

from typing import Final

from contracts.conventions.c_employment_city_ccas.evaluation import supported_per_thousand
from services.chassis.tally import Indicator, Share
from services.conventions.c_employment_city_ccas.staff import STAFF

INDICATORS: Final = (
    Indicator(
        what="pec.offer",
        article="C-3a.11",
        label="Offres en parcours emploi compétences",
        labels={"published": "Publiées"},
        persons=False,
    ),
    Indicator(
        what="pec.candidate_outcome",
        article="C-3a.12",
        label="Suites données aux candidatures",
        labels={"met": "Reçus", "retained": "Retenus", "not_retained": "Non retenus"},
    ),
    Indicator(
        what="pec.contract",
        article="C-3a.7",
        label="Parcours emploi compétences",
        labels={"agreed": "Signés"},
    ),
    Indicator(
        what="pec.share",
        article="C-3a.7",
        label="Parcours emploi compétences au regard de l'effectif total",
        labels={"per_thousand": "Pour mille agents"},
        share=Share(of="pec.contract", against=STAFF, number=supported_per_thousand),
    ),
    Indicator(
        what="pec.booklet",
        article="C-3a.21",
        label="Livrets de suivi remplis",
        labels={"tutor": "Par le tuteur", "employee": "Par le salarié"},
    ),
    Indicator(
        what="pec.exit_interview",
        article="C-3a.26",
        label="Entretiens préalables à la sortie",
        labels={"called": "Convoqués"},
    ),
    Indicator(
        what="pec.attestation",
        article="C-3a.28",
        label="Attestations d'expérience",
        labels={"issued": "Remises"},
    ),
    Indicator(
        what="immersion.status",
        article="C-3b.1",
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
        what="stopped",
        article="C-4.1",
        label="Dossiers arrêtés par la personne",
        labels={"withdrawn": "Accord retiré"},
    ),
)
