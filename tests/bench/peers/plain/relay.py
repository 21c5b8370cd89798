"""The plain peer's relay: outbox row, signature, encryption, PubAck, commit, a few at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nats.errors import Error as NatsError
from sqlalchemy import select

from tests.bench.peers.plain.models import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pydantic import BaseModel
    from sqlalchemy.orm.interfaces import ORMOption

    from tests.bench.peers.plain.office import Office

_AT_ONCE, _READ_AT_ONCE, _SWEEP_SECONDS, _PUBACK_SECONDS = 8, 64, 5.0, 10.0


class Compose(Protocol):
    """Turns a row into what is sent, or None when it may no longer go."""

    def __call__(self, row: OutboxRow, at: datetime) -> BaseModel | None:
        """Return the letter of a row."""


@dataclass(slots=True)
class Relay:
    """Publishes what is queued whenever `wake` is set; what failed is swept up later."""

    office: Office
    compose: Compose
    options: Sequence[ORMOption] = ()

    async def run(self) -> None:
        """Work until cancelled."""
        slots = asyncio.Semaphore(_AT_ONCE)
        while True:
            self.office.wake.clear()
            queued = await self._queued()
            sent = await asyncio.gather(*(self._publish_in_turn(slots, row) for row in queued))
            if not any(sent):
                await self._wait()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.office.wake.wait(), _SWEEP_SECONDS)
        except TimeoutError:
            return

    async def _queued(self) -> Sequence[OutboxRow]:
        oldest_first = (
            select(OutboxRow)
            .where(OutboxRow.state == "queued")
            .order_by(OutboxRow.queued_at)
            .limit(_READ_AT_ONCE)
            .options(*self.options)
        )
        async with self.office.sessions.begin() as session:  # a rollback would drop psycopg's plans
            return (await session.scalars(oldest_first)).all()

    async def _publish_in_turn(self, slots: asyncio.Semaphore, row: OutboxRow) -> bool:
        async with slots:
            return await self._publish(row)

    async def _publish(self, row: OutboxRow) -> bool:
        office, at = self.office, self.office.now()
        letter = self.compose(row, at)
        if letter is not None and not await self._puback(
            row, office.keys.seal(letter, str(row.id), row.subject)
        ):
            return False
        async with office.sessions() as session:
            session.add(row)
            row.state = "published" if letter else "stopped"
            if letter:
                await session.commit()
            else:
                row.case.content = b""
                await office.audit.commit(session, at, "stopped", row.id)
        return True

    async def _puback(self, row: OutboxRow, sealed: bytes) -> bool:
        try:
            await self.office.broker.publish(
                sealed,
                row.subject,
                headers={"Nats-Msg-Id": str(row.id)},
                stream=row.subject.partition(".")[0].upper(),
                timeout=_PUBACK_SECONDS,
            )
        except (NatsError, TimeoutError):
            return False
        return True
