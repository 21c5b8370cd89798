"""Who may tell whom what under one text: each message with its article, and what refuses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.gate import instrument_checks
from contracts.kernel.binding import Binding
from contracts.kernel.checks import Agreement, Check, Giver, Side
from contracts.kernel.instrument import Convention, Flow, Instrument, LegalBasis, Retention, Urgency
from services.chassis.core import Core
from services.chassis.pages.wording import counted, org_name

_GIVERS: Final = {
    Giver.REPRESENTATIVE: "le représentant légal",
    Giver.YOUNG_PERSON: "la personne elle-même",
    Giver.BOTH: "le jeune et son représentant légal",
}
_WITHOUT: Final = {
    LegalBasis.LEGAL_OBLIGATION: "aucun : la loi l'impose",
    LegalBasis.PUBLIC_TASK: "aucun de plus",
    LegalBasis.NO_PERSONAL_DATA: "aucun : il ne parle de personne",
}
_EVENTS: Final = {
    "campaign_ended": "la fin de l'opération",
    "candidacy_decided": "la réponse à la candidature",
    "case_closed": "la fin du suivi",
    "communication_published": "la parution",
    "contact_answered": "la réponse au premier contact",
    "contract_ended": "la fin du contrat",
    "convention_ended": "la fin de la convention",
    "cosupport_closed": "la fin du co-accompagnement",
    "eligibility_answered": "la réponse sur l'éligibilité",
    "immersion_ended": "la fin de l'immersion",
    "interview_held": "l'entretien",
    "measure_ended": "la fin de la mesure",
    "meeting": "la réunion",
    "offer_closed": "la clôture de l'offre",
    "offer_ended": "la fin de l'offre",
    "opportunity_closed": "la clôture de l'occasion",
    "orientation_answered": "la réponse à l'orientation",
    "pathway_closed": "la fin du parcours",
    "project_ended": "la fin du projet",
    "referent_replaced": "le changement de référent",
    "school_year_ended": "la fin de l'année scolaire",
    "school_year_of_age_16": "l'année scolaire de ses seize ans",
    "table_replaced": "le tableau suivant",
    "trades_replaced": "la liste suivante",
    "training_obligation_ended": "la fin de l'obligation de formation",
    "volunteer_answered": "la réponse au volontaire",
    "youth_contract_answered": "la réponse sur le contrat",
}
"""What ends the time for which a message is kept."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message that may pass. refusals: article and sentence of each check."""

    label: str
    type: str
    article: str
    purpose: str
    purpose_article: str
    agreement: str
    agreement_article: str
    kept: str
    kept_article: str
    urgent: bool
    refusals: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Direction:
    """What one organisation may tell another. ours: that is us."""

    sender: str
    receiver: str
    ours: bool
    messages: Sequence[Told]


def directions(core: Core, binding: Binding) -> list[Direction]:
    """All that may pass under one text, ours first."""
    text = binding.instrument
    pairs = dict.fromkeys((flow.sender, flow.receiver) for flow in text.flows)
    found = []
    for sender, receiver in pairs:
        ends = binding.org_of(sender), binding.org_of(receiver)
        flows = [one for one in text.flows if (one.sender, one.receiver) == (sender, receiver)]
        names = [
            kind.label if org is None else org_name(core, org)
            for kind, org in zip((sender, receiver), ends, strict=True)
        ]
        told = [_told(text, flow) for flow in flows]
        found.append(Direction(names[0], names[1], core.org == ends[0], told))
    return sorted(found, key=lambda one: not one.ours)


def _told(text: Instrument, flow: Flow) -> Told:
    agreed = next((one for one in flow.checks if isinstance(one, Agreement)), None)
    purpose, purpose_article = _purpose(text, flow)
    return Told(
        label=flow.label,
        type=flow.type,
        article=flow.article,
        purpose=purpose,
        purpose_article=purpose_article,
        agreement=_WITHOUT[flow.legal_basis] if agreed is None else _givers(agreed),
        agreement_article="" if agreed is None else agreed.article,
        kept=kept(flow.retention),
        kept_article=flow.retention.article,
        urgent=flow.urgency is Urgency.WITHOUT_DELAY,
        refusals=list(_refusals((*instrument_checks(text, flow), *flow.checks))),
    )


def _purpose(text: Instrument, flow: Flow) -> tuple[str, str]:
    """What the message serves, in the words of the obligation that sets it, and its article."""
    if not isinstance(text, Convention):
        return text.title, text.article
    article = text.purposes[flow.purpose]
    asks = (one.asks for one in text.obligations if one.id == article)
    return next(asks, text.title), article


def _givers(agreed: Agreement) -> str:
    minor, adult = _GIVERS[agreed.minor], _GIVERS[agreed.adult]
    return minor if minor == adult else f"{minor} avant 18 ans, {adult} ensuite"


def kept(rule: Retention) -> str:
    """How long the receiver keeps it, in words."""
    event = _EVENTS.get(rule.event, rule.event)
    if rule.transient:
        return f"jamais écrit : montré jusqu'à {event}"
    lengths = ((rule.months, "mois", "mois"), (rule.days, "jour", ""), (rule.hours, "heure", ""))
    for number, noun, plural in lengths:
        if number:
            return f"{counted(number, noun, plural)} après {event}"
    return f"jusqu'à {event}"


def _refusals(asked: Sequence[Check]) -> Iterator[tuple[str, str]]:
    only = {Side.SENDER: " (à l'envoi)", Side.RECEIVER: " (à l'arrivée)", Side.BOTH: ""}
    seen: set[tuple[str, str]] = set()
    for check in asked:
        one = check.article, f"{check.sentence.rstrip('.')}{only[check.side]}"
        if one not in seen:
            seen.add(one)
            yield one
