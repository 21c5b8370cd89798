"""The desk's pages of requests and codes: which role opens and does what; no id leads elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.chassis import person_tables, rights, rights_views, tables
from services.chassis.schema import journal
from services.chassis.tokens import RIGHTS, Right, Role
from tests.pair import Pair, Side
from tests.seated import opened, seat
from tests.services.chassis.test_rights import DPO, clock_of, doing, done, person, received
from tests.services.chassis.visiting import SEE, Browser
from tests.services.conventions.a_city_school.support import Desk

ANSWERING = {Role.MANAGER, Role.DPO}


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        opened(made.school)
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    made = Desk(pair)
    await made.referred()
    return made


class Seat:
    """An agent's browser at a node."""

    def __init__(self, side: Side, role: Role) -> None:
        cookie = seat(side, role)
        transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url="http://node",
            headers={"Accept": "text/html", "Cookie": f"relais={cookie}"},
        )

    async def get(self, path: str) -> httpx.Response:
        return await self._client.get(path)

    async def send(self, page: str, action: str, **data: Any) -> httpx.Response:
        """Send the form of a page that leads to an address."""
        shown = await self.get(page)
        assert f'action="{action}"' in shown.text, shown.text
        token = re.search(r'name="token" value="([^"]+)"', shown.text)
        form = shown.text.partition(f'action="{action}"')[2].partition("</form>")[0]
        key = re.search(r'name="key" value="([^"]+)"', form)
        assert token is not None
        values = {"token": token.group(1), "key": key.group(1) if key else "", **data}
        return await self._client.post(action, data=values)

    async def token(self) -> str:
        """What each form of this session carries."""
        shown = await self.get("/pages/today")
        return shown.text.partition('name="token" value="')[2].partition('"')[0]

    async def post(self, path: str, **data: Any) -> httpx.Response:
        return await self._client.post(path, data=data)


async def test_each_role_is_offered_what_it_may_do(desk: Desk) -> None:
    """An erasure is the DPO's to carry out, an objection a manager's to decide."""
    erasure, objection = received(desk.school, "erasure"), received(desk.school, "objection")
    for role in ANSWERING:
        seat = Seat(desk.school, role)
        offered = {
            act: f'action="/pages/requests/{one}/{act}"'
            in (await seat.get(f"/pages/requests/{one}")).text
            for one, act in ((erasure, "sending"), (objection, "answer"))
        }
        assert offered == {
            "sending": Right.ERASE in RIGHTS[role],
            "answer": Right.CONVENTIONS in RIGHTS[role],
        }
    for role in Role:
        today = (await Seat(desk.school, role).get("/pages/today")).text
        assert (f'href="/pages/requests/{erasure}"' in today) is (role in ANSWERING), role


async def test_a_request_is_dealt_with_from_its_page(desk: Desk) -> None:
    request_id = received(desk.school, "access", means=None)
    seat, page = Seat(desk.school, Role.DPO), f"/pages/requests/{request_id}"
    for act, data in (
        ("check", {"means": "document"}),
        ("extension", {}),
        ("sending", {}),
        ("answer", {"outcome": "done", "article": "", "channel": "letter"}),
    ):
        answer = await seat.send(page, f"{page}/{act}", **data)
        assert (answer.status_code, answer.headers["location"]) == (SEE, page), answer.text
    at = desk.school.clock.now()
    found = desk.school.node.database.read_now(lambda c: rights_views.read(c, request_id, at))
    assert (found["state"], found["outcome"], found["checked_by"]) == ("closed", "done", "dpo-1")
    assert clock_of(desk.school, request_id)[-1][0] == "met"
    shown = unescape((await seat.get(page)).text)
    assert "Organisme v1" in shown
    assert "pas encore de réponse" in shown
    assert "À faire" not in shown


async def test_a_refusal_keeps_what_was_typed_and_leads_to_the_field(desk: Desk) -> None:
    request_id = received(desk.school, "access")
    doing(desk.school, rights.send, request_id, DPO)
    seat, page = Seat(desk.school, Role.DPO), f"/pages/requests/{request_id}"
    answer = await seat.send(page, f"{page}/answer", outcome="refused", article="", channel="phone")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'href="#article"' in answer.text
    assert '<option value="refused" selected>' in answer.text
    evil = '"><script>alert(1)</script>'
    answer = await seat.send(
        page, f"{page}/answer", outcome="refused", article=evil, channel="phone"
    )
    assert answer.status_code == 422
    assert evil not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_an_erasure_is_confirmed_before_it_destroys(desk: Desk) -> None:
    request_id = received(desk.school, "erasure")
    seat, page = Seat(desk.school, Role.DPO), f"/pages/requests/{request_id}"
    answer = await seat.send(page, f"{page}/sending", confirm="yes")
    assert (answer.status_code, 'href="#confirmed"' in answer.text) == (422, True)
    assert len(desk.school.rows(tables.persons)) == 1
    answer = await seat.send(page, f"{page}/sending", confirm="yes", confirmed="yes")
    assert answer.status_code == SEE
    assert desk.school.rows(tables.persons) == []


