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
}
"""By code, those of its acts and of the duty beside it included."""
