"""Group commit on both databases: shared commits, faults kept apart, nothing lost or hidden."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, StatementError

from contracts.kernel.errors import RelaisError
from services.chassis.database import Database, Loader, Overloaded, Tx, Work
from services.chassis.engines import Conflict, StorageUnavailable, make_engine
from services.chassis.schema import Codes, UtcDateTime, new_metadata
from tests.servers import PostgresServer, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

metadata = new_metadata()
parent = Table(
    "parent",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(50)),
    Column("seen_at", UtcDateTime),
    Column("codes", Codes),
)
child = Table(
    "child",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("parent_id", Integer, ForeignKey(parent.c.id), nullable=False),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    engine = make_engine(database_url, begin="BEGIN IMMEDIATE")
    metadata.create_all(engine)
    engine.dispose()
    database = Database(database_url)
    database.start()
    yield database
    database.close()


class Held:
    """The writer held inside a unit, so that what is written meanwhile makes one batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inside = threading.Event()
        self._released = threading.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._database.write(self._hold))
        await asyncio.to_thread(self._inside.wait, 10)

    def _hold(self, _tx: Tx) -> None:
        self._inside.set()
        self._released.wait(10)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)  # tasks made inside queue their units first
        self._released.set()
        await self._task


def adds(number: int, **columns: object) -> Callable[[Tx], int]:
    def unit(tx: Tx) -> int:
        tx.insert(parent, {"id": number, **columns})
        return number

    return unit


def numbers(connection: Connection) -> list[int]:
    return list(connection.scalars(select(parent.c.id).order_by(parent.c.id)))


def counted(database: Database, name: str) -> list[object]:
    seen: list[object] = []
    event.listen(database._writer, name, lambda *arguments: seen.append(arguments))
    return seen


def statements(database: Database, word: str) -> list[str]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if word in statement:
            seen.append(statement)

    event.listen(database._writer, "before_cursor_execute", note)
    return seen


async def test_concurrent_writes_share_commits(database: Database) -> None:
    commits = counted(database, "commit")

    results = await asyncio.gather(*(database.write(adds(number)) for number in range(500)))

    assert results == list(range(500))
    assert database.read_now(numbers) == list(range(500))
    assert len(commits) < 50


async def test_a_batch_holds_no_more_than_its_limit(database_url: str) -> None:
    database = Database(database_url, max_batch=3)
    database.start()
    try:
        commits = counted(database, "commit")
        async with Held(database):
            writes = [asyncio.create_task(database.write(lambda _tx: None)) for _ in range(7)]
        await asyncio.gather(*writes)
        assert len(commits) == 1 + 3  # the held unit, then 3 + 3 + 1
    finally:
        database.close()


async def test_a_lone_write_waits_for_nobody(database: Database) -> None:
    commits = counted(database, "commit")

    assert await asyncio.wait_for(database.write(adds(1)), 30) == 1

    assert len(commits) == 1


def test_synchronous_code_writes_and_reads_alike(database: Database) -> None:
    assert database.write_now(adds(1)) == 1
    assert database.read_now(numbers) == [1]


async def test_reading_on_the_pool_sees_what_was_written(database: Database) -> None:
    await database.write(adds(1))

    assert await database.read(numbers) == [1]


async def test_a_raising_unit_fails_alone(database: Database) -> None:
    def fails(tx: Tx) -> None:
        tx.insert(parent, {"id": 100})
        raise LookupError("its own")

    commits = counted(database, "commit")
    async with Held(database):
        tasks = [
            asyncio.create_task(database.write(unit)) for unit in (adds(1), fails, adds(2), adds(3))
        ]
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert results[0::2] == [1, 2]
    assert isinstance(results[1], LookupError)
    assert results[3] == 3
    assert database.read_now(numbers) == [1, 2, 3]
    assert len(commits) == 1 + 3  # the held unit, then each good one alone


async def test_a_row_that_exists_already_fails_alone(database: Database) -> None:
    await database.write(adds(1, name="Dupont"))

    async with Held(database):
        tasks = [
            asyncio.create_task(database.write(adds(number, name="Durand"))) for number in (1, 2)
        ]
    refused, written = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(refused, Conflict)
    assert "Durand" not in str(refused)
    assert written == 2
    assert database.read_now(numbers) == [1, 2]


