"""A small OTLP/HTTP receiver: what nodes export comes in, what the list allows is kept.

The nodes' own helper already refuses what a span may not carry. This side applies the same list
again, since anything on the machine may post here: unlisted attributes, events, links and status
messages are never written.

It has no sign-in and belongs on loopback, or behind something that has one.
"""

from __future__ import annotations

import zlib
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import FastAPI, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from starlette.exceptions import HTTPException

from services.chassis.observable import Value, is_allowed, is_code
from services.chassis.problems import problem
from services.chassis.telemetry import FASTAPI_OFF, PREFIX
from services.observer.page import list_page, lost_page, missing_page, trace_page
from services.observer.store import Store, StoredSpan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

_MAX_BODY: Final = 4 * 1024 * 1024
_MAX_INFLATED: Final = 16 * 1024 * 1024
_MAX_NS: Final = 2**63 - 1  # what SQLite can hold; the year 2262
_PROTOBUF: Final = "application/x-protobuf"
_GZIP_WINDOW: Final = 31
_PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class BodyError(Exception):
    """A request that is no OTLP export; `status` is the HTTP answer."""

    def __init__(self, status: int, sentence: str) -> None:
        """Say which HTTP status answers it, and why."""
        super().__init__(sentence)
        self.status = status


def create_app(db_path: Path | str, *, keep_traces: int = 1_000) -> FastAPI:
    """Make the observer: ``POST /v1/traces`` in, pages and JSON out.

    db_path: SQLite file, created when absent. keep_traces: the oldest ones beyond it go.
    """
    store = Store(db_path, keep_traces=keep_traces)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(
        title="Relais, traces",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=FASTAPI_OFF,
    )
    app.add_exception_handler(HTTPException, _lost)
    app.add_exception_handler(RequestValidationError, _lost)
    _add_export(app, store)
    _add_pages(app, store)
    _add_reading(app, store)
    return app


async def _lost(request: Request, error: Exception) -> Response:
    """Say that an address leads nowhere: to people on a page, to programs as a problem."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    if request.url.path.startswith(("/api/", "/v1/")):
        return problem(status, "unknown", "Il n'y a rien à cette adresse.")
    return _html(lost_page(), status)


def decode(body: bytes) -> list[StoredSpan]:
    """Read an OTLP export request (protobuf), keeping only what may be kept.

    Raises BodyError when it is no such request.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise BodyError(400, "not an OTLP trace export") from error
    kept = []
    for resource in request.resource_spans:
        about = {a.key: a.value.string_value for a in resource.resource.attributes}
        node = _token(about.get(PREFIX + "node"))
        service = _token(about.get("service.name"))
        for scope in resource.scope_spans:
            kept += [_stored(span, node, service) for span in scope.spans if _is_sound(span)]
    return kept


def inflate(body: bytes) -> bytes:
    """Undo gzip, up to 16 MiB. Raises BodyError beyond that, or when it is no gzip."""
    stream = zlib.decompressobj(wbits=_GZIP_WINDOW)
    try:
        plain = stream.decompress(body, _MAX_INFLATED)
    except zlib.error as error:
        raise BodyError(400, "not gzip") from error
    if stream.unconsumed_tail:
        raise BodyError(413, "too large once inflated")
    if not stream.eof:
        raise BodyError(400, "gzip cut short")
    return plain


def _is_sound(span: Span) -> bool:
    ids = len(span.trace_id) == 16 and len(span.span_id) == 8  # noqa: PLR2004  # W3C sizes
    return ids and span.start_time_unix_nano <= span.end_time_unix_nano <= _MAX_NS


def _stored(span: Span, node: str, service: str) -> StoredSpan:
    return StoredSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex() or None,
        node=node,
        service=service,
        name=span.name if is_code(span.name) else "unnamed",
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        fields=dict(_listed(span.attributes)),
    )


def _listed(attributes: Iterable[KeyValue]) -> Iterator[tuple[str, Value]]:
    for attribute in attributes:
        kind = attribute.value.WhichOneof("value")
        key = attribute.key.removeprefix(PREFIX)
        if kind is None or key == attribute.key:
            continue
        value = getattr(attribute.value, kind)
        if is_allowed(key, value):
            yield key, value


def _token(value: str | None) -> str:
    """Keep a name that is a code; anything else, none included, is "unknown"."""
    return value if value and is_allowed("node", value) else "unknown"


async def _body(request: Request) -> bytes:
    """Read the request's body within its bounds. Raises BodyError."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != _PROTOBUF:
        raise BodyError(415, f"only {_PROTOBUF} is read here")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise BodyError(415, "only gzip, or nothing, may wrap the body")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise BodyError(413, "too large")
    return inflate(bytes(body)) if encoding == "gzip" else bytes(body)


def _add_export(app: FastAPI, store: Store) -> None:
    @app.post("/v1/traces")
    async def export(request: Request) -> Response:
        try:
            spans = decode(await _body(request))
        except BodyError as error:
            return PlainTextResponse(str(error), error.status)
        await run_in_threadpool(store.add, spans)
        answer = ExportTraceServiceResponse().SerializeToString()
        return Response(answer, media_type=_PROTOBUF)


def _html(page: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(page, status, headers=_PAGE_HEADERS)


def _add_pages(app: FastAPI, store: Store) -> None:
    style = files("services.observer").joinpath("templates", "style.css").read_text("utf-8")

    @app.get("/")
    def home(message: Annotated[str, Query(max_length=128)] = "") -> Response:
        message = message.strip()
        if not message:
            return _html(list_page(store.recent()))
        found = store.by_message(message)
        if len(found) == 1:
            return _html(trace_page(found[0]))
        return _html(list_page(found, message), 200 if found else 404)

    @app.get("/traces/{trace_id}")
    def one(trace_id: str) -> Response:
        trace = store.get(trace_id)
        return _html(trace_page(trace)) if trace else _html(missing_page(), 404)

    @app.get("/style.css")
    def css() -> Response:
        return Response(style, media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})


def _add_reading(app: FastAPI, store: Store) -> None:
    @app.get("/api/traces/{trace_id}")
    def one_json(trace_id: str) -> Response:
        trace = store.get(trace_id)
        if trace is None:
            return problem(404, "unknown", "Cette trace n'est pas ici.")
        return JSONResponse(trace.as_json())

    @app.get("/api/traces")
    def many_json(message: Annotated[str, Query(max_length=128)] = "") -> Response:
        found = store.by_message(message) if message else store.recent()
        return JSONResponse({"traces": [trace.as_json() for trace in found]})

    @app.get("/healthz")
    def health() -> Response:
        store.recent(1)
        return JSONResponse({"state": "ok"})
