"""The command line: what each command says, to people and to programs, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import registry
from services.chassis.journal import Head
from services.chassis.nats_server import NatsServer, find_binary
from services.cli.app import application, main
from services.cli.conventions import _words
from services.federation.calls import call
from services.federation.federation import Federation, wait_for
from services.federation.layout import leaf_of
from services.federation.ports import HOST
from tests.federations import CITY, CONVENTION, SCHOOL, content, send_referral, survivors, write
from tests.federations import read as fedread

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def home(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a federation that runs."""
    monkeypatch.setenv("RELAIS_HOME", str(federation.layout.home))
    return federation.layout.home


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELAIS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def told(capsys: Captured, *arguments: str) -> str:
    capsys.readouterr()
    code = main(arguments)
    found = capsys.readouterr()
    assert (code, found.err) == (0, "")
    return found.out


def read(capsys: Captured, *arguments: str) -> Any:
    return json.loads(told(capsys, *arguments, "--json"))


def refused(capsys: Captured, *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(arguments)
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("relais : ")
    assert found.err.count("\n") == 1
    return code, found.err


# -- help and usage ----------------------------------------------------------------------------


def test_help_is_in_french_and_lists_every_command(capsys: Captured) -> None:
    said = told(capsys, "--help")
    assert said == told(capsys)
    for name in ("up", "down", "status", "demo", "doctor", "matrix", "explain", "convention"):
        assert f"\n  {name} " in said
    assert "Commandes :" in said
    assert "Options :" in said
    assert "Show this" not in said
    assert "\n  node " not in said


def _paths() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    app = application()
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        found.append((name,))
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found += [
            (str(group.name), str(command.name))
            for command in group.typer_instance.registered_commands
        ]
    return found


@pytest.mark.parametrize("path", _paths(), ids=" ".join)
def test_every_command_has_a_help_page(path: tuple[str, ...], capsys: Captured) -> None:
    said = told(capsys, *path, "--help")
    assert "Affiche cette aide." in said
    assert "Usage:" not in said


def test_every_reading_command_answers_in_json(capsys: Captured) -> None:
    others = {("down",), ("node",), ("bench",), ("journal", "export")}
    for path in _paths():
        assert ("--json" in told(capsys, *path, "--help")) is (path not in others), path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tokn",), "« tokn » n'existe pas"),
        (("convention", "sing"), "« sing » n'existe pas"),
        (("token",), "Il manque ORG"),
        (("token", "x"), "Il manque --role"),
        (("token", "x", "--role", "king"), "--role ne convient pas. Choix : 'agent'"),
        (("up", "--colour"), "« --colour » n'existe pas"),
        (("up", "--config"), "« --config » attend une valeur"),
        (("status", "now"), "ne prend pas ces arguments"),
        (("convention", "notice", "x", "--org", "y"), "--received-on ou --sent-on"),
        (("convention", "notice", "x", "--org", "y", "--sent-on", "hier"), "AAAA-MM-JJ"),
    ],
)
def test_a_wrong_usage_is_one_french_line(
    arguments: tuple[str, ...], said: str, capsys: Captured, nowhere: Path
) -> None:
    code, line = refused(capsys, *arguments)
    assert said in line
    assert code == 2
    assert not nowhere.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("down",),
        ("token", SCHOOL, "--role", "agent"),
        ("trace", "m"),
        ("explain", "m"),
        ("purge",),
        ("journal", "verify"),
        ("convention", "list"),
    ],
)
def test_without_a_federation_each_command_says_what_to_do(
    arguments: tuple[str, ...], capsys: Captured, nowhere: Path
) -> None:
    code, line = refused(capsys, *arguments)
    assert code == 1
    assert "relais up" in line
    assert str(nowhere) in line


# -- reading -----------------------------------------------------------------------------------


