"""Either side of every bound of convention C, asked of a running agency, city and CCAS.

A check that is added to convention C and has no bound fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final

import pytest

from contracts.conventions.c_employment_city_ccas import checks
from contracts.conventions.c_employment_city_ccas.course import booklet_due_dates
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, midnight
from tests.federation import bounds_c, bounds_c_contract, bounds_c_immersion, bounds_c_territory
from tests.federation.actors_c import PARTIES, Actors
from tests.federation.bounds import (
    DAY,
    REOPENED,
    Key,
    checks_of,
    key_of,
    lived,
    shown,
    shows_both_sides,
)
from tests.federation.bounds_c import Day
from tests.federation.cast import at_ten
from tests.federation.crossed import reasons
from tests.federation.examples import Case
from tests.federation.examples_c import SCRIPT, term
from tests.federation.town import until

CHECKS: Final = checks_of(SCRIPT)
BOUNDS: Final = {
    **bounds_c.BOUNDS,
    **bounds_c_contract.BOUNDS,
    **bounds_c_immersion.BOUNDS,
    **bounds_c_territory.BOUNDS,
}
HOUR: Final = timedelta(hours=1)
AGENCY, CITY, CCAS = "agence-essai", "ville-essai", "ccas-essai"


@pytest.fixture(scope="module")
def module_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with lived(
        tmp_path_factory.mktemp("bounds-c"),
        lambda fed, orgs: Day(Actors(fed, orgs)),
        "c_employment_city_ccas",
        {AGENCY: Kind.EMPLOYMENT_AGENCY, CITY: Kind.CITY, CCAS: Kind.CCAS},
        date(2024, 2, 12),
        REOPENED,
    ) as made:
        yield made


def test_every_check_of_the_text_has_its_bound() -> None:
    """A check that is added to a flow of convention C fails here until both its sides are sent.

    That a node leaves no file is no bound: it is what the node is (see `test_convention_c.py`).
    """
    assert {*BOUNDS, key_of(checks.NO_FILE)} == set(CHECKS)


@pytest.mark.parametrize("key", BOUNDS, ids=shown)
def test_either_side_of_a_bound(day: Day, key: Key) -> None:
    shows_both_sides(CHECKS[key], BOUNDS[key](day))


def due(day: Day, kind: Kind, case: Case) -> dict[str, str]:
    """What is due in a case at a party: instants, by kind and step."""
    client = day.actors.seated(kind)
    found = client.get("/api/v1/deadlines").raise_for_status().json()
    mine = [one for one in found if one["case_id"] == case.case_id]
    return {one["kind"] + one["subject"][len(case.case_id) :]: one["due_at"] for one in mine}


def test_what_a_contract_makes_due_has_its_day(day: Day) -> None:
    """C-3a.23, C-3a.9, C-3a.28: three booklets, what comes next, a certificate a month before."""
    case = day.actors.play(day.before("m4"), ["m4"])
    first, last = term(case)

    def by(on: date) -> Any:
        return midnight(on + DAY).isoformat()

    at_city, at_agency = due(day, Kind.CITY, case), due(day, Kind.EMPLOYMENT_AGENCY, case)
    assert at_city["experience_certificate"] == by(add_months(last, -1))
    for step, on in booklet_due_dates(first, last).items():
        assert at_agency[f"booklet.ask:{step}"] == by(on)
    assert at_city["next_steps"] == at_agency["next_steps"] == by(last - DAY)
    asked = {"on": day.today.isoformat()}
    day.actors.act(day.actors.seated(Kind.CITY), case, "certificate_asked", **asked)
    assert due(day, Kind.CITY, case)["experience_certificate"] == by(day.today)


def test_an_immersion_is_asked_for_in_this_text_s_own_words(day: Day) -> None:
    """C-4.1: those of the Mission Locale's text, which know one host alone, are no message here."""
    case = day.before("m29")
    body = SCRIPT.body("m29", case, day.actors.orgs[Kind.CITY])
    former = {name: value for name, value in body["data"].items() if name != "host"}
    client = day.actors.sender("m29")
    answer = client.post("/api/v1/messages", json={**body, "data": former})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.json()["articles"] == ["C-4.1"]
    assert day.ask("m29", case).status_code == HTTPStatus.ACCEPTED


