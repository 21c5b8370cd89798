"""Supported contracts: three signatures, a tutor whom the rules allow, and the way to the exit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.chassis.tokens import NotPermitted
from services.conventions.c_employment_city_ccas.models import (
    booklets,
    candidacies,
    contracts,
    metadata,
    tutorships,
)
from tests.services.conventions.c_employment_city_ccas.support import (
    FIRST,
    LAST,
    OUTSIDER,
    TUTOR,
    Desk,
)

AGREED, CERTIFICATE = "pec.commitment_agreed", "pec.attestation"


async def ready(desk: Desk) -> None:
    await desk.retained()
    desk.act(desk.city, "tutor_named", staff_id=TUTOR.agent_id)


async def test_three_agree_and_both_sides_follow(desk: Desk) -> None:
    """C-3a.2, C-3a.4, C-3a.18, C-3a.20: codes and days, and no name anywhere."""
    await desk.contract()
    for side in desk.pair.sides:
        row = desk.row(side, contracts)
        assert (row.first_day, row.last_day, row.skills) == (FIRST, LAST, ("12345",))
        assert desk.shown(side)["contract"]["employee"] == "2025-03-02"
        assert desk.shown(side)["candidacy"]["state"] == "retained"
    assert desk.agency.rows(tutorships) == []


def signed(desk: Desk, role: str, day: str) -> dict[str, Any]:
    return {**desk.commitment(), role: day}


@pytest.mark.parametrize("role", ["job_counsellor", "employee", "workplace_tutor"])
async def test_each_of_the_three_has_signed_before(desk: Desk, role: str) -> None:
    """C-3a.20: on the very day it is signed, and not before."""
    await ready(desk)
    tomorrow = (desk.today + timedelta(days=1)).isoformat()
    later = signed(desk, role, tomorrow)
    assert desk.refused(desk.city, AGREED, later) == {"C-3a.20"}
    on_the_day = signed(desk, role, desk.today.isoformat())
    assert desk.refused(desk.city, AGREED, on_the_day) == set()


async def test_nobody_is_committed_who_was_not_retained(desk: Desk) -> None:
    """C-3a.20: asked at both gates."""
    await desk.proposed()
    desk.act(desk.city, "tutor_named", staff_id=TUTOR.agent_id)
    assert desk.refused(desk.city, AGREED, desk.commitment()) == {"C-3a.20"}
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "met"})
    assert desk.refused(desk.city, AGREED, desk.commitment()) == {"C-3a.20"}
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
    table = candidacies
    desk.agency.write(lambda tx: tx.execute(table.update().values(state="met")))
    await desk.turned_away(desk.city, AGREED, desk.commitment())


@pytest.mark.parametrize(
    ("last", "articles"),
    [
        ("2025-06-29", {"C-3a.23"}),
        ("2025-06-30", set()),
        ("2030-03-31", set()),
        ("2030-04-30", {"C-3a.23"}),
    ],
)
async def test_a_contract_leaves_room_for_three_booklets(
    desk: Desk, last: str, articles: set[str]
) -> None:
    """C-3a.23: from three months to sixty."""
    await ready(desk)
    said = desk.commitment(last=date.fromisoformat(last))
    assert desk.refused(desk.city, AGREED, said) == articles


@pytest.mark.parametrize(
    ("changes", "articles"),
    [
        ({}, set()),
        ({"volunteered_on": None}, {"C-3a.6"}),
        ({"volunteered_on": "2025-03-03"}, set()),
        ({"volunteered_on": "2025-03-04"}, {"C-3a.6"}),
        ({"qualified_on": None}, {"C-3a.6"}),
        ({"qualified_on": "2025-03-03"}, set()),
        ({"qualified_on": "2025-03-04"}, {"C-3a.6"}),
        ({"working_since": None}, {"C-3a.6"}),
        ({"working_since": "2023-03-03"}, set()),
        ({"working_since": "2023-03-04"}, {"C-3a.6"}),
        ({"supported": None}, {"C-3a.6"}),
        ({"supported": True}, {"C-3a.6"}),
    ],
)
async def test_each_rule_about_the_tutor_either_side_of_its_bound(
    desk: Desk, changes: dict[str, Any], articles: set[str]
) -> None:
    """C-3a.6, R5134-38: the day is 3 March 2025; what nobody checked is no."""
    await ready(desk)
    desk.tutor(**changes)
    assert desk.refused(desk.city, AGREED, desk.commitment()) == articles


async def test_without_a_tutor_nothing_is_agreed(desk: Desk) -> None:
    """C-3a.6: nor with one whom the register lacks."""
    await desk.retained()
    assert desk.refused(desk.city, AGREED, desk.commitment()) == {"C-3a.6"}
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "tutor_named", staff_id="inconnue")
    assert refused.value.articles == ("C-3a.6",)
    desk.act(desk.city, "tutor_named", staff_id=TUTOR.agent_id)
    assert desk.refused(desk.city, AGREED, desk.commitment()) == set()


async def test_a_tutor_follows_three_at_once_at_most(desk: Desk) -> None:
    """C-3a.6: the third passes, the fourth does not, unless one of them is over by then."""
    for number in range(3):
        await desk.published()
        await desk.told(
            desk.agency,
            "pec.candidate_proposed",
            {"offer_id": desk.offer()["offer_id"]},
            agreement_id=desk.agreed(),
        )
        await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
        desk.act(desk.city, "tutor_named", staff_id=TUTOR.agent_id)
        last = LAST - timedelta(days=60) if number == 0 else LAST
        await desk.told(desk.city, AGREED, desk.commitment(last=last))
    with pytest.raises(Refused):
        desk.send(desk.city, "pec.offer_published", desk.offer(offer_id="1e" * 16))
    await desk.published(eligible_tutor=False)
    await desk.told(
        desk.agency,
        "pec.candidate_proposed",
        {"offer_id": desk.offer()["offer_id"]},
        agreement_id=desk.agreed(),
    )
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
    desk.act(desk.city, "tutor_named", staff_id=TUTOR.agent_id)
    assert desk.refused(desk.city, AGREED, desk.commitment()) == {"C-3a.6"}
    free = LAST - timedelta(days=59)
    too_soon = desk.commitment(free - timedelta(days=1), free + timedelta(days=99))
    assert desk.refused(desk.city, AGREED, too_soon) == {"C-3a.6"}
    in_time = desk.commitment(free, free + timedelta(days=99))
    assert desk.refused(desk.city, AGREED, in_time) == set()


async def test_the_certificate_is_due_a_month_before_the_end_and_recalled(desk: Desk) -> None:
    """C-3a.28: through 30 August, then missed, and again each week until it is given."""
    await desk.contract()
    await desk.on(midnight(date(2025, 8, 31)) - timedelta(seconds=1))
    assert desk.waiting(desk.city)["experience_certificate"] == "pending"
    await desk.later(seconds=1)
    rows = desk.city.rows(tables.deadlines, tables.deadlines.c.kind == "experience_certificate")
    assert sorted((row.state, row.level) for row in rows) == [("missed", 0), ("pending", 1)]
    assert "experience_certificate" not in desk.waiting(desk.agency)
    await desk.told(desk.city, CERTIFICATE, {"issued_on": desk.today.isoformat()})
    assert "experience_certificate" not in desk.waiting(desk.city)
    for side in desk.pair.sides:
        assert desk.row(side, contracts).certificate_on == desk.today
        assert desk.row(side, tables.cases).state == "open"


async def test_the_certificate_is_due_at_once_where_it_is_asked_for(desk: Desk) -> None:
    """C-3a.28: on the day of the request, and not again once given."""
    await desk.contract()
    await desk.on(midnight(date(2025, 5, 6)))
    with pytest.raises(Refused):
        desk.act(desk.city, "certificate_asked", on="2025-05-07")
    desk.act(desk.city, "certificate_asked", on="2025-05-06")
    await desk.on(midnight(date(2025, 5, 7)) - timedelta(seconds=1))
    assert desk.waiting(desk.city)["experience_certificate"] == "pending"
    await desk.later(seconds=1)
    missed = tables.deadlines.c.state == "missed"
    kind = tables.deadlines.c.kind == "experience_certificate"
    assert len(desk.city.rows(tables.deadlines, missed, kind)) == 1
    await desk.told(desk.city, CERTIFICATE, {"issued_on": "2025-05-07"})
    with pytest.raises(Refused):
        desk.act(desk.city, "certificate_asked", on="2025-05-07")


async def test_what_comes_next_is_settled_before_the_exit(desk: Desk) -> None:
    """C-3a.9: through the eve of the last day, at either side."""
    await desk.contract()
    desk.act(desk.agency, "next_steps", on=desk.today.isoformat())
    assert "next_steps" not in desk.waiting(desk.agency)
    await desk.on(midnight(LAST) - timedelta(seconds=1))
    assert desk.waiting(desk.city)["next_steps"] == "pending"
    await desk.later(seconds=1)
    assert desk.waiting(desk.city)["next_steps"] == "missed"
    with pytest.raises(Refused):
        desk.act(desk.city, "next_steps", on=(desk.today + timedelta(days=1)).isoformat())
    desk.act(desk.city, "next_steps", on=desk.today.isoformat())
    assert "next_steps" not in desk.waiting(desk.city)


async def test_two_months_after_its_end_nothing_of_it_is_left(desk: Desk) -> None:
    """C-6.5: from the last day on, whatever was never answered; the case goes with its rows."""
    await desk.contract()
    await desk.booklet("month_1", "2025-04-30")
    await desk.told(desk.city, CERTIFICATE, {"issued_on": desk.today.isoformat()})
    end = midnight(LAST + timedelta(days=1))
    await desk.on(end - timedelta(seconds=1))
    assert desk.row(desk.city, contracts).ended_on is None
    await desk.later(seconds=1)
    until = midnight(add_months(LAST, 2))
    for side in desk.pair.sides:
        case = desk.row(side, tables.cases)
        assert (case.state, case.retain_until) == ("closed", until)
        assert desk.waiting(side) == {}
    assert desk.refused(desk.city, CERTIFICATE, {"issued_on": "2025-10-01"}) == {"C-5.3"}
    for side in desk.pair.sides:
        await side.node.purge(until - timedelta(seconds=1))
        assert desk.row(side, contracts)
        await side.node.purge(until)
        assert all(not side.rows(t, t.c.case_id == desk.case_id) for t in held())


def held() -> list[Any]:
    return [table for table in metadata.sorted_tables if "case_id" in table.c]


async def test_a_certificate_may_still_come_after_the_end(desk: Desk) -> None:
    """C-3a.28, C-6.5: late is better than never; that closes it, and moves no date."""
    await desk.contract()
    await desk.on(midnight(LAST + timedelta(days=10)))
    assert desk.row(desk.city, tables.cases).state == "open"
    await desk.told(desk.city, CERTIFICATE, {"issued_on": desk.today.isoformat()})
    for side in desk.pair.sides:
        case = desk.row(side, tables.cases)
        assert (case.state, case.retain_until) == ("closed", midnight(add_months(LAST, 2)))


async def test_a_contract_may_end_before_its_term(desk: Desk) -> None:
    """C-6.5: the two months run from that day; nothing else is due."""
    await desk.contract()
    with pytest.raises(Refused):
        desk.act(desk.city, "contract_ended", on=desk.today.isoformat())
    await desk.on(midnight(date(2025, 5, 12)))
    for side in desk.pair.sides:
        desk.act(side, "contract_ended", on="2025-05-11")
        until = midnight(date(2025, 7, 11))
        assert desk.row(side, tables.cases).retain_until == until
        with pytest.raises(Refused):
            desk.act(side, "contract_ended", on="2025-05-11")
    assert list(desk.waiting(desk.city)) == ["experience_certificate"]
    assert desk.waiting(desk.agency) == {}


async def test_agreed_anew_the_dates_move(desk: Desk) -> None:
    """C-3a.20, C-3a.23: a longer contract has other booklets, at both sides."""
    await desk.contract()
    longer = date(2025, 12, 31)
    await desk.told(desk.city, AGREED, desk.commitment(last=longer))
    for side in desk.pair.sides:
        (row,) = side.rows(
            tables.deadlines,
            tables.deadlines.c.kind == "supported_contract.end",
            tables.deadlines.c.state == "pending",
        )
        assert row.due_at == midnight(longer + timedelta(days=1))
        assert desk.row(side, contracts).last_day == longer


async def test_nobody_but_the_desk_and_the_tutor_reads_the_case(desk: Desk) -> None:
    """C-3.1, C-3.2, C-3a.15."""
    await desk.contract()
    with pytest.raises(NotPermitted):
        desk.act(desk.city, "next_steps", OUTSIDER, on=desk.today.isoformat())
    with pytest.raises(NotPermitted):
        desk.act(desk.agency, "next_steps", OUTSIDER, on=desk.today.isoformat())
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "tutor_named", TUTOR, staff_id=TUTOR.agent_id)
    assert refused.value.articles == ("C-3.2",)
    desk.act(desk.city, "next_steps", TUTOR, on=desk.today.isoformat())


async def test_erased_it_leaves_nothing_at_either_side(desk: Desk) -> None:
    """C-6.5, RGPD 17."""
    await desk.contract()
    await desk.booklet("month_1", "2025-04-30")
    assert desk.city.rows(booklets)
    for side in desk.pair.sides:
        desk.erased(side)
        assert [table.name for table in held() if side.rows(table)] == []


async def test_a_withdrawal_stops_what_is_said_of_a_contract_too(desk: Desk) -> None:
    """C-5.3: the contract of paper goes on; the two organisations say nothing more of it."""
    await desk.contract()
    (agreement,) = desk.agency.rows(tables.agreements)
    core, now = desk.agency.node.core, desk.now
    desk.agency.write(lambda tx: withdraw(tx, core, agreement.agreement_id, "agent-1", now))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, tables.cases).state == "stopped"


async def test_a_contract_outlives_the_agreement_that_opened_its_case(desk: Desk) -> None:
    """C-3a.20: the twelve months of an agreement end no contract, nor the letters about it."""
    await desk.contract()
    table = tables.agreements
    over = desk.now + timedelta(days=20)
    desk.agency.write(lambda tx: tx.execute(table.update().values(expires_at=over)))
    await desk.later(days=21)
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, tables.cases).state == "open"
    await desk.booklet("month_1", "2025-04-30")
