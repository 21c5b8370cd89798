"""Which role opens which page of those who answer for an organisation, and with which ids."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import httpx
import pytest

from services.chassis import convention_tables, tables
from services.chassis.clock import new_id
from services.chassis.pages.rendering import PLACES
from services.chassis.tokens import Role
from tests.office_desks import count, desk
from tests.pair import CONVENTION, Pair

EVERYBODY = frozenset(Role)
MANAGER = frozenset({Role.MANAGER})
JOURNAL = frozenset({Role.DPO, Role.OPERATOR})
OPERATOR = frozenset({Role.OPERATOR})
CASES = frozenset({Role.AGENT, Role.REFERENT, Role.MANAGER, Role.DPO})
WORK = CASES - {Role.DPO}
AGENDA = "a_city_school-post-watch-cells-agenda"
ONE = f"/pages/conventions/{CONVENTION}"

PAGES: Mapping[str, frozenset[Role]] = {
    "/pages/today": EVERYBODY,
    "/pages/situations": CASES,
    "/pages/situations/new": WORK | {Role.INTEGRATOR},
    f"/pages/situations/new?agreement={'f' * 32}": WORK,
    f"/pages/situations/new?notice={'f' * 32}": WORK,
    "/pages/without-agreement": CASES,
    "/pages/procedures": EVERYBODY,
    "/pages/conventions": EVERYBODY,
    ONE: EVERYBODY,
    f"{ONE}/flows": EVERYBODY,
    f"{ONE}/acting": MANAGER,
    f"{ONE}/amendment": MANAGER,
    "/pages/reports": EVERYBODY,
    "/pages/journal": JOURNAL,
    "/pages/journal?event=message.sent": JOURNAL,
    "/pages/journal/1": JOURNAL,
    "/pages/journal/refusals": JOURNAL,
    "/pages/journal/verification": JOURNAL,
    "/pages/journal/verification/run": JOURNAL,
    "/pages/operation": OPERATOR,
    "/pages/operation/state": OPERATOR,
    "/pages/operation/message?number=": OPERATOR,
}
FORMS: Mapping[str, frozenset[Role]] = {
    **{f"{ONE}/acting/{one}": MANAGER for one in ("review", "hold", "suspension", "notice")},
    f"{ONE}/holds/{'f' * 32}": MANAGER,
    f"{ONE}/amendment": MANAGER,
    f"{ONE}/versions/2": MANAGER,
    f"/pages/reports/{CONVENTION}": MANAGER,
    "/pages/journal/verification": JOURNAL,
    f"/pages/operation/dead-letters/{'f' * 32}/retry": OPERATOR,
}


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_opens_its_own_pages_and_no_other(pair: Pair, role: Role) -> None:
    async with desk(pair.school, role) as client:
        for path, permitted in PAGES.items():
            answer = await client.get(path)
            refused = answer.status_code == HTTPStatus.FORBIDDEN
            assert refused is (role not in permitted), (path, answer.status_code)
        for path, permitted in FORMS.items():
            answer = await client.post(path, data={"token": "of another page"})
            assert answer.status_code == HTTPStatus.FORBIDDEN, path
            ours = "ne vient pas de cette page" in answer.text
            assert ours is (role in permitted), path
    assert count(pair.school, convention_tables.holds) == 0


async def test_whoever_is_not_signed_in_is_led_to_the_door(pair: Pair) -> None:
    transport = httpx.ASGITransport(app=pair.school.app)
    headers = {"accept": "text/html"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://node", headers=headers
    ) as client:
        for path in PAGES:
            answer = await client.get(path)
            assert answer.status_code == HTTPStatus.SEE_OTHER
            assert answer.headers["location"].startswith("/pages/sign-in?")


async def test_the_menu_leads_a_role_where_it_may_go(pair: Pair) -> None:
    ours = ("/pages/conventions", "/pages/reports", "/pages/journal", "/pages/operation")
    assert set(ours) <= {path for _, path, _ in PLACES}
    for role in (Role.AGENT, Role.DPO, Role.OPERATOR):
        async with desk(pair.school, role) as client:
            page = (await client.get("/pages/conventions")).text
            for path in ours:
                assert (f'href="{path}"' in page) is (role in PAGES[path]), (role, path)


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
