"""What convention C asks of a message: kinds of check with their article and their refusal.

Facts under these names come from the nodes (`Recorded`) or from the content itself (`Limit`). What
only one of the parties can know is asked at that party's gate alone.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.conventions.c_employment_city_ccas.messages import SIGNATORIES
from contracts.kernel.checks import (
    Agreement,
    Check,
    Giver,
    Limit,
    NoticeGiven,
    Recorded,
    Side,
    Signatures,
)

# --- asked of every message

STAFF_INFORMED = Recorded(
    article="C-5.5",
    name="staff_informed",
    side=Side.SENDER,
    sentence="L'agent n'a pas pris connaissance de la convention : la lire, puis le déclarer.",
)

RENEWED_ON_REPORT = Recorded(
    article="C-8.2",
    name="renewed_on_report",
    sentence="La convention est reconduite sans bilan : écrire le bilan final et l'enregistrer.",
)
"""Held during the first term; after an amendment only if the final report was recorded before."""

EVERY: tuple[Check, ...] = (STAFF_INFORMED, RENEWED_ON_REPORT)

# --- which desk, on either side

LEAD_EMPLOYER = Recorded(
    article="C-3.1",
    name="employer_agency",
    sentence="Le recrutement passe par l'agence Beauvoisine seule : lui confier ce message.",
)

LEAD_ZERO_UNEMPLOYMENT = Recorded(
    article="C-3e.1",
    name="territory_agency",
    sentence="Ce sujet passe par l'agence Saint-Sever seule : lui confier ce message.",
)

CLAUSE_DESK = Recorded(
    article="C-3d.3",
    name="agency_referent",
    sentence="L'agence n'a pas désigné de référent des clauses : le désigner d'abord.",
)

HR_DESK = Recorded(
    article="C-3.2",
    name="hr_desk",
    sentence="Seule la direction des ressources humaines traite ce message : le lui confier.",
)
"""Its mailbox is closed to the social workers of the CCAS."""

CITY_CLAUSE_REFERENT = Recorded(
    article="C-3d.4",
    name="city_referent",
    sentence="Seul le référent des clauses de la Ville traite ce message : le lui confier.",
)

# --- the person: informed, agreeing, of Rouen; seen and not kept

TOLD_BY_AGENCY = NoticeGiven(
    article="C-4.2",
    sentence="La personne n'a pas été informée de ce que le partenaire lira : l'informer d'abord.",
)

TOLD_BY_CITY = NoticeGiven(
    article="C-6.2",
    sentence="La personne n'a pas été informée de la transmission et de ses droits : l'informer.",
)

AGENCY_TOLD = Recorded(
    article="C-4.2",
    name="told_by_agency",
    side=Side.SENDER,
    sentence="L'agence n'a pas informé la personne de ce que la Ville lira : l'informer d'abord.",
)
"""Beside the information that the city gave with its question."""

AGREED = Agreement(
    article="C-4.1",
    recipient_article="C-5.2",
    sentence="L'accord de la personne n'est pas enregistré : le recueillir avant l'envoi.",
    minor=Giver.BOTH,
    adult=Giver.YOUNG_PERSON,
)
"""The text asks for privacy, not for an agreement: a reading. Below 18 the representative's too."""

RESIDENT = Recorded(
    article="C-2.1",
    name="resident",
    side=Side.SENDER,
    sentence="La personne n'est pas demandeuse d'emploi à Rouen : vérifier sa commune.",
)

NO_FILE = Recorded(
    article="C-5.1",
    name="no_file",
    side=Side.RECEIVER,
    sentence="Ce poste garderait la demande : ouvrir l'affichage sans conservation.",
)
"""A node says so only of a view that leaves no durable row: one that has none refuses."""

OPEN_CASE = Recorded(
    article="C-5.3",
    name="open_case",
    sentence="Aucun dossier n'est ouvert : une information ne sert qu'à sa propre démarche.",
)

# --- supported contracts (article 3, 1 a)

INTERVIEWED = Recorded(
    article="C-3a.1",
    name="employer_interview",
    side=Side.SENDER,
    sentence="L'entretien de diagnostic avec France Travail n'est pas enregistré : le tenir.",
)

ELIGIBLE = Recorded(
    article="C-3a.3",
    name="eligible",
    side=Side.SENDER,
    sentence="Le diagnostic du conseiller ne conclut pas à l'éligibilité : l'établir d'abord.",
)

BY_COUNSELLOR = Recorded(
    article="C-3a.15",
    name="by_counsellor",
    side=Side.SENDER,
    sentence="Seul le conseiller référent de la personne fait cet envoi : le lui confier.",
)

EXPLAINED = Recorded(
    article="C-3a.16",
    name="explained",
    side=Side.SENDER,
    sentence="L'intérêt et les engagements n'ont pas été exposés à la personne : le faire d'abord.",
)

OFFER_OPEN = Recorded(
    article="C-3a.13",
    name="offer_open",
    sentence="Cette offre n'est pas publiée ou est close : choisir une offre ouverte.",
)

AWAITING_OUTCOME = Recorded(
    article="C-3a.12",
    name="awaiting_outcome",
    sentence="Cette candidature a déjà sa suite définitive : aucune autre n'est attendue.",
)

