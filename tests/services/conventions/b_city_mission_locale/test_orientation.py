"""Orientation: who may be oriented, who answers, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.conventions.b_city_mission_locale.models import orientations
from tests.services.conventions.b_city_mission_locale.support import REQUEST, WORKER, Desk

TYPE = "orientation.requested"


def answer(desk: Desk, outcome: str) -> dict[str, str]:
    return {"outcome": outcome, "on": desk.today.isoformat()}


@pytest.mark.parametrize("first", ["city", "mission"])
async def test_either_side_asks_and_the_other_answers(desk: Desk, first: str) -> None:
    """B-2.10, B-2.4: both ways; the one that asked does not answer itself."""
    asking = getattr(desk, first)
    other = desk.other(asking)
    await desk.told(asking, TYPE, REQUEST, agreement_id=desk.agreed(asking))
    assert desk.waiting(other)["orientation.answer"] == "pending"
    assert "orientation.answer" not in desk.waiting(asking)
    shown = desk.shown(other)["orientation"]
    assert shown["data"]["person"]["first_name"] == "Sacha"
    assert shown["data"]["adapted_reception"] is True
    assert desk.refused(asking, "orientation.answered", answer(desk, "received")) == {"B-2.10"}
    await desk.told(other, "orientation.answered", answer(desk, "received"))
    assert "orientation.answer" not in desk.waiting(other)
    await desk.told(other, "orientation.answered", answer(desk, "registered"))
    for side in desk.pair.sides:
        assert desk.row(side, orientations).state == "registered"
        kept = desk.row(side, tables.cases)
        assert (kept.state, kept.retain_until) == ("closed", midnight(add_months(desk.today, 3)))
    assert desk.refused(other, "orientation.answered", answer(desk, "received")) >= {"B-2.10"}


async def test_its_page_offers_what_is_of_an_orientation_and_no_more(desk: Desk) -> None:
    """B-1.1: one purpose for three kinds of case, each with its own messages and acts."""
    await desk.told(desk.city, TYPE, REQUEST, agreement_id=desk.agreed(desk.city))
    assert desk.mission.offered(desk.case_id, WORKER) == {"orientation.answered", "silent_try"}


@pytest.mark.parametrize("first", ["city", "mission"])
async def test_its_page_offers_the_answer_to_who_owes_it_alone(desk: Desk, first: str) -> None:
    """B-2.10, B-2.7: not to who asked; once received, an enrolment may be told, then no more."""
    asking = getattr(desk, first)
    other = desk.other(asking)
    await desk.told(asking, TYPE, REQUEST, agreement_id=desk.agreed(asking))
    for outcome in ("received", "registered"):
        assert asking.offered(desk.case_id, WORKER) == set()
        assert other.offered(desk.case_id, WORKER) == {"orientation.answered", "silent_try"}
        await desk.told(other, "orientation.answered", answer(desk, outcome))
    assert "orientation.answered" not in other.offered(desk.case_id, WORKER)


async def test_the_representative_of_a_minor_is_informed_first(desk: Desk) -> None:
    """RGPD 13: at 16 and 17; not asked to agree, and of no concern at 18."""
    minor = desk.person(desk.city)
    agreement = desk.agreed(desk.city, minor)
    assert desk.refused(desk.city, TYPE, REQUEST, agreement_id=agreement) == {"RGPD 13"}
    desk.informed(desk.city, minor)
    assert desk.refused(desk.city, TYPE, REQUEST, agreement_id=agreement) == set()
    adult = desk.agreed(desk.city, desk.person(desk.city, "2005-03-09"))
    assert desk.refused(desk.city, TYPE, REQUEST, agreement_id=adult) == set()


@pytest.mark.parametrize(
    ("born", "articles"),
    [
        ("2010-11-23", {"B-1.2"}),
        ("2010-11-22", set()),
        ("2000-11-23", set()),
        ("2000-11-22", {"B-1.2"}),
    ],
)
async def test_the_age_is_that_of_the_day(desk: Desk, born: str, articles: set[str]) -> None:
    """B-1.2: 16 to the eve of 26; the day is 22 November 2026."""
    agreement = desk.agreed(desk.city, desk.informed(desk.city, desk.person(desk.city, born)))
    assert desk.refused(desk.city, TYPE, REQUEST, agreement_id=agreement) == articles


@pytest.mark.parametrize(
    ("changes", "articles"),
    [
        ({}, set()),
        ({"giver": "representative", "authority": "parental", "assent": "no"}, {"B-3.1"}),
        ({"assent": "not_asked"}, {"B-3.1"}),
        ({"granted": False}, {"B-3.1"}),
        ({"giver": "representative", "authority": "parental"}, {"B-3.1"}),
        ({"giver": "both", "authority": "parental"}, set()),
    ],
)
async def test_only_the_young_person_decides(
    desk: Desk, changes: dict[str, Any], articles: set[str]
) -> None:
    """B-3.1: a no blocks, whoever else agrees."""
    agreement = desk.agreed(desk.city, **changes)
    assert desk.refused(desk.city, TYPE, REQUEST, agreement_id=agreement) == articles


async def test_nobody_answers_for_ever(desk: Desk) -> None:
    """B-2.7, B-3.1: the third silent try ends the orientation, and tells who asked."""
    await desk.told(desk.city, TYPE, REQUEST, agreement_id=desk.agreed(desk.city))
    with pytest.raises(Refused, match="cherche"):
        desk.act(desk.city, "silent_try", on=desk.today.isoformat())
    for _ in range(2):
        desk.act(desk.mission, "silent_try", on=desk.today.isoformat())
        with pytest.raises(Refused, match="une fois par jour"):
            desk.act(desk.mission, "silent_try", on=desk.today.isoformat())
        await desk.later(days=1)
    with pytest.raises(Refused, match="pas d'avance"):
        desk.act(desk.mission, "silent_try", on=(desk.today + timedelta(days=1)).isoformat())
    assert desk.row(desk.mission, orientations).state == "waiting"
    desk.act(desk.mission, "silent_try", on=desk.today.isoformat())
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, orientations).state == "unreachable"
        assert desk.row(side, tables.cases).state == "closed"


async def test_an_answer_that_is_late_is_on_the_list(desk: Desk) -> None:
    """B-2.10: ten working days, a proposal."""
    await desk.told(desk.city, TYPE, REQUEST, agreement_id=desk.agreed(desk.city))
    await desk.later(days=11)
    assert desk.waiting(desk.mission)["orientation.answer"] == "pending"
    await desk.later(days=4)
    assert desk.waiting(desk.mission)["orientation.answer"] == "missed"


async def test_a_withdrawal_stops_it_at_both_sides(desk: Desk) -> None:
    """B-3.1: the young person says no, later; nothing flows from then on."""
    agreement = desk.agreed(desk.city)
    await desk.told(desk.city, TYPE, REQUEST, agreement_id=agreement)
    core, at = desk.city.node.core, desk.pair.clock.now()
    desk.city.write(lambda tx: withdraw(tx, core, agreement, "agent-1", at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, orientations).state == "stopped"
        assert "outgrown" not in desk.waiting(side)
    assert desk.refused(desk.mission, "orientation.answered", answer(desk, "received")) >= {"B-3.1"}
