"""The web shell of a node: its API, its pages, its probes and metrics, started and stopped with it.

Sending a message is answered before FastAPI's router, which costs more than the message (ADR 12).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from contracts.kernel.errors import RelaisError
from services.chassis import (
    api,
    casework,
    derogating,
    disputes,
    exercising,
    openapi,
    people,
    problems,
    reading,
    review,
)
from services.chassis.bus import describe
from services.chassis.idempotency import try_out
from services.chassis.node import Node
from services.chassis.pages.rendering import ROOT
from services.chassis.pages.site import site
from services.chassis.person import api as person
from services.chassis.person import usage
from services.chassis.person.door import ROOT as PERSON_ROOT
from services.chassis.person.site import person_site
from services.chassis.requests import knowing
from services.chassis.sign_in import api as authorising
from services.chassis.telemetry import FASTAPI_OFF

MAX_BODY = 256 * 1024
"""Bytes of one request, as of one letter."""

_SEND = "/api/v1/messages"


class TooLong(RelaisError):
    """A body longer than any message can be; it is not read to its end."""

    code = "too_long"
    status = 413


class NodeApp(FastAPI):
    """FastAPI, before which one POST is answered by itself; see `create_app`."""

    answer: Callable[[Request, bytes], Awaitable[Response]] | None = None
    complete: Callable[[dict[str, Any]], None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, as ASGI asks."""
        answer = self.answer
        if (
            answer is None
            or scope["type"] != "http"
            or scope["path"] != _SEND
            or scope["method"] != "POST"
        ):
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await answer(request, await _body(receive))
        except Exception as error:
            response = await problems.answer(request, error)
            await response(scope, receive, send)
            if not isinstance(error, RelaisError | HTTPException):
                raise  # the server's log tells of defects
        else:
            await response(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once: FastAPI's, and what it cannot know."""
        if self.openapi_schema is None:
            super().openapi()
            if self.complete is not None and self.openapi_schema is not None:
                self.complete(self.openapi_schema)
        return self.openapi_schema or {}


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > MAX_BODY:
            raise TooLong(f"Une requête ne dépasse pas {MAX_BODY // 1024} Kio.")
        if not message.get("more_body", False):
            return b"".join(parts)


def create_app(node: Node) -> NodeApp:
    """The application of one node; its lifespan is the node's."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await node.start()
        try:
            yield
        finally:
            await node.stop()

    app = NodeApp(
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
    app.answer = api.sending(node)
    app.complete = partial(
        openapi.complete,
        registry=node.given.registry,
        kind=node.settings.kind,
        more=node.given.partner.calls,
    )
    app.include_router(api.router(node))
    app.include_router(people.router(node))
    app.include_router(person.router(node))
    app.include_router(usage.router(node))
    app.include_router(reading.router(node))
    app.include_router(casework.router(node))
    app.include_router(review.router(node))
    app.include_router(disputes.router(node))
    app.include_router(derogating.router(node))
    app.include_router(exercising.router(node))
    app.include_router(authorising.router(node))
    for code, side in node.given.partner.sides.items():
        if side.routes is not None:
            app.include_router(side.routes(node), dependencies=[Depends(knowing(node, code))])
    app.mount(ROOT, site(node, app))
    app.mount(PERSON_ROOT, person_site(node))
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
            await node.database.write(
                partial(try_out, key=node.given.new_id(), at=node.clock.now())
            )
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
