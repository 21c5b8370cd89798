"""A span carries what is listed, follows its parent across nodes, and never holds a node up."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from contracts.kernel.errors import Refused, RelaisError
from services.chassis.observable import FieldError, clean, error_fields, is_allowed, is_code
from services.chassis.telemetry import FASTAPI_OFF, Telemetry, Together, current_ids, extract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.telemetry import TelemetryConfig

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{SPAN}-01"
UNSAMPLED = f"00-{TRACE}-{SPAN}-00"


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry("relais-city", "ville")
    yield made
    assert made.shutdown()


@pytest.fixture
def dead_endpoint() -> str:
    """A loopback port on which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("message_id", "0b51a0a5-3d2f", True),
        ("message_id", "a" * 128, True),
        ("message_id", "a" * 129, False),
        ("message_id", "Camille Exemple", False),
        ("message_id", "é", False),
        ("message_id", "a\n", False),
        ("message_id", 5, False),
        ("message_id", None, False),
        ("first_name", "Camille", False),
        ("route", "/api/v1/messages/{id}", True),
        ("route", "/?nom=x", False),
        ("articles", "A-2.11 A-2.12", True),
        ("articles", "A-2.11 " * 74, False),
        ("count", 3, True),
        ("count", 3.5, False),
        ("count", True, False),
        ("count", "3", False),
        ("duration_ms", 3.5, True),
        ("duration_ms", 3, True),
        ("duration_ms", float("nan"), False),
        ("duration_ms", True, False),
        ("duration_ms", "3", False),
        ("keep", True, True),
        ("keep", 1, False),
    ],
)
def test_what_may_be_observed(key: str, value: object, *, allowed: bool) -> None:
    assert is_allowed(key, value) is allowed


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("relay.publish", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("Relay", False),
        ("relay publish", False),
        ("relay.", False),
        ("1a", False),
        ("", False),
    ],
)
def test_what_is_a_code(name: str, *, code: bool) -> None:
    assert is_code(name) is code


def test_an_unknown_key_is_refused_beside_an_allowed_one(telemetry: Telemetry) -> None:
    with telemetry.span("gate.decide", message_id="m-1") as step:
        step.set(state="allowed")
        with pytest.raises(FieldError, match="first_name"):
            step.set(first_name="Camille")
    with pytest.raises(FieldError):
        telemetry.span("gate.decide", first_name="Camille")
    with pytest.raises(FieldError) as refused:
        telemetry.span("gate.decide", message_id="Camille Exemple")
    assert "Camille" not in str(refused.value)


def test_a_span_is_named_by_a_code(telemetry: Telemetry) -> None:
    with telemetry.span("gate.decide"):
        pass
    with pytest.raises(FieldError):
        telemetry.span("Camille Exemple")
    lenient = Telemetry("relais-city", "ville", strict=False)
    with lenient.span("Camille Exemple") as step:
        assert step._name == "unnamed"
    lenient.shutdown()


def test_in_production_only_the_name_of_a_refused_key_stays() -> None:
    fields = {"message_id": "m-1", "first_name": "Camille", "Camille Exemple": 1}
    assert clean({"message_id": "m-1", "first_name": "x"}, strict=False) == {
        "message_id": "m-1",
        "key_refused": "first_name",
    }
    assert "Camille" not in str(clean(fields, strict=False))
    assert clean({"case_id": "Camille Exemple"}, strict=False) == {"value_refused": "case_id"}


def test_an_error_is_told_by_type_code_and_articles() -> None:
    assert error_fields(ValueError("Camille")) == {"error_type": "ValueError"}
    assert error_fields(RelaisError("Camille", code="odd")) == {
        "error_type": "RelaisError",
        "code": "odd",
    }
    assert error_fields(Refused("non", articles=("A-1.1", "A-1.2")))["articles"] == "A-1.1 A-1.2"


def test_a_traceparent_goes_in_and_comes_out(telemetry: Telemetry) -> None:
    exporting = Telemetry("relais-city", "ville", "http://127.0.0.1:9")
    with exporting.span("inbox.handle", parent=extract(SAMPLED)) as step:
        given = exporting.inject()
        assert given == exporting.inject(step)
        assert given[3:35] == TRACE
        assert given[36:52] != SPAN
        assert given.endswith("-01")
        assert current_ids() == (TRACE, given[36:52])
    exporting._exporter.shutdown()  # type: ignore[union-attr]  # nothing to send
    exporting.shutdown()
    assert telemetry.inject() == ""
    assert current_ids() is None


