"""What people call the codes of convention D, in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "elsewhere": "Ailleurs",
    "by_phone": "Par téléphone",
    "employment_search": "Emploi : recherche",
    "employment_discovery": "Emploi : découverte",
    "employment_contract": "Emploi : contrat",
    "training_search": "Formation : recherche",
    "training_entry": "Formation : entrée",
    "training_apprenticeship": "Formation : apprentissage",
    "together": "Ensemble",
    "asked": "Le demande",
    "agrees": "Est d'accord",
    "undecided": "Ne se prononce pas",
    "against": "Est contre",
    "entered": "Entré dans le dispositif",
    "not_eligible": "Non éligible",
    "hidden": "Masqué",
    "not_counted": "Compté par l'autre partie",
    # the training obligation
    "absent_from_interview": "Absent à l'entretien",
    "left_early": "Parti avant la fin",
    # purposes, and from when retention runs
    "access_to_autonomy": "Accès des jeunes à l'autonomie",
    "evaluation": "Évaluation",
    "training_obligation": "Obligation de formation jusqu'à 18 ans",
    "case_closed": "la clôture du dossier",
    "contact_answered": "la réponse au premier contact",
    "convention_ended": "la fin de la convention",
    "interview_held": "l'entretien",
    "project_ended": "la fin du projet",
    "training_obligation_ended": "la fin de l'obligation de formation",
    "youth_contract_answered": "la réponse sur le contrat d'engagement jeune",
}
"""By code: of its messages and acts, its purposes and what retention runs from, and the duty's."""
