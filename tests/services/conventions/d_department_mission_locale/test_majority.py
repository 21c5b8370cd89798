"""Towards majority: diagnosis, interview, project, youth contract; each thing told, none said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.kernel.errors import InvalidPayload, Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.tokens import Role
from tests.pair import Side
from tests.services.conventions.d_department_mission_locale.support import (
    COMING,
    DIAGNOSED,
    DIAGNOSIS,
    HELD,
    INVITED,
    OTHER,
    OUTCOME,
    PROJECT,
    PROPOSED,
    Desk,
)


async def test_a_diagnosis_is_due_for_the_review_of_the_path(desk: Desk) -> None:
    """D-1.5: only that it was made, and handed to the young person."""
    await desk.met()
    review = desk.today + timedelta(days=30)
    await desk.told(desk.department, DIAGNOSIS, {"review_on": review.isoformat()})
    await desk.on(midnight(review + timedelta(days=1)) - timedelta(seconds=1))
    assert desk.waiting(desk.mission)["diagnosis.answer"] == "pending"
    await desk.on(midnight(review + timedelta(days=1)))
    assert desk.waiting(desk.mission)["diagnosis.answer"] == "missed"
    await desk.told(desk.mission, DIAGNOSED, {"done_on": desk.day(), "handed_over": True})
    assert "diagnosis.answer" not in desk.waiting(desk.mission)
    assert desk.shown(desk.department)["youth"]["diagnosis"]["done_on"] == desk.day()


async def test_an_adviser_is_invited_answers_and_the_interview_is_held(desk: Desk) -> None:
    """D-1.6: with whoever comes; a renewed interview needs another invitation."""
    await desk.met()
    held = {"held_on": desk.day(), "together": True}
    assert desk.refused(desk.department, HELD, held) == {"D-1.6"}
    await desk.told(desk.department, INVITED, desk.invitation())
    assert desk.waiting(desk.mission)["interview.answer"] == "pending"
    await desk.told(desk.mission, COMING, {"attends": True, "adviser": OTHER})
    assert "interview.answer" not in desk.waiting(desk.mission)
    interview = desk.shown(desk.department)["youth"]["interview"]
    assert (interview["attends"], interview["adviser"]) == (True, OTHER)
    assert interview["invitation"]["place"] == "department"
    await desk.told(desk.department, HELD, held)
    assert desk.refused(desk.department, HELD, held) == {"D-1.6"}
    await desk.told(desk.department, INVITED, desk.invitation(40))
    shown = desk.shown(desk.mission)["youth"]["interview"]
    assert (shown["held_on"], shown["attends"]) == (None, None)
    await desk.told(desk.department, HELD, held)


async def test_an_interview_precedes_majority(desk: Desk) -> None:
    """D-1.6: nobody is invited from the eighteenth birthday on."""
    await desk.met("2008-11-24")
    assert desk.refused(desk.department, INVITED, desk.invitation()) == set()
    await desk.on(midnight(desk.today + timedelta(days=2)))
    assert desk.refused(desk.department, INVITED, desk.invitation()) == {"D-1.6"}


async def test_only_work_and_training_are_brought_to_the_project(desk: Desk) -> None:
    """D-1.7, D-2.1: the other headings, and any criterion of fragility, have no field."""
    await desk.met()
    for actions in (["housing"], ["health"], ["resources"]):
        with pytest.raises(InvalidPayload):
            desk.refused(desk.mission, PROJECT, desk.project(actions=actions))
    await desk.told(desk.mission, PROJECT, desk.project())
    assert desk.shown(desk.department)["youth"]["project"]["actions"] == ["training_search"]


@pytest.mark.parametrize("which", ["department", "mission"])
async def test_the_youth_contract_is_proposed_by_either_and_then_answered(
    desk: Desk, which: str
) -> None:
    """D-1.9: the Mission Locale alone says what became of it."""
    await desk.met()
    said = {"outcome": "declined", "on": desk.day()}
    assert desk.refused(desk.mission, OUTCOME, said) == {"D-1.9"}
    assert await missing(desk) == [desk.case_id]
    side: Side = getattr(desk, which)
    await desk.told(side, PROPOSED, {"proposed_on": desk.day()})
    assert await missing(desk) == []
    assert "youth_contract.proposal" not in desk.waiting(desk.department)
    owed = "youth_contract.answer" in desk.waiting(desk.mission)
    assert owed is (side is desk.department)
    assert "D-1.9" in desk.refused(desk.department, OUTCOME, said)
    await desk.told(desk.mission, OUTCOME, said)
    assert "youth_contract.answer" not in desk.waiting(desk.mission)
    contract = desk.shown(desk.department)["youth"]["youth_contract"]
    assert contract == {"proposed": True, "outcome": "declined"}
    assert desk.row(desk.department, tables.cases).state == "open"


async def missing(desk: Desk) -> list[str]:
    """Cases in which nobody proposed the youth contract, as the department's agents see them."""
    answer = await desk.call(desk.department, Role.AGENT, "GET", "/youth-contracts/missing")
    found = answer.json()
    assert found["count"] == len(found["cases"])
    return list(found["cases"])


async def test_the_department_is_reminded_of_whoever_was_proposed_nothing(desk: Desk) -> None:
    """D-1.9: three months, then each four weeks; proposals, since the text says to each."""
    await desk.contacted()
    assert "youth_contract.proposal" not in desk.waiting(desk.mission)
    due = midnight(add_months(desk.today, 3))
    await desk.on(due - timedelta(seconds=1))
    assert desk.waiting(desk.department)["youth_contract.proposal"] == "pending"
    await desk.on(due)
    table = tables.deadlines
    about = table.c.kind == "youth_contract.proposal"
    states = sorted(row.state for row in desk.department.rows(table, about))
    assert states == ["missed", "pending"]
    await desk.later(days=28)
    states = sorted(row.state for row in desk.department.rows(table, about))
    assert states == ["missed", "missed", "pending"]
    await desk.told(desk.mission, PROPOSED, {"proposed_on": desk.day()})
    assert "youth_contract.proposal" not in desk.waiting(desk.department)


async def test_the_mission_locale_checks_by_itself_what_is_open(desk: Desk) -> None:
    """D-1.8: that it did, and never what it found."""
    await desk.met()
    desk.act(desk.mission, "eligibility_checked", on=desk.day())
    assert desk.shown(desk.mission)["youth"]["eligibility_checked_on"] == desk.day()
    assert desk.shown(desk.department)["youth"]["eligibility_checked_on"] is None
    with pytest.raises(Refused) as refused:
        desk.act(desk.department, "eligibility_checked", on=desk.day())
    assert refused.value.articles == ("D-1.8",)
