"""Either side of every bound of convention B, asked of a running city and a running Mission Locale.

A check that is added to convention B and has no bound fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import pytest

from contracts.kernel.organisation import Kind
from tests.federation.actors_b import SIDES, Actors
from tests.federation.bounds import DAY, TODAY, Key, checks_of, lived, shown, shows_both_sides
from tests.federation.bounds_b import Day
from tests.federation.bounds_b_immersion import BOUNDS
from tests.federation.cast import at_ten
from tests.federation.crossed import reasons
from tests.federation.examples import Case
from tests.federation.examples_b import ACCEPTED, PAIRED, SCRIPT
from tests.federation.town import until

CHECKS: Final = checks_of(SCRIPT)
CITY, MISSION = "ville-essai", "mission-locale-essai"


@pytest.fixture(scope="module")
def module_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with lived(
        tmp_path_factory.mktemp("bounds-b"),
        lambda fed, orgs: Day(Actors(fed, orgs)),
        "b_city_mission_locale",
        {CITY: Kind.CITY, MISSION: Kind.MISSION_LOCALE},
        TODAY - 400 * DAY,
    ) as made:
        yield made


def test_every_check_of_the_text_has_its_bound() -> None:
    """A check that is added to a flow of convention B fails here until both its sides are sent."""
    assert set(BOUNDS) == set(CHECKS)


@pytest.mark.parametrize("key", BOUNDS, ids=shown)
def test_either_side_of_a_bound(day: Day, key: Key) -> None:
    shows_both_sides(CHECKS[key], BOUNDS[key](day))


@pytest.mark.parametrize("kind", SIDES)
def test_what_is_dated_tomorrow_is_not_recorded(day: Day, kind: Kind) -> None:
    """So that no message can rest on what comes after it (B-2.1, B-3.1)."""
    person, client = day.actors.young(kind, day.born(17)), day.actors.client(day.actors.orgs[kind])
    told = {"person_id": person, "version": "1", "channel": "letter", "language": "fr"}
    for on, status in ((day.today - DAY, HTTPStatus.CREATED), (day.today + DAY, None)):
        at = at_ten(on).isoformat()
        bodies = {
            "agreements": day.actors.record(kind, person, at),
            "representative-notices": {**told, "given_at": at},
            "psad-charters": {"signed_on": on.isoformat(), "evidence": "e" * 64},
        }
        for path, body in bodies.items():
            answer = client.post(f"/api/v1/{path}", json=body)
            assert answer.status_code == (status or HTTPStatus.UNPROCESSABLE_ENTITY), path


def held(day: Day, org: str, case: Case) -> dict[str, Any]:
    """What an organisation holds about a case."""
    found = day.actors.client(org).get(f"/api/v1/cases/{case.case_id}").raise_for_status()
    return dict(found.json())


def stops(day: Day, org: str, case: Case) -> None:
    """Wait until nothing flows in a case any more, at an organisation."""
    until(lambda: held(day, org, case)["state"] == "stopped", f"it goes on at {org}")


@pytest.mark.parametrize("kind", SIDES)
@pytest.mark.parametrize(("opened", "named"), [PAIRED, ("m6", "m7")])
def test_a_withdrawal_at_either_side_stops_both(
    day: Day, kind: Kind, opened: str, named: str
) -> None:
    """B-3.1: whoever collected the agreement, and whichever side is told that it is over."""
    case = day.case(opened, named)
    reference = case.agreement_id
    if SCRIPT.flows[opened].sender is not kind:
        reference = held(day, day.actors.orgs[kind], case)["agreement"]
    for code in ("m9", "m10"):
        assert day.ask(code, case).status_code == HTTPStatus.ACCEPTED
    day.actors.post(day.actors.seated(kind), f"agreements/{reference}/withdrawal", {})
    for one in day.actors.orgs.values():
        stops(day, one, case)
    for code in ("m7", "m8", "m9", "m10", "m11", "m12"):
        found = reasons(day.ask(code, case))
        assert {("B-3.1", "agreement_withdrawn"), ("B-3.1", "missing_open_case")} <= found, code


def test_a_withdrawal_reaches_a_host_who_knows_no_name(day: Day) -> None:
    """B-2.9, B-3.1: the host's own steps stop with the others."""
    case = day.case(*ACCEPTED)
    day.actors.post(day.actors.sender("m13"), f"agreements/{case.agreement_id}/withdrawal", {})
    stops(day, CITY, case)
    assert ("B-3.1", "missing_open_case") in reasons(day.ask("m15", case))
    assert ("B-3.1", "agreement_withdrawn") in reasons(day.ask("m14", case))


def test_the_mission_locale_answers_for_whom_the_host_cannot_name(day: Day) -> None:
    """B-1.2: the host's gate lets its step leave; the other refuses it from the birthday on."""
    today, tomorrow = (
        day.actors.play(day.agreed("m13", day.born(26, 1)), ["m13"]) for _ in range(2)
    )
    day.took("m15", day.ask("m15", today))
    day.go(day.today + DAY)
    answer = day.ask("m15", tomorrow)
    assert "B-1.2" in day.actors.turned_away("m15", answer.json()["message_id"])
