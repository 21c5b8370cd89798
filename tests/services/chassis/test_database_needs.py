"""What a batch of units reads on either database: in one query, once, and forgotten after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    Connection,
    func,
    select,
    update,
)

from services.chassis.database import Database, Loader, Tx, Work
from tests.services.chassis.database_support import Held, adds, numbers, opened, parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


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


async def test_a_row_may_be_remembered_instead_of_read(database: Database) -> None:
    calls: list[Sequence[int]] = []
    loader = name_loader(calls)

    def unit(tx: Tx) -> str | None:
        tx.insert(parent, {"id": 1, "name": "new"})
        tx.remember(loader, 1, "new")
        return tx.get(loader, 1)

    assert await database.write(unit) == "new"
    assert calls == []
