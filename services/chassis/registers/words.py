"""French words for the purposes and the events that conventions name by codes."""

from __future__ import annotations

from typing import Final

from contracts.kernel.instrument import Retention

PURPOSES: Final = {
    "access_to_autonomy": "Accompagner vers l'autonomie les jeunes que suit le Département",
    "convention_follow_up": "Faire vivre la convention entre agents",
    "evaluation": "Évaluer la convention par des nombres",
    "exclusion_alternative": "Proposer une alternative à l'exclusion temporaire d'un élève",
    "recruitment": "Recruter en contrat aidé et accueillir en immersion",
    "school_attendance": "Informer le maire de l'assiduité des élèves",
    "school_perseverance": "Soutenir la persévérance scolaire de jeunes en risque de décrochage",
    "social_and_work_inclusion": "Accompagner l'insertion sociale et professionnelle",
    "training_obligation": "Veiller à l'obligation de formation des 16-18 ans",
    "zero_long_term_unemployment": "Participer à l'action contre le chômage de longue durée",
}
"""What people call each purpose."""

EVENTS: Final = {
    "campaign_ended": "la fin de la diffusion",
    "candidacy_decided": "la suite donnée à la candidature",
    "case_closed": "la clôture du dossier",
    "communication_published": "la communication",
    "contact_answered": "la réponse au premier contact",
    "contract_ended": "la fin du contrat",
    "convention_ended": "la fin de la convention",
    "cosupport_closed": "la fin du co-accompagnement",
    "eligibility_answered": "la réponse à la question",
    "immersion_ended": "la fin de l'immersion",
    "interview_held": "l'entretien",
    "measure_ended": "la fin de la mesure",
    "meeting": "la réunion",
    "offer_closed": "la clôture de l'offre",
    "offer_ended": "la fin de l'offre",
    "opportunity_closed": "la clôture de l'opportunité",
    "orientation_answered": "la réponse à l'orientation",
    "pathway_closed": "la fin du parcours",
    "project_ended": "la fin du projet",
    "referent_replaced": "le remplacement du référent",
    "school_year_ended": "la fin de l'année scolaire",
    "school_year_of_age_16": "la fin de l'année scolaire du seizième anniversaire",
    "table_replaced": "le tableau suivant",
    "trades_replaced": "la liste suivante",
    "training_obligation_ended": "la fin de l'obligation de formation",
    "volunteer_answered": "la réponse au volontaire",
    "youth_contract_answered": "la suite donnée à la proposition de contrat d'engagement jeune",
}
"""What people call the event from which a time of retention runs."""


def kept_for(rule: Retention) -> str:
    """A time of retention as people say it, with its article."""
    event = EVENTS[rule.event]
    if rule.transient:
        return f"aucune trace écrite : affiché jusqu'à {event} ({rule.article})"
    lengths = {"mois": rule.months, "jours": rule.days, "heures": rule.hours}
    after = [f"{number} {unit} après {event}" for unit, number in lengths.items() if number]
    return f"{(after or [f'jusqu’à {event}'])[0]} ({rule.article})"
