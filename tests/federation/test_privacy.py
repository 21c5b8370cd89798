"""After the whole story and its refusals: no name, birth date, address or number anywhere in clear.

Not in a file of any process, a row outside what is sealed, a log, a trace, a metric, a monitoring
page, a journal or an answer that refuses.
"""

from __future__ import annotations

import json
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from contracts.kernel.paris import add_years, day_of
from services.federation.layout import HUB, OBSERVER, REGISTRAR
from services.federation.ports import HOST
from services.federation.stories.a import HIDDEN_NIR
from services.federation.stories.a_desks import REFERRAL
from tests.federation.leaks import Search, day_spellings, number_spellings
from tests.federation.town import CITY, SCHOOL, Town
from tests.servers import PostgresServer

NAMES = ("Exemplaire", "Dominique", "dominique@famille.example", "Camille Fictive")
"""Whom the story names; its « Zoé » is too short to be told from chance."""
BIRTH = date(2012, 3, 9)
OWN_NAMES = ("Quatrevingtneuf", "Aldegonde", "Théophraste", "aldegonde@maison.example", "Radegonde")
OWN_BIRTH = date(2011, 7, 23)
OWN_PHONES = ("+33639981234", "+33639985678")
OWN_EMAIL = "radegonde@service.example"
PERSON: dict[str, Any] = {
    "identity": {
        "family_name": "Quatrevingtneuf",
        "first_name": "Aldegonde",
        "birth_date": OWN_BIRTH.isoformat(),
        "channel": {"kind": "email", "value": "aldegonde@maison.example"},
    },
    "representatives": [
        {
            "family_name": "Quatrevingtneuf",
            "first_name": "Théophraste",
            "channel": {"kind": "phone", "value": OWN_PHONES[0]},
        }
    ],
}
CONTACT = {
    "name": "Radegonde Quatrevingtneuf",
    "role": "référente de parcours",
    "phone": OWN_PHONES[1],
    "email": OWN_EMAIL,
}
SENTENCE = "Aldegonde Quatrevingtneuf est souvent en retard"
CODE = "aldegonde-quatrevingtneuf-2011-07-23"
"""A person in the shape of an id or a code, which a filter of shapes lets pass."""


def everything(town: Town) -> Search:
    """All that the story and this test said of anybody."""
    eighteen = add_years(day_of(town.fed.now(SCHOOL)), -18) - timedelta(days=1)
    days = (one for day in (BIRTH, OWN_BIRTH, eighteen) for one in day_spellings(day))
    numbers = (one for number in (*OWN_PHONES, HIDDEN_NIR) for one in number_spellings(number))
    return Search((*NAMES, *OWN_NAMES, OWN_EMAIL, *days, *numbers))


@pytest.fixture
def told(town: Town) -> Town:
    """The town after the story, and after a referral, an answer and refusals of the test's own."""
    story = town.story()
    assert len(story.teller.steps) > 1
    assert [step for step in story.teller.steps[1:] if not step.ok] == []  # it knows two schools
    if not story.case_id:
        agreement, story.case_id = exchanged(town)
        for client, path, wrong in refusals(agreement, story.case_id):
            method = "GET" if wrong is None else "POST"
            refused = client(town).request(method, f"/api/v1{path}", json=wrong)
            assert refused.is_error, path
            story.bodies.append(refused.text)
        journal_calls(town)
    return town


def journal_calls(town: Town) -> None:
    """What the roles that read journals may type."""
    assert town.dpo[SCHOOL].get(f"/api/v1/messages/{CODE}/decision").is_error
    assert town.dpo[SCHOOL].get(f"/api/v1/journal/witnessed/{CODE}").json() == []


def exchanged(town: Town) -> tuple[str, str]:
    """A referral and its answer, about persons with rare names; returns agreement and case."""
    person = town.head.post("/api/v1/persons", json=PERSON).raise_for_status().json()
    agreement = town.agree(person["person_id"])
    case_id = town.accepted(agreement)["case_id"]
    body = {"type": "referral.answered", "to": SCHOOL, "case_id": case_id}
    data = {"decision": "accepted", "referent": CONTACT, "next_date": "2031-12-15"}
    answer = town.youth.post("/api/v1/messages", json={**body, "data": data}).raise_for_status()
    sent = town.until(town.youth, answer.json()["message_id"], "accepted")
    assert sent["state"] == "accepted"
    return agreement, case_id


Desk = Callable[[Town], httpx.Client]


def head(town: Town) -> httpx.Client:
    return town.head


def youth(town: Town) -> httpx.Client:
    return town.youth


