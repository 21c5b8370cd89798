"""What holds the convention together: who read it, its reports, its actions, its end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.conventions.c_employment_city_ccas import messages
from contracts.conventions.c_employment_city_ccas.evaluation import COVERS, Element
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Payload
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.bundle import Bundle
from services.chassis.governance import Review, record_review
from services.chassis.holds import Hold, place_hold, release_hold
from services.conventions.c_employment_city_ccas import governance, territory_actions
from services.conventions.c_employment_city_ccas import territory_models as models
from services.conventions.c_employment_city_ccas.side import INDICATORS
from services.conventions.c_employment_city_ccas.territory_indicators import (
    ELEMENTS,
    element_of,
)
from tests.pair import CONVENTION as SIGNED
from tests.pair import Side
from tests.reports import published
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    AGAIN,
    ANNOUNCED,
    CAMPAIGN,
    END,
    NOW,
    OPENED,
    OPPORTUNITY,
    REFERENT,
    TABLE,
    Office,
)

ANNOUNCE = "communication.announced"
LATER = {**ANNOUNCED, "on": "2026-03-01"}


def due(side: Side, kind: str) -> list[tuple[str, date]]:
    """State and last day of what waits of a kind."""
    table = tables.deadlines
    rows = side.rows(table, (table.c.kind == kind) & table.c.state.in_(("pending", "missed")))
    return [(row.state, (row.due_at - timedelta(hours=2)).date()) for row in rows]


# --- who knows the convention


def unread(office: Office, side: Side) -> Any:
    at = office.pair.clock.now()
    found = side.node.database.read_now(lambda c: governance.unread(c, side.node.core, at))
    (one,) = found
    return one["version"], [row["agent_id"] for row in one["read"]], one["unread"]


async def test_each_agent_says_that_the_convention_is_known_and_a_manager_sees_who_did_not(
    bare: Office,
) -> None:
    """C-5.5: by version, each for oneself; who accepted the charter or has a desk is expected."""
    agency = bare.agency
    agency.charter("agent-2")
    bare.desk(agency, "social_clauses", "aubette", "agent-3")
    assert bare.refused(agency, ANNOUNCE, ANNOUNCED) == {"C-5.5"}
    assert unread(bare, agency) == (1, [], ["agent-1", "agent-2", "agent-3"])
    bare.read(agency)
    bare.read(agency)
    assert bare.refused(agency, ANNOUNCE, ANNOUNCED) == set()
    assert bare.refused(agency, ANNOUNCE, ANNOUNCED, agent_id="agent-2") == {"C-5.5"}
    assert unread(bare, agency) == (1, ["agent-1"], ["agent-2", "agent-3"])


async def test_an_amendment_is_read_anew(office: Office) -> None:
    """C-5.5, C-7.4: even beforehand, once it is signed; a version nobody signed is not."""
    with pytest.raises(UnknownName):
        office.read(office.agency, 2)
    office.renewed()
    office.report(office.agency, END)
    await office.on(midnight(END))
    assert office.refused(office.agency, ANNOUNCE, LATER) == {"C-5.5"}
    assert unread(office, office.agency) == (2, [], ["agent-1"])
    office.read(office.agency, 2)
    assert office.refused(office.agency, ANNOUNCE, LATER) == set()


# --- the report


async def test_the_report_is_due_by_the_last_day_and_owed_until_it_is_written(
    office: Office,
) -> None:
    """C-7.2: of each party; recorded, the next term's is due by its own last day."""
    office.renewed()
    await office.on(midnight(END) - timedelta(seconds=1))
    for side in office.pair.sides:
        assert due(side, governance.REPORT) == [("pending", END - timedelta(days=1))]
    await office.on(midnight(END))
    assert due(office.city, governance.REPORT) == [("missed", END - timedelta(days=1))]
    office.report(office.city, END)
    assert due(office.city, governance.REPORT) == [("pending", AGAIN - timedelta(days=1))]
    table = tables.deadlines
    rows = office.city.rows(table, table.c.kind == governance.REPORT)
    assert sorted(row.state for row in rows) == ["late", "pending"]


async def test_a_report_in_time_is_met_and_nothing_more_is_due_without_a_renewal(
    office: Office,
) -> None:
    """C-7.2."""
    await office.later(minutes=1)
    office.report(office.city, END)
    await office.later(days=1)
    assert due(office.city, governance.REPORT) == []
    table = tables.deadlines
    (row,) = office.city.rows(table, table.c.kind == governance.REPORT)
    assert row.state == "met"


