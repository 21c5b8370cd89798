"""Engines on a SQLite file or on PostgreSQL, the same for both, and their errors in our words.

A driver's message quotes the values of rows: only its code comes out.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import (
    DBAPIError,
    DontWrapMixin,
    IntegrityError,
    InvalidatePoolError,
    OperationalError,
)

from contracts.kernel.errors import RelaisError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

_PATIENCE = 10  # seconds to wait for a server, or for another process that writes the same file
_REST = 1.0  # seconds after which a connection is tried before it is used; no server is back sooner
# What blames the database, not the statement: codes of sqlite.org/rescode.html (busy, locked,
# readonly, ioerr, corrupt, full, cantopen, notadb); SQLSTATE classes of PostgreSQL's appendix A.
_SQLITE_OUTAGES = {5, 6, 8, 10, 11, 13, 14, 26}
_POSTGRES_OUTAGES = ("08", "53", "57P", "58")


class StorageUnavailable(Unavailable):
    """The database does not answer. A later write connects again."""

    code = "storage_unavailable"


class Conflict(RelaisError):
    """A row breaks a constraint: most often it exists already."""

    code = "conflict"
    status = 409


class UnfitText(RelaisError, DontWrapMixin):
    """A text that a column cannot hold, refused before either database sees it."""

    code = "unfit_text"
    status = 422


_SESSION: Final = "-c timezone=UTC -c plan_cache_mode=force_custom_plan -c random_page_cost=1.1"
"""Of each PostgreSQL connection. A plan kept from when a table was small would read it whole for
ever, so each statement is planned anew, for disks that seek as fast as they read."""


def check_text(text: str, most: int | None = None) -> None:
    """Refuse what PostgreSQL refuses and SQLite would keep: too many characters, a NUL."""
    if most is not None and len(text) > most:
        raise UnfitText(f"Un texte dépasse {most} caractères.")
    if "\0" in text:
        raise UnfitText("Un texte contient un caractère nul.")


def check_texts(texts: list[str | None], most: int) -> list[str | None]:
    """Refuse them as `check_text` would, all in one go; returns them."""
    held = [text for text in texts if text is not None]
    if held and (max(map(len, held)) > most or "\0" in "".join(held)):
        for text in held:
            check_text(text, most)
    return texts


def make_engine(url: str, *, begin: str = "BEGIN", read_only: bool = False) -> Engine:
    """Engine on a SQLite file or on PostgreSQL; ValueError for anything else.

    begin: how a SQLite transaction starts; one that reads before it writes says BEGIN IMMEDIATE.
    read_only: refuse writes, and read one snapshot a transaction.
    """
    kind = make_url(url).get_backend_name()
    if kind == "postgresql":
        mode = " -c default_transaction_read_only=on" if read_only else ""
        postgres = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            connect_args={"options": _SESSION + mode, "connect_timeout": _PATIENCE},
            isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
            hide_parameters=True,
        )
        _try_after_a_rest(postgres)
        return postgres
    file = make_url(url).database
    if kind != "sqlite" or file in {None, "", ":memory:"}:
        raise ValueError("a node needs a SQLite file or PostgreSQL")
    engine = create_engine(url, connect_args={"timeout": _PATIENCE}, hide_parameters=True)
    # executemany waits for the interpreter lock at each row: 7 times slower beside a busy loop.
    engine.dialect.use_insertmanyvalues_wo_returning = True

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins by itself, and late
        Path(str(file)).chmod(0o600)  # its -wal and -shm, made below, take the same mode
        for _ in range(100 * _PATIENCE):  # two that begin at once: "busy", whatever the timeout
            with suppress(sqlite3.OperationalError):
                connection.execute("PRAGMA journal_mode=WAL")
                break
            time.sleep(0.01)
        for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA query_only={int(read_only)}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _try_after_a_rest(engine: Engine) -> None:
    """Try a connection that rested: a server that was restarted has closed what it had open.

    The pool can do so at every turn (pool_pre_ping), which a busy writer feels.
    """

    @event.listens_for(engine, "checkin")
    def rest(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.get("rests_since")
        if since is None or time.monotonic() - since < _REST:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            raise InvalidatePoolError from None  # connects again, and so do the others


def translated(error: BaseException) -> BaseException:
    """Error to show for what was raised; one that is no database's comes back as it is.

    A driver's message quotes rows ("Key (name)=(...) exists"): only codes and names go on.
    """
    if isinstance(error, StopIteration):
        return RuntimeError("a unit raised StopIteration, which a future cannot carry")
    if not isinstance(error, DBAPIError):
        return error
    cause = error.orig
    if isinstance(cause, sqlite3.Error):  # the low byte of an extended code is the primary one
        code, name = getattr(cause, "sqlite_errorname", None), str(cause)  # names only, no values
        outage = getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_OUTAGES
    else:  # an error without a code comes from a connection that was refused
        code = getattr(cause, "sqlstate", None) or ("08" if type(error) is OperationalError else "")
        name = str(getattr(getattr(cause, "diag", None), "constraint_name", None))
        outage = error.connection_invalidated or code.startswith(_POSTGRES_OUTAGES)
    if outage:
        return StorageUnavailable(f"The database does not answer ({code}).")
    if isinstance(error, IntegrityError):
        return Conflict(f"A row breaks a constraint ({name}).")
    return RelaisError(f"The database refused a statement ({code}).", code="storage_refused")
