"""What the dates of a signed convention make due, and the registers that meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import midnight
from contracts.kernel.terms import ActKind
from services.chassis import convention_tables, governance, tables
from services.chassis.bundle import Bundle
from services.chassis.governance import (
    INSURANCE,
    NOTICE,
    REVIEW,
    TERM,
    Insurance,
    Review,
    record_insurance,
    record_review,
)
from services.chassis.schema import journal
from tests.pair import CONVENTION, SIGNED_ON, Pair

TERM_END = date(2029, 5, 4)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


async def due(pair: Pair, at: datetime | None = None) -> dict[str, tuple[date, str, str]]:
    """What waits at the school about its convention, by kind: day, state, article."""
    pair.clock.at = at or pair.clock.at
    await pair.school.node.scheduler.look()
    table = tables.deadlines
    rows = pair.school.rows(
        table, table.c.subject == CONVENTION, table.c.state.in_(("pending", "missed"))
    )
    assert len(rows) == len({row.kind for row in rows})
    return {row.kind: (day(row.due_at), row.state, row.article) for row in rows}


def day(at: datetime) -> date:
    return (at + timedelta(hours=3)).date()


def met(pair: Pair, on: date) -> date:
    core, at = pair.school.node.core, pair.clock.at
    review = Review(held_on=on)
    again: date = pair.school.write(
        lambda tx: record_review(tx, core, CONVENTION, review, "agent-1", at)
    )
    return again


def insured(pair: Pair, last_day: date) -> None:
    core, at = pair.school.node.core, pair.clock.at
    policy = Insurance(policy="POLICE-1", first_day=SIGNED_ON, last_day=last_day)
    pair.school.write(
        partial(
            record_insurance,
            core=core,
            convention_id=CONVENTION,
            policy=policy,
            agent_id="agent-1",
            at=at,
        )
    )


async def test_the_parties_meet_once_a_year_and_are_reminded_until_they_did(pair: Pair) -> None:
    """A-8.1: a year after the signature, then a year after the last meeting."""
    assert (await due(pair))[REVIEW] == (date(2027, 5, 4), "pending", "A-8.1")
    late = await due(pair, midnight(date(2027, 5, 4)))
    assert late[REVIEW] == (date(2027, 5, 4), "missed", "A-8.1")
    assert (await due(pair, midnight(date(2027, 6, 1))))[REVIEW][1] == "missed"
    assert met(pair, date(2027, 5, 20)) == date(2028, 5, 20)
    assert (await due(pair))[REVIEW] == (date(2028, 5, 20), "pending", "A-8.1")
    (line,) = pair.school.rows(journal, journal.c.event == "review.held")
    assert (line.articles, line.outcome) == (("A-8.1",), "recorded")


async def test_an_early_meeting_counts_and_the_same_one_counts_once(pair: Pair) -> None:
    """A-8.1."""
    assert met(pair, date(2026, 11, 20)) == met(pair, date(2026, 11, 20)) == date(2027, 11, 20)
    assert (await due(pair))[REVIEW][:2] == (date(2027, 11, 20), "pending")
    assert len(pair.school.rows(convention_tables.reviews)) == 1


@pytest.mark.parametrize("on", [date(2026, 5, 3), date(2026, 11, 23)])
def test_a_meeting_to_come_or_before_the_convention_opened_is_none(pair: Pair, on: date) -> None:
    """A-8.1: the first day on which it may have been held, and the last."""
    with pytest.raises(InvalidPayload):
        met(pair, on)
    met(pair, on + timedelta(days=1) if on < SIGNED_ON else on - timedelta(days=1))


async def test_each_party_is_reminded_of_its_insurance_before_it_ends(pair: Pair) -> None:
    """A-7.3: recorded within a month of the opening, renewed a month before its end."""
    assert (await due(pair))[INSURANCE] == (date(2026, 6, 3), "missed", "A-7.3")
    insured(pair, date(2026, 12, 31))
    assert (await due(pair))[INSURANCE] == (date(2026, 12, 1), "pending", "A-7.3")
    assert (await due(pair, midnight(date(2026, 12, 1))))[INSURANCE][1] == "missed"
    insured(pair, date(2027, 12, 31))
    assert (await due(pair))[INSURANCE] == (date(2027, 12, 1), "pending", "A-7.3")
    assert len(pair.school.rows(convention_tables.insurances)) == 2


def test_an_insurance_ends_after_it_begins() -> None:
    """A-7.3."""
    Insurance(policy="POLICE-1", first_day=SIGNED_ON, last_day=SIGNED_ON)
    with pytest.raises(ValueError, match="order"):
        Insurance(policy="POLICE-1", first_day=SIGNED_ON, last_day=SIGNED_ON - timedelta(days=1))


async def test_the_term_is_announced_six_months_ahead_and_leaves_nothing_due(pair: Pair) -> None:
    """A-9.1: three years from the signature."""
    assert TERM not in await due(pair, midnight(date(2028, 11, 4)) - timedelta(seconds=1))
    assert (await due(pair, midnight(date(2028, 11, 4))))[TERM] == (TERM_END, "pending", "A-9.1")
    assert await due(pair, midnight(TERM_END)) == {}


async def test_an_amendment_moves_the_term(pair: Pair) -> None:
    """A-11.1: both sides see the new end."""
    await due(pair, midnight(date(2028, 12, 1)))
    until = date(2029, 9, 1)
    pair.publish(Bundle(terms=(pair.sign_terms(2, until=until),)))
    assert (await due(pair, midnight(date(2029, 3, 1))))[TERM] == (until, "pending", "A-9.1")


async def test_a_notice_is_counted_down_in_the_place_of_the_term(pair: Pair) -> None:
    """A-10.1: six months from the receipt of the letter."""
    pair.act(pair.city, ActKind.TERMINATION_NOTICE, received_on=date(2026, 11, 20))
    found = await due(pair)
    assert found[NOTICE] == (date(2027, 5, 20), "pending", "A-10.1")
    assert TERM not in found
    assert found[REVIEW][0] == date(2027, 5, 4)
    assert await due(pair, midnight(date(2027, 5, 20))) == {}


async def test_what_is_due_is_set_once_whatever_the_days_and_restarts(pair: Pair) -> None:
    before = await due(pair)
    rows = pair.school.rows(tables.deadlines)
    pair.restart(pair.school)
    for days in range(1, 4):
        assert await due(pair, pair.clock.at + timedelta(days=days)) == before
    assert pair.school.rows(tables.deadlines) == rows


def test_of_a_convention_of_others_nothing_is_recorded(pair: Pair) -> None:
    with pytest.raises(UnknownName):
        governance.own_convention(pair.school.node.core, "b-ailleurs")
