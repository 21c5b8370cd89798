"""A registrar in this process, and a client that publishes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from contracts import registry
from services.chassis.bundle import Bundle
from services.chassis.clock import SystemClock
from services.chassis.settings import Admitted, RegistrarSettings
from services.registrar.app import create_app
from services.registrar.operator import OperatorKeys
from services.registrar.service import Registrar
from tests.parties import Organisation, city, school
from tests.servers import free_port

REGISTRY = registry.load()
Client = httpx.AsyncClient


def now() -> datetime:
    return datetime.now(UTC)


def make_registrar(
    folder: Path, *, admitted: Iterable[Admitted] | None = None, database_url: str = ""
) -> Registrar:
    settings = RegistrarSettings(
        registrar_dir=folder,
        database_url=database_url,
        hub_url=f"nats://127.0.0.1:{free_port()}",
        organisations=tuple(admitted or listed(city(), school())),
    )
    operator, wall = OperatorKeys.open(folder, now()), SystemClock()
    return Registrar(settings, operator, REGISTRY, clock=wall, wall=wall)


@asynccontextmanager
async def serving(
    folder: Path, *, admitted: Iterable[Admitted] | None = None, database_url: str = ""
) -> AsyncIterator[Client]:
    registrar = make_registrar(folder, admitted=admitted, database_url=database_url)
    app = create_app(registrar)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        Client(transport=transport, base_url="http://registrar") as client,
    ):
        yield client


def listed(*orgs: Organisation) -> list[Admitted]:
    return [Admitted(id=one.org, kind=one.kind, code=one.code) for one in orgs]


async def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["code"])


async def bundle(client: Client) -> Bundle:
    return Bundle.parse((await client.get("/directory")).content)


async def put(client: Client, path: str, body: str) -> str:
    """Publish; returns ``ok`` or the code of the refusal."""
    method = "POST" if path in {"/terms", "/acts"} else "PUT"
    answer = await client.request(method, path, content=body)
    return "ok" if answer.status_code == 200 else await code_of(answer)


async def published(client: Client, *orgs: Organisation) -> None:
    for one in orgs:
        assert await put(client, "/entries", one.entry()) == "ok"
