"""What agents read for the names of what either side keeps of convention A."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LABELS: Final[Mapping[str, str]] = {
    "answer": "Réponse au repérage",
    "attendance": "Information du maire",
    "at": "Reçu le",
    "contract": "Contrat d'engagement",
    "exclusion": "Exclusion (du, au)",
    "days": "Accueil (du, au)",
    "family_told": "Famille informée",
    "booklet": "Livret d'accueil remis",
    "booklet_shown": "Livret présenté au retour",
    "host": "Structure d'accueil",
    "involved": "Organisme intervenu",
    "measure": "Alternative à l'exclusion",
    "on": "Le",
    "outcome": "Issue",
    "pathway": "Parcours",
    "pupil": "Élève",
    "reception": "Premier jour",
    "referent": "Référent de parcours",
    "referral": "Repérage",
    "reflection": "Travail de réflexion fait",
    "representative": "Représentant légal",
    "review_on": "Prochain point",
    "alert": "Alerte",
    "element": "Élément nouveau",
    "meeting": "Rencontre",
    "news": "Point de situation",
    "not_shown": "Non présenté",
    "shown": "Présenté",
    "theme": "Thème de travail",
    # how far a referral or a measure is
    "lapsed": "Caduque",
    "requested": "Demandée",
    "signed": "Contrat signé",
    "running": "En cours",
    "stopped": "Arrêté",
}
