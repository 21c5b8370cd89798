"""What the evaluation of convention C counts beside the employer's axis, under three headings."""

from __future__ import annotations

from typing import Final

from contracts.conventions.c_employment_city_ccas.convention import (
    FOLLOW_UP,
    INCLUSION,
    RECRUITMENT,
    ZERO_UNEMPLOYMENT,
)
from contracts.conventions.c_employment_city_ccas.evaluation import COVERS, Element
from services.chassis.tally import OPENED, Indicator

ELEMENTS: Final = {
    Element.MEANS: "Mobilisation des moyens de chaque partie",
    Element.RESULTS: "Résultats de la mise en œuvre",
    Element.CONTRIBUTION: "Contribution de chaque partie aux objectifs",
}
"""The three elements of the evaluation, as the report heads them (C-7.3)."""

_COVERED: Final = {
    "C-1.1": Element.RESULTS,
    "C-3c.2": Element.CONTRIBUTION,
    "C-3d.2": Element.CONTRIBUTION,
    "C-3d.3": Element.MEANS,
    "C-3d.4": Element.RESULTS,
    "C-3e.4": Element.CONTRIBUTION,
    "C-3e.5": Element.RESULTS,
    "C-5.4": Element.CONTRIBUTION,
    **COVERS,
}


def element_of(article: str) -> Element:
    """Under which of the three an indicator stands; results where nothing says (C-7.3)."""
    return _COVERED.get(article, Element.RESULTS)


INDICATORS: Final = (
    Indicator(
        what=OPENED,
        article="C-1.1",
        label="Démarches ouvertes",
        labels={
            RECRUITMENT: "Recrutement",
            ZERO_UNEMPLOYMENT: "Territoire zéro chômeur",
            INCLUSION: "Insertion",
            FOLLOW_UP: "Suivi de la convention",
        },
    ),
    Indicator(
        what="collective_action",
        article="C-3c.1",
        label="Actions collectives",
        labels={"youth": "Pour les jeunes", "other": "Pour tous"},
        persons=False,
    ),
    Indicator(
        what="joint_action",
        article="C-3c.2",
        label="Actions menées en commun",
        labels={"joint": "Avec la Ville"},
        persons=False,
    ),
    Indicator(
        what="clause.opportunity",
        article="C-3d.2",
        label="Opportunités des clauses sociales",
        labels={"sent": "Transmises", "received": "Reçues"},
        persons=False,
    ),
    Indicator(
        what="clause.question",
        article="C-3d.4",
        label="Questions sur une candidature d'insertion",
        labels={"asked": "Posées"},
    ),
    Indicator(
        what="clause.eligibility_answered",
        article="C-3d.4",
        label="Réponses sur une candidature d'insertion",
        labels={"yes": "Oui", "no": "Non", "unknown": "Inconnue"},
    ),
    Indicator(
        what="referent",
        article="C-3d.3",
        label="Référents publiés",
        labels={
            "employer": "Employeurs",
            "social_clauses": "Clauses sociales",
            "zero_unemployment": "Territoire zéro chômeur",
            "hauts_de_rouen": "Hauts de Rouen",
            "france_services": "France Services",
            "antenna": "Unités de travail social",
        },
    ),
    Indicator(
        what="campaign",
        article="C-3e.4",
        label="Campagnes d'information",
        labels={"requested": "Demandées", "sent": "Envoyées"},
        persons=False,
    ),
    Indicator(
        what="census",
        article="C-3e.3",
        label="Tableaux de recensement échangés",
        labels={"job_seekers": "Demandeurs d'emploi", "long_term_excluded": "Public visé"},
        persons=False,
    ),
    Indicator(
        what="volunteer",
        article="C-3e.5",
        label="Volontaires présentés à leur demande",
        labels={"offered": "Présentés"},
    ),
    Indicator(
        what="communication",
        article="C-5.4",
        label="Communications annoncées",
        labels={
            "recruitment": "Recrutement",
            "zero_unemployment": "Territoire zéro chômeur",
            "inclusion": "Insertion",
        },
        persons=False,
    ),
)
"""Each code of an indicator is one of its message; nobody is counted by name."""
