"""Keys on both databases: what is sealed opens in its place only, and never after destruction."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, make_url, text, update

from contracts.kernel.errors import UnknownName
from services.chassis.database import Database
from services.chassis.keystore import KeyDestroyed, KeyStore, SealBroken, data_keys
from tests.servers import PostgresServer
from tests.services.chassis.keystore_support import AT, beside, events_of, opened, rows

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


def test_what_is_sealed_opens_also_after_a_restart(new_store: Callable[..., KeyStore]) -> None:
    store = new_store()
    store.ensure(["case:1"])
    sealed = store.seal("case:1", b"content", b"row 1")

    assert b"content" not in sealed
    assert store.open("case:1", sealed, b"row 1") == b"content"
    assert new_store().open("case:1", sealed, b"row 1") == b"content"


def test_sealing_twice_shows_nothing_in_common(store: KeyStore) -> None:
    store.ensure(["case:1"])

    assert store.seal("case:1", b"content", b"") != store.seal("case:1", b"content", b"")


def test_what_is_moved_or_altered_does_not_open(store: KeyStore) -> None:
    store.ensure(["case:1", "case:2"])
    sealed = store.seal("case:1", b"content", b"row 1")
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])

    assert store.open("case:1", sealed, b"row 1") == b"content"
    for scope, content, aad in (
        ("case:1", sealed, b"row 2"),
        ("case:2", sealed, b"row 1"),
        ("case:1", altered, b"row 1"),
        ("case:1", b"", b"row 1"),
    ):
        with pytest.raises(SealBroken):
            store.open(scope, content, aad)


def test_a_commitment_is_salted_by_its_scope(store: KeyStore) -> None:
    store.ensure(["case:1", "case:2"])
    commitment = store.commit("case:1", b"content")

    assert len(commitment) == 32
    assert commitment == store.commit("case:1", b"content")
    assert commitment != store.commit("case:1", b"other")
    assert commitment != store.commit("case:2", b"content")
    salt = store._keys("case:1").salt
    assert commitment == hmac.new(salt, b"content", hashlib.sha256).digest()


def test_the_store_holds_no_key_in_clear(store: KeyStore) -> None:
    store.ensure(["case:1"])
    salt = store._keys("case:1").salt

    wrapped = rows(store)["case:1"]
    assert wrapped is not None
    assert salt not in wrapped
    assert len(wrapped) == 12 + 64 + 16


def test_another_wrapping_key_opens_nothing(new_store: Callable[..., KeyStore]) -> None:
    new_store().ensure(["case:1"])

    with pytest.raises(SealBroken):
        new_store(wrapping=bytes(32)).commit("case:1", b"")
    new_store().commit("case:1", b"")


def test_a_wrapping_key_has_256_bits(new_store: Callable[..., KeyStore]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        new_store(wrapping=bytes(16))
    new_store(wrapping=bytes(32))


def test_a_key_put_in_anothers_place_does_not_open(new_store: Callable[..., KeyStore]) -> None:
    store = new_store()
    store.ensure(["case:1", "case:2"])
    moved = rows(store)["case:1"]
    with store._engine.begin() as connection:
        connection.execute(
            update(data_keys).where(data_keys.c.scope == "case:2").values(wrapped=moved)
        )

    with pytest.raises(SealBroken):
        new_store().commit("case:2", b"")


def test_a_scope_never_made_has_no_key(store: KeyStore) -> None:
    with pytest.raises(UnknownName):
        store.seal("case:1", b"", b"")
    store.ensure(["case:1"])
    store.seal("case:1", b"", b"")


def test_many_keys_are_made_in_one_commit_and_only_once(store: KeyStore) -> None:
    commits = events_of(store, "commit")
    scopes = [f"case:{number}" for number in range(1200)]

    store.ensure([*scopes, *scopes])
    first = rows(store)
    store.forget()
    store.ensure(scopes)

    assert len(commits) == 1
    assert rows(store) == first
    assert len(first) == 1200


def test_memory_is_bounded_and_keys_are_read_again(new_store: Callable[..., KeyStore]) -> None:
    store = new_store(cached=2)
    store.ensure(f"case:{number}" for number in range(5))
    queries = events_of(store, "before_cursor_execute")

    commitments = [store.commit(f"case:{number}", b"") for number in (0, 1, 0, 2, 0)]

    assert len(store._known) == 2
    assert commitments[0] == commitments[2] == commitments[4]
    selects = [query for query in queries if "SELECT" in str(query)]
    assert len(selects) == 3  # 0, 1, 2: a key just used stays in memory


def test_a_destroyed_key_opens_nothing_and_never_returns(
    new_store: Callable[..., KeyStore],
) -> None:
    store = new_store()
    store.ensure(["case:1", "case:2"])
    sealed = {scope: store.seal(scope, b"content", b"") for scope in ("case:1", "case:2")}

    store.destroy("case:1", AT)

    for reopened in (store, new_store()):
        with pytest.raises(KeyDestroyed):
            reopened.open("case:1", sealed["case:1"], b"")
        with pytest.raises(KeyDestroyed):
            reopened.commit("case:1", b"")
        with pytest.raises(KeyDestroyed):
            reopened.ensure(["case:1"])
        assert reopened.open("case:2", sealed["case:2"], b"") == b"content"
        assert reopened.destroyed_at("case:1") == AT
        assert reopened.destroyed_at("case:2") is None
        assert reopened.destroyed_at("case:3") is None


def test_destroying_again_keeps_the_first_instant(store: KeyStore) -> None:
    store.ensure(["case:1"])
    store.destroy("case:1", AT)
    store.destroy("case:1", AT + timedelta(days=1))

    assert store.destroyed_at("case:1") == AT


def test_a_scope_destroyed_before_it_had_a_key_gets_none(store: KeyStore) -> None:
    store.destroy("case:1", AT)

    with pytest.raises(KeyDestroyed):
        store.ensure(["case:1"])
    store.ensure(["case:2"])


def test_a_destroyed_key_is_gone_from_the_files(
    store: KeyStore, request: pytest.FixtureRequest
) -> None:
    scopes = [f"case:{number}" for number in range(50)]
    store.ensure(scopes)
    wrapped = {scope: content for scope, content in rows(store).items() if content}
    flush(store)
    assert found_in(files_of(store, request), wrapped) == set(scopes)

    for scope in scopes[::2]:
        store.destroy(scope, AT)
    if store._engine.dialect.name == "postgresql":  # SQLite needs no more than `destroy`
        store.scrub()

    flush(store)
    assert found_in(files_of(store, request), wrapped) == set(scopes[1::2])


def flush(store: KeyStore) -> None:
    if store._engine.dialect.name == "postgresql":
        with store._engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))


def files_of(store: KeyStore, request: pytest.FixtureRequest) -> bytes:
    if store._engine.dialect.name == "sqlite":
        file = Path(str(make_url(str(store._engine.url)).database))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with store._engine.connect() as connection:
        path = connection.scalar(text("SELECT pg_relation_filepath('data_keys')"))
    return (server.folder / str(path)).read_bytes()


def found_in(content: bytes, wrapped: dict[str, bytes]) -> set[str]:
    return {scope for scope, key in wrapped.items() if key in content}


def test_a_row_without_key_or_tombstone_is_not_taken_for_a_key(store: KeyStore) -> None:
    with store._engine.begin() as connection:
        connection.execute(insert(data_keys), {"scope": "case:1"})

    with pytest.raises(KeyDestroyed):
        store.commit("case:1", b"")
