"""One side of the plain peer: `python -m tests.bench.peers.plain ROLE PORT DATABASE NATS TOLD`."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from joserfc.errors import JoseError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.bench.peers.plain.letters import Keys, Posting
from tests.bench.peers.plain.office import LETTERS, RECEIPTS, Office
from tests.bench.peers.plain.receiver import compose_receipt, receive
from tests.bench.peers.plain.relay import Relay
from tests.bench.peers.plain.sender import (
    LETTER_OPTIONS,
    RefusedError,
    accept,
    charter_of,
    compose_letter,
)
from tests.bench.peers.plain.sender import take_receipt as take
from tests.bench.peers.system import quiet_logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_WORKERS = 8


def sender(office: Office) -> FastAPI:
    """Return the application of the side that sends letters and takes receipts."""
    app = _application(office, Relay(office, compose_letter, LETTER_OPTIONS))

    @app.post("/messages", status_code=202)
    async def post(posting: Posting, authorization: Annotated[str, Header()]) -> dict[str, UUID]:
        try:
            charter_at = charter_of(office, authorization.removeprefix("Bearer "))
            message_id = await accept(office, posting, charter_at)
        except JoseError as error:
            raise HTTPException(401) from error
        except RefusedError as error:
            raise HTTPException(403, str(error)) from error
        return {"message_id": message_id}

    @office.broker.subscriber(
        RECEIPTS,
        stream=JStream("RECEIPTS", declare=False),
        durable="school",
        pull_sub=PullSub(),
        max_workers=_WORKERS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def take_receipt(message: NatsMessage) -> None:
        await take(office, message)

    return app


def receiver(office: Office, *, receipts: bool) -> FastAPI:
    """Return the application of the side that receives letters."""

    @office.broker.subscriber(
        LETTERS,
        stream=JStream("LETTERS", declare=False),
        durable="city",
        pull_sub=PullSub(),
        max_workers=_WORKERS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def receive_letter(message: NatsMessage) -> None:
        await receive(office, message, receipts=receipts)

    return _application(office, Relay(office, compose_receipt))


def _application(office: Office, relay: Relay) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with office.sessions() as session:
            await office.audit.load(session)
        await office.broker.start()
        relaying = asyncio.create_task(relay.run())
        yield
        relaying.cancel()
        await office.broker.stop()

    return FastAPI(lifespan=lifespan)


def main(role: str, port: str, database: str, nats: str, told: str) -> None:
    """Serve one role until told to stop."""
    settings = json.loads(told)
    engine = create_async_engine(database, pool_size=10, max_overflow=0)
    office = Office(
        sessions=async_sessionmaker(engine, expire_on_commit=False),
        broker=NatsBroker(nats, logger=quiet_logger()),
        keys=Keys.read(Path(settings["keys"])),
        now=lambda: datetime.now(UTC),
    )
    app = sender(office) if role == "sender" else receiver(office, receipts=settings["receipts"])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
