"""A unit that fails on either database fails alone, and no failure is told as a success."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    insert,
    text,
)
from sqlalchemy.exc import IntegrityError

from contracts.kernel.errors import RelaisError
from services.chassis.database import Database, Tx
from services.chassis.engines import Conflict
from tests.services.chassis.database_support import (
    Held,
    adds,
    child,
    counted,
    numbers,
    opened,
    parent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


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


async def test_a_raising_end_of_batch_rolls_back(database: Database) -> None:
    def unit(tx: Tx) -> None:
        tx.insert(parent, {"id": 1})
        tx.at_end(lambda: next(iter(())))

    with pytest.raises(RuntimeError):
        await database.write(unit)
    assert database.read_now(numbers) == []


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
