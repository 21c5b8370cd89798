"""Who may tell whom what under one text: each message with its article, and what refuses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contracts.gate import instrument_checks
from contracts.kernel.binding import Binding
from contracts.kernel.checks import Agreement, Check, Giver, Side
from contracts.kernel.instrument import Convention, Flow, Instrument, LegalBasis, Urgency
from contracts.registry import Registry
from services.chassis.core import Core
from services.chassis.pages.content import name_of
from services.chassis.words import kept

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
            kind.label if org is None else name_of(core, org)
            for kind, org in zip((sender, receiver), ends, strict=True)
        ]
        told = [_told(core.registry, text, flow) for flow in flows]
        found.append(Direction(names[0], names[1], core.org == ends[0], told))
    return sorted(found, key=lambda one: not one.ours)


def _told(registry: Registry, text: Instrument, flow: Flow) -> Told:
    agreed = next((one for one in flow.checks if isinstance(one, Agreement)), None)
    article = text.purposes[flow.purpose] if isinstance(text, Convention) else text.article
    return Told(
        label=flow.label,
        type=flow.type,
        article=flow.article,
        purpose=registry.word(text.code, flow.purpose),
        purpose_article=article,
        agreement=_WITHOUT[flow.legal_basis] if agreed is None else _givers(agreed),
        agreement_article="" if agreed is None else agreed.article,
        kept=kept(registry, text.code, flow.retention),
        kept_article=flow.retention.article,
        urgent=flow.urgency is Urgency.WITHOUT_DELAY,
        refusals=list(_refusals((*instrument_checks(text, flow), *flow.checks))),
    )


def _givers(agreed: Agreement) -> str:
    minor, adult = _GIVERS[agreed.minor], _GIVERS[agreed.adult]
    return minor if minor == adult else f"{minor} avant 18 ans, {adult} ensuite"


def _refusals(asked: Sequence[Check]) -> Iterator[tuple[str, str]]:
    only = {Side.SENDER: " (à l'envoi)", Side.RECEIVER: " (à l'arrivée)", Side.BOTH: ""}
    seen: set[tuple[str, str]] = set()
    for check in asked:
        one = check.article, f"{check.sentence.rstrip('.')}{only[check.side]}"
        if one not in seen:
            seen.add(one)
            yield one