async def test_no_id_leads_elsewhere(desk: Desk) -> None:
    """Malformed ids, ids of the other node, and of nobody: none opens or does anything."""
    theirs = received(desk.city, "access")
    mine = received(desk.school, "access")
    seat = Seat(desk.school, Role.DPO)
    stranger = person(desk.city)
    for one in (
        "x",
        "0" * 32,
        theirs,
        mine.upper(),
        f"{mine}%00",
        "..%2Fconventions",
        "' or 1=1 --",
    ):
        assert (await seat.get(f"/pages/requests/{one}")).status_code in {404, 405}, one
    for one in ("x", "%3Fa", "..%2Frequests"):
        for page in ("code", "request"):
            assert (await seat.get(f"/pages/people/{one}/{page}")).status_code == 404, one
    own = f"/pages/requests/{mine}"
    for act in ("check", "sending", "nothing"):
        foreign = await seat.post(f"/pages/requests/{theirs}/{act}", token="x")  # noqa: S106
        assert foreign.status_code in {403, 404}
    assert (await seat.post(f"{own}/sending", token="x")).status_code == 403  # noqa: S106
    token = await seat.token()
    for page, data in (
        ("code", {"holder": "young_person", "means": "known"}),
        (
            "request",
            {"right": "access", "raised_by": "young_person", "channel": "letter", "means": ""},
        ),
    ):
        path = f"/pages/people/{stranger}/{page}"
        assert (await seat.get(path)).status_code == 404
        assert (await seat.post(path, token=token, **data)).status_code == 404
    assert len(desk.school.rows(person_tables.requests)) == 1
    assert desk.school.rows(person_tables.codes) == []


async def test_a_slip_shows_a_code_once_that_opens_the_page(desk: Desk) -> None:
    seat, path = Seat(desk.school, Role.AGENT), f"/pages/people/{person(desk.school)}/code"
    slip = await seat.send(path, path, holder="representative", means="document")
    code = re.search(r'class="code">([^<]+)<', slip.text)
    assert code is not None
    assert slip.headers["cache-control"] == "no-store"
    assert code.group(1) not in (await seat.get(path)).text
    assert (await Browser(desk.school).type(code.group(1))).status_code == SEE
    wrong = await seat.send(path, path, holder="anybody", means="document")
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (422, True)


async def test_an_agent_records_a_right_once_however_often_the_form_is_sent(desk: Desk) -> None:
    path = f"/pages/people/{person(desk.school)}/request"
    data = {
        "right": "rectification",
        "raised_by": "representative",
        "channel": "phone",
        "means": "",
    }
    agent = Seat(desk.school, Role.AGENT)
    empty = await agent.send(path, path, **data)
    assert (empty.status_code, 'href="#about"' in empty.text) == (422, True)
    answers = [
        await agent.send(path, path, **data, about=["contact"], key="5a" * 16) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert "identité à vérifier" in answers[0].text
    (row,) = desk.school.rows(person_tables.requests)
    assert (row.right, row.about, row.raised_by) == (
        "rectification",
        ("contact",),
        "representative",
    )
    dpo = await Seat(desk.school, Role.DPO).send(path, path, **{**data, "right": "access"})
    assert dpo.status_code == SEE


async def test_the_list_says_what_is_late_and_names_nobody(desk: Desk) -> None:
    request_id = received(desk.school, "access")
    closed = received(desk.school, "access")
    doing(desk.school, rights.close, closed, done("refused", article="L131-6"), DPO)
    desk.pair.clock.at = clock_of(desk.school, request_id)[0][1]
    page = unescape((await Seat(desk.school, Role.MANAGER).get("/pages/requests")).text)
    assert '<strong class="late">en retard</strong>' in page
    assert "Répondue le 22 novembre 2026" in page
    for name in ("Exemplaire", "Zoé", "Dominique"):
        assert name not in page


async def test_the_journal_tells_what_agents_did_and_names_nobody(desk: Desk) -> None:
    seat, path = Seat(desk.school, Role.AGENT), f"/pages/people/{person(desk.school)}/code"
    await seat.send(path, path, holder="young_person", means="known")
    (line,) = desk.school.rows(journal, journal.c.event == "person.code_given")
    assert (line.agent_id, line.case_id, line.message_id) == ("agent-1", None, None)
    (code,) = desk.school.rows(person_tables.codes)
    assert code.code_id not in str(line)
    assert desk.school.rows(tables.idempotency) == []
