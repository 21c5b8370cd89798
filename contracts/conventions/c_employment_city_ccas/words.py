"""What people call the codes of convention C, in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    # agencies and desks
    "saint_sever": "Agence Saint-Sever",
    "luciline": "Agence Luciline",
    "aubette": "Agence Aubette",
    "beauvoisine": "Agence Beauvoisine",
    "employer": "Relation avec l'employeur",
    "human_resources": "Ressources humaines",
    "social_clauses": "Clauses sociales",
    "zero_unemployment": "Territoire zéro chômeur de longue durée",
    "hauts_de_rouen": "Hauts de Rouen",
    "france_services": "France services",
    # supported contracts
    "retained": "Retenu",
    "not_retained": "Non retenu",
    "taking_up_the_post": "Aide à la prise de poste",
    "skills_assessment": "Évaluation des compétences",
    "work_immersion": "Période d'immersion",
    "career_plan": "Projet professionnel",
    "job_search": "Recherche d'emploi",
    "refresher": "Remise à niveau",
    "pre_qualification": "Préqualification",
    "professionalisation": "Professionnalisation",
    "new_skills": "Nouvelles compétences",
    "prior_learning": "Validation des acquis",
    "month_1": "Premier mois",
    "middle": "Milieu du contrat",
    "three_quarters": "Trois quarts du contrat",
    # territory
    "drop_in": "Permanence",
    "presentation": "Présentation",
    "text_message": "SMS",
    "job_seekers": "Demandeurs d'emploi",
    "long_term_excluded": "Personnes durablement privées d'emploi",
    "press": "Presse",
    "website": "Site internet",
    "social_media": "Réseaux sociaux",
    "poster": "Affiche",
    "event": "Événement",
    "recruitment": "Recrutement",
    "inclusion": "Insertion",
    "training": "Formation",
    "part_time": "Temps partiel",
    "near_home": "Près du domicile",
    "tutoring": "Tutorat",
    # purposes, and what the time of keeping runs from
    "social_and_work_inclusion": "l'insertion sociale et professionnelle",
    "zero_long_term_unemployment": "le territoire zéro chômeur de longue durée",
    "convention_follow_up": "le suivi de la convention entre collègues",
    "offer_closed": "la clôture de l'offre",
    "candidacy_decided": "la décision sur la candidature",
    "contract_ended": "la fin du contrat",
    "trades_replaced": "la liste suivante des métiers",
    "immersion_ended": "la fin de l'immersion",
    "opportunity_closed": "la clôture de l'opportunité",
    "eligibility_answered": "la réponse à la question",
    "campaign_ended": "la fin de la campagne",
    "table_replaced": "le tableau suivant",
    "volunteer_answered": "la réponse au volontaire",
    "referent_replaced": "le remplacement du référent",
    "communication_published": "la publication de la communication",
}
"""By code, those of its purposes and acts included."""
