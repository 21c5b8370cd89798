"""The web shell of a node: its API, its probes, its metrics, started and stopped with it.

Sending a message is answered before FastAPI's router, which costs more than the message (ADR 12).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.kernel.errors import RelaisError
from services.chassis import api, problems, reading
from services.chassis.bus import describe
from services.chassis.node import Node
from services.chassis.telemetry import FASTAPI_OFF

MAX_BODY = 256 * 1024
"""Bytes of one request, as of one letter."""

_SEND = "/api/v1/messages"


class _Direct:
    """Answers one POST by itself; everything else goes on to the application."""

    def __init__(
        self, app: ASGIApp, path: str, answer: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._path = path
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("POST", self._path):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except (RelaisError, HTTPException) as error:
            response = await problems.answer(request, error)
        await response(scope, receive, send)


def create_app(node: Node) -> FastAPI:
    """The application of one node; its lifespan is the node's."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await node.start()
        try:
            yield
        finally:
            await node.stop()

    app = FastAPI(
        title=f"Relais : {node.settings.name}",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry=FASTAPI_OFF,
        max_body_size=MAX_BODY,
    )
    problems.install(app)
    app.add_middleware(_Direct, path=_SEND, answer=api.sending(node))
    app.include_router(api.router(node))
    app.include_router(reading.router(node))
    if node.given.partner.router is not None:
        app.include_router(node.given.partner.router)
    _probes(app, node)
    return app


def _probes(app: FastAPI, node: Node) -> None:
    @app.get("/healthz")
    async def healthz() -> Response:
        """The process answers."""
        return JSONResponse({"org": node.core.org, "alive": True})

    @app.get("/readyz")
    async def readyz() -> Response:
        """The node can do its work: write, read, and send a letter to itself."""
        checks: dict[str, bool | str] = {"database": False, "letterbox": False}
        try:
            await node.database.write(lambda tx: tx.flush())
            checks["database"] = True
            await node.bus.probe(node.given.new_id())
            checks["letterbox"] = await node.bus.ready()
        except RelaisError as error:
            checks["code"] = error.code
        ready = checks["database"] and checks["letterbox"]
        return JSONResponse(checks, status_code=200 if ready else 503)

    @app.get("/asyncapi")
    async def asyncapi() -> Response:
        """The bus as this node may use it now, as AsyncAPI 3."""
        return JSONResponse(describe(app.title, reading.channels(node)))

    @app.get("/metrics")
    async def metrics() -> Response:
        """Prometheus metrics; codes only."""
        await node.database.read(lambda c: reading.gauges(node, c))
        return Response(node.metrics.render(), media_type=node.metrics.content_type)
