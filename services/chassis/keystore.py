"""Data keys, one per scope, in a store apart: destroying a key destroys what it sealed.

A scope is any name ("case:<id>", "class:refusals:2026-11"). It has a 256-bit key for AES-256-GCM
and a 256-bit salt for commitments, kept together under a wrapping key that is given, never stored.
Backups of the data leave this store out, so what was destroyed stays destroyed in them too.

Inside a unit of the attached `Database`, new and destroyed keys are kept back and written in one
transaction right before the data commit. A key without data, if that commit then fails, is
harmless; data without a key would be lost.
"""

from __future__ import annotations

import hmac
import os
import threading
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, LargeBinary, String, Table, bindparam, select, update
from sqlalchemy.exc import DBAPIError

from contracts.kernel.errors import RelaisError, UnknownName
from services.chassis.bulk import among_given, insert_rows
from services.chassis.database import Loader
from services.chassis.engines import Conflict, make_engine, translated
from services.chassis.schema import UtcDateTime, new_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from services.chassis.database import Database
    from services.chassis.destroyed import DestroyedList

P = ParamSpec("P")
T = TypeVar("T")

_AT_ONCE = 400  # scopes of one query
_KEY, _NONCE = 32, 12  # bytes: AES-256 and SHA-256; NIST SP 800-38D for GCM

_metadata = new_metadata()
data_keys = Table(
    "data_keys",
    _metadata,
    Column("scope", String(200), primary_key=True),
    Column("wrapped", LargeBinary),  # nothing once destroyed
    Column("destroyed_at", UtcDateTime),  # the tombstone: no other key ever takes its place
)


class KeyDestroyed(RelaisError):
    """The scope's key was destroyed on purpose; what it sealed is gone for good."""

    code = "key_destroyed"
    status = 410


class SealBroken(RelaisError):
    """Sealed bytes that were altered, moved elsewhere, or sealed under another key."""

    code = "seal_broken"


@dataclass(frozen=True, slots=True)
class _Keys:
    cipher: AESGCM
    salt: bytes


