"""One town for each database, shared by the tests of this folder and ended with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.federation.bounds import Day
from tests.federation.town import Town, build
from tests.servers import PostgresServer


@contextmanager
def _running(home: Path, database_base_url: str | None = None) -> Iterator[Town]:
    federation, monitoring = build(home, database_base_url)
    with federation:
        town = Town(federation, monitoring)
        try:
            yield town
        finally:
            town.close()


@pytest.fixture(scope="package")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for these towns alone.

    A worker that comes back to this folder starts a town anew, under keys of its own; databases are
    named by their organisations, and those of the former town hold what only its keys open.
    """
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="package")
def sqlite_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with _running(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture(scope="package")
def postgresql_town(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Town]:
    with _running(tmp_path_factory.mktemp("town"), postgres_server.url("postgres")) as town:
        yield town


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest) -> Town:
    """The town on each database, every node ready again after what a former test did to it."""
    found: Town = request.getfixturevalue(f"{request.param}_town")
    found.settle()
    return found


@pytest.fixture
def day(module_day: Day[Any]) -> Iterator[Day[Any]]:
    """The day on which a module tries its bounds, as it was before the former test."""
    yield module_day
    module_day.back()


@pytest.fixture
def one_town(sqlite_town: Town) -> Town:
    """The town on SQLite, for what has nothing to do with the database."""
    sqlite_town.settle()
    return sqlite_town


@pytest.fixture
def towns(sqlite_town: Town, postgresql_town: Town) -> tuple[Town, Town]:
    """Both towns, for tests that wait more than they work."""
    for one in (sqlite_town, postgresql_town):
        one.settle()
    return sqlite_town, postgresql_town