def test_a_report_is_about_a_term_and_not_of_tomorrow(office: Office) -> None:
    """C-7.2: written again, the paper changes and the first recording still counts."""
    wrong = (
        (END + timedelta(days=1), office.today),
        (END, office.today + timedelta(days=1)),
        (END, OPENED - timedelta(days=1)),
        (AGAIN, office.today),
    )
    for term, written_on in wrong:
        with pytest.raises(InvalidPayload):
            office.report(office.city, term, written_on)
    office.report(office.city, END)
    office.pair.clock.at += timedelta(days=1)
    office.report(office.city, END)
    (row,) = office.city.rows(models.final_reports)
    assert (row.recorded_at, row.written_on) == (NOW, office.today)


async def test_an_early_report_opens_the_renewal_on_its_first_day(office: Office) -> None:
    """C-8.2: a report on the first term serves the second alone, not a third."""
    office.renewed()
    for side in office.pair.sides:
        office.report(side, END)
        office.read(side, 2)
    await office.on(midnight(END))
    await office.told(office.agency, ANNOUNCE, LATER)
    core = office.agency.node.core
    terms = governance.terms_of(core.directory.conventions[SIGNED])
    assert [(one.starts_on, one.ends_on) for one in terms] == [(OPENED, END), (END, AGAIN)]


async def test_an_amendment_that_moves_no_end_asks_for_no_report(office: Office) -> None:
    """C-7.4, C-8.2: commitments may change at any time; the term stays the first."""
    effective = office.today + timedelta(days=1)
    token = office.pair.sign_terms(2, effective_on=effective)
    office.pair.publish(Bundle(terms=(token,)))
    for side in office.pair.sides:
        office.read(side, 2)
    await office.on(midnight(effective))
    await office.told(office.agency, ANNOUNCE, ANNOUNCED)


async def test_the_template_has_three_elements_filled_with_counts(office: Office) -> None:
    """C-7.2, C-7.3: each year that was published, small numbers hidden, a blank for words."""
    for number in range(11):
        last = {**OPPORTUNITY, "site": f"Chantier {'abcdefghijk'[number]}"}
        await office.told(office.agency, "clause.opportunity", last)
    await office.asks()
    published(office.agency, 2024)
    assert template(office)["not_published"] == ["2025-01-01"]
    await office.on(midnight(END - timedelta(days=1)))
    published(office.agency, 2025)
    found = template(office)
    assert (found["term_ends_on"], found["not_published"]) == (END.isoformat(), [])
    assert [one["element"] for one in found["elements"]] == ["means", "results", "contribution"]
    assert all(one["comment"] == "" for one in found["elements"])
    assert all(
        [year["first_day"] for year in one["years"]] == ["2024-01-01", "2025-01-01"]
        for one in found["elements"]
    )
    shown = {
        one["what"]: one for element in found["elements"] for one in element["years"][1]["tables"]
    }
    assert set(shown) == {one.what for one in INDICATORS if one.share is None}
    assert shown["clause.opportunity"]["cells"][0]["number"] == 11
    assert shown["clause.question"]["cells"][0]["number"] is None
    with pytest.raises(UnknownName):
        template(office, "inconnue")


def template(office: Office, convention_id: str = SIGNED) -> Any:
    core, at = office.agency.node.core, office.pair.clock.now()
    return office.agency.node.database.read_now(
        lambda c: governance.template(c, core, convention_id, at)
    )


def test_every_indicator_stands_under_one_element_and_each_code_has_its_label() -> None:
    """C-7.3, C-2.2, C-3e.3, C-3c.1."""
    assert set(ELEMENTS) == set(Element)
    assert {element_of(one.article) for one in INDICATORS} == set(Element)
    assert all(element_of(article) is element for article, element in COVERS.items())

    def codes(payload: type[Payload], field: str) -> set[str]:
        return set(payload.model_json_schema()["properties"][field]["enum"])

    labels = {one.what: set(one.labels) for one in INDICATORS}
    assert labels["clause.eligibility_answered"] == codes(messages.EligibilityAnswered, "answer")
    assert labels["census"] == codes(messages.CensusAggregate, "table")
    assert labels["communication"] == codes(messages.CommunicationAnnounced, "subject")
    assert labels["referent"] == codes(messages.ReferentsPublished, "task") | {"antenna"}


async def test_the_parties_meet_once_a_year(office: Office) -> None:
    """C-7.1: twelve months after the opening, then after each meeting."""
    await office.later(minutes=1)
    side = office.city
    assert due(side, "convention.review") == [("missed", date(2025, 2, 28))]
    review, at = Review(held_on=office.today), office.pair.clock.now()
    again = side.write(lambda tx: record_review(tx, side.node.core, SIGNED, review, "agent-1", at))
    assert again == add_months(office.today, 12)


# --- collective actions


