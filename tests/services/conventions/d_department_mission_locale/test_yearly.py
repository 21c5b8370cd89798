"""The yearly sheet: equal to an independent count, small counts hidden, joined without anybody."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from contracts.conventions.d_department_mission_locale.messages import IndicatorYearly
from contracts.kernel.errors import InvalidPayload, Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.governance import Review, record_review
from services.chassis.publishing import AlreadyPublished
from services.chassis.tokens import Role
from services.conventions.d_department_mission_locale import yearly
from services.conventions.d_department_mission_locale.indicators import COUNTED_BY
from services.conventions.d_department_mission_locale.models import yearly_cells
from tests.office_desks import desk as sitting
from tests.pair import CONVENTION as SIGNED
from tests.pair import SIGNED_ON, Side
from tests.reports import ask, counting, happened, published
from tests.seated import opened
from tests.services.conventions.d_department_mission_locale.support import (
    ANSWERED,
    CONTACTED,
    DIAGNOSED,
    DIAGNOSIS,
    ENROLLED,
    ENROLMENT,
    HELD,
    INVITED,
    MET,
    OUTCOME,
    PROJECT,
    PROPOSED,
    REQUEST,
    YEARLY,
    Desk,
)

YEAR_END = midnight(date(2026, 12, 31))


async def lives(desk: Desk, number: int) -> Counter[str]:
    """So many ways to autonomy, each a little different; returns what a reader would count."""
    seen: Counter[str] = Counter()
    for turn in range(number):
        await desk.told(desk.department, CONTACTED, REQUEST, agreement_id=desk.agreed())
        seen["requested"] += 1
        registered = turn % 2 == 0
        said = {**MET, "outcome": "registered"} if registered else MET
        await desk.told(desk.mission, ANSWERED, said)
        await desk.told(desk.department, ENROLMENT, {"proposed_on": desk.day()})
        accepted = registered or turn % 3 == 0
        outcome = "accepted" if accepted else "declined"
        await desk.told(desk.mission, ENROLLED, {"outcome": outcome, "on": desk.day()})
        seen["enrolled"] += accepted
        for _ in range(2):  # a second one of the same case is not counted again
            await desk.told(desk.department, INVITED, desk.invitation())
            await desk.told(
                desk.department, HELD, {"held_on": desk.day(), "together": turn < number - 1}
            )
            await desk.told(desk.mission, PROJECT, desk.project())
        seen["interviews"] += turn < number - 1
        seen["projects"] += 1
        if turn < 2:
            await desk.told(desk.department, DIAGNOSIS, {"review_on": None})
            await desk.told(desk.mission, DIAGNOSED, {"done_on": desk.day(), "handed_over": True})
            await desk.told(desk.department, PROPOSED, {"proposed_on": desk.day()})
            await desk.told(desk.mission, OUTCOME, {"outcome": "entered", "on": desk.day()})
            seen["diagnoses"] += 1
            seen["youth_contracts"] += 1
    return seen


def counts(side: Side) -> dict[str, int]:
    """What a side counted of the six, small ones too."""
    table = tables.tallies
    rows = side.rows(table, table.c.what.in_(COUNTED_BY))
    return {row.what: row.number for row in rows}


def send(desk: Desk, side: Side, year: int = 2026, agent: str = "agent-1") -> str:
    core, at = side.node.core, desk.pair.clock.now()
    who = agent, "manager"
    sent: str = side.write(lambda tx: yearly.send(tx, core, SIGNED, year, who, at))
    return sent


def joined(side: Side) -> Any:
    return side.node.database.read_now(lambda c: yearly.joined(c, SIGNED))


async def test_each_side_counts_its_three_and_both_read_the_six(desk: Desk) -> None:
    """D-5.7a, D-5.7b, D-5.7c, D-5.7d, D-5.7e, D-5.7f, D-4.3, D-5.4: small ones stay hidden."""
    seen = await lives(desk, 6)
    together = counts(desk.department) | counts(desk.mission)
    assert together == {what: seen[what] for what in COUNTED_BY}
    assert set(counts(desk.department)) == {"requested", "interviews", "projects"}
    assert set(counts(desk.mission)) == {"diagnoses", "enrolled", "youth_contracts"}
    await desk.on(YEAR_END)
    before = len(desk.mission.rows(tables.persons))
    for side in desk.pair.sides:
        message = send(desk, side)
        await desk.pair.carry()
        assert side.state(message) == "accepted"
    shown = {"requested": 6, "interviews": 5, "projects": 6}
    hidden = {"diagnoses": "hidden", "enrolled": "hidden", "youth_contracts": "hidden"}
    assert seen["enrolled"] == 4
    for side in desk.pair.sides:
        assert joined(side) == [{"counted_on": "2026-12-31", "cells": shown | hidden}]
    assert len(desk.mission.rows(tables.persons)) == before


async def test_a_zero_is_shown_of_a_large_population_alone(desk: Desk) -> None:
    """D-4.3: it would say of each of a few that they did nothing."""
    side = desk.department
    for requested, cell in ((10, "hidden"), (11, 0)):
        side.write(lambda tx: tx.execute(tables.tallies.delete()))
        happened(side, date(2026, 11, 1), {("requested", "one"): requested})
        sheet = yearly.sheet(counting(side, 2026), 2026)
        assert (sheet.requested, sheet.interviews, sheet.enrolled) == (
            requested,
            cell,
            "not_counted",
        )
        assert sheet.small_cells == 0


async def test_the_sheet_and_the_report_of_a_year_are_one_count(desk: Desk) -> None:
    """D-5.7a, D-4.3: whichever comes first; told once, what came late is in neither."""
    await desk.on(YEAR_END)
    late = {("requested", "one"): 6}
    happened(desk.department, date(2026, 11, 1), late)
    message = send(desk, desk.department)
    await desk.pair.carry()
    happened(desk.department, date(2026, 12, 1), late)
    with pytest.raises(AlreadyPublished):
        published(desk.department, 2026)
    with pytest.raises(AlreadyPublished):
        send(desk, desk.department)
    assert desk.department.state(message) == "accepted"
    shown = published(desk.mission, 2026)
    happened(desk.mission, date(2026, 12, 1), {("enrolled", "one"): 6})
    send(desk, desk.mission)
    await desk.pair.carry()
    assert {one["total"] for one in shown["tables"]} == {None}
    for side in desk.pair.sides:
        cells = joined(side)[0]["cells"]
        assert (cells["requested"], cells["enrolled"]) == (6, "hidden")


def sheet(**cells: Any) -> dict[str, Any]:
    return {"counted_on": "2026-12-31", **dict.fromkeys(COUNTED_BY, "not_counted"), **cells}


@pytest.mark.parametrize("which", ["department", "mission"])
async def test_a_sheet_is_of_a_year_s_end_and_shows_nobody(desk: Desk, which: str) -> None:
    """D-5.7a, D-4.3, D-5.1, D-8.1: whoever types it by hand; typed again, the first stays."""
    side: Side = getattr(desk, which)
    assert desk.refused(side, YEARLY, {**sheet(), "counted_on": "2026-12-30"}) == {"D-5.7a"}
    assert desk.refused(side, YEARLY, sheet(requested=4)) == {"D-4.3"}
    assert desk.refused(side, YEARLY, sheet(requested=5), agent_id="stranger") == {"D-8.1"}
    await desk.told(side, YEARLY, sheet(requested=5))
    await desk.told(side, YEARLY, sheet(requested=7))
    for one in desk.pair.sides:
        assert joined(one)[0]["cells"]["requested"] == 5
        assert len(one.rows(yearly_cells)) == len(COUNTED_BY)


async def test_no_year_is_counted_before_its_end_or_outside_the_convention(desk: Desk) -> None:
    """D-5.7a, D-7.1."""
    await desk.on(YEAR_END - timedelta(seconds=1))
    for year in (2026, 2025, 2027):
        with pytest.raises(InvalidPayload):
            send(desk, desk.department, year)
    await desk.on(YEAR_END)
    with pytest.raises(Refused) as refused:
        send(desk, desk.department, agent="stranger")
    assert refused.value.articles == ("D-8.1",)
    send(desk, desk.department)


async def test_the_sheet_is_due_on_31_december_at_both_sides(desk: Desk) -> None:
    """D-5.7a: late once that day is over; the last year does not end within the convention."""
    await desk.later(minutes=1)
    over = midnight(date(2027, 1, 1))
    await desk.on(over - timedelta(seconds=1))
    for side in desk.pair.sides:
        assert desk.waiting(side)["yearly.sheet"] == "pending"
    send(desk, desk.department)
    await desk.pair.carry()
    await desk.on(over)
    assert "yearly.sheet" not in desk.waiting(desk.department)
    assert desk.waiting(desk.mission)["yearly.sheet"] == "missed"
    send(desk, desk.mission)
    await desk.later(days=1)
    assert "yearly.sheet" not in desk.waiting(desk.mission)


async def test_sheets_are_kept_three_months_after_the_convention(desk: Desk) -> None:
    """D-8.1, D-7.1."""
    await desk.on(YEAR_END)
    send(desk, desk.department)
    await desk.pair.carry()
    last = midnight(date(2028, 1, 8))
    for side in desk.pair.sides:
        await side.node.purge(last - timedelta(seconds=1))
        assert side.rows(yearly_cells)
        await side.node.purge(last)
        assert side.rows(yearly_cells) == []


async def test_they_review_it_each_year(desk: Desk) -> None:
    """D-5.3, D-5.5: twelve months after it opened, then after each meeting."""
    await desk.later(minutes=1)
    for side in desk.pair.sides:
        assert desk.waiting(side)["convention.review"] == "pending"
    await desk.on(midnight(add_months(SIGNED_ON, 12)))
    for side in desk.pair.sides:
        assert desk.waiting(side)["convention.review"] == "missed"
    side = desk.department
    core, at, held = side.node.core, desk.pair.clock.now(), Review(held_on=desk.today)
    again = side.write(lambda tx: record_review(tx, core, SIGNED, held, "agent-1", at))
    assert again == add_months(desk.today, 12)


async def test_the_report_counts_to_whom_nothing_was_proposed(desk: Desk) -> None:
    """D-1.9, D-5.4: as numbers, and small ones do not leave."""
    for turn in range(6):
        await desk.met()
        if not turn:
            await desk.told(desk.department, PROPOSED, {"proposed_on": desk.day()})
        desk.act(desk.department, "case_closed", on=desk.day())
    found = counting(desk.department, 2026)
    tables_ = {one["what"]: one for one in found["tables"]}
    assert tables_["youth_contract.proposal"]["total"] == 6
    assert {one["number"] for one in tables_["youth_contract.proposal"]["cells"]} == {None}
    assert tables_["requested"]["total"] == 6


def test_the_six_are_the_fields_of_the_sheet() -> None:
    """D-5.7a."""
    assert set(COUNTED_BY) == set(IndicatorYearly.model_fields) - {"counted_on"}


async def test_the_calls_of_either_side(desk: Desk) -> None:
    """D-5.4, D-5.7a."""
    await desk.on(YEAR_END)
    body = {"convention_id": SIGNED, "year": 2026}
    for side in desk.pair.sides:
        answer = await desk.call(side, Role.AGENT, "POST", "/yearly-indicators", body)
        assert answer.status_code == HTTPStatus.CREATED, answer.text
        answer = await desk.call(side, Role.DPO, "POST", "/yearly-indicators", body)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        path = f"/yearly-indicators?convention_id={SIGNED}"
        answer = await desk.call(side, Role.AGENT, "GET", path)
        assert answer.json() == joined(side)
        answer = await desk.call(side, Role.AGENT, "GET", "/yearly-indicators?convention_id=no")
        assert answer.status_code == HTTPStatus.NOT_FOUND


async def test_the_page_of_the_six_is_found_from_the_convention_s(desk: Desk) -> None:
    """D-5.4."""
    path = f"/pages/conventions/{SIGNED}/yearly-indicators"
    for side in desk.pair.sides:
        async with sitting(opened(side), Role.AGENT) as browser:
            about = await browser.get(f"/pages/conventions/{SIGNED}")
            assert f'<a href="{path}">Six indicateurs au 31 décembre</a>' in about.text
            assert (await browser.get(path)).status_code == HTTPStatus.OK


async def test_the_six_stand_on_a_page_the_same_at_both_sides(desk: Desk) -> None:
    """D-4.3, D-5.4, D-5.7a: with their labels and articles; what is not sent yet is awaited."""
    await desk.on(YEAR_END)
    happened(desk.department, date(2026, 11, 1), {("requested", "one"): 34})
    send(desk, desk.department)
    await desk.pair.carry()
    path = f"/pages/conventions/{SIGNED}/yearly-indicators"
    for side in desk.pair.sides:
        answer = await ask(side, path)
        assert answer.status_code == HTTPStatus.OK
        for what, article in zip(COUNTED_BY, "abcdef", strict=True):
            assert f">D-5.7{article}<" in answer.text, what
        assert "Six indicateurs au 31 décembre" in answer.text
        assert "Au 31 décembre 2026" in answer.text
        assert answer.text.count(">34<") == 2  # in the chart and in the table
        assert answer.text.count(">en attente<") == 2 * 3 + 1  # and where it is explained
        assert (await ask(side, path, None)).status_code == HTTPStatus.UNAUTHORIZED
        unknown = await ask(side, "/pages/conventions/no/yearly-indicators")
        assert unknown.status_code == HTTPStatus.NOT_FOUND
