"""What nodes export arrives as one trace over real HTTP, and nothing personal with it."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from contracts.kernel.errors import Refused
from services.chassis.observable import FieldError
from services.chassis.telemetry import extract
from services.observer import receiver
from services.observer.receiver import BodyError, decode, inflate
from services.observer.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from services.chassis.telemetry import Telemetry
    from tests.services.observer.conftest import Observer

    Make = Callable[..., Telemetry]

MESSAGE = "0b51a0a5-3d2f-4b0e-8c1d-6f6f54f0d001"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
NAME = "Camille Exemple"


def send_across(sender: Telemetry, receiver: Telemetry) -> None:
    with sender.span("relay.publish", message_id=MESSAGE, flow="b.referral") as published:
        header = sender.inject(published)
    with (
        receiver.span("inbox.handle", parent=extract(header), message_id=MESSAGE),
        receiver.span("gate.decide", state="accepted"),
    ):
        pass
    assert sender.flush()
    assert receiver.flush()


def export_request(
    *, trace_id: bytes = b"t" * 16, span_id: bytes = b"s" * 8, name: str = "relay.publish"
) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = trace_id, span_id, name
    span.start_time_unix_nano, span.end_time_unix_nano = 1_000, 2_000
    return request


def test_two_nodes_make_one_trace(observer: Observer, node: Make) -> None:
    send_across(node("ville"), node("ml"))
    (trace,) = observer.client.get("/api/traces").json()["traces"]
    assert trace["nodes"] == ["ville", "ml"]
    assert [(s["name"], s["depth"], s["node"]) for s in trace["spans"]] == [
        ("relay.publish", 0, "ville"),
        ("inbox.handle", 1, "ml"),
        ("gate.decide", 2, "ml"),
    ]
    assert trace["spans"][0]["attributes"] == {
        "relais.message_id": MESSAGE,
        "relais.flow": "b.referral",
    }


def test_the_pages_show_both_nodes_and_the_message(observer: Observer, node: Make) -> None:
    send_across(node("ville"), node("ml"))
    listed = observer.client.get("/")
    assert listed.status_code == 200
    assert "ville, ml" in listed.text
    followed = observer.client.get("/", params={"message": MESSAGE})
    assert followed.status_code == 200
    for shown in (">ville</span>", ">ml</span>", ">inbox.handle</span>", MESSAGE):
        assert shown in followed.text
    absent = observer.client.get("/", params={"message": "another"})
    assert absent.status_code == 404
    assert "inbox.handle" not in absent.text


def test_a_message_in_two_traces_lists_both(observer: Observer, node: Make) -> None:
    sender, other = node("ville"), node("ml")
    send_across(sender, other)
    send_across(sender, other)
    page = observer.client.get("/", params={"message": MESSAGE}).text
    assert page.count('href="/traces/') == 2


def test_one_trace_by_its_id(observer: Observer, node: Make) -> None:
    send_across(node("ville"), node("ml"))
    trace_id = observer.client.get("/api/traces").json()["traces"][0]["trace_id"]
    assert observer.client.get(f"/api/traces/{trace_id}").json()["trace_id"] == trace_id
    assert observer.client.get(f"/traces/{trace_id}").status_code == 200
    assert observer.client.get("/api/traces/absent").status_code == 404
    assert observer.client.get("/traces/absent").status_code == 404


def test_a_refusal_is_kept_at_ratio_zero_and_a_success_is_not(
    observer: Observer, node: Make
) -> None:
    city = node("ville", 0.0)
    with city.span("http.request"), city.span("gate.decide", message_id="allowed"):
        pass
    with pytest.raises(Refused), city.span("http.request"), city.span("gate.decide"):
        raise Refused("non", articles=("B-2.4", "B-3.1"))
    city.flush()
    (trace,) = observer.client.get("/api/traces").json()["traces"]
    assert trace["outcome"] == "refused"
    assert trace["reasons"] == ["B-2.4", "B-3.1"]
    assert [s["name"] for s in trace["spans"]] == ["http.request", "gate.decide"]
    assert "refusé" in observer.client.get(f"/traces/{trace['trace_id']}").text


def test_a_span_marked_keep_takes_what_follows_with_it(observer: Observer, node: Make) -> None:
    city, mission = node("ville", 0.0), node("ml", 0.0)
    with city.span("http.request"), city.span("withdrawal.send", keep=True) as step:
        header = city.inject(step)
    with mission.span("inbox.handle", parent=extract(header)):
        pass
    city.flush()
    mission.flush()
    (trace,) = observer.client.get("/api/traces").json()["traces"]
    assert [s["name"] for s in trace["spans"]] == ["withdrawal.send", "inbox.handle"]


def test_an_error_tells_its_type_and_never_its_words(observer: Observer, node: Make) -> None:
    city = node("ville", 0.0)
    with pytest.raises(ValueError, match=NAME), city.span("inbox.handle"):
        raise ValueError(NAME)
    city.flush()
    (trace,) = observer.client.get("/api/traces").json()["traces"]
    assert trace["outcome"] == "failed"
    assert trace["reasons"] == ["ValueError"]
    assert_nowhere(observer, "Camille")


def test_a_name_under_an_unlisted_key_never_reaches_the_store(
    observer: Observer, node: Make
) -> None:
    production = node("ville", strict=False)
    with production.span("gate.decide", message_id=MESSAGE, first_name=NAME, case_id=NAME):
        pass
    with node("ml").span("gate.decide") as step, pytest.raises(FieldError):
        step.set(first_name=NAME)
    production.flush()
    (trace,) = observer.client.get("/api/traces", params={"message": MESSAGE}).json()["traces"]
    assert trace["spans"][0]["attributes"] == {
        "relais.message_id": MESSAGE,
        "relais.key_refused": "first_name",
        "relais.value_refused": "case_id",
    }
    assert_nowhere(observer, "Camille")


def test_a_stranger_cannot_store_a_name_either(observer: Observer) -> None:
    request = export_request(name=NAME)
    resource = request.resource_spans[0]
    resource.resource.attributes.add(key="service.name").value.string_value = NAME
    span = resource.scope_spans[0].spans[0]
    span.status.message = NAME
    span.events.add(name=NAME)
    for key in ("relais.message_id", "relais.first_name", "message_id", NAME):
        span.attributes.add(key=key).value.string_value = NAME
    span.attributes.add(key="relais.flow").value.string_value = "b.referral"
    span.attributes.add(key="flow").value.string_value = "not-ours"
    span.attributes.add(key="relais.state")
    assert post(observer, request.SerializeToString()).status_code == 200
    (trace,) = observer.client.get("/api/traces").json()["traces"]
    assert trace["spans"][0]["attributes"] == {"relais.flow": "b.referral"}
    assert trace["spans"][0]["name"] == "unnamed"
    assert_nowhere(observer, "Camille")


def test_gzip_is_read_and_broken_gzip_is_not(observer: Observer) -> None:
    body = gzip.compress(export_request().SerializeToString())
    packed = {"Content-Encoding": "gzip"}
    assert post(observer, body, packed).status_code == 200
    assert len(observer.client.get("/api/traces").json()["traces"]) == 1
    assert post(observer, b"not gzip", packed).status_code == 400
    assert post(observer, body[:-9], packed).status_code == 400
    assert post(observer, body, {"Content-Encoding": "br"}).status_code == 415


def test_only_an_otlp_export_in_protobuf_is_read(observer: Observer) -> None:
    body = export_request().SerializeToString()
    assert post(observer, body).status_code == 200
    assert post(observer, b"\xff" * 40).status_code == 400
    assert post(observer, b"{}", {"Content-Type": "application/json"}).status_code == 415


def test_a_body_beyond_its_bound_is_refused(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = export_request().SerializeToString()
    monkeypatch.setattr(receiver, "_MAX_BODY", len(body))
    assert post(observer, body).status_code == 200
    assert post(observer, body + body).status_code == 413


def test_an_inflated_body_is_bounded() -> None:
    exact = receiver._MAX_INFLATED
    assert len(inflate(gzip.compress(bytes(exact), 1))) == exact
    with pytest.raises(BodyError) as refused:
        inflate(gzip.compress(bytes(exact + 1), 1))
    assert refused.value.status == 413


def test_a_deflate_stream_is_not_gzip() -> None:
    with pytest.raises(BodyError):
        inflate(zlib.compress(b"body"))


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, 1),
        ({"trace_id": b"short"}, 0),
        ({"span_id": b"short"}, 0),
    ],
)
def test_spans_with_unsound_ids_are_left_out(change: dict[str, bytes], kept: int) -> None:
    assert len(decode(export_request(**change).SerializeToString())) == kept  # type: ignore[arg-type]  # bytes only


@pytest.mark.parametrize(
    ("start", "end", "kept"), [(5, 5, 1), (5, 4, 0), (5, 2**63 - 1, 1), (5, 2**63, 0)]
)
def test_spans_with_unsound_times_are_left_out(start: int, end: int, kept: int) -> None:
    request = export_request()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.start_time_unix_nano, span.end_time_unix_nano = start, end
    assert len(decode(request.SerializeToString())) == kept


def test_pages_allow_no_script_and_no_foreign_origin(observer: Observer) -> None:
    page = observer.client.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert observer.client.get("/style.css").headers["content-type"].startswith("text/css")
    assert observer.client.get("/healthz").json() == {"state": "ok"}


def post(observer: Observer, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return observer.client.post("/v1/traces", content=body, headers=PROTOBUF | (headers or {}))


def assert_nowhere(observer: Observer, word: str) -> None:
    """The word is in no file of the store; a word known to be stored is, so the search works."""
    Store(observer.path).close()
    files = b"".join(f.read_bytes() for f in observer.path.parent.glob("traces.db*"))
    assert b"ville" in files or b"b.referral" in files
    assert word.encode() not in files


def test_an_address_that_leads_nowhere_is_told_in_french(observer: Observer) -> None:
    page = observer.client.get("/foo")
    assert (page.status_code, "Page introuvable" in page.text) == (404, True)
    for path in ("/api/foo", "/api/traces/absent"):
        told = observer.client.get(path)
        assert (told.status_code, told.json()["code"]) == (404, "unknown")
        assert told.headers["content-type"] == "application/problem+json"
    assert "Page introuvable" in observer.client.get("/", params={"message": "x" * 200}).text
