"""Telling a story step by step: what was expected, what happened, on which article."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from typing import Final, TextIO

_WIDTH: Final = 100
_INDENT: Final = "    "


@dataclass(slots=True)
class Step:
    """One step of the story.

    ok: it did as told. articles: the obligations it shows. codes: what machines said, which people
    were told in words.
    """

    title: str
    told: list[str] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    ok: bool = True


class Teller:
    """Collects the steps, and says them aloud as they come."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self.steps: list[Step] = []

    def step(self, title: str) -> None:
        """Begin a step."""
        self.steps.append(Step(title))
        self._say("")
        self._say(f"{len(self.steps):2}. {title}", _INDENT)

    def tell(self, sentence: str) -> None:
        """Say what happened."""
        self.steps[-1].told.append(sentence)
        self._say(f"{_INDENT}{sentence}", _INDENT)

    def check(self, holds: bool, sentence: str, *articles: str, code: str = "") -> None:  # noqa: FBT001 -- an assertion
        """Say what was expected, and whether it is so, with the articles it shows.

        code: what a machine said of it, kept beside the sentence.
        """
        step = self.steps[-1]
        step.articles += [one for one in articles if one not in step.articles]
        step.codes += [code] if code else []
        step.ok = step.ok and holds
        unsaid = ", ".join(one for one in articles if one not in sentence)
        sentence += f" ({unsaid})" if unsaid else ""
        step.told.append(sentence)
        self._say(f"{_INDENT}{'✓' if holds else '✗'} {sentence}", f"{_INDENT}  ")

    def note(self, sentence: str) -> None:
        """Say something that is no step."""
        for line in sentence.splitlines():
            self._say(line)

    def _say(self, line: str, indent: str = "") -> None:
        if self._out is None:
            return
        lines = [line] if len(line) <= _WIDTH else wrap(line, _WIDTH, subsequent_indent=indent)
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()
