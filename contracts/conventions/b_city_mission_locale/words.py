"""What people call the codes of convention B, in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "received": "Reçu",
    "youth_engagement_contract": "Contrat d'engagement jeune",
    "civic_service": "Service civique",
    "city_youth_scheme": "Dispositif jeunesse de la Ville",
    "training": "Formation",
    "employment": "Emploi",
    "work_experience": "Expérience professionnelle",
    "mobility": "Mobilité",
    "back_to_school": "Retour en formation initiale",
    "pace": "Rythme",
    "place": "Lieu",
    "contact_mode": "Moyen de contact",
    "joint_appointments": "Rendez-vous communs",
    "other_service": "Autre service",
    "ended": "Terminé",
    # services, in the vocabulary of data·inclusion
    "accompagnement": "Accompagnement",
    "atelier": "Atelier",
    "formation": "Formation",
    "information": "Information",
    "choisir-un-metier--confirmer-son-choix-de-metier": "Confirmer son choix de métier",
    "choisir-un-metier--connaitre-les-opportunites-demploi": "Connaître les offres d'emploi",
    "choisir-un-metier--decouvrir-un-metier-ou-un-secteur-dactivite": (
        "Découvrir un métier ou un secteur d'activité"
    ),
    "choisir-un-metier--identifier-ses-points-forts-et-ses-competences": (
        "Identifier ses points forts et ses compétences"
    ),
    "mobilite--etre-accompagne-dans-son-parcours-mobilite": "Être accompagné dans sa mobilité",
    "mobilite--preparer-un-permis": "Préparer un permis de conduire",
    "numerique--maitriser-les-fondamentaux-du-numerique": "Maîtriser les bases du numérique",
    "preparer-sa-candidature--realiser-un-cv-et-ou-une-lettre-de-motivation": (
        "Écrire un CV ou une lettre de motivation"
    ),
    "preparer-sa-candidature--valoriser-ses-competences": "Valoriser ses compétences",
    "remobilisation--activites-sportives-et-culturelles": "Activités sportives et culturelles",
    "remobilisation--benevolat-action-citoyenne": "Bénévolat, action citoyenne",
    "remobilisation--lien-social": "Lien social",
    "se-former--monter-son-dossier-de-formation": "Monter son dossier de formation",
    "se-former--trouver-sa-formation": "Trouver sa formation",
    "trouver-un-emploi--convaincre-un-recruteur-en-entretien": (
        "Convaincre un recruteur en entretien"
    ),
    "trouver-un-emploi--faire-des-candidatures-spontanees": "Faire des candidatures spontanées",
    "trouver-un-emploi--repondre-a-des-offres-demploi": "Répondre à des offres d'emploi",
    # purposes, and from when retention runs
    "school_perseverance": "Persévérance éducative",
    "social_and_work_inclusion": "Insertion sociale et professionnelle",
    "cosupport_closed": "la clôture du co-accompagnement",
    "immersion_ended": "la fin de l'immersion",
    "offer_ended": "la fin de l'offre",
    "orientation_answered": "la réponse à l'orientation",
}
"""By code: of its messages and acts, its purposes and what retention runs from."""
