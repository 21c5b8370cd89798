"""The relay: takes sealed letters from the outbox to the receivers' letterboxes.

One lane per receiver, so that one who is away holds up nobody else. Each letter is decided again at
the moment it leaves; one that no longer passes is stopped and its content erased. What the broker
acknowledged is `delivered`; it stays here until the signed receipt, or its expiry.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from contracts.gate import Refused
from contracts.kernel.errors import RelaisError, Unavailable
from contracts.kernel.facts import from_json
from services.chassis import letters, tables
from services.chassis.clock import Clock
from services.chassis.core import REFUSAL_SCOPE, Core, case_scope
from services.chassis.database import Database, Tx
from services.chassis.journal import Entry
from services.chassis.posting import recheck
from services.chassis.telemetry import Telemetry, extract

BACKOFF = (1, 2, 5, 15, 60, 300)
"""Seconds before each new try; the last one repeats until the letter expires."""

Publish = Callable[[str, Mapping[str, str], bytes], Awaitable[None]]
"""Publishes on a subject and returns once the receiver's own letterbox has stored it."""


class NotDelivered(Unavailable):
    """The letterbox did not answer; the letter is kept and tried again."""

    code = "not_delivered"


class Undeliverable(RelaisError):
    """The letter can never be delivered as it is (too large)."""

    code = "undeliverable"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one publication; failure is None when the letterbox stored it."""

    row: Row[Any]
    failure: str | None
    final: bool = False


def backoff(attempts: int, spread: float) -> timedelta:
    """Delay before the next try; spread in [0, 1) keeps nodes from trying together."""
    seconds = BACKOFF[min(attempts, len(BACKOFF) - 1)]
    return timedelta(seconds=seconds * (1 + spread / 4))


class Relay:
    """Moves the outbox. `wake` it after a commit; it also looks by itself every second."""

    def __init__(
        self,
        core: Core,
        database: Database,
        publish: Publish,
        clock: Clock,
        telemetry: Telemetry,
        *,
        batch: int = 256,
        idle: float = 1.0,
    ) -> None:
        self._core = core
        self._database = database
        self._publish = publish
        self._clock = clock
        self._telemetry = telemetry
        self._batch = batch
        self._idle = idle
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start moving letters."""
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        """Stop; letters under way are sent again at the next start, under the same ids."""
        tasks = [task for task in (self._task, *self._lanes.values()) if task is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """Look at the outbox now; call it from the loop's own thread."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            with suppress(Unavailable):
                await self._round()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._idle)
            self._wake.clear()

    async def _round(self) -> None:
        now, busy = self._clock.now(), list(self._lanes)
        rows = await self._database.read(
            lambda connection: _due(connection, now, busy, self._batch)
        )
        lanes: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            lanes[row.receiver].append(row)
        for receiver, due in lanes.items():
            task = asyncio.create_task(self._lane(due, now), name="relay-lane")
            self._lanes[receiver] = task
            task.add_done_callback(lambda _task, receiver=receiver: self._free(receiver))  # type: ignore[misc] # mypy cannot infer a lambda with a default

    def _free(self, receiver: str) -> None:
        self._lanes.pop(receiver, None)
        self._wake.set()

    async def _lane(self, rows: Sequence[Row[Any]], now: datetime) -> None:
        expired = [row for row in rows if row.expires_at <= now]
        alive = [row for row in rows if row.expires_at > now]
        stopped = {row.message_id: refused for row in alive if (refused := self._recheck(row, now))}
        leaving = [row for row in alive if row.message_id not in stopped]
        results = await asyncio.gather(*(self._send(row) for row in leaving))
        with suppress(Unavailable):
            await self._database.write(
                lambda tx: _record(tx, self._core, results, expired, stopped, self._clock.now())
            )

    def _recheck(self, row: Row[Any], now: datetime) -> Refused | None:
        """Decide again as the letter leaves (design §10.6); control and receipts always pass."""
        if row.kind != letters.LETTER or row.facts is None:
            return None
        scope = REFUSAL_SCOPE if row.case_id is None else case_scope(row.case_id)
        facts = from_json(self._core.keystore.open(scope, row.facts, aad=b"facts"))
        signed = self._core.directory.conventions.get(row.instrument)
        decision = recheck(self._core, facts, signed, now)
        return decision if isinstance(decision, Refused) else None

    async def _send(self, row: Row[Any]) -> Result:
        headers = json.loads(row.headers)
        parent = extract(headers.get(letters.TRACE_HEADER))
        with self._telemetry.span(
            "letter.publish", parent=parent, message_id=row.message_id, flow=row.type
        ) as step:
            try:
                await self._publish(row.subject, headers, row.sealed)
            except RelaisError as error:
                step.set(code=error.code)
                return Result(row, error.code, final=isinstance(error, Undeliverable))
            return Result(row, None)


def _due(
    connection: Connection, now: datetime, busy: Sequence[str], limit: int
) -> Sequence[Row[Any]]:
    outbox = tables.outbox
    where = (outbox.c.due_at <= now) & outbox.c.receiver.not_in(busy)
    statement = select(outbox).where(where).order_by(outbox.c.due_at).limit(limit)
    return connection.execute(statement).all()


def _record(
    tx: Tx,
    core: Core,
    results: Sequence[Result],
    expired: Sequence[Row[Any]],
    stopped: Mapping[str, Refused],
    at: datetime,
) -> None:
    outbox = tables.outbox
    done = [one.row for one in results if one.failure is None]
    receipts = [row.message_id for row in done if row.kind == letters.RECEIPT]
    delivered = [row.message_id for row in done if row.kind != letters.RECEIPT]
    if receipts:
        tx.execute(delete(outbox).where(outbox.c.message_id.in_(receipts)))
    if delivered:
        tx.execute(
            update(outbox)
            .where(outbox.c.message_id.in_(delivered) & outbox.c.due_at.is_not(None))
            .values(
                state=letters.DELIVERED,
                delivered_at=func.coalesce(outbox.c.delivered_at, at),
                due_at=at + core.policy.republish,
                failure=None,
            )
        )
    for one in results:
        if one.failure is not None:
            _failed(tx, one, at)
    for row in expired:
        _end(tx, core, row, letters.EXPIRED, (), at)
    for row_id, refused in stopped.items():
        found = tx.execute(select(outbox).where(outbox.c.message_id == row_id)).one()
        _end(tx, core, found, letters.STOPPED, refused.articles, at)


def _failed(tx: Tx, result: Result, at: datetime) -> None:
    outbox = tables.outbox
    values: dict[str, Any] = {"attempts": outbox.c.attempts + 1, "failure": result.failure}
    if result.final:
        values |= {"state": letters.REFUSED, "due_at": None, "sealed": None, "closed_at": at}
    else:
        values["due_at"] = at + backoff(result.row.attempts, random.random())  # noqa: S311 -- jitter
    where = (outbox.c.message_id == result.row.message_id) & outbox.c.due_at.is_not(None)
    tx.execute(update(outbox).where(where).values(**values))


def _end(
    tx: Tx, core: Core, row: Row[Any], state: str, articles: tuple[str, ...], at: datetime
) -> None:
    outbox = tables.outbox
    changed = tx.execute(
        update(outbox)
        .where((outbox.c.message_id == row.message_id) & outbox.c.due_at.is_not(None))
        .values(state=state, due_at=None, sealed=None, facts=None, closed_at=at)
    )
    if changed.rowcount == 0 or row.kind == letters.RECEIPT:
        return
    core.journal.append(
        tx,
        Entry(
            at=at,
            event=f"message.{state}",
            message_id=row.message_id,
            flow=row.type,
            outcome=state,
            articles=articles,
        ),
    )
