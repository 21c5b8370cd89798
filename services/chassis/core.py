"""What the parts of a node are given: plain collaborators, put together by the composition root.

Nothing here is global; a test builds one with what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, cast

from fastapi import APIRouter

from contracts.gate import Rules, compile_flow
from contracts.kernel.checks import Side
from contracts.kernel.envelope import Envelope
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Flow, Instrument
from contracts.kernel.organisation import DirectoryEntry, Kind
from contracts.kernel.signed import SignedConvention
from contracts.registry import Registry
from services.chassis.database import Tx
from services.chassis.directory import Directory
from services.chassis.journal import Journal
from services.chassis.keys import NodeKeys
from services.chassis.keystore import KeyStore
from services.chassis.letters import Ready

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """What an organisation may set; the law's own limits are not here.

    proof_days: how long journal lines and receipts keep their ids. dead_letter_days: how long the
    ciphertext of a technical failure is kept. charter: version every agent must have accepted.
    ahead: a letter from further in the future than this is held back, not refused.
    republish: a delivered letter without receipt is sent again after this, before the letterbox's
    backstop would drop it.
    """

    charter: str = "1"
    proof_days: int = 3 * 365
    dead_letter_days: int = 30
    dead_letter_quota: int = 1000
    ahead: timedelta = timedelta(minutes=2)
    republish: timedelta = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that has just been put in the outbox, for the sender's own records."""

    message_id: str
    type: str
    case_id: str | None
    person_id: str | None
    receiver: str
    agent_id: str
    payload: Payload
    at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A message that the gate let in, for the receiver's own records."""

    envelope: Envelope
    sender: DirectoryEntry
    payload: Payload
    person_id: str | None
    at: datetime


SentHandler = Callable[[Tx, "Core", Sent], None]
ReceivedHandler = Callable[[Tx, "Core", Received], None]
Witness = Callable[[Payload, DirectoryEntry, datetime], Mapping[str, datetime]]
Eraser = Callable[[Tx, str], int]
Viewer = Callable[[Tx, "Core", str], Mapping[str, Any]]


def _nothing_recorded(
    _payload: Payload, _sender: DirectoryEntry, _at: datetime
) -> Mapping[str, datetime]:
    return {}


def _nothing_to_erase(_tx: Tx, _case_id: str) -> int:
    return 0


def _nothing_to_show(_tx: Tx, _core: Core, _case_id: str) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Partner:
    """What a kind of organisation adds to the chassis.

    witness: facts that the content of a received message itself records (gate check `Recorded`).
    erase: destroys the partner's rows of a case and says how many. view: what the partner holds
    about a case, for its own agents.
    """

    kind: Kind
    sent: Mapping[str, SentHandler] = field(default_factory=dict)
    received: Mapping[str, ReceivedHandler] = field(default_factory=dict)
    witness: Witness = _nothing_recorded
    erase: Eraser = _nothing_to_erase
    view: Viewer = _nothing_to_show
    router: APIRouter | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A letter that a receipt has just answered, the state that leaves it in, and its trace."""

    message_id: str
    type: str
    state: str
    traceparent: str | None


def _nobody_waits(_answered: Iterable[Answered]) -> None:
    """Without a relay nobody waits for a receipt."""


def _left_in_the_outbox(_letter: Ready) -> None:
    """Without a relay a letter waits where it is."""


class Core:
    """The collaborators of one node."""

    def __init__(
        self,
        *,
        org: str,
        partner: Partner,
        registry: Registry,
        directory: Callable[[], Directory],
        keys: NodeKeys,
        keystore: KeyStore,
        journal: Journal,
        new_id: Callable[[], str],
        policy: Policy | None = None,
        outgoing: Callable[[Ready], None] = _left_in_the_outbox,
        settled: Callable[[Iterable[Answered]], None] = _nobody_waits,
    ) -> None:
        self.org = org
        self.partner = partner
        self.registry = registry
        self.keys = keys
        self.keystore = keystore
        self.journal = journal
        self.new_id = new_id
        self.policy = policy or Policy()
        self.outgoing = outgoing
        self.settled = settled
        self.synced_at: datetime | None = None
        """Instant as of which the directory is known; None where nobody follows a registrar."""
        self.withdrawn: dict[str, datetime] = {}
        """References withdrawn since the start: letters in the relay's hands must not leave."""
        self.erased: set[str] = set()
        """Cases erased since the start: their letters must not leave either."""
        self.charters: dict[tuple[str, str], datetime] = {}
        """Charters known to be accepted, by agent and version: nobody takes that back."""
        self._directory = directory
        self._rules: dict[tuple[str, str, Side], Rules] = {}
        self._found: tuple[Directory | None, dict[Hashable, Any]] = (None, {})

    @property
    def directory(self) -> Directory:
        """The verified directory as it stands now."""
        return self._directory()

    def between(self, partner: str) -> tuple[SignedConvention, ...]:
        """Conventions with a partner."""
        return self.once(("between", partner), lambda known: known.between(self.org, partner))

    def once(self, name: Hashable, find: Callable[[Directory], T]) -> T:
        """What is found in the directory, found once for each state of it."""
        directory = self._directory()
        if self._found[0] is not directory:
            self._found = (directory, {})
        known = self._found[1]
        if name not in known:
            known[name] = find(directory)
        return cast("T", known[name])

    @property
    def kind(self) -> Kind:
        """Kind of this organisation."""
        return self.partner.kind

    def rules(self, instrument: Instrument, flow: Flow, side: Side) -> Rules:
        """The flow compiled for one side, once."""
        key = (instrument.rules_version, flow.type, side)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = compile_flow(instrument, flow, side)
        return found

    @cached_property
    def flows(self) -> Mapping[str, tuple[Instrument, Flow]]:
        """Every message type this installation knows: its flow, ours to send if one is."""
        found: dict[str, tuple[Instrument, Flow]] = {}
        for instrument, flow in self.registry.flows():
            known = found.get(flow.type)
            if known is None or (flow.sender is self.kind and known[1].sender is not self.kind):
                found[flow.type] = instrument, flow
        return found