def test_the_matrix_tells_every_flow_of_every_convention(capsys: Captured) -> None:
    rows = read(capsys, "matrix")
    flows = {flow.type for _, flow in registry.load().flows()}
    assert {row["type"] for row in rows} == flows
    assert all(row["article"] and row["gates"] for row in rows)
    said = told(capsys, "matrix")
    assert "school → city : fiche de repérage (referral.submitted)" in said


@pytest.mark.usefixtures("home")
def test_status_tells_processes_and_readiness(capsys: Captured, federation: Federation) -> None:
    found = read(capsys, "status")
    assert found["state"] == "running"
    assert [one["ready"] for one in found["organisations"]] == [True, True]
    assert found["processes"]["hub"]["pid"]
    assert federation.url(CITY) in told(capsys, "status")


@pytest.mark.usefixtures("home")
def test_a_token_opens_the_api(capsys: Captured, federation: Federation) -> None:
    found = read(capsys, "token", SCHOOL, "--role", "manager", "--agent", "a-7")
    assert (found["org"], found["role"], found["url"]) == (
        SCHOOL,
        "manager",
        federation.url(SCHOOL),
    )
    token = told(capsys, "token", SCHOOL, "--role", "dpo").strip()
    with federation.client(SCHOOL) as client:
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/journal/head", headers=headers).is_success
    assert refused(capsys, "token", "nulle-part", "--role", "dpo")[0] == 1


@pytest.mark.usefixtures("home")
def test_a_decision_is_explained_on_both_sides(capsys: Captured, federation: Federation) -> None:
    message_id = send_referral(federation)
    found = read(capsys, "explain", message_id)
    assert set(found) == {SCHOOL, CITY}
    assert found[CITY][0]["replay"] == "same"
    assert "rejeu : identique" in told(capsys, "explain", message_id)
    code, line = refused(capsys, "explain", "0" * 32)
    assert code == 1
    assert "Aucun nœud" in line


@pytest.mark.usefixtures("home")
def test_a_trace_shows_both_organisations(capsys: Captured, federation: Federation) -> None:
    message_id = send_referral(federation)

    def arrived() -> bool:
        if main(["trace", message_id, "--json"]) != 0:
            return False
        (found,) = json.loads(capsys.readouterr().out)
        return len(found["nodes"]) == 2

    wait_for(arrived, 20, "no trace of both nodes")
    said = told(capsys, "trace", message_id)
    assert f"{federation.url('observer')}/traces/" in said
    assert refused(capsys, "trace", "0" * 32)[0] == 1


@pytest.mark.usefixtures("home")
def test_journals_hold_and_partners_hold_their_heads(
    capsys: Captured, federation: Federation, tmp_path: Path
) -> None:
    for _ in range(2):
        send_referral(federation)
    found = read(capsys, "journal", "verify")
    assert all(one["ok"] for one in found.values())
    assert found[CITY]["witnessed"] > 0
    file = tmp_path / "journal.jsonl"
    lines = told(capsys, "journal", "export", CITY).splitlines(keepends=True)
    file.write_text("".join(lines), encoding="utf-8")
    (report,) = read(capsys, "journal", "verify", str(file)).values()
    assert (report["ok"], report["lines"]) == (True, len(lines))
    file.write_text("".join(lines[1:]), encoding="utf-8")
    assert main(["journal", "verify", str(file)]) == 1
    assert "gap" in capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_a_rewritten_journal_is_betrayed_by_what_partners_hold(
    capsys: Captured, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_referral(federation)
    assert main(["journal", "verify"]) == 0
    with federation.client(SCHOOL, "dpo") as client:
        (held, *_) = call(client, "GET", f"/api/v1/journal/witnessed/{CITY}")
    false = Head(held["chain"], held["seq"], "0" * 64)
    monkeypatch.setattr("services.cli.reading._witnessed", lambda *_: {false})
    capsys.readouterr()
    assert main(["journal", "verify"]) == 1
    assert f"{CITY} : {false.chain} ligne {false.seq}, rewritten" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["not json\n", '{"chain": 1}\n'])
