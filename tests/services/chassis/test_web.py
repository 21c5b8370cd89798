"""The one call that is answered before FastAPI: what it refuses, and what it says of a defect."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from contracts.kernel.errors import UnknownName
from services.chassis import migrate, tables
from services.chassis.database import Database
from services.chassis.engines import StorageUnavailable
from services.chassis.idempotency import try_out
from services.chassis.telemetry import FASTAPI_OFF
from services.chassis.web import MAX_BODY, NodeApp
from tests.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SEND = "http://node/api/v1/messages"


def app(error: Exception | None = None) -> NodeApp:
    async def answer(_request: Request, content: bytes) -> Response:
        if error is not None:
            raise error
        return Response(f"{len(content)}")

    made = NodeApp(telemetry=FASTAPI_OFF)
    made.answer = answer
    return made


async def ask(
    served: NodeApp, method: str = "POST", content: bytes | AsyncIterator[bytes] = b""
) -> httpx.Response:
    transport = httpx.ASGITransport(app=served, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.request(method, SEND, content=content)


def test_readiness_writes_a_row_and_leaves_none(database_url: str) -> None:
    database = started(database_url)
    database.write_now(partial(try_out, key="a", at=AT))
    assert database.read_now(lambda c: c.execute(select(tables.idempotency)).all()) == []
    database.close()


def test_readiness_sees_that_the_database_is_gone() -> None:
    """A transaction without a statement is committed without asking the server."""
    with PostgresServer() as server:
        database = started(server.url(server.create()))
        database.write_now(partial(try_out, key="a", at=AT))
        server.stop()
        with pytest.raises(StorageUnavailable):
            database.write_now(partial(try_out, key="b", at=AT))
        database.close()


def started(url: str) -> Database:
    migrate.upgrade(url)
    database = Database(url)
    database.start()
    return database


async def test_only_the_post_is_answered_apart() -> None:
    assert (await ask(app(), content=b"12345")).text == "5"
    assert (await ask(app(), "GET")).status_code == HTTPStatus.NOT_FOUND


async def test_a_body_in_parts_is_one_and_no_longer_than_a_letter() -> None:
    async def parts(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * (MAX_BODY // 4)

    assert (await ask(app(), content=parts(4))).text == f"{MAX_BODY}"
    refused = await ask(app(), content=parts(5))
    assert refused.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert refused.json()["code"] == "too_long"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UnknownName("Inconnu."), 404, "unknown"),
        (HTTPException(405), 405, "http_405"),
        (RuntimeError("Camille Exemple"), 500, "defect"),
    ],
)
async def test_an_error_is_a_problem_without_its_words(
    error: Exception, status: int, code: str
) -> None:
    told = await ask(app(error))
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert told.headers["content-type"] == "application/problem+json"
    assert "Camille" not in told.text


async def test_a_defect_goes_on_to_the_server_s_log() -> None:
    transport = httpx.ASGITransport(app=app(RuntimeError()))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(RuntimeError):
            await client.post(SEND)
