"""SQLite files and PostgreSQL servers: instants, snapshots, who may read the file, and outages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Connection,
    delete,
    event,
    insert,
    make_url,
    select,
    text,
)

from contracts.kernel.errors import RelaisError
from services.chassis.database import Database, Tx
from services.chassis.engines import StorageUnavailable, make_engine
from services.chassis.schema import ZonelessError
from tests.servers import PostgresServer, free_port
from tests.services.chassis.database_support import Held, adds, metadata, numbers, opened, parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def test_readers_may_not_write(database: Database) -> None:
    with pytest.raises(RelaisError):
        database.read_now(lambda connection: connection.execute(insert(parent), {"id": 1}))
    database.write_now(adds(1))


def test_a_reader_sees_one_snapshot(database: Database) -> None:
    def twice(connection: Connection) -> tuple[list[int], list[int]]:
        first = numbers(connection)
        database.write_now(adds(1))
        return first, numbers(connection)

    assert database.read_now(twice) == ([], [])
    assert database.read_now(numbers) == [1]


def test_instants_come_back_aware_and_in_utc(database: Database) -> None:
    paris_summer = timezone(timedelta(hours=2))
    instant = datetime(2026, 7, 1, 0, 30, 0, 123456, tzinfo=paris_summer)
    database.write_now(adds(1, seen_at=instant, codes=("A-2.11", "R131-10-2")))

    row = database.read_now(lambda connection: connection.execute(select(parent)).one())
    assert row.seen_at == instant
    assert row.seen_at.tzinfo is UTC
    assert row.codes == ("A-2.11", "R131-10-2")
    found: Any = select(parent.c.id).where(parent.c.seen_at <= instant.astimezone(UTC))
    assert database.read_now(lambda connection: connection.scalar(found)) == 1


def test_an_instant_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(ZonelessError, match="time zone"):
        database.write_now(adds(1, seen_at=datetime(2026, 7, 1)))  # noqa: DTZ001 -- the fault itself
    database.write_now(adds(1, seen_at=datetime(2026, 7, 1, tzinfo=UTC)))


def test_sqlite_is_durable_closed_to_others_and_forgets(tmp_path: Path) -> None:
    file = tmp_path / "node.sqlite"
    engine = make_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1,
    }  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/relais"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SQLite file or PostgreSQL"):
        make_engine(url)


def test_a_file_that_another_process_holds_is_an_outage(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.sqlite'}"
    database = Database(url)
    event.listen(database._writer, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=10"))
    database.start()
    other = make_engine(url, begin="BEGIN IMMEDIATE")
    try:
        with other.begin(), pytest.raises(StorageUnavailable):
            database.write_now(lambda _tx: None)
        database.write_now(lambda _tx: None)
    finally:
        database.close()
        other.dispose()


async def test_a_lost_connection_fails_its_batch_and_the_next_one_reconnects(
    postgres_server: PostgresServer,
) -> None:
    name = postgres_server.create()
    database = Database(postgres_server.url(name))
    database.start()
    rollbacks: list[bool] = []
    database.on_rollback(lambda: rollbacks.append(True))

    def cut(tx: Tx) -> None:
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    try:
        async with Held(database):
            units: tuple[Callable[[Tx], Any], ...] = (lambda _tx: 1, cut, lambda _tx: 2)
            tasks = [asyncio.create_task(database.write(unit)) for unit in units]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [StorageUnavailable] * 3
        assert len({id(result) for result in results}) == 3
        assert rollbacks == [True]
        assert await database.write(lambda tx: tx.execute(text("SELECT 1")).scalar()) == 1
    finally:
        database.close()
        postgres_server.drop(name)


async def test_a_server_that_was_restarted_costs_nobody_an_error(
    postgres_server: PostgresServer,
) -> None:
    """What it closed while it was away is found closed before it is used, by either pool."""
    name = postgres_server.create()
    url = postgres_server.url(name)
    database = Database(url)
    database.start()
    one = text("SELECT 1")
    everybody_else = text(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    other = make_engine(url)
    try:
        for _ in range(2):
            assert await database.read(lambda connection: connection.execute(one).scalar()) == 1
            assert await database.write(lambda tx: tx.execute(one).scalar()) == 1
            with other.connect() as connection:
                assert connection.execute(everybody_else).scalar() == 2
            await asyncio.sleep(1.1)  # a restart takes longer
        assert await database.read(lambda connection: connection.execute(one).scalar()) == 1
        assert await database.write(lambda tx: tx.execute(one).scalar()) == 1
    finally:
        database.close()
        other.dispose()
        postgres_server.drop(name)


async def test_a_server_that_is_away_is_an_outage_for_writers_and_readers() -> None:
    database = Database(f"postgresql://relais@127.0.0.1:{free_port()}/nowhere")
    database.start()
    try:
        with pytest.raises(StorageUnavailable):
            await database.write(lambda _tx: 1)
        with pytest.raises(StorageUnavailable):
            await database.read(lambda _connection: 1)
    finally:
        database.close()


def test_erased_rows_leave_no_trace_in_a_sqlite_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.sqlite'}"
    engine = make_engine(url)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(parent), {"id": 1, "name": "Dupont-secret"})
    with engine.begin() as connection:
        connection.execute(delete(parent))
    engine.dispose()  # the last to leave folds the log into the file

    assert b"Dupont-secret" not in Path(str(make_url(url).database)).read_bytes()
