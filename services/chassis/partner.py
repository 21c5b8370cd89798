"""What a kind of organisation adds to the chassis, and what it is told when it is asked.

The chassis knows no convention: for each instrument a partner gives it one side, with handlers for
messages, the facts that the checks ask for, acts that agents record beside messages, and kinds of
deadlines. Two instruments may use one type of message: each side hears of its own alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from fastapi import APIRouter
from sqlalchemy import MetaData, Table
from starlette.routing import BaseRoute

from contracts.kernel import checks
from contracts.kernel.envelope import Envelope
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.facts import AgreementFacts
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import DirectoryEntry, Kind
from contracts.kernel.signed import SignedConvention
from services.chassis.call import Call
from services.chassis.database import Tx
from services.chassis.deadlines import Clock
from services.chassis.tally import Indicator
from services.chassis.tokens import Role

if TYPE_CHECKING:
    from services.chassis.core import Core
    from services.chassis.node import Node


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


class Unfiled(Payload):
    """What a handler is given of a message of which nothing may be written here (C-5.1): nothing.

    That it came, and in which case, is all a handler of such a flow can record.
    """


SentHandler = Callable[[Tx, "Core", Sent], None]
ReceivedHandler = Callable[[Tx, "Core", Received], None]
AnsweredHandler = Callable[[Tx, "Core", str, str, datetime], None]
"""Told the message's id and its receipt's status."""
ReadHandler = Callable[[Tx, "Core", str, datetime], None]
Ended = Literal["withdrawn", "expired"]
"""How an agreement ended: somebody withdrew it, or its own day came."""
Stop = Ended | Literal["refused"]
"""Why an open case stopped: its agreement ended, or what opens it was refused opposite."""
Stopped = Callable[[Tx, "Core", str, Stop, datetime], None]
"""Told the case, why it stopped, and since when."""
Knower = Callable[[Tx, "Core", "Question"], "Known"]
Eraser = Callable[[Tx, str], int]
Daily = Callable[[Tx, "Core", datetime], None]
Responsible = Callable[["Core", str, datetime], str | None]
MayRead = Callable[[Tx, str, str, str, datetime], bool]
Viewer = Callable[[Tx, "Core", str], Mapping[str, Any]]
Chooser = Callable[[Tx, "Core", str | None, datetime], Sequence[tuple[str, str]]]
"""Told the case where there is one; codes among which to choose, each with its words."""
Matter = Callable[[Tx, str], str]
NotOurs = Callable[[Tx, str], frozenset[str]]
ANEW: Final = "anew"
"""Code of the choice of something new, to which the page gives a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """An act that an agent records about a case, beside any message."""

    case_id: str
    content: Payload
    agent_id: str
    role: str
    at: datetime


WHILE_OPEN: Final = frozenset({"open"})
"""States of a case in which what it is about still goes on."""
ONCE_OVER_TOO: Final = WHILE_OPEN | {"closed"}
"""The same, and after an end in good order."""
UNTIL_ERASED: Final = ONCE_OVER_TOO | {"stopped"}
"""As long as anything of it is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAct:
    """One kind of act. article: on which it rests. label: what agents read.

    payload: its content. do: records it; may raise Refused with articles, UnknownName.
    roles: who may; empty for every role that works on cases. states: of a case, in which it may be
    recorded; what says nothing of it ends with the case. purposes, matters: of the cases that it
    is about (see `Side.matter`); empty for every case of its text.
    """

    article: str
    label: str
    payload: type[Payload]
    do: Callable[[Tx, Core, Doing], None]
    roles: frozenset[str] = frozenset()
    states: frozenset[str] = WHILE_OPEN
    purposes: frozenset[str] = frozenset()
    matters: frozenset[str] = frozenset()

    def about(self, purpose: str) -> bool:
        """Whether it is about cases of this purpose."""
        return not self.purposes or purpose in self.purposes

    def goes_with(self, matter: str) -> bool:
        """Whether it is about cases of this matter; a case of no known matter may be any."""
        return not matter or not self.matters or matter in self.matters


def concerning(purpose: str, acts: Mapping[str, LocalAct], matter: str = "") -> dict[str, LocalAct]:
    """These acts, about cases of one purpose alone; of one matter of them, where it is named."""
    matters = frozenset({matter} if matter else ())
    return {
        name: replace(act, purposes=frozenset({purpose}), matters=matters)
        for name, act in acts.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What this node's gate is about to decide, asked of the partner for the facts it holds.

    side: ours. partner: the other organisation. person_id: of the case, or of the agreement.
    agent_id, agent_role: who sends; None at the receiver, which cannot know.
    """

    side: checks.Side
    type: str
    case_id: str | None
    payload: Payload
    partner: DirectoryEntry | None
    at: datetime
    person_id: str | None = None
    agreement: AgreementFacts | None = None
    agent_id: str | None = None
    agent_role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Facts that a partner holds, under the names that its conventions' checks ask for."""

    records: Mapping[str, datetime] = field(default_factory=dict)
    signatures: Mapping[str, datetime] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


def _nothing_known(_tx: Tx, _core: Core, _question: Question) -> Known:
    return Known()


def _nothing_daily(_tx: Tx, _core: Core, _at: datetime) -> None:
    """No clock beside those of the chassis."""


def _nothing_stopped(_tx: Tx, _core: Core, _case_id: str, _why: Stop, _at: datetime) -> None:
    """No state of its own to stop."""


def _nobody_answers(_core: Core, _purpose: str, _at: datetime) -> str | None:
    return None


def _everybody(_tx: Tx, _case_id: str, _agent_id: str, _role: str, _at: datetime) -> bool:
    return True


def _any_matter(_tx: Tx, _case_id: str) -> str:
    return ""


