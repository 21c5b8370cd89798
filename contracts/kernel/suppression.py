"""Small numbers hidden: of a few people, a count says who they are.

A count is shown from a threshold on, which differs between the parties and everybody else. A hidden
cell must not be found again, neither by subtracting the others from their total nor by knowing the
rule, so further cells are hidden until what is hidden together is more than small counts could be.
Which cells those are depends on their order alone and never on their size: else the choice itself
would say how large they are. What is hidden between the parties is hidden from everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.kernel.errors import InvalidDocument

LEAST: Final = 3
"""Smallest threshold that hides anything: below it a hidden count that is not 0 is 1."""


class Audience(StrEnum):
    """For whom a report is."""

    PARTIES = "parties"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallCells:
    """Smallest count shown to each audience; zeros: smallest population of which a zero is shown.

    A proposal, where the text sets none: 5 between the parties, 11 for everybody else. Raises
    InvalidDocument below 3, where a small count is known as soon as it is hidden, and where others
    would be shown more than the parties.
    """

    parties: int = 5
    public: int = 11
    zeros: int = 11

    def __post_init__(self) -> None:
        """Check what no report could hide."""
        if not LEAST <= self.parties <= min(self.public, self.zeros):
            raise InvalidDocument("A report hides at least 1 and 2, and more to the public.")

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


def suppress(
    cells: Mapping[str, int], rule: SmallCells, audience: Audience, population: int = 0
) -> Shown:
    """Hide what is small in the parts of one whole, and what would give it away (A-8.1).

    cells: in the order in which the report declares them. population: of whom the whole is counted,
    where another count says so; a zero is shown of one large enough.
    """
    total, least = sum(cells.values()), rule.threshold(audience)
    zeros = max(total, population) >= rule.zeros
    hidden: set[str] = set()
    for limit in sorted({rule.parties, least}):
        hidden |= {one for one, count in cells.items() if not _large(count, limit, zeros=zeros)}
        _close(cells, hidden, limit)
    shown_total = _large(total, least, zeros=zeros)
    return Shown(
        {name: None if name in hidden else count for name, count in cells.items()},
        total if shown_total else None,
    )


def _large(count: int, least: int, *, zeros: bool) -> bool:
    return count >= least or (count == 0 and zeros)


def _close(cells: Mapping[str, int], hidden: set[str], least: int) -> None:
    """Hide further cells until small counts alone could not be what is hidden together.

    One hidden cell is the total less the others; of several, all as large as a small count can be,
    each is known. Beyond that sum any of them may be any small count.
    """
    for name in cells:
        if not hidden or sum(cells[one] for one in hidden) > (least - 1) * len(hidden):
            return
        hidden.add(name)
