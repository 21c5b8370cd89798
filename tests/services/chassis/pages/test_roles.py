"""One table of roles, pages and forms, tried cell by cell; and ids that lead nowhere."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from http import HTTPStatus
from itertools import count as numbers
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from starlette.routing import Match, Mount, Route

from contracts.kernel.derogation import Ground
from contracts.kernel.organisation import Kind
from services.chassis import derogations, rights, sign_in_tables, tables
from services.chassis.clock import new_id
from services.chassis.database import Tx
from services.chassis.holds import Hold, place_hold
from services.chassis.pages.rendering import PLACES
from services.chassis.partner import Partner
from services.chassis.schema import journal
from services.chassis.tokens import Agent, Role
from services.department.partner import PARTNER as DEPARTMENT
from services.mission_locale.partner import PARTNER as MISSION
from tests.desks import DeskPair, desk_pair
from tests.office_desks import count, desk
from tests.pair import CONVENTION, Pair, Side
from tests.reports import published
from tests.seated import opened, seat
from tests.services.chassis.deciding import suspended
from tests.services.chassis.pages.role_table import NOBODY, PERSON, TABLE, Row
from tests.services.chassis.pages.test_amending import proposed_by
from tests.services.chassis.pages.test_operation import dead
from tests.services.chassis.visiting import Browser, visiting
from tests.services.conventions.c_employment_city_ccas.support import made as c_made

ASKS = Agent("agent-9", Role.AGENT)
"""Asked for what others confirm."""
AGENDA = "a_city_school-post-watch-cells-agenda"
ONE = f"/pages/conventions/{CONVENTION}"
ROOTS = ("/pages", "/person")


def partner(kind: Kind) -> Partner:
    found: Partner = importlib.import_module(f"services.{kind.value}.partner").PARTNER
    return found


def routes_of(side: Side) -> list[tuple[str, Route]]:
    """Pages of a node, and those that the conventions of any kind of node add; with their root."""
    mounts = [one for one in side.app.routes if isinstance(one, Mount) and one.path in ROOTS]
    found = [(one.path, route) for one in mounts for route in one.routes]
    more = (one.pages for kind in Kind for one in partner(kind).sides.values())
    found += [("/pages", route) for pages in more if pages for route in pages(side.node)]
    return [(root, route) for root, route in found if isinstance(route, Route)]


def routed(routes: list[tuple[str, Route]], method: str, path: str) -> str:
    """The route, by its own pattern, that an address leads to."""
    bare = path.partition("?")[0]
    for root, route in routes:
        if bare.startswith(f"{root}/"):
            scope = {"type": "http", "method": method, "path": bare.removeprefix(root)}
            if route.matches({**scope, "root_path": "", "headers": []})[0] is Match.FULL:
                return root + route.path
    raise AssertionError(f"{method} {path} leads nowhere")


def test_every_page_and_every_form_has_a_row(pair: Pair) -> None:
    """A new route without a row fails here, and a row without a route too."""
    routes = routes_of(pair.school)
    there = {
        (method, root + route.path)
        for root, route in routes
        for method in (route.methods or {"GET"}) & {"GET", "POST"}
    }
    listed = {
        (method, routed(routes, method, path))
        for path, row in TABLE.items()
        for method, who in (("GET", row.get), ("POST", row.post))
        if who is not None
    }
    assert listed == there


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """A Mission Locale under convention D, whose side adds pages."""
    folder = tmp_path_factory.mktemp("mission")
    with desk_pair(
        folder, partners=(DEPARTMENT, MISSION), convention="d_department_mission_locale"
    ) as pair:
        yield pair.city


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    """An employment agency under convention C, which its agents read first."""
    folder = tmp_path_factory.mktemp("agency")
    urls = numbers()
    with c_made(folder, lambda: f"sqlite:///{folder / str(next(urls))}.sqlite") as made:
        yield opened(made.agency)


async def things(pair: DeskPair) -> dict[str, str]:
    """Something of each kind that an address may name, at the school or at the city."""
    await suspended(pair)
    side, core, at = pair.school, pair.school.node.core, pair.clock.now()
    decision, hold, request, person = (new_id() for _ in range(4))
    (case,) = side.rows(tables.cases)
    named = {"case_id": case.case_id, "type": "alternative.alert", "to": side.org}
    body = derogations.DerogationBody.model_validate({**named, "ground": Ground.VITAL_INTERESTS})
    asked = {"person_id": case.person_id, "right": "access", "raised_by": "representative"}
    wanted = rights.RightsBody.model_validate({**asked, "channel": "meeting", "means": None})
    ground = Hold.model_validate({"ground": "court"})
    there = pair.city.node.core
    pair.city.write(lambda tx: derogations.ask(tx, there, body, decision, ASKS, at))
    side.write(lambda tx: rights.received(tx, core, wanted, request, ASKS, at))
    own = granted(side, case.person_id)
    side.write(lambda tx: place_hold(tx, core, CONVENTION, ground, hold, "agent-9", at))
    pair.refer()
    letter = side.outgoing()[-1]
    values = {"headers": json.dumps(dict(letter.headers)), "body": letter.body}
    change = update(tables.dead_letters).values(subject=letter.subject, **values)
    lost = dead(pair.city, side.org, "failed:conflict")
    pair.city.write(lambda tx: tx.execute(change))
    proposed_by(pair, pair.city, date(2032, 1, 1))
    published(side, 2025)
    person = pair.person()
    sent = side.rows(tables.outbox, tables.outbox.c.case_id == case.case_id)
    return {
        "city": pair.city.org,
        "convention": CONVENTION,
        "c_convention": CONVENTION,
        "d_convention": CONVENTION,
        "case": case.case_id,
        "city_case": case.case_id,
        "message": sent[0].message_id,
        "decision": decision,
        "person": person,
        "agreement": pair.agreement(person),
        "own_agreement": side.rows(tables.agreements)[0].agreement_id,
        "hold": hold,
        "request": request,
        "own_request": own,
        "dead": lost,
        "nothing": "f" * 32,
        "subject": case.person_id,
    }


def granted(side: Side, person_id: str) -> str:
    """A representative's request of access, answered."""
    request, core, at = new_id(), side.node.core, side.clock.now()
    asked = {"person_id": person_id, "right": "access", "raised_by": "representative"}
    body = rights.RightsBody.model_validate({**asked, "channel": "meeting", "means": "in_person"})
    done = rights.AnswerBody(outcome="done", channel="page")

    def unit(tx: Tx) -> None:
        rights.received(tx, core, body, request, ASKS, at)
        rights.send(tx, core, request, ASKS, at)
        rights.close(tx, core, request, done, ASKS, at)

    side.write(unit)
    return request


