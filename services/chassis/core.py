"""What the parts of a node are given: plain collaborators, put together by the composition root.

Nothing here is global; a test builds one with what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar, cast

from contracts.gate import Rules, compile_flow
from contracts.kernel import checks
from contracts.kernel.binding import Binding, duty_between
from contracts.kernel.instrument import Flow, Instrument
from contracts.kernel.organisation import Kind
from contracts.kernel.signed import SignedConvention
from contracts.registry import Registry
from services.chassis import agreement_clocks, derogation_clocks, governance, rights_clocks
from services.chassis.deadlines import Clock
from services.chassis.directory import Directory
from services.chassis.journal import Journal
from services.chassis.keys import NodeKeys
from services.chassis.keystore import KeyStore
from services.chassis.letters import Ready
from services.chassis.memory import Memory
from services.chassis.partner import UNKNOWN, Partner, Side, joined

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
        self.clocks: Mapping[str, Clock] = joined(
            "deadline",
            governance.CLOCKS,
            agreement_clocks.CLOCKS,
            derogation_clocks.CLOCKS,
            rights_clocks.CLOCKS,
            partner.clocks,
        )
        """Kinds of deadlines that this node knows."""
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
        self.memory = Memory()
        """What agents see of messages of which nothing is written here (C-5.1)."""
        self.charters: dict[tuple[str, str], datetime] = {}
        """Charters known to be accepted, by agent and version: nobody takes that back."""
        self._directory = directory
        self._rules: dict[tuple[str, str, checks.Side], Rules] = {}
        self._found: tuple[Directory | None, dict[Hashable, Any]] = (None, {})

    @property
    def directory(self) -> Directory:
        """The verified directory as it stands now."""
        return self._directory()

    def between(self, partner: str) -> tuple[SignedConvention, ...]:
        """Conventions with a partner."""
        return self.once(("between", partner), lambda known: known.between(self.org, partner))

    def bindings(self, partner: str) -> tuple[Binding, ...]:
        """What joins us to a partner: the conventions, and the duties of the law."""
        return self.once(("bindings", partner), partial(self._bindings, partner))

    def binding(self, partner: str, instrument: str) -> Binding | None:
        """What joins us to a partner under that name, if it still does."""
        return next((one for one in self.bindings(partner) if one.id == instrument), None)

    def _bindings(self, partner: str, known: Directory) -> tuple[Binding, ...]:
        signed = known.between(self.org, partner)
        ours, theirs = known.entry(self.org), known.entry(partner)
        if ours is None or theirs is None or all(one.opens_on is None for one in signed):
            return signed  # a duty needs keys that a signed convention pins
        duties = (duty_between(duty, ours, theirs) for duty in self.registry.duties.values())
        return (*signed, *(one for one in duties if one is not None))

    def once(self, name: Hashable, find: Callable[[Directory], T]) -> T:
        """What is found in the directory, found once for each state of it."""
        directory = self._directory()
        found = self._found
        if found[0] is not directory:
            found = self._found = (directory, {})
        known = found[1]  # of this very state, whatever another thread has read since
        if name not in known:
            known[name] = find(directory)
        return cast("T", known[name])

    def text(self, instrument: str) -> Instrument | None:
        """What binds us under that name; None where it is known here no more."""
        signed = self.directory.conventions.get(instrument)
        return self.registry.duties.get(instrument) if signed is None else signed.convention

    def side(self, instrument: str) -> Side:
        """What the partner adds for an instrument, by the name under which it binds us."""
        text = self.text(instrument)
        return UNKNOWN if text is None else self.partner.side(text.code)

    @property
    def kind(self) -> Kind:
        """Kind of this organisation."""
        return self.partner.kind

    def rules(self, instrument: Instrument, flow: Flow, side: checks.Side) -> Rules:
        """The flow compiled for one side, once."""
        key = (instrument.rules_version, flow.code, side)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = compile_flow(instrument, flow, side)
        return found

    @cached_property
    def flows(self) -> Mapping[str, Sequence[tuple[Instrument, Flow]]]:
        """Every message type this installation knows, with its flows of whatever instrument."""
        found: dict[str, list[tuple[Instrument, Flow]]] = {}
        for instrument, flow in self.registry.flows():
            found.setdefault(flow.type, []).append((instrument, flow))
        return found
