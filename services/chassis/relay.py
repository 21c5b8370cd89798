"""The relay: takes letters from the outbox to the receivers' letterboxes.

One lane per receiver, so that one who is away holds up nobody else. Each letter is decided again at
the moment it leaves; one that no longer passes is stopped and its content erased. The others leave
in lots, signed and encrypted here: whatever waits when a lane is free, and never a wait for more.
What the broker acknowledged is `delivered`; it stays until the signed receipt, or its expiry. A
receipt most often comes first, so `delivered` is written only where none came within a second.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from contracts.gate import Refused
from contracts.kernel.errors import RelaisError, Unavailable, UnknownName
from contracts.kernel.facts import Facts, from_json
from services.chassis import letters, reversals, tables
from services.chassis.agreements import unopened
from services.chassis.bulk import among, among_given
from services.chassis.chain import Line
from services.chassis.clock import Clock
from services.chassis.core import Core
from services.chassis.database import Database, Tx
from services.chassis.journal import Entry
from services.chassis.keystore import KeyDestroyed, SealBroken
from services.chassis.letters import Ready
from services.chassis.recheck import recheck
from services.chassis.schema import journal
from services.chassis.telemetry import Step, Telemetry, Together

_log = logging.getLogger("relais.relay")

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

    letter: Ready
    failure: str | None
    final: bool = False

    @property
    def stored(self) -> bool:
        """Whether a letter that awaits a receipt lies in the receiver's letterbox."""
        return self.failure is None and self.letter.kind != letters.RECEIPT


def backoff(attempts: int, spread: float) -> timedelta:
    """Delay before the next try; spread in [0, 1) keeps nodes from trying together."""
    seconds = BACKOFF[min(attempts, len(BACKOFF) - 1)]
    return timedelta(seconds=seconds * (1 + spread / 4))


