"""The naive peer: insert and commit, publish, 202; receive, insert and commit, ack. Nothing else.

Run `python -m tests.bench.peers.naive sender PORT DATABASE_URL NATS_URL`, and `receiver` alike.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from faststream.nats import JStream, NatsBroker, PullSub
from sqlalchemy import JSON, create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.bench.load import Request
from tests.bench.peers.referral import Referral, sample_referral
from tests.bench.peers.system import Peer, quiet_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

STREAM, SUBJECT = "REFERRALS", "referrals.new"


class Base(DeclarativeBase):
    """The tables of either side."""


class ReferralRow(Base):
    """A referral, sent or received, one column a field."""

    __tablename__ = "referrals"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[UUID]
    family_name: Mapped[str]
    given_name: Mapped[str]
    birth_date: Mapped[date]
    address: Mapped[str]
    representative_name: Mapped[str]
    representative_phone: Mapped[str]
    representative_email: Mapped[str]
    school_uai: Mapped[str]
    level: Mapped[str]
    concern_codes: Mapped[list[str]] = mapped_column(JSON)
    help_code: Mapped[str]
    steps_taken: Mapped[str]


def sender(sessions: async_sessionmaker[AsyncSession], broker: NatsBroker) -> FastAPI:
    """Return the application that accepts referrals and sends them on."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with broker:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/referrals", status_code=202)
    async def send(referral: Referral) -> dict[str, int]:
        async with sessions() as session:
            row = ReferralRow(**referral.model_dump())
            session.add(row)
            await session.commit()
            await broker.publish(referral, SUBJECT, stream=STREAM, timeout=10)
            return {"id": row.id}

    return app


def receiver(sessions: async_sessionmaker[AsyncSession], broker: NatsBroker) -> FastAPI:
    """Return the application that receives referrals."""

    @broker.subscriber(
        SUBJECT, stream=JStream(STREAM, declare=False), durable="receiver", pull_sub=PullSub()
    )
    async def receive(referral: Referral) -> None:
        async with sessions() as session:
            session.add(ReferralRow(**referral.model_dump()))
            await session.commit()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await broker.start()
        yield
        await broker.stop()

    return FastAPI(lifespan=lifespan)


class Naive(Peer):
    """The naive peer, the unit of every ratio: FastAPI, SQLAlchemy and FastStream as they come.

    It fetches one letter at a time, as FastStream does unless told otherwise.
    """

    name = "naive"
    module = "tests.bench.peers.naive"
    streams = ((STREAM, "referrals.>"),)
    effects_sql = done_sql = b"SELECT count(*) FROM referrals"
    done_at = "receiver"

    def prepare(self, sender: str, receiver: str) -> Mapping[str, str]:
        """Create the one table on either side."""
        for database in (sender, receiver):
            engine = create_engine(database)
            Base.metadata.create_all(engine)
            engine.dispose()
        return {}

    def request(self, index: int) -> Request:
        """Post referral `index`."""
        body = sample_referral(index, self.today).model_dump_json().encode()
        return Request(f"{self.sender}/referrals", {}, body)


def main(role: str, port: str, database: str, nats: str, _told: str = "") -> None:
    """Serve one role until told to stop."""
    engine = create_async_engine(database, pool_size=10, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    broker = NatsBroker(nats, logger=quiet_logger())
    app = sender(sessions, broker) if role == "sender" else receiver(sessions, broker)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
