"""A school year of two schools and the city, by a fixed seed, until everything is over and gone.

`make year` plays 120 pupils day by day; `make test` a few, with nodes that sleep on quiet days.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from contracts.kernel.paris import PARIS
from services.chassis import letters, retention, tables
from services.chassis.schema import journal
from services.city.models import attendance as notices
from services.conventions.a_city_school.models import measures, pathways, records, watch_cells
from tests.pair import Side
from tests.year import lives
from tests.year.lives import Worker
from tests.year.town import Town, two_schools

PUPILS = int(os.environ.get("RELAIS_YEAR_PUPILS", "10"))
ASLEEP = 1 if "RELAIS_YEAR_PUPILS" in os.environ else 9
"""On quiet days the nodes look at their clocks once in so many."""
SEED = 20260901
FIRST, LAST = date(2026, 9, 1), date(2028, 5, 1)
WEEK = timedelta(days=7)
PATIENCE = 1200
"""Seconds that 120 pupils may take on a slow machine."""


@pytest.mark.timeout(PATIENCE)
async def test_a_school_year_leaves_no_orphan_nothing_late_unseen_and_nothing_kept_too_long(
    tmp_path: Path,
) -> None:
    """A-2.1 to A-3.16, A-5.1, A-8.1: whatever happens to whom, the end is the same."""
    chance = Random(SEED)  # noqa: S311 -- the same year each time
    with two_schools(tmp_path, morning(FIRST)) as town:
        counted = await play(town, chance)
        await town.at(morning(LAST))
        await town.purge()
        for side in town.nodes:
            nothing_waits(side)
            every_deadline_was_met_or_told(side)
            nothing_is_kept_too_long(side)
            assert side.node.database.read_now(side.node.journal.verify).ok
        both_sides_hold_the_same_cases(town)
        assert tallied(town) == counted


def morning(day: date) -> datetime:
    """Ten o'clock in Paris."""
    return datetime(day.year, day.month, day.day, 10, tzinfo=PARIS)


async def play(town: Town, chance: Random) -> Counter[tuple[str, str]]:
    """Live the year day by day; returns what its messages told, as its reviews should count it."""
    counted: Counter[tuple[str, str]] = Counter()
    planned = plan(chance)
    desks = [Worker(lane, counted=counted) for lane in town.lanes]
    lives.designate(desks[0])
    desks[0].host()
    running: list[tuple[date, lives.Life]] = []
    purged = FIRST
    for day in days(FIRST, LAST):
        begins = [one for one in planned if one[0] == day]
        if not begins and all(when > day for when, _ in running) and day.toordinal() % ASLEEP:
            continue
        await town.at(morning(day))
        running += [
            (day, make(Worker(town.lanes[number % 2], counted=counted), chance, number))
            for _, make, number in begins
        ]
        due = [life for when, life in running if when <= day]
        running = [(when, life) for when, life in running if when > day]
        for life in due:
            wait = await anext(life, None)
            if wait is not None:
                running.append((day + timedelta(days=max(wait, 1)), life))
        if day - purged >= WEEK:
            await town.purge()
            purged = day
    assert running == []
    return counted


def plan(chance: Random) -> list[tuple[date, lives.Make, int]]:
    """What begins when, to whom."""
    made: list[tuple[date, lives.Make, int]] = []
    for number in range(PUPILS):
        what = chance.choices((lives.support, lives.alternative, lives.attendance), (6, 3, 1))[0]
        made.append((FIRST + timedelta(days=chance.randrange(290)), what, number))
    cells = [(FIRST + timedelta(days=30 * month), lives.watch_cell, month) for month in range(9)]
    return made + cells


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last."""
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def nothing_waits(side: Side) -> None:
    """Every letter left, arrived and was answered; none died."""
    assert side.rows(tables.outbox, tables.outbox.c.due_at.is_not(None)) == []
    sent = side.rows(tables.outbox, tables.outbox.c.kind != letters.RECEIPT)
    assert {row.state for row in sent} == {"accepted"}
    assert side.rows(tables.dead_letters) == []


def every_deadline_was_met_or_told(side: Side) -> None:
    """What passed unmet was told once; of a case that is over nothing waits."""
    now = side.clock.now()
    told = {row.message_id for row in side.rows(journal, journal.c.event == "deadline.missed")}
    for row in side.rows(tables.deadlines):
        assert row.state != "pending" or row.due_at > now, row
        assert row.state not in {"missed", "late"} or row.deadline_id in told, row
        assert row.case_id is None or row.state not in {"pending", "missed"}, row
    assert len(told) == len(side.rows(journal, journal.c.event == "deadline.missed"))


def nothing_is_kept_too_long(side: Side) -> None:
    """Nothing is due to be destroyed, and no row speaks of a case that was."""
    at, core = side.clock.now(), side.node.core
    assert side.node.database.read_now(lambda c: retention.due(c, core, at)).total == 0
    cases = {row.case_id: row for row in side.rows(tables.cases)}
    kept = {case_id for case_id, row in cases.items() if row.state != "erased"}
    for case_id in kept:  # attendance alone outlives the year, and says until when
        assert cases[case_id].instrument == "mayor_attendance", cases[case_id]
    tables_of_cases = [pathways, measures, records]
    tables_of_cases += [notices] if side.org == "ville" else []
    for table in tables_of_cases:
        assert {row.case_id for row in side.rows(table)} <= kept, table.name
    assert side.rows(watch_cells) == []
    if side.org == "ville":
        scopes = {row.scope for row in side.rows(tables.persons)}
        assert scopes <= {f"case:{case_id}" for case_id in kept}
        assert all(row.retain_until > at for row in cases.values() if row.case_id in kept)


def both_sides_hold_the_same_cases(town: Town) -> None:
    """No case at one side alone, and none that only one side destroyed."""
    city = {row.case_id: (row.instrument, row.state) for row in town.nodes[2].rows(tables.cases)}
    schools = {
        row.case_id: (row.instrument, row.state)
        for side in town.nodes[:2]
        for row in side.rows(tables.cases)
    }
    assert city == schools
    assert len(city) >= PUPILS // 2


def tallied(town: Town) -> Counter[tuple[str, str]]:
    """What the schools counted; the city must have counted the same."""
    found: list[Counter[tuple[str, str]]] = []
    for sides in (town.nodes[:2], town.nodes[2:]):
        numbers: Counter[tuple[str, str]] = Counter()
        for side in sides:
            for row in side.node.database.read_now(
                lambda c: c.execute(select(tables.tallies)).all()
            ):
                numbers[row.what, row.code] += row.number
        found.append(numbers)
    assert found[0] == found[1]
    return found[0]
