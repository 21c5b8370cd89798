"""Bars of a few counts as plain SVG: placed here, drawn by the template, styled by the sheet.

A bar's length is a share of the longest, so that the chart fits any width without a script. What is
hidden has a bar as wide as all, hatched, and says so in words: its length must tell nothing. What
is awaited has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final, Protocol

_LINE: Final = 20
"""Pixels of one line of a label, as high as the style sheet writes it."""
_BAR: Final = 16
_GAP: Final = 14
_LABEL: Final = 26
"""Characters of a label on one line, beside the number, on the narrowest screen."""


class Drawn(Protocol):
    """What a bar stands for; number: None where it is hidden, or awaited. said: in words."""

    @property
    def label(self) -> str:
        """What is counted."""

    @property
    def number(self) -> int | None:
        """How many."""

    @property
    def awaited(self) -> bool:
        """Whether it is still to come."""

    @property
    def said(self) -> str:
        """What people read in its place."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. top: pixels, of its rectangle. share: per cent of the longest; None: no number."""

    label: tuple[tuple[int, str], ...]
    said: str
    said_at: int
    top: int
    share: float | None
    hatched: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars one under the other. height: pixels of all. told: the same in one sentence."""

    bars: tuple[Bar, ...]
    height: int
    told: str
    bar_height: int = _BAR


def chart(lines: Sequence[Drawn]) -> Chart:
    """Place the bars of some counts, in their order."""
    bars = tuple(_bars(lines))
    told = " ; ".join(f"{one.label} : {one.said}" for one in lines)
    height = bars[-1].top + _BAR if bars else 0
    return Chart(bars, height, f"{told}.")


def _bars(lines: Sequence[Drawn]) -> Iterator[Bar]:
    longest = max((one.number or 0 for one in lines), default=0)
    top = 0
    for one in lines:
        words = wrap(one.label, _LABEL)
        base = top + _LINE - 5
        label = tuple((base + _LINE * row, text) for row, text in enumerate(words))
        bar_top = top + _LINE * len(words) + 2
        share = None if one.number is None else 100 * one.number / max(1, longest)
        hatched = share is None and not one.awaited
        yield Bar(label, one.said, base, bar_top, share, hatched)
        top = bar_top + _BAR + _GAP
