"""What a node answers over HTTP: each refusal beside the same call allowed, each role, each page."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from contracts.kernel.documents import public_key, verify
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.paris import add_years, day_of
from contracts.kernel.receipts import parse_receipts
from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.tokens import Role
from services.federation.desks import REFERRAL
from services.federation.story import HIDDEN_NIR
from tests.federation.town import CITY, MISSION, SCHOOL, Town, until

PLAIN_ROLE = "référente de parcours"
_SHORTEST = 3
"""Shorter values (a class level) stand in words by chance."""


@dataclass(frozen=True)
class Pair:
    """The same call refused and allowed, and what the refusal must say."""

    refused: httpx.Response
    allowed: httpx.Response
    article: str
    code: str
    detail: str


WRONG_SHAPE = "Le contenu ne correspond pas aux champs strictement nécessaires de ce message."


def no_agreement(town: Town) -> Pair:
    return Pair(
        town.attempt(None),
        town.attempt(town.agree(town.pupil())),
        "A-2.11",
        "no_agreement",
        "L'accord du représentant légal, ou de l'élève majeur, n'est pas enregistré.",
    )


def other_recipient(town: Town) -> Pair:
    return Pair(
        town.attempt(town.agree(town.pupil(), recipients=[MISSION])),
        town.attempt(town.agree(town.pupil(), recipients=[MISSION, CITY])),
        "A-4.1",
        "agreement_recipient",
        "L'accord vise un autre destinataire.",
    )


def turned_eighteen(town: Town) -> Pair:
    now = town.fed.now(SCHOOL)
    eighteen = add_years(day_of(now), -18)
    month_ago = (now - timedelta(days=30)).isoformat()
    adult, minor = town.pupil(eighteen), town.pupil(eighteen + timedelta(days=1))
    return Pair(
        town.attempt(town.agree(adult, given_at=month_ago)),
        town.attempt(town.agree(minor, given_at=month_ago)),
        "A-2.11",
        "agreement_expired",
        "L'accord n'est plus valable à cette date.",
    )


def parent_of_an_adult(town: Town) -> Pair:
    adult = town.pupil(add_years(day_of(town.fed.now(SCHOOL)), -18))
    return Pair(
        town.attempt(town.agree(adult)),
        town.attempt(town.agree(adult, giver="young_person")),
        "A-2.11",
        "agreement_expired",
        "L'accord n'est plus valable à cette date.",
    )


def refused_by_the_family(town: Town) -> Pair:
    pupil = town.pupil()
    return Pair(
        town.attempt(town.agree(pupil, granted=False)),
        town.attempt(town.agree(pupil)),
        "A-2.11",
        "no_agreement",
        "L'accord du représentant légal, ou de l'élève majeur, n'est pas enregistré.",
    )


def extra_field(town: Town) -> Pair:
    agreement = town.agree(town.pupil())
    return Pair(
        town.attempt(agreement, {**REFERRAL, "teacher_note": "souvent en retard"}),
        town.attempt(agreement),
        "A-5.1",
        "teacher_note:extra_forbidden",
        WRONG_SHAPE,
    )


def typed_identity(town: Town) -> Pair:
    agreement = town.agree(town.pupil())
    other = {"family_name": "Tierce", "first_name": "Personne", "birth_date": "2011-01-02"}
    return Pair(
        town.attempt(agreement, {**REFERRAL, "pupil": other}),
        town.attempt(agreement),
        "A-5.1",
        "pupil:extra_forbidden",
        WRONG_SHAPE,
    )


def hidden_number(town: Town) -> Pair:
    case_id = town.accepted()["case_id"]
    return Pair(
        town.answer(case_id, HIDDEN_NIR),
        town.answer(case_id, PLAIN_ROLE),
        "A-5.1",
        "referent.role:hidden_identifier:nir",
        WRONG_SHAPE,
    )


def convention_over(town: Town) -> Pair:
    pupil, ended = town.pupil(), timedelta(days=3 * 366)
    allowed = town.accepted(town.agree(pupil))
    agreement = town.agree(pupil)
    with town.later(ended, SCHOOL), town.fed.client(SCHOOL, "manager", "cheffe-1") as later:
        refused = town.attempt(agreement, client=later)
    return Pair(
        refused,
        town.head.get(f"/api/v1/messages/{allowed['message_id']}"),
        "A-9.1",
        "term",
        "La convention n'est pas en vigueur à cette date.",
    )


def withdrawn(town: Town) -> Pair:
    agreement = town.agree(town.pupil())
    allowed = town.attempt(agreement)
    town.head.post(f"/api/v1/agreements/{agreement}/withdrawal").raise_for_status()
    return Pair(
        town.attempt(agreement), allowed, "A-2.11", "agreement_withdrawn", "L'accord a été retiré."
    )


REFUSALS = (
    no_agreement,
    other_recipient,
    turned_eighteen,
    parent_of_an_adult,
    refused_by_the_family,
    extra_field,
    typed_identity,
    hidden_number,
    convention_over,
    withdrawn,
)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.__name__)
def test_a_refusal_is_a_problem_with_its_articles_beside_the_same_call_allowed(
    town: Town, case: Callable[[Town], Pair]
) -> None:
    pair = case(town)
    assert pair.allowed.is_success, pair.allowed.text
    body = is_problem(pair.refused)
    assert pair.article in body["articles"]
    assert pair.detail in body["detail"]
    assert pair.code in codes(body)
    gate = body["code"] == "refused"
    assert body["status"] == (HTTPStatus.FORBIDDEN if gate else HTTPStatus.UNPROCESSABLE_ENTITY)
    assert not echoed(pair.refused)


def is_problem(answer: httpx.Response) -> dict[str, Any]:
    """Check the shape of RFC 9457, with our members; returns it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:relais:problem:{body['code']}"
    assert body["status"] == answer.status_code
    assert body["title"]
    assert re.search(r"[.!…]$", body["detail"]), body["detail"]
    assert all(re.fullmatch(r"[A-D]-\d+\.\d+", one) for one in body["articles"])
    return body


