"""The whole journal checked while the node goes on working: a batch of lines at a time.

A long journal takes minutes. Each batch is one short read in a reader's thread, so that nobody
else's reading waits for the end of it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from services.chassis.chain import Report

if TYPE_CHECKING:
    from services.chassis.clock import Clock
    from services.chassis.database import Database
    from services.chassis.journal import Journal

_BATCH: Final = 200
"""Lines checked in one go: some twenty milliseconds."""

_log = logging.getLogger("relais.journal")


@dataclass(slots=True)
class Run:
    """One verification. whole: lines there were when it began. ended_at: None while it runs.

    failed: code of what kept it from its end.
    """

    began_at: datetime
    whole: int
    report: Report = field(default_factory=Report)
    ended_at: datetime | None = None
    failed: str | None = None

    @property
    def share(self) -> int:
        """How much of it is done, in per cent."""
        return 100 if not self.whole else min(100, 100 * self.report.lines // self.whole)


class Verifier:
    """Checks one node's journal on demand, one run at a time; the last one stays to be read."""

    def __init__(self, database: Database, journal: Journal, clock: Clock) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self.last: Run | None = None

    def start(self) -> Run:
        """Begin a run, or return the one that is under way."""
        last = self.last
        if last is None or last.ended_at is not None:
            last = self.last = Run(self._clock.now(), self._journal.head().seq)
            self._task = asyncio.create_task(self._check(last), name="verification")
        return last

    async def _check(self, run: Run) -> None:
        try:
            after = 0
            while after < run.whole:
                some = partial(self._journal.verify_some, after=after, limit=_BATCH)
                read = await self._database.read(partial(some, report=run.report))
                if not read:
                    break
                after = read
        except Exception as error:  # noqa: BLE001 -- whoever asked reads that it did not end
            run.failed = type(error).__name__
            _log.error("verification_failed: %s", run.failed)
        finally:
            run.ended_at = self._clock.now()
