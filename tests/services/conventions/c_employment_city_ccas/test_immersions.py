"""Work immersions at the city or the CCAS: an object, a trade, the law's bounds, a name unfiled."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.conventions.c_employment_city_ccas.models import immersions, offers, trades
from tests.services.conventions.c_employment_city_ccas.dump import leaks
from tests.services.conventions.c_employment_city_ccas.support import CONTACT, OFFER, WORKER, Desk

TRADES, ASKED, STATUS = "immersion_trades.published", "immersion.requested", "immersion.status"
LISTED = {"host": "city", "trades": ["K2204", "M1601"], "since": "2025-03-01"}


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "host": "city",
        "object": "discover_trade",
        "rome": "M1601",
        "first_day": "2025-04-01",
        "last_day": "2025-04-20",
        "weekly_hours": 35,
        "referent": CONTACT,
        "offer": None,
        "renewal": False,
        "profile_promotion": False,
        **changes,
    }


def status(desk: Desk, code: str, **changes: Any) -> dict[str, Any]:
    told = {"status": code, "on": desk.today.isoformat(), "tutor": None}
    return {**told, "representative_signed": None, **changes}


async def requested(desk: Desk, agreement: str | None = None, **changes: Any) -> str:
    if not desk.agency.rows(trades):
        await desk.told(desk.city, TRADES, LISTED)
    agreement = agreement or desk.agreed()
    await desk.told(desk.agency, ASKED, asked(**changes), agreement_id=agreement)
    return agreement


def tried(desk: Desk, agreement: str, **changes: Any) -> set[str]:
    """Articles that refuse a request; one that passes is taken back, so that it counts for none."""
    before = [row.case_id for row in desk.agency.rows(immersions)]
    refused = desk.refused(desk.agency, ASKED, asked(**changes), agreement_id=agreement)
    if not refused:
        new = immersions.c.case_id.not_in(before)
        desk.agency.write(lambda tx: tx.execute(immersions.delete().where(new)))
    return refused


async def test_pages_offer_what_is_of_an_immersion_or_of_a_candidacy(desk: Desk) -> None:
    """C-1.1: one purpose for both, each with its own messages and acts."""
    await requested(desk)
    for side in (desk.city, desk.agency):
        assert side.offered(desk.case_id, WORKER) == {STATUS}
    await desk.proposed()
    at_city, at_agency = (side.offered(desk.case_id, WORKER) for side in (desk.city, desk.agency))
    assert {"pec.candidate_outcome", "hired", "tutor_named"} <= at_city - at_agency
    assert {"pec.booklet_due", "booklet_read"} <= at_agency - at_city
    assert STATUS not in at_city | at_agency


async def test_the_host_is_told_who_comes_once_and_writes_it_nowhere(desk: Desk) -> None:
    """C-3b.1, C-4.1, C-5.1: after it accepted; seen from memory, until it is over."""
    await requested(desk)
    city = desk.city
    assert desk.refused(desk.agency, STATUS, status(desk, "confirmed")) == {"C-4.1"}
    await desk.told(city, STATUS, status(desk, "accepted", tutor=CONTACT))
    sent = await desk.told(desk.agency, STATUS, status(desk, "confirmed"))
    shown = desk.shown(city)["immersion"]
    assert (shown["status"], shown["tutor"], shown["host"]) == ("confirmed", CONTACT, "city")
    seen = await desk.seen(sent)
    assert seen["person"]["family_name"] == "Imaginaire"
    assert "birth_date" not in seen["person"]
    assert leaks(city) == set()
    assert city.rows(tables.persons) == []
    assert desk.refused(desk.agency, STATUS, status(desk, "confirmed")) == {"C-4.1"}
    end = midnight(date(2025, 4, 21))
    await desk.on(end - timedelta(seconds=1))
    assert desk.waiting(city)["work_immersion.end"] == "pending"
    await desk.later(seconds=1)
    assert desk.waiting(city)["work_immersion.end"] == "missed"
    await desk.told(city, STATUS, status(desk, "completed"))
    for side in desk.pair.sides:
        case = desk.row(side, tables.cases)
        assert (case.state, case.retain_until) == ("closed", midnight(add_months(desk.today, 2)))
    with pytest.raises(Refused) as refused:
        desk.ask(sent)
    assert refused.value.articles == ("C-5.1",)


async def test_an_answer_is_owed_within_ten_working_days(desk: Desk) -> None:
    """C-3b.1: from Monday 3 March to the end of Friday 14."""
    await requested(desk)
    (row,) = desk.city.rows(tables.deadlines, tables.deadlines.c.kind == "work_immersion.answer")
    await desk.on(row.due_at - timedelta(seconds=1))
    assert desk.waiting(desk.city)["work_immersion.answer"] == "pending"
    await desk.later(seconds=1)
    assert desk.waiting(desk.city)["work_immersion.answer"] == "missed"
    await desk.told(desk.city, STATUS, status(desk, "declined"))
    assert desk.waiting(desk.city) == {}


async def test_trades_are_those_of_the_last_list_of_that_host(desk: Desk) -> None:
    """C-3b.4: each host its own; both gates hold it, and a new list takes the former's place."""
    agreement = desk.agreed()
    assert desk.refused(desk.agency, ASKED, asked(), agreement_id=agreement) == {"C-3b.4"}
    await desk.told(desk.city, TRADES, LISTED)
    assert desk.refused(desk.agency, ASKED, asked(), agreement_id=agreement) == set()
    at_ccas = asked(host="ccas")
    assert desk.refused(desk.agency, ASKED, at_ccas, agreement_id=agreement) == {"C-3b.4"}
    await desk.told(desk.city, TRADES, {**LISTED, "trades": ["K2204"]})
    assert desk.refused(desk.agency, ASKED, asked(), agreement_id=agreement) == {"C-3b.4"}
    for side in desk.pair.sides:
        assert [row.rome for row in side.rows(trades)] == ["K2204"]
    await desk.told(desk.city, TRADES, LISTED)
    desk.city.write(lambda tx: tx.execute(trades.delete()))
    await desk.turned_away(desk.agency, ASKED, asked(), agreement_id=agreement)


