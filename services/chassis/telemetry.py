"""Traces of a node: which way a message went, through which organisations, never what it said.

Each node builds its own `Telemetry` and passes it on as a plain argument; nothing global is set.
A span carries only what `observable` lists, so that a trace can be shown to an operator, or to a
newcomer, without showing anybody's life.

Sampling follows the parent, else a ratio; refusals and errors are kept whatever the ratio.
"""

from __future__ import annotations

import logging
import re
import threading
from functools import lru_cache
from time import time_ns
from typing import TYPE_CHECKING, Final, Self

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from contracts.kernel.errors import Refused
from services.chassis.observable import ALLOWED, FieldError, Value, clean, error_fields, is_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.trace import Link, Span, TraceState
    from opentelemetry.util.types import Attributes

PREFIX: Final = "relais."
"""Every attribute of a span bears it: `message_id` is exported as `relais.message_id`."""

FASTAPI_OFF: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""For every ``FastAPI(telemetry=…)``: its own telemetry exports the messages and stack traces of
errors as soon as a global provider, or one environment variable, is set."""

_EXPORTED: Final = {key: PREFIX + key for key in ALLOWED}
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_UNSAMPLED: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][02468ace]")
_TRACEPARENT_LENGTH: Final = 64  # the standard's 55, and room for a later version's tail


def current_ids() -> tuple[str, str] | None:
    """Give the trace id and span id (hexadecimal) of the running span, None outside any."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"{span.trace_id:032x}", f"{span.span_id:016x}"


def extract(traceparent: str | None) -> Context:
    """Read a W3C traceparent header value into the context to give as `parent`.

    Anything missing or malformed gives an empty context, which starts a new trace.
    """
    if not traceparent or len(traceparent) > _TRACEPARENT_LENGTH:
        return Context()
    return _PROPAGATOR.extract({"traceparent": traceparent}, Context())


class _KeepOrParent(Sampler):
    """Follows the parent, else the ratio; a span marked `relais.keep` is always taken."""

    def __init__(self, ratio: float) -> None:
        self._otherwise = ParentBased(TraceIdRatioBased(ratio))

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide at the start of a span, as the SDK asks."""
        keep = attributes is not None and attributes.get(_EXPORTED["keep"]) is True
        rule = ALWAYS_ON if keep else self._otherwise
        return rule.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """Name the rule for the SDK."""
        return type(self).__name__


class Step:
    """One span, as a context manager; made by `Telemetry.span`.

    Inside an unsampled trace it costs a clock reading and creates nothing, unless it ends badly:
    then a span with the same times is written after the fact, in the same trace.
    """

    __slots__ = ("_fields", "_kind", "_name", "_parent", "_span", "_start", "_telemetry", "_token")

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        parent: Context | str | None,
        kind: SpanKind,
        fields: dict[str, object],
    ) -> None:
        """Prepare it; it starts on entering."""
        self._telemetry = telemetry
        self._name = name
        self._parent = parent
        self._kind = kind
        self._fields = fields
        self._span: Span | None = None
        self._token: Token[Context] | None = None
        self._start = 0

    def __enter__(self) -> Self:
        """Start the span, or only note the time where the trace is not sampled."""
        self._start = time_ns()
        if self._is_unsampled():
            return self
        parent = self._above()
        if self._passes_by(parent):
            if parent is not None:
                self._token = otel_context.attach(parent)
            return self
        self._span = self._started(parent, keep=self._fields.get("keep") is True)
        self._token = otel_context.attach(trace.set_span_in_context(self._span, parent))
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """End the span, with the type and code of an error that passes through.

        What it says is written here, once: each time costs as much as the span does.
        """
        if isinstance(error, Exception):
            self._blame(error)
        if self._span is not None:
            if self._span.is_recording():
                self._span.set_attributes(_exported(self._fields))
            self._span.end()
        if self._token is not None:
            otel_context.detach(self._token)

    def set(self, **fields: Value) -> None:
        """Add attributes. Raises FieldError on an unlisted one, in development."""
        self._fields |= clean(fields, strict=True) if self._telemetry.strict else fields

    def refuse(self, *articles: str, code: str = "refused") -> None:
        """Say that the law of a convention refused; the span is kept whatever the ratio."""
        self._mark({"state": "refused", "code": code, "articles": " ".join(articles)}, None)

    def fail(self, code: str) -> None:
        """Say that the step failed without raising; the span is kept whatever the ratio."""
        self._mark({"code": code}, Status(StatusCode.ERROR))

    @property
    def traceparent(self) -> str:
        """W3C header value that makes the next step a child of this one; "" outside any."""
        return _traceparent(self._span or trace.get_current_span(self._above()))

    def _above(self) -> Context | None:
        if isinstance(self._parent, str):
            self._parent = extract(self._parent)
        return self._parent

    def _is_unsampled(self) -> bool:
        """Tell it from the header alone, so that most letters cost no more than that."""
        above = self._parent
        if not isinstance(above, str) or self._fields.get("keep") is True:
            return False
        return _UNSAMPLED.fullmatch(above) is not None

    def _passes_by(self, parent: Context | None) -> bool:
        """Tell whether the trace above is one that this node only hands on."""
        above = trace.get_current_span(parent).get_span_context()
        if not above.is_valid:
            return False
        wanted = above.trace_flags.sampled or self._fields.get("keep") is True
        return not (wanted and self._telemetry.exporting)

    def _started(self, parent: Context | None, *, keep: bool) -> Span:
        asked = {_EXPORTED["keep"]: True} if keep else None  # of the sampler
        return self._telemetry.tracer.start_span(
            self._name, parent, self._kind, asked, start_time=self._start
        )

    def _blame(self, error: Exception) -> None:
        if isinstance(error, Refused):
            self._mark({"state": "refused", **error_fields(error)}, None)
        else:
            self._mark(error_fields(error), Status(StatusCode.ERROR))

    def _mark(self, fields: Mapping[str, object], status: Status | None) -> None:
        """Write the outcome on the span, or on one made now when there is none."""
        self._fields |= fields
        recording = self._span is not None and self._span.is_recording()
        if not recording and self._telemetry.exporting:
            # Below the running context: it holds the trace id that the logs already show.
            parent = self._above() if self._token is None else None
            self._span = self._started(parent, keep=True)
        if self._span is not None and status is not None:
            self._span.set_status(status)


class Together:
    """Steps that begin and end together, as a context manager: those of a lot's letters.

    A stack of contexts costs as much for each as the step of an unsampled trace.
    """

    __slots__ = ("_steps",)

    def __init__(self, steps: Iterable[Step]) -> None:
        """Take them, not begun yet."""
        self._steps = list(steps)

    def __enter__(self) -> Sequence[Step]:
        """Begin them, in order."""
        for step in self._steps:
            step.__enter__()
        return self._steps

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End them, last first, each with the error that passes through."""
        for step in reversed(self._steps):
            step.__exit__(kind, error, traceback)