class Seat:
    """Somebody before a node's pages, of whatever kind."""

    def __init__(self, who: str, client: httpx.AsyncClient, side: Side) -> None:
        self._who = who
        self._client = client
        self._side = side

    @classmethod
    async def of(cls, who: str, side: Side, ids: Mapping[str, str]) -> Seat:
        """An agent who signed in, a person who typed a code, or nobody."""
        if who == PERSON:
            return cls(who, (await visiting(side, ids["subject"], "representative")).client, side)
        if who == NOBODY:
            return cls(who, Browser(side).client, side)
        client = Browser(side).client
        client.cookies.set("relais", seat(side, Role(who)))
        return cls(who, client, side)

    async def opens(self, path: str) -> bool:
        """Whether a page opens."""
        return passed(await self._client.get(path), path)

    async def sends(self, path: str, row: Row, ids: Mapping[str, str]) -> bool:
        """Whether a form is taken: one of this session, with what it cannot go without."""
        shown = await self._client.get("/person/" if self._who == PERSON else "/pages/charter")
        token = re.findall(r'name="token" value="([^"]+)"', shown.text)
        seats = self._side.rows(sign_in_tables.authorisations)
        named = {**ids, "authorisation": seats[-1].authorisation_id if seats else ""}
        typed = {name: value.format(**named) for name, value in row.typed.items()}
        sent = {"token": token[0] if token else "", **typed}
        return passed(await self._client.post(path.format(**ids), data=sent), path)


def passed(answer: httpx.Response, path: str) -> bool:
    """Whether somebody got past the wall before a page or a form: neither refused nor led away."""
    assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, (path, answer.text)
    where = answer.headers.get("location", "")
    led_away = where.startswith("/pages/sign-in?") or (
        where == "/person/" and path != "/person/leave"
    )
    refused = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    return answer.status_code not in refused and not led_away


@pytest.mark.parametrize("who", [*Role, PERSON, NOBODY])
async def test_each_opens_and_sends_what_the_table_says_and_no_more(
    tmp_path: Path, agency: Side, mission: Side, who: str
) -> None:
    with desk_pair(tmp_path) as pair:
        ids, sides = await things(pair), (pair.school, pair.city)
        agent = who if who in list(Role) else NOBODY  # a person's page is one node's
        here = await Seat.of(who, pair.school, ids)
        city = await Seat.of(agent, pair.city, ids)
        others = {
            **dict.fromkeys(("{decision}", "{city_case}", "{dead}"), city),
            "{c_convention}": await Seat.of(agent, agency, ids),
            "{d_convention}": await Seat.of(agent, mission, ids),
        }  # what only some kinds of node have is asked for there
        seats = {
            path: next((one for name, one in others.items() if name in path), here)
            for path in TABLE
        }
        for path, row in TABLE.items():
            if row.get is not None:
                opens = await seats[path].opens(path.format(**ids))
                assert opens is (who in row.get), ("GET", path)
        before = [len(one.rows(journal)) for one in sides]
        for path, row in TABLE.items():
            if row.post is not None and who not in row.post:
                assert not await seats[path].sends(path, row, ids), ("POST", path)
        assert [len(one.rows(journal)) for one in sides] == before  # a refusal leaves no trace
        for path, row in TABLE.items():
            if row.post is not None and who in row.post:
                assert await seats[path].sends(path, row, ids), ("POST", path)


