"""The journal looked through: each criterion finds its own lines, each by an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from contracts.kernel.paris import midnight
from services.chassis.journal import Entry
from services.chassis.journal_search import PAGE, LineFilter, refusals, search
from services.chassis.scopes import case_scope
from tests.services.chassis.journal_support import Node

DAY = date(2026, 3, 2)
CASE, OTHER, MESSAGE = "a" * 32, "b" * 32, "c" * 32
CHAIN = "node-1"
SECOND = timedelta(seconds=1)


@pytest.fixture
def node(new_database_url: Callable[[], str]) -> Iterator[Node]:
    opened = Node(new_database_url(), new_database_url())
    journal = opened.start(CHAIN)
    opened.keys.ensure([case_scope(CASE), case_scope(OTHER)])
    lines = [
        line(midnight(DAY) - SECOND, "message.sent", "allowed"),
        line(midnight(DAY), "message.refused", "refused", "A-2.11", "A-1.2"),
        line(midnight(DAY) + SECOND, "message.sent", "allowed", message_id=MESSAGE),
        line(midnight(DAY) + 2 * SECOND, "receipt", "received", case_id=CASE),
        line(midnight(DAY) + 3 * SECOND, "message.refused", "refused", "A-2.1"),
        line(midnight(DAY) + 4 * SECOND, "message.read", "read", "A-2.11", case_id=OTHER),
        line(midnight(DAY + timedelta(days=1)), "message.received", "not_open", "A-2.11"),
    ]
    for one in lines:
        opened.database.write_now(partial(journal.append, entry=one))
    yield opened
    opened.close()


def line(at: datetime, what: str, outcome: str, *articles: str, **more: Any) -> Entry:
    case_id = more.get("case_id")
    scope = None if case_id is None else case_scope(case_id)
    return Entry(event=what, at=at, outcome=outcome, articles=articles, scope=scope, **more)


def found(node: Node, **wanted: Any) -> list[int]:
    criteria = LineFilter.model_validate(wanted)
    rows = node.database.read_now(lambda c: search(c, CHAIN, criteria))
    return [row.seq for row in rows]


def test_each_criterion_finds_its_own_lines_newest_first(node: Node) -> None:
    assert found(node) == [7, 6, 5, 4, 3, 2, 1]
    assert found(node, day=DAY.isoformat()) == [6, 5, 4, 3, 2]
    assert found(node, event="message.refused") == [5, 2]
    assert found(node, outcome="refused") == [5, 2]
    assert found(node, article="A-2.11") == [7, 6, 2]
    assert found(node, article="A-2.1") == [5]
    assert found(node, message=MESSAGE) == [3]
    assert found(node, case=CASE) == [4]
    assert found(node, article="A-2.11", outcome="refused") == [2]
    assert found(node, day=DAY.isoformat(), event="message.sent") == [3]
    assert found(node, before=4) == [3, 2, 1]
    assert found(node, before=100) == []


def test_nothing_in_a_criterion_is_a_pattern() -> None:
    """What SQL's LIKE would take for any character is that character."""
    assert LineFilter.model_validate({"article": "A-2.11"}).article == "A-2.11"
    for wild in ("A-2_11", "%", "A-2.1%", '"', "' OR 1=1 --"):
        with pytest.raises(ValueError, match="article"):
            LineFilter.model_validate({"article": wild})


def test_pages_hold_each_line_once_whatever_clocks_did(node: Node) -> None:
    """Several lines of one instant, and a line older than the one before it."""
    node.change(4, at=midnight(DAY))
    node.change(3, at=midnight(DAY))
    node.change(6, at=midnight(DAY) - 2 * SECOND)
    seen, before = [], None
    for _ in range(4):
        some = found(node) if before is None else found(node, before=before)
        seen += some[:2]
        before = some[1] if len(some) > 1 else None
    assert seen == [7, 5, 4, 3, 2, 1, 6]


def test_a_page_is_followed_by_another_only_where_more_is(node: Node) -> None:
    assert len(found(node)) == 7 <= PAGE


def test_refusals_are_counted_by_article_and_nothing_else_is(node: Node) -> None:
    counted = node.database.read_now(lambda c: refusals(c, None))
    assert counted == [("A-2.11", 2), ("A-1.2", 1), ("A-2.1", 1)]
    since = DAY + timedelta(days=1)
    assert node.database.read_now(lambda c: refusals(c, since)) == [("A-2.11", 1)]


@pytest.mark.parametrize(
    ("criteria", "index"),
    [
        ({}, "ix_journal_at_seq"),
        ({"day": DAY.isoformat()}, "ix_journal_at_seq"),
        ({"event": "message.sent"}, "ix_journal_event_at_seq"),
        ({"outcome": "refused"}, "ix_journal_outcome_at_seq"),
        ({"article": "A-2.11"}, "ix_journal_cited"),
        ({"message": MESSAGE}, "ix_journal_message_id"),
        ({"case": CASE}, "ix_journal_scope"),
        ({"before": 5}, "ix_journal_at_seq"),
    ],
)
def test_each_criterion_has_its_index(tmp_path: Any, criteria: dict[str, Any], index: str) -> None:
    """SQLite says by which one it reads; a long journal is read by no other."""
    opened = Node(f"sqlite:///{tmp_path / 'a.sqlite'}", f"sqlite:///{tmp_path / 'b.sqlite'}")
    journal = opened.start(CHAIN)
    for number in range(6):
        entry = line(midnight(DAY) + number * SECOND, "message.sent", "allowed")
        opened.database.write_now(partial(journal.append, entry=entry))
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        if "LIMIT" in statement:
            raw = connection.connection.cursor()
            raw.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.extend(str(row[3]) for row in raw.fetchall())

    event.listen(opened.database._reader, "before_cursor_execute", explain)
    found(opened, **criteria)
    opened.close()
    assert any(index in plan for plan in plans), plans
    few = "message" in criteria or "case" in criteria
    assert few or not any("TEMP B-TREE" in plan for plan in plans), plans