RETAINED = Recorded(
    article="C-3a.20",
    name="retained",
    sentence="La personne n'a pas été retenue : annoncer d'abord la suite de la candidature.",
)

TUTOR_VOLUNTEER = Recorded(
    article="C-3a.6",
    name="tutor_volunteer",
    side=Side.SENDER,
    sentence="Le tuteur ne s'est pas porté volontaire : recueillir sa déclaration (R5134-38).",
)

TUTOR_QUALIFIED = Recorded(
    article="C-3a.6",
    name="tutor_qualified",
    side=Side.SENDER,
    sentence="La qualification du tuteur n'est pas enregistrée : la vérifier (R5134-38).",
)

TUTOR_EXPERIENCED = Recorded(
    article="C-3a.6",
    name="tutor_experienced",
    side=Side.SENDER,
    sentence="Le tuteur n'a pas deux ans d'expérience : en désigner un autre (R5134-38).",
)

TUTOR_NOT_SUPPORTED = Recorded(
    article="C-3a.6",
    name="tutor_not_supported",
    side=Side.SENDER,
    sentence="Le tuteur est lui-même en contrat aidé, ou rien ne dit que non : le vérifier.",
)

TUTORED = Limit(
    article="C-3a.6",
    name="tutored",
    side=Side.SENDER,
    at_least=1,
    at_most=3,
    sentence="Un tuteur suit trois salariés au plus, celui-ci compris : en désigner un autre.",
)

TUTOR: tuple[Check, ...] = (
    TUTOR_VOLUNTEER,
    TUTOR_QUALIFIED,
    TUTOR_EXPERIENCED,
    TUTOR_NOT_SUPPORTED,
    TUTORED,
)
"""Of the employer's own register of tutors; nothing of it is sent (R5134-38)."""

SIGNED = Signatures(
    article="C-3a.20",
    roles=SIGNATORIES,
    sentence="Les trois signatures ne sont pas réunies : les recueillir à l'entretien tripartite.",
)

CONTRACT_MONTHS = Limit(
    article="C-3a.23",
    name="contract_months",
    at_least=3,
    at_most=60,
    sentence="Le contrat ne laisse pas place à trois livrets : vérifier ses dates.",
)
"""Below three months the three due dates fall apart; the law's longest exception is sixty."""

ON_SCHEDULE = Limit(
    article="C-3a.23",
    name="days_off_schedule",
    at_most=0,
    sentence="Ce jour n'est pas celui du livret : premier mois, moitié ou trois quarts.",
)

BOOKLET_ASKED = Recorded(
    article="C-3a.21",
    name="booklet_asked",
    sentence="Ce livret n'a pas été demandé : attendre l'annonce de France Travail.",
)

FILLED_ALONE = Recorded(
    article="C-3a.22",
    name="filled_alone",
    side=Side.SENDER,
    sentence="Ce livret n'est pas rempli par la personne elle-même, à l'écart de l'autre.",
)

NO_PROSPECTS = Recorded(
    article="C-3a.26",
    name="no_prospects",
    side=Side.SENDER,
    sentence="Le dernier livret ne montre pas d'absence de perspective : le lire d'abord.",
)

# --- clauses and zero unemployment (article 3, 2)

AWAITING_ANSWER = Recorded(
    article="C-3d.4",
    name="awaiting_answer",
    sentence="La question n'attend pas, ou plus, de réponse : elle vaut vingt-quatre heures.",
)

NOT_TOO_FEW = Limit(
    article="C-3e.4",
    name="too_few",
    at_most=0,
    sentence="Moins de onze destinataires : ne pas en dire le nombre.",
)

CELLS_LARGE = Limit(
    article="C-3e.3",
    name="small_cells",
    at_most=0,
    sentence="Un nombre du tableau est inférieur à onze : le masquer.",
)

CELLS_SAFE = Limit(
    article="C-3e.3",
    name="exposed_cells",
    at_most=0,
    sentence="Un nombre masqué se retrouve par différence : en masquer d'autres, ou le total.",
)

VOLUNTEERED = Recorded(
    article="C-3e.5",
    name="volunteered",
    side=Side.SENDER,
    sentence="La personne n'a pas demandé elle-même cet envoi : attendre son initiative.",
)

# --- colleagues

STAFF_TOLD = Recorded(
    article="C-6.2",
    name="staff_told",
    side=Side.SENDER,
    sentence="Les agents nommés n'ont pas été informés de la transmission : les informer.",
)

SECOND_NAMED = Limit(
    article="C-3a.14",
    name="seconds_missing",
    at_most=0,
    sentence="Le conseiller entreprise n'a pas de second : en nommer un.",
)


def from_agency(agency: Recorded, *partner: Recorded) -> tuple[Check, ...]:
    """Desks of a message that the agency sends: each is asked at its own party's gate alone."""
    return *on(Side.SENDER, agency), *on(Side.RECEIVER, *partner)


def to_agency(agency: Recorded, *partner: Recorded) -> tuple[Check, ...]:
    """Desks of a message that the agency receives: each is asked at its own party's gate alone."""
    return *on(Side.SENDER, *partner), *on(Side.RECEIVER, agency)


def on(side: Side, *asked: Check) -> tuple[Check, ...]:
    """The same checks on one side only: where one gate alone knows what they ask."""
    return tuple(replace(check, side=side) for check in asked)
