"""The plain peer's relay: outbox row, signature, encryption, PubAck, commit, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from nats.errors import Error as NatsError
from pydantic import BaseModel
from sqlalchemy import bindparam, select, update

from tests.bench.peers.plain.models import Case, OutboxRow

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm.interfaces import ORMOption

    from tests.bench.peers.plain.office import Office

_AT_ONCE, _READ_AT_ONCE, _SWEEP_SECONDS, _PUBACK_SECONDS = 8, 64, 5.0, 10.0
_ONE_STATEMENT = {"isolation_level": "AUTOCOMMIT"}
_OLDEST_FIRST = (
    select(OutboxRow)
    .where(OutboxRow.state == "queued")
    .order_by(OutboxRow.queued_at)
    .limit(_READ_AT_ONCE)
)
_IF_STILL_QUEUED = (
    update(OutboxRow)
    .where(OutboxRow.id == bindparam("row_id"), OutboxRow.state == "queued")
    .values(state=bindparam("to_state"))
    .execution_options(synchronize_session=False)
)
_ERASE = (
    update(Case)
    .where(Case.id == bindparam("case"))
    .values(content=b"")
    .execution_options(synchronize_session=False)
)


Compose = Callable[[OutboxRow, datetime], BaseModel | None]


@dataclass(slots=True)
class Relay:
    """Publishes what is queued whenever `wake` is set; what failed is swept up later."""

    office: Office
    compose: Compose  # the letter of a row, None when it may no longer go
    options: Sequence[ORMOption] = ()

    async def run(self) -> None:
        """Work until cancelled."""
        slots = asyncio.Semaphore(_AT_ONCE)
        oldest_first = _OLDEST_FIRST.options(*self.options)
        while True:
            self.office.wake.clear()
            queued = await self._queued(oldest_first)
            sent = await asyncio.gather(*(self._publish_in_turn(slots, row) for row in queued))
            if not any(sent):
                await self._wait()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self.office.wake.wait(), _SWEEP_SECONDS)
        except TimeoutError:
            return

    async def _queued(self, oldest_first: Select[OutboxRow]) -> Sequence[OutboxRow]:
        async with self.office.sessions() as session:
            await session.connection(execution_options=_ONE_STATEMENT)
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
        # The receipt may have come home already: only a row still queued changes its state.
        state = "published" if letter else "stopped"
        async with office.sessions() as session:
            await session.execute(_IF_STILL_QUEUED, {"row_id": row.id, "to_state": state})
            if letter:
                await session.commit()
            else:
                await session.execute(_ERASE, {"case": row.case_id})
                await office.audit.commit(session, at, state, row.id)
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
