"""A code opens one page, once, in time; each refusal stands beside a code that opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import midnight
from services.chassis import person_tables, tables
from services.chassis.erasure import erase_person
from services.chassis.person.codes import ALPHABET, LIFETIME, WINDOW, WRONG_AT_NODE, WRONG_ENDS
from services.chassis.person.door import cookie_name
from services.chassis.person.visits import IDLE, LONGEST
from services.chassis.register import person_left
from services.chassis.retention import purge
from services.chassis.rules import LEFT
from services.chassis.tokens import Agent, NotPermitted, Role
from tests.pair import PUPIL, Pair, Side
from tests.reports import ask
from tests.services.chassis.visiting import DOOR, SEE, Browser, handed_over, visiting
from tests.services.conventions.a_city_school.support import Desk

INSTANT = timedelta(microseconds=1)
MAJORITY = midnight(date(2030, 3, 9))
WRONG = "2222-2222-2222"


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


async def opens(side: Side, code: str) -> bool:
    return (await Browser(side).type(code)).status_code == SEE


async def test_a_code_opens_the_page_once(pair: Pair) -> None:
    given = handed_over(pair.school, pair.person())
    assert await opens(pair.school, given.code)
    assert not await opens(pair.school, given.code)


async def test_a_code_is_read_from_paper_and_kept_nowhere(pair: Pair) -> None:
    """No sign that is taken for another; typed in any case, with or without dashes."""
    assert not set(ALPHABET) & set("0158BILOSUZ")
    given = handed_over(pair.school, pair.person())
    groups = given.code.split("-")
    assert [len(one) for one in groups] == [4, 4, 4]
    assert set("".join(groups)) <= set(ALPHABET)
    (row,) = pair.school.rows(person_tables.codes)
    secret = "".join(groups[1:])
    assert secret not in str(row)
    for path in pair.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert await opens(pair.school, f" {given.code.lower().replace('-', ' ')} ")


async def test_a_code_lives_half_an_hour(pair: Pair) -> None:
    given, late = (handed_over(pair.school, pair.person()) for _ in range(2))
    pair.clock.at += LIFETIME - INSTANT
    assert await opens(pair.school, given.code)
    pair.clock.at += INSTANT
    assert not await opens(pair.school, late.code)


async def test_a_code_of_another_organisation_opens_nothing(pair: Pair) -> None:
    await_case = pair.refer()
    await pair.carry()
    given = handed_over(pair.school, pair.person())
    assert not await opens(pair.city, given.code)
    assert await opens(pair.school, given.code)
    (case,) = pair.city.rows(tables.cases, tables.cases.c.case_id == await_case.case_id)
    manager = Agent("agent-1", Role.MANAGER)
    assert await opens(pair.city, handed_over(pair.city, case.person_id, agent=manager).code)


async def test_five_wrong_ends_kill_a_code(pair: Pair) -> None:
    given, other = (handed_over(pair.school, pair.person()) for _ in range(2))
    for _ in range(WRONG_ENDS - 1):
        assert not await opens(pair.school, given.code[:5] + "2222-2222")
    assert await opens(pair.school, given.code)
    for _ in range(WRONG_ENDS):
        assert not await opens(pair.school, other.code[:5] + "2222-2222")
    assert not await opens(pair.school, other.code)


async def test_the_node_takes_no_code_after_too_many_wrong_ones(pair: Pair) -> None:
    """Brute force over all codes at once; the next window opens again."""
    given = handed_over(pair.school, pair.person())
    for _ in range(WRONG_AT_NODE):
        assert not await opens(pair.school, WRONG)
    answer = await Browser(pair.school).type(given.code)
    assert answer.status_code == 429
    pair.clock.at += WINDOW
    assert await opens(pair.school, given.code)


async def test_whatever_is_wrong_the_same_is_done_and_said(pair: Pair) -> None:
    """A guess learns neither that a first group exists, nor that a code is used or over."""
    used, alive, dead = (handed_over(pair.school, pair.person()) for _ in range(3))
    await opens(pair.school, used.code)
    for _ in range(WRONG_ENDS):
        await opens(pair.school, dead.code[:5] + "2222-2222")
    told = set()
    for typed in ("", "x" * 500, WRONG, alive.code[:5] + "2222-2222", used.code, dead.code):
        ran: list[str] = []
        engine = pair.school.node.database._writer

        def note(_c: object, _u: object, statement: str, *_: object, ran: list[str] = ran) -> None:
            ran.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        answer = await Browser(pair.school).type(typed)
        event.remove(engine, "before_cursor_execute", note)
        told.add((answer.status_code, answer.text, tuple(ran)))
        if typed:
            assert typed not in answer.text
    assert len(told) == 1
    assert await opens(pair.school, alive.code)


async def test_a_visit_rests_ten_minutes_and_lasts_thirty(pair: Pair) -> None:
    person = pair.person()
    rested, used = [await visiting(pair.school, person) for _ in range(2)]
    pair.clock.at += IDLE - INSTANT
    assert await used.inside()
    pair.clock.at += INSTANT
    assert not await rested.inside()
    assert await used.inside()
    pair.clock.at += LONGEST - IDLE - INSTANT - timedelta(minutes=5)
    assert not await used.inside()
    stays = await visiting(pair.school, person)
    for _ in range(4):
        pair.clock.at += timedelta(minutes=7)
        assert await stays.inside()
    pair.clock.at += timedelta(minutes=2)
    assert not await stays.inside()


async def test_at_majority_a_representative_s_codes_and_visits_end(pair: Pair) -> None:
    """At midnight in Paris; the young person's go on."""
    person = pair.person()
    pair.clock.at = MAJORITY - timedelta(minutes=5)
    own, theirs = [
        await visiting(pair.school, person, one) for one in ("young_person", "representative")
    ]
    late = handed_over(pair.school, person, "representative")
    pair.clock.at = MAJORITY - INSTANT
    assert await theirs.inside()
    pair.clock.at = MAJORITY
    assert not await theirs.inside()
    assert await own.inside()
    assert not await opens(pair.school, late.code)
    with pytest.raises(InvalidPayload) as refused:
        handed_over(pair.school, person, "representative")
    assert refused.value.articles == ("CC 414",)