def test_what_is_no_journal_is_told(text: str, capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text(text, encoding="utf-8")
    code, line = refused(capsys, "journal", "verify", str(file))
    assert code == 1
    assert "n'est pas un journal" in line
    assert refused(capsys, "journal", "verify", str(tmp_path / "none"))[0] == 1


# -- conventions -------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_conventions_are_listed_and_shown(capsys: Captured, federation: Federation) -> None:
    (found,) = read(capsys, "convention", "list")
    assert found["convention_id"] == CONVENTION
    shown = read(capsys, "convention", "show", CONVENTION)
    keys = {one["org"]: one["signing_key"] for one in shown["versions"][0]["parties"]}
    assert keys == {org: federation.fingerprint(org) for org in (SCHOOL, CITY)}
    assert federation.fingerprint(CITY) in told(capsys, "convention", "show", CONVENTION)
    assert refused(capsys, "convention", "show", "a-b-c")[0] == 1
    assert read(capsys, "convention", "sign") == {"signed": []}


def _wait_states(capsys: Captured, state: str) -> None:
    def everywhere() -> bool:
        (found,) = read(capsys, "convention", "list")
        return bool(found["states"] == {SCHOOL: state, CITY: state})

    wait_for(everywhere, 10, f"not {state} everywhere")


def test_a_state_that_differs_is_told_for_each_party() -> None:
    values = {"state": "in_force", "states": {SCHOOL: "in_force", CITY: "suspended"}}
    assert _words(values) == {"state": f"en vigueur ({SCHOOL}), suspendue ({CITY})"}
    assert _words({**values, "states": {SCHOOL: "in_force"}}) == {"state": "en vigueur"}


@pytest.mark.usefixtures("home")
def test_a_suspension_closes_and_a_resumption_opens(capsys: Captured) -> None:
    act = (CONVENTION, "--org", CITY)
    assert read(capsys, "convention", "suspend", *act)["state"] == "suspended"
    try:
        _wait_states(capsys, "suspended")
        assert "suspendue" in told(capsys, "convention", "list")
    finally:
        answer = read(capsys, "convention", "resume", *act)
    assert answer["state"] == "in_force"
    _wait_states(capsys, "in_force")


@pytest.mark.usefixtures("home")
def test_an_amendment_is_signed_by_every_party(capsys: Captured, tmp_path: Path) -> None:
    paper = tmp_path / "avenant.txt"
    paper.write_text("Avenant", encoding="utf-8")
    before = read(capsys, "convention", "show", CONVENTION)["version"]
    days = ("--effective-on", "2026-10-01", "--on", "2026-09-20")
    amend = ("convention", "amend", CONVENTION, *days, "--evidence")
    assert refused(capsys, *amend, str(tmp_path / "none"))[0] == 1
    assert read(capsys, *amend, str(paper))["version"] == before + 1

    def held() -> bool:
        return bool(read(capsys, "convention", "show", CONVENTION)["version"] == before + 1)

    wait_for(held, 10, "the amendment is not held")


# -- upkeep ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_purge_says_what_it_would_destroy_then_destroys_it(
    capsys: Captured, federation: Federation
) -> None:
    send_referral(federation)
    found = read(capsys, "purge", "--dry-run")
    assert found["dry_run"]
    assert set(found["organisations"]) == {SCHOOL, CITY}
    assert not read(capsys, "purge")["dry_run"]
    assert "À détruire" in told(capsys, "purge", "--dry-run")


@pytest.mark.usefixtures("home")
def test_doctor_finds_nothing_wrong_then_an_open_secret(
    capsys: Captured, federation: Federation
) -> None:
    assert all(one["ok"] for one in read(capsys, "doctor"))
    federation.move_clock(timedelta(hours=1), CITY)
    try:
        assert main(["doctor"]) == 1
        assert f"avancée à la main : {CITY}" in capsys.readouterr().out
    finally:
        federation.move_clock(timedelta(0), CITY)
    secret = federation.layout.secret_file(CITY)
    secret.chmod(0o644)
    try:
        assert main(["doctor"]) == 1
    finally:
        secret.chmod(0o600)
    said = capsys.readouterr().out
    assert "chmod 600" in said
    assert "Traceback" not in said


