"""The store keeps the newest, once each, and orders steps as a tree whatever it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from services.observer.store import Store, StoredSpan, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services.chassis.observable import Value


def span(
    span_id: str,
    parent: str | None = None,
    *,
    trace: str = "t1",
    start: int = 0,
    failed: bool = False,
    **fields: Value,
) -> StoredSpan:
    return StoredSpan(
        trace, span_id, parent, "ville", "relais-city", "a.step", start, start + 10, failed, fields
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "traces.db", keep_traces=3, keep_spans=4)
    yield opened
    opened.close()


def test_the_oldest_traces_go(store: Store) -> None:
    for number in range(5):
        store.add([span("a", trace=f"t{number}", message_id=f"m{number}")])
    assert [t.trace_id for t in store.recent()] == ["t4", "t3", "t2"]
    assert store.get("t1") is None
    assert store.by_message("m1") == []
    assert [t.trace_id for t in store.by_message("m2")] == ["t2"]
    assert [t.trace_id for t in store.recent(1)] == ["t4"]


def test_a_trace_keeps_a_bounded_number_of_steps(store: Store) -> None:
    store.add([span(f"s{n}") for n in range(6)])
    store.add([span("other", trace="t2")])
    kept, other = store.get("t1"), store.get("t2")
    assert kept is not None
    assert len(kept.spans) == 4
    assert other is not None


def test_a_span_sent_twice_is_kept_once_and_takes_no_room(store: Store) -> None:
    for _ in range(4):
        store.add([span("a")])
    store.add([span("b")])
    trace = store.get("t1")
    assert trace is not None
    assert [s.span_id for s in trace.spans] == ["a", "b"]


def test_a_batch_that_fails_leaves_nothing(store: Store) -> None:
    broken = StoredSpan("t1", "b", None, "ville", "relais-city", "a.step", 2**70, 2**70)
    with pytest.raises(OverflowError):
        store.add([span("a"), broken])
    assert store.get("t1") is None
    store.add([span("a")])
    assert store.get("t1") is not None


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    for number in range(2):
        opened = Store(path)
        opened.add([span("a", trace=f"t{number}", state="accepted", count=3, keep=True)])
        opened.close()
    opened = Store(path)
    traces = opened.recent()
    opened.close()
    assert [t.trace_id for t in traces] == ["t1", "t0"]
    assert traces[0].spans[0].fields == {"state": "accepted", "count": 3, "keep": True}


def test_steps_stand_below_their_parent() -> None:
    spans = (span("a"), span("b", "a", start=1), span("c", "a", start=2), span("d", "b", start=3))
    rows = Trace("t1", spans).rows
    assert [(depth, s.span_id) for depth, s in rows] == [(0, "a"), (1, "b"), (2, "d"), (1, "c")]


def test_a_step_whose_parent_is_unknown_stands_at_the_top() -> None:
    rows = Trace("t1", (span("a"), span("b", "absent", start=1))).rows
    assert [(depth, s.span_id) for depth, s in rows] == [(0, "a"), (0, "b")]


def test_a_loop_of_parents_ends() -> None:
    spans = (span("a", "b"), span("b", "a", start=1), span("c", "c", start=2))
    assert [(d, s.span_id) for d, s in Trace("t1", spans).rows] == [(0, "a"), (1, "b"), (0, "c")]


def test_a_chain_deeper_than_python_recurses_is_walked() -> None:
    spans = tuple(span(str(n), str(n - 1) if n else None, start=n) for n in range(3_000))
    assert Trace("t1", spans).rows[-1][0] == 2_999


@pytest.mark.parametrize(
    ("spans", "outcome", "reasons"),
    [
        ((span("a"),), "", []),
        ((span("a", state="queued"), span("b", state="accepted")), "accepted", []),
        ((span("a", failed=True, code="timeout"), span("b", state="sent")), "failed", ["timeout"]),
        ((span("a", failed=True, error_type="OSError"),), "failed", ["OSError"]),
        (
            (
                span("a", state="refused", articles="A-1.1 A-1.2"),
                span("b", state="refused", articles="A-1.2"),
                span("c", failed=True, code="x"),
            ),
            "refused",
            ["A-1.1", "A-1.2"],
        ),
        ((span("a", state="refused", code="not_open"),), "refused", ["not_open"]),
    ],
)
def test_outcome_and_reasons(
    spans: tuple[StoredSpan, ...], outcome: str, reasons: list[str]
) -> None:
    trace = Trace("t1", spans)
    assert (trace.outcome, trace.reasons) == (outcome, reasons)
