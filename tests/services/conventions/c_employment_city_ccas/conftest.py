"""The agency with the city, or with the CCAS, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.conventions.c_employment_city_ccas.support import Office, made


@pytest.fixture
def bare(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Office]:
    """Agency and city, nothing recorded yet."""
    with made(tmp_path, new_database_url, "city") as one:
        yield one


@pytest.fixture
def office(bare: Office) -> Office:
    """Agency and city, ready to work."""
    bare.ready()
    return bare


@pytest.fixture
def social(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Office]:
    """Agency and CCAS, ready to work."""
    with made(tmp_path, new_database_url, "ccas") as one:
        one.ready()
        yield one