@pytest.mark.parametrize("header", [SAMPLED, UNSAMPLED])
def test_a_node_that_exports_nothing_hands_the_trace_on(telemetry: Telemetry, header: str) -> None:
    with telemetry.span("inbox.handle", parent=extract(header)) as step:
        with telemetry.span("gate.decide"):
            assert telemetry.inject() == header
        assert telemetry.inject(step) == header
        assert current_ids() == (TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    [None, "", "x", "a" * 5_000, f"00-{'0' * 32}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01"],
)
def test_a_malformed_traceparent_starts_a_new_trace(
    telemetry: Telemetry, header: str | None
) -> None:
    with telemetry.span("inbox.handle", parent=extract(header)):
        first = current_ids()
    with telemetry.span("inbox.handle", parent=extract(UNSAMPLED)):
        second = current_ids()
    assert first is not None
    assert first[0] != TRACE
    assert second == (TRACE, SPAN)


def test_a_trace_begun_in_a_node_that_exports_nothing_has_ids(telemetry: Telemetry) -> None:
    with telemetry.span("http.request") as root:
        ids = current_ids()
        with telemetry.span("gate.decide"):
            assert current_ids() == ids
        assert ids is not None
        assert root.traceparent == f"00-{ids[0]}-{ids[1]}-02"


def test_a_late_span_stays_in_the_trace_that_the_logs_show(dead_endpoint: str) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, 0.0, export_every=60)
    with city.span("http.request", parent=extract(None)) as root:
        ids = current_ids()
        with city.span("gate.decide") as step:
            step.refuse("A-1.1")
        root.refuse("A-1.1")
    assert ids is not None
    for kept in (root, step):
        assert kept.traceparent[3:35] == ids[0]
        assert kept.traceparent.endswith("-03")
    city.shutdown(0.1)


@pytest.mark.parametrize("flags", ["00", "02"])
def test_an_unsampled_header_is_read_only_where_the_step_ends_badly(
    dead_endpoint: str, flags: str
) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, export_every=60)
    header = f"00-{TRACE}-{SPAN}-{flags}"
    with city.span("letter.handle", parent=header) as passed:
        assert current_ids() is None
    with city.span("letter.handle", parent=header) as failed:
        failed.fail("timeout")
    with city.span("letter.handle", parent=header, keep=True) as kept:
        pass
    assert passed.traceparent == header
    for one in (failed, kept):
        assert one.traceparent[3:35] == TRACE
        assert int(one.traceparent[-1], 16) % 2 == 1
    city.shutdown(0.1)


@pytest.mark.parametrize(
    "header", ["", "x", f"00-{'0' * 32}-{SPAN}-00", f"00-{TRACE}-{'0' * 16}-00", f"00-{TRACE}-00"]
)
def test_a_header_that_names_no_trace_starts_one(telemetry: Telemetry, header: str) -> None:
    with telemetry.span("letter.handle", parent=header):
        ids = current_ids()
    assert ids is not None
    assert ids[0] != TRACE


def test_a_step_may_fail_without_raising(dead_endpoint: str) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, 0.0, export_every=60)
    with city.span("http.request"):
        with city.span("relay.publish") as failed:
            failed.fail("timeout")
        with city.span("relay.publish") as passed:
            pass
    assert failed.traceparent.endswith("-03")
    assert passed.traceparent == ""
    city.shutdown(0.1)


def test_steps_that_begin_together_end_together_and_each_with_the_error(dead_endpoint: str) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, export_every=60)
    above = [f"00-{digit * 32}-{SPAN}-01" for digit in "12"]
    together = Together(city.span("letter.publish", parent=header) for header in above)
    with pytest.raises(RuntimeError, match="2" * 32), together as steps:
        raise RuntimeError(str(current_ids()))
    assert current_ids() is None
    for step, header in zip(steps, above, strict=True):
        assert step.traceparent[:35] == header[:35]
        assert step._span is not None
        assert step._span.status.status_code is StatusCode.ERROR  # type: ignore[attr-defined]  # the SDK's span
        assert not step._span.is_recording()
    city.shutdown(0.1)


