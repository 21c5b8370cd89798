"""What is kept of a measure, part by part, and until when (A-5.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.kernel.paris import midnight
from services.chassis import tables
from services.chassis.holds import Hold, place_hold, release_hold
from services.chassis.retention import purge
from services.conventions.a_city_school import store
from services.conventions.a_city_school.models import measures, records
from tests.pair import CONVENTION as SIGNED
from tests.pair import Pair
from tests.services.conventions.a_city_school.support import ALERT, Desk


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


async def test_what_is_kept_of_a_measure_and_until_when(desk: Desk) -> None:
    """A-5.1: alerts a month, the contract until the school year ends, then the key."""
    await desk.running()
    alert = {**ALERT, "at": desk.pair.clock.at.isoformat()}
    await desk.told(desk.city, "alternative.alert", alert)
    ended = {
        "outcome": "completed",
        "ended_on": desk.today.isoformat(),
        "booklet_handed": True,
    }
    await desk.told(desk.city, "alternative.ended", ended)
    await desk.on(midnight(date(2026, 12, 30)) - timedelta(microseconds=1))
    assert desk.city.rows(records, records.c.what == "alert")
    await desk.on(midnight(date(2026, 12, 30)))
    for side in desk.pair.sides:
        assert not side.rows(records, records.c.what == "alert")
        (case,) = side.rows(tables.cases)
        assert case.retain_until == midnight(date(2027, 7, 3))
    await desk.on(midnight(date(2027, 2, 28)) - timedelta(microseconds=1))
    assert desk.city.rows(tables.persons)
    await desk.on(midnight(date(2027, 2, 28)))
    assert desk.city.rows(tables.persons) == []
    assert not desk.city.rows(records, records.c.what == "news")
    (case,) = desk.city.rows(tables.cases)
    assert (case.state, case.person_id) == ("closed", None)
    (case,) = desk.school.rows(tables.cases)
    assert case.person_id is not None  # of one's own register: an erasure must reach the case
    (measure,) = desk.city.rows(measures)
    assert measure.contract is not None
    await desk.on(midnight(date(2027, 7, 3)))
    core, at = desk.city.node.core, desk.pair.clock.now()
    await purge(desk.city.node.database, core, at)
    assert desk.city.rows(measures) == desk.city.rows(records) == []


async def test_a_contract_goes_with_the_school_year_though_the_request_is_kept_longer(
    desk: Desk,
) -> None:
    """A-5.1: of a measure in June the school year's end comes first."""
    await desk.running()
    ended = {"outcome": "completed", "ended_on": desk.today.isoformat(), "booklet_handed": True}
    await desk.told(desk.city, "alternative.ended", ended)
    for side in desk.pair.sides:
        due = side.rows(tables.deadlines, tables.deadlines.c.kind == "contract.forgotten")
        assert [row.due_at for row in due] == [midnight(date(2027, 7, 3))]
        side.write(lambda tx: store.forget_contract(tx, desk.case_id))
        (measure,) = side.rows(measures)
        signed = (measure.head_teacher, measure.youth_service, measure.pupil)
        assert (*signed, measure.representative) == (None,) * 4
        assert (measure.contract, measure.first_day, measure.outcome) == (None, None, None)
        assert side.rows(tables.persons)


async def test_a_dispute_keeps_the_parts_of_a_measure_too(desk: Desk) -> None:
    """A-12.1: neither alert nor identity goes before the release, and each the day after."""
    await desk.running()
    alert = {**ALERT, "at": desk.pair.clock.at.isoformat()}
    await desk.told(desk.city, "alternative.alert", alert)
    ended = {"outcome": "completed", "ended_on": desk.today.isoformat(), "booklet_handed": True}
    await desk.told(desk.city, "alternative.ended", ended)
    side, core, at = desk.city, desk.city.node.core, desk.pair.clock.now()
    hold = Hold(ground="amicable")
    side.write(lambda tx: place_hold(tx, core, SIGNED, hold, "h" * 32, "agent-1", at))
    await desk.on(midnight(date(2027, 3, 15)))
    assert side.rows(tables.persons)
    assert side.rows(records, records.c.what == "alert")
    release = desk.pair.clock.now()
    side.write(lambda tx: release_hold(tx, core, SIGNED, "h" * 32, "agent-1", release))
    await desk.on(midnight(date(2027, 3, 17)))
    assert side.rows(tables.persons) == []
    assert side.rows(records, records.c.what == "alert") == []
