"""The department's register of whom it supports: the interview in time, and news afterwards."""

from __future__ import annotations

from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.erasure import erase_person
from services.chassis.tokens import Role
from services.conventions.d_department_mission_locale.models import supports
from tests.services.conventions.d_department_mission_locale.support import (
    HELD,
    INVITED,
    Desk,
)


async def posted(desk: Desk, path: str, body: dict[str, Any], role: Role = Role.AGENT) -> int:
    answer = await desk.call(desk.department, role, "POST", path, body)
    return answer.status_code


def due(desk: Desk, kind: str) -> list[tuple[str, Any]]:
    table = tables.deadlines
    waits = (table.c.kind == kind) & table.c.state.in_(("pending", "missed"))
    return [(row.state, row.due_at) for row in desk.department.rows(table, waits)]


async def test_the_interview_is_due_a_year_before_majority(desk: Desk) -> None:
    """D-1.6: on the seventeenth birthday, struck when that day is over and not before."""
    person = desk.person("2009-12-15")
    body = {"person_id": person, "taken_in_on": "2025-03-01"}
    assert await posted(desk, "/supports", body) == HTTPStatus.CREATED
    over = midnight(date(2026, 12, 16))
    assert due(desk, "interview.due") == [("pending", over)]
    await desk.on(over - timedelta(seconds=1))
    assert due(desk, "interview.due") == [("pending", over)]
    await desk.on(over)
    assert due(desk, "interview.due") == [("missed", over)]
    held = {"person_id": person, "on": desk.day()}
    assert await posted(desk, "/interviews", held) == HTTPStatus.CREATED
    assert due(desk, "interview.due") == []


async def test_whoever_is_taken_in_at_seventeen_is_met_at_once(desk: Desk) -> None:
    """D-1.6: on the day of taking in; an adult has no such interview."""
    person = desk.person("2009-01-10")
    await posted(desk, "/supports", {"person_id": person, "taken_in_on": desk.day()})
    assert due(desk, "interview.due") == [("pending", midnight(desk.today + timedelta(days=1)))]
    adult = desk.person("2008-11-22")
    await posted(desk, "/supports", {"person_id": adult, "taken_in_on": desk.day()})
    assert len(due(desk, "interview.due")) == 1
    assert len(desk.department.rows(supports)) == 2


async def test_a_first_contact_says_that_somebody_is_supported(desk: Desk) -> None:
    """D-1.6: nobody is forgotten for want of a line; what is held in a case meets it."""
    await desk.met()
    assert due(desk, "interview.due") == [("pending", midnight(date(2026, 12, 16)))]
    assert "interview.due" not in desk.waiting(desk.mission)
    await desk.told(desk.department, INVITED, desk.invitation())
    await desk.told(desk.department, HELD, {"held_on": desk.day(), "together": False})
    assert due(desk, "interview.due") == []
    (row,) = desk.department.rows(supports)
    assert row.interview_on == desk.today
    body = {"person_id": row.person_id, "taken_in_on": "2025-03-01"}
    assert await posted(desk, "/supports", body) == HTTPStatus.CREATED
    assert due(desk, "interview.due") == []


@pytest.mark.parametrize("months", [None, 2])
async def test_the_department_asks_after_whoever_left(desk: Desk, months: int | None) -> None:
    """D-1.12: after its own time, or six months; no message, no case."""
    person = desk.person("2006-05-05")
    await posted(desk, "/supports", {"person_id": person, "taken_in_on": "2020-03-01"})
    if months is not None:
        body = {"months": months}
        assert await posted(desk, "/attention-times", body) == HTTPStatus.FORBIDDEN
        answer = await posted(desk, "/attention-times", body, Role.MANAGER)
        assert answer == HTTPStatus.CREATED
    desk.left(person)
    left = desk.today
    await desk.later(minutes=1)
    on = midnight(add_months(left, months or 6))
    assert due(desk, "attention.due") == [("pending", on)]
    await desk.on(on - timedelta(seconds=1))
    assert due(desk, "attention.due") == [("pending", on)]
    await desk.on(on)
    assert due(desk, "attention.due") == [("missed", on)]
    later = {"person_id": person, "on": desk.day(1)}
    assert await posted(desk, "/attentions", later) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert due(desk, "attention.due") == [("missed", on)]
    done = {"person_id": person, "on": desk.day()}
    assert await posted(desk, "/attentions", done) == HTTPStatus.CREATED
    await desk.later(days=2)
    assert due(desk, "attention.due") == []
    assert desk.department.rows(tables.cases) == desk.department.rows(tables.outbox) == []


async def test_a_support_goes_with_the_person_and_its_deadlines_too(desk: Desk) -> None:
    """D-8.1, D-1.12: it outlives nobody in the register."""
    person = desk.person()
    await posted(desk, "/supports", {"person_id": person, "taken_in_on": "2025-03-01"})
    core, at = desk.department.node.core, desk.pair.clock.now()
    desk.department.write(lambda tx: erase_person(tx, core, person, at))
    assert desk.department.rows(supports) == []
    assert due(desk, "interview.due") == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/supports", {"taken_in_on": "2026-11-23"}),
        ("/supports", {"taken_in_on": "2009-12-14"}),
        ("/supports", {"person_id": "0" * 32, "taken_in_on": "2026-11-22"}),
        ("/interviews", {"on": "2026-11-22"}),
        ("/attentions", {"on": "2026-11-22"}),
    ],
)
async def test_what_did_not_happen_is_not_recorded(
    desk: Desk, path: str, body: dict[str, Any]
) -> None:
    """D-1.6, D-1.12: nothing of a day to come, of somebody unknown, or without any support."""
    said = {"person_id": desk.person(), **body}
    assert await posted(desk, path, said) in {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    assert desk.department.rows(supports) == []
    assert await posted(desk, path, said, Role.DPO) == HTTPStatus.FORBIDDEN
