"""Keys that units of a batch make or destroy: one commit, right before that of the data."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, event, text

from services.chassis.database import Database, Tx, Work
from services.chassis.engines import Conflict, StorageUnavailable
from services.chassis.keystore import KeyDestroyed, KeyStore
from tests.servers import free_port
from tests.services.chassis.keystore_support import AT, WRAPPING, beside, opened, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def new_store(new_database_url: Callable[[], str]) -> Iterator[Callable[..., KeyStore]]:
    """Open the test's one store, again if called again: as a restart would."""
    with opened(new_database_url()) as open_store:
        yield open_store


@pytest.fixture
def store(new_store: Callable[..., KeyStore]) -> KeyStore:
    return new_store()


@pytest.fixture
def database(new_database_url: Callable[[], str], store: KeyStore) -> Iterator[Database]:
    with beside(store, new_database_url()) as database:
        yield database


async def test_the_keys_of_a_batch_are_committed_once_and_before_the_data(
    store: KeyStore, database: Database
) -> None:
    order: list[str] = []
    event.listen(store._engine, "commit", lambda _: order.append("keys"))
    event.listen(database._writer, "commit", lambda _: order.append("data"))

    def unit(tx: Tx) -> None:
        store.ensure(["case:1"])
        store.seal("case:1", b"usable at once", b"")
        store.ensure(["case:2"])
        tx.execute(text("SELECT 1"))
        assert rows(store) == {}

    await database.write(unit)

    assert order == ["keys", "data"]
    assert set(rows(store)) == {"case:1", "case:2"}


async def test_a_failed_unit_leaves_no_key_and_destroys_none(
    store: KeyStore, database: Database
) -> None:
    store.ensure(["case:1"])

    def unit(_tx: Tx, *, fails: bool) -> None:
        store.ensure(["case:2"])
        store.destroy("case:1", AT)
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        await database.write(lambda tx: unit(tx, fails=True))
    assert set(rows(store)) == {"case:1"}
    assert store.commit("case:1", b"")

    await database.write(lambda tx: unit(tx, fails=False))
    assert set(rows(store)) == {"case:1", "case:2"}
    with pytest.raises(KeyDestroyed):
        store.commit("case:1", b"")


async def test_a_key_destroyed_in_a_unit_is_gone_for_the_next_ones(
    store: KeyStore, database: Database
) -> None:
    store.ensure(["case:1"])

    def unit(_tx: Tx) -> None:
        store.destroy("case:1", AT)
        with pytest.raises(KeyDestroyed):
            store.commit("case:1", b"")

    await database.write(unit)


async def test_a_key_made_elsewhere_meanwhile_wins(
    new_store: Callable[..., KeyStore], store: KeyStore, database: Database
) -> None:
    other = new_store()
    runs: list[bytes] = []

    def unit(_tx: Tx) -> bytes:
        store.ensure(["case:1"])
        sealed = store.seal("case:1", b"content", b"")
        if not runs:
            other.ensure(["case:1"])
        runs.append(sealed)
        return sealed

    sealed = await database.write(unit)

    assert len(runs) == 2
    assert other.open("case:1", sealed, b"") == b"content"


async def test_a_key_left_by_a_crash_between_the_two_commits_is_used(
    new_store: Callable[..., KeyStore], new_database_url: Callable[[], str]
) -> None:
    left = new_store()
    left.fresh("case:1")  # committed; the data that should follow never was
    database, store = Database(new_database_url()), new_store()
    store.attach(database)
    database.start()

    def unit(_tx: Tx) -> bytes:
        store.fresh("case:1")
        return store.seal("case:1", b"content", b"aad")

    sealed = await database.write(unit)
    assert left.open("case:1", sealed, b"aad") == b"content"
    left.destroy("case:1", AT)
    store.forget()
    with pytest.raises(KeyDestroyed):
        await database.write(unit)
    database.close()


def test_outside_units_a_lost_race_is_a_conflict_to_try_again(
    new_store: Callable[..., KeyStore], store: KeyStore
) -> None:
    other = new_store()

    def meanwhile(*_: Any) -> None:
        if "case:1" not in rows(other):
            other.ensure(["case:1"])

    event.listen(store._engine, "rollback", meanwhile)  # after the look-up, before the insert

    with pytest.raises(Conflict):
        store.ensure(["case:1"])
    store.ensure(["case:1"])
    assert store.commit("case:1", b"") == other.commit("case:1", b"")


async def test_a_batch_looks_its_keys_up_in_one_query(store: KeyStore, database: Database) -> None:
    selects: list[str] = []

    def note(_c: Connection, _cursor: object, statement: str, *_: object) -> None:
        selects.append(statement)

    event.listen(store._engine, "before_cursor_execute", note)

    def wants(scope: str) -> Work[bytes]:
        return Work(lambda _tx: store.commit(scope, b""), needs=((store.loader, scope),))

    await asyncio.gather(*(database.write(wants(f"case:{number}")) for number in range(50)))

    assert len([statement for statement in selects if "SELECT" in statement]) < 10
    assert len(rows(store)) == 50


async def test_one_destroyed_scope_in_a_batch_fails_alone(
    store: KeyStore, database: Database
) -> None:
    store.destroy("case:0", AT)

    def wants(scope: str) -> Work[bytes]:
        return Work(lambda _tx: store.commit(scope, b""), needs=((store.loader, scope),))

    results = await asyncio.gather(
        *(database.write(wants(f"case:{number}")) for number in range(5)), return_exceptions=True
    )

    assert [type(result) for result in results] == [KeyDestroyed, *[bytes] * 4]


async def test_a_store_that_is_away_stops_the_batch(new_database_url: Callable[[], str]) -> None:
    store = KeyStore(f"postgresql://relais@127.0.0.1:{free_port()}/nowhere", WRAPPING)
    database = Database(new_database_url())
    store.attach(database)
    database.start()
    try:
        with pytest.raises(StorageUnavailable):
            await database.write(lambda _tx: store.ensure(["case:1"]))
        with pytest.raises(StorageUnavailable):
            store.ensure(["case:1"])
        await database.write(lambda _tx: None)
    finally:
        database.close()
        store.close()