def held(office: Office, on: date, *, youth: bool = False, joint: bool = False) -> None:
    body = territory_actions.CollectiveAction(
        convention_id=SIGNED, held_on=on, for_youth=youth, joint=joint
    )
    side, at = office.agency, office.pair.clock.now()
    number = f"{len(side.rows(models.collective_actions)):032d}"
    side.write(
        lambda tx: territory_actions.hold_action(tx, side.node.core, body, number, "agent-1", at)
    )


async def test_four_actions_a_month_one_of_them_for_the_young(office: Office) -> None:
    """C-3c.1, C-3c.2: a month that is short says so at its end, until the next one's is due."""
    monthly = territory_actions.MONTHLY
    await office.later(minutes=1)
    assert due(office.agency, monthly) == [("pending", date(2025, 11, 30))]
    assert due(office.city, monthly) == []
    for day in (1, 2, 3):
        held(office, date(2025, 11, day), joint=day == 1)
    held(office, date(2025, 10, 31), youth=True)
    held(office, date(2025, 11, 4))
    assert due(office.agency, monthly) == [("pending", date(2025, 11, 30))]
    held(office, date(2025, 11, 5), youth=True)
    assert due(office.agency, monthly) == []
    await office.later(days=1)
    assert due(office.agency, monthly) == []
    await office.on(midnight(date(2025, 12, 1)))
    assert due(office.agency, monthly) == [("pending", date(2025, 12, 31))]
    rows = office.agency.rows(tables.tallies, tables.tallies.c.month == date(2025, 11, 1))
    numbers = {(row.what, row.code): row.number for row in rows}
    assert numbers["collective_action", "other"] == 4
    assert numbers["collective_action", "youth"] == 1
    assert numbers["joint_action", "joint"] == 1


async def test_a_short_month_is_late_for_a_month(office: Office) -> None:
    """C-3c.1: not a second before its end; none is due once the convention is over."""
    monthly, november, december = territory_actions.MONTHLY, date(2025, 11, 30), date(2025, 12, 31)
    office.renewed()
    await office.on(midnight(date(2025, 12, 1)) - timedelta(seconds=1))
    assert due(office.agency, monthly) == [("pending", november)]
    await office.on(midnight(date(2025, 12, 1)))
    assert sorted(due(office.agency, monthly)) == [("missed", november), ("pending", december)]
    await office.on(midnight(END))
    late, pending = sorted(due(office.agency, monthly))
    assert (late, pending[0]) == (("missed", december), "pending")
    await office.on(midnight(AGAIN))
    assert due(office.agency, monthly) == []


async def test_what_was_held_may_be_recorded_in_the_month_after(office: Office) -> None:
    """C-3c.1: the month is then done, late."""
    await office.on(midnight(date(2025, 12, 1)))
    for day in range(1, 5):
        held(office, date(2025, 11, day), youth=day == 4)
    assert due(office.agency, territory_actions.MONTHLY) == [("pending", date(2025, 12, 31))]


def test_an_action_was_held_under_the_convention(office: Office) -> None:
    """C-3c.1."""
    for wrong in (office.today + timedelta(days=1), OPENED - timedelta(days=1)):
        with pytest.raises(InvalidPayload):
            held(office, wrong)
    held(office, office.today)
    held(office, OPENED)


# --- the end


async def test_two_months_after_the_end_nothing_is_left_but_proof(office: Office) -> None:
    """C-6.5: neither at the agency nor at the city; not a second before."""
    await office.told(office.agency, "referents.published", REFERENT)
    await office.told(office.city, "campaign.requested", CAMPAIGN)
    await office.told(office.agency, "census.aggregate", TABLE)
    office.report(office.agency, END)
    held(office, office.today)
    gone = (
        models.referents,
        models.censuses,
        models.desks,
        models.readings,
        models.collective_actions,
    )
    purged = midnight(add_months(END, 2))
    await office.on(purged - timedelta(seconds=1))
    assert all(office.agency.rows(table) for table in gone)
    await office.on(purged)
    for side in office.pair.sides:
        assert not any(side.rows(table) for table in gone)
    assert len(office.agency.rows(models.final_reports)) == 1


async def test_a_dispute_keeps_what_the_end_would_destroy(office: Office) -> None:
    """C-6.5: until it is settled."""
    await office.told(office.agency, "referents.published", REFERENT)
    city, core = office.city, office.city.node.core
    hold = Hold(ground="amicable")
    city.write(lambda tx: place_hold(tx, core, SIGNED, hold, "h" * 32, "agent-1", NOW))
    purged = midnight(add_months(END, 2))
    await office.on(purged)
    assert office.agency.rows(models.referents) == []
    assert len(city.rows(models.referents)) == 1
    city.write(lambda tx: release_hold(tx, core, SIGNED, "h" * 32, "agent-1", purged))
    await office.later(days=1)
    assert city.rows(models.referents) == []
