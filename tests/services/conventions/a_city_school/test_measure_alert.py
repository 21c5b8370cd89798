"""Alerts during the alternative to exclusion: who reads them by when, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.kernel.paris import midnight
from services.chassis import tables
from services.conventions.a_city_school.models import records
from tests.pair import Pair
from tests.services.conventions.a_city_school.support import ALERT, Desk


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


async def test_an_alert_escalates_until_somebody_has_read_it(desk: Desk) -> None:
    """A-3.15, A-7.2: a quarter of an hour to arrive, two hours to be read, then louder."""
    await desk.running()
    alert = {**ALERT, "at": desk.pair.clock.at.isoformat()}
    sent = desk.send(desk.city, "alternative.alert", alert)
    waiting = desk.waiting(desk.city)
    assert (waiting["alert.delivery"], waiting["alert.reading"]) == ("pending", "pending")
    await desk.later(minutes=14)
    assert not late(desk, "alert.delivery")
    await desk.later(minutes=1)
    assert len(late(desk, "alert.delivery")) == 1
    await desk.later(minutes=15)
    assert len(late(desk, "alert.delivery")) == 2
    await desk.pair.carry()
    assert not late(desk, "alert.delivery")
    assert "alert.delivery" not in desk.waiting(desk.city)
    assert desk.waiting(desk.school)["alert.seen"] == "pending"
    await desk.later(hours=2)
    assert late(desk, "alert.reading")
    assert desk.waiting(desk.school)["alert.seen"] in {"pending", "missed"}
    desk.read(desk.school, sent.message_id)
    await desk.pair.carry()
    assert "alert.seen" not in desk.waiting(desk.school)
    assert "alert.reading" not in desk.waiting(desk.city)
    (row,) = desk.city.rows(tables.outbox, tables.outbox.c.message_id == sent.message_id)
    assert (row.state, row.status) == ("accepted", "read")
    (line,) = desk.school.rows(records, records.c.what == "alert")
    assert line.code == "absence"


def late(desk: Desk, kind: str) -> list[object]:
    table = tables.deadlines
    return list(desk.city.rows(table, (table.c.kind == kind) & (table.c.state == "missed")))


async def test_an_alert_names_who_is_responsible_and_no_more(desk: Desk) -> None:
    """A-3.16, A-7.2: an accident without a word on health; the school answers for the pupil."""
    await desk.running()
    accident = {**ALERT, "kind": "accident", "at": desk.pair.clock.at.isoformat()}
    await desk.told(desk.city, "alternative.alert", accident)
    core = desk.city.node.core
    side = core.partner.side("a_city_school")
    answers = side.responsible(core, "exclusion_alternative", desk.pair.clock.at)
    assert answers == "school"
    assert "A-3.15" in desk.refused(desk.school, "alternative.alert", accident)


async def test_an_alert_lives_inside_the_measure(desk: Desk) -> None:
    """A-3.15: the instant before the first day and the one after the last are outside."""
    await desk.signed()
    alert = {**ALERT, "at": desk.pair.clock.at.isoformat()}
    await desk.on(midnight(desk.first_day) - timedelta(microseconds=1))
    assert desk.refused(desk.city, "alternative.alert", alert) == {"A-3.5"}
    await desk.on(midnight(desk.first_day))
    assert desk.refused(desk.city, "alternative.alert", alert) == set()
    over = midnight(desk.first_day + timedelta(days=5))
    await desk.on(over - timedelta(microseconds=1))
    assert desk.refused(desk.city, "alternative.alert", alert) == set()
    await desk.on(over)
    assert desk.refused(desk.city, "alternative.alert", alert) == {"A-3.5"}
    assert desk.waiting(desk.city)["measure.end"] == "missed"
