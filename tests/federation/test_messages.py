"""Asking to send: each refusal beside the same call allowed, signed receipts, repeated calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from contracts.kernel.documents import verify
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.paris import add_years, day_of
from contracts.kernel.receipts import parse_receipts
from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.web import MAX_BODY
from services.federation.stories.a import HIDDEN_NIR
from services.federation.stories.a_desks import REFERRAL
from tests.federation.answers import is_problem, key_of
from tests.federation.town import CITY, MISSION, SCHOOL, Town

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
        town.attempt(town.agree(adult, giver="young_person", authority=None)),
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


def test_a_wrong_shape_is_journaled_under_the_id_that_its_answer_gives(one_town: Town) -> None:
    wrong = one_town.attempt(one_town.agree(one_town.pupil()), {**REFERRAL, "more": 1})
    path = f"/api/v1/messages/{wrong.json()['message_id']}/decision"
    (line,) = one_town.dpo[SCHOOL].get(path).json()
    assert (line["event"], line["outcome"]) == ("message.refused", "invalid")
    assert line["articles"] == ["A-5.1"]


def test_where_nothing_binds_the_two_nothing_else_is_said_of_it(one_town: Town) -> None:
    """A notice or a suspension of what does not exist would be a falsehood in the journal."""
    body = {
        "type": "referral.submitted",
        "to": MISSION,
        "agreement_id": one_town.agree(one_town.pupil(), recipients=[MISSION]),
        "data": REFERRAL,
    }
    answer = one_town.head.post("/api/v1/messages", json=body).json()
    assert "Aucune convention signée ne lie ces deux organismes." in answer["detail"]
    told = [(one["article"], one["code"]) for one in answer["reasons"]]
    assert told == [("A-4.3", "flow"), ("A-0.1", "unbound")]


def test_an_unknown_agreement_is_said_to_be_unknown(one_town: Town) -> None:
    answer = one_town.attempt(new_id())
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_agreement")


def test_a_body_too_long_for_any_message_is_a_problem(one_town: Town) -> None:
    def posts(length: int) -> httpx.Response:
        return one_town.head.post("/api/v1/messages", content=b" " * length)

    answer = posts(MAX_BODY + 1)
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    is_problem(answer)
    assert posts(MAX_BODY).status_code == HTTPStatus.UNPROCESSABLE_ENTITY


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
