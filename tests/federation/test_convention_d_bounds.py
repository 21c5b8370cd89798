"""Either side of the bounds of convention D, asked of a running department and Mission Locale.

A check that is added to convention D and has no bound fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

import pytest

from contracts.kernel.organisation import Kind
from tests.federation.actors_d import Actors
from tests.federation.bounds import DAY, TODAY, Key, checks_of, shown, shows_both_sides
from tests.federation.bounds_d import BOUNDS, Day
from tests.federation.cast import at_ten
from tests.federation.crossing import begun, signed_file
from tests.federation.examples_d import SCRIPT

CHECKS: Final = checks_of(SCRIPT)
DEPARTMENT, MISSION = "departement-essai", "mission-locale-essai"


@pytest.fixture(scope="module")
def module_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The two of them alone, on a day of their own, since their clocks move."""
    members = {DEPARTMENT: Kind.DEPARTMENT, MISSION: Kind.MISSION_LOCALE}
    signed = {Kind.DEPARTMENT: [DEPARTMENT], Kind.MISSION_LOCALE: [MISSION]}
    days = (TODAY - 60 * DAY, TODAY + 400 * DAY)
    file = signed_file("d_department_mission_locale", members, [signed], date(2026, 6, 22), days)
    with begun(tmp_path_factory.mktemp("bounds-d"), file, at_ten(TODAY)) as fed:
        made = Day(Actors(fed, {kind: org for org, kind in members.items()}))
        made.go(made.today)
        made.actors.amend()
        made.prepare()
        try:
            yield made
        finally:
            made.actors.close()


@pytest.fixture
def day(module_day: Day) -> Iterator[Day]:
    yield module_day
    module_day.back()


def test_every_check_of_the_text_has_its_bound() -> None:
    """A check that is added to convention D fails here until both its sides are sent."""
    assert set(BOUNDS) == set(CHECKS)


@pytest.mark.parametrize("key", BOUNDS, ids=shown)
def test_either_side_of_a_bound(day: Day, key: Key) -> None:
    shows_both_sides(CHECKS[key], BOUNDS[key](day))
