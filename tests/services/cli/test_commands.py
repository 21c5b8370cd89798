"""What each command says of a federation that runs, to people and to programs."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from contracts import registry
from contracts.kernel.organisation import Kind
from services.chassis.chain import Head
from services.cli.app import main
from services.cli.conventions import _words
from services.federation.calls import call
from services.federation.federation import Federation, wait_for
from tests.federations import CITY, CONVENTION, SCHOOL, referral, send_referral
from tests.services.cli.calling import Captured, read, refused, told

# -- reading -----------------------------------------------------------------------------------


def test_the_matrix_tells_every_flow_of_every_convention(capsys: Captured) -> None:
    rows = read(capsys, "matrix")
    flows = {flow.type for _, flow in registry.load().flows()}
    assert {row["type"] for row in rows} == flows
    assert all(row["article"] and row["gates"] for row in rows)
    said = told(capsys, "matrix")
    assert "établissement scolaire → ville : fiche de repérage (referral.submitted)" in said
    assert "preuve des signatures (A-13.1)" in said
    assert max(map(len, said.splitlines())) <= 100


@pytest.mark.usefixtures("home")
def test_the_matrix_names_those_who_are_here(capsys: Captured) -> None:
    assert f"dans cette fédération : {SCHOOL} → {CITY}" in told(capsys, "matrix")
    assert {"from": SCHOOL, "to": CITY} in read(capsys, "matrix")[0]["between"]


def test_the_matrix_tells_where_every_obligation_is_kept(capsys: Captured) -> None:
    rows = read(capsys, "matrix", "--obligations")
    texts = registry.load().conventions
    asked = [one.id for code in sorted(texts) for one in texts[code].obligations]
    assert [row["id"] for row in rows] == asked
    (row,) = [row for row in rows if row["id"] == "A-3.6"]
    assert (row["article"], row["kinds"]) == ("3", ["gate"])
    assert "contracts/conventions/a_city_school/convention.py (_MEASURE)" in row["homes"]
    assert (
        "tests/contracts/test_measure.py::test_the_fourth_signature_makes_the_contract"
        in row["tests"]
    )
    said = told(capsys, "matrix", "--obligations")
    assert "A-3.6 (article 3 ; contrôle) : Chef d'établissement, service Jeunesse" in said
    assert "A-4.5 (article 4 ; organisation)" in said
    assert "pas installés" not in said


def test_a_node_without_tests_says_so_rather_than_nothing(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.obligations._tests", lambda _root: None)
    said = told(capsys, "matrix", "--obligations")
    assert "Les tests ne sont pas installés ici" in said
    assert "prouvée par" not in said
    assert {row["tests"] for row in read(capsys, "matrix", "--obligations")} == {None}


@pytest.mark.usefixtures("home")
def test_status_tells_processes_and_readiness(capsys: Captured, federation: Federation) -> None:
    found = read(capsys, "status")
    assert found["state"] == "running"
    assert [one["ready"] for one in found["organisations"]] == [True, True]
    assert found["processes"]["hub"]["pid"]
    assert federation.url(CITY) in told(capsys, "status")


@pytest.mark.usefixtures("home")
def test_an_address_is_found_by_name(capsys: Captured, federation: Federation) -> None:
    assert told(capsys, "url", SCHOOL).strip() == federation.url(SCHOOL)
    assert read(capsys, "url", CITY) == {"org": CITY, "url": federation.url(CITY)}
    assert refused(capsys, "url", "nulle-part")[0] == 1


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
    said = told(capsys, "explain", message_id)
    assert "rejeu : identique" in said
    assert "envoi (fiche de repérage), autorisé" in said
    assert re.search(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", said)
    assert "message.sent" not in said
    code, line = refused(capsys, "explain", "0" * 32)
    assert code == 1
    assert "Aucun nœud" in line


@pytest.mark.usefixtures("home")
def test_a_content_refused_for_its_shape_is_explained(
    capsys: Captured, federation: Federation
) -> None:
    with federation.client(SCHOOL) as client:
        problem = client.post("/api/v1/messages", json=referral(None) | {"data": {}}).json()
    said = told(capsys, "explain", problem["message_id"])
    assert "envoi refusé (fiche de repérage), contenu refusé par A-5.1" in said
    assert "n'avait pas la forme" in said
    wait_for(lambda: main(["trace", problem["message_id"]]) == 0, 20, "no trace")
    assert "refusé A-5.1 (données strictement nécessaires)" in capsys.readouterr().out


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
    assert "des lignes manquent" in capsys.readouterr().out


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
    assert f"{CITY} : {false.chain} ligne {false.seq}, un partenaire" in capsys.readouterr().out


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
    code, why = refused(capsys, "convention", "amend", CONVENTION)
    assert code == 1
    assert "aucun avenant" in why
    assert "--evidence" in why
    assert refused(capsys, "convention", "amend", CONVENTION, "--on", "2026-09-20")[0] != 0


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
    rules = read(capsys, "purge", "--dry-run")["organisations"][CITY]["rules"]
    (cases,) = [one for one in rules if one["table"] == "cases"]
    assert (cases["article"], cases["due"], cases["held"]) == ("A-5.1", 0, 0)
    shown = told(capsys, "purge", "--dry-run")
    for said in ("À détruire", "Gardés (différend)", "A-5.1", cases["next_at"][:4], CITY):
        assert said in shown


@pytest.mark.usefixtures("home")
def test_nobody_rotates_the_key_of_an_organisation_that_is_not_here(capsys: Captured) -> None:
    assert refused(capsys, "rotate", "nulle-part")[0] == 1


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


def test_compile_writes_the_registers_of_each_kind(capsys: Captured, tmp_path: Path) -> None:
    """GDPR 13, 26, 30, 35: an OpenDocument text each, and nothing else."""
    told(capsys, "compile", "--registers", str(tmp_path))
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    for kind in Kind:
        for name in ("record", "dpia", "joint-control"):
            assert f"{kind.value}/{name}.odt" in written
    assert {Path(name).suffix for name in written} == {".odt"}
    assert "department/notice-training-obligation.odt" in written
    assert len(read(capsys, "compile", "--registers", str(tmp_path))["files"]) == len(written)
