"""Candidacies: who may be proposed, and how each ends (C-3a.11 to C-3a.16, C-5.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.conventions.c_employment_city_ccas.models import candidacies, offers
from tests.services.conventions.c_employment_city_ccas.support import OFFER, Desk

PROPOSED, OUTCOME, PUBLISHED = (
    "pec.candidate_proposed",
    "pec.candidate_outcome",
    "pec.offer_published",
)
DATA = {"offer_id": OFFER}


async def test_a_candidate_is_proposed_and_decided(desk: Desk) -> None:
    """C-3a.12, C-3a.13: met, then retained; nothing after that."""
    await desk.proposed()
    for side in desk.pair.sides:
        assert desk.row(side, candidacies).state == "waiting"
        assert desk.waiting(side) == {"candidacy.outcome": "pending"}
    await desk.told(desk.city, OUTCOME, {"outcome": "met"})
    assert desk.refused(desk.city, OUTCOME, {"outcome": "met"}) == {"C-3a.12"}
    await desk.told(desk.city, OUTCOME, {"outcome": "retained"})
    for side in desk.pair.sides:
        assert desk.row(side, candidacies).state == "retained"
        assert desk.row(side, tables.cases).state == "open"
        assert desk.waiting(side) == {}
    assert desk.refused(desk.city, OUTCOME, {"outcome": "not_retained"}) == {"C-3a.12"}


async def test_the_agency_s_own_gate_awaits_an_outcome_too(desk: Desk) -> None:
    """C-3a.12."""
    await desk.proposed()
    table = candidacies
    desk.agency.write(lambda tx: tx.execute(table.update().values(state="lapsed")))
    await desk.turned_away(desk.city, OUTCOME, {"outcome": "met"})


async def test_a_candidate_not_retained_ends_the_case(desk: Desk) -> None:
    """C-6.5: two months of what holds no name."""
    await desk.proposed()
    await desk.told(desk.city, OUTCOME, {"outcome": "not_retained"})
    for side in desk.pair.sides:
        case = desk.row(side, tables.cases)
        assert (case.state, case.retain_until) == ("closed", midnight(add_months(desk.today, 2)))
    assert desk.refused(desk.city, OUTCOME, {"outcome": "met"}) >= {"C-5.3"}


@pytest.mark.parametrize(
    ("changes", "articles"),
    [
        ({}, set()),
        ({"commune": "76498"}, {"C-2.1"}),
        ({"eligible": False}, {"C-3a.3"}),
        ({"explained": False}, {"C-3a.16"}),
        ({"counsellor": "agent-2"}, {"C-3a.15"}),
    ],
)
async def test_the_agency_s_own_file_says_whether(
    desk: Desk, changes: dict[str, Any], articles: set[str]
) -> None:
    """C-2.1, C-3a.3, C-3a.15, C-3a.16: as facts of the agency's, which never leave."""
    await desk.published()
    agreement = desk.agreed(desk.person(**changes))
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement) == articles


async def test_a_fact_that_holds_no_more_refuses(desk: Desk) -> None:
    """C-3a.3."""
    await desk.published()
    person = desk.person()
    agreement = desk.agreed(person)
    desk.seeker(person, eligible=False)
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement) == {"C-3a.3"}
    desk.seeker(person)
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement) == set()


@pytest.mark.parametrize(("days", "articles"), [(28, set()), (29, {"C-3a.13"})])
async def test_an_offer_is_open_through_its_last_day(
    desk: Desk, days: int, articles: set[str]
) -> None:
    """C-3a.13: closed on the morrow of 31 March."""
    await desk.published()
    desk.pair.clock.at += timedelta(days=days)
    agreement = desk.agreed()
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement) == articles


async def test_an_offer_that_is_unknown_or_closed_there_is_none(desk: Desk) -> None:
    """C-3a.13: each gate looks at its own; what closed is forgotten (C-6.5)."""
    agreement = desk.agreed()
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement) == {"C-3a.13"}
    await desk.published()
    desk.city.write(lambda tx: tx.execute(offers.delete()))
    await desk.turned_away(desk.agency, PROPOSED, DATA, agreement_id=agreement)
    await desk.published()
    await desk.on(midnight(desk.today + timedelta(days=28)))
    assert [len(side.rows(offers)) for side in desk.pair.sides] == [1, 1]
    await desk.later(days=1)
    assert [len(side.rows(offers)) for side in desk.pair.sides] == [0, 0]