def test_what_is_set_in_an_unsampled_step_is_there_if_it_ends_badly(dead_endpoint: str) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, 0.0, export_every=60)
    with city.span("http.request"), city.span("gate.decide", flow="b.referral") as step:
        step.set(message_id="m-1")
        step.refuse("A-1.1")
        step.set(count=2)
    assert step._span is not None
    assert dict(step._span.attributes) == {  # type: ignore[attr-defined]  # the SDK's span
        "relais.flow": "b.referral",
        "relais.message_id": "m-1",
        "relais.keep": True,
        "relais.state": "refused",
        "relais.code": "refused",
        "relais.articles": "A-1.1",
        "relais.count": 2,
    }
    city.shutdown(0.1)


def test_a_refusal_where_nothing_is_exported_changes_nothing(telemetry: Telemetry) -> None:
    with telemetry.span("inbox.handle", parent=extract(SAMPLED)) as step:
        step.refuse("A-1.1")
        assert telemetry.inject() == SAMPLED


def test_cancelling_is_no_error(dead_endpoint: str) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, 0.0, export_every=60)
    with (
        pytest.raises(asyncio.CancelledError),
        city.span("http.request", parent=extract(UNSAMPLED)) as step,
    ):
        raise asyncio.CancelledError
    assert step.traceparent == UNSAMPLED
    city.shutdown(0.1)


def test_the_sampler_has_a_name(telemetry: Telemetry, dead_endpoint: str) -> None:
    city = Telemetry("relais-city", "ville", dead_endpoint, 0.5)
    assert city._provider.sampler.get_description() == "_KeepOrParent"
    assert telemetry._provider.sampler.get_description() == "AlwaysOffSampler"
    city.shutdown(0.1)


def test_two_nodes_in_one_process_share_nothing() -> None:
    first, second = Telemetry("relais-city", "ville"), Telemetry("relais-ml", "ml")
    assert first.tracer is not second.tracer
    first.shutdown()
    with second.span("gate.decide"):
        assert current_ids() is not None
    second.shutdown()


def test_nobody_at_the_endpoint_neither_raises_nor_prints_nor_blocks(
    dead_endpoint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    patience = 30  # seconds given to one export
    city = Telemetry(
        "relais-city", "ville", dead_endpoint, export_timeout=patience, export_every=0.05
    )
    with city.span("gate.decide"):
        pass
    time.sleep(0.2)  # the exporter has met the closed port, and waits before it tries again
    began = time.monotonic()
    assert not city.shutdown(0.3)
    assert time.monotonic() - began < patience
    assert city.shutdown(0.3)
    for left in set(threading.enumerate()) - before:
        left.join(1.0)
        assert not left.is_alive()
    assert capfd.readouterr() == ("", "")


def test_an_endpoint_that_never_answers_does_not_block_either(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/v1/traces"
        city = Telemetry("relais-city", "ville", url, export_timeout=1.0)
        with city.span("gate.decide"):
            pass
        assert not city.flush(0.2)  # it gave up: the export has not ended
        assert not city.shutdown(0.2)
        time.sleep(1.5)  # the last export gives up before pytest looks for stray resources
    assert capfd.readouterr() == ("", "")


def test_the_exporter_is_quiet_without_a_global_level() -> None:
    Telemetry("relais-city", "ville", "http://127.0.0.1:9").shutdown()
    Telemetry("relais-city", "ville", "http://127.0.0.1:9").shutdown()
    logger = logging.getLogger("opentelemetry")
    assert len(logger.handlers) == 1
    assert logger.level == logging.NOTSET
    assert logger.propagate


@pytest.mark.parametrize(("setting", "exports"), [({}, True), (FASTAPI_OFF, False)])
async def test_fastapi_s_own_telemetry_is_off(setting: TelemetryConfig, *, exports: bool) -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    app = FastAPI(telemetry={"tracer_provider": provider, **setting})
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        await client.get("/absent")
    assert bool(memory.get_finished_spans()) is exports
