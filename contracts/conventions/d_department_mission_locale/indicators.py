"""The six counts of the yearly sheet, and which of them may be shown (D-4.3, D-5.4, D-5.7a).

They are six counts of their own, not parts of one whole: none is found again by subtracting the
others from a total. The text sets no threshold: the kernel's proposal between parties is taken.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.kernel.suppression import Audience, SmallCells

RULE: Final = SmallCells()
"""Smallest count shown, and smallest population of which a zero is shown."""

Count = Annotated[int, Field(ge=0, le=99_999)]
Cell = Count | Literal["hidden", "not_counted"]
"""A count; or that it is hidden since small, or that the sender does not count it."""


def may_show(count: int, requested: Cell) -> bool:
    """Whether a count of young persons may leave.

    requested: for how many the Mission Locale was asked, the population of the other five; a zero
    is shown of a population large enough, and of one that is known.
    """
    if count:
        return count >= RULE.threshold(Audience.PARTIES)
    return isinstance(requested, int) and requested >= RULE.zeros
