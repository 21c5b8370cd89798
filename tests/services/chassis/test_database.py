"""Group commit on both databases: shared commits, rows in order, a queue with an end."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    func,
    select,
)

from services.chassis.database import Database, Overloaded, Tx
from services.chassis.engines import StorageUnavailable
from tests.services.chassis.database_support import (
    Held,
    adds,
    child,
    counted,
    numbers,
    opened,
    parent,
    statements,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


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


@pytest.mark.parametrize("between", [0, 1])
async def test_what_a_busy_loop_has_yet_to_ask_for_shares_the_commit(
    database: Database, between: int
) -> None:
    """Where many write, a loop that does something else for a while gets its turn first."""
    async with Held(database):
        many = [asyncio.create_task(database.write(lambda _tx: None)) for _ in range(20)]
    await asyncio.gather(*many)
    for _ in range(between):  # a receipt, say, does not make it calm
        await database.write(lambda _tx: None)
    commits = counted(database, "commit")

    first = asyncio.create_task(database.write(lambda _tx: None))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(time.sleep, 0.05)
    others = [asyncio.create_task(database.write(lambda _tx: None)) for _ in range(20)]
    await asyncio.gather(first, *others)

    assert len(commits) == 1


async def test_one_alone_after_many_waits_for_those_that_follow(database: Database) -> None:
    """Such as a receipt: those who were just answered are about to ask for more."""
    async with Held(database):
        many = [asyncio.create_task(database.write(lambda _tx: None)) for _ in range(20)]
    await asyncio.gather(*many)
    commits = counted(database, "commit")

    first = asyncio.create_task(database.write(lambda _tx: None))
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(database.write(lambda _tx: None)) for _ in range(20)]
    await asyncio.gather(first, *others)

    assert len(commits) == 1


async def test_as_many_as_lately_are_not_kept_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who were answered are back: no pause would bring another one."""
    monkeypatch.setattr("services.chassis.database._PAUSE_S", 30.0)
    async with Held(database):
        many = [asyncio.create_task(database.write(lambda _tx: None)) for _ in range(20)]
    await asyncio.gather(*many)
    commits = counted(database, "commit")

    async with asyncio.timeout(15):
        await asyncio.gather(*(database.write(lambda _tx: None) for _ in range(20)))

    assert len(commits) == 1


def test_synchronous_code_writes_and_reads_alike(database: Database) -> None:
    assert database.write_now(adds(1)) == 1
    assert database.read_now(numbers) == [1]


async def test_reading_on_the_pool_sees_what_was_written(database: Database) -> None:
    await database.write(adds(1))

    assert await database.read(numbers) == [1]


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
