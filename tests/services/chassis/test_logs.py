"""A line is JSON of codes and ids; names, sentences and query strings do not get in."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from contracts.kernel.errors import RelaisError
from services.chassis.logs import configure, route_stdlib
from services.chassis.observable import FieldError
from services.chassis.telemetry import Telemetry, extract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import FilteringBoundLogger

NAME = "Camille Exemple"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NOON = datetime(2026, 5, 4, 14, 0, tzinfo=timezone(timedelta(hours=2)))


class Written(io.StringIO):
    """A stream whose lines are read back as JSON."""

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def log(written: Written) -> FilteringBoundLogger:
    return configure(written, "ville", now=lambda: NOON)


@pytest.fixture
def lenient(written: Written) -> FilteringBoundLogger:
    return configure(written, "ville", strict=False, now=lambda: NOON)


@pytest.fixture
def routed(log: FilteringBoundLogger) -> Iterator[None]:
    restore = route_stdlib(log)
    yield
    restore()


def test_a_line_has_its_instant_level_code_and_node(
    log: FilteringBoundLogger, written: Written
) -> None:
    log.info("relay.published", message_id="m-1", attempt=2, duration_ms=1.5)
    log.warning("relay.waiting")
    assert written.lines == [
        {
            "timestamp": "2026-05-04T12:00:00.000000+00:00",
            "level": "info",
            "event": "relay.published",
            "node": "ville",
            "message_id": "m-1",
            "attempt": 2,
            "duration_ms": 1.5,
        },
        {
            "timestamp": "2026-05-04T12:00:00.000000+00:00",
            "level": "warning",
            "event": "relay.waiting",
            "node": "ville",
        },
    ]


def test_lines_below_the_level_are_not_written(written: Written) -> None:
    log = configure(written, "ville", level=logging.WARNING)
    log.info("relay.published")
    log.error("relay.failed")
    assert [line["event"] for line in written.lines] == ["relay.failed"]


def test_the_clock_is_real_by_default(written: Written) -> None:
    configure(written, "ville").info("relay.published")
    at = datetime.fromisoformat(str(written.lines[0]["timestamp"]))
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=60)


def test_a_line_inside_a_span_names_it(log: FilteringBoundLogger, written: Written) -> None:
    telemetry = Telemetry("relais-city", "ville")
    with telemetry.span("inbox.handle", parent=extract(f"00-{TRACE}-{SPAN}-00")):
        log.info("inbox.handled")
    log.info("inbox.idle")
    inside, outside = written.lines
    assert (inside["trace_id"], inside["span_id"]) == (TRACE, SPAN)
    assert "trace_id" not in outside
    telemetry.shutdown()


def test_an_unknown_key_is_refused_beside_an_allowed_one(
    log: FilteringBoundLogger, written: Written
) -> None:
    log.info("gate.decided", case_id="c-1")
    with pytest.raises(FieldError):
        log.info("gate.decided", first_name=NAME)
    with pytest.raises(FieldError):
        log.info("gate.decided", case_id=NAME)
    with pytest.raises(FieldError):
        log.info(f"Bonjour {NAME}")  # noqa: G004  # the mistake that is caught
    with pytest.raises(FieldError):
        log.bind(first_name=NAME).info("gate.decided")
    assert [line["event"] for line in written.lines] == ["gate.decided"]


def test_in_production_the_value_goes_and_the_key_stays(
    lenient: FilteringBoundLogger, written: Written
) -> None:
    lenient.info("gate.decided", case_id="c-1", first_name=NAME)
    lenient.info(f"Bonjour {NAME}", role=NAME)
    first, second = written.lines
    assert first["case_id"] == "c-1"
    assert first["key_refused"] == "first_name"
    assert second["event"] == "event_refused"
    assert second["value_refused"] == "role"
    assert "Camille" not in written.getvalue()


def test_a_field_cannot_pass_for_the_head_of_the_line(
    log: FilteringBoundLogger, written: Written
) -> None:
    log.info("gate.decided", node="another", peer="another")
    assert written.lines[0]["node"] == "ville"
    assert written.lines[0]["peer"] == "another"


def test_an_exception_is_its_type_and_code(log: FilteringBoundLogger, written: Written) -> None:
    error = RelaisError(NAME, code="odd", articles=("A-1.1",))
    try:
        raise error
    except RelaisError:
        log.exception("inbox.failed", message_id="m-1")
        log.error("inbox.failed", exc_info=True)  # noqa: G201  # the other way to say it
    log.error("inbox.failed", exc_info=error)
    log.error("inbox.failed", exc_info=(type(error), error, None))
    log.error("inbox.failed", error=error)
    log.error("inbox.failed", error=ValueError(NAME))
    for line in written.lines[:5]:
        assert (line["error_type"], line["code"]) == ("RelaisError", "odd")
        assert line["articles"] == "A-1.1"
    assert written.lines[5]["error_type"] == "ValueError"
    assert "Camille" not in written.getvalue()


@pytest.mark.usefixtures("routed")
def test_a_library_is_told_by_its_place_without_its_words(written: Written) -> None:
    logging.getLogger("some.library").warning("failed for %s", NAME)
    logging.getLogger("some.library").error(f"failed for {NAME}")  # noqa: G004  # as libraries do
    logging.getLogger("some.library").error(ValueError(NAME))
    logging.getLogger("some.library").info("nothing to say about %s", NAME)
    for line in written.lines:
        assert (line["event"], line["logger"]) == ("library", "some.library")
        assert str(line["source"]).startswith("test_logs:")
    assert [line["level"] for line in written.lines] == ["warning", "error", "error"]
    assert "Camille" not in written.getvalue()


@pytest.mark.usefixtures("routed")
def test_our_own_lines_say_what_happened(written: Written) -> None:
    logging.getLogger("relais.directory").warning("registrar_away")
    logging.getLogger("relais.inbox").warning("letter_failed: %s", "unknown_key")
    logging.getLogger("relais.inbox").warning("letter_failed: %s", NAME)
    logging.getLogger("relais.inbox").warning("Failed for %s", NAME)
    assert [(line["event"], line.get("code")) for line in written.lines] == [
        ("registrar_away", None),
        ("letter_failed", "unknown_key"),
        ("letter_failed", None),
        ("library", None),
    ]


@pytest.mark.usefixtures("routed")
def test_a_library_s_exception_is_its_type(written: Written) -> None:
    try:
        int(NAME)
    except ValueError:
        logging.getLogger("nats").exception("nats: encountered error")
    (line,) = written.lines
    assert (line["event"], line["error_type"]) == ("bus.error", "ValueError")
    assert "Camille" not in written.getvalue()


@pytest.mark.usefixtures("routed")
def test_known_sentences_have_a_code_and_lose_their_arguments(written: Written) -> None:
    logging.getLogger("alembic.runtime.migration").info("Running %s", NAME)
    logging.getLogger("alembic.runtime.migration").log(25, "Running %s", NAME)
    assert [line["event"] for line in written.lines] == ["migration.running"] * 2
    assert [line["level"] for line in written.lines] == ["info", "info"]
    assert "Camille" not in written.getvalue()


@pytest.mark.usefixtures("routed")
def test_an_access_record_of_another_shape_is_a_library_line(written: Written) -> None:
    access = logging.getLogger("uvicorn.access")
    access.warning("%s", NAME)
    access.warning("alone")
    assert [line["event"] for line in written.lines] == ["library", "library"]


def test_the_way_back_restores_what_was_there(log: FilteringBoundLogger) -> None:
    root, own = logging.getLogger(), logging.getLogger("tests.own")
    handler = logging.NullHandler()
    own.handlers, own.propagate = [handler], False
    before = (root.handlers[:], root.level)
    restore = route_stdlib(log)
    assert (own.handlers, own.propagate) == ([], True)
    assert root.handlers != before[0]
    restore()
    assert (own.handlers, own.propagate) == ([handler], False)
    assert (root.handlers, root.level) == before
    own.handlers, own.propagate = [], True


@pytest.mark.usefixtures("routed")
def test_a_real_server_s_lines_hold_no_query_string(written: Written) -> None:
    app = FastAPI()

    @app.get("/api/v1/messages/{message_id}")
    def read(message_id: str) -> str:
        if message_id == "broken":
            raise ValueError(NAME)
        return message_id

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, trust_env=False) as client:
        client.get("/api/v1/messages/m-1", params={"nom": "Camille"})
        client.get("/camille-exemple")
        client.get("/api/v1/messages/broken")
    server.should_exit = True
    thread.join()
    events = [str(line["event"]) for line in written.lines]
    assert events[0] == "server.started"
    assert {"application.started", "server.listening", "request.failed"} <= set(events)
    assert events[-1] == "server.stopped"
    reached = [line for line in written.lines if line["event"] == "http.access"]
    assert [(line.get("path"), line["status"], line["method"]) for line in reached] == [
        ("/api/v1/messages/m-1", 200, "GET"),
        (None, 404, "GET"),
        ("/api/v1/messages/broken", 500, "GET"),
    ]
    assert "amille" not in written.getvalue()
    assert "127.0.0.1" not in written.getvalue()
