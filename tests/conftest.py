"""Fixtures that every test may use: both databases, each test on an empty one of its own."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

from services.chassis import engines
from tests.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from sqlalchemy import Engine

_MEMORY = Path("/dev/shm")  # noqa: S108 -- a place in memory; pytest makes the folders there
_ENOUGH = 4 * 1024**3
"""Bytes that a whole run takes there, and four times as much again."""

_FIRST = tuple(Path(__file__).parent / folder for folder in ("year", "federation"))


def pytest_configure() -> None:
    """Keep the files of tests in memory where there is room: they wait for the disk else.

    No test cuts the power: what is killed is a process, and its files outlive it there too.
    """
    writable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    if writable and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
    # How long an example takes says how busy the machine is, and nothing of the rule.
    settings.register_profile("relais", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("relais")


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """Let all databases of one kind share their compiled statements.

    SQLAlchemy keeps them by engine and dialect; each test has engines of its own, and compiling the
    same statements for each was a sixth of the time of a run.
    """
    compiled: LRUCache[Any, Any] = LRUCache(5000)

    def sharing(*args: Any, **options: Any) -> Engine:
        engine = create_engine(*args, **options)
        engine._compiled_cache = compiled
        return engine

    with (
        patch.object(engines, "create_engine", sharing),
        patch.object(DefaultDialect, "__eq__", lambda one, other: type(one) is type(other)),
        patch.object(DefaultDialect, "__hash__", lambda one: hash(type(one))),
    ):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage among thousands of tests that all stay, neither now nor at each test.

    A look through them takes half a second, and was a fifth of the time of a run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what waits on running federations come first, each part in the order that it was given.

    Among them are the longest tests, and no worker should be left alone with one at the end. Their
    federations also end before the rest begins, and need not run beside it.
    """
    items.sort(key=lambda item: not any(item.path.is_relative_to(one) for one in _FIRST))


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
