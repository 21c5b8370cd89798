"""What a test sees of a key store, beneath its interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event, select

from services.chassis.database import Database
from services.chassis.keystore import KeyStore, data_keys

WRAPPING = bytes(range(32))
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@contextmanager
def opened(url: str) -> Iterator[Callable[..., KeyStore]]:
    """Open a store as often as asked, with options of its own each time, and leave them all."""
    made: list[KeyStore] = []

    def open_store(wrapping: bytes = WRAPPING, **options: Any) -> KeyStore:
        made.append(KeyStore(url, wrapping, **options))
        made[-1].create()
        return made[-1]

    yield open_store
    for store in made:
        store.close()


@contextmanager
def beside(store: KeyStore, url: str) -> Iterator[Database]:
    """Open a database whose units use the store."""
    database = Database(url)
    store.attach(database)
    database.start()
    yield database
    database.close()


def events_of(store: KeyStore, name: str) -> list[object]:
    seen: list[object] = []
    event.listen(store._engine, name, lambda *arguments: seen.append(arguments))
    return seen


def rows(store: KeyStore) -> dict[str, bytes | None]:
    with store._engine.connect() as connection:
        return {row.scope: row.wrapped for row in connection.execute(select(data_keys))}
