"""JSON lines of a node: an event's code, ids, counts and durations; never a sentence.

A line has `timestamp`, `level`, `event`, `node`, the trace's ids when a span runs, and whatever
`observable` lists. An error is logged as its type and code: its message and the local variables
may quote a payload. Libraries that write to the standard `logging` (uvicorn, alembic, nats…) go
through the same sieve: their arguments are dropped, for nobody vouches for them.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

import structlog

from services.chassis.observable import FieldError, clean, error_fields, is_allowed, is_code
from services.chassis.telemetry import current_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from structlog.typing import EventDict, FilteringBoundLogger

_SENTENCES: Final = {
    "Started server process [%d]": "server.started",
    "Waiting for application startup.": "application.starting",
    "Application startup complete.": "application.started",
    "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)": "server.listening",
    "Shutting down": "server.stopping",
    "Waiting for application shutdown.": "application.stopping",
    "Application shutdown complete.": "application.stopped",
    "Finished server process [%d]": "server.stopped",
    "Exception in ASGI application\n": "request.failed",
    "Running %s": "migration.running",
    "nats: encountered error": "bus.error",
    "Queue full, dropping %s.": "telemetry.dropped",
}
"""Constant sentences of libraries, and their code here; others are told by their place only."""

_ACCESS_ARGUMENTS: Final = 5  # uvicorn: client, method, path and query, HTTP version, status
_REFUSED: Final = range(400, 500)


def configure(
    stream: TextIO,
    node: str,
    *,
    strict: bool = True,
    level: int = logging.INFO,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FilteringBoundLogger:
    """Make the logger of one node; nothing global is touched.

    stream: where lines go (stdout, an open file). node: the organisation's code.
    strict: raise FieldError on an unlisted key, a value of another shape or an event that is no
    code (development); otherwise only the key's name is written.
    level: lines below it cost nothing. now: the clock, aware.
    """
    sieve = _Sieve(node, now, strict=strict)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[structlog.processors.add_log_level, sieve],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
        cache_logger_on_first_use=False,
    ).bind()
    return logger


class _Sieve:
    """Last processor: keeps what is listed and writes the line."""

    def __init__(self, node: str, now: Callable[[], datetime], *, strict: bool) -> None:
        self._node = node
        self._now = now
        self._strict = strict

    def __call__(self, _logger: object, _method: str, fields: EventDict) -> str:
        head: dict[str, object] = {
            "timestamp": self._now().astimezone(UTC).isoformat(timespec="microseconds"),
            "level": fields.pop("level"),
            "event": self._event(fields.pop("event")),
            "node": self._node,
        }
        ids = current_ids()
        if ids is not None:
            head["trace_id"], head["span_id"] = ids
        error = _error(fields)
        rest = clean(fields, strict=self._strict)
        if error is not None:
            rest |= error_fields(error)
        # The head stands first and cannot be overwritten by a field of the same name.
        return json.dumps(head | rest | head, separators=(",", ":"))

    def _event(self, event: object) -> str:
        if isinstance(event, str) and is_code(event):
            return event
        if self._strict:
            raise FieldError("A log line begins with a code in dotted lower case.")
        return "event_refused"


def _error(fields: EventDict) -> BaseException | None:
    """Take the exception out of the fields, wherever structlog's callers may have put it."""
    found = [fields.pop(key, None) for key in ("exc_info", "error")]
    for given in found:
        if given is True:
            return sys.exc_info()[1]
        if isinstance(given, tuple):
            given = given[1]  # noqa: PLW2901  # the standard triple: type, error, traceback
        if isinstance(given, BaseException):
            return given
    return None


class _StdlibHandler(logging.Handler):
    """Gives a standard record to the node's logger: a code and a place, no message.

    Warnings and errors always leave a line; below, only the sentences that have a code do.
    """

    def __init__(self, logger: FilteringBoundLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a record that cannot be told safely still leaves its place."""
        access = _access(record)
        if access is not None:
            self._logger.log(record.levelno, "http.access", **access)
            return
        event = _SENTENCES.get(record.msg) if isinstance(record.msg, str) else None
        own = _own(record)
        if event is None and record.levelno < logging.WARNING:
            return  # without its words a library's chatter says nothing
        fields: dict[str, object] = {
            "logger": record.name,
            "source": f"{record.module}:{record.lineno}",
            "exc_info": record.exc_info,
        }
        if own is not None:
            event, fields["code"] = own
        self._logger.log(_level(record.levelno), event or "library", **_listed(fields))


def _own(record: logging.LogRecord) -> tuple[str, object] | None:
    """Read a line of our own modules, ``code`` or ``code: %s`` of another code."""
    if not record.name.startswith("relais.") or not isinstance(record.msg, str):
        return None
    event = record.msg.partition(":")[0]
    arguments = record.args if isinstance(record.args, tuple) else ()
    return (event, arguments[0] if arguments else None) if is_code(event) else None


def _listed(fields: Mapping[str, object]) -> dict[str, object]:
    return {k: v for k, v in fields.items() if k == "exc_info" or is_allowed(k, v)}


def _level(number: int) -> int:
    """Round a library's own level down to a standard one, which structlog can name."""
    return min(logging.CRITICAL, max(logging.DEBUG, number // 10 * 10))


def _access(record: logging.LogRecord) -> dict[str, object] | None:
    """Read uvicorn's access record: method, path and status, without client or query.

    The path is left out when it is refused (4xx): then it is whatever somebody typed, and a name
    written like an id passes every filter of shapes.
    """
    arguments = record.args
    if record.name != "uvicorn.access" or not isinstance(arguments, tuple):
        return None
    if len(arguments) != _ACCESS_ARGUMENTS:
        return None
    _client, method, target, _version, status = arguments
    fields: dict[str, object] = {"method": method, "status": status}
    if status not in _REFUSED:
        fields["path"] = str(target).partition("?")[0]
    return _listed(fields)


def route_stdlib(logger: FilteringBoundLogger) -> Callable[[], None]:
    """Send every standard logger of the process through the node's own; give the way back.

    Standard logging is one per process: the composition root calls this once, after the servers
    have set up theirs (give uvicorn ``log_config=None``), and calls the answer to undo it.
    """
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    own = _own_handlers()
    root.handlers[:] = [_StdlibHandler(logger)]
    root.setLevel(logging.INFO)
    for named, _handlers, _propagate in own:
        named.handlers, named.propagate = [], True

    def restore() -> None:
        root.handlers[:], level = before
        root.setLevel(level)
        for named, handlers, propagate in own:
            named.handlers, named.propagate = handlers, propagate

    return restore


def _own_handlers() -> list[tuple[logging.Logger, list[logging.Handler], bool]]:
    """List the loggers that write by themselves, with what to put back."""
    named = [v for v in logging.root.manager.loggerDict.values() if isinstance(v, logging.Logger)]
    return [(v, v.handlers, v.propagate) for v in named if v.handlers or not v.propagate]
