"""What a caller may type: dates, numbers and texts that no table or calendar holds are 422."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.fields import LAST_NUMBER
from contracts.kernel.terms import ActKind
from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.reading import read_place
from services.chassis.tokens import NotIdentified, Role
from tests.pair import CONVENTION, PUPIL, START, Pair, Side

FAR_EAST = "0001-01-01T00:00:00+14:00"
HOUR_AGO = (START - timedelta(hours=1)).isoformat()


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@pytest.fixture
def one_pair(tmp_path: Path) -> Iterator[Pair]:
    """On SQLite, for what has nothing to do with the database."""
    with Pair(tmp_path) as made:
        yield made


@asynccontextmanager
async def calling(side: Side, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a node's API, without its bus."""
    token = side.node.tokens.make("agent-1", role, START, timedelta(hours=1))
    transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, headers=headers, base_url="http://node/api/v1"
    ) as client:
        yield client


def is_refused(answer: httpx.Response) -> bool:
    """Whether the answer is a problem that blames the request."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def born(day: str) -> dict[str, Any]:
    person: dict[str, Any] = {**PUPIL}
    return {**person, "identity": {**person["identity"], "birth_date": day}}


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        ("2012-03-09", True),
        ("1900-01-01", True),
        ("1899-12-31", False),
        ("2026-11-22", True),
        ("2026-11-23", False),
        ("9990-01-01", False),
    ],
)
async def test_a_birth_date_is_neither_in_the_future_nor_before_1900(
    one_pair: Pair, day: str, *, holds: bool
) -> None:
    """GDPR art. 5.1 d: an age derived from it decides who may agree."""
    async with calling(one_pair.school, Role.AGENT) as client:
        answer = await client.post("/persons", json=born(day))
    assert answer.is_success if holds else is_refused(answer), answer.text
    assert len(one_pair.school.rows(tables.persons)) == holds


@pytest.mark.parametrize(("day", "status"), [("2026-11-23", "invalid"), ("2012-03-09", "received")])
async def test_a_birth_date_in_the_future_opens_no_case_at_the_receiver(
    one_pair: Pair, day: str, status: str
) -> None:
    """Design: the receiver's own day decides, whatever its sender let in."""
    one_pair.refer()
    (ready,) = one_pair.school.waiting()
    content = json.loads(ready.content or b"")
    content["data"]["pupil"]["birth_date"] = day
    altered = replace(ready, content=json.dumps(content).encode())
    await one_pair.city.take(one_pair.school.packed([[altered]]))
    assert [row.status for row in one_pair.city.rows(tables.inbox)] == [status]
    assert len(one_pair.city.rows(tables.cases)) == (status == "received")


AGREEMENT: dict[str, Any] = {
    "recipients": ["ville"],
    "flows": ["referral.submitted"],
    "giver": "representative",
    "authority": "parental",
    "means": "in_person",
    "granted": True,
    "assent": "not_asked",
    "notice": {"version": "2026-1", "channel": "meeting", "language": "fr", "given_at": HOUR_AGO},
    "given_at": HOUR_AGO,
}


def noticed(**changes: Any) -> dict[str, Any]:
    return {**AGREEMENT, "notice": {**AGREEMENT["notice"], **changes}}


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        (AGREEMENT, True),
        ({**AGREEMENT, "given_at": FAR_EAST}, False),
        ({**AGREEMENT, "given_at": "1899-12-31T00:00:00Z"}, False),
        (noticed(given_at=FAR_EAST), False),
        (noticed(version="v" * 64), True),
        (noticed(version="v" * 65), False),
        (noticed(version="v" * 80), False),
        (noticed(version="v\0"), False),
    ],
)
async def test_an_agreement_holds_what_both_databases_hold(
    pair: Pair, body: dict[str, Any], *, holds: bool
) -> None:
    """A-2.10: the same answer from SQLite and from PostgreSQL."""
    async with calling(pair.school, Role.AGENT) as client:
        answer = await client.post("/agreements", json={"person_id": pair.person(), **body})
    assert answer.is_success if holds else is_refused(answer), answer.text
    assert len(pair.school.rows(tables.agreements)) == holds


@pytest.mark.parametrize(
    ("role", "path", "wrong"),
    [
        (Role.DPO, "/journal?since=0", "/journal?since=99999999999999999999"),
        (Role.DPO, f"/journal?since={LAST_NUMBER}", f"/journal?since={LAST_NUMBER + 1}"),
        (Role.DPO, "/journal?since=1", "/journal?since=-1"),
        (Role.AGENT, "/messages?since=2026-01-01T00:00:00Z", f"/messages?since={quote(FAR_EAST)}"),
        (Role.AGENT, "/messages?state=queued", "/messages?state=%00"),
        (Role.AGENT, "/messages?type=x", f"/messages?type={'x' * 65}"),
    ],
)
async def test_a_list_is_asked_for_from_a_place_that_can_exist(
    pair: Pair, role: Role, path: str, wrong: str
) -> None:
    """A number or an instant that no table holds is the caller's mistake, not a defect."""
    async with calling(pair.school, role) as client:
        assert (await client.get(path)).is_success
        assert is_refused(await client.get(wrong))