async def test_the_person_is_informed_and_agrees(desk: Desk) -> None:
    """C-4.1, C-4.2, C-5.2: an agreement that names the city, and no other."""
    await desk.published()
    agreement = desk.agreed(flows=["immersion.requested"])
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement) == {"C-4.1"}
    other = desk.agreed(recipients=["ecole-voisine"])
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=other) >= {"C-5.2"}
    assert desk.refused(desk.agency, PROPOSED, DATA) >= {"C-4.1", "C-4.2"}
    minor = desk.agreed(desk.person("2008-06-12"))
    assert desk.refused(desk.agency, PROPOSED, DATA, agreement_id=minor) == {"C-4.1"}


@pytest.mark.parametrize(
    ("which", "article"),
    [("agency", "C-3.1"), ("city", "C-3.2")],
)
async def test_each_desk_alone_treats_it(desk: Desk, which: str, article: str) -> None:
    """C-3.1, C-3.2: whoever left the desk sends no more, nor does it receive with nobody there."""
    side = getattr(desk, which)
    await desk.published()
    agreement = desk.agreed()
    await desk.later(minutes=1)
    desk.seated(side, works=False)
    if which == "agency":
        refused = desk.refused(desk.agency, PROPOSED, DATA, agreement_id=agreement)
        assert refused == {article}
        await desk.turned_away(desk.city, PUBLISHED, desk.offer())
    else:
        assert desk.refused(desk.city, PUBLISHED, desk.offer()) == {article}
        await desk.turned_away(desk.agency, PROPOSED, DATA, agreement_id=agreement)
    desk.seated(side)
    await desk.told(desk.city, PUBLISHED, desk.offer())
    await desk.told(desk.agency, PROPOSED, DATA, agreement_id=agreement)


async def test_nobody_decides_and_the_candidacy_lapses_after_thirty_days(desk: Desk) -> None:
    """C-5.1: not an instant before; at both sides, with nothing said."""
    await desk.proposed()
    await desk.later(days=30, seconds=-1)
    assert [desk.row(side, candidacies).state for side in desk.pair.sides] == ["waiting"] * 2
    await desk.later(seconds=1)
    for side in desk.pair.sides:
        assert desk.row(side, candidacies).state == "lapsed"
        assert desk.row(side, tables.cases).state == "closed"
    assert desk.refused(desk.city, OUTCOME, {"outcome": "met"}) >= {"C-3a.12"}


async def test_it_lapses_to_the_instant_whatever_the_clocks_have_struck(desk: Desk) -> None:
    """C-5.1: a node that slept decides nothing more."""
    await desk.proposed()
    desk.pair.clock.at += timedelta(days=30)
    assert desk.refused(desk.city, OUTCOME, {"outcome": "met"}) == {"C-3a.12"}
    assert desk.row(desk.city, candidacies).state == "waiting"
    desk.pair.clock.at -= timedelta(microseconds=1)
    await desk.told(desk.city, OUTCOME, {"outcome": "met"})


async def test_a_withdrawal_stops_it_at_both_sides(desk: Desk) -> None:
    """C-4.1: the agency's gate then refuses whatever the city says of the person."""
    _, agreement = await desk.proposed()
    core, now = desk.agency.node.core, desk.now
    desk.agency.write(lambda tx: withdraw(tx, core, agreement, "agent-1", now))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side, candidacies).state == "stopped"
        assert desk.waiting(side) == {}
    assert desk.refused(desk.city, OUTCOME, {"outcome": "met"}) >= {"C-3a.12", "C-5.3"}


async def test_an_offer_is_published_once_the_employer_was_interviewed(desk: Desk) -> None:
    """C-3a.1, C-3a.11: no personal data, and published again it stands once."""
    desk.city.write(lambda tx: tx.execute(tables_of_interviews().delete()))
    assert desk.refused(desk.city, PUBLISHED, desk.offer()) == {"C-3a.1"}
    desk.interviewed()
    await desk.published()
    await desk.published(weekly_hours=30)
    for side in desk.pair.sides:
        (row,) = side.rows(offers)
        assert (row.weekly_hours, row.post) == (30, "agente d'accueil")
        assert side.rows(tables.cases) == []


def tables_of_interviews() -> Any:
    from services.conventions.c_employment_city_ccas.models import (  # noqa: PLC0415 -- one use
        employer_interviews,
    )

    return employer_interviews


async def test_an_eligible_tutor_is_not_said_to_be_where_none_is(desk: Desk) -> None:
    """C-3a.6: "yes" rests on the register; "no" needs none."""
    desk.tutor(supported=None)
    with pytest.raises(Refused) as refused:
        desk.send(desk.city, PUBLISHED, desk.offer())
    assert refused.value.articles == ("C-3a.6",)
    await desk.published(eligible_tutor=False)
    desk.tutor()
    await desk.published()
