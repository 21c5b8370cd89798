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
    # purposes, and what the time of keeping runs from
    "access_to_autonomy": "l'accès à l'autonomie des jeunes confiés au Département",
    "evaluation": "l'évaluation de la convention",
    "training_obligation": "l'obligation de formation à 16 et 17 ans",
    "contact_answered": "la réponse à la demande de contact",
    "case_closed": "la clôture du dossier",
    "interview_held": "l'entretien",
    "project_ended": "la fin du projet d'accès à l'autonomie",
    "youth_contract_answered": "la réponse sur le contrat d'engagement jeune",
    "convention_ended": "la fin de la convention",
    "training_obligation_ended": "la fin de l'obligation de formation",
}
"""By code, those of its purposes and acts and of the duty beside it included."""
