"""Immersion: the law's bounds, and a name that goes once, to a host that accepted."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.kernel.paris import midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.conventions.b_city_mission_locale.models import immersions
from tests.services.conventions.b_city_mission_locale.support import CONTACT, OTHER, WORKER, Desk

TYPE, STATUS = "immersion.requested", "immersion.status"


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "object": "discover_trade",
        "rome": "K1207",
        "first_day": "2026-12-01",
        "last_day": "2026-12-20",
        "weekly_hours": 35,
        "referent": CONTACT,
        "offer": None,
        "renewal": False,
        **changes,
    }


def status(desk: Desk, code: str, **changes: Any) -> dict[str, Any]:
    told = {"status": code, "on": desk.today.isoformat(), "tutor": None}
    return {**told, "representative_signed": None, **changes}


async def requested(desk: Desk, born: str = "2009-03-09") -> str:
    person = desk.informed(desk.mission, desk.person(desk.mission, born))
    agreement = desk.agreed(desk.mission, person)
    await desk.told(desk.mission, TYPE, asked(), agreement_id=agreement)
    return agreement


async def test_its_page_offers_what_is_of_an_immersion_and_no_more(desk: Desk) -> None:
    """B-1.1: one purpose for three kinds of case, each with its own messages and acts."""
    await requested(desk)
    for side in desk.pair.sides:
        assert side.offered(desk.case_id, WORKER) == {STATUS}


async def test_the_host_learns_who_comes_once_it_accepted_and_not_before(desk: Desk) -> None:
    """B-2.9, B-3.1."""
    await requested(desk)
    assert desk.city.rows(tables.persons) == []
    assert desk.row(desk.city, immersions).person is None
    signed = status(desk, "confirmed", representative_signed=True)
    assert desk.refused(desk.mission, STATUS, signed) == {"B-3.1"}
    await desk.told(desk.city, STATUS, status(desk, "accepted", tutor=OTHER))
    assert desk.row(desk.city, immersions).person is None
    await desk.told(desk.mission, STATUS, signed)
    city = desk.city
    shown = desk.shown(city)["immersion"]
    assert (shown["status"], shown["person"]["first_name"]) == ("confirmed", "Sacha")
    assert shown["data"] == asked(referent=CONTACT)
    assert desk.shown(desk.mission)["immersion"]["tutor"] == OTHER
    assert desk.refused(desk.mission, STATUS, signed) == {"B-3.1"}
    assert desk.waiting(city)["immersion.end"] == "pending"
    await desk.on(desk.pair.clock.at + timedelta(days=30))
    assert desk.waiting(city)["immersion.end"] == "missed"
    await desk.told(city, STATUS, status(desk, "completed"))
    assert "immersion.end" not in desk.waiting(city)
    for side in desk.pair.sides:
        assert desk.row(side, immersions).status == "completed"
        assert desk.row(side, tables.cases).state == "closed"


async def test_a_minor_s_representative_signs_and_an_adult_signs_alone(desk: Desk) -> None:
    """D5135-2: both gates know, the host's from what it is told."""
    await requested(desk)
    await desk.told(desk.city, STATUS, status(desk, "accepted"))
    for said in (None, False):
        unsigned = status(desk, "confirmed", representative_signed=said)
        assert desk.refused(desk.mission, STATUS, unsigned) == {"D5135-2"}
    await desk.told(desk.mission, STATUS, status(desk, "confirmed", representative_signed=True))
    await requested(desk, "2004-03-09")
    await desk.told(desk.city, STATUS, status(desk, "accepted"))
    await desk.told(desk.mission, STATUS, status(desk, "confirmed"))


async def test_each_speaks_for_itself_and_in_order(desk: Desk) -> None:
    """B-2.9: the host accepts and ends, the Mission Locale confirms; each step after another."""
    await requested(desk)
    assert desk.refused(desk.city, STATUS, status(desk, "completed")) == {"B-2.9"}
    assert desk.refused(desk.city, STATUS, status(desk, "confirmed")) == {"B-2.9"}
    assert "B-2.9" in desk.refused(desk.mission, STATUS, status(desk, "accepted"))
    await desk.told(desk.city, STATUS, status(desk, "accepted"))
    assert desk.refused(desk.city, STATUS, status(desk, "declined")) == {"B-2.9"}
    assert "B-2.9" in desk.refused(
        desk.mission, STATUS, status(desk, "interrupted", representative_signed=True)
    )
    assert desk.refused(desk.city, STATUS, status(desk, "interrupted")) == {"B-2.9"}


@pytest.mark.parametrize(
    ("changes", "articles"),
    [
        ({}, set()),
        ({"last_day": "2026-12-31"}, set()),
        ({"last_day": "2027-01-01"}, {"D5135-3"}),
        ({"offer": "187XKLM"}, {"B-2.9"}),
        ({"object": "start_recruitment"}, {"B-2.9"}),
        ({"object": "start_recruitment", "offer": "187XKLM"}, set()),
    ],
)
async def test_a_month_at_most_and_an_offer_for_a_recruitment_alone(
    desk: Desk, changes: dict[str, Any], articles: set[str]
) -> None:
    """B-2.9."""
    agreement = desk.agreed(desk.mission)
    assert desk.refused(desk.mission, TYPE, asked(**changes), agreement_id=agreement) == articles


