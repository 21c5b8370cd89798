"""Whatever dies, wherever it dies: each message is handled exactly once.

A node dies at a point: before or after any of its commits, between those of its two databases,
before or after a publication or an acknowledgement. From there on it does nothing more; then it
starts again from its files, with callers who ask again and a letterbox that hands out again.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Row, event

from contracts.broker.subjects import parse_subject
from services.chassis import idempotency, letters, tables
from services.chassis.agreements import withdraw
from services.chassis.api import Asked, _submission
from services.chassis.clock import new_id
from services.chassis.opening import Letter
from services.chassis.relay import Relay
from services.chassis.routing import Request, read_data
from services.chassis.schema import journal
from services.city.models import pathway_referents
from services.conventions.a_city_school.models import pathways
from tests.pair import ANSWER, REFERRAL, START, Pair, Side

T = TypeVar("T")
PATIENCE_S = 20.0


class Crashed(Exception):
    """The process is gone."""


class Told(NamedTuple):
    """What a caller was answered."""

    message_id: str
    case_id: str


@dataclass
class World:
    """Two nodes that die, and the letterboxes that outlive them.

    gaps: how many points pass until each death; none once they are used up.
    """

    pair: Pair
    gaps: list[int] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    points: int = 0
    boxes: dict[str, dict[str, Letter]] = field(default_factory=lambda: {"s1": {}, "v1": {}})
    tasks: dict[str, tuple[Relay, asyncio.Task[None]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    # -- dying ---------------------------------------------------------------------------------

    def point(self, org: str) -> None:
        """A place where a process may die; a dead one gets no further."""
        with self.lock:
            self.points += 1
            if org not in self.dead and self.gaps:
                self.gaps[0] -= 1
                if self.gaps[0] <= 0:
                    self.gaps.pop(0)
                    self.dead.add(org)
            if org in self.dead:
                raise Crashed

    @contextmanager
    def mortal(self) -> Iterator[None]:
        """Make every commit of either database of either node a point."""

        def owner(connection: Connection) -> str:
            for side in self.pair.sides:
                if connection.engine in {side.node.database._writer, side.node.keystore._engine}:
                    return side.org
            return ""

        def begin(connection: Connection) -> None:
            if owner(connection) in self.dead:
                raise Crashed

        def commit(connection: Connection) -> None:
            if (org := owner(connection)) != "":
                self.point(org)

        event.listen(Engine, "begin", begin)
        event.listen(Engine, "commit", commit)
        try:
            yield
        finally:
            event.remove(Engine, "begin", begin)
            event.remove(Engine, "commit", commit)

    # -- living --------------------------------------------------------------------------------

    async def start(self, side: Side) -> None:
        """Give a node its relay and the reader of its letterbox."""
        node, loop = side.node, asyncio.get_running_loop()
        publish = partial(self.publish, side.org)
        relay = Relay(node.core, node.database, publish, side.clock, node.telemetry, idle=0.01)
        node.relay = relay
        node.database._hooks["commit"][1:] = [  # the first is the journal's
            partial(self.point, side.org),
            lambda: loop.call_soon_threadsafe(relay.wake),
        ]
        await relay.start()
        self.tasks[side.org] = relay, asyncio.create_task(self.read(side))

    async def stop(self, org: str) -> None:
        relay, reader = self.tasks.pop(org)
        if org in self.dead:  # nothing is put in order by a process that is gone
            relay._delivered.clear()
        await relay.stop()
        reader.cancel()
        with suppress(asyncio.CancelledError, Crashed):
            await reader

    async def revive(self) -> None:
        """Start again whoever died."""
        for side in self.pair.sides:
            if side.org in self.dead:
                await self.stop(side.org)
                side.node.database.close()  # what it had yet to write is not written by a dead one
                self.dead.discard(side.org)
                await self.start(self.pair.restart(side))

    async def publish(
        self, org: str, subject: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        self.point(org)
        letter = Letter(subject, dict(headers), body, 0)
        self.boxes[parse_subject(subject).receiver].setdefault(letter.message_id, letter)
        self.point(org)

    async def read(self, side: Side) -> None:
        """Hand out what lies in the letterbox until it is acknowledged."""
        box = self.boxes[side.node.settings.code]
        while True:
            for name, letter in box.items():
                box[name] = replace(letter, deliveries=letter.deliveries + 1)
            handed = list(box.values())
            verdicts = await side.take(handed)
            for letter, again in zip(handed, verdicts, strict=True):
                self.point(side.org)
                if again is None:
                    del box[letter.message_id]
            await asyncio.sleep(0.002)

    async def insist(self, act: Callable[[], Awaitable[T]]) -> T:
        """Ask again, as a caller does, until there is an answer."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            await self.revive()
            with suppress(Crashed):
                answer = await act()
                if not self.dead:  # else it died with the answer on its lips
                    return answer
            assert time.monotonic() < deadline

    async def settle(self) -> None:
        """Wait until every letter has its receipt and every receipt has left."""
        deadline = time.monotonic() + PATIENCE_S
        while not await self.insist(self.quiet):
            assert time.monotonic() < deadline, self.buried()
            await asyncio.sleep(0.005)

    async def quiet(self) -> bool:
        waiting = tables.outbox.c.due_at.is_not(None)
        left = sum(len(side.rows(tables.outbox, waiting)) for side in self.pair.sides)
        return left == 0 and not any(self.boxes.values()) and not self.dead

    def buried(self) -> list[str]:
        return [row.reason for side in self.pair.sides for row in side.rows(tables.dead_letters)]

    # -- acting --------------------------------------------------------------------------------

    async def send(self, role: str, type_: str, data: dict[str, Any], **more: Any) -> Told:
        """Send under one Idempotency-Key, however often it takes."""
        slot = idempotency.slot("agent-1", new_id())

        async def once() -> Told:
            side: Side = getattr(self.pair, role)
            to = self.pair.city.org if role == "school" else self.pair.school.org
            wanted = Request(
                message_id=new_id(),
                new_case_id=new_id(),
                type=type_,
                to=to,
                data=read_data(side.node.core, type_, to, data, side.clock.now()),
                agent_id="agent-1",
                **more,
            )
            asked = Asked(wanted, slot, "digest of the request")
            answer = await side.node.database.write(_submission(side.node, asked))
            told = json.loads(answer.answer) if isinstance(answer, Row) else asdict(answer)
            return Told(told["message_id"], told["case_id"])

        return await self.insist(once)

    async def story(self, agreement_id: str) -> tuple[Told, Told]:
        """A referral, its answer, and the withdrawal of the agreement behind them."""
        for side in self.pair.sides:
            await self.start(side)
        referral = await self.send(
            "school", "referral.submitted", REFERRAL, agreement_id=agreement_id
        )
        await self.settle()
        answer = await self.send("city", "referral.answered", ANSWER, case_id=referral.case_id)
        await self.settle()

        async def withdrawal() -> None:
            core, write = self.pair.school.node.core, self.pair.school.node.database.write
            await write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", START))

        await self.insist(withdrawal)
        await self.settle()
        for side in self.pair.sides:
            await self.stop(side.org)
        return referral, answer


