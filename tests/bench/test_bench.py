"""The bench checks itself: its peers keep their promises, its figures count what they say."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.chassis.settings import load_node_settings
from services.federation.federation import Federation
from tests.bench import decision, pages, report
from tests.bench.harness import (
    Counter,
    Light,
    LostMessagesError,
    Measured,
    Plan,
    Round,
    measure,
)
from tests.bench.load import Request, fire, read_requests, write_requests
from tests.bench.peers.naive import Naive
from tests.bench.peers.plain.rules import Facts, reasons_against
from tests.bench.peers.plain.system import Plain
from tests.bench.processes import cpu_seconds
from tests.bench.relais import FEDERATION, Relais, sample_as_in_production

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ALLOWED = Facts(
    flow="referral.v1",
    sender="school",
    receiver="city",
    purpose="help",
    version=1,
    convention_sender="school",
    convention_receiver="city",
    convention_version=1,
    convention_purposes=["help"],
    opens_on=NOON.date(),
    closes_on=NOON.date() + timedelta(days=1),
    birth_date=NOON.date().replace(year=2008, day=11),
    giver="representative",
    agreed_flows=["referral.v1"],
    agreed_receivers=["city"],
    given_at=NOON,
    expires_at=NOON + timedelta(seconds=1),
    withdrawn_at=None,
    notice_at=NOON,
    charter_at=NOON,
    enrolled=True,
)
SPOILT = {
    "parties": replace(ALLOWED, convention_sender="ccas"),
    "term": replace(ALLOWED, closes_on=NOON.date()),
    "version": replace(ALLOWED, version=2),
    "purpose": replace(ALLOWED, purpose="statistics"),
    "age": replace(ALLOWED, birth_date=NOON.date().replace(year=2008)),
    "flow": replace(ALLOWED, agreed_flows=[]),
    "receiver": replace(ALLOWED, agreed_receivers=["ccas"]),
    "withdrawn": replace(ALLOWED, withdrawn_at=NOON),
    "agreement term": replace(ALLOWED, expires_at=NOON),
    "giver": replace(ALLOWED, giver="person"),
    "notice": replace(ALLOWED, notice_at=NOON + timedelta(seconds=1)),
    "charter": replace(ALLOWED, charter_at=NOON + timedelta(seconds=1)),
    "enrolment": replace(ALLOWED, enrolled=False),
}


def test_plain_rules_let_go_what_they_should() -> None:
    assert reasons_against(ALLOWED, NOON) == []


@pytest.mark.parametrize("reason", SPOILT)
def test_plain_rules_refuse_each_spoilt_fact(reason: str) -> None:
    assert reasons_against(SPOILT[reason], NOON) == [reason]


@pytest.fixture(scope="module")
def quick() -> dict[str, Any]:
    """What a quick run of the whole bench prints."""
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(printed)
    return found


def test_every_system_brings_its_messages_to_their_end(quick: dict[str, Any]) -> None:
    names = [system["name"] for system in quick["systems"]]
    assert names == ["naive", "relais", "plain"]
    for system in quick["systems"]:
        assert 0 < system["light_answer_ms"] < system["light_settled_ms"]
        assert system["light_effect_ms"] <= system["light_settled_ms"]
        assert sum(system["cpu_ms"].values()) > 0


def test_relais_pays_for_all_its_processes(quick: dict[str, Any]) -> None:
    (relais,) = (one for one in quick["systems"] if one["name"] == "relais")
    assert set(relais["cpu_ms"]) == {
        *("school", "school's leaf", "hub", "city's leaf", "city"),
        *("registrar", "observer", "postgres"),
    }


def test_every_floor_is_compared(quick: dict[str, Any]) -> None:
    floors = [one for one in quick["wanted"] if "least" in one]
    assert [(one["what"], one["least"]) for one in floors] == [
        ("relais / naive, throughput", 2.0),
        ("relais / plain, throughput", 5.0),
        ("cedar / gate, time a decision", 40.0),
    ]


def test_an_alert_is_timed_from_the_call_to_the_school_s_database(quick: dict[str, Any]) -> None:
    (alerts,) = (one for one in quick["wanted"] if "alert" in one["what"])
    assert (alerts["what"], alerts["count"]) == ("relais, an alert at light load", 3)
    assert alerts["most_ms"] == 1000.0
    assert 0 < alerts["median_ms"] <= alerts["p95_ms"]
    assert alerts["met"] is (alerts["p95_ms"] <= 1000.0)


def test_each_page_is_timed_and_compared(quick: dict[str, Any]) -> None:
    found = [one for one in quick["wanted"] if one["what"].startswith("page: ")]
    assert [one["what"].removeprefix("page: ") for one in found] == list(pages.PAGES)
    for one in found:
        assert (one["count"], one["most_ms"]) == (1, 100.0)
        assert 0 < one["median_ms"] <= one["p95_ms"]


@pytest.mark.parametrize(("slow", "met"), [(10, True), (11, False)])
def test_a_page_is_in_time_when_its_median_is(slow: int, met: bool) -> None:  # noqa: FBT001 -- a parameter
    (found,) = report.page_answers({"journal": [0.010] * (21 - slow) + [0.101] * slow})
    assert found.met is met
    assert str(found).endswith("wanted a median of 100 ms or less: met") is met


@pytest.mark.parametrize(("slow", "met"), [(1, True), (2, False)])
def test_alerts_are_in_time_when_95_of_a_hundred_are(slow: int, met: bool) -> None:  # noqa: FBT001 -- a parameter
    light, quick = Light(0.001, 0.002, 0.002), [0.010] * (30 - slow)
    taken = {
        "naive": Measured(light),
        "relais": Measured(light, alerts=[*quick, *([1.001] * slow)]),
    }
    (found,) = report.delays(taken)
    assert (found.met, found.count, found.median_ms) == (met, 30, 10.0)
    assert str(found).endswith("wanted 1 s or less: met") is met
    assert str(found) in report.as_text([], {}, [found])


def test_relais_runs_as_in_production(tmp_path: Path) -> None:
    layout = Federation.create(tmp_path / "home", FEDERATION).layout
    before = [load_node_settings(layout.settings_file(org)) for org in layout.orgs]
    sample_as_in_production(layout)
    after = [load_node_settings(layout.settings_file(org)) for org in layout.orgs]
    assert [one.model_copy(update={"sample_ratio": 0.1}) for one in before] == after
    for org in layout.orgs:
        leaf = json.loads((layout.node_dir(org) / "nats" / "nats.json").read_bytes())
        assert leaf["jetstream"]["sync_interval"] == "always"


@pytest.mark.parametrize(("open_rows", "lag", "counted"), [(0, 0, 5), (1, 0, 0), (0, 1, 0)])
def test_relais_is_done_when_nothing_is_open_and_all_is_erased(
    monkeypatch: pytest.MonkeyPatch, open_rows: int, lag: int, counted: int
) -> None:
    system = Relais()
    monkeypatch.setattr(system, "_nodes", ["school", "city"])
    monkeypatch.setattr(system, "_count", lambda _, sql: 5 if b"accepted" in sql else open_rows)
    monkeypatch.setattr(
        "tests.bench.relais._erasure_lag", lambda node: lag if node == "city" else 0
    )
    assert system.done() == counted


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    peer = Plain()
    try:
        peer.start()
        yield peer
    finally:
        peer.stop()


async def test_plain_refuses_a_withdrawn_agreement_and_no_other(plain: Plain) -> None:
    _in_sender(plain, "UPDATE agreements SET withdrawn_at = now() WHERE person_id = 7 RETURNING 1")
    answers = await fire([plain.request(index) for index in (7, 8)], connections=1)
    assert answers.statuses == {"403": 1, "202": 1}


async def test_plain_refuses_a_forged_token(plain: Plain) -> None:
    good = plain.request(9)
    forged = replace(good, headers={"Authorization": good.headers["Authorization"][:-4] + "AAAA"})
    assert (await fire([forged], 1)).statuses == {"401": 1}
    assert (await fire([good], 1)).statuses == {"202": 1}


async def test_plain_refuses_a_field_nobody_agreed_to(plain: Plain) -> None:
    good = plain.request(10)
    longer = replace(good, body=good.body.replace(b'"data":{', b'"data":{"religion":"x",'))
    assert (await fire([longer], 1)).statuses == {"422": 1}


async def test_plain_brings_receipts_home_and_chains_every_act(plain: Plain) -> None:
    assert (await fire([plain.request(index) for index in range(20, 40)], 8)).accepted == 20
    queued = _in_sender(plain, "SELECT count(*) FROM audit WHERE action = 'queued'")
    Counter(plain, queued).wait(plain.done, 0.02)
    accepted = _in_sender(plain, "SELECT count(*) FROM audit WHERE action = 'accepted'")
    chained = _in_sender(
        plain, "SELECT count(*) FROM audit a JOIN audit b ON b.previous = a.digest"
    )
    assert accepted == queued >= 20
    assert chained == _in_sender(plain, "SELECT count(*) - 1 FROM audit")


def _in_sender(peer: Plain, sql: str) -> int:
    row = peer._databases["sender"].execute(sql.encode()).fetchone()
    return row[0] if row else 0


class Unstarted(Naive):
    """A system of which nothing runs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def start(self) -> None:
        """Start nothing."""


