"""What a convention asks, line by line: the list that its rules, refusals and tests cite."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Nature(StrEnum):
    """What an obligation becomes here."""

    GATE = "gate"
    MESSAGE = "message"
    DEADLINE = "deadline"
    RECORD = "record"
    INDICATOR = "indicator"
    ORGANISATIONAL = "organisational"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """One thing that the text asks.

    id: how it is cited (``A-2.11``). article: of the text, as people name it in French. natures: an
    alert is a message and a deadline. asks: in our own words, one French sentence.
    """

    id: str
    article: str
    natures: tuple[Nature, ...]
    asks: str

    @property
    def organisational(self) -> bool:
        """Whether it is kept by people alone: it then stands in the register, and in no rule."""
        return self.natures == (Nature.ORGANISATIONAL,)