@pytest.mark.parametrize("path", ["messages", "cases", "agreements"])
async def test_a_name_with_a_nul_is_refused_alike_by_both_databases(pair: Pair, path: str) -> None:
    """PostgreSQL holds no NUL; the same name without it is simply not known."""
    async with calling(pair.school, Role.AGENT) as client:
        unknown = await client.get(f"/{path}/{new_id()}")
        assert unknown.status_code == HTTPStatus.NOT_FOUND
        assert is_refused(await client.get(f"/{path}/%00"))


@pytest.mark.parametrize("wrong", ["9" * 5000, "9" * 25, "-1", "x", str(LAST_NUMBER + 1)])
async def test_a_stream_resumes_from_a_number_that_can_exist(one_pair: Pair, wrong: str) -> None:
    """Server-Sent Events: what Last-Event-ID gives back is what the stream once gave."""
    async with calling(one_pair.school, Role.AGENT) as client:
        assert is_refused(await client.get("/events", headers={"Last-Event-ID": wrong}))
    assert read_place("12") == 12
    assert read_place(str(LAST_NUMBER)) == LAST_NUMBER
    with pytest.raises(InvalidPayload):
        read_place(wrong)


@pytest.mark.parametrize(
    ("name", "holds"),
    [("a" * 64, True), ("a" * 65, False), ("", False), ("a\0", False), ("Zoé", False)],
)
def test_an_agent_s_name_fits_wherever_it_is_kept(
    one_pair: Pair, name: str, *, holds: bool
) -> None:
    """Design: a local id, never a person's name."""
    tokens = one_pair.school.node.tokens
    if holds:
        made = tokens.make(name, Role.AGENT, START, timedelta(hours=1))
        assert tokens.read(f"Bearer {made}", START).agent_id == name
        return
    with pytest.raises(NotIdentified):
        tokens.make(name, Role.AGENT, START, timedelta(hours=1))


# -- acts --------------------------------------------------------------------------------------


def posted(side: Side) -> list[str]:
    """Keep what a node would hand to its registrar."""
    kept: list[str] = []

    async def post(path: str, content: str) -> None:  # noqa: ARG001 -- the node's own signature
        kept.append(content)

    side.node.post_document = post  # type: ignore[method-assign]  # a pair has no registrar
    return kept


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        ({"kind": "suspension"}, True),
        ({"kind": "suspension", "at": HOUR_AGO}, True),
        ({"kind": "suspension", "at": "0001-01-01T00:00:00Z"}, False),
        ({"kind": "suspension", "at": FAR_EAST}, False),
        ({"kind": "termination_notice", "received_on": "2026-11-20"}, True),
        ({"kind": "termination_notice", "received_on": "2026-05-04"}, True),
        ({"kind": "termination_notice", "received_on": "2026-05-03"}, False),
        ({"kind": "termination_notice", "sent_on": "2026-05-03"}, False),
        ({"kind": "termination_notice", "received_on": "2000-01-01"}, False),
        ({"kind": "termination_notice", "received_on": "2026-11-23"}, False),
        ({"kind": "termination_notice"}, False),
        (
            {
                "kind": "termination_notice",
                "received_on": "2026-05-04",
                "at": "2026-05-04T12:00:00Z",
            },
            False,
        ),
        (
            {
                "kind": "termination_notice",
                "received_on": "2026-10-22",
                "at": "2026-10-22T12:00:00Z",
            },
            True,
        ),
    ],
)
async def test_an_act_is_dated_as_an_act_can_be(
    one_pair: Pair, body: dict[str, Any], *, holds: bool
) -> None:
    """A-10.1: a notice rests on a letter after the signature, and is recorded when it is given."""
    kept = posted(one_pair.school)
    async with calling(one_pair.school, Role.MANAGER) as client:
        answer = await client.post(f"/conventions/{CONVENTION}/acts", json=body)
    assert answer.is_success if holds else is_refused(answer), answer.text
    assert len(kept) == holds


async def test_a_notice_with_a_letter_older_than_a_year_is_refused_with_its_reason(
    one_pair: Pair,
) -> None:
    """A-10.1: what a year has passed over is sent again."""
    kept = posted(one_pair.school)
    one_pair.clock.at = START.replace(year=2027)
    token = one_pair.school.node.tokens.make(
        "agent-1", Role.MANAGER, one_pair.clock.at, timedelta(hours=1)
    )
    headers = {"Authorization": f"Bearer {token}"}
    async with calling(one_pair.school, Role.MANAGER) as client:
        for day, holds in (("2026-11-21", False), ("2026-11-22", True)):
            body = {"kind": ActKind.TERMINATION_NOTICE.value, "received_on": day}
            path = f"/conventions/{CONVENTION}/acts"
            answer = await client.post(path, json=body, headers=headers)
            assert answer.is_success if holds else is_refused(answer), answer.text
            if not holds:
                assert "plus d'un an" in answer.json()["detail"]
                assert answer.json()["fields"] == [{"path": "sent_on", "code": "stale"}]
    assert len(kept) == 1
