"""What both sides do together beside any case: offers, the platform, events, reviews."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from contracts.conventions.b_city_mission_locale import messages
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Payload
from contracts.kernel.messages import ImmersionStatus
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.agreements import withdraw_known
from services.conventions.b_city_mission_locale.indicators import INDICATORS
from services.conventions.b_city_mission_locale.models import (
    common_events,
    offers,
    psad_charters,
    representative_notices,
)
from services.conventions.b_city_mission_locale.routes import CommonEvent, hold_event
from tests.pair import CONVENTION as SIGNED
from tests.pair import SIGNED_ON, Side
from tests.reports import counting, numbers
from tests.services.conventions.b_city_mission_locale.support import CONTACT, REQUEST, Desk

PLACES: dict[str, Any] = {
    "theme": "remobilisation--lien-social",
    "places": 8,
    "youngest": 16,
    "oldest": 17,
    "last_day": "2027-03-31",
    "contact": CONTACT,
}
SERVICE: dict[str, Any] = {
    "name": "Atelier mobilité",
    "theme": "mobilite--preparer-un-permis",
    "kind": "atelier",
    "last_day": None,
    "contact": CONTACT,
}


async def test_the_platform_is_closed_until_the_city_s_signature_is_recorded(desk: Desk) -> None:
    """B-2.1: at both sides; on the very day it is open."""
    assert desk.refused(desk.city, "psad.offer", PLACES) == {"B-2.1"}
    with pytest.raises(InvalidPayload):
        desk.charter(desk.city, desk.today + timedelta(days=1))
    desk.charter(desk.city, desk.today)
    outcome = desk.send(desk.city, "psad.offer", PLACES)
    await desk.pair.carry()
    assert desk.city.state(outcome.message_id) == "refused"
    desk.charter(desk.mission, desk.today)
    desk.charter(desk.mission, desk.today)
    assert len(desk.mission.rows(psad_charters)) == 1
    await desk.told(desk.city, "psad.offer", PLACES)
    (row,) = desk.mission.rows(offers)
    assert (row.places, row.theme, row.contact_name) == (8, PLACES["theme"], CONTACT["name"])
    assert desk.mission.rows(tables.cases) == desk.mission.rows(tables.persons) == []


@pytest.mark.parametrize(("oldest", "articles"), [(17, set()), (18, {"B-2.2"})])
async def test_the_platform_is_for_16_and_17(desk: Desk, oldest: int, articles: set[str]) -> None:
    """B-2.2."""
    desk.charter(desk.city, desk.today)
    assert desk.refused(desk.city, "psad.offer", {**PLACES, "oldest": oldest}) == articles


@pytest.mark.parametrize("which", ["city", "mission"])
async def test_each_presents_its_services_and_what_ended_is_forgotten(
    desk: Desk, which: str
) -> None:
    """B-2.3, B-3.1: three months after its last day; without one it stays, and stands once."""
    side = getattr(desk, which)
    ends = desk.today + timedelta(days=10)
    await desk.told(side, "service_catalogue.published", SERVICE)
    await desk.told(side, "service_catalogue.published", SERVICE)
    ended = {**SERVICE, "name": "Stage d'hiver", "last_day": str(ends)}
    await desk.told(side, "service_catalogue.published", ended)
    last = add_months(ends, 3)
    await desk.on(midnight(last) - timedelta(seconds=1))
    for one in desk.pair.sides:
        assert len(one.rows(offers)) == 2
    await desk.on(midnight(last))
    for one in desk.pair.sides:
        assert [row.last_day for row in one.rows(offers)] == [None]


def held(desk: Desk, side: Side, on: date, convention: str = SIGNED) -> None:
    body, at = CommonEvent(convention_id=convention, held_on=on), desk.pair.clock.now()
    side.write(lambda tx: hold_event(tx, side.node.core, body, "agent-1", at))


def due(side: Side, kind: str) -> list[tuple[str, date]]:
    table = tables.deadlines
    waits = (table.c.kind == kind) & table.c.state.in_(("pending", "missed"))
    return [(row.state, row.due_at.date()) for row in side.rows(table, waits)]


async def test_an_event_together_is_due_each_year(desk: Desk) -> None:
    """B-2.6: twelve months after the convention opened, then after the last event."""
    await desk.later(minutes=1)
    first = midnight(add_months(SIGNED_ON, 12))
    for side in desk.pair.sides:
        assert due(side, "common_event") == [("pending", first.date())]
    held(desk, desk.city, desk.today - timedelta(days=2))
    held(desk, desk.city, desk.today - timedelta(days=2))
    assert len(desk.city.rows(common_events)) == 1
    again = midnight(add_months(desk.today - timedelta(days=2), 12))
    assert due(desk.city, "common_event") == [("pending", again.date())]
    await desk.on(again)
    assert due(desk.city, "common_event") == [("missed", again.date())]
    for wrong in (desk.today + timedelta(days=1), SIGNED_ON - timedelta(days=1)):
        with pytest.raises(InvalidPayload):
            held(desk, desk.city, wrong)
    with pytest.raises(UnknownName):
        held(desk, desk.city, desk.today, "inconnue")


async def test_no_event_is_due_once_the_convention_is_over(desk: Desk) -> None:
    """B-5.1, B-2.6."""
    await desk.later(minutes=1)
    assert due(desk.city, "common_event")
    await desk.on(midnight(add_months(SIGNED_ON, 36)))
    assert due(desk.city, "common_event") == []


async def test_they_meet_twice_a_year(desk: Desk) -> None:
    """B-4.1: six months after the opening, then after each meeting."""
    await desk.later(minutes=1)
    for side in desk.pair.sides:
        assert [state for state, _ in due(side, "convention.review")] == ["missed"]
        assert desk.met(side, desk.today) == add_months(desk.today, 6)
        assert [state for state, _ in due(side, "convention.review")] == ["pending"]


async def test_a_report_counts_and_names_nobody(desk: Desk) -> None:
    """B-4.2, B-0.4, B-2.6: numbers alone leave, and small ones do not."""
    for number in range(5):
        agreement = desk.agreed(desk.city)
        await desk.told(desk.city, "orientation.requested", REQUEST, agreement_id=agreement)
        said = {"outcome": "registered" if number else "declined", "on": desk.today.isoformat()}
        await desk.told(desk.mission, "orientation.answered", said)
        held(desk, desk.mission, desk.today - timedelta(days=number))
    found = counting(desk.mission, desk.today.year)
    tables_ = {one["what"]: one for one in found["tables"]}
    assert set(tables_) == {one.what for one in INDICATORS}
    assert tables_["opened"]["total"] == 5
    assert tables_["common_event"]["total"] == 5
    cells = {one["code"]: one["number"] for one in tables_["orientation.answered"]["cells"]}
    assert cells["declined"] is None
    assert cells["registered"] is None


def test_every_code_of_a_message_that_is_counted_has_its_label() -> None:
    """B-4.2."""

    def codes(payload: type[Payload], field: str) -> set[str]:
        return set(payload.model_json_schema()["properties"][field]["enum"])

    labels = {one.what: set(one.labels) for one in INDICATORS}
    assert labels["orientation.answered"] == codes(messages.OrientationAnswered, "outcome")
    assert labels["cosupport.closed"] == codes(messages.CosupportClosed, "outcome")
    assert labels["immersion.status"] == codes(ImmersionStatus, "status")


async def test_what_a_representative_was_told_goes_with_the_person(desk: Desk) -> None:
    """RGPD 13, B-3.1: it outlives nobody in the register."""
    person = desk.informed(desk.city, desk.person(desk.city))
    await desk.later(minutes=1)
    assert len(desk.city.rows(representative_notices)) == 1
    persons = tables.persons
    desk.city.write(lambda tx: tx.execute(persons.delete().where(persons.c.person_id == person)))
    await desk.city.node.purge(desk.pair.clock.at)
    assert desk.city.rows(representative_notices) == []


async def test_what_crosses_midnight_is_of_one_year_at_both_sides(desk: Desk) -> None:
    """B-4.2: cases, answers and withdrawals are counted by the instant at which they were sent."""
    year, pair = desk.today.year, desk.pair
    new_year = midnight(date(year + 1, 1, 1))
    pair.clock.at = new_year - timedelta(minutes=9)
    found: list[tuple[str, str]] = []
    for _ in range(15):
        agreement = desk.agreed(desk.city)
        await desk.told(desk.city, "orientation.requested", REQUEST, agreement_id=agreement)
        (case,) = desk.city.rows(tables.cases, tables.cases.c.case_id == desk.case_id)
        found.append((desk.case_id, agreement if len(found) < 10 else case.reference))
    pair.clock.at = new_year - timedelta(seconds=1)
    for desk.case_id, _ in found[:5]:
        said = {"outcome": "received", "on": desk.today.isoformat()}
        desk.send(desk.mission, "orientation.answered", said)
    for side, ended in ((desk.city, found[5:10]), (desk.mission, found[10:])):
        for _, known in ended:
            withdrawn = partial(withdraw_known, core=side.node.core, agreement_id=known)
            side.write(partial(withdrawn, agent_id="agent-1", at=pair.clock.now()))
    for _ in range(5):
        agreement = desk.agreed(desk.city)
        desk.send(desk.city, "orientation.requested", REQUEST, agreement_id=agreement)
    pair.clock.at = new_year + timedelta(seconds=1)
    await pair.carry()
    for one in (year, year + 1):
        city, mission = (counting(side, one) for side in pair.sides)
        assert city["tables"] == mission["tables"]
        told = {what: numbers(city, what)["total"] for what in ("opened", "stopped")}
        assert told == ({"opened": 20, "stopped": 10} if one == year else dict.fromkeys(told))
        answers = numbers(city, "orientation.answered")
        assert answers["total"] == (5 if one == year else None)
