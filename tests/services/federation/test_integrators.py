"""The page for integrators: pasted into a shell it works, and what it says of roles is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from services.chassis.openapi import CALLS
from services.chassis.tokens import RIGHTS, Right, Role
from services.federation.federation import Federation
from tests.federations import CITY, SCHOOL, content, read

PAGE = (Path(__file__).parents[3] / "docs" / "integrators.md").read_text(encoding="utf-8")
NAMES = {SCHOOL: "college-des-saules", CITY: "ville-aubelune"}


def rows(first: str) -> Iterator[list[str]]:
    """Cells of each row of the table whose head begins with that word."""
    table = re.search(rf"^\| {first}.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None
    for line in table[1].splitlines():
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_of_roles_is_that_of_the_code() -> None:
    heads = re.search(r"^\| role \|(.*)\|$", PAGE, re.MULTILINE)
    assert heads is not None
    rights = [Right(one.strip()) for one in heads[1].split("|")]
    said = {
        Role(role.strip("`")): {right for right, mark in zip(rights, marks, strict=True) if mark}
        for role, *marks in rows("role")
    }
    assert said == RIGHTS


def test_the_table_of_calls_is_that_of_the_document() -> None:
    said = {}
    for calls, right, _ in rows("call"):
        method = ""
        for one in re.findall(r"`([^`]+)`", calls):
            given, _, path = one.rpartition(" ")
            method = given or method
            said[method, re.sub(r"\{\w+\}", "{}", path)] = Right(right)
    written = {(m, re.sub(r"\{\w+\}", "{}", path)): call.right for (m, path), call in CALLS.items()}
    assert said == written


def named() -> dict[str, Any]:
    """The small federation, under the names that the page uses."""
    values = content()
    for one in values["organisations"]:
        one["id"] = NAMES[one["id"]]
    return values


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    home = tmp_path_factory.mktemp("integrators")
    federation = Federation.create(home, read(home, named()))
    with federation:
        yield federation


@pytest.fixture(scope="module")
def said(shipped: Federation) -> str:
    """What a shell says into which every block of the page was pasted."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eu", "-c", "\n".join(blocks)],
        env={"RELAIS_HOME": str(shipped.layout.home), "PATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_walk_through_ends_accepted_and_then_refused(said: str) -> None:
    assert "\naccepted\n" in said
    assert '"family_name":"Exemplaire"' in said  # the city's own case
    assert said.rstrip().endswith("}")
    assert '"A-2.11"' in said.splitlines()[-1]


@pytest.mark.usefixtures("said")
def test_what_a_node_answers_has_the_documented_shape(shipped: Federation) -> None:
    with ExitStack() as opened:
        clients = {role: opened.enter_context(shipped.client(NAMES[SCHOOL], role)) for role in Role}
        for client in clients.values():
            client.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        _look(clients)


def _recorded(client: httpx.Client, document: dict[str, Any]) -> dict[str, str]:
    """Record the very examples of the document; returns the agreement's id and the request's."""

    def post(path: str, **changes: Any) -> dict[str, Any]:
        body = document["paths"][f"/api/v1{path}"]["post"]["requestBody"]["content"]
        (example,) = body["application/json"]["examples"].values()
        answer = client.post(f"/api/v1{path}", json={**example["value"], **changes})
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    person = post("/persons")
    access: dict[str, Any] = {"right": "access", "about": []}
    agreement, asked = post("/agreements", **person), post("/requests", **person, **access)
    return {"agreement_id": agreement["agreement_id"], "request_id": asked["request_id"]}


def _look(clients: dict[Role, httpx.Client]) -> None:
    document = clients[Role.AGENT].get("/api/openapi.json").json()
    (sent,) = clients[Role.AGENT].get("/api/v1/messages", params={"state": "accepted"}).json()
    known = {
        "message_id": sent["message_id"],
        "case_id": sent["case_id"],
        **_recorded(clients[Role.AGENT], document),
        "org": NAMES[CITY],
        "convention_id": clients[Role.AGENT].get("/api/v1/conventions").json()[0]["convention_id"],
    }
    looked = 0
    for (method, path), call in CALLS.items():
        if method != "GET" or call.answer is None:
            continue
        operation = document["paths"][f"/api/v1{path}"]["get"]
        client = clients[Role(operation["x-roles"][0])]
        answer = client.get(f"/api/v1{path.format(**known)}")
        content = operation["responses"].get(str(answer.status_code))
        assert content is not None, (path, answer.text)
        (media,) = content["content"].values()
        schema = {**media["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(answer.json())
        looked += answer.is_success
    assert looked >= 15


def test_a_query_that_means_nothing_is_refused(shipped: Federation) -> None:
    with shipped.client(NAMES[SCHOOL], Role.OPERATOR) as client:
        for query in ("messages?state=bogus", "journal?after=abc", "journal?since=-1"):
            answer = client.get(f"/api/v1/{query}")
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_payload"), query
