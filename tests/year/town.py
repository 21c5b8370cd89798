"""A town over a year: twelve schools and five offices, letters carried by hand, a clock we move."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from contracts.kernel.paris import add_months, birthday, day_of
from services.ccas.partner import PARTNER as CCAS
from services.chassis.agreements import withdraw
from services.chassis.bundle import Bundle
from services.chassis.erasure import erase_person
from services.chassis.partner import Partner
from services.city.partner import PARTNER as CITY
from services.department.partner import PARTNER as DEPARTMENT
from services.employment_agency.partner import PARTNER as AGENCY
from services.mission_locale.partner import PARTNER as MISSION
from services.school.partner import PARTNER as SCHOOL
from tests.pair import Pair, Side, TestClock, delivered

Counted = tuple[str, str, date, str, str]
"""Who counts, under what, in which month, which step and which code of it."""


class Over(Exception):
    """What somebody wanted to do next rests on an agreement or a text that has ended."""


class Lane(Pair):
    """Two of the town's nodes under one of its texts: letters go to whom they are for.

    What the text allows when is told here by the test itself, beside what the nodes know of it.
    """

    town: Town
    parties: tuple[Side, ...]
    opens_on: date
    ends_on: date

    @property
    def signatories(self) -> tuple[Side, ...]:
        return self.parties

    async def carry(self, rounds: int = 4) -> None:
        """Carry the letters of both until neither has any left to send."""
        await self.town.carry(self.sides, rounds)

    def publish(self, more: Bundle | None = None) -> None:
        """Let every node of the town read the documents."""
        self.town.publish(more or Bundle())

    @property
    def today(self) -> date:
        return day_of(self.clock.at)

    @property
    def shut(self) -> bool:
        """Whether nothing may flow today."""
        return not self.opens_on <= self.today < self.ends_on

    def lasts(self, born: date | None = None) -> date:
        """First day on which an agreement given today holds no more.

        born: of the young person where a representative gave it, for majority ends that.
        """
        ends = [add_months(self.today, 12), self.ends_on]
        return min(ends if born is None else [*ends, birthday(born, 18)])

    def still(self, until: date) -> None:
        """Raise Over where an agreement ended meanwhile."""
        if self.today >= until:
            raise Over

    # -- what was told, counted by whoever tells it

    def said(self, what: str, code: str, *sides: Side, instrument: str = "") -> None:
        """Count what was told; by both sides, unless one alone counts it."""
        self.said_on(self.today, what, code, *sides, instrument=instrument)

    def said_on(self, day: date, what: str, code: str, *sides: Side, instrument: str = "") -> None:
        """Count what was told of a day."""
        for side in sides or self.sides:
            one = side.org, instrument or self.signed_id, day.replace(day=1), what, code
            self.town.counted[one] += 1

    def opened(self, purpose: str, instrument: str = "") -> None:
        """Count a case that both sides hold from today on."""
        self.said("opened", purpose, instrument=instrument)

    async def withdrawn(self, side: Side, agreement_id: str) -> None:
        """Whoever gave an agreement takes it back; the case that rests on it is open."""
        core, at = side.node.core, self.clock.at
        side.write(lambda tx: withdraw(tx, core, agreement_id, None, at))
        await self.carry()

    async def erased(self, side: Side, person_id: str) -> None:
        """Somebody asks that all of it be destroyed, at both sides."""
        core, at = side.node.core, self.clock.at
        side.write(lambda tx: erase_person(tx, core, person_id, at))
        await self.carry()


@dataclass
class Town:
    """Every node, every text between them, and what the test itself counted.

    refused: messages that their receivers refuse, as they should, and the cases that these would
    have opened. designated: somebody at the department may be told of the training obligation.
    tonight: what is looked at between this day and the next.
    """

    clock: TestClock
    nodes: dict[str, Side]
    documents: Bundle = field(default_factory=Bundle)
    lanes: dict[str, Lane] = field(default_factory=dict)
    counted: Counter[Counted] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    designated: bool = False
    tonight: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    @property
    def sides(self) -> tuple[Side, ...]:
        return tuple(self.nodes.values())

    @property
    def schools(self) -> list[Lane]:
        """Of each school, what joins it to the city."""
        return [lane for name, lane in self.lanes.items() if name.startswith("a-")]

    def publish(self, more: Bundle) -> None:
        self.documents = self.documents.then(more)
        for side in self.sides:
            side.node.keeper.absorb(self.documents)

    async def carry(self, sides: Sequence[Side], rounds: int = 4) -> None:
        """Carry what some nodes send until they have nothing left."""
        for _ in range(rounds):
            moved = False
            for side in sides:
                waiting = side.waiting()
                for org in sorted({one.receiver for one in waiting}):
                    lot = [[one] for one in waiting if one.receiver == org]
                    await self.nodes[org].take(side.packed(lot))
                    moved = True
                if waiting:
                    side.write(delivered([one.message_id for one in waiting]))
            if not moved:
                return

    async def at(self, instant: datetime) -> None:
        """Go to an instant: every node looks at what has passed."""
        self.clock.at = instant
        await asyncio.gather(*(side.node.scheduler.look() for side in self.sides))
        await self.carry(self.sides)

    async def purge(self) -> None:
        """Destroy what is due everywhere, and tell partners."""
        await asyncio.gather(*(side.node.purge(self.clock.at) for side in self.sides))
        await self.carry(self.sides)

    def lane(self, name: str, code: str, ends_on: date, *parties: str, signed_on: date) -> Lane:
        """A text between some of the nodes, signed by all; the first two are at work on it."""
        sides = tuple(self.nodes[org] for org in parties)
        lane = self.beside(name, "-".join((code[0], *parties)), code, *sides)
        lane.parties, lane.signed_on = sides, signed_on
        lane.opens_on, lane.ends_on = signed_on, ends_on
        self.publish(Bundle(terms=(lane.sign_terms(1),)))
        return lane

    def beside(self, name: str, signed_id: str, code: str, *sides: Side) -> Lane:
        """Two parties of a text at work on it."""
        lane = Lane(
            sides[0].node.settings.node_dir, clock=self.clock, convention=code, signed_id=signed_id
        )
        lane.school, lane.city, lane.town, lane.parties = sides[0], sides[1], self, sides
        self.lanes[name] = lane
        return lane


OFFICES: dict[str, Partner] = {
    "ville": CITY,
    "mission": MISSION,
    "agence": AGENCY,
    "ccas": CCAS,
    "departement": DEPARTMENT,
}


@contextmanager
def opened(folder: Path, schools: int, opens: datetime) -> Iterator[Town]:
    """The nodes of a town from an instant on, known to each other; nothing is signed yet."""
    maker = Pair(folder, clock=TestClock(opens))
    wanted: list[tuple[str, str, Partner, str | None]] = [
        (f"ecole-{number}", f"s{number}", SCHOOL, f"09999{number:02}A")
        for number in range(1, schools + 1)
    ]
    wanted += [(org, f"o{code}", one, None) for code, (org, one) in enumerate(OFFICES.items())]
    with ExitStack() as stack:
        nodes: dict[str, Side] = {}
        for org, code, partner, uai in wanted:
            made = maker._side(org, code, partner, 0, uai)
            stack.callback(made.close)
            nodes[org] = made
        town = Town(maker.clock, nodes)
        town.publish(Bundle(entries=tuple(maker._entry(side, 1) for side in town.sides)))
        for side in town.sides:
            side.charter()
        yield town


def write(side: Side, do: Any, *said: Any) -> Any:
    """One call of a node's API, without the web."""
    core, at = side.node.core, side.clock.at
    return side.write(lambda tx: do(tx, core, *said, "agent-1", at))