async def test_one_renewal_and_sixty_days_in_twelve_months(desk: Desk) -> None:
    """D5135-3: for one person at one host; what was declined took nothing away."""
    person = desk.informed(desk.mission, desk.person(desk.mission))
    agreement = desk.agreed(desk.mission, person)

    async def ask(first: str, last: str, **changes: Any) -> None:
        data = asked(first_day=first, last_day=last, **changes)
        await desk.told(desk.mission, TYPE, data, agreement_id=agreement)

    def no(first: str, last: str, **changes: Any) -> set[str]:
        data = asked(first_day=first, last_day=last, **changes)
        return desk.refused(desk.mission, TYPE, data, agreement_id=agreement)

    await ask("2026-12-01", "2026-12-20")
    await desk.told(desk.city, STATUS, status(desk, "declined"))
    await ask("2026-12-01", "2026-12-20")
    assert no("2026-12-21", "2027-01-09") == {"D5135-3"}  # a renewal that says it is none
    await ask("2026-12-21", "2027-01-09", renewal=True)
    assert no("2027-02-01", "2027-02-05", renewal=True) == {"D5135-3"}
    other = {"object": "confirm_project"}
    assert no("2027-02-01", "2027-02-20", renewal=True, **other) == {"D5135-3"}  # of nothing
    assert no("2027-02-01", "2027-02-21", **other) == {"D5135-3"}
    assert no("2027-02-01", "2027-02-20", **other) == set()
    third = {"object": "start_recruitment", "offer": "187XKLM"}
    assert no("2027-03-01", "2027-03-05", **third) == {"D5135-3"}  # a third agreement
    assert no("2028-02-01", "2028-02-21", **other) == set()
    elsewhere = desk.agreed(desk.mission)
    assert desk.refused(desk.mission, TYPE, asked(), agreement_id=elsewhere) == set()


async def test_days_count_in_whichever_order_they_are_asked(desk: Desk) -> None:
    """D5135-3: the twelve months may end with an immersion that was asked for before."""
    agreement = desk.agreed(desk.mission)
    for first, last, renewal in (
        ("2027-11-01", "2027-11-28", False),
        ("2026-12-01", "2026-12-28", True),
    ):
        data = asked(first_day=first, last_day=last, renewal=renewal)
        await desk.told(desk.mission, TYPE, data, agreement_id=agreement)
    hired = {"object": "start_recruitment", "offer": "187XKLM"}
    for first, last, renewal, articles in (
        ("2027-06-01", "2027-06-05", False, {"D5135-3"}),
        ("2027-06-01", "2027-06-04", False, set()),
        ("2026-11-25", "2026-11-28", True, set()),
    ):
        data = asked(first_day=first, last_day=last, renewal=renewal, **hired)
        found = desk.refused(desk.mission, TYPE, data, agreement_id=agreement)
        assert found == articles, first


async def test_a_withdrawal_reaches_the_host_and_stops_it(desk: Desk) -> None:
    """B-3.1: also of a person whom the host cannot name."""
    agreement = await requested(desk)
    core, at = desk.mission.node.core, desk.pair.clock.now()
    desk.mission.write(lambda tx: withdraw(tx, core, agreement, "agent-1", at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, immersions).status == "stopped"
        assert desk.row(side, tables.cases).state == "stopped"
    assert desk.refused(desk.city, STATUS, status(desk, "accepted")) >= {"B-2.9", "B-3.1"}


async def test_the_mission_locale_s_gate_answers_for_the_person(desk: Desk) -> None:
    """B-1.2, B-3.1: the host asks nothing about whom it does not know."""
    born = date(2000, 11, 30)
    agreement = await requested(desk, born.isoformat())
    await desk.later(days=9)
    outcome = desk.send(desk.city, STATUS, status(desk, "accepted"))
    await desk.pair.carry()
    assert desk.city.state(outcome.message_id) == "refused"
    again = desk.refused(desk.mission, TYPE, asked(), agreement_id=agreement)
    assert again == {"B-1.2"}


async def test_on_the_twenty_sixth_birthday_it_stops_at_both_sides(desk: Desk) -> None:
    """B-1.2: a host that was told who comes knows the day, another is told that it has come."""
    for confirmed in (False, True):
        await requested(desk, "2000-12-01")
        await desk.told(desk.city, STATUS, status(desk, "accepted"))
        if confirmed:
            await desk.told(desk.mission, STATUS, status(desk, "confirmed"))
    named = desk.case_id
    await desk.on(midnight(date(2026, 12, 1)) - timedelta(seconds=1))
    states = {row.status for side in desk.pair.sides for row in side.rows(immersions)}
    assert states == {"accepted", "confirmed"}
    await desk.on(midnight(date(2026, 12, 1)))
    assert [row.status for row in desk.mission.rows(immersions)] == ["stopped", "stopped"]
    assert {row.state for row in desk.mission.rows(tables.cases)} == {"closed"}
    assert desk.row(desk.city, immersions).case_id == named
    (unnamed,) = desk.city.rows(immersions, immersions.c.case_id != named)
    assert unnamed.status == "accepted"
    await desk.pair.carry()
    assert {row.status for row in desk.city.rows(immersions)} == {"stopped"}
    assert {row.state for row in desk.city.rows(tables.cases)} == {"closed", "stopped"}
