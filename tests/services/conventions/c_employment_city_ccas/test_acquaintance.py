"""No case of convention C opens to an agent who has not said that its text is known (C-5.5)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import pytest

from services.chassis.acquaintance import ConventionUnread
from services.chassis.acts import read_message
from services.chassis.tokens import Agent, Role
from services.conventions.c_employment_city_ccas.territory_models import readings
from tests.office_desks import desk as office
from tests.office_desks import form_in
from tests.pair import CONVENTION, Side
from tests.reports import ask
from tests.seated import opened
from tests.services.conventions.c_employment_city_ccas.support import OFFER, SEEKER, Desk

READING = f"/pages/conventions/{CONVENTION}/reading"
BODY = {"convention_id": CONVENTION, "version": 1}


def forget(side: Side, agent_id: str = "agent-1") -> None:
    """As before an agent read the text."""
    side.write(lambda tx: tx.execute(readings.delete().where(readings.c.agent_id == agent_id)))


async def refused_then_opened(side: Side, path: str, role: Role, method: str = "GET") -> Any:
    """A call that the text's reading alone lets pass; returns what it then answers."""
    refused = await ask(side, path, role, method, json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "convention_not_read")
    assert refused.json()["articles"] == ["C-5.5"]
    said = await ask(side, "/api/v1/convention-readings", role, "POST", json=BODY)
    assert said.status_code == HTTPStatus.CREATED, said.text
    answer = await ask(side, path, role, method, json={})
    assert answer.status_code != HTTPStatus.FORBIDDEN, answer.text
    return answer.json()


@pytest.mark.parametrize("role", [Role.AGENT, Role.DPO])
async def test_a_case_opens_to_whoever_knows_the_text(desk: Desk, role: Role) -> None:
    """Whatever the role: each party makes it known to its own agents."""
    await desk.proposed()
    forget(desk.agency)
    found = await refused_then_opened(desk.agency, f"/api/v1/cases/{desk.case_id}", role)
    assert found["case_id"] == desk.case_id
    forget(desk.agency)
    await refused_then_opened(desk.agency, f"/api/v1/cases/{desk.case_id}/exchanges", role)


async def test_acts_readings_and_views_ask_for_it_too(desk: Desk) -> None:
    sent, _ = await desk.proposed()
    forget(desk.city)
    with pytest.raises(ConventionUnread):
        desk.ask(sent)
    with pytest.raises(ConventionUnread):
        desk.look(sent)
    core, at, agent = desk.city.node.core, desk.now, Agent("agent-1", Role.AGENT)
    with pytest.raises(ConventionUnread):
        desk.city.write(lambda tx: read_message(tx, core, sent, agent, at))
    desk.read(desk.city)
    assert (await desk.seen(sent))["offer_id"] == OFFER


async def test_a_former_version_is_not_the_present_one(desk: Desk) -> None:
    """C-7.4: an amendment is read anew."""
    await desk.proposed()
    path = f"/api/v1/cases/{desk.case_id}"
    assert (await ask(desk.agency, path, Role.AGENT)).status_code == HTTPStatus.OK
    where = readings.c.agent_id == "agent-1"
    desk.agency.write(lambda tx: tx.execute(readings.update().where(where).values(version=9)))
    await refused_then_opened(desk.agency, path, Role.AGENT)


async def test_what_the_person_may_ask_waits_for_no_reading(desk: Desk) -> None:
    """RGPD 17: the DPO destroys a case at the API without having read it first."""
    await desk.proposed()
    answer = await ask(desk.agency, f"/api/v1/cases/{desk.case_id}/erasure", Role.DPO, "POST")
    assert answer.is_success, answer.text


async def test_a_page_leads_to_the_text_and_back(desk: Desk) -> None:
    await desk.proposed()
    opened(desk.agency)
    forget(desk.agency)
    case = f"/pages/situations/{desk.case_id}"
    first = f"/pages/situations/new/{desk.city.org}/{CONVENTION}/communication.announced"
    async with office(desk.agency, Role.AGENT) as client:
        for path in (case, f"{case}/live", first, f"{first}?agreement={'f' * 32}"):
            answer = await client.get(path)
            assert answer.status_code == HTTPStatus.SEE_OTHER, path
            assert answer.headers["location"].startswith(f"{READING}?back="), path
        live = await client.get(f"{case}/live", headers={"hx-request": "true"})
        assert live.headers["hx-refresh"] == "true"
        page = await client.get((await client.get(case)).headers["location"])
        assert "Prendre connaissance" in page.text
        assert "C-5.5" in page.text
        done = await client.post(READING, data=form_in(page, READING))
        assert done.headers["location"] == case
        assert (await client.get(case)).status_code == HTTPStatus.OK
        assert (await client.get(first)).status_code == HTTPStatus.OK


async def test_lists_name_nobody_to_whoever_has_not_read_the_text(desk: Desk) -> None:
    """Neither the day, nor the situations, nor those of one person; each says where to read."""
    await desk.proposed()
    opened(desk.agency)
    forget(desk.agency)
    lists = ("/pages/today", "/pages/situations")
    name = SEEKER["identity"]["first_name"]
    async with office(desk.agency, Role.AGENT) as client:
        for path in lists:
            page = await client.get(path)
            assert page.status_code == HTTPStatus.OK
            assert name not in page.text
            assert f"{READING}?back={path}" in page.text
            assert "quelqu'un d'autre" not in page.text.replace("&#39;", "'")
        desk.read(desk.agency)
        for path in lists:
            page = await client.get(path)
            assert READING not in page.text
        assert name in page.text


async def test_a_procedure_leads_to_the_text_and_back(desk: Desk) -> None:
    """What is recorded and listed beside cases waits for it as cases do."""
    opened(desk.city)
    forget(desk.city)
    tutors = "/pages/procedures/c_employment_city_ccas-get-tutors"
    form = "/pages/procedures/c_employment_city_ccas-post-tutors"
    async with office(desk.city, Role.AGENT) as client:
        for path in (tutors, form):
            answer = await client.get(path)
            assert answer.status_code == HTTPStatus.SEE_OTHER, path
            assert answer.headers["location"].startswith(f"{READING}?back="), path
        said = "/pages/procedures/c_employment_city_ccas-post-convention-readings"
        assert (await client.get(said)).status_code == HTTPStatus.OK
        desk.read(desk.city)
        for path in (tutors, form):
            assert (await client.get(path)).status_code == HTTPStatus.OK, path


@pytest.mark.parametrize("back", ["https://other.example", "//other.example", "/pages\\x", ""])
async def test_nobody_is_led_to_another_site(desk: Desk, back: str) -> None:
    opened(desk.agency)
    async with office(desk.agency, Role.AGENT) as client:
        page = await client.get(READING, params={"back": back})
        hidden = form_in(page, READING)
        assert hidden["back"] == "/pages/today"
        done = await client.post(READING, data={**hidden, "back": back})
        assert done.headers["location"] == "/pages/today"


async def test_a_form_of_no_page_reads_nothing(desk: Desk) -> None:
    opened(desk.agency)
    async with office(desk.agency, Role.AGENT) as client:
        before = len(desk.agency.rows(readings))
        answer: httpx.Response = await client.post(READING, data={"token": "x"})
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert len(desk.agency.rows(readings)) == before
