"""The follow-up booklet: three times, filled in apart, read by the counsellor alone."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from contracts.conventions.c_employment_city_ccas.messages import BookletFilled
from contracts.kernel.errors import Refused
from contracts.kernel.paris import midnight
from services.chassis import tables
from services.chassis.acts import find_act
from services.conventions.c_employment_city_ccas.models import booklets, contracts
from tests.services.conventions.c_employment_city_ccas.support import LAST, TUTOR, WORKER, Desk

DUE, FILLED, EXIT = "pec.booklet_due", "pec.booklet_filled", "pec.exit_interview"
DAYS = {"month_1": "2025-04-30", "middle": "2025-06-30", "three_quarters": "2025-08-15"}


def filled(step: str = "month_1") -> dict[str, Any]:
    return {"step": step, "filled": True}


@pytest.mark.parametrize("step", list(DAYS))
@pytest.mark.parametrize("off", [-1, 0, 1])
async def test_each_of_the_three_has_its_day(desk: Desk, step: str, off: int) -> None:
    """C-3a.23: month 1, the middle, three quarters; not a day off, at either gate."""
    await desk.contract()
    day = date.fromisoformat(DAYS[step]) + timedelta(days=off)
    said = {"step": step, "due_on": day.isoformat()}
    assert desk.refused(desk.agency, DUE, said) == ({"C-3a.23"} if off else set())
    if off == 0:
        table = contracts
        desk.city.write(lambda tx: tx.execute(table.update().values(last_day=date(2025, 10, 5))))
        if step != "month_1":
            await desk.turned_away(desk.agency, DUE, said)


async def test_only_the_counsellor_asks(desk: Desk) -> None:
    """C-3a.15."""
    await desk.contract()
    (person,) = {row.person_id for row in desk.agency.rows(tables.persons)}
    said = {"step": "month_1", "due_on": DAYS["month_1"]}
    desk.seeker(person, counsellor="agent-2")
    assert desk.refused(desk.agency, DUE, said) == {"C-3a.15"}
    desk.seeker(person)
    assert desk.refused(desk.agency, DUE, said) == set()


async def test_nothing_of_a_booklet_without_a_contract(desk: Desk) -> None:
    """C-3a.20: what three have not signed has no follow-up."""
    await desk.retained()
    said = {"step": "month_1", "due_on": DAYS["month_1"]}
    assert desk.refused(desk.agency, DUE, said) >= {"C-3a.20", "C-3a.23"}
    assert desk.refused(desk.city, FILLED, filled()) >= {"C-3a.20", "C-3a.21"}
    assert desk.refused(desk.city, "pec.attestation", {"issued_on": "2025-03-03"}) == {"C-3a.20"}


async def test_each_fills_it_in_alone_and_never_sees_the_other_s(desk: Desk) -> None:
    """C-3a.21, C-3a.22: there is one bit for each, and no answer anywhere."""
    await desk.contract()
    for side in desk.pair.sides:
        assert desk.refused(side, FILLED, filled()) >= {"C-3a.21", "C-3a.22"}
    await desk.booklet("month_1", DAYS["month_1"])
    for side in desk.pair.sides:
        assert desk.refused(side, FILLED, filled()) == {"C-3a.22"}
    with pytest.raises(Refused) as other:
        desk.act(desk.city, "booklet_filled", WORKER, step="month_1")
    assert other.value.articles == ("C-3a.22",)
    desk.act(desk.city, "booklet_filled", TUTOR, step="month_1")
    assert desk.refused(desk.agency, FILLED, filled()) == {"C-3a.22"}  # the other's says nothing
    await desk.told(desk.city, FILLED, filled())
    desk.act(desk.agency, "booklet_filled", step="month_1")
    await desk.told(desk.agency, FILLED, filled())
    for side in desk.pair.sides:
        (row,) = side.rows(booklets)
        assert row.tutor_at is not None
        assert row.employee_at is not None
    (shown,) = desk.shown(desk.city)["booklets"]
    assert shown == {"step": "month_1", "due_on": DAYS["month_1"], "tutor": True, "employee": True}


def test_no_message_act_or_column_could_hold_an_answer() -> None:
    """C-3a.22, C-3a.24, C-3a.25: blind by shape."""
    assert set(BookletFilled.model_fields) == {"step", "filled"}
    assert set(booklets.c.keys()) == {
        "case_id",
        "step",
        "due_on",
        "asked_at",
        "alone_at",
        "tutor_at",
        "employee_at",
        "read_at",
        "prospects",
    }


async def test_only_the_counsellor_says_what_the_employee_did_or_reads_both(desk: Desk) -> None:
    """C-3a.22, C-3a.26: the agency's other agents do not, and the city has no such act."""
    await desk.contract()
    await desk.booklet("month_1", DAYS["month_1"])
    (person,) = {row.person_id for row in desk.agency.rows(tables.persons)}
    desk.seeker(person, counsellor="agent-2")
    with pytest.raises(Refused):
        desk.act(desk.agency, "booklet_filled", step="month_1")
    desk.seeker(person)
    with pytest.raises(Refused) as unread:
        desk.act(desk.agency, "booklet_read", step="month_1", prospects=True)
    assert unread.value.articles == ("C-3a.26",)
    desk.act(desk.agency, "booklet_filled", step="month_1")
    await desk.told(desk.agency, FILLED, filled())
    desk.act(desk.agency, "booklet_read", step="month_1", prospects=True)
    (shown,) = desk.shown(desk.agency)["booklets"]
    assert shown["prospects"] is True
    assert "prospects" not in json.dumps(desk.shown(desk.city))
    under = desk.city.instrument(desk.case_id)
    with pytest.raises(Exception, match="pas"):
        find_act(desk.city.node.core, under, "booklet_read", WORKER)


