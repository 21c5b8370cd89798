"""Fixtures that every test may use: both databases, each test on an empty one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The run's PostgreSQL, started when a test first asks for it; fsync off."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Make empty databases of one kind, and remove them after the test."""
    if request.param == "sqlite":
        files = iter(range(100))
        yield lambda: f"sqlite:///{tmp_path / f'database-{next(files)}.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    names: list[str] = []

    def create() -> str:
        names.append(server.create())
        return server.url(names[-1])

    yield create
    for name in names:
        server.drop(name)


@pytest.fixture
def database_url(new_database_url: Callable[[], str]) -> str:
    """Address of an empty database: each test that takes it runs on SQLite and on PostgreSQL."""
    return new_database_url()
