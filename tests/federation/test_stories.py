"""The stories of the demonstration, told on the federation of its file as it is shipped.

Texts end and the demonstration goes on: it is told today, and by clocks of 2030.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from services.federation.demo import FEDERATION_FILE, STORIES, run
from services.federation.federation import Federation
from services.federation.telling import Teller

LATER: Final = datetime(2030, 3, 5, tzinfo=UTC)
"""After the end of every text as it was written, and of each that was signed in 2026."""

SHOWN = {
    "b": {
        *("B-0.1", "B-1.2", "B-2.1", "B-2.2", "B-2.3", "B-2.4", "B-2.6", "B-2.7", "B-2.9"),
        *("B-2.10", "B-2.11", "B-2.13", "B-2.14", "B-3.1", "B-4.1", "B-4.2", "B-5.1", "B-7.1"),
        *("D5135-2", "D5135-3", "RGPD 13"),
    },
    "c": {
        *("C-0.1", "C-2.1", "C-3.1", "C-3.2", "C-3a.1", "C-3a.3", "C-3a.6", "C-3a.11", "C-3a.13"),
        *("C-3a.14", "C-3a.16", "C-3a.20", "C-3a.21", "C-3a.22", "C-3a.23", "C-3a.26", "C-3a.28"),
        *("C-3b.1", "C-3b.4", "C-3d.2", "C-3d.3", "C-3d.4", "C-3e.1", "C-3e.3", "C-3e.4"),
        *("C-3e.5", "C-3f.1", "C-3f.3", "C-4.1", "C-4.2", "C-5.1", "C-5.3", "C-5.4", "C-5.5"),
        *("C-6.1", "C-6.2", "C-6.5", "C-7.4", "C-8.1", "C-8.2", "D5135-3"),
    },
    "d": {
        *("D-0.1", "D-0.2", "D-0.4", "D-1.1", "D-1.2", "D-1.3", "D-1.4", "D-1.5", "D-1.6"),
        *("D-1.7", "D-1.8", "D-1.9", "D-2.1", "D-2.3", "D-2.4", "D-4.3", "D-5.1", "D-5.4"),
        *("D-5.7a", "D-5.7b", "D-5.7c", "D-5.7d", "D-5.7e", "D-5.7f", "D-8.1"),
        *("R114-7", "RGPD 13"),
    },
}
"""Articles that each story shows; that of A is told in the town of the other tests."""


def test_every_story_is_looked_at() -> None:
    assert set(STORIES) == {"a", *SHOWN}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A running federation of the shipped file."""
    with Federation.create(tmp_path, FEDERATION_FILE):
        yield tmp_path


@pytest.mark.parametrize("letter", SHOWN)
def test_every_step_does_as_told_and_shows_its_articles(letter: str, home: Path) -> None:
    out = io.StringIO()
    code = run(home, convention=letter, as_json=True, out=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    assert [step for step in told["steps"] if not step["ok"]] == []
    assert (code, told["ok"]) == (0, True)
    assert SHOWN[letter] <= {article for step in told["steps"] for article in step["articles"]}


class Moved(Federation):
    """All of it lives some years from now: a story moves its clocks from there."""

    by = LATER - datetime.now(UTC)

    def move_clock(self, offset: timedelta, *parts: str) -> None:
        super().move_clock(self.by + offset, *parts)


def test_the_demonstration_goes_on_after_the_texts_have_ended(tmp_path: Path) -> None:
    federation = Moved.create(tmp_path, FEDERATION_FILE)
    federation.move_clock(timedelta())
    teller = Teller(None)
    with federation:
        for tell in STORIES.values():
            tell(federation, teller)
    assert [step for step in teller.steps if not step.ok] == []
    shown = {article for step in teller.steps for article in step.articles}
    assert {"D-7.1"}.union(*SHOWN.values()) <= shown