def _all_ours(_tx: Tx, _case_id: str) -> frozenset[str]:
    return frozenset()


def _nothing_to_erase(_tx: Tx, _case_id: str) -> int:
    return 0


def _nothing_to_show(_tx: Tx, _core: Core, _case_id: str) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """That a convention is known to an agent before anything under it opens to them.

    article: which asks it. path: of the call by which an agent says so, with a ``convention_id``
    and a ``version``. known: whether an agent knows the version that holds at an instant.
    """

    article: str
    path: str
    known: Callable[[Tx, SignedConvention, str, datetime], bool]


def _only_the_dpo(_tx: Tx, _case_id: str, _agent_id: str, role: str, _at: datetime) -> bool:
    return role == Role.DPO.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a kind of organisation does as a party to one instrument, a convention or a duty.

    sent, received: handlers by type of message; without one, nothing is kept of it. facts: what
    only the partner knows of a message, at both gates. acts: what agents record about a case beside
    messages. matter: what a case is about, as the word before the dot of its messages' types, where
    its text opens several kinds of case for one purpose; empty else. not_ours: types of message and
    names of acts that are not this side's in a case as it stands, though they are of its matter; no
    page offers them here. answered: told of each receipt of a type it sent; read: when somebody
    here reads one that came; stopped: when an open case stops before its end. clocks: kinds of
    deadlines, of which no two sides have one of the same name; daily: sets what the calendar makes
    due. responsible: who answers for a young person at an instant, for a purpose. may_read: whether
    an agent, in a role that opens cases, has access to this one; access_article: on which one who
    has not is refused. acquaintance: of agents with the text, where it asks that. tables: what it
    records in, so that a refused message can be taken back. erase: destroys what else there is of a
    case, beside the rows that go with it (see `fates`), and says how many. view: what is held about
    a case, for one's own agents; labels: what they read for the names in it. choices: by type of
    message or name of act, and field, what they choose among where it takes a number. indicators:
    what the review counts. routes: what the node answers beside the chassis' own, and calls: how
    its API document describes that. pages: what it shows in a browser beside the chassis' own;
    linked: of those under a convention's page, by the end of their address, what the link says.
    """

    sent: Mapping[str, SentHandler] = field(default_factory=dict)
    received: Mapping[str, ReceivedHandler] = field(default_factory=dict)
    facts: Knower = _nothing_known
    read: Mapping[str, ReadHandler] = field(default_factory=dict)
    stopped: Stopped = _nothing_stopped
    answered: Mapping[str, AnsweredHandler] = field(default_factory=dict)
    acts: Mapping[str, LocalAct] = field(default_factory=dict)
    matter: Matter = _any_matter
    not_ours: NotOurs = _all_ours
    clocks: Mapping[str, Clock] = field(default_factory=dict)
    daily: Daily = _nothing_daily
    responsible: Responsible = _nobody_answers
    may_read: MayRead = _everybody
    access_article: str = ""
    acquaintance: Acquaintance | None = None
    tables: tuple[MetaData, ...] = ()
    erase: Eraser = _nothing_to_erase
    view: Viewer = _nothing_to_show
    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[tuple[str, str], Chooser] = field(default_factory=dict)
    indicators: tuple[Indicator, ...] = ()
    routes: Callable[[Node], APIRouter] | None = None
    calls: Mapping[tuple[str, str], Call] = field(default_factory=dict)
    pages: Callable[[Node], Sequence[BaseRoute]] | None = None
    linked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise InvalidDocument where a side would refuse access without its article."""
        if self.may_read is not _everybody and not self.access_article:
            raise InvalidDocument("A side that refuses access says on which article.")


_NONE: Final = Side()
"""Of an instrument to which a partner adds nothing: its messages pass the gate, and no more."""

UNKNOWN: Final = Side(may_read=_only_the_dpo, access_article="RGPD 32")
"""Of an instrument that nothing here knows any more: nobody works on its cases."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Partner:
    """What a kind of organisation adds to the chassis: a side for each instrument, by its code.

    Raises InvalidDocument where two sides claim one kind of deadline, or one call, for themselves.
    """

    kind: Kind
    sides: Mapping[str, Side] = field(default_factory=dict)
    clocks: Mapping[str, Clock] = field(init=False)
    tables: Mapping[str, Table] = field(init=False)
    calls: Mapping[tuple[str, str], Call] = field(init=False)

    def __post_init__(self) -> None:
        """Join what the sides declare under names of the whole node."""
        sides = self.sides.values()
        object.__setattr__(self, "clocks", joined("deadline", *(one.clocks for one in sides)))
        object.__setattr__(self, "calls", joined("call", *(one.calls for one in sides)))
        kept = (metadata.tables for one in sides for metadata in one.tables)
        object.__setattr__(self, "tables", joined("table", *kept))

    def side(self, code: str) -> Side:
        """The side of an instrument; one that adds nothing where the partner has none."""
        return self.sides.get(code, _NONE)

    def daily(self, tx: Tx, core: Core, at: datetime) -> None:
        """Once a day: what each instrument lets the calendar do."""
        for side in self.sides.values():
            side.daily(tx, core, at)

    def erase(self, tx: Tx, case_id: str) -> int:
        """Destroy what no row tied to a case says, and say how many.

        Its id names one case alone: each side is asked, so that nothing stays where its instrument
        is known here no more.
        """
        return sum(side.erase(tx, case_id) for side in self.sides.values())


def joined(what: str, *declared: Mapping[K, V]) -> dict[K, V]:
    """What several declare by name, together; raises InvalidDocument where two differ on one."""
    found: dict[K, V] = {}
    for one in declared:
        for name, value in one.items():
            if found.setdefault(name, value) is not value:
                raise InvalidDocument(f"Two instruments declare the {what} {name}.")
    return found
