"""What the pages of those who answer read of the tables, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.chassis import tables
from services.chassis.governance import daily
from services.chassis.pages import texts
from services.chassis.pages.reports import every
from services.chassis.pages.traces import known_here
from services.chassis.working import working
from tests.pair import CONVENTION, Pair


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


async def test_a_node_says_what_waits_and_when_its_partner_was_heard(pair: Pair) -> None:
    school, city = pair.school, pair.city.org
    core, read = school.node.core, school.node.database.read_now
    (silent,) = read(lambda c: working(c, core)).partners
    assert (silent.org, silent.last_receipt, silent.last_arrival) == (city, None, None)
    at = pair.clock.now()
    pair.refer()
    before = read(lambda c: working(c, core))
    assert (before.waiting, before.oldest, before.dead_count) == ({"queued": 1}, at, 0)
    await pair.carry()
    after = read(lambda c: working(c, core))
    assert (after.waiting, after.oldest) == ({}, None)
    (heard,) = after.partners
    assert (heard.last_receipt, heard.last_arrival) == (at, at)
    (sent,) = school.rows(tables.outbox, tables.outbox.c.kind == "letter")
    way = read(lambda c: known_here(c, core, sent.message_id))
    assert way is not None
    assert [one.where for one in way.steps] == ["Organisme s1", "Organisme v1"]
    assert read(lambda c: known_here(c, core, "f" * 32)) is None


def test_a_convention_says_what_is_due_and_its_years(pair: Pair) -> None:
    core, at = pair.school.node.core, pair.clock.now()
    read, signed = pair.school.node.database.read_now, core.directory.conventions[CONVENTION]
    pair.school.write(lambda tx: daily(tx, core, at))
    due = read(lambda c: texts.due(c, core, signed, at))
    assert [one["article"] for one in due] == ["A-7.3", "A-8.1", "A-9.1", "A-5.1"]
    assert [one["late"] for one in due] == [True, False, False, False]
    assert read(lambda c: texts.holds(c, CONVENTION)) == []
    assert read(lambda c: texts.certificate(c, signed)) is None
    (years,) = read(lambda c: every(c, core, at))
    assert [one.state for one in years.years] == ["running", "over"]
