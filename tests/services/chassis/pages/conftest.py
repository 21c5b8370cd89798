"""A school and the city whose pages are open, with something in their journals."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invented import REFERRAL
from tests.pair import Pair
from tests.seated import opened


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Fresh for each test: two referrals that arrived, and one that was refused."""
    urls = tuple(f"sqlite:///{tmp_path / name}.sqlite" for name in ("one", "other"))
    with Pair(tmp_path, (urls[0], urls[1])) as made:
        for side in made.sides:
            opened(side)
        made.refer()
        made.refer()
        asyncio.run(made.carry())
        made.school.send("referral.submitted", made.city.org, REFERRAL)
        yield made