async def test_an_unknown_parent_is_refused_and_a_known_one_is_not(database: Database) -> None:
    await database.write(adds(1))

    with pytest.raises(Conflict):
        await database.write(lambda tx: tx.insert(child, {"id": 1, "parent_id": 9}))
    await database.write(lambda tx: tx.insert(child, {"id": 1, "parent_id": 1}))


async def test_a_refused_statement_names_no_value(database: Database) -> None:
    with pytest.raises(RelaisError) as refusal:
        await database.write(lambda tx: tx.execute(text("SELECT 'Dupont' FROM nowhere")))

    assert refusal.value.code == "storage_refused"
    assert "Dupont" not in str(refusal.value)


async def test_a_cancelled_wait_harms_no_one(database: Database) -> None:
    async with Held(database):
        tasks = [asyncio.create_task(database.write(adds(number))) for number in (1, 2, 3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert (results[0], results[2]) == (1, 3)
    assert isinstance(results[1], asyncio.CancelledError)
    assert database.read_now(numbers) == [1, 2, 3]  # cancelled is the wait, not the write


async def test_rows_go_out_in_the_order_of_their_tables(database: Database) -> None:
    inserts = statements(database, "INSERT")

    def family(number: int) -> Callable[[Tx], None]:
        def unit(tx: Tx) -> None:
            tx.insert(parent, {"id": number})
            tx.insert(child, {"id": number, "parent_id": number})

        return unit

    async with Held(database):
        tasks = [asyncio.create_task(database.write(family(number))) for number in range(10)]
    await asyncio.gather(*tasks)

    written = [statement.split()[2] for statement in inserts]
    copied = database._writer.dialect.name == "postgresql"  # where a foreign key tells the order
    assert written == ([] if copied else ["parent", "child"])
    assert database.read_now(lambda c: c.execute(select(func.count(child.c.id))).scalar()) == 10


async def test_late_columns_are_made_after_the_units_and_whole_when_one_looks_something_up(
    database: Database,
) -> None:
    made: list[str] = []

    def name(number: int) -> str:
        made.append(f"name {number}")
        return made[-1]

    def unit(number: int, tx: Tx) -> int:
        if number == 3:  # looks something up, which sends what is there so far
            tx.insert_later(lambda: tx.execute(select(parent.c.name)).all())
        tx.insert(parent, {"id": number}, name=lambda: name(number))
        return len(made)

    async with Held(database):
        waiting = [
            asyncio.create_task(database.write(partial(unit, number))) for number in (1, 2, 3, 4)
        ]
        await asyncio.sleep(0.05)
    assert await asyncio.gather(*waiting) == [0, 0, 0, 0]
    rows = database.read_now(lambda c: c.execute(select(parent.c.id, parent.c.name)).all())
    assert {tuple(row) for row in rows} == {(number, f"name {number}") for number in (1, 2, 3, 4)}
    assert made == ["name 1", "name 2", "name 3", "name 4"]


async def test_rows_with_other_columns_keep_them(database: Database) -> None:
    def unit(tx: Tx) -> None:
        tx.insert(parent, {"id": 1})
        tx.insert(parent, {"id": 2, "name": "b"})

    await database.write(unit)

    found = database.read_now(
        lambda connection: connection.execute(
            select(parent.c.id, parent.c.name).order_by(parent.c.id)
        ).all()
    )
    assert [tuple(row) for row in found] == [(1, None), (2, "b")]


async def test_a_unit_reads_its_own_writes(database: Database) -> None:
    def unit(tx: Tx) -> tuple[int | None, list[int]]:
        tx.insert(parent, {"id": 1})
        count = tx.execute(select(func.count()).select_from(parent)).scalar()
        tx.insert(parent, {"id": 2})
        return count, numbers(tx.connection)

    assert await database.write(unit) == (1, [1, 2])


def name_loader(calls: list[Sequence[int]]) -> Loader[int, str]:
    def fetch(connection: Connection, keys: Sequence[int]) -> dict[int, str]:
        calls.append(keys)
        rows = connection.execute(
            select(parent.c.id, parent.c.name).where(parent.c.id.in_(keys))
        ).all()
        return {row.id: row.name for row in rows}

    return Loader("parents", fetch)


async def test_the_needs_of_a_batch_are_read_in_one_query(database: Database) -> None:
    for number in range(5):
        await database.write(adds(number, name=f"n{number}"))
    calls: list[Sequence[int]] = []
    loader = name_loader(calls)

    def wants(number: int) -> Work[str | None]:
        return Work(lambda tx: tx.get(loader, number), needs=((loader, number),))

    async with Held(database):
        tasks = [asyncio.create_task(database.write(wants(n))) for n in (0, 1, 2, 2, 99)]
    results = await asyncio.gather(*tasks)

    assert results == ["n0", "n1", "n2", "n2", None]
    assert [sorted(keys) for keys in calls] == [[0, 1, 2, 99]]


async def test_an_undeclared_need_is_read_when_asked_and_only_once(database: Database) -> None:
    await database.write(adds(1, name="one"))
    calls: list[Sequence[int]] = []
    loader = name_loader(calls)

    assert await database.write(lambda tx: [tx.get(loader, 1), tx.get(loader, 1)]) == ["one"] * 2
    assert len(calls) == 1


async def test_what_was_read_is_stale_until_forgotten(database: Database) -> None:
    await database.write(adds(1, name="old"))
    loader = name_loader([])

    def unit(tx: Tx) -> list[str | None]:
        first = tx.get(loader, 1)
        tx.execute(update(parent).values(name="new"))
        stale = tx.get(loader, 1)
        tx.forget(loader)
        return [first, stale, tx.get(loader, 1)]

    assert await database.write(unit) == ["old", "old", "new"]


async def test_what_was_read_is_gone_in_the_next_batch(database: Database) -> None:
    await database.write(adds(1, name="old"))
    loader = name_loader([])

    def change(tx: Tx) -> None:
        tx.state["mine"] = tx.get(loader, 1)
        tx.execute(update(parent).values(name="new"))

    await database.write(change)

    assert await database.write(lambda tx: (tx.get(loader, 1), tx.state)) == ("new", {})


async def test_what_ends_a_batch_runs_once_after_its_units_and_in_their_transaction(
    database: Database,
) -> None:
    counts: list[int] = []

    def unit(tx: Tx, number: int) -> None:
        def end() -> None:
            counts.append(tx.state["units"])
            tx.insert(parent, {"id": 100})

        if not tx.state:
            tx.at_end(end)
        tx.state["units"] = tx.state.get("units", 0) + 1
        tx.insert(parent, {"id": number})

    def writes(number: int) -> Callable[[Tx], None]:
        return lambda tx: unit(tx, number)

    async with Held(database):
        tasks = [asyncio.create_task(database.write(writes(number))) for number in range(3)]
    await asyncio.gather(*tasks)

    assert counts == [3]
    assert database.read_now(numbers) == [0, 1, 2, 100]


async def test_a_raising_end_of_batch_rolls_back(database: Database) -> None:
    def unit(tx: Tx) -> None:
        tx.insert(parent, {"id": 1})
        tx.at_end(lambda: next(iter(())))

    with pytest.raises(RuntimeError):
        await database.write(unit)
    assert database.read_now(numbers) == []


async def test_a_row_may_be_remembered_instead_of_read(database: Database) -> None:
    calls: list[Sequence[int]] = []
    loader = name_loader(calls)

    def unit(tx: Tx) -> str | None:
        tx.insert(parent, {"id": 1, "name": "new"})
        tx.remember(loader, 1, "new")
        return tx.get(loader, 1)

    assert await database.write(unit) == "new"
    assert calls == []


async def test_callbacks_follow_the_commit_and_only_the_commit(database: Database) -> None:
    events: list[str] = []
    database.before_commit(lambda: events.append("before"))
    database.on_commit(lambda: events.append("commit"))
    database.on_rollback(lambda: events.append("rollback"))

    def unit(tx: Tx, *, fails: bool) -> None:
        tx.on_commit(lambda: events.append(f"callback {numbers_now()}"))
        tx.insert(parent, {"id": 1})
        if fails:
            raise LookupError

    def numbers_now() -> list[int]:
        return database.read_now(numbers)

    with pytest.raises(LookupError):
        await database.write(lambda tx: unit(tx, fails=True))
    assert events == ["rollback", "rollback"]  # in its batch, then alone

    events.clear()
    await database.write(lambda tx: unit(tx, fails=False))
    assert events == ["before", "callback [1]", "commit"]


async def test_a_raising_hook_before_the_commit_rolls_back(database: Database) -> None:
    def refuse() -> None:
        raise LookupError

    database.before_commit(refuse)

    with pytest.raises(LookupError):
        await database.write(adds(1))
    assert database.read_now(numbers) == []


async def test_a_failing_callback_does_not_deny_the_commit(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    names: dict[str, int] = {}

    def unit(tx: Tx) -> int:
        tx.insert(parent, {"id": 1})
        tx.on_commit(lambda: names["Dupont"])
        return 1

    with caplog.at_level(logging.ERROR):
        assert await database.write(unit) == 1
    assert database.read_now(numbers) == [1]
    assert "KeyError" in caplog.text
    assert "Dupont" not in caplog.text


async def test_a_survived_failure_needs_a_savepoint(database: Database) -> None:
    await database.write(adds(1))

    def careful(tx: Tx) -> str:
        try:
            with tx.connection.begin_nested():
                tx.execute(insert(parent), {"id": 1})
        except IntegrityError:
            tx.insert(parent, {"id": 2})
            return "known"
        return "new"

    assert await database.write(careful) == "known"
    assert database.read_now(numbers) == [1, 2]


async def test_a_silent_rollback_is_never_called_a_success(database: Database) -> None:
    await database.write(adds(1))

    def careless(tx: Tx) -> str:
        tx.insert(parent, {"id": 2})
        try:
            tx.execute(insert(parent), {"id": 1})
        except IntegrityError:
            return "done"
        return "new"

    if database._writer.dialect.name == "sqlite":  # undoes the statement alone
        assert await database.write(careless) == "done"
        assert database.read_now(numbers) == [1, 2]
    else:
        with pytest.raises(RuntimeError, match="outlived"):
            await database.write(careless)
        assert database.read_now(numbers) == [1]


async def test_a_full_queue_refuses_and_a_free_one_does_not(database_url: str) -> None:
    database = Database(database_url, max_waiting=2)
    database.start()
    try:
        async with Held(database):
            tasks = [asyncio.create_task(database.write(lambda _tx: 1)) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded):
                await database.write(lambda _tx: 1)
        assert await asyncio.gather(*tasks) == [1, 1]
        assert await database.write(lambda _tx: 1) == 1
    finally:
        database.close()


async def test_closing_commits_what_waits_and_refuses_what_comes(database: Database) -> None:
    async with Held(database):
        tasks = [asyncio.create_task(database.write(adds(number))) for number in range(20)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(database.close))
        while database._open:  # noqa: ASYNC110 -- a flag of another thread has no event
            await asyncio.sleep(0.001)
        with pytest.raises(StorageUnavailable):
            await database.write(adds(99))
    await closing

    assert await asyncio.gather(*tasks) == list(range(20))


def test_writing_from_inside_a_unit_is_refused(database: Database) -> None:
    def nested(_tx: Tx) -> int:
        assert database.in_unit
        return database.write_now(adds(1))

    assert not database.in_unit
    with pytest.raises(RuntimeError, match="own Tx"):
        database.write_now(nested)


def test_even_an_exit_inside_a_unit_leaves_the_writer_alive(database: Database) -> None:
    def leaves(_tx: Tx) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        database.write_now(leaves)
    assert database.write_now(adds(1)) == 1


async def test_an_exhausted_iterator_reaches_its_caller(database: Database) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(database.write(lambda _tx: next(iter(()))), 30)


def test_each_loop_gets_its_own_results(database: Database) -> None:
    async def fifty(first: int) -> list[int]:
        return await asyncio.gather(*(database.write(adds(first + n)) for n in range(50)))

    results: dict[int, list[int]] = {}

    def serve(first: int) -> None:
        results[first] = asyncio.run(fifty(first))

    threads = [threading.Thread(target=serve, args=(first,)) for first in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert results == {first: list(range(first, first + 50)) for first in (0, 100)}


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
    with pytest.raises(StatementError, match="time zone"):
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
