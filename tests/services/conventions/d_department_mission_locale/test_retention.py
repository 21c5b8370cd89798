"""Each part is destroyed after its own event, and an erasure leaves nothing at all."""

from __future__ import annotations

from datetime import timedelta

from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.holds import Hold, place_hold, release_hold
from services.chassis.retention import purge
from services.conventions.d_department_mission_locale.models import referents, youths
from services.conventions.d_department_mission_locale.store import FORGOTTEN
from tests.pair import CONVENTION as SIGNED
from tests.services.conventions.d_department_mission_locale.support import (
    COMING,
    HELD,
    INVITED,
    OTHER,
    OUTCOME,
    PROJECT,
    PROPOSED,
    Desk,
)


async def full(desk: Desk) -> None:
    """A case with a part of each kind."""
    await desk.met()
    await desk.told(desk.department, INVITED, desk.invitation())
    await desk.told(desk.mission, COMING, {"attends": True, "adviser": OTHER})
    await desk.told(desk.department, HELD, {"held_on": desk.day(-10), "together": True})
    await desk.told(desk.mission, PROJECT, desk.project(ends_on=desk.day(20)))
    await desk.told(desk.mission, PROPOSED, {"proposed_on": desk.day()})
    await desk.told(desk.mission, OUTCOME, {"outcome": "entered", "on": desk.day()})


async def test_each_part_goes_after_its_own_event_and_not_a_day_before(desk: Desk) -> None:
    """D-8.1: three months after an answer, an interview, an outcome; a project with its end."""
    await full(desk)
    start = desk.today
    ends = (
        (start + timedelta(days=21), "project_actions"),
        (add_months(start - timedelta(days=10), 3), "interview"),
        (add_months(start, 3), "request"),
        (add_months(start, 3), "contract"),
    )
    for day, column in ends:
        await desk.on(midnight(day) - timedelta(seconds=1))
        if column != "contract":  # destroyed at the same instant as the one before
            assert all(getattr(desk.row(side), column) for side in desk.pair.sides)
        await desk.on(midnight(day))
        for side in desk.pair.sides:
            assert getattr(desk.row(side), column) is None
    for side in desk.pair.sides:
        row, shown = desk.row(side), desk.shown(side)["youth"]
        assert (row.state, row.contact) == ("open", "met")
        assert (row.interview_adviser, row.project_starts_on, row.contract) == (None, None, None)
        assert shown["youth_contract"] == {"proposed": True, "outcome": None}
        assert (shown["request"], shown["interview"]["invitation"]) == (None, None)


async def test_a_part_goes_in_its_time_where_the_case_is_over(desk: Desk) -> None:
    """D-8.1: an end does not lengthen what was running; a project without end, ends with it."""
    await full(desk)
    held_until = midnight(add_months(desk.today - timedelta(days=10), 3))
    await desk.later(days=60)
    await desk.told(desk.mission, PROJECT, desk.project())
    for side in desk.pair.sides:
        assert desk.row(side).project_actions == ("training_search",)
        desk.act(side, "case_closed", on=desk.day())
    await desk.later(minutes=1)
    for side in desk.pair.sides:
        assert desk.row(side).project_actions is None
        assert desk.row(side).interview is not None
    await desk.on(held_until)
    for side in desk.pair.sides:
        assert desk.row(side).interview is None


async def test_a_dispute_keeps_what_would_go_before_its_case(desk: Desk) -> None:
    """A-12.1, D-8.1: a project without end is there until the release, and gone the day after."""
    await full(desk)
    await desk.told(desk.mission, PROJECT, desk.project())
    side, core, at = desk.mission, desk.mission.node.core, desk.pair.clock.now()
    hold = Hold(ground="amicable")
    side.write(lambda tx: place_hold(tx, core, SIGNED, hold, "h" * 32, "agent-1", at))
    desk.act(side, "case_closed", on=desk.day())
    await desk.later(days=3)
    assert desk.row(side).project_actions == ("training_search",)
    side.write(lambda tx: release_hold(tx, core, SIGNED, "h" * 32, "agent-1", at))
    await desk.later(days=2)
    assert desk.row(side).project_actions is None


async def test_an_erasure_leaves_no_row(desk: Desk) -> None:
    """D-8.1: nor what was still to be destroyed."""
    await full(desk)
    table = tables.deadlines
    for side in desk.pair.sides:
        assert side.rows(youths)
        assert side.rows(table, table.c.kind == FORGOTTEN)
        desk.erased(side)
        assert side.rows(youths) == side.rows(referents) == []
        assert side.rows(table, table.c.kind == FORGOTTEN) == []
        named = [row for row in side.rows(table) if row.state in {"pending", "missed"}]
        assert not [row for row in named if desk.case_id in row.subject]


async def test_retention_destroys_an_ended_case_three_months_later(desk: Desk) -> None:
    """D-8.1."""
    await full(desk)
    for side in desk.pair.sides:
        desk.act(side, "case_closed", on=desk.day())
    last = midnight(add_months(desk.today, 3))
    for at, left in ((last - timedelta(seconds=1), 1), (last, 0)):
        for side in desk.pair.sides:
            await purge(side.node.database, side.node.core, at)
            assert len(side.rows(youths)) == left
