"""Two tables, units that fill them, and what a test sees of the statements."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    event,
    select,
)

from services.chassis.database import Database, Tx
from services.chassis.engines import make_engine
from services.chassis.schema import Codes, UtcDateTime, new_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database that holds the two tables."""
    engine = make_engine(url, begin="BEGIN IMMEDIATE")
    metadata.create_all(engine)
    engine.dispose()
    database = Database(url)
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
