"""The one scheduler of a node: it looks at the deadlines and the calendar, and sleeps in between.

It lives by the node's own clock, which may leap: it looks every second and asks what has passed by
now, never what should happen at an instant it had foreseen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial

from contracts.kernel.errors import RelaisError
from contracts.kernel.paris import day_of
from services.chassis import deadlines, governance
from services.chassis.agreements import expire
from services.chassis.clock import Clock
from services.chassis.core import Core
from services.chassis.database import Database, Tx
from services.chassis.receipting import lapse

EVERY = 1.0
"""Seconds between two looks."""

_log = logging.getLogger("relais.scheduler")


class Scheduler:
    """Strikes what has passed; once a day, and at each start, lets the calendar set what is due.

    also: what else the node looks at by its own clock.
    """

    def __init__(
        self, core: Core, database: Database, clock: Clock, also: Callable[[], Awaitable[None]]
    ) -> None:
        self._core = core
        self._also = also
        self._database = database
        self._clock = clock
        self._day: tuple[date, str] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to look."""
        self._task = asyncio.create_task(self._run(), name="scheduler")

    async def stop(self) -> None:
        """Stop; what is due waits in the database."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except RelaisError as error:
                _log.warning("deadlines_not_read: %s", error.code)
            except Exception as error:  # noqa: BLE001 -- the deadlines must be looked at again
                _log.error("deadline_failed: %s", type(error).__name__)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Do what is due by now, all of it."""
        at = self._clock.now()
        seen = (day_of(at), self._core.directory.revision)
        if seen != self._day:
            await self._database.write(partial(_daily, core=self._core, at=at))
            self._day = seen
        await self._also()
        while found := await self._database.read(lambda c: deadlines.passed(c, at)):
            if not await self._strike(found, at):
                return  # whatever is left fails; the next look tries again

    async def _strike(self, found: Sequence[str], at: datetime) -> bool:
        """Strike them together; where one fails the writer runs each alone. Whether one did not."""
        done = await asyncio.gather(
            *(
                self._database.write(partial(_struck, core=self._core, deadline_id=one, at=at))
                for one in found
            ),
            return_exceptions=True,
        )
        failed = [type(error).__name__ for error in done if isinstance(error, BaseException)]
        for name in failed:
            _log.error("deadline_failed: %s", name)
        return len(failed) < len(found)


def _daily(tx: Tx, *, core: Core, at: datetime) -> None:
    expire(tx, core, at)
    lapse(tx, core, at)
    governance.daily(tx, core, at)
    core.partner.daily(tx, core, at)


def _struck(tx: Tx, *, core: Core, deadline_id: str, at: datetime) -> None:
    deadlines.strike(tx, core, deadline_id, at)
