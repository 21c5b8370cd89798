"""What convention A asks of a message: kinds of check with their article and their refusal.

Facts under these names come from the nodes (`Recorded`) or from the content itself (`Limit`).
"""

from __future__ import annotations

from contracts.conventions.a_city_school.messages import SIGNATORIES
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

INFORMED = NoticeGiven(
    article="A-2.10",
    sentence="La famille n'a pas été informée de la démarche avant l'envoi.",
)

AGREED = Agreement(
    article="A-2.11",
    recipient_article="A-4.1",
    sentence="L'accord du représentant légal, ou de l'élève majeur, n'est pas enregistré.",
    minor=Giver.REPRESENTATIVE,
    adult=Giver.YOUNG_PERSON,
)

BOTH_AGREED = Agreement(
    article="A-4.4",
    recipient_article="A-4.1",
    sentence="L'accord de l'élève et de son représentant légal n'est pas enregistré.",
    minor=Giver.BOTH,
    adult=Giver.YOUNG_PERSON,
)
"""Of pupil and representative: both sign the contract that follows, and R511-13 asks for both."""

CHARTER = Recorded(
    article="A-5.2",
    name="charter",
    side=Side.SENDER,
    sentence="L'agent n'a pas accepté la charte de confidentialité en vigueur.",
)

ENROLLED = Recorded(
    article="A-1.2",
    name="enrolled",
    sentence="L'élève ne fréquente pas l'établissement qui envoie le message.",
)

OPEN_CASE = Recorded(
    article="A-1.3",
    name="open_case",
    sentence="Aucun accompagnement n'est ouvert pour cette situation.",
)

REFERENT = Recorded(
    article="A-2.5",
    name="referent",
    sentence="Aucun référent de parcours n'est désigné pour cette situation.",
)

BY_REFERENT = Recorded(
    article="A-2.5",
    name="by_referent",
    side=Side.SENDER,
    sentence="Seul le référent actuel écrit sur ce parcours.",
)

PATHWAY = Recorded(
    article="A-2.4",
    name="pathway",
    sentence="Aucun parcours n'est ouvert pour cette situation.",
)

FAMILY_INVITED = Limit(
    article="A-2.12",
    name="family_invited",
    at_least=1,
    at_most=1,
    sentence="La famille est toujours invitée à la rencontre.",
)

EXCLUSION_DAYS = Limit(
    article="A-3.1",
    name="exclusion_days",
    at_least=1,
    at_most=8,
    sentence="Une exclusion temporaire dure un jour au moins et huit au plus.",
)

MEASURE_DAYS = Limit(
    article="A-3.1",
    name="measure_days",
    at_least=1,
    at_most=8,
    sentence="La mesure dure un jour au moins et huit au plus.",
)

INSIDE_EXCLUSION = Limit(
    article="A-3.1",
    name="days_outside",
    at_most=0,
    sentence="La mesure sort des dates de l'exclusion.",
)

AWAITING = Recorded(
    article="A-3.3",
    name="awaiting",
    sentence="La demande d'alternative n'attend pas, ou plus, de réponse.",
)

ACCEPTED = Recorded(
    article="A-3.5",
    name="accepted",
    sentence="La Ville n'a pas accepté d'accueillir l'élève : il n'y a pas de contrat à signer.",
)

SIGNED_BEFORE = Limit(
    article="A-3.6",
    name="late_signatures",
    at_most=0,
    sentence="Une signature ne précède pas le premier jour de la mesure.",
)

OWN_SIGNATURES = Limit(
    article="A-3.6",
    name="signatures_of_others",
    at_most=0,
    sentence="Une signature est déclarée par un organisme qui n'a pas pu la recueillir.",
)

SIGNED = Signatures(
    article="A-3.6",
    roles=SIGNATORIES,
    sentence="Le contrat d'engagement n'a pas ses quatre signatures.",
)

RUNNING = Recorded(
    article="A-3.5",
    name="running",
    sentence="Aucune mesure n'est en cours à cette date.",
)

HOST = Recorded(
    article="A-6.2",
    name="host",
    side=Side.SENDER,
    sentence="La structure d'accueil n'a pas de convention avec la Ville à ces dates.",
)

HOST_AGREED = Recorded(
    article="A-6.1",
    name="host_agreed",
    side=Side.SENDER,
    sentence="L'accord ne nomme pas la structure ou l'association qui accueille l'élève.",
)

TUTOR = Recorded(
    article="A-3.10",
    name="tutor",
    sentence="Aucun tuteur de mission n'est désigné dans la structure d'accueil.",
)

ENDABLE = Recorded(
    article="A-3.14",
    name="endable",
    sentence="Aucune mesure signée n'est à terminer.",
)

BY_HEAD = Recorded(
    article="A-3.14",
    name="by_head",
    side=Side.SENDER,
    sentence="Seul le chef d'établissement met fin à la mesure.",
)

NO_INTERRUPTION = Limit(
    article="A-3.14",
    name="interruptions",
    at_most=0,
    sentence="La Ville ne met pas fin à la mesure : seul le chef d'établissement le peut.",
)

DESIGNATED = Recorded(
    article="R131-10-1",
    name="designated",
    side=Side.RECEIVER,
    sentence="Aucun agent n'est individuellement désigné par le maire pour recevoir cet avis.",
)

TOLD = NoticeGiven(
    article="RGPD 13",
    sentence="La personne responsable de l'enfant n'a pas été informée de l'avis au maire.",
)

SUPPORT: tuple[Check, ...] = (OPEN_CASE, INFORMED, AGREED, CHARTER)
MEASURE: tuple[Check, ...] = (OPEN_CASE, INFORMED, BOTH_AGREED, CHARTER)
