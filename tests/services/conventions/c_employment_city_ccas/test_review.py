"""C-7.3: a year of convention C in numbers, of persons and of what is nobody."""

from __future__ import annotations

import json
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import select, update

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.suppression import Audience
from services.chassis import convention_tables
from services.chassis.database import Tx
from services.chassis.pages import reviews
from services.chassis.publishing import AlreadyPublished, read_published
from services.chassis.tokens import Role
from services.conventions.a_city_school.indicators import INDICATORS as IN_A
from services.conventions.b_city_mission_locale.indicators import INDICATORS as IN_B
from services.conventions.c_employment_city_ccas import staff
from services.conventions.c_employment_city_ccas.side import INDICATORS as IN_C
from services.conventions.d_department_mission_locale.indicators import DEPARTMENT, MISSION
from tests.pair import CONVENTION, Side
from tests.reports import ask, counting, happened, numbers, published
from tests.services.conventions.c_employment_city_ccas.support import Desk

YEAR = 2025
MARCH = date(YEAR, 3, 1)
AGREED, SHARE = ("pec.contract", "agreed"), "pec.share"


def said(desk: Desk, number: int, year: int = YEAR, convention: str = CONVENTION) -> None:
    side, at = desk.city, desk.pair.clock.now()
    body = staff.StaffNumber(convention_id=convention, year=year, staff=number)
    side.write(lambda tx: staff.record(tx, side.node.core, body, "agent-1", at))


def share(side: Side, audience: Audience = Audience.PARTIES) -> dict[str, int | None] | None:
    report = counting(side, YEAR, audience)
    known = SHARE in {one["what"] for one in report["tables"]}
    return numbers(report, SHARE) if known else None


async def test_supported_contracts_are_set_against_the_staff_where_both_are_known(
    desk: Desk,
) -> None:
    """C-3a.7: at the employer, of the number that was said last; rounded, for a thousand."""
    for side in desk.pair.sides:
        happened(side, MARCH, {AGREED: 6})
        assert share(side) is None
    body = {"convention_id": CONVENTION, "year": YEAR, "staff": 100}
    answer = await ask(desk.city, "/api/v1/staff-numbers", Role.AGENT, "POST", json=body)
    assert answer.status_code == HTTPStatus.CREATED
    assert share(desk.city) == {"per_thousand": 60, "total": 60}
    said(desk, 1240)
    assert share(desk.city) == {"per_thousand": 5, "total": 5}
    assert share(desk.agency) is None


@pytest.mark.parametrize(("contracts", "parties", "public"), [(4, 0, 0), (5, 1, 0), (11, 1, 1)])
def test_a_share_is_hidden_with_the_count_that_it_would_give_away(
    desk: Desk, contracts: int, parties: int, public: int
) -> None:
    """C-3a.7, C-7.3."""
    happened(desk.city, MARCH, {AGREED: contracts})
    said(desk, 1000)
    for audience, shown in ((Audience.PARTIES, parties), (Audience.PUBLIC, public)):
        assert share(desk.city, audience) == (
            {"per_thousand": contracts, "total": contracts}
            if shown
            else {"per_thousand": None, "total": None}
        )


def test_the_staff_is_said_of_a_year_that_is_not_published(desk: Desk) -> None:
    """C-3a.7: of this convention, and of a year in which it ran."""
    with pytest.raises(UnknownName):
        said(desk, 1000, convention="inconnue")
    with pytest.raises(InvalidPayload):
        said(desk, 1000, year=YEAR - 1)
    happened(desk.city, MARCH, {AGREED: 11})
    said(desk, 1000)
    desk.pair.clock.at += timedelta(days=320)
    assert numbers(published(desk.city, YEAR), SHARE)["total"] == 11
    with pytest.raises(AlreadyPublished):
        said(desk, 2000)


def test_what_counts_nobody_is_shown_whole_and_said_so(desk: Desk) -> None:
    """C-3c.1, C-3c.2, C-3a.11: one action names nobody; one contract does, and stays hidden."""
    happened(
        desk.city,
        MARCH,
        {
            ("collective_action", "youth"): 1,
            ("joint_action", "joint"): 2,
            ("pec.offer", "published"): 3,
            AGREED: 1,
        },
    )
    for audience in Audience:
        report = counting(desk.city, YEAR, audience)
        actions = {"youth": 1, "other": 0, "total": 1}
        assert numbers(report, "collective_action") == actions
        assert numbers(report, "joint_action")["total"] == 2
        assert numbers(report, "pec.offer")["total"] == 3
        assert numbers(report, "pec.contract")["total"] is None
        whole = {one["what"] for one in report["tables"] if not one["persons"]}
        assert whole == set(nobody(IN_C))
        page = reviews.page(reviews.sheet_of(report), "Ville")
        assert "Ne comptent personne, et sont toujours montrés : offres en parcours" in page


def test_a_report_published_before_it_said_so_is_one_of_persons(desk: Desk) -> None:
    """C-7.3: what was published is kept as it was, and read all the same."""
    desk.pair.clock.at += timedelta(days=320)
    published(desk.city, YEAR)
    reports = convention_tables.reports

    def former(tx: Tx) -> None:
        for row in tx.execute(select(reports)).all():
            content = json.loads(row.content)
            for table in content["tables"]:
                del table["persons"]
            mine = reports.c.audience == row.audience
            tx.execute(update(reports).where(mine).values(content=json.dumps(content)))

    desk.city.write(former)
    found = desk.city.node.database.read_now(
        lambda c: read_published(c, CONVENTION, Audience.PARTIES)
    )
    assert found is not None
    assert {one["persons"] for one in found["tables"]} == {True}
    assert reviews.sheet_of(found).things == []


def nobody(indicators: Any) -> list[str]:
    return [one.what for one in indicators if not one.persons]


def test_each_indicator_that_counts_nobody_was_decided_to() -> None:
    """C-7.3, B-4.2, A-8.1, D-4.3: all others hide small numbers."""
    assert nobody((*IN_A, *DEPARTMENT, *MISSION)) == []
    assert nobody(IN_B) == ["common_event"]
    assert nobody(IN_C) == [
        "pec.offer",
        "collective_action",
        "joint_action",
        "clause.opportunity",
        "campaign",
        "census",
        "communication",
    ]
