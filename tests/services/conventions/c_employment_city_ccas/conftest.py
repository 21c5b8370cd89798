"""The agency with the city, or with the CCAS, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.conventions.c_employment_city_ccas import support, territory_support
from tests.services.conventions.c_employment_city_ccas.support import Desk
from tests.services.conventions.c_employment_city_ccas.territory_support import Office


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    """Agency and city at work on the employer's axis."""
    with support.made(tmp_path, new_database_url) as one:
        yield one


@pytest.fixture
def bare(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Office]:
    """Agency and city, nothing recorded yet."""
    with territory_support.made(tmp_path, new_database_url, "city") as one:
        yield one


@pytest.fixture
def office(bare: Office) -> Office:
    """Agency and city, ready to work."""
    bare.ready()
    return bare


@pytest.fixture
def social(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Office]:
    """Agency and CCAS, ready to work."""
    with territory_support.made(tmp_path, new_database_url, "ccas") as one:
        one.ready()
        yield one