def test_what_is_dated_tomorrow_is_not_recorded(day: Day) -> None:
    """So that no message can rest on what comes after it (C-3a.1, C-3e.5, C-4.1, C-6.2, C-8.2)."""
    agency, city = Kind.EMPLOYMENT_AGENCY, Kind.CITY
    person = day.actors.person(agency, day.born(30))
    (signed,) = day.actors.held(agency)
    report = {
        "convention_id": signed["convention_id"],
        "term_ends_on": "2026-01-01",
        "evidence": "e" * 64,
    }
    for on, taken in ((day.today, True), (day.today + DAY, False)):
        at, client = (at_ten(on) - HOUR).isoformat(), day.actors.seated(agency)
        manager = day.actors.client(AGENCY)
        for path, who, body in (
            ("agreements", client, day.actors.record(agency, person, at)),
            ("volunteers", client, {"person_id": person, "asked_at": at}),
            ("staff-notices", manager, {"name": "Nouveau Venu", "told_at": at}),
            ("final-reports", manager, {**report, "written_on": on.isoformat()}),
            ("employer-interviews", day.actors.seated(city), {"held_on": on.isoformat()}),
        ):
            answer = who.post(f"/api/v1/{path}", json=body)
            assert answer.is_success is taken, (path, on, answer.text)
            refused = {HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY}
            assert taken or answer.status_code in refused, path


@pytest.mark.parametrize("code", ["m3", "m9", "m30"])
def test_a_withdrawal_at_the_agency_stops_the_city_s_own_steps(day: Day, code: str) -> None:
    """C-4.1, C-5.3: the city, which knows no name, is told that it is over; of a contract too."""
    case, city = day.before(code), day.actors.seated(Kind.CITY)
    path = f"agreements/{case.agreement_id}/withdrawal"
    day.actors.post(day.actors.seated(Kind.EMPLOYMENT_AGENCY), path, {})

    def stopped() -> bool:
        found = city.get(f"/api/v1/cases/{case.case_id}").raise_for_status().json()
        return bool(found["state"] == "stopped")

    until(stopped, "it goes on at the city")
    assert ("C-5.3", "missing_open_case") in reasons(day.ask(code, case))
    assert day.ask(code, day.before(code)).status_code == HTTPStatus.ACCEPTED


def test_what_leaves_no_file_is_shown_to_its_desk_alone_and_not_for_longer(day: Day) -> None:
    """C-5.1, C-3.2, C-3d.4: until it is decided, and of a question for twenty-four hours."""
    proposed, asked = day.before("m2"), day.before("m12")
    sent = {code: day.actors.tell(code, case) for code, case in (("m2", proposed), ("m12", asked))}
    path = f"/api/v1/received/{sent['m2']['message_id']}/view"
    outsider = day.actors.client(CITY, "manager", "cheffe-1").post(path)
    assert (outsider.status_code, outsider.json()["articles"]) == (HTTPStatus.FORBIDDEN, ["C-3.2"])
    assert day.actors.shown_again("m2", sent["m2"]["message_id"])
    day.took("m3", day.ask("m3", proposed, outcome="not_retained"))
    city = day.actors.seated(Kind.CITY)
    for decided in (city.post(path), city.get(path)):
        assert decided.status_code == HTTPStatus.FORBIDDEN
        assert decided.json()["articles"] == ["C-5.1"]
    day.go(day.today + DAY, -timedelta(minutes=5))
    assert day.actors.shown_again("m12", sent["m12"]["message_id"])
    day.go(day.today + DAY)
    path = f"/api/v1/received/{sent['m12']['message_id']}/view"
    late = day.actors.seated(Kind.EMPLOYMENT_AGENCY).post(path)
    assert late.status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}, late.text


def test_a_candidacy_waits_for_thirty_days(day: Day) -> None:
    """C-3a.12, C-5.1: decided in time, and lapsed at both sides after that."""
    in_time, late = day.before("m3"), day.before("m3")
    day.go(day.today + 30 * DAY, -timedelta(minutes=5))
    day.took("m3", day.ask("m3", in_time))
    day.go(day.today + 30 * DAY)
    city = day.actors.seated(Kind.CITY)
    path = f"/api/v1/cases/{late.case_id}"
    until(lambda: city.get(path).json()["state"] == "closed", "it waits for ever")
    assert ("C-5.3", "missing_open_case") in reasons(day.ask("m3", late))
    day.back()
    for kind in PARTIES:
        day.actors.sit_down(kind)  # a month on, what nobody used was forgotten