def codes(body: dict[str, Any]) -> set[str]:
    """Codes of a problem's reasons, or of its fields with their paths."""
    reasons = {one["code"] for one in body.get("reasons", ())}
    return reasons | {f"{one['path']}:{one['code']}" for one in body.get("fields", ())}


def echoed(answer: httpx.Response) -> list[str]:
    """Values of the request that its answer repeats."""
    body = answer.json()
    text = json.dumps({**body, "message_id": None}, ensure_ascii=False)
    return [value for value in leaves(json.loads(answer.request.content)) if value in text]


def leaves(value: Any) -> Iterator[str]:
    """Every value of a JSON document, as text."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    elif value is not None and len(str(value)) >= _SHORTEST:
        yield str(value)


def test_the_search_for_repeated_values_finds_them() -> None:
    request = httpx.Request("POST", "http://x", json={"data": {"a": ["Zoé Exemplaire"]}})
    told = httpx.Response(422, json={"detail": "Zoé Exemplaire ?"}, request=request)
    assert echoed(told) == ["Zoé Exemplaire"]


NOBODYS = "nom-prenom-2012-03-09"


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/messages", {"type": NOBODYS, "to": CITY, "data": {}}, 404),
        ("POST", "/messages", {"type": "referral.submitted", "to": NOBODYS, "data": {}}, 422),
        ("POST", "/messages", {"type": NOBODYS, "to": CITY, "data": NOBODYS}, 422),
        ("POST", "/messages", [NOBODYS], 422),
        ("POST", "/messages", b"{" + NOBODYS.encode(), 422),
        ("POST", "/persons", {"identity": NOBODYS}, 422),
        ("POST", "/agreements", {"person_id": NOBODYS}, 422),
        ("GET", f"/messages/{NOBODYS}", None, 404),
        ("GET", f"/messages?limit={NOBODYS}", None, 422),
        ("GET", f"/messages?since={NOBODYS}", None, 422),
        ("GET", f"/cases/{NOBODYS}", None, 404),
        ("GET", f"/agreements/{NOBODYS}", None, 404),
        ("GET", f"/{NOBODYS}", None, 404),
        ("DELETE", "/messages", None, 405),
    ],
)
def test_a_call_that_makes_no_sense_is_a_problem_that_repeats_nothing(
    one_town: Town, method: str, path: str, content: Any, status: int
) -> None:
    sent = {"content": content} if isinstance(content, bytes) else {"json": content}
    answer = one_town.head.request(method, f"/api/v1{path}", **sent)
    assert answer.status_code == status, answer.text
    is_problem(answer)
    assert NOBODYS not in answer.text


def test_a_wrong_place_in_the_journal_is_a_problem(one_town: Town) -> None:
    answer = one_town.dpo[SCHOOL].get(f"/api/v1/journal?since={NOBODYS}")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    is_problem(answer)
    assert NOBODYS not in answer.text
    assert one_town.dpo[SCHOOL].get("/api/v1/journal?since=0").is_success


def test_an_accepted_message_has_a_receipt_signed_by_the_city(town: Town) -> None:
    found = town.accepted()
    receipt = found["receipt"]
    assert (receipt["status"], receipt["from"]) == ("received", CITY)
    batch = parse_receipts(verify(receipt["signed"], key_of(town, CITY)))
    assert (batch.source, batch.to) == (CITY, SCHOOL)
    assert (found["message_id"], "received") in {(r.message_id, r.status) for r in batch.receipts}
    with pytest.raises(InvalidDocument):
        verify(receipt["signed"], key_of(town, SCHOOL))
    head, payload, signature = receipt["signed"].split(".")
    with pytest.raises(InvalidDocument):
        verify(".".join((head, payload[:-4] + "AAAA", signature)), key_of(town, CITY))


def test_the_answer_is_accepted_too_with_the_school_s_receipt(town: Town) -> None:
    sent = town.answer(town.accepted()["case_id"]).raise_for_status().json()
    found = town.until(town.youth, sent["message_id"], "accepted")
    assert found["state"] == "accepted"
    batch = parse_receipts(verify(found["receipt"]["signed"], key_of(town, SCHOOL)))
    assert (batch.source, batch.to) == (SCHOOL, CITY)


def key_of(town: Town, org: str) -> Callable[[str], Any]:
    """Find the public key that an organisation publishes in the directory."""
    key = public_key(town.entry(org).signing_key.x)
    return lambda _kid: key


# -- idempotency ---------------------------------------------------------------------------------


def body_of(town: Town, agreement_id: str | None) -> dict[str, Any]:
    given = {} if agreement_id is None else {"agreement_id": agreement_id}
    return {"type": "referral.submitted", "to": town.city, "data": REFERRAL, **given}


def sent_on(town: Town, agreement_id: str) -> int:
    """Count the letters that leave the school on an agreement."""
    reference = select(tables.agreement_recipients.c.reference).where(
        tables.agreement_recipients.c.agreement_id == agreement_id
    )
    where = tables.outbox.c.reference.in_(reference)
    ((count,),) = town.rows(SCHOOL, select(func.count()).where(where))
    return int(count)


def test_one_idempotency_key_sends_one_message(town: Town) -> None:
    agreement, key = town.agree(town.pupil()), {"Idempotency-Key": new_id()}
    body = body_of(town, agreement)
    first, again = (town.head.post("/api/v1/messages", json=body, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == HTTPStatus.ACCEPTED
    assert first.json() == again.json()
    assert sent_on(town, agreement) == 1
    changed = {**body, "data": {**REFERRAL, "level": "5e"}}
    other = town.head.post("/api/v1/messages", json=changed, headers=key)
    assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert is_problem(other)["code"] == "idempotency_key_reused"
    assert sent_on(town, agreement) == 1
    fresh = town.head.post("/api/v1/messages", json=body, headers={"Idempotency-Key": new_id()})
    assert fresh.json()["message_id"] != first.json()["message_id"]
    assert sent_on(town, agreement) == 2


async def test_one_idempotency_key_sends_one_message_however_many_call_at_once(town: Town) -> None:
    agreement, key = town.agree(town.pupil()), {"Idempotency-Key": new_id()}
    body = body_of(town, agreement)
    async with town.caller(SCHOOL, "manager", "cheffe-1") as client:
        calls = (client.post("/api/v1/messages", json=body, headers=key) for _ in range(8))
        answers = await asyncio.gather(*calls)
    assert {one.status_code for one in answers} == {HTTPStatus.ACCEPTED}
    assert len({one.json()["message_id"] for one in answers}) == 1
    assert sent_on(town, agreement) == 1


def test_a_refusal_is_repeated_under_its_key_with_the_same_words(town: Town) -> None:
    body, key = body_of(town, None), {"Idempotency-Key": new_id()}
    first, again = (town.head.post("/api/v1/messages", json=body, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == HTTPStatus.FORBIDDEN
    assert is_problem(first) == is_problem(again)


def test_a_key_belongs_to_its_caller(town: Town) -> None:
    agreement, key = town.agree(town.pupil()), {"Idempotency-Key": new_id()}
    body = body_of(town, agreement)
    with town.fed.client(SCHOOL, "agent", "agent-7") as colleague:
        colleague.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        answers = [one.post("/api/v1/messages", json=body, headers=key).json()
                   for one in (town.head, colleague)]  # fmt: skip
    assert answers[0]["message_id"] != answers[1]["message_id"]
    assert sent_on(town, agreement) == 2


# -- roles ---------------------------------------------------------------------------------------

WORKERS = {Role.AGENT, Role.REFERENT, Role.MANAGER}
EVERYBODY = set(Role)
JOURNAL = {Role.DPO, Role.OPERATOR}
ACTS = {
    ("POST", "/messages"): WORKERS | {Role.INTEGRATOR},
    ("GET", "/messages"): EVERYBODY,
    ("GET", "/messages/{id}"): EVERYBODY,
    ("GET", "/messages/{id}/decision"): JOURNAL,
    ("POST", "/persons"): WORKERS,
    ("POST", "/charter"): EVERYBODY,
    ("POST", "/agreements"): WORKERS,
    ("GET", "/agreements/{id}"): WORKERS | {Role.DPO},
    ("POST", "/agreements/{id}/withdrawal"): WORKERS,
    ("GET", "/cases/{id}"): WORKERS | {Role.DPO},
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
    ("GET", "/retention"): {Role.DPO},
    ("POST", "/retention"): {Role.DPO},
}
"""Who may do what at a node; the identifiers name nothing, so nothing is done."""


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_its_own_acts_and_no_other(one_town: Town, role: Role) -> None:
    with one_town.fed.client(SCHOOL, role, "quelqu-un") as client:
        for (method, path), permitted in ACTS.items():
            answer = call(client, method, path)
            may = answer.status_code not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
            assert may is (role in permitted), (method, path, answer.text)
            if not may:
                assert is_problem(answer)["code"] == "not_permitted"


def call(client: httpx.Client, method: str, path: str) -> httpx.Response:
    json_body = {} if method == "POST" else None
    return client.request(method, f"/api/v1{path.replace('{id}', 'f' * 32)}", json=json_body)


def test_every_act_has_a_role(one_town: Town) -> None:
    paths = one_town.head.get("/api/openapi.json").json()["paths"]
    listed = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path.removeprefix("/api/v1")))
        for path, methods in paths.items()
        for method in methods
        if path.startswith("/api/v1")
    }
    assert listed - {("GET", "/events")} == set(ACTS)


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
    assert [(one["type"], one["partner"]) for one in there["send"]] == [("referral.submitted", CITY)]
    assert [one["type"] for one in there["receive"]] == ["referral.answered"]
    (sent,) = there["send"]
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
            answer = client.get(f"/api/v1/cases/{case_id}")
            assert answer.status_code == HTTPStatus.NOT_FOUND


def test_the_journal_s_head_is_signed_and_is_its_last_line(town: Town) -> None:
    with town.fed.client(SCHOOL, "dpo", "dpo-1") as dpo:
        head = dpo.get("/api/v1/journal/head").json()
        lines = dpo.get("/api/v1/journal", params={"since": head["seq"] - 1}).json()
    said = verify(head["signed"], key_of(town, SCHOOL), typ="journal-head")
    assert json.loads(said) == {name: head[name] for name in ("chain", "seq", "hash")}
    assert (lines[0]["seq"], lines[0]["hash"]) == (head["seq"], head["hash"])
    with pytest.raises(InvalidDocument):
        verify(head["signed"], key_of(town, CITY), typ="journal-head")


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
    assert [one["message_id"] for one in listed] == [found["message_id"]]
    queued = {**wanted, "state": "queued"}
    until(
        lambda: town.head.get("/api/v1/messages", params=queued).json() == [], "nothing is queued"
    )
