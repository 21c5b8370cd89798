"""Agents sign in at their pages, through a real provider; each refusal stands beside a yes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.chassis.clock import new_id
from services.chassis.sign_in.desk import HOME
from services.chassis.sign_in.relying_party import subject_of
from services.chassis.sign_in.sessions import AWAY, IDLE, LONGEST
from services.chassis.tokens import Role
from services.federation import agents
from tests.federation.town import CITY, SCHOOL, Town

SEE = HTTPStatus.SEE_OTHER
SECOND = timedelta(seconds=1)


@contextmanager
def browser(town: Town, org: str = CITY) -> Iterator[httpx.Client]:
    headers = {"accept": "text/html"}
    with httpx.Client(base_url=town.fed.url(org), headers=headers, timeout=30) as opened:
        yield opened


@pytest.fixture
def authorised(one_town: Town) -> Town:
    """The city's agents may sign in; those of a school only where a test says so."""
    with one_town.fed.client(CITY, Role.MANAGER, "cheffe-1") as manager:
        agents.authorise(one_town.fed.layout, CITY, agents.NAMES, manager)
    return one_town


def leave(client: httpx.Client, back: str = HOME) -> str:
    """To the provider; returns its address."""
    answer = client.get("/pages/sign-in/departure", params={"back": back})
    assert answer.status_code == SEE
    return answer.headers["location"]


def choose(client: httpx.Client, where: str, role: Role, org: str = CITY) -> str:
    """Choose an agent at the provider; returns the address to which it sends the browser back."""
    shown = client.get(where)
    assert agents.NAMES[role] in shown.text
    answer = client.post(where, data={"sub": agents.sub(org, role)})
    assert answer.status_code == SEE
    return answer.headers["location"]


def sign_in(client: httpx.Client, role: Role = Role.REFERENT, org: str = CITY) -> httpx.Response:
    return client.get(choose(client, leave(client), role, org))


def accept_charter(client: httpx.Client) -> None:
    page = client.get("/pages/charter")
    answer = client.post("/pages/charter", data={"token": token_in(page)})
    assert (answer.status_code, answer.headers["location"]) == (SEE, HOME)


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found.group(1)


def to_the_door(answer: httpx.Response) -> bool:
    return answer.status_code == SEE and answer.headers["location"].startswith("/pages/sign-in?")


def test_an_agent_signs_in_accepts_the_charter_works_and_leaves(one_town: Town) -> None:
    """A-5.2: the charter comes before anything else."""
    with authorised_at(one_town, SCHOOL, Role.DPO), browser(one_town, SCHOOL) as client:
        assert to_the_door(client.get(HOME))
        arrived = sign_in(client, Role.DPO, SCHOOL)
        assert (arrived.status_code, arrived.headers["location"]) == (SEE, HOME)
        assert client.get(HOME).headers["location"] == "/pages/charter"
        accept_charter(client)
        page = client.get(HOME)
        assert page.status_code == HTTPStatus.OK
        assert "<h1>Aujourd'hui</h1>" in page.text
        left = client.post("/pages/sign-out", data={"token": token_in(page)})
        assert left.status_code == SEE
        assert "/session/end?" in left.headers["location"]
        back = client.get(left.headers["location"])
        assert back.headers["location"] == f"{one_town.fed.url(SCHOOL)}/pages/sign-in"
        assert to_the_door(client.get(HOME))


@contextmanager
def authorised_at(town: Town, org: str, role: Role) -> Iterator[None]:
    """An agent nobody has seen before, for the time of a test."""
    given = authorise(town, org, known_as(town, org, role), new_id(), role=role.value)
    try:
        yield
    finally:
        end(town, org, given)


def known_as(town: Town, org: str, role: Role) -> str:
    return subject_of(town.fed.layout.url(agents.PROVIDER), agents.sub(org, role))


def test_the_session_is_in_a_cookie_that_no_script_reads_and_is_new_each_time(
    authorised: Town,
) -> None:
    """No fixation: what a browser brought along is never taken for a session."""
    with browser(authorised) as client:
        client.cookies.set("relais", "chosen-by-somebody-else")
        arrived = sign_in(client)
        (cookie,) = [
            one for one in arrived.headers.get_list("set-cookie") if one.startswith("relais=")
        ]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "chosen-by-somebody-else" not in cookie
        first = re.match(r"relais=([^;]+)", cookie)
        again = sign_in(client)
        assert first is not None
        assert first.group(1) not in str(again.headers.get_list("set-cookie"))


def test_a_return_is_good_once_in_its_own_browser_and_in_time(authorised: Town) -> None:
    with browser(authorised) as mine, browser(authorised) as other:
        where = choose(mine, leave(mine), Role.REFERENT)
        assert other.get(where).status_code == HTTPStatus.FORBIDDEN
        assert mine.get(where).status_code == SEE
        assert mine.get(where).status_code == HTTPStatus.FORBIDDEN  # replayed
        assert mine.get("/pages/sign-in/return?state=x&code=y").status_code == HTTPStatus.FORBIDDEN
        assert mine.get("/pages/sign-in/return").status_code == HTTPStatus.FORBIDDEN
        late = choose(mine, leave(mine), Role.REFERENT)
        with moved(authorised, AWAY):
            assert mine.get(late).status_code == HTTPStatus.FORBIDDEN


@contextmanager
def moved(town: Town, by: timedelta) -> Iterator[None]:
    """The city lives that much later, for a while."""
    town.fed.move_clock(by, CITY)
    try:
        yield
    finally:
        town.fed.move_clock(timedelta(), CITY)


