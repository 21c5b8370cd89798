"""A department and a Mission Locale, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.conventions.d_department_mission_locale.support import Desk, made


@pytest.fixture
def bare(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    """Signed, and nothing recorded beside."""
    with made(tmp_path, new_database_url) as one:
        yield one


@pytest.fixture
def desk(bare: Desk) -> Desk:
    """Both have recorded the local implementation and the impact assessment."""
    bare.founded()
    return bare
