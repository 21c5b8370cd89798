"""What either side of the plain peer works with: sessions, bus, keys, audit, the case's seal."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from tests.bench.peers.plain.models import AuditLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from faststream.nats import NatsBroker
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from tests.bench.peers.plain.letters import Keys

FLOW = "referral.v1"
SCHOOL, CITY = "school", "city"
LETTERS, RECEIPTS = "letters.city", "receipts.school"
_NONCE_BYTES = 12


class Audit:
    """The hash chain of one process: a line is computed and committed before the next one."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._seq = 0
        self.head = bytes(32)

    async def load(self, session: AsyncSession) -> None:
        """Take up the chain where the database has it."""
        last = select(AuditLine).order_by(AuditLine.seq.desc()).limit(1)
        if line := (await session.scalars(last)).one_or_none():
            self._seq, self.head = line.seq, line.digest

    async def commit(
        self, session: AsyncSession, at: datetime, action: str, message_id: UUID, detail: str = ""
    ) -> None:
        """Commit the session with one more line of the chain."""
        await session.flush()  # before our turn: the chain is held for one INSERT and the commit
        async with self._one_at_a_time:
            said = f"{at.isoformat()} {action} {message_id} {detail}"
            line = AuditLine(
                seq=self._seq + 1,
                at=at,
                action=action,
                message_id=message_id,
                detail=detail,
                previous=self.head,
                digest=hashlib.sha256(self.head + said.encode()).digest(),
            )
            session.add(line)
            await session.commit()
            self._seq, self.head = line.seq, line.digest


@dataclass(slots=True)
class Office:
    """The means of one organisation. `wake` is set when something was put in the outbox."""

    sessions: async_sessionmaker[AsyncSession]
    broker: NatsBroker
    keys: Keys
    now: Callable[[], datetime]
    audit: Audit = field(default_factory=Audit)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


def lock_away(content: str, case_key: bytes) -> bytes:
    """Encrypt content under its case's key."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(case_key).encrypt(nonce, content.encode(), None)


def bring_back(locked: bytes, case_key: bytes) -> bytes:
    """Decrypt what `lock_away` encrypted."""
    return AESGCM(case_key).decrypt(locked[:_NONCE_BYTES], locked[_NONCE_BYTES:], None)
