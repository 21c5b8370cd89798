"""A-8.1: a year of convention A in numbers, which name nobody and survive what they count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from contracts.conventions.a_city_school.convention import ALTERNATIVE, CONVENTION, PURPOSE
from contracts.kernel.errors import InvalidPayload
from contracts.kernel.paris import midnight
from contracts.kernel.suppression import Audience
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.chassis.tally import OPENED
from services.conventions.a_city_school.indicators import INDICATORS
from tests.pair import PUPIL, Pair
from tests.reports import counting, numbers, published
from tests.services.conventions.a_city_school.support import CONTACT, Desk


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


async def refer_many(desk: Desk, count: int, decision: str) -> None:
    """So many pupils, each with a referral that the city answers."""
    answer: dict[str, Any] = {"decision": decision, "referent": None, "next_date": None}
    if decision == "accepted":
        answer["referent"] = CONTACT
    for number in range(count):
        first_name = f"Zoé-{chr(97 + number)}"
        pupil: dict[str, Any] = deepcopy(PUPIL)
        pupil["identity"]["first_name"] = first_name
        agreement = desk.pair.agreement(desk.pair.person(pupil))
        sent = desk.pair.refer(agreement_id=agreement)
        desk.case_id = sent.case_id or ""
        await desk.pair.carry()
        await desk.told(desk.city, "referral.answered", answer)


async def test_both_sides_count_the_same_and_show_no_small_number(desk: Desk) -> None:
    """A-8.1: five are shown to the parties, four are not; the rest would give them away."""
    await refer_many(desk, 5, "accepted")
    await refer_many(desk, 4, "declined")
    for side in desk.pair.sides:
        found = counting(side, 2026)
        assert numbers(found, OPENED) == {PURPOSE: None, ALTERNATIVE: None, "total": 9}
        assert numbers(found, "referral.answered") == {
            "accepted": None,
            "declined": None,
            "more_contact_needed": None,
            "total": 9,
        }
    await refer_many(desk, 1, "declined")
    await refer_many(desk, 1, "accepted")
    for side in desk.pair.sides:
        assert numbers(counting(side, 2026), "referral.answered") == {
            "accepted": 6,
            "declined": 5,
            "more_contact_needed": 0,
            "total": 11,
        }


async def test_a_destroyed_case_is_still_counted(desk: Desk) -> None:
    """A-5.1, A-8.1: three months after a refusal nothing is left of the pupil but a number."""
    await refer_many(desk, 5, "declined")
    before = counting(desk.city, 2026)["tables"]
    await desk.later(days=120)
    await desk.city.node.purge(desk.pair.clock.at)
    assert {row.state for row in desk.city.rows(tables.cases)} == {"erased"}
    assert desk.city.rows(tables.persons) == []
    assert desk.waiting(desk.city) == {}
    assert counting(desk.city, 2026)["tables"] == before


async def test_a_year_is_a_school_year_and_never_less(desk: Desk) -> None:
    """A-8.1: of two reports a day apart the difference would be one pupil."""
    await refer_many(desk, 5, "accepted")
    assert numbers(published(desk.school, 2025), "referral.answered")["total"] is None
    with pytest.raises(InvalidPayload):
        published(desk.school, 2026)
    desk.pair.clock.at = datetime(2027, 9, 2, tzinfo=UTC)
    found = published(desk.school, 2026)
    assert (found["first_day"], found["last_day"]) == ("2026-09-01", "2027-08-31")
    assert numbers(found, "referral.answered")["total"] == 5


async def test_outside_the_parties_more_is_hidden(desk: Desk) -> None:
    """A-8.1."""
    await refer_many(desk, 10, "accepted")
    told = counting(desk.city, 2026, Audience.PUBLIC)
    assert (told["threshold"], numbers(told, "referral.answered")["total"]) == (11, None)
    shown = counting(desk.city, 2026)
    assert numbers(shown, "referral.answered")["accepted"] is None
    assert numbers(shown, "referral.answered")["total"] == 10


async def test_every_outcome_of_a_measure_is_counted(desk: Desk) -> None:
    """A-3.3, A-3.14, A-3.15: what each message tells, once at each side."""
    await desk.running()
    alert = {"kind": "absence", "at": desk.pair.clock.at.isoformat(), "call_back": "+33235000000"}
    await desk.told(desk.city, "alternative.alert", alert)
    ended = {
        "outcome": "ended_safety",
        "ended_on": desk.today.isoformat(),
        "booklet_handed": True,
    }
    await desk.told(desk.school, "alternative.ended", ended)
    wanted = {
        ("alternative.answered", "accepted", 1),
        ("alternative.alert", "absence", 1),
        ("alternative.ended", "ended_safety", 1),
    }
    for side in desk.pair.sides:
        assert {(row.what, row.code, row.number) for row in side.rows(tables.tallies)} == wanted


async def test_a_withdrawal_is_counted_without_its_case(desk: Desk) -> None:
    """A-2.11: how many families withdrew, never which."""
    await desk.referred()
    core, at = desk.school.node.core, desk.pair.clock.at
    (agreement,) = desk.school.rows(tables.agreements)
    desk.school.write(lambda tx: withdraw(tx, core, agreement.agreement_id, None, at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        (row,) = side.rows(tables.tallies, tables.tallies.c.what == "stopped")
        assert (row.code, row.number, row.month.day) == ("withdrawn", 1, 1)


async def test_an_agreement_that_is_over_is_no_withdrawal(desk: Desk) -> None:
    """A-2.11, CC 414: at majority the support stops, and no family is counted for it."""
    pupil: dict[str, Any] = deepcopy(PUPIL)
    pupil["identity"]["birth_date"] = "2008-12-01"
    sent = desk.pair.refer(desk.pair.agreement(desk.pair.person(pupil)))
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    await desk.on(midnight(date(2026, 12, 1)))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert [row.state for row in side.rows(tables.cases)] == ["stopped"]
        assert side.rows(tables.tallies) == []


async def test_what_ended_before_the_withdrawal_stays_as_it_ended(desk: Desk) -> None:
    """A-2.11, A-8.1: a pathway is closed once, and counted once."""
    await desk.opened()
    closed = {"closed_on": desk.today.isoformat(), "outcome": "objectives_met"}
    await desk.told(desk.city, "pathway.closed", closed)
    core, at = desk.school.node.core, desk.pair.clock.at
    (agreement,) = desk.school.rows(tables.agreements)
    desk.school.write(lambda tx: withdraw(tx, core, agreement.agreement_id, None, at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.pathway(side).state == "closed"
        assert [row.state for row in side.rows(tables.cases)] == ["closed"]
        assert side.rows(tables.tallies, tables.tallies.c.what == "stopped") == []


def test_an_indicator_names_every_code_of_its_message() -> None:
    """A-8.1: what a message can say, its indicator counts; nothing falls beside the table."""
    fields = {
        "referral.answered": "decision",
        "pathway.closed": "outcome",
        "meeting.called": "responsible",
        "alternative.answered": "decision",
        "alternative.ended": "outcome",
        "alternative.alert": "kind",
    }
    counted = {one.what: set(one.labels) for one in INDICATORS}
    assert set(counted) - set(fields) == {OPENED, "stopped"}
    assert counted[OPENED] == set(CONVENTION.purposes)
    for what, field in fields.items():
        flow = CONVENTION.closest(what, None, None)
        assert flow is not None
        assert counted[what] == set(get_args(flow.payload.model_fields[field].annotation))
