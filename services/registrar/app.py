"""The registrar over HTTP: signed documents in, the directory out.

There is no login, since documents prove themselves. Bodies are the signed strings themselves;
activations come as a JSON list of NATS JWTs. Refusals are RFC 9457 problems.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from contracts.kernel.errors import InvalidDocument, RelaisError
from services.chassis.problems import install
from services.chassis.telemetry import FASTAPI_OFF
from services.registrar.service import Registrar

MAX_DOCUMENT: Final = 256 * 1024
"""Bytes of one document: an entry weighs some 4 KiB, a signed text 1 KiB a party."""
MAX_ACTIVATIONS: Final = 16 * 1024**2
"""Bytes of one organisation's activations: 1 KiB each."""


class TooLarge(RelaisError):
    """A body above what any honest document weighs."""

    code = "too_large"
    status = 413


def create_app(registrar: Registrar) -> FastAPI:
    """Make the application; the registrar starts and stops with it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await registrar.start()
        try:
            yield
        finally:
            await registrar.stop()

    app = FastAPI(
        title="Relais registrar",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=FASTAPI_OFF,
    )
    install(app)
    _documents(app, registrar)
    _probes(app, registrar)
    return app


def _documents(app: FastAPI, registrar: Registrar) -> None:
    @app.get("/directory")
    async def directory(request: Request) -> Response:
        headers = {"ETag": f'"{registrar.view.revision}"', "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(registrar.content, media_type="application/json", headers=headers)

    def takes(path: str, publish: Callable[[str], Awaitable[None]], method: str) -> None:
        async def taken(request: Request) -> dict[str, str]:
            await publish(await _text(request, MAX_DOCUMENT))
            return {"revision": registrar.view.revision}

        app.add_api_route(path, taken, methods=[method], name=path.strip("/"))

    takes("/entries", registrar.publish_entry, "PUT")
    takes("/rotations", registrar.publish_rotation, "PUT")
    takes("/terms", registrar.publish_terms, "POST")
    takes("/acts", registrar.publish_act, "POST")

    @app.put("/activations/{org}")
    async def activations(org: str, request: Request) -> dict[str, str]:
        await registrar.publish_activations(org, _tokens(await _text(request, MAX_ACTIVATIONS)))
        return {"revision": registrar.view.revision}


def _probes(app: FastAPI, registrar: Registrar) -> None:
    @app.get("/state")
    async def state() -> dict[str, Any]:
        return registrar.state()

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        await registrar.ready()
        return {"status": "ready"}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(registrar.metrics.render(), media_type=CONTENT_TYPE_LATEST)


async def _text(request: Request, limit: int) -> str:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise TooLarge(f"Un document pèse {limit} octets au plus.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidDocument("Ce document n'est pas du texte.") from None


def _tokens(text: str) -> list[str]:
    try:
        tokens = json.loads(text)
    except (ValueError, RecursionError):
        tokens = None
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise InvalidDocument("Une liste JSON de jetons est attendue.")
    return tokens