def test_a_code_of_another_sign_in_is_refused(authorised: Town) -> None:
    """The nonce and the verifier belong to one departure."""
    with browser(authorised) as mine, browser(authorised) as other:
        theirs = parse_qs(urlsplit(choose(other, leave(other), Role.MANAGER)).query)
        ours = parse_qs(urlsplit(choose(mine, leave(mine), Role.REFERENT)).query)
        mixed = {"state": ours["state"][0], "code": theirs["code"][0]}
        answer = mine.get("/pages/sign-in/return", params=mixed)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert to_the_door(mine.get(HOME))


def test_whoever_is_not_authorised_gets_in_nowhere(one_town: Town) -> None:
    """The page gives the number by which a manager can authorise, and no name."""
    with browser(one_town, SCHOOL) as client:
        answer = sign_in(client, Role.OPERATOR, SCHOOL)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert known_as(one_town, SCHOOL, Role.OPERATOR) in answer.text
        assert to_the_door(client.get(HOME))
        with authorised_at(one_town, SCHOOL, Role.OPERATOR):
            assert sign_in(client, Role.OPERATOR, SCHOOL).status_code == SEE
            assert not to_the_door(client.get(HOME))


def authorise(town: Town, org: str, subject: str, agent_id: str, **changes: Any) -> str:
    body = {
        "subject": subject,
        "agent_id": agent_id,
        "role": "operator",
        "first_day": date(2026, 9, 1).isoformat(),
        **changes,
    }
    with town.fed.client(org, Role.MANAGER, "cheffe-1") as manager:
        answer = manager.post("/api/v1/authorisations", json=body).raise_for_status()
    found: str = answer.json()["authorisation_id"]
    return found


def end(town: Town, org: str, authorisation_id: str) -> None:
    with town.fed.client(org, Role.MANAGER, "cheffe-1") as manager:
        manager.post(f"/api/v1/authorisations/{authorisation_id}/end").raise_for_status()


def test_an_authorisation_that_ends_ends_its_session_at_once(one_town: Town) -> None:
    with browser(one_town, SCHOOL) as client:
        with authorised_at(one_town, SCHOOL, Role.DPO):
            assert sign_in(client, Role.DPO, SCHOOL).status_code == SEE
            assert not to_the_door(client.get(HOME))
        assert to_the_door(client.get(HOME))


def test_a_form_of_no_page_of_this_session_is_refused(authorised: Town) -> None:
    """No cross-site request: without the session's own token, or from another site, nothing."""
    with browser(authorised) as client:
        sign_in(client, Role.AGENT)
        page = client.get("/pages/charter")
        for data in ({}, {"token": "x"}):
            answer = client.post("/pages/charter", data=data)
            assert answer.status_code == HTTPStatus.FORBIDDEN
        headers = {"sec-fetch-site": "cross-site"}
        good = {"token": token_in(page)}
        foreign = client.post("/pages/charter", data=good, headers=headers)
        assert foreign.status_code == HTTPStatus.FORBIDDEN
        assert client.post("/pages/charter", data=good).status_code == SEE


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "/pages/../../x",
        "/api/v1/flows",
        "/pages//x",
        "\\x",
    ],
)
def test_nobody_is_sent_to_another_site(authorised: Town, back: str) -> None:
    with browser(authorised) as client:
        arrived = client.get(choose(client, leave(client, back), Role.REFERENT))
        assert arrived.headers["location"] == HOME
        arrived = client.get(choose(client, leave(client, "/pages/charter"), Role.REFERENT))
        assert arrived.headers["location"] == "/pages/charter"


def test_a_desk_that_is_left_is_closed(authorised: Town) -> None:
    with browser(authorised) as client:
        sign_in(client)
        with moved(authorised, IDLE - timedelta(minutes=1)):
            assert not to_the_door(client.get(HOME))
            authorised.fed.move_clock(2 * IDLE, CITY)
            assert to_the_door(client.get(HOME))


def test_one_role_at_a_time(authorised: Town) -> None:
    """Whoever has two signs in under one, and changes under a new session; rights never add up."""
    subject = known_as(authorised, CITY, Role.OPERATOR)
    given = authorise(authorised, CITY, subject, "exploitante-dpo", role="dpo")
    try:
        with browser(authorised) as client:
            arrived = sign_in(client, Role.OPERATOR)
            assert arrived.headers["location"] == "/pages/role"
            page = client.get("/pages/role")
            assert "exploitante-dpo" in page.text
            assert "operator-1" in page.text
            before = client.cookies["relais"]
            body = {"token": token_in(page), "authorisation": given}
            assert client.post("/pages/role", data=body).status_code == SEE
            assert client.cookies["relais"] != before
            strange = {**body, "token": token_in(client.get("/pages/role"))}
            strange["authorisation"] = "0" * 32
            assert client.post("/pages/role", data=strange).status_code == HTTPStatus.NOT_FOUND
    finally:
        end(authorised, CITY, given)


def test_a_session_ends_after_a_working_day(authorised: Town) -> None:
    assert LONGEST > IDLE
    with browser(authorised) as client:
        sign_in(client)
        steps = int(LONGEST / (IDLE - timedelta(minutes=5)))
        try:
            for step in range(1, steps):
                authorised.fed.move_clock(step * (IDLE - timedelta(minutes=5)), CITY)
                assert not to_the_door(client.get(HOME)), step
            authorised.fed.move_clock(LONGEST + SECOND, CITY)
            assert to_the_door(client.get(HOME))
        finally:
            authorised.fed.move_clock(timedelta(), CITY)
