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
    # purposes, and from when retention runs
    "convention_follow_up": "Suivi de la convention",
    "social_and_work_inclusion": "Insertion sociale et professionnelle",
    "zero_long_term_unemployment": "Territoire zéro chômeur de longue durée",
    "campaign_ended": "la fin de la campagne",
    "candidacy_decided": "la décision sur la candidature",
    "communication_published": "la publication",
    "contract_ended": "la fin du contrat",
    "eligibility_answered": "la réponse sur l'éligibilité",
    "immersion_ended": "la fin de l'immersion",
    "offer_closed": "la clôture de l'offre",
    "opportunity_closed": "la clôture de l'opportunité",
    "referent_replaced": "le remplacement du référent",
    "table_replaced": "le tableau suivant",
    "trades_replaced": "la liste suivante des métiers",
    "volunteer_answered": "la réponse au volontaire",
}
"""By code: of its messages and acts, its purposes and what retention runs from."""