def refusals(agreement: str, case_id: str) -> Iterator[tuple[Desk, str, Any]]:
    """Calls that put a person's data where it has no place."""
    message = {"type": "referral.submitted", "to": CITY, "agreement_id": agreement}
    answer = {"type": "referral.answered", "to": SCHOOL, "case_id": case_id}
    yield head, "/messages", {**message, "data": {**REFERRAL, "note": SENTENCE}}
    yield head, "/messages", {**message, "data": {**REFERRAL, "level": SENTENCE}}
    yield head, "/messages", {**message, "type": SENTENCE, "data": REFERRAL}
    yield head, "/messages", {**message, "to": SENTENCE, "data": REFERRAL}
    yield head, "/messages", {**message, "agreement_id": SENTENCE, "data": REFERRAL}
    yield head, "/messages", {**message, "type": CODE, "data": REFERRAL}
    yield head, "/messages", {**message, "type": CODE.replace("-", "."), "data": {}}
    yield head, "/messages", {**message, "to": CODE, "data": REFERRAL}
    yield head, "/messages", {**message, "convention_id": CODE, "data": {**REFERRAL, "note": CODE}}
    yield youth, "/messages", {**answer, "data": {"decision": SENTENCE}}
    role = {**CONTACT, "role": HIDDEN_NIR}
    yield youth, "/messages", {**answer, "data": {"decision": "accepted", "referent": role}}
    yield head, "/persons", {**PERSON, "identity": {**PERSON["identity"], "birth_date": "x"}}
    yield head, "/agreements", {"person_id": SENTENCE}
    yield head, "/charter", {"version": SENTENCE}
    yield head, f"/cases/{SENTENCE}", None
    yield head, f"/cases/{CODE}", None
    yield head, f"/messages/{CODE}/decision", None
    yield youth, f"/cases/{CODE}/erasure", {}
    yield head, f"/messages?state={SENTENCE}&limit={SENTENCE}", None
    yield head, f"/{SENTENCE}", None


