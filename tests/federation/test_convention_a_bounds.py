"""Either side of every bound of convention A, asked of a running school and a running city.

A check that is added to convention A and has no bound fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

import pytest

from contracts.conventions.a_city_school import checks
from tests.federation.actors_a import READER
from tests.federation.bounds import DAY, Key, checks_of, key_of, shown, shows_both_sides
from tests.federation.bounds_a import Day, school_and_city
from tests.federation.bounds_a_measure import BOUNDS
from tests.federation.cast import at_ten
from tests.federation.examples_a import HOST, SCRIPT
from tests.federations import CITY, SCHOOL

CHECKS: Final = checks_of(SCRIPT)


@pytest.fixture(scope="module")
def module_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with school_and_city(tmp_path_factory.mktemp("bounds-a")) as made:
        first, last = (made.today + days * DAY for days in (-30, 60))
        made.actors.host(HOST, first_day=first.isoformat(), last_day=last.isoformat())
        yield made


def test_every_check_of_the_text_has_its_bound() -> None:
    """A check that is added to a flow of convention A fails here until both its sides are sent."""
    assert {*BOUNDS, key_of(checks.DESIGNATED)} == set(CHECKS)


@pytest.mark.parametrize("key", BOUNDS, ids=shown)
def test_either_side_of_a_bound(day: Day, key: Key) -> None:
    shows_both_sides(CHECKS[key], BOUNDS[key](day))


def test_an_information_or_an_agreement_of_tomorrow_is_not_recorded(day: Day) -> None:
    """So no message can rest on one that comes after it (A-2.10, A-2.11)."""
    pupil, client = day.actors.pupil(date(day.today.year - 14, 1, 15)), day.actors.client(SCHOOL)
    yesterday, tomorrow = (at_ten(day.today + days * DAY).isoformat() for days in (-1, 1))
    paths: tuple[Literal["agreements", "notices"], ...] = ("agreements", "notices")
    for path in paths:
        for given, status in ((yesterday, 201), (tomorrow, 422)):
            record = day.actors.record(path, pupil, given)
            assert client.post(f"/api/v1/{path}", json=record).status_code == status, path


def test_a_notice_to_the_mayor_waits_for_a_designated_agent(day: Day) -> None:
    """R131-10-1: yesterday's designation and tomorrow's are none; the receiver's gate says so."""
    city = day.actors.client(CITY)
    refused = {"before any": None, "over": (-2, -1), "to come": (1, 2)}

    def sent() -> str:
        return str(day.ask("d1", day.case()).json()["message_id"])

    def designate(first: int, last: int) -> None:
        days = {"first_day": first, "last_day": last}
        said = {name: (day.today + count * DAY).isoformat() for name, count in days.items()}
        body = {"agent_id": READER, "decision": "arrêté 2026-12", **said}
        city.post("/api/v1/designations", json=body).raise_for_status()

    for what, days in refused.items():
        if days is not None:
            designate(*days)
        assert day.actors.turned_away("d1", sent()) == ["R131-10-1"], what
    designate(0, 0)
    day.actors.accepted("d1", sent())