def test_doctor_says_when_the_broker_is_missing(
    capsys: Captured, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(capsys, "doctor")
    monkeypatch.setenv("NATS_SERVER", str(nowhere / "nats-server"))
    assert main(["doctor", "--json"]) == 1
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert not found["nats-server"]["ok"]
    assert "NATS_SERVER" in found["nats-server"]["advice"]


def test_compile_writes_what_differs_and_check_says_it(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.upkeep._ROOT", tmp_path)
    monkeypatch.setattr("services.cli.upkeep._exported", lambda: {"docs/matrix.md": "one\n"})
    assert main(["compile", "--check"]) == 1
    assert "+one" in capsys.readouterr().out
    assert read(capsys, "compile")["stale"] == ["docs/matrix.md"]
    assert (tmp_path / "docs" / "matrix.md").read_text() == "one\n"
    assert told(capsys, "compile", "--check") == ""
    assert read(capsys, "compile", "--check")["stale"] == []


# -- up and down, as a person types them -------------------------------------------------------


def relais(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        env={"RELAIS_HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_up_stays_after_its_command_and_down_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = str(write(tmp_path / "federation.yaml", content()))
    try:
        up = relais(home, "up", "--config", config)
        assert (up.returncode, up.stderr) == (0, "")
        assert CONVENTION in up.stdout
        assert "relais down" in up.stdout
        again = relais(home, "up", "--config", config)
        assert (again.returncode, "tourne déjà" in again.stdout) == (0, True)
        assert relais(home, "status").stdout.count("oui") == 2
    finally:
        down = relais(home, "down")
    assert (down.returncode, down.stderr) == (0, "")
    assert survivors(home) == []
    assert "ne tourne pas" in relais(home, "down").stdout
    left = relais(home, "explain", "m")
    assert (left.returncode, left.stdout) == (1, "")
    assert "relais up" in left.stderr


def test_a_bad_file_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    values = content()
    values["organisations"][0]["uai"] = "9990101A"
    config = write(tmp_path / "federation.yaml", values)
    found = relais(tmp_path / "home", "up", "--config", str(config))
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.count("\n") == 1
    assert "organisations.0.uai" in found.stderr
    assert not (tmp_path / "home").exists()


def test_up_in_the_foreground_stops_on_a_signal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = str(write(tmp_path / "federation.yaml", content()))
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "up", "--foreground", "--config", config],
        env={"RELAIS_HOME": str(home), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        while "relais down" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.terminate()
        assert "Arrêt" in process.stdout.read()
    assert process.wait(30) == 0
    assert survivors(home) == []


def test_one_node_runs_alone_on_its_settings(tmp_path: Path) -> None:
    federation = Federation.create(tmp_path / "home", fedread(tmp_path, content()))
    layout = federation.layout
    folder = layout.node_dir(SCHOOL) / "nats"
    port = layout.ports[leaf_of(SCHOOL)]
    binary = find_binary(os.environ)
    leaf = NatsServer(binary, folder / "nats.json", HOST, port, tmp_path / "leaf.log")
    leaf.start()
    settings = str(layout.settings_file(SCHOOL))
    command = [sys.executable, "-m", "services", "node", "--settings", settings]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        leaf.wait_ready()
        ready = f"{federation.url(SCHOOL)}/readyz"
        with httpx.Client() as client:
            wait_for(lambda: _answers(client, ready), 40, "the node is not ready")
    finally:
        node.terminate()
        said, _ = node.communicate(timeout=20)
        leaf.stop()
    assert all(json.loads(line)["event"] for line in said.splitlines())


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


def test_a_node_without_settings_is_one_line(capsys: Captured, tmp_path: Path) -> None:
    code, line = refused(capsys, "node", "--settings", str(tmp_path / "none.yaml"))
    assert code == 1
    assert "none.yaml" in line
