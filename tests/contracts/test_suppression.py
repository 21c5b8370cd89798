"""A-8.1: a review report tells how much, and never about whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.kernel.suppression import Audience, SmallCells, suppress

RULE = SmallCells()
PARTIES, PUBLIC = Audience.PARTIES, Audience.PUBLIC


@pytest.mark.parametrize(
    ("cells", "audience", "shown"),
    [
        # both sides of the threshold, for each audience
        ({"a": 5, "b": 6}, PARTIES, {"a": 5, "b": 6, "total": 11}),
        ({"a": 4, "b": 6}, PARTIES, {"a": None, "b": None, "total": 10}),
        ({"a": 11, "b": 12}, PUBLIC, {"a": 11, "b": 12, "total": 23}),
        ({"a": 10, "b": 12}, PUBLIC, {"a": None, "b": None, "total": 22}),
        # a zero tells something of a small population, nothing of a large one
        ({"a": 0, "b": 10}, PARTIES, {"a": None, "b": None, "total": 10}),
        ({"a": 0, "b": 11}, PARTIES, {"a": 0, "b": 11, "total": 11}),
        ({"a": 0, "b": 0, "c": 10}, PARTIES, {"a": None, "b": None, "c": None, "total": 10}),
        # one hidden cell is found by subtraction: the smallest of the others goes too
        ({"a": 3, "b": 9, "c": 20}, PARTIES, {"a": None, "b": None, "c": 20, "total": 32}),
        # two hidden cells that hold few people together are no better hidden
        (
            {"a": 1, "b": 2, "c": 9, "d": 30},
            PARTIES,
            {"a": None, "b": None, "c": None, "d": 30, "total": 42},
        ),
        ({"a": 2, "b": 3, "c": 9}, PARTIES, {"a": None, "b": None, "c": 9, "total": 14}),
        # nothing else to hide: the total goes
        ({"a": 4}, PARTIES, {"a": None, "total": None}),
        ({"a": 3, "b": 1}, PARTIES, {"a": None, "b": None, "total": None}),
        ({"a": 7}, PARTIES, {"a": 7, "total": 7}),
        ({"a": 0}, PARTIES, {"a": None, "total": None}),
        ({}, PARTIES, {"total": None}),
    ],
)
def test_what_is_small_is_hidden_and_cannot_be_found_again(
    cells: dict[str, int], audience: Audience, shown: dict[str, int | None]
) -> None:
    """A-8.1."""
    found = suppress(cells, RULE, audience)
    assert {**found.cells, "total": found.total} == shown
    assert found.hidden is (None in shown.values())


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40), max_size=6),
    st.sampled_from(Audience),
)
def test_no_small_count_can_be_computed_from_what_is_shown(
    cells: dict[str, int], audience: Audience
) -> None:
    """A-8.1: whatever the numbers."""
    found, least = suppress(cells, RULE, audience), RULE.threshold(audience)
    for name, count in found.cells.items():
        assert count in {None, cells[name]}
        assert count is None or count >= least or (count == 0 and sum(cells.values()) >= RULE.zeros)
    hidden = list(found.cells.values()).count(None)
    assert hidden != 1 or found.total is None
    if hidden and found.total is not None:
        assert found.total - sum(count or 0 for count in found.cells.values()) >= least
