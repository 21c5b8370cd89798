"""Small numbers hidden: of a few people, a count says who they are.

A count is shown from a threshold on, which differs between the parties and everybody else. A hidden
cell must not be found again by subtracting the others from their total, so further cells, and in
the end the total, are hidden until what is hidden together is as large as the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """For whom a report is."""

    PARTIES = "parties"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallCells:
    """Smallest count shown to each audience; zeros: smallest population of which a zero is shown.

    A proposal, where the text sets none: 5 between the parties, 11 for everybody else.
    """

    parties: int = 5
    public: int = 11
    zeros: int = 11

    def threshold(self, audience: Audience) -> int:
        """Smallest count shown."""
        return self.parties if audience is Audience.PARTIES else self.public


@dataclass(frozen=True, slots=True)
class Shown:
    """A table as it may be shown: None where a count is hidden."""

    cells: Mapping[str, int | None]
    total: int | None

    @property
    def hidden(self) -> bool:
        """Whether anything is."""
        return self.total is None or None in self.cells.values()


def suppress(cells: Mapping[str, int], rule: SmallCells, audience: Audience) -> Shown:
    """Hide what is small in the parts of one whole, and what would give it away (A-8.1)."""
    least, total = rule.threshold(audience), sum(cells.values())
    zeros = total >= rule.zeros
    hidden = {name for name, count in cells.items() if not _large(count, least, zeros=zeros)}
    shown_total = _large(total, least, zeros=False)
    # Largest last: whoever reads the report loses as little as possible.
    candidates = sorted((name for name in cells if name not in hidden), key=lambda n: cells[n])
    while shown_total and _found_again(cells, hidden, least):
        if not candidates:
            shown_total = False
        else:
            hidden.add(candidates.pop(0))
    return Shown(
        {name: None if name in hidden else count for name, count in cells.items()},
        total if shown_total else None,
    )


def _large(count: int, least: int, *, zeros: bool) -> bool:
    return count >= least or (count == 0 and zeros)


def _found_again(cells: Mapping[str, int], hidden: set[str], least: int) -> bool:
    """One hidden cell is the total less the others; few people behind several are as good as named.

    So is nobody: that all of a small population did the same says it of each.
    """
    return bool(hidden) and (len(hidden) == 1 or sum(cells[name] for name in hidden) < least)
