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
from tests.federation.bounds import (
    REOPENED,
    Key,
    checks_of,
    lived,
    shown,
    shows_both_sides,
)
from tests.federation.bounds_d import BOUNDS, Day
from tests.federation.examples_d import SCRIPT

CHECKS: Final = checks_of(SCRIPT)
DEPARTMENT, MISSION = "departement-essai", "mission-locale-essai"


@pytest.fixture(scope="module")
def module_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with lived(
        tmp_path_factory.mktemp("bounds-d"),
        lambda fed, orgs: Day(Actors(fed, orgs)),
        "d_department_mission_locale",
        {DEPARTMENT: Kind.DEPARTMENT, MISSION: Kind.MISSION_LOCALE},
        date(2026, 6, 22),
        REOPENED,
    ) as made:
        yield made


def test_every_check_of_the_text_has_its_bound() -> None:
    """A check that is added to convention D fails here until both its sides are sent."""
    assert set(BOUNDS) == set(CHECKS)


@pytest.mark.parametrize("key", BOUNDS, ids=shown)
def test_either_side_of_a_bound(day: Day, key: Key) -> None:
    shows_both_sides(CHECKS[key], BOUNDS[key](day))