class Telemetry:
    """The tracer of one node."""

    def __init__(
        self,
        service_name: str,
        node: str,
        otlp_endpoint: str | None = None,
        sample_ratio: float = 1.0,
        *,
        strict: bool = True,
        export_timeout: float = 5.0,
        export_every: float = 1.0,
        ids: IdGenerator | None = None,
    ) -> None:
        """Build the node's own provider; a thread exports in the background.

        service_name: which program (``relais-city``); node: the organisation's code.
        otlp_endpoint: base URL, or full ``/v1/traces`` URL, of an OTLP/HTTP receiver; None:
        nothing is exported, and traces that pass through stay linked.
        sample_ratio: 0 to 1, of the traces that begin here.
        strict: raise on an unlisted attribute (development) rather than drop it.
        export_timeout: seconds given to one export, retries included.
        export_every: seconds between two exports.
        ids: source of trace and span ids; random by default.
        """
        self.strict = strict
        self.exporting = otlp_endpoint is not None
        self._exporter: OTLPSpanExporter | None = None
        self._closed = False
        self._provider = TracerProvider(
            sampler=_KeepOrParent(sample_ratio) if self.exporting else ALWAYS_OFF,
            # Built bare: Resource.create adds what the environment says, a host's name included.
            resource=Resource({"service.name": service_name, _EXPORTED["node"]: node}),
            shutdown_on_exit=False,
            id_generator=ids,
        )
        if otlp_endpoint is not None:
            self._exporter = _exporter(otlp_endpoint, export_timeout)
            self._provider.add_span_processor(
                BatchSpanProcessor(self._exporter, schedule_delay_millis=export_every * 1000)
            )
        self.tracer = self._provider.get_tracer("relais")

    def span(
        self,
        name: str,
        *,
        parent: Context | str | None = None,
        keep: bool = False,
        kind: SpanKind = SpanKind.INTERNAL,
        **fields: Value,
    ) -> Step:
        """Follow a step of the message's way: ``with telemetry.span("gate.decide", flow=f):``.

        name: a code in dotted lower case. parent: a traceparent as it came, or what `extract` made
        of it; the running span otherwise.
        keep: export it even where the trace is not sampled; what follows it is then sampled too.
        Raises FieldError on an unlisted attribute or a name that is no code, in development.
        """
        said: dict[str, object] = {**clean(fields, strict=True)} if self.strict else {**fields}
        if not _is_name(name):
            if self.strict:
                raise FieldError("The name of a span is a code in dotted lower case.")
            name = "unnamed"
        if keep:
            said["keep"] = True
        return Step(self, name, parent, kind, said)

    @staticmethod
    def inject(step: Step | None = None) -> str:
        """Write the W3C traceparent of the given step, or of the running one; "" outside any."""
        return step.traceparent if step else _traceparent(trace.get_current_span())

    def flush(self, timeout: float = 2.0) -> bool:
        """Export what waits; False when that takes longer than `timeout` seconds."""
        return _within(timeout, self._provider.force_flush)

    def shutdown(self, timeout: float = 2.0) -> bool:
        """Export what waits and stop; give up after `timeout` seconds and answer False.

        Blocks that long at most: call it in a thread where an event loop runs.
        """
        if self._closed:
            return True
        self._closed = True
        done = _within(timeout, self._provider.shutdown)
        if not done and self._exporter is not None:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # untyped library; ends its retry
        return done


_is_name = lru_cache(maxsize=256)(is_code)
"""Names of spans are few, and written in the code."""


def _exported(fields: Mapping[str, object]) -> dict[str, Value]:
    """What may leave the node, under the names that it bears outside."""
    return {_EXPORTED[key]: value for key, value in clean(fields, strict=False).items()}


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    if not context.is_valid:
        return ""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _exporter(endpoint: str, timeout: float) -> OTLPSpanExporter:
    # Without any handler, Python prints the exporter's complaints to stderr when the receiver is
    # away. Once `logs.route_stdlib` is in place they become JSON lines like everything else.
    logger = logging.getLogger("opentelemetry")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    path = "" if endpoint.endswith("/v1/traces") else "/v1/traces"
    return OTLPSpanExporter(endpoint.rstrip("/") + path, timeout=timeout)


def _within(timeout: float, call: Callable[[], object]) -> bool:
    """Run a call of the SDK that knows no bound; tell whether it ended within `timeout` s."""
    worker = threading.Thread(target=call, name="relais-telemetry", daemon=True)
    worker.start()
    worker.join(timeout)
    return not worker.is_alive()
