"""A year of a town under its four texts, by a fixed seed, until everything is over and gone.

`make year` plays 200 young people of twelve schools day by day; `make test` a few of two schools,
with nodes that sleep on quiet days.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from contracts.kernel.paris import PARIS
from tests.year import checks, lives_a, lives_b, lives_c, lives_c_territory, lives_d, parties
from tests.year.lives_a import Life, Make
from tests.year.parties import FIRST
from tests.year.town import Lane, Over, Town, opened

WHOLE = "RELAIS_YEAR" in os.environ
SCHOOLS, YOUNG, SHOWN = (12, 200, 2) if WHOLE else (2, 24, 0)
"""How many of each; and how many numbers of the yearly sheets of D are large enough to be shown."""
ASLEEP = 1 if WHOLE else 14
"""On quiet days the nodes look at their clocks once in so many."""
SEED = 20250901
LIVED, LAST = date(2027, 4, 1), date(2029, 2, 1)
"""When the last life is over; when the last retention is, of whoever left in January 2027."""
PURGES = timedelta(days=7) if WHOLE else timedelta(days=28)
"""How often everything that is due to be destroyed is."""
PATIENCE = 3000
"""Seconds that 200 young people may take on a slow machine."""
SHARES = (
    ("a", lives_a.LIVES, 10),
    ("b", lives_b.LIVES, 4),
    ("c", lives_c.LIVES, 2),
    ("c", lives_c_territory.LIVES, 1),
    ("d", lives_d.LIVES, 4),
)
"""Under which text young people live what, and how many beside the others."""


@dataclass
class Lived:
    """One life, under one text, and the day of its next step."""

    day: date
    lane: Lane
    life: Life


@pytest.mark.timeout(PATIENCE)
async def test_a_year_leaves_no_orphan_nothing_late_unseen_and_nothing_kept_too_long(
    tmp_path: Path,
) -> None:
    """A-2.1 to A-8.1, B-1.2 to B-7.1, C-3a.1 to C-8.2, D-1.2 to D-8.1, L131-6, R114-7."""
    chance = Random(SEED)  # noqa: S311 -- the same year each time
    with opened(tmp_path, SCHOOLS, morning(FIRST)) as town:
        parties.sign(town)
        await play(town, chance)
        assert checks.reports_tell_what_was_told(town) > 10
        assert sum(checks.sheets_tell_what_was_told(town, year) for year in (2025, 2026)) >= SHOWN
        meanwhile(town)
        await rest(town)
        meanwhile(town)
        for side in town.sides:
            checks.nothing_is_due_of_any_case(side)
            checks.nothing_is_kept_too_long(side)
            checks.every_text_is_over_and_proved_so(side)
            assert side.node.database.read_now(side.node.journal.verify).ok
        assert checks.both_sides_hold_the_same_cases(town) >= YOUNG
        assert checks.counted(town) == town.counted


def meanwhile(town: Town) -> None:
    """What holds at any time; looked at before proof grows too old to be kept, too."""
    for side in town.sides:
        checks.nothing_waits(side, town.refused)
        checks.every_deadline_was_met_or_told(side)


def morning(day: date) -> datetime:
    """Ten o'clock in Paris."""
    return datetime(day.year, day.month, day.day, 10, tzinfo=PARIS)


async def play(town: Town, chance: Random) -> None:
    """Live the year day by day, the parties' affairs first."""
    affairs, planned = list(parties.affairs()), list(plan(town, chance))
    running: list[Lived] = []
    purged = FIRST
    for day in days(FIRST, LIVED):
        due = [affair for when, affair in affairs if when == day]
        begins = [one for one in planned if one.day == day]
        busy = due or begins or any(one.day <= day for one in running)
        if not busy and day.toordinal() % ASLEEP:
            continue
        await town.at(morning(day))
        for affair in due:
            await affair(town)
        running = [one async for one in lived(running + begins, day)]
        while town.tonight:
            await town.tonight.pop(0)()
        if day - purged >= PURGES:
            await town.purge()
            purged = day
            for side in town.sides:
                checks.no_ended_case_outlives_its_months(side)
    assert [one.lane.signed_id for one in running if one.lane.today < one.lane.ends_on] == []


async def lived(running: list[Lived], day: date) -> AsyncIterator[Lived]:
    """Let each life whose day has come do its next step; those that go on."""
    for one in running:
        if one.day > day or one.lane.shut:
            yield one
            continue
        with suppress(StopAsyncIteration, Over):
            wait = await anext(one.life)
            yield Lived(day + timedelta(days=max(wait, 1)), one.lane, one.life)


async def rest(town: Town) -> None:
    """Nobody does anything any more: retention alone goes on."""
    day = LIVED
    while day < LAST:
        day = min(day + PURGES, LAST)
        await town.at(morning(day))
        await town.purge()
    await town.purge()


def plan(town: Town, chance: Random) -> Iterator[Lived]:
    """What begins when, to whom, each thing at least once; what the offices do each month."""
    every = [(name, make) for name, lives, _ in SHARES for make, _ in lives]
    for number in range(YOUNG):
        name, make = every[number] if number < len(every) else drawn(chance)
        lane = chance.choice(town.schools) if name == "a" else town.lanes[name]
        day = FIRST + timedelta(days=1 + chance.randrange(290))
        yield Lived(day, lane, make(lane, chance, number))
    monthly: list[tuple[str, Make]] = [
        ("b", lives_b.offers),
        ("c", lives_c_territory.territory),
        ("c-ccas", lives_c_territory.social),
    ]
    for month in range(9):
        day = FIRST + timedelta(days=10 + 30 * month)
        for name, make in monthly:
            yield Lived(day, town.lanes[name], make(town.lanes[name], chance, month))
        lane = chance.choice(town.schools)
        yield Lived(day, lane, lives_a.watch_cell(lane, chance, month))


def drawn(chance: Random) -> tuple[str, Make]:
    """Under which text somebody lives what."""
    name, lives, _ = chance.choices(SHARES, [share for _, _, share in SHARES])[0]
    return name, chance.choices([make for make, _ in lives], [often for _, often in lives])[0]


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last."""
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]
