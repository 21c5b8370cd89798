"""Campaigns, statistical tables and announcements: numbers and days, never a list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.kernel.paris import midnight
from services.chassis import tables
from services.conventions.c_employment_city_ccas.territory_models import (
    announcements,
    campaigns,
    censuses,
)
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    ANNOUNCED,
    CAMPAIGN,
    SENT,
    TABLE,
    Office,
)

REQUESTED, DONE = "campaign.requested", "campaign.sent"


async def test_the_agency_sends_and_says_how_many_where_they_are_enough(office: Office) -> None:
    """C-3e.4: whoever asked never learns who was written to, nor a number below eleven."""
    await office.told(office.city, REQUESTED, CAMPAIGN)
    assert office.waiting(office.agency)["campaign.send"] == "pending"
    assert "campaign.send" not in office.waiting(office.city)
    for few in (0, 1, 10):
        assert office.refused(office.agency, DONE, {**SENT, "reached": few}) == {"C-3e.4"}
    await office.told(office.agency, DONE, {**SENT, "reached": 11})
    assert "campaign.send" not in office.waiting(office.agency)
    for side in office.pair.sides:
        (row,) = side.rows(campaigns)
        assert (row.sent_on, row.reached) == (date(2025, 11, 12), 11)
    assert office.city.rows(tables.persons) == office.city.rows(tables.cases) == []


async def test_a_hidden_number_is_absent(office: Office) -> None:
    """C-3e.4: too few are said to be sent, and nothing more."""
    await office.told(office.city, REQUESTED, CAMPAIGN)
    await office.told(office.agency, DONE, {**SENT, "reached": None})
    (row,) = office.city.rows(campaigns)
    assert (row.sent_on, row.reached) == (date(2025, 11, 12), None)


async def test_requests_are_done_in_their_order(office: Office) -> None:
    """C-3e.4."""
    first = await office.told(office.city, REQUESTED, CAMPAIGN)
    await office.later(minutes=1)
    second = await office.told(office.city, REQUESTED, {**CAMPAIGN, "event": "drop_in"})
    await office.told(office.agency, DONE, SENT)
    done = {row.message_id: row.sent_on is not None for row in office.agency.rows(campaigns)}
    assert done == {first: True, second: False}
    await office.told(office.agency, DONE, SENT)
    assert all(row.sent_on for row in office.city.rows(campaigns))
    await office.told(office.agency, DONE, SENT)
    assert len(office.city.rows(campaigns)) == 2


async def test_a_campaign_that_was_not_sent_before_its_event_is_late_and_then_forgotten(
    office: Office,
) -> None:
    """C-3e.4, C-6.5: on the day after the event nothing of it is left."""
    await office.told(office.city, REQUESTED, CAMPAIGN)
    (row,) = office.agency.rows(campaigns)
    await office.on(row.event_at - timedelta(seconds=1))
    assert office.waiting(office.agency)["campaign.send"] == "pending"
    await office.on(row.event_at)
    assert office.waiting(office.agency)["campaign.send"] == "missed"
    over = midnight(date(2025, 12, 5))
    await office.on(over - timedelta(seconds=1))
    assert len(office.city.rows(campaigns)) == 1
    await office.on(over)
    for side in office.pair.sides:
        assert side.rows(campaigns) == []
        assert "campaign.send" not in office.waiting(side)


async def test_the_ccas_asks_too_and_holds_no_name(social: Office) -> None:
    """C-3e.4, C-0.1, C-5.1: the CCAS's node has no person, no case, no proof, whatever it did."""
    await social.told(social.ccas, REQUESTED, CAMPAIGN)
    await social.told(social.agency, DONE, SENT)
    ccas = social.ccas
    assert ccas.rows(tables.persons) == ccas.rows(tables.cases) == []
    assert ccas.rows(tables.held_proofs) == ccas.rows(tables.agreements) == []
    assert len(ccas.rows(campaigns)) == 1


@pytest.mark.parametrize("which", ["agency", "city"])
@pytest.mark.parametrize(
    ("change", "articles"),
    [
        ({}, set()),
        ({"under_one_year": 10}, {"C-3e.3"}),
        ({"under_one_year": 11, "total": None}, set()),
        ({"from_two_to_three": 20}, {"C-3e.3"}),
        ({"total": 530}, {"C-3e.3"}),
        ({"total": 531}, set()),
    ],
)
async def test_a_table_tells_no_small_number_and_gives_none_away(
    office: Office, which: str, change: dict[str, Any], articles: set[str]
) -> None:
    """C-3e.3: neither itself nor by a difference with the total."""
    data = {**TABLE, **change}
    assert office.refused(getattr(office, which), "census.aggregate", data) == articles


async def test_a_later_table_takes_the_place_of_the_one_before(office: Office) -> None:
    """C-2.2, C-6.5: of each kind one, of each side; an older one changes nothing."""
    told = office.told
    await told(office.agency, "census.aggregate", TABLE)
    await told(office.agency, "census.aggregate", {**TABLE, "table": "long_term_excluded"})
    await told(office.city, "census.aggregate", TABLE)
    newer = {**TABLE, "counted_on": "2025-11-10", "under_one_year": 500, "total": 660}
    await told(office.agency, "census.aggregate", newer)
    await told(office.agency, "census.aggregate", TABLE)
    for side in office.pair.sides:
        rows = side.rows(censuses, censuses.c.table_name == "job_seekers")
        found = {row.org: (row.counted_on, row.under_one_year) for row in rows}
        assert found == {
            office.agency.org: (date(2025, 11, 10), 500),
            office.city.org: (date(2025, 10, 31), 400),
        }
        assert len(side.rows(censuses)) == 3


async def test_what_is_said_outside_is_announced_and_then_forgotten(social: Office) -> None:
    """C-5.4, C-6.5: by either, to the other; gone the day after it was published."""
    await social.told(social.agency, "communication.announced", ANNOUNCED)
    await social.told(social.ccas, "communication.announced", ANNOUNCED)
    over = midnight(date(2025, 11, 21))
    await social.on(over - timedelta(seconds=1))
    for side in social.pair.sides:
        assert [row.medium for row in side.rows(announcements)] == ["press", "press"]
    await social.on(over)
    for side in social.pair.sides:
        assert side.rows(announcements) == []
