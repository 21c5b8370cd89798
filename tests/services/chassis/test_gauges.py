"""What a node counts of itself at each look of the operators' monitoring."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from services.chassis import letters, tables
from services.chassis.clock import new_id
from services.chassis.holds import Hold, place_hold
from services.chassis.reading import AT_RISK, gauges
from tests.pair import CONVENTION, START, Pair, Side, delivered

SHORT = timedelta(seconds=1)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def counted(side: Side, *names: str) -> list[float]:
    """Gauges as they are rendered, in the order in which they are named."""
    side.node.database.read_now(lambda connection: gauges(side.node, connection))
    lines = side.node.metrics.render().decode().splitlines()
    said = dict(line.split() for line in lines if line.startswith(names))
    return [float(said[name]) for name in names]


def ends(pair: Pair, **values: Any) -> str:
    """A case of the school's, with these values in its row."""
    case_id = str(pair.refer().case_id)
    row = tables.cases.update().where(tables.cases.c.case_id == case_id)
    pair.school.write(lambda tx: tx.execute(row.values(**values)))
    return case_id


def test_what_waits_to_leave_or_for_its_receipt_is_counted(pair: Pair) -> None:
    waits = "relais_outbox_rows", "relais_receipts_missing"
    assert counted(pair.school, *waits) == [0, 0]
    sent = pair.refer()
    assert counted(pair.school, *waits) == [1, 0]
    left = tables.outbox.update().values(state=letters.DELIVERED)
    pair.school.write(lambda tx: tx.execute(left))
    assert counted(pair.school, *waits) == [1, 1]
    pair.school.write(delivered([sent.message_id]))
    assert counted(pair.school, *waits) == [0, 0]


def test_cases_whose_day_is_near_or_past_are_counted(pair: Pair) -> None:
    """Not those that stay longer, are destroyed already, or a dispute keeps (A-12.1)."""
    school, at = pair.school, pair.clock.now()
    ends(pair, retain_until=START + AT_RISK)
    ends(pair, retain_until=START - AT_RISK)
    ends(pair, retain_until=START + AT_RISK + SHORT)
    ends(pair, retain_until=START, state="erased")
    ends(pair, retain_until=None)
    kept = ends(pair, retain_until=START)
    assert counted(school, "relais_deadlines_at_risk") == [3]
    hold = Hold(ground="court", case_id=kept)
    school.write(lambda tx: place_hold(tx, school.node.core, CONVENTION, hold, new_id(), "c", at))
    assert counted(school, "relais_deadlines_at_risk") == [2]


def test_no_look_goes_through_every_case_or_letter_ever_kept(pair: Pair) -> None:
    """The database says by which index it reads; on PostgreSQL a few rows need none otherwise."""
    database = pair.school.node.database
    plans: list[str] = []
    postgres = database._reader.dialect.name == "postgresql"

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        raw = connection.connection.cursor()
        raw.execute(f"EXPLAIN {'' if postgres else 'QUERY PLAN '}{statement}", values)
        plans.extend(str(row[-1]) for row in raw.fetchall())

    def look(connection: Any) -> None:
        if postgres:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        event.listen(database._reader, "before_cursor_execute", explain)
        gauges(pair.school.node, connection)

    database.read_now(look)
    read = re.compile(r"(?:Scan.* on|SCAN|SEARCH) (?P<table>cases|outbox)\b")
    found = [(line, seen["table"]) for line in plans if (seen := read.search(line))]
    assert [table for _, table in found] == ["outbox", "cases"], plans
    assert [("ix_outbox_due" in line, "ix_cases_ended" in line) for line, _ in found] == [
        (True, False),
        (False, True),
    ]
