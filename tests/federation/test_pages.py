"""Who may do what at a node, and what its pages show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from contracts.kernel.documents import verify
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.organisation import Kind
from services.chassis.tokens import Role
from tests.federation.answers import is_problem, key_of
from tests.federation.town import CITY, KNOWN, MISSION, SCHOOL, Town, until

WORKERS = {Role.AGENT, Role.REFERENT, Role.MANAGER}
EVERYBODY = set(Role)
JOURNAL = {Role.DPO, Role.OPERATOR}
ACTS = {
    ("POST", "/messages"): WORKERS | {Role.INTEGRATOR},
    ("GET", "/messages"): EVERYBODY,
    ("GET", "/messages/{id}"): EVERYBODY,
    ("GET", "/messages/{id}/decision"): JOURNAL,
    ("GET", "/arrivals"): EVERYBODY,
    ("POST", "/persons"): WORKERS,
    ("POST", "/charter"): EVERYBODY,
    ("POST", "/agreements"): WORKERS,
    ("GET", "/agreements/{id}"): WORKERS | {Role.DPO},
    ("POST", "/agreements/{id}/withdrawal"): WORKERS | {Role.DPO},
    ("POST", "/agreements/{id}/hearing"): WORKERS,
    ("POST", "/agreements/{id}/objection"): WORKERS | {Role.DPO},
    ("POST", "/agreements/{id}/objection/answer"): {Role.MANAGER},
    ("POST", "/notices"): WORKERS,
    ("GET", "/deadlines"): EVERYBODY,
    ("POST", "/cases/{id}/acts/{id}"): WORKERS | {Role.INTEGRATOR},
    ("POST", "/received/{id}/reading"): WORKERS | {Role.DPO},
    ("POST", "/received/{id}/view"): WORKERS | {Role.DPO},
    ("GET", "/received/{id}/view"): WORKERS | {Role.DPO},
    ("POST", "/watch-cells/{id}/agenda"): WORKERS | {Role.INTEGRATOR},
    ("POST", "/watch-cells/{id}/participants"): WORKERS | {Role.INTEGRATOR},
    ("POST", "/persons/{id}/recognition"): WORKERS,
    ("POST", "/persons/{id}/departure"): WORKERS,
    ("POST", "/persons/{id}/rectification"): WORKERS,
    ("POST", "/persons/{id}/erasure"): {Role.DPO},
    ("POST", "/persons/{id}/codes"): WORKERS | {Role.DPO},
    ("GET", "/usage/findUsage"): WORKERS | {Role.DPO},
    ("GET", "/usage/usagePeriod"): EVERYBODY,
    ("GET", "/usage/heartbeat"): EVERYBODY,
    ("POST", "/requests"): WORKERS | {Role.DPO},
    ("GET", "/requests"): {Role.MANAGER, Role.DPO},
    ("GET", "/requests/{id}"): {Role.MANAGER, Role.DPO},
    ("GET", "/requests/{id}/copy"): {Role.MANAGER, Role.DPO},
    ("POST", "/requests/{id}/check"): WORKERS | {Role.DPO},
    ("POST", "/requests/{id}/sending"): {Role.MANAGER, Role.DPO},
    ("POST", "/requests/{id}/extension"): {Role.MANAGER, Role.DPO},
    ("POST", "/requests/{id}/answer"): {Role.MANAGER, Role.DPO},
    ("GET", "/cases/{id}"): WORKERS | {Role.DPO},
    ("GET", "/cases/{id}/exchanges"): WORKERS | {Role.DPO},
    ("POST", "/authorisations"): {Role.MANAGER},
    ("GET", "/authorisations"): {Role.MANAGER},
    ("POST", "/authorisations/{id}/end"): {Role.MANAGER},
    ("POST", "/derogations"): WORKERS,
    ("GET", "/derogations"): {Role.MANAGER, Role.DPO},
    ("POST", "/derogations/{id}/confirmation"): {Role.MANAGER},
    ("POST", "/derogations/{id}/telling"): WORKERS,
    ("POST", "/derogations/{id}/review"): {Role.MANAGER, Role.DPO},
    ("POST", "/cases/{id}/recognition"): WORKERS,
    ("POST", "/cases/{id}/erasure"): {Role.DPO},
    ("GET", "/flows"): EVERYBODY,
    ("GET", "/conventions"): EVERYBODY,
    ("POST", "/conventions"): {Role.MANAGER},
    ("POST", "/conventions/{id}/acts"): {Role.MANAGER},
    ("GET", "/journal"): JOURNAL,
    ("GET", "/journal/head"): JOURNAL,
    ("GET", "/journal/verification"): JOURNAL,
    ("GET", "/journal/witnessed/{id}"): JOURNAL,
    ("GET", "/dead-letters"): {Role.OPERATOR},
    ("POST", "/dead-letters/{id}/retry"): {Role.OPERATOR},
    ("POST", "/keys/rotation"): {Role.OPERATOR},
    ("POST", "/conventions/{id}/reviews"): {Role.MANAGER},
    ("POST", "/conventions/{id}/insurances"): {Role.MANAGER},
    ("POST", "/conventions/{id}/holds"): {Role.MANAGER},
    ("POST", "/conventions/{id}/holds/{id}/release"): {Role.MANAGER},
    ("GET", "/conventions/{id}/holds"): {Role.MANAGER, Role.DPO},
    ("POST", "/conventions/{id}/reports"): {Role.MANAGER},
    ("GET", "/conventions/{id}/report"): EVERYBODY,
    ("GET", "/conventions/{id}/report.csv"): EVERYBODY,
    ("GET", "/retention"): {Role.DPO},
    ("POST", "/retention"): {Role.DPO},
}
"""Who may do what at a node; the identifiers name nothing, so nothing but a rotation is done."""


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_its_own_acts_and_no_other(one_town: Town, role: Role) -> None:
    with one_town.fed.client(SCHOOL, role, "quelqu-un") as client:
        client.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        for (method, path), permitted in ACTS.items():
            answer = call(client, method, path)
            may = answer.status_code not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
            assert may is (role in permitted), (method, path, answer.text)
            if not may:
                assert is_problem(answer)["code"] == "not_permitted"


def call(client: httpx.Client, method: str, path: str) -> httpx.Response:
    json_body: dict[str, str] | None = {} if method == "POST" else None
    return client.request(method, f"/api/v1{path.replace('{id}', 'f' * 32)}", json=json_body)


def test_the_journals_of_all_verify_also_of_those_whom_nothing_joins(one_town: Town) -> None:
    with one_town.fed.client(MISSION, Role.DPO, "dpo-1") as dpo:
        assert dpo.get(f"/api/v1/journal/witnessed/{CITY}").json() == []
    one_town.accepted()
    said = subprocess.run(
        [sys.executable, "-m", "services", "journal", "verify", "--json"],
        env={**os.environ, "RELAIS_HOME": str(one_town.fed.layout.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    reports = json.loads(said.stdout)
    assert set(reports) == set(one_town.fed.layout.orgs)
    assert reports[CITY]["witnessed"] > 0


def test_every_act_has_a_role(one_town: Town) -> None:
    paths = one_town.head.get("/api/openapi.json").json()["paths"]
    listed = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path.removeprefix("/api/v1"))): {
            Role(one) for one in operation["x-roles"]
        }
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith("/api/v1")
    }
    assert listed == {**ACTS, ("GET", "/events"): EVERYBODY}


def test_without_a_token_of_this_organisation_nobody_is_anybody(one_town: Town) -> None:
    fed, url = one_town.fed, one_town.fed.url(SCHOOL)
    tokens = {
        "none": None,
        "garbage": "x.y.z",
        "elsewhere": fed.token(CITY, "manager"),
        "expired": fed.token(SCHOOL, "manager", lifetime=timedelta(seconds=-1)),
        "altered": fed.token(SCHOOL, "agent")[:-2] + "AA",
    }
    for name, token in tokens.items():
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers) as client:
            for method, path in (*ACTS, ("GET", "/events")):
                answer = call(client, method, path)
                assert answer.status_code == HTTPStatus.UNAUTHORIZED, (name, method, path)
                assert is_problem(answer)["code"] == "not_identified"
    with fed.client(SCHOOL, "agent") as client:
        assert client.get("/api/v1/flows").is_success


# -- pages ---------------------------------------------------------------------------------------


def test_flows_say_what_may_be_sent_and_received_today(one_town: Town) -> None:
    there = one_town.head.get("/api/v1/flows").json()
    flows = list(KNOWN.flows())
    sent_types = [flow.type for _, flow in flows if flow.sender is Kind.SCHOOL]
    assert sorted(one["type"] for one in there["send"]) == sorted(sent_types)
    assert {one["partner"] for one in (*there["send"], *there["receive"])} == {CITY}
    received = [flow.type for _, flow in flows if flow.receiver is Kind.SCHOOL]
    assert sorted(one["type"] for one in there["receive"]) == sorted(received)
    (sent,) = [one for one in there["send"] if one["type"] == "referral.submitted"]
    assert set(sent["schema"]["properties"]) == {"level", "concerns", "hoped_help"}
    assert {"A-2.11", "A-9.1"} <= {gate["article"] for gate in sent["gates"]}
    nothing = one_town.dpo[MISSION].get("/api/v1/flows").json()
    assert (nothing["send"], nothing["receive"]) == ([], [])


def test_conventions_have_a_state_an_end_and_a_next_review(one_town: Town) -> None:
    (held,) = one_town.head.get("/api/v1/conventions").json()
    assert held["parties"] == sorted((CITY, SCHOOL))
    assert (held["state"], held["version"], held["invented"]) == ("in_force", 1, True)
    assert held["signed_on"] < held["next_review"] < held["ends_on"] < held["purged_on"]
    assert one_town.dpo[MISSION].get("/api/v1/conventions").json() == []


def test_a_case_shows_each_side_what_it_holds_and_the_others_nothing(town: Town) -> None:
    case_id = town.accepted()["case_id"]
    ours, theirs = (
        client.get(f"/api/v1/cases/{case_id}").json() for client in (town.head, town.youth)
    )
    assert (ours["partner"], theirs["partner"]) == (CITY, SCHOOL)
    assert ours["state"] == theirs["state"] == "open"
    names = [one["person"]["identity"]["family_name"] for one in (ours, theirs)]
    assert names == ["Exemplaire", "Exemplaire"]
    for org in (town.other_school, MISSION):
        with town.fed.client(org) as client:
            client.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
            answer = client.get(f"/api/v1/cases/{case_id}")
            assert answer.status_code == HTTPStatus.NOT_FOUND


def test_nobody_opens_anything_before_accepting_the_charter(one_town: Town) -> None:
    """A-5.2: in its present version, and no other."""
    case_id = one_town.accepted()["case_id"]
    with one_town.fed.client(SCHOOL, "agent", "nouvelle-1") as new:
        answer = new.get(f"/api/v1/cases/{case_id}")
        assert (answer.status_code, answer.json()["articles"]) == (403, ["A-5.2"])
        assert new.post("/api/v1/charter", json={"version": "99"}).status_code == 422
        assert new.get(f"/api/v1/cases/{case_id}").status_code == 403
        new.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        assert new.get(f"/api/v1/cases/{case_id}").is_success


def test_what_is_recorded_twice_under_one_key_is_recorded_once(one_town: Town) -> None:
    body = {"identity": {**PERSON}, "representatives": []}
    twice = [
        one_town.head.post("/api/v1/persons", json=body, headers={"Idempotency-Key": "p-1"})
        for _ in range(2)
    ]
    assert twice[0].json() == twice[1].json()
    other = {**body, "identity": {**PERSON, "first_name": "Ana"}}
    again = one_town.head.post("/api/v1/persons", json=other, headers={"Idempotency-Key": "p-1"})
    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")


PERSON = {
    "family_name": "Exemplaire",
    "first_name": "Noa",
    "birth_date": "2012-03-09",
    "channel": None,
}


def test_the_journal_s_head_is_signed_and_is_its_last_line(town: Town) -> None:
    with town.fed.client(SCHOOL, "dpo", "dpo-1") as dpo:
        head = dpo.get("/api/v1/journal/head").json()
        lines = dpo.get("/api/v1/journal", params={"since": head["seq"] - 1}).json()
    # A partner reads a rotation a moment after it was made, and a former test made one.
    until(lambda: _verifies(head["signed"], key_of(town, SCHOOL)), "the head stays unverified")
    said = verify(head["signed"], key_of(town, SCHOOL), typ="journal-head")
    assert json.loads(said) == {name: head[name] for name in ("chain", "seq", "hash")}
    assert (lines[0]["seq"], lines[0]["hash"]) == (head["seq"], head["hash"])
    with pytest.raises(InvalidDocument):
        verify(head["signed"], key_of(town, CITY), typ="journal-head")


def _verifies(signed: str, find: Callable[[str], Any]) -> bool:
    try:
        verify(signed, find, typ="journal-head")
    except InvalidDocument:
        return False
    return True


def test_events_resume_after_the_last_one_seen(town: Town) -> None:
    seen = town.dpo[SCHOOL].get("/api/v1/journal/head").json()["seq"]
    message_id = town.accepted()["message_id"]
    first = list(events(town, seen, lambda one: one["type"] == "relais.receipt"))
    assert [one["data"]["message_id"] for one in first if one["type"] == "relais.message.sent"] == [
        message_id
    ]
    ids = [int(one["sse_id"]) for one in first]
    assert ids == list(range(seen + 1, seen + 1 + len(ids)))
    again = list(events(town, ids[0], lambda one: one["type"] == "relais.receipt"))
    assert again == first[1:]
    assert all(one["specversion"] == "1.0" for one in first)
    assert all(one["source"] == f"urn:relais:{SCHOOL}" for one in first)


def events(
    town: Town, after: int, last: Callable[[dict[str, Any]], bool]
) -> Iterator[dict[str, Any]]:
    """Server-Sent Events after a line of the journal, up to the first that is the last wanted."""
    headers = {"Last-Event-ID": str(after)}
    with town.head.stream("GET", "/api/v1/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        event_id = ""
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                event_id = value
            elif name == "data":
                one = {**json.loads(value), "sse_id": event_id}
                yield one
                if last(one):
                    return


def test_probes_answer_at_every_node_without_a_token(town: Town) -> None:
    for org in town.fed.layout.orgs:
        with httpx.Client(base_url=town.fed.url(org)) as client:
            assert client.get("/healthz").json() == {"org": org, "alive": True}
            assert client.get("/readyz").json() == {"database": True, "letterbox": True}
            shape = client.get("/api/openapi.json").json()
            assert shape["openapi"].startswith("3.1")


def test_metrics_count_messages_and_refusals_by_article(town: Town) -> None:
    with httpx.Client(base_url=town.fed.url(SCHOOL)) as client:
        before = client.get("/metrics").text
        town.accepted()
        town.attempt(None)
        after = client.get("/metrics")
    assert after.headers["content-type"].startswith("text/plain")
    for wanted in ('flow="referral.submitted"', 'article="A-2.11"'):
        assert total(after.text, wanted) > total(before, wanted), wanted


def total(metrics: str, label: str) -> float:
    """Sum of the counters that bear a label."""
    lines = (one for one in metrics.splitlines() if label in one and "_total{" in one)
    return sum(float(one.rpartition(" ")[2]) for one in lines)


def test_messages_are_listed_by_state_type_and_date(town: Town) -> None:
    found = town.accepted()
    wanted = {"state": "accepted", "type": "referral.submitted", "since": found["created_at"]}
    listed = town.head.get("/api/v1/messages", params=wanted).json()
    assert found["message_id"] in {one["message_id"] for one in listed}
    assert {(one["state"], one["type"]) for one in listed} == {("accepted", "referral.submitted")}
    assert min(one["created_at"] for one in listed) == found["created_at"]
    queued = {**wanted, "state": "queued"}
    until(
        lambda: town.head.get("/api/v1/messages", params=queued).json() == [], "nothing is queued"
    )


# -- the demonstration ---------------------------------------------------------------------------


def test_the_story_is_told_in_words_and_keeps_its_codes_for_programs(one_town: Town) -> None:
    steps = one_town.story().teller.steps
    # The counts of a journal grow with the story.
    status = r"\b[45]\d\d\b(?! (lignes|effacées|têtes) )"
    code = re.compile(rf"{status}|[a-z]_[a-z]|Error\b|\b(message|letter|referral|withdrawal)\.")
    said = [line for step in steps for line in step.told if "ms" not in line.split()]
    assert [line for line in said if code.search(line) and "absences_count" not in line] == []
    refusals = [step for step in steps if step.title.startswith("Refus")]
    assert len(refusals) == 6
    for step in refusals:
        assert re.search(r"^Refusé par A-\d+\.\d+", step.told[0]), step.told
        assert step.codes[0].split()[0] in {"403", "422"}