async def test_each_booklet_is_asked_for_and_filled_by_its_day(desk: Desk) -> None:
    """C-3a.23: struck the next day, and not a moment before."""
    await desk.contract()
    for step, day in DAYS.items():
        end = midnight(date.fromisoformat(day) + timedelta(days=1))
        await desk.on(end - timedelta(seconds=1))
        assert desk.waiting(desk.agency)[f"booklet.ask:{step}"] == "pending"
        await desk.later(seconds=1)
        assert desk.waiting(desk.agency)[f"booklet.ask:{step}"] == "missed"
        await desk.booklet(step, day)
        assert f"booklet.ask:{step}" not in desk.waiting(desk.agency)
        await desk.later(seconds=1)
        assert desk.waiting(desk.agency)[f"booklet.employee:{step}"] == "missed"
        assert desk.waiting(desk.city)[f"booklet.tutor:{step}"] == "missed"
        desk.act(desk.city, "booklet_filled", TUTOR, step=step)
        await desk.told(desk.city, FILLED, filled(step))
        desk.act(desk.agency, "booklet_filled", step=step)
        await desk.told(desk.agency, FILLED, filled(step))
        for side in desk.pair.sides:
            assert not {one for one in desk.waiting(side) if one.endswith(f":{step}")}


async def test_asked_in_time_it_is_filled_through_its_day(desk: Desk) -> None:
    """C-3a.23."""
    await desk.contract()
    await desk.booklet("month_1", DAYS["month_1"])
    end = midnight(date.fromisoformat(DAYS["month_1"]) + timedelta(days=1))
    await desk.on(end - timedelta(seconds=1))
    assert desk.waiting(desk.city)["booklet.tutor:month_1"] == "pending"
    assert desk.waiting(desk.agency)["booklet.employee:month_1"] == "pending"
    await desk.later(seconds=1)
    assert desk.waiting(desk.city)["booklet.tutor:month_1"] == "missed"
    assert desk.waiting(desk.agency)["booklet.employee:month_1"] == "missed"


async def test_not_filled_is_no_filling(desk: Desk) -> None:
    """C-3a.21."""
    await desk.contract()
    await desk.booklet("month_1", DAYS["month_1"])
    desk.act(desk.city, "booklet_filled", TUTOR, step="month_1")
    await desk.told(desk.city, FILLED, {"step": "month_1", "filled": False})
    assert [row.tutor_at for row in desk.agency.rows(booklets)] == [None]
    assert desk.waiting(desk.city)["booklet.tutor:month_1"] == "pending"


async def read(desk: Desk, step: str, *, prospects: bool) -> None:
    await desk.booklet(step, DAYS[step])
    desk.act(desk.agency, "booklet_filled", step=step)
    await desk.told(desk.agency, FILLED, filled(step))
    desk.act(desk.agency, "booklet_read", step=step, prospects=prospects)


async def test_the_last_booklet_without_prospects_calls_for_an_interview(desk: Desk) -> None:
    """C-3a.26, C-3a.27: on the agency's initiative, before the exit; earlier ones do not."""
    await desk.contract()
    said = {"at": "2025-09-10T10:00:00+02:00"}
    assert desk.refused(desk.agency, EXIT, said) == {"C-3a.26"}
    await read(desk, "month_1", prospects=False)
    assert desk.refused(desk.agency, EXIT, said) == {"C-3a.26"}
    await read(desk, "three_quarters", prospects=True)
    assert desk.refused(desk.agency, EXIT, said) == {"C-3a.26"}
    assert "exit_interview" not in desk.waiting(desk.agency)
    desk.act(desk.agency, "booklet_read", step="three_quarters", prospects=False)
    await desk.on(midnight(LAST) - timedelta(seconds=1))
    assert desk.waiting(desk.agency)["exit_interview"] == "pending"
    await desk.later(seconds=1)
    assert desk.waiting(desk.agency)["exit_interview"] == "missed"
    await desk.told(desk.agency, EXIT, said)
    assert "exit_interview" not in desk.waiting(desk.agency)
    for side in desk.pair.sides:
        assert desk.shown(side)["contract"]["exit_interview_at"] is not None