def test_a_representative_s_code_needs_one_in_the_register(pair: Pair) -> None:
    alone = pair.person({**PUPIL, "representatives": []})
    assert handed_over(pair.school, alone).holder == "young_person"
    with pytest.raises(InvalidPayload):
        handed_over(pair.school, alone, "representative")


def test_a_code_is_for_one_person(pair: Pair) -> None:
    """An agent may say that two local ids are one person; another birth date says no."""
    one, same = pair.person(), pair.person()
    other = pair.person({**PUPIL, "identity": {**PUPIL["identity"], "birth_date": "2012-03-10"}})  # type: ignore[dict-item]
    assert handed_over(pair.school, one, also=[same]).code
    with pytest.raises(InvalidPayload):
        handed_over(pair.school, one, also=[other])
    with pytest.raises(UnknownName):
        handed_over(pair.school, "0" * 32)


async def test_only_who_may_open_the_case_hands_over_its_code(pair: Pair) -> None:
    """At the city a case is its referents': another agent opens no page of it."""
    desk = Desk(pair)
    await desk.referred()
    (case,) = pair.city.rows(tables.cases, tables.cases.c.case_id == desk.case_id)
    assert handed_over(pair.city, case.person_id, agent=Agent("agent-1", Role.REFERENT)).code
    assert handed_over(pair.city, case.person_id, agent=Agent("cheffe", Role.MANAGER)).code
    with pytest.raises(NotPermitted):
        handed_over(pair.city, case.person_id, agent=Agent("autre", Role.AGENT))


async def test_what_a_browser_brought_along_is_no_visit(pair: Pair) -> None:
    """No fixation: the cookie is new with each code, and its digest alone is kept."""
    person = pair.person()
    browser = Browser(pair.school)
    name, chosen = cookie_name(pair.school.node), "chosen-by-somebody-else"
    brought = {"Cookie": f"{name}={chosen}"}
    assert DOOR in (await browser.get(headers=brought)).text
    answer = await browser.post(
        "/person/code", headers=brought, code=handed_over(pair.school, person).code
    )
    assert chosen not in answer.headers["set-cookie"]
    await browser.type(handed_over(pair.school, person).code)
    first = browser.cookie
    await browser.type(handed_over(pair.school, person).code)
    assert browser.cookie != first
    assert first is not None
    assert first not in str(pair.school.rows(person_tables.visits))


