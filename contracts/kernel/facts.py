"""What the gate is told: ids, versions, dates and the outcome of bounds; never a birth date.

A fact vector is kept with each decision, so that the decision can be replayed word for word
(design: replay). Anything that is not known stays None or absent, and refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final

from pydantic import TypeAdapter

from contracts.kernel.checks import Giver, Side
from contracts.kernel.derogation import DerogationFacts
from contracts.kernel.organisation import Kind


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """State of the convention, or of the legal duty, that carries the message.

    opens_at, closes_at: half-open interval of the term (None: never signed / end unknown, which
    only a law in force without a repeal date survives).
    notice_ends_at: when a termination notice runs out; notice_at: when it was received.
    """

    id: str
    parties: frozenset[str]
    evidence: bool
    version_here: int | None
    version_there: int | None
    opens_at: datetime | None
    closes_at: datetime | None
    notice_at: datetime | None = None
    notice_ends_at: datetime | None = None
    suspended: bool = False


NOWHERE: Final = InstrumentFacts(
    id="",
    parties=frozenset(),
    evidence=False,
    version_here=None,
    version_there=None,
    opens_at=None,
    closes_at=None,
)
"""What binds nobody and never did: under it no message passes, whatever else is asked."""


@dataclass(frozen=True, slots=True)
class AgreementFacts:
    """One agreement as the gate needs it; `reference` is random and says nothing of a person.

    associated: codes of the bodies that it names beside the recipients. suspended_at: since when an
    objection waits for its answer.
    """

    reference: str
    giver: Giver
    flows: frozenset[str]
    recipients: frozenset[str]
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None
    suspended_at: datetime | None = None
    associated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """All a decision rests on.

    bounds: names of the age brackets that hold on the legal day (`checks.age_bound`).
    assent: ``yes``, ``no`` or ``not_asked``; None when nothing is known.
    opens_case: the message opens a case. records: instants at which facts were recorded.
    derogation: the decision to act without agreement that the message names, if it names one.
    """

    side: Side
    flow: str
    sender: str
    receiver: str
    sender_kind: str | None
    receiver_kind: str | None
    purpose: str | None = None
    opens_case: bool = False
    instrument: InstrumentFacts | None = None
    bounds: frozenset[str] = frozenset()
    agreement: AgreementFacts | None = None
    assent: str | None = None
    notice_at: datetime | None = None
    signatures: Mapping[str, datetime] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    records: Mapping[str, datetime] = field(default_factory=dict)
    derogation: DerogationFacts | None = None

    @property
    def ends(self) -> tuple[Kind | None, Kind | None]:
        """Kinds of sender and receiver; None where one was not known."""
        sender, receiver = self.sender_kind, self.receiver_kind
        return (
            None if sender is None else Kind(sender),
            None if receiver is None else Kind(receiver),
        )


@cache
def _adapter() -> TypeAdapter[Facts]:
    return TypeAdapter(Facts)


def to_json(facts: Facts) -> bytes:
    """Facts as JSON, for the journal."""
    return _adapter().dump_json(facts)


def from_json(content: bytes) -> Facts:
    """Facts as they were, for a replay."""
    return _adapter().validate_json(content)
