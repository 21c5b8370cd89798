"""Two schools and the city over a year: real nodes, letters carried by hand, a clock we move."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from services.chassis.bundle import Bundle
from services.school.partner import PARTNER as SCHOOL
from tests.pair import CONVENTION, Pair, Side, delivered

OTHER_CONVENTION = "a-lycee-ville"


class Lane(Pair):
    """One school and the city, among others: letters go to whom they are for."""

    town: Town

    async def carry(self, rounds: int = 4) -> None:
        """Carry every letter of the town until nobody has any left to send."""
        await self.town.carry(rounds)


@dataclass
class Town:
    """A collège, a lycée and the city, each convention with one of them."""

    lanes: tuple[Lane, Lane]

    @property
    def nodes(self) -> tuple[Side, Side, Side]:
        """Every node once."""
        first, second = self.lanes
        return first.school, second.school, first.city

    async def carry(self, rounds: int) -> None:
        """Carry letters until nobody has any left."""
        by_org = {side.org: side for side in self.nodes}
        for _ in range(rounds):
            moved = False
            for side in self.nodes:
                waiting = side.waiting()
                for org in {one.receiver for one in waiting}:
                    lot = [[one] for one in waiting if one.receiver == org]
                    await by_org[org].take(side.packed(lot))
                    moved = True
                side.write(delivered([one.message_id for one in waiting]))
            if not moved:
                return

    async def at(self, instant: datetime) -> None:
        """Go to an instant: every node looks at what has passed."""
        self.lanes[0].clock.at = instant
        for side in self.nodes:
            await side.node.scheduler.look()
        await self.carry(4)

    async def purge(self) -> None:
        """Destroy what is due everywhere, and tell partners."""
        for side in self.nodes:
            await side.node.purge(self.lanes[0].clock.at)
        await self.carry(4)

    def convention(self, school: Side) -> str:
        """The convention of a school."""
        return CONVENTION if school is self.lanes[0].school else OTHER_CONVENTION


@contextmanager
def two_schools(folder: Path, opens: datetime) -> Iterator[Town]:
    """A town from an instant on; its conventions were signed the June before."""
    first = Lane(folder, signed_on=date(opens.year, 6, 15))
    first.clock.at = opens
    with first:
        second = copy.copy(first)
        second.school = first._side("lycee", "s2", SCHOOL, 0, uai="0999998B")
        town = first.town = second.town = Town((first, second))
        try:
            more = Bundle(
                entries=(first._entry(second.school, 1),),
                terms=(second.sign_terms(1, id=OTHER_CONVENTION),),
            )
            documents = first.documents.then(more)
            for side in town.nodes:
                side.node.keeper.absorb(documents)
            second.school.charter()
            yield town
        finally:
            second.school.close()
