"""Plain French for what a person reads at their own page; a test sees that no code lacks words.

A fifteen-year-old must understand it, so it says who did what, and never how it is called here.
"""

from __future__ import annotations

from typing import Final

PURPOSES: Final = {
    "school_perseverance": "pour aider à ne pas décrocher de l'école",
    "exclusion_alternative": "pour proposer autre chose qu'une exclusion",
    "school_attendance": "pour suivre la présence à l'école, comme la loi le demande",
    "training_obligation": "pour qu'à 16 et 17 ans chacun soit formé, comme la loi le demande",
    "social_and_work_inclusion": "pour aider à trouver une formation, un emploi, un accompagnement",
    "recruitment": "pour proposer un emploi",
    "zero_long_term_unemployment": "pour aider qui cherche un emploi depuis longtemps",
    "convention_follow_up": "pour suivre comment marche la convention",
    "access_to_autonomy": "pour aider à devenir autonome",
    "evaluation": "pour savoir si l'aide est utile, sans nommer personne",
}
"""Why something is told, by the purpose of its flow."""

GIVERS: Final = {
    "representative": "un représentant légal",
    "young_person": "le jeune",
    "both": "un représentant légal et le jeune",
}
"""Who gave an agreement."""

STATES: Final = {
    "given": "en cours",
    "suspended": "en pause : une opposition attend sa réponse",
    "withdrawn": "retiré",
    "expired": "terminé",
    "refused": "refusé : rien n'est transmis",
}
"""State of an agreement."""

LETTERS: Final = {
    "queued": "pas encore parti",
    "delivered": "parti, pas encore ouvert",
    "accepted": "reçu",
    "refused": "refusé à l'arrivée",
    "expired": "jamais ouvert, effacé",
    "stopped": "arrêté",
}
"""What became of what was sent."""

ANSWERS: Final = {
    "stopped": "tout est arrêté",
    "deleted": "tout est effacé",
    "kept": "gardé pour l'instant",
    "suspended": "mis en pause",
    "resumed": "repris",
    "done": "fait",
    "partly": "fait en partie",
    "refused": "refusé",
    "unknown": "rien n'y est tenu sur cette situation",
}
"""What an organisation answered."""

UNANSWERED: Final = "pas encore de réponse"

RIGHTS: Final = {
    "access": "recevoir une copie de ce qui est tenu ici",
    "rectification": "faire corriger ce qui est faux",
    "erasure": "faire effacer ce qui est tenu ici",
    "objection": "m'opposer à ce qui est fait",
}
"""Rights that a page offers (GDPR 15, 16, 17, 21)."""

CORRECTED: Final = "une erreur de nom, de prénom ou de date de naissance a été corrigée"
"""What an organisation set right without being asked (GDPR 5.1.d)."""

FOLLOWS: Final = {
    "access": "Une copie vous est remise, en clair, sans rien payer.",
    "rectification": "Ce qui est faux est corrigé ici, et chez ceux à qui on l'a dit.",
    "erasure": "Ce qui est tenu ici est détruit, et chez ceux à qui on l'a dit aussi. Ce qu'une "
    "loi oblige à garder reste, et on vous dit quelle loi.",
    "objection": "Tout se met en pause, ici et chez ceux à qui on l'a dit, jusqu'à la réponse.",
}
"""What follows when a right is exercised."""

ABOUT: Final = {
    "identity": "Le nom, le prénom ou la date de naissance",
    "contact": "Le téléphone ou l'adresse",
    "representative": "Ce qui est écrit d'un représentant légal",
    "content": "Ce qui est dit de la situation",
}
"""What may be wrong, as a list: the words for it are said to whoever answers."""

GROUNDS: Final = {
    "vital_interests": "pour protéger la vie ou l'intégrité de quelqu'un",
}
"""On which ground something was told without agreement."""

DUTY: Final = "La loi le demande, que l'on soit d'accord ou non."
NO_AGREEMENT: Final = "Sans accord particulier."
HIDDEN: Final = "Cette ligne était cachée jusqu'au {day}, pour ne mettre personne en danger."
