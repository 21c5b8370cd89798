"""The employment agency and the city, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.conventions.c_employment_city_ccas.support import Desk, made


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with made(tmp_path, new_database_url) as one:
        yield one