def check(world: World, referral: Told, answer: Told) -> None:
    """See that each message had its effect once at each end, and that the journals hold."""
    school, city = world.pair.sides
    assert world.buried() == []
    for sender, receiver, told in ((school, city, referral), (city, school, answer)):
        (sent,) = sender.rows(tables.outbox, tables.outbox.c.message_id == told.message_id)
        assert (sent.state, sent.status) == (letters.ACCEPTED, "received")
        for side, event_name in (
            (sender, "message.sent"),
            (receiver, "message.received"),
            (sender, "receipt"),
        ):
            of_it = (journal.c.message_id == told.message_id) & (journal.c.event == event_name)
            assert len(side.rows(journal, of_it)) == 1, event_name
    case_id = referral.case_id
    for side, table in ((school, pathways), (city, pathways), (city, pathway_referents)):
        assert len(side.rows(table, table.c.case_id == case_id)) == 1
        (case,) = side.rows(tables.cases, tables.cases.c.case_id == case_id)
        assert case.state == "stopped"
        assert len(side.rows(tables.persons, tables.persons.c.person_id == case.person_id)) == 1
    reference = case.reference
    (done,) = school.rows(tables.withdrawals, tables.withdrawals.c.reference == reference)
    assert done.outcome == "stopped"
    assert len(city.rows(tables.tombstones, tables.tombstones.c.reference == reference)) == 1
    for side in world.pair.sides:
        report = side.node.database.read_now(side.node.journal.verify)
        assert report.ok, report.problems


def lived(pair: Pair, gaps: list[int]) -> int:
    """Tell the story with deaths at these gaps; returns how many points it passed."""
    agreement_id, world = pair.agreement(), World(pair, list(gaps))
    with world.mortal():
        told = asyncio.run(world.story(agreement_id))
    check(world, *told)
    return world.points


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


_PARTS: Final = 4
"""So many tests share the points: all in one take minutes on a busy machine."""


@pytest.mark.parametrize("part", range(_PARTS))
def test_a_death_at_each_point_of_the_story(pair: Pair, part: int) -> None:
    points = lived(pair, [])
    assert points > _PARTS
    for point in range(1 + part, points + 1, _PARTS):
        lived(pair, [point])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.integers(1, 25), min_size=2, max_size=6))
def test_deaths_at_any_points_of_the_story(pair: Pair, gaps: list[int]) -> None:
    lived(pair, gaps)