async def test_the_menu_leads_a_role_where_it_may_go(pair: Pair) -> None:
    for role in Role:
        async with desk(pair.school, role) as client:
            page = (await client.get("/pages/today")).text
            for _, path, _ in PLACES:
                offered = f'href="{path}"' in page
                assert offered is (role in (TABLE[path].get or ())), (role, path)


STRANGE = (
    "x",
    "0" * 32,
    "f" * 31,
    "-1",
    "1.5",
    "²",
    "9" * 40,
    "%00",
    "..%2f..%2fapi",
    "'%20OR%20'1'='1",
    "%3Cscript%3E",
)


@pytest.mark.parametrize("strange", STRANGE)
async def test_an_id_that_names_nothing_here_leads_nowhere(pair: Pair, strange: str) -> None:
    """IDOR and malformed ids: a convention of others, a line or a letter that is not there."""
    async with desk(pair.school, Role.MANAGER) as manager:
        for path in ("{}", "{}/flows", "{}/acting", "{}/amendment"):
            answer = await manager.get(f"/pages/conventions/{path.format(strange)}")
            assert answer.status_code == HTTPStatus.NOT_FOUND, path
    async with desk(pair.school, Role.OPERATOR) as operator:
        for path in (f"/pages/journal/{strange}", f"/pages/operation/message?number={strange}"):
            answer = await operator.get(path)
            assert answer.status_code == HTTPStatus.NOT_FOUND, path
            assert "<script>" not in answer.text


async def test_a_form_with_an_id_of_nothing_changes_nothing(pair: Pair) -> None:
    async with desk(pair.school, Role.MANAGER) as manager:
        token = {"token": await token_of(manager, f"{ONE}/acting")}
        for hold_id in (new_id(), "x", "' OR 1=1"):
            answer = await manager.post(f"{ONE}/holds/{hold_id}", data=token)
            assert answer.status_code == HTTPStatus.NOT_FOUND, hold_id
        others = (f"{ONE}/versions/2", f"{ONE}/versions/x", "/pages/conventions/other/acting/hold")
        for path in (f"{ONE}/acting/none", *others):
            answer = await manager.post(path, data=token)
            assert answer.status_code == HTTPStatus.NOT_FOUND, path
    async with desk(pair.school, Role.OPERATOR) as operator:
        token = {"token": await token_of(operator, "/pages/operation")}
        for dead_id in (new_id(), "x", "%2e%2e"):
            answer = await operator.post(
                f"/pages/operation/dead-letters/{dead_id}/retry", data=token
            )
            assert answer.status_code == HTTPStatus.NOT_FOUND, dead_id
    assert count(pair.school, tables.dead_letters) == 0


async def token_of(client: httpx.AsyncClient, path: str) -> str:
    """The token that each form of a page carries."""
    page = (await client.get(path)).text
    return page.partition('name="token" value="')[2].partition('"')[0]


async def test_a_program_s_role_sees_a_procedure_and_not_whom_it_is_about(pair: Pair) -> None:
    where = f"/pages/procedures/{AGENDA}"
    for role, about in ((Role.AGENT, HTTPStatus.OK), (Role.INTEGRATOR, HTTPStatus.FORBIDDEN)):
        async with desk(pair.school, role) as client:
            assert (await client.get(where)).status_code == HTTPStatus.OK
            assert (await client.get(f"{where}?person={'f' * 32}")).status_code == about


async def test_a_procedure_about_a_person_has_its_form_where_the_person_is_named(
    pair: Pair,
) -> None:
    where, form = f"/pages/procedures/{AGENDA}", '<form class="asking"'
    async with desk(pair.school, Role.AGENT) as client:
        bare = (await client.get(where)).text
        about = (await client.get(f"{where}?person={pair.person()}")).text
    assert (form in bare, form in about) == (False, True)
    assert "/pages/agreements" in bare


async def test_a_procedure_about_what_was_not_sent_says_what_to_send_first(pair: Pair) -> None:
    where = f"/pages/procedures/{AGENDA}?person={pair.person()}"
    async with desk(pair.school, Role.AGENT) as client:
        shown = (await client.get(where)).text
        sent = await client.post(where, data={"token": await token_of(client, where)})
    assert "la convocation est un premier message" in shown
    assert sent.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert '<a href="#f-message_id">Réunion</a> : ce champ manque' in sent.text