class Relay:
    """Moves the outbox: what was just committed at once, the rest when it falls due.

    delivered: told the seconds from the outbox row to the letterbox's acknowledgement.
    `take` hands it a committed letter, from the writer's thread; `wake` makes it look now.
    """

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
        held: int = 10_000,
        delivered: Callable[[float], None] | None = None,
    ) -> None:
        self._core = core
        self._database = database
        self._publish = publish
        self._clock = clock
        self._telemetry = telemetry
        self._batch = batch
        self._idle = idle
        self._taken: deque[Ready] = deque(maxlen=held)  # what falls off is found in the outbox
        self._waiting: defaultdict[str, list[Ready]] = defaultdict(list)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looked = 0.0
        self._delivered: dict[str, tuple[float, int]] = {}  # since when, and in which sending
        self._measure = delivered

    def take(self, letter: Ready) -> None:
        """Accept a committed letter; from any thread, and `wake` must follow."""
        self._taken.append(letter)

    async def start(self) -> None:
        """Take up what a former run left, and start to move letters."""
        self._task = asyncio.create_task(self._run(), name="relay")

    async def stop(self) -> None:
        """Stop; letters under way are sent again at the next start, under the same ids."""
        tasks = [task for task in (self._task, *self._lanes.values()) if task is not None]
        self._task = None  # from now on `wake` launches nothing
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(RelaisError):
            await self._note_delivered(dict(self._delivered))

    def settled(self, message_ids: Iterable[str]) -> None:
        """Hear that receipts answered these letters; from any thread."""
        for message_id in message_ids:
            self._delivered.pop(message_id, None)

    def wake(self) -> None:
        """Look now, from the loop's own thread; lanes for what was just committed begin at once.

        The receiver then works on a lot while those who sent it read their answers and ask again.
        """
        if self._task is not None:
            self._bring_in()
            self._launch()
        self._wake.set()

    async def _run(self) -> None:
        horizon = letters.LEASE  # at the start nobody else holds what is leased
        while True:
            self._wake.clear()
            try:
                await self._look(horizon)
                horizon = timedelta(0)
            except Exception as error:  # noqa: BLE001 -- the outbox must be looked at again
                _log.error("outbox_not_read: %s", type(error).__name__)
            self._launch()
            with suppress(TimeoutError):  # wait_for of 3.11 may swallow the cancellation of `stop`
                async with asyncio.timeout(self._idle):
                    await self._wake.wait()

    async def _look(self, horizon: timedelta) -> None:
        """Bring in what was just committed, and once in a while what fell due in the outbox."""
        self._bring_in()
        now = time.monotonic()
        if now - self._looked < self._idle and not horizon:
            return
        self._looked = now
        held = dict(self._delivered)
        await self._note_delivered(
            {one: sending for one, sending in held.items() if now - sending[0] >= self._idle}
        )
        due, busy = self._clock.now() + horizon, [*self._lanes, *self._waiting]
        found = await self._database.read(partial(self._due, due, busy))
        for letter in found:
            if letter.message_id in self._delivered:
                continue  # it has just left
            self._waiting[letter.receiver].append(letter)

    def _bring_in(self) -> None:
        while self._taken:
            letter = self._taken.popleft()
            self._waiting[letter.receiver].append(letter)

    def _due(self, due: datetime, busy: Sequence[str], connection: Connection) -> list[Ready]:
        outbox = tables.outbox
        where = (outbox.c.due_at <= due) & outbox.c.receiver.not_in(busy)
        query = select(outbox).where(where).order_by(outbox.c.due_at).limit(self._batch)
        rows = connection.execute(query).all()
        facts = self._facts(connection, [row.message_id for row in rows])
        return [letters.ready(self._core, row, facts.get(row.message_id)) for row in rows]

    def _facts(self, connection: Connection, ids: Sequence[str]) -> dict[str, Facts]:
        """Facts of the decisions that sent these letters, from the journal."""
        where = among(journal.c.message_id, ids) & (journal.c.event == "message.sent")
        lines = [Line(**row._mapping) for row in connection.execute(select(journal).where(where))]  # noqa: SLF001 -- SQLAlchemy's public name for a row's dict
        found: dict[str, Facts] = {}
        for line in lines:
            with suppress(KeyDestroyed, SealBroken, UnknownName):  # no facts, no departure
                facts = self._core.journal.facts(line)
                if facts is not None and line.message_id is not None:
                    found[line.message_id] = from_json(facts)
        return found

    async def _note_delivered(self, delivered: Mapping[str, tuple[float, int]]) -> None:
        if delivered:
            at = self._clock.now()
            await self._database.write(
                lambda tx: tx.at_end(lambda: _note(tx, self._core, delivered, at))
            )
            self.settled(delivered)

    def _launch(self) -> None:
        for receiver in [one for one in self._waiting if one not in self._lanes]:
            waiting = self._waiting.pop(receiver)
            if len(waiting) > self._batch:
                self._waiting[receiver] = waiting[self._batch :]
            task = asyncio.create_task(self._lane(waiting[: self._batch]), name="relay-lane")
            self._lanes[receiver] = task
            task.add_done_callback(partial(self._free, receiver))

    def _free(self, receiver: str, task: asyncio.Task[None]) -> None:
        self._lanes.pop(receiver, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its letters are still leased in the outbox, and fall due again.
            _log.error("lane_failed: %s", type(error).__name__)

    async def _lane(self, waiting: Sequence[Ready]) -> None:
        now = self._clock.now()
        expired = [letter for letter in waiting if letter.expires_at <= now]
        stopped: list[tuple[Ready, Refused]] = []
        leaving: list[Ready] = []
        results: list[Result] = []
        for letter in (one for one in waiting if one.expires_at > now):
            found = self._looked_at(letter, now)
            if isinstance(found, Refused):
                stopped.append((letter, found))
            elif found is not None:
                results.append(found)
            else:
                leaving.append(letter)
        sent = await asyncio.gather(*(self._send(lot) for lot in letters.lots(leaving)))
        results += [result for lot in sent for result in lot]
        stored = [one.letter for one in results if one.stored]
        since, at = time.monotonic(), self._clock.now()
        for letter in stored:
            self._delivered[letter.message_id] = since, letter.unverified
            if self._measure is not None:
                self._measure((at - letter.created_at).total_seconds())
        rest = [one for one in results if not one.stored]
        if not (rest or expired or stopped):
            return
        with suppress(Unavailable):
            # At the batch's end: an update in its midst would send the rows gathered so far alone.
            await self._database.write(
                lambda tx: tx.at_end(lambda: _record(tx, self._core, rest, expired, stopped, at))
            )

    def _looked_at(self, letter: Ready, now: datetime) -> Refused | Result | None:
        """Decide again; None lets it leave. A defect keeps back this letter, and no other."""
        try:
            return self._recheck(letter, now)
        except Exception as error:  # noqa: BLE001 -- see above
            return _defect(letter, error)

    def _recheck(self, letter: Ready, now: datetime) -> Refused | None:
        """Decide again as the letter leaves; control and receipts always pass."""
        if letter.content is None:  # its key is gone
            return Refused("", ())
        if letter.kind == letters.LETTER and letter.case_id in self._core.erased:
            return Refused("", ())
        if letter.kind != letters.LETTER:
            return None
        if letter.facts is None:
            return Refused("", ())
        binding = self._core.binding(letter.receiver, letter.instrument)
        decision = recheck(self._core, letter.facts, binding, now)
        return decision if isinstance(decision, Refused) else None

    async def _send(self, lot: Sequence[Ready]) -> list[Result]:
        with Together(self._step(letter) for letter in lot) as steps:
            try:
                sealed = letters.pack(self._core, lot, self._core.new_id())
                await self._publish(sealed.subject, sealed.headers, sealed.body)
            except Undeliverable as error:
                if len(lot) == 1:
                    return [Result(lot[0], error.code, final=True)]
            except RelaisError as error:
                for step in steps:
                    step.set(code=error.code)
                return [Result(letter, error.code) for letter in lot]
            except Exception as error:  # noqa: BLE001 -- a defect keeps back one lot, no other
                return [_defect(letter, error) for letter in lot]
            else:
                for step in steps:
                    step.set(state=letters.DELIVERED)
                return [Result(letter, None) for letter in lot]
        alone = await asyncio.gather(*(self._send([letter]) for letter in lot))
        return [result for (result,) in alone]

    def _step(self, letter: Ready) -> Step:
        above = letter.traceparent or ""
        if letter.kind == letters.RECEIPT:  # in the trace of what it answers, under no other id
            return self._telemetry.span("letter.publish", parent=above, flow=letter.type)
        return self._telemetry.span(
            "letter.publish", parent=above, message_id=letter.message_id, flow=letter.type
        )


_GONE = delete(tables.outbox).where(among_given(tables.outbox.c.message_id, "ids"))


def _record(
    tx: Tx,
    core: Core,
    results: Sequence[Result],
    expired: Sequence[Ready],
    stopped: Sequence[tuple[Ready, Refused]],
    at: datetime,
) -> None:
    receipts = [one.letter.message_id for one in results if one.failure is None]
    if receipts:  # they need no receipt themselves
        tx.amend(_GONE, {"ids": receipts})
    for one in results:
        if one.failure is not None:
            _failed(tx, core, one, at)
    for letter in expired:
        _end(tx, core, letter, letters.EXPIRED, (), at)
    for letter, refused in stopped:
        _end(tx, core, letter, letters.STOPPED, refused.articles, at)


def _defect(letter: Ready, error: Exception) -> Result:
    _log.error("letter_not_sent: %s", type(error).__name__)
    return Result(letter, type(error).__name__[:64])


def _note(tx: Tx, core: Core, delivered: Mapping[str, tuple[float, int]], at: datetime) -> None:
    outbox = tables.outbox
    for sending in {number for _, number in delivered.values()}:
        ids = [one for one, (_, number) in delivered.items() if number == sending]
        # A receipt may have closed it meanwhile, or asked for another sending.
        mine = outbox.c.due_at.is_not(None) & (outbox.c.unverified == sending)
        tx.execute(
            update(outbox)
            .where(among(outbox.c.message_id, ids) & mine)
            .values(
                state=letters.DELIVERED,
                delivered_at=func.coalesce(outbox.c.delivered_at, at),
                due_at=at + core.policy.republish,
                failure=None,
            )
        )


def _failed(tx: Tx, core: Core, result: Result, at: datetime) -> None:
    outbox, letter = tables.outbox, result.letter
    values: dict[str, Any] = {"attempts": outbox.c.attempts + 1, "failure": result.failure}
    if not result.final:
        values["due_at"] = at + backoff(letter.attempts, random.random())  # noqa: S311 -- jitter
    where = (outbox.c.message_id == letter.message_id) & outbox.c.due_at.is_not(None)
    tx.execute(update(outbox).where(where).values(**values))
    if result.final:
        _end(tx, core, letter, letters.REFUSED, (), at)


def _end(
    tx: Tx, core: Core, letter: Ready, state: str, articles: tuple[str, ...], at: datetime
) -> None:
    outbox = tables.outbox
    changed = tx.execute(
        update(outbox)
        .where((outbox.c.message_id == letter.message_id) & outbox.c.due_at.is_not(None))
        .values(state=state, due_at=None, sealed=None, closed_at=at)
        .returning(outbox.c.delivered_at)
    ).first()
    if changed is None or letter.kind == letters.RECEIPT:
        return
    never_left = letter.kind == letters.LETTER and changed.delivered_at is None
    if never_left:
        reversals.reverse(tx, core, letter.message_id)
    if never_left and letter.case_id is not None:
        unopened(tx, core, letter.case_id, at)
    core.journal.append(
        tx,
        Entry(
            at=at,
            event=f"message.{state}",
            message_id=letter.message_id,
            flow=letter.type,
            outcome=state,
            articles=articles,
        ),
    )