def test_the_naive_peer_runs_before_and_after_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its speed is what both runs together would have been: 3 s for 2 times 300 messages."""
    speeds = iter([300.0, 400.0, 150.0, 50.0, 600.0])
    ran: list[str] = []

    def heavy(counter: Counter, messages: int, _connections: int) -> Round:
        ran.append(counter.system.name)
        speed = 1.0 if messages == 0 else next(speeds)
        return Round(speed, {"all": 1 / speed}, 1 / speed, 1 / speed)

    monkeypatch.setattr("tests.bench.harness.heavy_round", heavy)
    monkeypatch.setattr("tests.bench.harness.light_load", lambda *_: Light(1.0, 1.0, 1.0))
    systems = [Unstarted("naive"), Unstarted("one"), Unstarted("two")]
    found = measure(systems, Plan(rounds=1, messages=300, warmup=0), lambda _: None)
    assert ran[3:] == ["naive", "one", "naive", "two", "naive"]
    assert found["one"].rounds[0].throughput == 400.0
    assert found["one"].beside[0].throughput == pytest.approx(200.0)
    assert found["one"].beside[0].cpu["all"] == pytest.approx(1 / 200)
    assert found["two"].beside[0].throughput == pytest.approx(240.0)
    assert report.lines(found)[0].throughput == report.Ratio(1.0, 1.0, 1.0)


def test_lost_messages_void_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.harness._LOST_AFTER_SECONDS", 0.01)
    Counter(Naive(), 5).wait(lambda: 5, 0.001)
    with pytest.raises(LostMessagesError, match="4 of 5"):
        Counter(Naive(), 5).wait(lambda: 4, 0.001)


async def test_load_sends_each_request_once_and_counts_the_answers(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readline()):
            head += await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(
                int(head.lower().split(b"content-length: ")[1].split()[0])
            )
            heard.append(body)
            status = b"202" if body != b'"7"' else b"403"
            writer.write(b"HTTP/1.1 " + status + b" x\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    requests = [Request(f"http://127.0.0.1:{port}/", {}, f'"{n}"'.encode()) for n in range(50)]
    write_requests(tmp_path / "requests", requests)
    answers = await fire(read_requests(tmp_path / "requests"), connections=4)
    server.close()
    assert sorted(heard) == sorted(request.body for request in requests)
    assert answers.statuses == {"202": 49, "403": 1}
    assert len(answers.latencies) == 50


async def test_load_tells_when_the_server_hangs_up() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.RaisesGroup(ConnectionError):
        await fire([Request(f"http://127.0.0.1:{port}/", {}, b"{}")], connections=1)
    server.close()


def test_cpu_time_counts_a_child_that_already_ended() -> None:
    burn = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))']);"
    wait = "print(1, flush=True); input()"
    command = [sys.executable, "-c", burn + wait]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        with_child = cpu_seconds(parent.pid)
        parent.communicate(b"\n")
    with subprocess.Popen(
        [sys.executable, "-c", wait], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as idle:
        assert idle.stdout is not None
        idle.stdout.readline()
        assert with_child > cpu_seconds(idle.pid) + 0.05
        idle.communicate(b"\n")


@pytest.mark.parametrize(("cpu", "believed"), [(2.7, True), (1.8, False), (3.6, False)])
def test_figures_are_doubted_when_the_peers_stray(cpu: float, believed: bool) -> None:  # noqa: FBT001 -- a parameter
    light = Light(0.001, 0.002, 0.002)
    naive = [Round(400.0, {"all": 0.003}, 0.01, 0.02)]
    other = [Round(150.0, {"all": 0.003 * cpu}, 0.01, 0.02)]
    measured = {
        "naive": Measured(light, naive, naive),
        "plain, no receipts": Measured(light, other, naive),
    }
    table = report.lines(measured)
    assert (report.doubts(table) == []) is believed
    assert ("WARNING" in report.as_text(table, {})) is not believed


@pytest.mark.parametrize(("per_second", "met"), [(1000.0, True), (990.0, False)])
def test_a_floor_is_met_or_not(per_second: float, met: bool) -> None:  # noqa: FBT001 -- a parameter
    light = Light(0.001, 0.002, 0.002)
    speeds = {"naive": 400.0, "plain": 200.0, "relais": per_second}
    rounds = {name: [Round(speed, {"all": 0.003}, 0.01, 0.02)] for name, speed in speeds.items()}
    # The naive peer's other rounds, far from the product's, count for nothing.
    measured = {name: Measured(light, one, rounds["naive"]) for name, one in rounds.items()}
    measured["naive"].rounds = [Round(4.0, {"all": 0.3}, 1.0, 2.0), *rounds["naive"]]
    decisions = {"cedar": [40e-6 if met else 39e-6], "gate": [1e-6]}
    found = report.verdicts(measured, decisions)
    assert [one.met for one in found] == [True, met, met]
    assert [str(one).endswith("NOT MET") for one in found] == [False, not met, not met]


def test_all_sides_say_what_the_rule_says() -> None:
    taken = decision.seconds_a_decision(decision.sides(), rounds=1, decisions=1)
    assert set(taken) == {"gate", "gate with its facts", "cedar", "python"}


@pytest.mark.parametrize("answer", [True, False])
def test_a_decider_that_is_wrong_is_not_timed(answer: bool) -> None:  # noqa: FBT001 -- a parameter
    wrong = decision.Side("wrong", dict, lambda _: answer)
    with pytest.raises(decision.WrongDecisionError):
        decision.seconds_a_decision([wrong], rounds=1, decisions=1)
