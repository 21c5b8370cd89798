"""A case that the other side never opened ends at its sender too: none lives on one side alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.terms import ActKind
from services.chassis import letters, tables
from services.conventions.a_city_school.models import pathways
from tests.pair import START, Pair
from tests.services.chassis.test_relay import Letterbox, relaying, row_of, until
from tests.services.conventions.b_city_mission_locale.support import OTHER, Desk, made


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made_:
        yield made_


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with made(tmp_path, new_database_url) as found:
        yield found


def ended(pair: Pair, case_id: str | None) -> None:
    """Stopped at the school, kept as long as what a withdrawal stops, and counted as none."""
    (case,) = pair.school.rows(tables.cases)
    kept_until = midnight(add_months(day_of(pair.clock.at), 3))
    assert (case.case_id, case.state, case.retain_until) == (case_id, "stopped", kept_until)
    assert [row.state for row in pair.school.rows(pathways)] == ["stopped"]
    waits = tables.deadlines.c.state.in_(("pending", "missed"))
    about = waits & tables.deadlines.c.case_id.is_not(None)
    assert pair.school.rows(tables.deadlines, about) == []
    assert pair.school.rows(tables.tallies) == []


async def test_a_case_whose_first_message_is_refused_opposite_ends_here(pair: Pair) -> None:
    sent = pair.refer()
    pair.act(pair.city, ActKind.SUSPENSION)
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.REFUSED
    assert pair.city.rows(tables.cases) == []
    ended(pair, sent.case_id)


async def test_so_does_one_whose_first_message_never_left(pair: Pair) -> None:
    sent = pair.refer()
    pair.clock.at = START + timedelta(days=30)
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box):
        await until(lambda: row_of(pair, sent.message_id).state == letters.EXPIRED)
    ended(pair, sent.case_id)


async def test_so_does_one_whose_first_message_came_too_late(pair: Pair) -> None:
    sent = pair.refer()
    late = pair.school.outgoing()
    pair.clock.at = START + timedelta(days=30)
    box = Letterbox()
    pair.school.write(
        lambda tx: tx.execute(tables.outbox.update().values(delivered_at=START, state="delivered"))
    )
    async with relaying(pair, box):
        await until(lambda: row_of(pair, sent.message_id).state == letters.EXPIRED)
    assert [row.state for row in pair.school.rows(tables.cases)] == ["open"]  # it may have come
    await pair.city.take(late)
    await pair.carry()
    assert row_of(pair, sent.message_id).status == "expired"
    ended(pair, sent.case_id)


async def test_a_later_message_that_is_refused_ends_nothing(desk: Desk) -> None:
    await desk.opened(desk.city)
    desk.act(desk.city, "cosupport_referent", agent_id="agent-1", contact=OTHER)
    desk.pair.act(desk.mission, ActKind.SUSPENSION)
    await desk.pair.carry()
    states = {row.type: row.state for row in desk.city.rows(tables.outbox)}
    assert states["cosupport.referent_changed"] == letters.REFUSED
    for side in desk.pair.sides:
        assert [row.state for row in side.rows(tables.cases)] == ["open"]


async def test_nor_does_what_could_not_be_verified(pair: Pair) -> None:
    """An operator there may have it handled again: the case waits for that."""
    sent = pair.refer()
    while pair.school.state(sent.message_id) == letters.QUEUED:
        (letter,) = pair.school.outgoing()
        await pair.city.take([replace(letter, body=b"?", deliveries=9)])
        await pair.school.take(pair.city.outgoing())
    assert (row_of(pair, sent.message_id).status, pair.school.state(sent.message_id)) == (
        "unverified",
        letters.REFUSED,
    )
    (case,) = pair.school.rows(tables.cases)
    assert (case.case_id, case.state) == (sent.case_id, "open")
