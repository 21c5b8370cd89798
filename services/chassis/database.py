"""The node's database: one writer thread with group commit, and a small pool of readers.

A commit waits for the disk, so it is shared: the writer takes every unit of work that waits, runs
them in one transaction and commits once. It never waits for a batch to fill; where many write at
once it pauses a few milliseconds for them.
When anything in a batch fails, all of it is rolled back and every unit is run again alone, in a
transaction of its own; the one at fault fails alone. Hence the one rule for units: **a unit may run
twice**. It acts only through its `Tx`, or on what an `on_rollback` hook restores.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from contracts.kernel.errors import Unavailable
from services.chassis.bulk import insert_rows
from services.chassis.engines import StorageUnavailable, make_engine, translated
from services.chassis.units import Unit, await_turn, deliver

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Table
    from sqlalchemy.sql.base import Executable

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Hook = Callable[[], object]
Row = dict[str, Any]
Params = Row | Sequence[Row] | None
Executes = Callable[["Executable"], None]
Inserts = Callable[["Table", Row], None]
"""Told of a statement, or of a row to insert, before it is run."""

_SIBLINGS: Final = 8
_BUSY_FOR: Final = 2
_PAUSE_S: Final = 0.005
_PAUSES: Final = 8
"""Pauses before the next two batches that follow one of so many units, for those that its answers
set off, as long as each brings some, or none came yet to join the one that waits; they end once as
many wait as were usual lately. They spare statements, which cost more; where few write, nobody
waits (PostgreSQL's commit_delay)."""

_log = logging.getLogger(__name__)


class Overloaded(Unavailable):
    """Too many units wait for the writer; nothing was queued."""

    code = "overloaded"


@dataclass(frozen=True, slots=True)
class Loader(Generic[K, V]):
    """How to read many rows by key in one query; `fetch` leaves out the keys it does not find."""

    name: str
    fetch: Callable[[Connection, Sequence[K]], Mapping[K, V]]


Need = tuple[Loader[Any, Any], Hashable]
"""A row that a unit will look at: its loader and its key."""


@dataclass(frozen=True, slots=True)
class Work(Generic[T]):
    """A unit of work and the rows it knows it will need, read for the whole batch in one query.

    then: rows that those rows name; asked once the first are there, and read together too.
    ready: called once all is read, for every unit before the first one runs; it only looks.
    """

    run: Callable[[Tx], T]
    needs: tuple[Need, ...] = ()
    then: Callable[[Tx], Iterable[Need]] | None = None
    ready: Callable[[Tx], object] | None = None


class Tx:
    """What the units of a batch see of their common transaction. Only for the writer thread.

    state: a place of the batch's own, empty at its start, gone at its end.
    """

    def __init__(self, connection: Connection) -> None:
        self.state: dict[str, Any] = {}
        self.endings: list[Hook] = []
        self.after_commit: list[Hook] = []
        self._connection = connection
        self._unwritten: list[Hook] = []
        self._late: list[Hook] = []
        self._rows: dict[Table, dict[tuple[str, ...], list[Row]]] = {}
        self._cache: dict[Loader[Any, Any], dict[Hashable, Any]] = defaultdict(dict)
        self._watch: tuple[Executes, Inserts] | None = None

    @contextmanager
    def watched(self, executes: Executes, inserts: Inserts) -> Iterator[None]:
        """Have somebody look at what is about to be changed; a unit that fails ends the batch."""
        former, self._watch = self._watch, (executes, inserts)
        yield
        self._watch = former

    @property
    def connection(self) -> Connection:
        """The open connection, which sees the rows inserted so far.

        A failed statement dooms the transaction, as on PostgreSQL; a unit that wants to survive it
        uses ``with tx.connection.begin_nested():``.
        """
        self.flush()
        return self._connection

    def insert(self, table: Table, row: Row, **late: Callable[[], object]) -> None:
        """Buffer a row: the batch's rows go out together.

        late: columns whose values are made right before the rows go out, see `insert_later`.
        Tables are written in the order of their first row, so insert a parent before its children.
        """
        if self._watch is not None:
            self._watch[1](table, row)
        if late:
            row |= dict.fromkeys(late)
            self._late.append(lambda: row.update((name, make()) for name, make in late.items()))
        # A statement takes its columns from its first row: rows with others need one of their own.
        self._rows.setdefault(table, {}).setdefault(tuple(row), []).append(row)

    def insert_later(self, make: Hook) -> None:
        """Have rows made and inserted right before the batch's rows go out.

        What many units need alike, sealing and hashing above all, costs a third of its time when it
        is done for all of them in one go.
        """
        self._unwritten.append(make)

    def flush(self) -> None:
        """Send the buffered rows to the database."""
        unwritten, self._unwritten = self._unwritten, []
        for make in unwritten:
            make()
        late, self._late = self._late, []  # after those: one that looks something up flushes too
        for make in late:
            make()
        rows, self._rows = self._rows, {}
        if rows:
            groups = [(table, some) for table, held in rows.items() for some in held.values()]
            insert_rows(self._connection, *groups)

    def execute(self, statement: Executable, params: Params = None) -> CursorResult[Any]:
        """Run a statement after the buffered rows, so that it sees them."""
        if self._watch is not None:
            self._watch[0](statement)
        return cast("CursorResult[Any]", self.connection.execute(statement, params))

    def amend(self, statement: Executable, params: Params = None) -> CursorResult[Any]:
        """Run a statement on rows of former batches alone; those buffered stay so.

        Sent half-way, the rows of a batch would go out in two statements.
        """
        return cast("CursorResult[Any]", self._connection.execute(statement, params))

    def preload(self, loader: Loader[K, V], keys: Iterable[K]) -> None:
        """Read many keys in one query, for later `get`s."""
        known = self._cache[loader]
        if missing := [key for key in dict.fromkeys(keys) if key not in known]:
            found = loader.fetch(self.connection, missing)
            known.update((key, found.get(key)) for key in missing)

    def get(self, loader: Loader[K, V], key: K) -> V | None:
        """Row by key: as read for the batch, else from the database; None where it is missing."""
        known = self._cache[loader]
        if key not in known:
            self.preload(loader, (key,))
        return cast("V | None", known[key])

    def forget(self, loader: Loader[K, Any], key: K | None = None) -> None:
        """Drop what was read, of one key or all: call it after changing what the loader reads."""
        if key is None:
            self._cache.pop(loader, None)
        else:
            self._cache[loader].pop(key, None)

    def remember(self, loader: Loader[K, V], key: K, value: V) -> None:
        """Say what a row will read as, once inserted: saves later units the query."""
        self._cache[loader][key] = value

    def at_end(self, callback: Hook) -> None:
        """Call it once every unit of the batch has run, before the last rows are written."""
        self.endings.append(callback)

    def on_commit(self, callback: Hook) -> None:
        """Call it in the writer thread once committed, never otherwise; it must not block."""
        self.after_commit.append(callback)


class Database:
    """Writer and readers of one database.

    url: SQLAlchemy address, of a SQLite file or of PostgreSQL. max_batch: units in one commit, at
    most. max_waiting: units in the queue, at most.
    """

    def __init__(self, url: str, *, max_batch: int = 256, max_waiting: int = 10_000) -> None:
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._writer = make_engine(url, begin="BEGIN IMMEDIATE")
        self._reader = make_engine(url, read_only=True)
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="relais-reader")
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="relais-writer", daemon=True)
        self._open = False
        self._small = _BUSY_FOR  # batches in a row, up to the last one
        self._usual = 0  # units of a batch lately
        self._all_back = threading.Event()  # as many wait
        self._hooks: dict[str, list[Hook]] = defaultdict(list)

    def start(self) -> None:
        """Start the writer. A database that is away shows at the first write, not here."""
        self._thread.start()
        self._open = True

    def close(self) -> None:
        """Commit what waits, stop the writer, leave the database; further writes are refused."""
        with self._gate:
            self._open = False
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()
        self._writer.dispose()
        self._reader.dispose()

    @property
    def in_unit(self) -> bool:
        """Whether the caller runs in the writer thread, hence inside a unit or a hook."""
        return threading.current_thread() is self._thread

    def before_commit(self, hook: Hook) -> None:
        """Call it once every row is written, right before the commit; raising rolls back."""
        self._hooks["before_commit"].append(hook)

    def on_commit(self, hook: Hook) -> None:
        """Call it after each commit of a batch."""
        self._hooks["commit"].append(hook)

    def on_rollback(self, hook: Hook) -> None:
        """Call it after each rollback, also when a lost connection hides how the commit ended."""
        self._hooks["rollback"].append(hook)

    async def write(self, work: Callable[[Tx], T] | Work[T]) -> T:
        """Run a unit in the writer's next transaction; returns its result once committed.

        Cancelling the wait does not undo the write. Raises what the unit raised, Conflict,
        Overloaded, or StorageUnavailable: if the database left during the commit, nobody knows
        whether it is done, so write under ids that make a second try harmless.
        """
        loop = asyncio.get_running_loop()
        self._enqueue(unit := Unit(work, loop.create_future(), loop))
        return cast("T", await unit.future)

    def write_now(self, work: Callable[[Tx], T] | Work[T]) -> T:
        """Do the same from synchronous code; RuntimeError in a unit, which would await itself."""
        if self.in_unit:
            raise RuntimeError("a unit writes through its own Tx")
        self._enqueue(unit := Unit(work, Future()))
        return cast("T", unit.future.result())

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a query on a reader thread; see `read_now`."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read_now, work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run queries on one snapshot, read-only. Raises StorageUnavailable."""
        try:
            with self._reader.connect() as connection:
                return work(connection)
        except Exception as error:  # noqa: BLE001 -- raised again, without a driver's words
            raise translated(error) from None

    def _enqueue(self, unit: Unit) -> None:
        with self._gate:
            if not self._open:
                raise StorageUnavailable("The database is closed.")
            if self._queue.qsize() >= self._max_waiting:
                raise Overloaded(f"{self._max_waiting} writes wait already; try again later.")
            self._queue.put(unit)
            if self._queue.qsize() >= self._usual - 1:
                self._all_back.set()

    def _run(self) -> None:
        while batch := self._waiting():
            self._process(batch)
            deliver(batch)

    def _waiting(self) -> list[Unit]:
        """Return everything that waits now, once something does; nothing at the end."""
        batch: list[Unit] = []
        with suppress(Empty):
            while len(batch) < self._max_batch:
                unit = self._queue.get(block=not batch)
                if not batch and unit is not None and self._small < _BUSY_FOR:
                    self._gather(unit)
                if unit is None:  # the last one: again, for the next turn to stop at once
                    self._queue.put(None)
                    break
                batch.append(unit)
        self._small = 0 if len(batch) >= _SIBLINGS else self._small + 1
        self._usual = max(len(batch), self._usual - 1)
        return batch

    def _gather(self, first: Unit) -> None:
        seen = -1
        for _ in range(_PAUSES):
            self._all_back.clear()
            waiting = self._queue.qsize()
            alone = waiting == 0 == self._small  # a receipt, say: those answered are about to ask
            if waiting >= self._usual - 1 or (waiting == seen and not alone):
                break
            seen = waiting
            self._all_back.wait(_PAUSE_S)
            await_turn(first.loop)

    def _process(self, batch: list[Unit]) -> None:
        error = self._attempt(batch)
        for unit in batch if error else ():
            if isinstance(error, StorageUnavailable):  # every try would wait for the same server
                unit.error = StorageUnavailable(error.sentence)
            else:
                error = unit.error = self._attempt([unit])

    def _attempt(self, units: list[Unit]) -> BaseException | None:
        try:
            self._transact(units)
        except BaseException as error:  # noqa: BLE001 -- a dead writer leaves all callers waiting
            return translated(error)
        return None

    def _transact(self, units: list[Unit]) -> None:
        try:
            with self._writer.connect() as connection, connection.begin():
                tx = Tx(connection)
                results = _run_all(tx, units)
                for hook in self._hooks["before_commit"]:
                    hook()
                # PostgreSQL answers COMMIT of a failed transaction by a silent ROLLBACK.
                info = getattr(connection.connection.dbapi_connection, "info", None)
                if info is not None and info.transaction_status.name == "INERROR":
                    raise RuntimeError("a unit outlived a failed statement")  # noqa: TRY301 -- rolls back
        except BaseException:
            for hook in self._hooks["rollback"]:
                hook()
            raise
        for unit, result in zip(units, results, strict=True):
            unit.result = result
        _quietly((*tx.after_commit, *self._hooks["commit"]))  # hand over, then wake


def _run_all(tx: Tx, units: list[Unit]) -> list[Any]:
    works = [unit.work if isinstance(unit.work, Work) else Work(unit.work) for unit in units]
    _preload_all(tx, (need for work in works for need in work.needs))
    _preload_all(tx, (need for work in works if work.then is not None for need in work.then(tx)))
    for work in works:
        if work.ready is not None:
            work.ready(tx)
    results = [work.run(tx) for work in works]
    for ending in tx.endings:
        ending()
    tx.flush()
    return results


def _preload_all(tx: Tx, needs: Iterable[Need]) -> None:
    wanted: dict[Loader[Any, Any], list[Hashable]] = defaultdict(list)
    for loader, key in needs:
        wanted[loader].append(key)
    for loader, keys in wanted.items():
        tx.preload(loader, keys)


def _quietly(callbacks: Iterable[Hook]) -> None:
    for callback in callbacks:  # what is committed must not be reported as failed
        try:
            callback()
        except Exception as error:  # noqa: BLE001 -- the type only: a message may hold data
            _log.error("after-commit callback failed: %s", type(error).__name__)