async def test_a_recruitment_hangs_on_an_offer_or_on_a_promotion(desk: Desk) -> None:
    """C-3b.3: one of both, for that object alone; the offer is open at both sides."""
    await desk.told(desk.city, TRADES, LISTED)
    agreement = desk.agreed()

    def no(**changes: Any) -> set[str]:
        return tried(desk, agreement, **changes)

    recruits = {"object": "start_recruitment"}
    assert no(**recruits) == {"C-3b.3"}
    assert no(**recruits, profile_promotion=True) == set()
    assert no(**recruits, offer=OFFER) == {"C-3b.3"}
    await desk.published()
    assert no(**recruits, offer=OFFER) == set()
    assert no(**recruits, offer=OFFER, profile_promotion=True) == {"C-3b.3"}
    assert no(offer=OFFER) == {"C-3b.3"}
    desk.city.write(lambda tx: tx.execute(offers.delete()))
    said = asked(**recruits, offer=OFFER)
    await desk.turned_away(desk.agency, ASKED, said, agreement_id=agreement)


@pytest.mark.parametrize(
    ("changes", "more", "articles"),
    [
        ({"questioning": False}, {}, {"C-3b.2"}),
        ({"questioning": False}, {"object": "confirm_project"}, {"C-3b.2"}),
        (
            {"questioning": False},
            {"object": "start_recruitment", "profile_promotion": True},
            set(),
        ),
        ({}, {}, set()),
        ({"commune": "76498"}, {}, {"C-2.1"}),
    ],
)
async def test_the_agency_s_own_file_says_whether(
    desk: Desk, changes: dict[str, Any], more: dict[str, Any], articles: set[str]
) -> None:
    """C-3b.2, C-2.1: of a recruitment nobody asks whether the person wonders."""
    await desk.told(desk.city, TRADES, LISTED)
    agreement = desk.agreed(desk.person(**changes))
    refused = desk.refused(desk.agency, ASKED, asked(**more), agreement_id=agreement)
    assert refused == articles


