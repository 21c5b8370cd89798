"""Either side of the bounds of convention D, asked of a running department and Mission Locale."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest

from contracts.kernel.organisation import Kind
from contracts.kernel.paris import day_of
from services.federation.federation import Federation
from tests.federation.actors_d import Actors
from tests.federation.bounds import DAY, Key, checks_of, shows_both_sides
from tests.federation.bounds_d import BOUNDS, Day
from tests.federation.crossing import signed_file
from tests.federation.examples_d import SCRIPT

CHECKS: Final = checks_of(SCRIPT)
DEPARTMENT, MISSION = "departement-essai", "mission-locale-essai"


@pytest.fixture(scope="module")
def module_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The two of them alone, on a day of their own, since their clocks move."""
    members = {DEPARTMENT: Kind.DEPARTMENT, MISSION: Kind.MISSION_LOCALE}
    signed = {Kind.DEPARTMENT: [DEPARTMENT], Kind.MISSION_LOCALE: [MISSION]}
    since = day_of(datetime.now(UTC)) - 400 * DAY
    file = signed_file("d_department_mission_locale", members, [signed], since)
    with Federation.create(tmp_path_factory.mktemp("bounds-d"), file) as fed:
        made = Day(Actors(fed, {kind: org for org, kind in members.items()}))
        made.go(made.today)
        made.prepare()
        try:
            yield made
        finally:
            made.actors.close()


@pytest.fixture
def day(module_day: Day) -> Iterator[Day]:
    yield module_day
    module_day.back()


@pytest.mark.parametrize("key", BOUNDS, ids="-".join)
def test_either_side_of_a_bound(day: Day, key: Key) -> None:
    shows_both_sides(CHECKS[key], BOUNDS[key](day))
