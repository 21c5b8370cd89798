"""What agents read for the names of what each party keeps of convention C."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LABELS: Final[Mapping[str, str]] = {
    "answered": "Répondu",
    "asked_at": "Posée le",
    "asked_here": "Posée par nous",
    "booklets": "Livrets de suivi",
    "candidacy": "Candidature",
    "certificate_on": "Attestation le",
    "contract": "Contrat aidé",
    "due_on": "À remplir pour le",
    "employee": "Salarié",
    "employer": "Signé par l'employeur",
    "exit_interview_at": "Entretien de sortie",
    "forget_at": "Oublié le",
    "host": "Hôte",
    "immersion": "Immersion",
    "next_steps_on": "Suite fixée le",
    "offered_here": "Proposé par nous",
    "prescriber": "Signé par le prescripteur",
    "prospects": "Perspectives",
    "question": "Question sur l'éligibilité",
    "requested": "Demandée",
    "since": "Depuis le",
    "told_at": "Dite le",
    "tutor": "Tuteur",
}