class KeyStore:
    """Keys of a node, in a SQLite file or a PostgreSQL database of their own.

    wrapping_key: 32 bytes, the node's secret. cached: unwrapped keys held in memory, at most.
    destroyed: list, kept elsewhere, of what is destroyed here, for a store that is restored.
    Safe to use from any thread. Where several processes share the store, a key that one destroys
    stays in the others' memory until they `forget`.
    """

    def __init__(
        self,
        url: str,
        wrapping_key: bytes,
        *,
        cached: int = 16_384,
        destroyed: DestroyedList | None = None,
    ) -> None:
        if len(wrapping_key) != _KEY:
            raise ValueError(f"a wrapping key has {_KEY} bytes")
        self._engine = self._reading = make_engine(url)
        if self._engine.dialect.name == "postgresql":  # one query needs no transaction around it
            self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._wrapping = AESGCM(wrapping_key)
        self._cached = cached
        self._destroyed = destroyed
        self._lock = threading.RLock()
        self._known: OrderedDict[str, _Keys] = OrderedDict()
        self._new: dict[str, tuple[_Keys, bytes]] = {}
        self._doomed: dict[str, datetime] = {}
        self._planned: dict[str, None] = {}
        self._database: Database | None = None
        self.unscrubbed = True
        """Whether a key was destroyed since `scrub`, as far as this process knows."""
        self.loader: Loader[str, bool] = Loader("keys", self._load)
        """For `Work.needs`: makes sure of the keys of a whole batch in one query."""

    def create(self) -> None:
        """Make the table where it is missing. Raises StorageUnavailable."""
        _shown(_metadata.create_all, self._engine)

    def attach(self, database: Database) -> None:
        """Write what a batch makes or destroys right before that database commits."""
        self._database = database
        database.before_commit(self._write)
        database.on_rollback(self._drop_changes)

    def close(self) -> None:
        """Leave the store and forget every key."""
        self.forget()
        self._engine.dispose()

    def forget(self) -> None:
        """Drop the unwrapped keys from memory; they are read again when needed."""
        with self._lock:
            self._known.clear()

    def ensure(self, scopes: Iterable[str]) -> None:
        """Make the keys that do not exist yet: one query and one commit for all.

        Raises KeyDestroyed when a scope had a key and lost it; StorageUnavailable; Conflict, to try
        again, when another process made one of them meanwhile (a unit is run again by itself).
        """
        with self._lock:
            missing = [scope for scope in dict.fromkeys(scopes) if not self._has(scope)]
            if not missing:
                return
            found = self._read(missing)
            for scope in missing:
                if scope not in found:
                    self._make(scope)
            self._write_outside_units()

    def fresh(self, scope: str) -> None:
        """Make the key of a scope that has none yet, as far as its caller knows: no query.

        Where it has one after all, the commit raises Conflict and the unit's second run uses that
        one; raises KeyDestroyed where it had one.
        """
        with self._lock:
            if not self._has(scope):
                self._planned[scope] = None  # made with those of the whole batch
                self._write_outside_units()

    def seal(self, scope: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under the scope's key; returns nonce and AES-256-GCM ciphertext.

        aad: where the bytes belong, so that they open nowhere else. Raises KeyDestroyed;
        UnknownName when `ensure` was never called; StorageUnavailable.
        """
        nonce = os.urandom(_NONCE)
        return nonce + self._keys(scope).cipher.encrypt(nonce, plaintext, aad)

    def open(self, scope: str, sealed: bytes, aad: bytes) -> bytes:
        """Decrypt what `seal` returned. Raises SealBroken, and what `seal` raises."""
        try:
            return self._keys(scope).cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
        except (InvalidTag, ValueError):
            raise SealBroken("Sealed content does not open: it was altered or moved.") from None

    def commit(self, scope: str, content: bytes) -> bytes:
        """Salted commitment: HMAC-SHA256 of the content under the scope's salt, 32 bytes.

        While the salt exists it proves the content; afterwards nobody can guess the content from
        it, however few values it may have. Raises what `seal` raises.
        """
        return hmac.digest(self._keys(scope).salt, content, "sha256")

    def destroy(self, scope: str, at: datetime) -> None:
        """Destroy the key and salt for good, leaving a tombstone with the instant.

        A second time is harmless and keeps the first instant. A scope that had no key never gets
        one. Raises StorageUnavailable.
        """
        with self._lock:
            self._planned.pop(scope, None)
            self._new.pop(scope, None)
            self._known.pop(scope, None)
            self._doomed.setdefault(scope, at)
            self._write_outside_units()

    def destroyed_at(self, scope: str) -> datetime | None:
        """Instant of the tombstone, None where there is none. Raises StorageUnavailable."""
        with self._lock:
            return next((row.destroyed_at for row in _shown(self._rows, [scope])), None)

    def destroyed_among(self, scopes: Iterable[str]) -> set[str]:
        """Those of many scopes whose keys were destroyed. Raises StorageUnavailable."""
        listed, found = list(scopes), set[str]()
        for first in range(0, len(listed), _AT_ONCE):
            rows = _shown(self._rows, listed[first : first + _AT_ONCE])
            found |= {row.scope for row in rows if row.destroyed_at is not None}
        return found

    def recall(self) -> int:
        """Destroy again what the list says was destroyed; returns how many keys it had not.

        A store that was restored from a backup thus forgets again. Raises StorageUnavailable.
        """
        listed = {} if self._destroyed is None else self._destroyed.read()
        gone = self.destroyed_among(listed)
        back = {scope: at for scope, at in listed.items() if scope not in gone}
        for scope, at in back.items():
            self.destroy(scope, at)
        return len(back)

    def scrub(self) -> None:
        """Rewrite the store's files without the keys that were destroyed.

        SQLite overwrites them at once; this empties its log, as `destroy` does by itself.
        PostgreSQL keeps dead rows until the table is rewritten, which locks it: call this once
        after a round of destructions, outside units. Its write-ahead logs, and backups of the
        store, hold wrapped keys until they are recycled.
        """
        with self._lock:
            self.unscrubbed = False
            _shown(self._rewrite)

    def _has(self, scope: str) -> bool:
        if scope in self._doomed:
            raise _destroyed(scope)
        return scope in self._known or scope in self._new or scope in self._planned

    def _keys(self, scope: str) -> _Keys:
        with self._lock:
            if not self._has(scope) and scope not in self._read([scope]):
                raise UnknownName(f"No key for the scope {scope}.")
            if scope in self._planned:
                self._make_planned()
            if scope in self._new:
                return self._new[scope][0]
            self._known.move_to_end(scope)
            return self._known[scope]

    def _make_planned(self) -> None:
        planned, self._planned = self._planned, {}
        for scope in planned:
            self._make(scope)

    def _make(self, scope: str) -> None:
        material, nonce = os.urandom(2 * _KEY), os.urandom(_NONCE)
        wrapped = nonce + self._wrapping.encrypt(nonce, material, scope.encode())
        self._new[scope] = _split(material), wrapped

    def _read(self, scopes: list[str]) -> set[str]:
        """Bring keys into memory; returns the scopes that have one."""
        rows = _shown(self._rows, scopes)
        for row in rows:
            if row.wrapped is None:
                raise _destroyed(row.scope)
            self._remember(row.scope, self._unwrap(row.scope, row.wrapped))
        return {row.scope for row in rows}

    def _unwrap(self, scope: str, wrapped: bytes) -> _Keys:
        try:
            aad = scope.encode()
            return _split(self._wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], aad))
        except InvalidTag:
            raise SealBroken(f"The key of {scope} does not open: wrong wrapping key?") from None

    def _remember(self, scope: str, keys: _Keys) -> None:
        self._known[scope] = keys
        if len(self._known) > self._cached:
            self._known.popitem(last=False)

    def _rows(self, scopes: Sequence[str]) -> list[Row[Any]]:
        rows: list[Row[Any]] = []
        if scopes:
            with self._reading.connect() as connection:
                rows += connection.execute(_KEYS, {"scopes": list(scopes)})
        return rows

    def _load(self, _connection: Connection, scopes: Sequence[str]) -> dict[str, bool]:
        self.ensure(scopes)
        return dict.fromkeys(scopes, True)

    def _write_outside_units(self) -> None:
        if self._database is None or not self._database.in_unit:
            try:
                self._write()
            except RelaisError:
                self._drop_changes()
                raise

    def _write(self) -> None:
        with self._lock:
            self._make_planned()
            if self._new or self._doomed:
                try:
                    _shown(self._write_rows)
                except Conflict:
                    # Most often a crash between the two commits left them: a second run has them.
                    self._read(list(self._new))
                    raise
            for scope, (keys, _) in self._new.items():
                self._remember(scope, keys)
            self._drop_changes()

    def _write_rows(self) -> None:
        there = {row.scope: row for row in self._rows(list(self._doomed))}
        inserted: list[dict[str, Any]] = [
            {"scope": scope, "wrapped": wrapped, "destroyed_at": None}
            for scope, (_, wrapped) in self._new.items()
        ]
        inserted += [
            {"scope": scope, "wrapped": None, "destroyed_at": at}
            for scope, at in self._doomed.items()
            if scope not in there
        ]
        emptied = [
            {"doomed": scope, "at": self._doomed[scope]}
            for scope, row in there.items()
            if row.wrapped is not None
        ]
        if self._destroyed is not None and (new := self._not_yet_listed(there)):
            self._destroyed.add(new)
        self.unscrubbed |= bool(emptied)
        with self._engine.begin() as connection:
            if inserted:
                insert_rows(connection, (data_keys, inserted))
            if emptied:
                connection.execute(_EMPTY, emptied)
        if emptied and self._engine.dialect.name == "sqlite":
            self._rewrite()  # an overwritten key lives on in the log until this

    def _not_yet_listed(self, there: Mapping[str, Row[Any]]) -> dict[str, datetime]:
        return {
            scope: at
            for scope, at in self._doomed.items()
            if scope not in there or there[scope].wrapped is not None
        }

    def _rewrite(self) -> None:
        if self._engine.dialect.name == "sqlite":
            with closing(self._engine.raw_connection()) as raw:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (FULL) data_keys")

    def _drop_changes(self) -> None:
        with self._lock:
            self._planned.clear()
            self._new.clear()
            self._doomed.clear()


_KEYS = select(data_keys).where(among_given(data_keys.c.scope, "scopes"))

_EMPTY = (
    update(data_keys)
    .where(data_keys.c.scope == bindparam("doomed"), data_keys.c.destroyed_at.is_(None))
    .values(wrapped=None, destroyed_at=bindparam("at"))
)


def _split(material: bytes) -> _Keys:
    return _Keys(AESGCM(material[:_KEY]), material[_KEY:])


def _destroyed(scope: str) -> KeyDestroyed:
    return KeyDestroyed(f"The key of {scope} was destroyed; its content is gone for good.")


def _shown(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call, and let out a database's error without what it quotes."""
    try:
        return call(*args, **kwargs)
    except DBAPIError as error:
        raise translated(error) from None
