"""What a register is made of, whatever it is shown as: a page, or an office document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    form: str = "text"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without order."""

    items: Sequence[str]
    form: str = "bullets"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. head: of its columns; the first cell of each row heads the row.

    widths: of its columns, as shares.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int]
    form: str = "grid"


@dataclass(frozen=True, slots=True)
class Open:
    """What nobody but the organisation can decide or fill in; marked wherever it is shown."""

    text: str
    form: str = "open"


Block = Text | Bullets | Grid | Open


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Blocks under one heading. level: 2 for a part, 3 for a part of one."""

    title: str
    blocks: Sequence[Block]
    level: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One register. name: in addresses and file names. source: article that asks for it."""

    name: str
    title: str
    source: str
    lead: str
    parts: Sequence[Part]

    @property
    def open(self) -> int:
        """How many points wait for the organisation."""
        return sum(isinstance(one, Open) for part in self.parts for one in part.blocks)


TO_FILL = "à compléter"
"""Stands where the organisation alone knows."""
