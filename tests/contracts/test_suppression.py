"""A-8.1: a review report tells how much, and never about whom."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.kernel.errors import InvalidDocument
from contracts.kernel.suppression import Audience, SmallCells, suppress
from tests.attacker import Cells, Seen, attack, reporter

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
        # one hidden cell is found by subtraction: another goes too
        ({"a": 3, "b": 9, "c": 20}, PARTIES, {"a": None, "b": None, "c": 20, "total": 32}),
        # hidden cells that hold few people together are no better hidden
        (
            {"a": 1, "b": 2, "c": 10, "d": 30},
            PARTIES,
            {"a": None, "b": None, "c": None, "d": 30, "total": 43},
        ),
        # nor are those that would all have to be as large as a small count can be
        ({"a": 5, "b": 4, "c": 4}, PARTIES, {"a": None, "b": None, "c": None, "total": 13}),
        (
            {"a": 1, "b": 2, "c": 9, "d": 30},
            PARTIES,
            {"a": None, "b": None, "c": None, "d": None, "total": 42},
        ),
        # the first in order goes, not the smallest: which one goes would say how large it is
        (
            {"a": 20, "b": 9, "c": 3},
            PARTIES,
            {"a": None, "b": 9, "c": None, "total": 32},
        ),
        # what is hidden between the parties is hidden from others too
        ({"a": 0, "b": 4, "c": 7}, PUBLIC, {"a": None, "b": None, "c": None, "total": 11}),
        # too few in all: the total goes
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


def test_a_zero_is_shown_of_the_population_that_another_count_names() -> None:
    """D-4.3: of ten asked for, that none was enrolled says it of each."""
    for population, shown in ((10, None), (11, 0)):
        found = suppress({"one": 0}, RULE, PUBLIC, population)
        assert (found.cells["one"], found.total) == (shown, shown)
        assert suppress({"one": 4}, RULE, PARTIES, population).total is None


@pytest.mark.parametrize("wrong", [{"parties": 2}, {"public": 4}, {"zeros": 4}])
def test_no_threshold_hides_nothing_or_shows_others_more(wrong: dict[str, int]) -> None:
    """A-8.1: on the other side of each bound it is taken."""
    with pytest.raises(InvalidDocument):
        SmallCells(**wrong)
    SmallCells(**{name: least + 1 for name, least in wrong.items()})


@settings(max_examples=150)
@given(
    st.lists(st.integers(0, 14), min_size=1, max_size=4).map(tuple),
    st.sampled_from([(PARTIES,), (PUBLIC,), (PARTIES, PUBLIC)]),
    st.sampled_from([RULE, SmallCells(parties=3, public=5, zeros=5)]),
)
def test_whoever_reads_all_reports_and_knows_the_rule_finds_no_hidden_count(
    cells: Cells, audiences: tuple[Audience, ...], rule: SmallCells
) -> None:
    """A-8.1: of a hidden cell every small count stays possible, but a zero that would show."""
    report, least = reporter(rule, audiences), rule.threshold(audiences[0])
    seen = report(cells)
    found = attack(seen, report, least)
    for cell, left, shown in zip(cells, found, seen[0][0], strict=True):
        assert cell in left
        assert len(left) >= least - 1 or shown is not None, (seen, left)


def _hiding(cells: Cells, *, further: int) -> Seen:
    """Hide what is below 5, and so many others in order, as too simple a rule would."""
    others = [position for position, cell in enumerate(cells) if cell >= 5][:further]
    hidden = [position for position, cell in enumerate(cells) if cell < 5]
    if len(hidden) == 1:
        hidden += others
    shown = tuple(None if n in hidden else cell for n, cell in enumerate(cells))
    return ((shown, sum(cells)),)


@pytest.mark.parametrize(
    ("cells", "further", "found"), [((3, 9), 0, {3}), ((5, 4, 4), 1, {4}), ((9, 3, 20), 1, None)]
)
def test_that_attacker_finds_what_is_badly_hidden(
    cells: Cells, further: int, found: set[int] | None
) -> None:
    """A-8.1: one hidden cell under a total; two that are both as large as a small one can be."""
    report = partial(_hiding, further=further)
    left = attack(report(cells), report, 5)
    assert (found in left) if found else min(map(len, left[:2])) > 1


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