def test_the_search_finds_a_word_in_every_plain_encoding(tmp_path: Path) -> None:
    search = Search((*NAMES, *OWN_NAMES, *day_spellings(BIRTH), *number_spellings(OWN_PHONES[0])))
    word = "Théophraste"
    decomposed = unicodedata.normalize("NFD", word)
    written = [
        *(form.encode(name) for form in (word, word.upper(), word.lower())
          for name in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")),
        decomposed.encode(),
        json.dumps(word).encode(),
        quote(word).encode(),
        word.encode().hex().encode(),
        word.encode().hex().upper().encode(),
        *(b64encode(b"x" * before + word.encode()) for before in range(4)),
    ]  # fmt: skip
    for number, body in enumerate(written):
        (tmp_path / str(number)).write_bytes(b"\x00\xff" * 9 + body + b"\xfe" * 9)
    (tmp_path / "Radegonde.log").touch()
    found = search.in_folder(tmp_path)
    assert found == {
        **{str(number): {word} for number in range(len(written))},
        "Radegonde.log": {"Radegonde"},
    }
    for said in ("né le 09/03/2012", "06 39 98 12 34", "06.39.98.12.34", "+33639981234"):
        assert search.in_text(said), said
    assert not search.in_text("référente de parcours, absences, 2026-11-22, lb.c1.s1.02bf.m1")


def test_the_people_of_a_case_are_shown_to_its_agents_only(told: Town) -> None:
    """So there is something to be found: the same search finds it where it belongs."""
    search = everything(told)
    for client in (told.head, told.youth):
        assert {"Quatrevingtneuf", "Aldegonde"} <= search.in_text(
            client.get(f"/api/v1/cases/{told.story().case_id}").text
        )


FILES = (
    "logs/*.log",
    "hub/claims/*.jwt",
    "observer/traces.sqlite",
    "nodes/*/directory.json",
    "nodes/*/keys/*",
    "nodes/*/nats/jetstream/**/*.blk",
)


def test_no_file_of_any_process_holds_a_person_in_clear(told: Town) -> None:
    """Databases, key stores, journals, letterboxes, logs, traces, the hub's and registrar's own."""
    home = told.fed.layout.home
    for part in FILES:
        assert any(home.glob(part)), part
    assert everything(told).in_folder(home) == {}


def test_no_row_holds_a_person_in_clear(told: Town, request: pytest.FixtureRequest) -> None:
    search, read = everything(told), 0
    for url in (url for org in told.fed.layout.orgs for url in told.database_urls(org)):
        for table, row in rows(url):
            read += 1
            assert not search.in_bytes(row), (url, table)
    assert read > 0
    if make_url(told.database_urls(CITY)[0]).get_backend_name() == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        assert postgres_files(told, server, search) == {}


def rows(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, its cells as bytes."""
    engine = create_engine(url, poolclass=NullPool)
    sqlite = engine.dialect.name == "sqlite"
    listed = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if sqlite
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    with engine.connect() as connection:
        for (table,) in connection.execute(text(listed)).all():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608 -- its own tables
                yield table, b"\n".join(map(_bytes, row))


def _bytes(cell: Any) -> bytes:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()


def postgres_files(town: Town, server: PostgresServer, search: Search) -> dict[str, set[str]]:
    """What lies in the files of the town's databases on the server's disk."""
    found: dict[str, set[str]] = {}
    engine = create_engine(server.url("postgres"), poolclass=NullPool)
    urls = [url for org in town.fed.layout.orgs for url in town.database_urls(org)]
    names = [make_url(url).database for url in urls]
    with engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
        oids = connection.execute(
            text("SELECT oid FROM pg_database WHERE datname = ANY(:names)"), {"names": names}
        )
        for (oid,) in oids.all():
            folder = server.folder / "base" / str(oid)
            assert any(folder.iterdir())
            found |= search.in_folder(folder)
    return found


def test_the_hub_keeps_claims_and_no_letter(told: Town) -> None:
    folder = told.fed.layout.folder(HUB)
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    claims = {name for name in kept if name.startswith("claims/")}
    assert {Path(name).suffix for name in claims} == {".jwt"}
    assert kept - claims == {"nats.json", "ca.pem", "hub.pem", "hub-key.pem"}
    assert "jetstream" not in (folder / "nats.json").read_text().lower()
    assert page(told.monitoring[HUB], "jsz").get("streams", 0) == 0
    letters = [page(told.monitoring[name], "jsz") for name in told.monitoring if name != HUB]
    assert sum(one["streams"] for one in letters) == len(told.fed.layout.orgs)


MONITORING = (
    "varz",
    "connz?subs=detail&auth=1&state=any",
    "subsz?subs=1&limit=4096",
    "leafz?subs=1",
    "accountz",
    "accstatz?unused=1",
    "jsz?accounts=1&streams=1&consumers=1&config=1",
    "gatewayz",
    "routez?subs=1",
)


def page(port: int, path: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"http://{HOST}:{port}/{path}").raise_for_status().json()
    return found


def test_no_monitoring_page_names_a_person_nor_says_what_a_letter_is(told: Town) -> None:
    search = everything(told)
    for name, port in told.monitoring.items():
        for path in MONITORING:
            shown = json.dumps(page(port, path), ensure_ascii=False)
            assert not search.in_text(shown), (name, path)
            for word in ("referral", "repérage", "school_perseverance"):
                assert word not in shown, (name, path)
    assert f"lb.{told.code(CITY)}.>" in json.dumps(page(told.monitoring[HUB], "leafz?subs=1"))


def pages(town: Town) -> Iterator[tuple[str, str]]:
    """What nodes, registrar and observer show to whoever watches them, never a case."""
    for org in town.fed.layout.orgs:
        url = town.fed.url(org)
        for path in ("/metrics", "/readyz", "/healthz", "/api/openapi.json"):
            yield f"{org}{path}", httpx.get(f"{url}{path}").text
        with town.fed.client(org, "operator", "operateur-1") as operator:
            for path in ("/flows", "/conventions", "/messages", "/dead-letters", "/journal/head"):
                yield f"{org}{path}", operator.get(f"/api/v1{path}").text
            before, last = town.story().spans[org]
            for lines in journal(operator):
                yield f"{org}/journal", json.dumps(lines, ensure_ascii=False)
                told = [one for one in lines if before < one["seq"] <= last and one["message_id"]]
                for message_id in {one["message_id"] for one in told}:
                    shown = operator.get(f"/api/v1/messages/{message_id}/decision").text
                    yield f"{org}/messages/{message_id}/decision", shown
    for part, paths in {REGISTRAR: ("state", "metrics", "directory"), OBSERVER: ("",)}.items():
        for path in paths:
            yield f"{part}/{path}", httpx.get(f"{town.fed.url(part)}/{path}").text


def journal(client: httpx.Client) -> Iterator[list[dict[str, Any]]]:
    """Own journal, page by page."""
    since = 0
    while lines := client.get("/api/v1/journal", params={"since": since}).json():
        yield lines
        since = lines[-1]["seq"]


def test_no_journal_metric_or_page_names_a_person(told: Town) -> None:
    search = everything(told)
    assert found_in(search, pages(told)) == {}


def found_in(search: Search, shown: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    return {name: texts for name, content in shown if (texts := search.in_text(content))}


def test_no_refusal_repeats_what_it_refuses(told: Town) -> None:
    story = told.story()
    assert len(story.problems) >= 8
    search = everything(told)
    shown = {str(number): body for number, body in enumerate(story.bodies)}
    assert found_in(search, shown.items()) == {}
    assert not [body for body in story.bodies if "en retard" in body]
