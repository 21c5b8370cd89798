"""Telling a story step by step: what was expected, what happened, on which article."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Step:
    """One step of the story. ok: it did as told. articles: the obligations it shows."""

    title: str
    told: list[str] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)
    ok: bool = True


class Teller:
    """Collects the steps, and says them aloud as they come."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self.steps: list[Step] = []

    def step(self, title: str) -> None:
        """Begin a step."""
        self.steps.append(Step(title))
        self._say(f"\n{len(self.steps):2}. {title}")

    def tell(self, sentence: str) -> None:
        """Say what happened."""
        self.steps[-1].told.append(sentence)
        self._say(f"    {sentence}")

    def check(self, holds: bool, sentence: str, *articles: str) -> None:  # noqa: FBT001 -- an assertion
        """Say what was expected, and whether it is so."""
        step = self.steps[-1]
        step.articles += [one for one in articles if one not in step.articles]
        step.ok = step.ok and holds
        step.told.append(sentence)
        self._say(f"    {'✓' if holds else '✗'} {sentence}")

    def note(self, sentence: str) -> None:
        """Say something that is no step."""
        self._say(sentence)

    def _say(self, line: str) -> None:
        if self._out is not None:
            self._out.write(f"{line}\n")
            self._out.flush()