async def test_the_cookie_is_for_no_script_and_no_other_site(pair: Pair) -> None:
    answer = await Browser(pair.school).type(handed_over(pair.school, pair.person()).code)
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("relais-person=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_a_form_of_another_site_opens_and_closes_nothing(pair: Pair) -> None:
    browser = await visiting(pair.school, pair.person())
    for token in ("", "x", "é"):
        assert (await browser.post("/person/leave", token=token)).status_code == 403
    assert await browser.inside()
    assert (await browser.send("/person/leave")).status_code == SEE
    assert not await browser.inside()
    given = handed_over(pair.school, pair.person())
    headers = {"sec-fetch-site": "cross-site"}
    foreign = await ask(
        pair.school, "/person/code", None, "POST", data={"code": given.code}, headers=headers
    )
    assert foreign.status_code == 403
    assert await opens(pair.school, given.code)


async def test_an_agent_s_token_opens_no_person_s_page(pair: Pair) -> None:
    answer = await ask(pair.school, "/person/agreements/" + "0" * 32, Role.DPO)
    assert answer.headers["location"] == "/person/"
    browser = await visiting(pair.school, pair.person())
    for path in ("/pages/today", "/pages/agreements", "/api/v1/persons"):
        assert (await browser.get(path)).status_code in {401, 404, 405}


async def test_erasing_the_person_closes_their_page(pair: Pair) -> None:
    person = pair.person()
    browser = await visiting(pair.school, person)
    waiting = handed_over(pair.school, person)
    core, at = pair.school.node.core, pair.clock.now()
    pair.school.write(lambda tx: erase_person(tx, core, person, at))
    assert not await browser.inside()
    assert not await opens(pair.school, waiting.code)
    assert pair.school.rows(person_tables.code_persons) == []


async def test_whoever_left_long_ago_leaves_no_tie(pair: Pair) -> None:
    """Retention takes the person, and with them their codes' ties and their page."""
    person = pair.person()
    pair.refer(pair.agreement(person, flows=["referral.answered"]))
    core, school = pair.school.node.core, pair.school
    school.write(lambda tx: person_left(tx, core, person, "agent-1", pair.clock.now()))
    pair.clock.at += LEFT
    browser = await visiting(school, person)
    ties = (person_tables.code_persons, person_tables.refusals)
    assert [len(school.rows(one)) for one in ties] == [1, 1]
    await purge(school.node.database, core, pair.clock.at)
    assert school.rows(tables.persons) == []
    assert [school.rows(one) for one in ties] == [[], []]
    assert not await browser.inside()


async def test_codes_and_visits_go_with_time(pair: Pair) -> None:
    await visiting(pair.school, pair.person())
    await opens(pair.school, WRONG)
    core, database = pair.school.node.core, pair.school.node.database
    await purge(database, core, pair.clock.at + LONGEST)
    assert pair.school.rows(person_tables.visits) == []
    assert pair.school.rows(person_tables.attempts) == []
    assert len(pair.school.rows(person_tables.codes)) == 1
    await purge(database, core, pair.clock.at + timedelta(days=core.policy.proof_days))
    assert pair.school.rows(person_tables.codes) == []
    assert pair.school.rows(person_tables.code_persons) == []


async def test_an_agent_draws_a_code_by_the_api(pair: Pair) -> None:
    """It is told once: no Idempotency-Key gives it again."""
    person = pair.person()
    body = {"holder": "young_person", "means": "in_person"}
    path = f"/api/v1/persons/{person}/codes"
    answers = [
        await ask(
            pair.school, path, Role.AGENT, "POST", json=body, headers={"Idempotency-Key": "k"}
        )
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [201, 201]
    first, second = (one.json()["code"] for one in answers)
    assert first != second
    assert first not in str(pair.school.rows(tables.idempotency))
    assert await opens(pair.school, first)
    for role in (Role.OPERATOR, Role.INTEGRATOR):
        assert (await ask(pair.school, path, role, "POST", json=body)).status_code == 403
    for bad in ({**body, "holder": "other"}, {**body, "also": ["x"]}, {}):
        assert (await ask(pair.school, path, Role.AGENT, "POST", json=bad)).status_code == 422
