"""What agents read for the names of what either side keeps of convention D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LABELS: Final[Mapping[str, str]] = {
    "contact": "Contact",
    "decision": "Décision d'accompagnement",
    "diagnosis": "Diagnostic d'orientation",
    "eligibility_checked_on": "Éligibilité vérifiée le",
    "enrolment": "Inscription à la Mission Locale",
    "handed_over": "Remis au jeune",
    "interview": "Entretien des 17 ans",
    "invitation": "Invitation",
    "outcome": "Suite donnée",
    "project": "Projet d'autonomie",
    "proposed": "Proposé",
    "request": "Premier contact demandé",
    "requested": "Demandé",
    "youth": "Accès à l'autonomie",
    "youth_contract": "Contrat d'engagement jeune",
}
