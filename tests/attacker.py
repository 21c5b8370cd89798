"""Somebody who reads every report, knows the rule, and tries to find a hidden number (A-8.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from contracts.kernel.suppression import Audience, SmallCells, suppress

Cells = tuple[int, ...]
Seen = tuple[tuple[tuple[int | None, ...], int | None], ...]
Reporter = Callable[[Cells], Seen]
"""What the reports show of a table, to somebody who reads one of them or both."""


def reporter(rule: SmallCells, audiences: Sequence[Audience]) -> Reporter:
    """The reports as they are made."""

    def shown(cells: Cells) -> Seen:
        names = dict(zip("abcdef", cells, strict=False))
        found = [suppress(names, rule, one) for one in audiences]
        return tuple((tuple(one.cells.values()), one.total) for one in found)

    return shown


def attack(seen: Seen, report: Reporter, least: int) -> list[set[int]]:
    """What each cell may be, to an attacker who knows the rule and tries every table there is.

    least: threshold of the first report; without a total, the whole is below it.
    """
    shown, total = seen[0]
    at_most = least - 1 if total is None else total
    ranges = [range(at_most + 1) if cell is None else (cell,) for cell in shown]
    tables = [
        cells
        for cells in product(*ranges)
        if (total is None or sum(cells) == total) and report(cells) == seen
    ]
    return [set(column) for column in zip(*tables, strict=True)]