async def test_a_month_one_renewal_two_agreements_and_sixty_days(desk: Desk) -> None:
    """D5135-3: for one person at one host; the CCAS is another host than the city."""
    agreement = await requested(desk, first_day="2025-04-01", last_day="2025-04-20")
    await desk.told(desk.city, TRADES, {**LISTED, "host": "ccas"})

    def no(first: str, last: str, **changes: Any) -> set[str]:
        return tried(desk, agreement, first_day=first, last_day=last, **changes)

    assert no("2025-05-01", "2025-05-31", renewal=True) == set()
    assert no("2025-05-01", "2025-06-01", renewal=True) == {"D5135-3"}
    assert no("2025-05-01", "2025-05-31") == {"D5135-3"}  # a renewal that says it is none
    await requested(desk, agreement, first_day="2025-04-21", last_day="2025-05-10", renewal=True)
    assert no("2025-06-01", "2025-06-05", renewal=True) == {"D5135-3"}  # a second renewal
    other = {"object": "confirm_project"}
    assert no("2025-06-01", "2025-06-20", renewal=True, **other) == {"D5135-3"}  # of nothing
    assert no("2025-06-01", "2025-06-20", **other) == set()
    assert no("2025-06-01", "2025-06-21", **other) == {"D5135-3"}  # sixty-one days
    await requested(desk, agreement, first_day="2025-06-01", last_day="2025-06-05", **other)
    third = {"object": "start_recruitment", "profile_promotion": True}
    assert no("2025-07-01", "2025-07-05", **third) == {"D5135-3"}  # a third agreement
    assert no("2025-07-01", "2025-07-05", host="ccas", **third) == set()
    await desk.told(desk.city, STATUS, status(desk, "declined"))
    assert no("2025-07-01", "2025-07-05", **third) == set()


async def test_each_speaks_for_itself_and_in_order(desk: Desk) -> None:
    """C-3b.1, C-5.2: the host accepts and ends, the agency confirms."""
    await requested(desk)
    assert desk.refused(desk.city, STATUS, status(desk, "completed")) == {"C-3b.1"}
    assert desk.refused(desk.city, STATUS, status(desk, "confirmed")) == {"C-3b.1", "C-5.2"}
    assert "C-3b.1" in desk.refused(desk.agency, STATUS, status(desk, "accepted"))
    await desk.told(desk.city, STATUS, status(desk, "accepted"))
    assert desk.refused(desk.city, STATUS, status(desk, "declined")) == {"C-3b.1"}
    assert desk.refused(desk.city, STATUS, status(desk, "interrupted")) == {"C-3b.1"}
    table = immersions
    desk.agency.write(lambda tx: tx.execute(table.update().values(status="confirmed")))
    desk.city.write(lambda tx: tx.execute(table.update().values(status="requested")))
    await desk.turned_away(desk.city, STATUS, status(desk, "accepted"))


async def test_the_representative_of_a_minor_signs_and_an_adult_signs_alone(desk: Desk) -> None:
    """D5135-2: the agency alone knows; the day is 3 March 2025."""
    for born, alone in (("2007-03-03", True), ("2007-03-04", False)):
        giver = "young_person" if alone else "both"
        agreement = desk.agreed(desk.person(born), giver=giver)
        await requested(desk, agreement)
        await desk.told(desk.city, STATUS, status(desk, "accepted"))
        unsigned = desk.refused(desk.agency, STATUS, status(desk, "confirmed"))
        assert unsigned == (set() if alone else {"D5135-2"})
        if not alone:
            signed = status(desk, "confirmed", representative_signed=True)
            await desk.told(desk.agency, STATUS, signed)


async def test_a_withdrawal_stops_it_and_an_erasure_leaves_nothing(desk: Desk) -> None:
    """C-4.1, RGPD 17."""
    agreement = await requested(desk)
    core, now = desk.agency.node.core, desk.now
    desk.agency.write(lambda tx: withdraw(tx, core, agreement, "agent-1", now))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, immersions).status == "stopped"
        assert desk.waiting(side) == {}
        desk.erased(side)
        assert side.rows(immersions) == []
