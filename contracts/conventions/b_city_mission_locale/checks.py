"""What convention B asks of a message: kinds of check with their article and their refusal.

The text asks for confidentiality and strict necessity (B-3.1) and names no agreement; the rule read
into it is the young person's own, with a representative who is informed and does not decide. Facts
under these names come from the nodes (`Recorded`) or from the content itself (`Limit`).
"""

from __future__ import annotations

from dataclasses import replace

from contracts.kernel.checks import (
    Age,
    Agreement,
    Assent,
    Check,
    Giver,
    Limit,
    NoticeGiven,
    Recorded,
    Side,
)

AGE = Age(
    article="B-1.2",
    at_least=16,
    below=26,
    sentence="La convention vaut de 16 ans à la veille des 26 ans ; vérifiez la date de naissance.",
)

INFORMED = NoticeGiven(
    article="RGPD 13",
    sentence="Le jeune n'a pas été informé avant l'envoi : remettez-lui la notice et datez-la.",
)

REPRESENTATIVE_INFORMED = Recorded(
    article="RGPD 13",
    name="representative_informed",
    side=Side.SENDER,
    sentence="Le représentant légal d'un jeune de 16 ou 17 ans n'a pas été informé : informez-le ; "
    "son accord n'est pas demandé.",
)
"""Of a minor, whoever opens the case knows it; of an adult nobody need be told, and it holds."""

AGREED = Agreement(
    article="B-3.1",
    recipient_article="B-3.1",
    sentence="L'accord du jeune n'est pas enregistré : demandez-le-lui, et datez-le.",
    minor=Giver.YOUNG_PERSON,
    adult=Giver.YOUNG_PERSON,
)

ASSENT = Assent(
    article="B-3.1",
    asked_from=15,
    sentence="Le jeune a dit non, ou n'a pas été entendu : sans son propre oui, rien ne part.",
)

CHARTER = Recorded(
    article="B-3.1",
    name="charter",
    side=Side.SENDER,
    sentence="L'agent n'a pas accepté la charte de confidentialité : qu'il l'accepte d'abord.",
)

OPEN_CASE = Recorded(
    article="B-3.1",
    name="open_case",
    sentence="Aucun dossier n'est ouvert pour ce jeune avec cet organisme : ouvrez-le d'abord.",
)

AWAITING = Recorded(
    article="B-2.10",
    name="awaiting",
    sentence="Cette orientation n'attend pas de réponse de votre part : elle en a une, ou elle "
    "vient de vous.",
)

COSUPPORT = Recorded(
    article="B-2.11",
    name="cosupport",
    sentence="Aucun co-accompagnement n'est ouvert : l'un des deux organismes doit l'ouvrir.",
)

REFERENTS = Recorded(
    article="B-2.13",
    name="referents",
    sentence="Il manque un référent de la Ville ou de la Mission Locale : que chacun nomme le "
    "sien avant tout suivi.",
)

BY_REFERENT = Recorded(
    article="B-2.13",
    name="by_referent",
    side=Side.SENDER,
    sentence="Seul le référent actuel écrit sur ce co-accompagnement : passez par lui, ou "
    "changez de référent.",
)

PSAD_CHARTER = Recorded(
    article="B-2.1",
    name="psad_charter",
    sentence="La signature de la charte PSAD par la Ville n'est pas enregistrée : enregistrez sa "
    "date et sa preuve.",
)

OFFERED_AGES = Limit(
    article="B-2.2",
    name="ages_outside",
    at_most=0,
    sentence="Une offre à la PSAD s'adresse aux jeunes de 16 et 17 ans : corrigez les âges.",
)

# --- immersion: the law's own limits, and who may say what

ONE_MONTH = Limit(
    article="D5135-3",
    name="days_beyond_month",
    at_most=0,
    sentence="Une immersion dure un mois au plus, de date à date : raccourcissez-la.",
)

ONE_RENEWAL = Limit(
    article="D5135-3",
    name="renewals",
    at_most=1,
    side=Side.SENDER,
    sentence="Une immersion se renouvelle une seule fois : changez d'objet ou d'hôte.",
)

RENEWAL_NAMED = Limit(
    article="D5135-3",
    name="misnamed_renewals",
    at_most=0,
    side=Side.SENDER,
    sentence="Une immersion est un renouvellement si une autre a le même objet chez cet hôte, et "
    "dans ce cas seul : corrigez.",
)

TWO_AT_HOST = Limit(
    article="D5135-3",
    name="host_agreements",
    at_least=1,
    at_most=2,
    side=Side.SENDER,
    sentence="Un hôte conclut deux immersions au plus sur douze mois avec un jeune : attendez, ou "
    "changez d'hôte.",
)

DAYS_AT_HOST = Limit(
    article="D5135-3",
    name="host_days",
    at_most=60,
    side=Side.SENDER,
    sentence="Un même hôte accueille un jeune 60 jours au plus sur douze mois : raccourcissez.",
)

OFFER = Limit(
    article="B-2.9",
    name="misplaced_offers",
    at_most=0,
    sentence="Le numéro d'offre accompagne un recrutement, et lui seul : ajoutez-le ou ôtez-le.",
)

AWAITED_STEP = Recorded(
    article="B-2.9",
    name="awaited_step",
    sentence="Cette étape ne suit pas où en est l'immersion : regardez sa dernière situation.",
)

HOST_ACCEPTED = Recorded(
    article="B-3.1",
    name="host_accepted",
    sentence="L'hôte n'a pas accepté, ou l'immersion est déjà confirmée : le jeune n'est nommé "
    "qu'une fois, à un hôte qui a accepté.",
)

REPRESENTATIVE_SIGNED = Recorded(
    article="D5135-2",
    name="representative_signed",
    sentence="Le représentant légal d'un mineur n'a pas signé la convention d'immersion : "
    "recueillez sa signature.",
)
"""Of an adult nobody else signs, and it holds."""

HOST_SPEAKS = Limit(
    article="B-2.9",
    name="host_steps",
    at_most=0,
    sentence="Seul l'hôte accepte, refuse ou termine l'immersion ; confirmez qui vient.",
)

HOST_NAMES_NOBODY = Limit(
    article="B-2.9",
    name="confirmations",
    at_most=0,
    sentence="Seule la Mission Locale confirme qui vient.",
)

PERSON: tuple[Check, ...] = (AGE, INFORMED, AGREED, ASSENT)
"""Asked of whoever is concerned, on the day, at both gates."""

OPENING: tuple[Check, ...] = (*PERSON, REPRESENTATIVE_INFORMED, CHARTER)
SUPPORT: tuple[Check, ...] = (OPEN_CASE, *PERSON, CHARTER)
COSUPPORTED: tuple[Check, ...] = (*SUPPORT, COSUPPORT)


def on(side: Side, *asked: Check) -> tuple[Check, ...]:
    """The same checks on one side only: where one gate alone knows who is concerned.

    In an immersion the host is told nobody's name until it accepts, so that the Mission Locale's
    gate answers for the person, whichever way a message goes (B-3.1).
    """
    return tuple(replace(check, side=side) for check in asked)
