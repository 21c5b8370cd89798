"""What every message asks: the text was read, the renewal rests on a report; and the calls."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION as TEXT
from contracts.conventions.c_employment_city_ccas.convention import RECRUITMENT
from contracts.kernel.paris import PARIS
from services.chassis import tables
from services.chassis.pages.alone import alone, version_of
from services.chassis.pages.cases import case_view
from services.chassis.pages.choosing import choices, numbered
from services.chassis.pages.content import name_of
from services.chassis.partner import ANEW
from services.chassis.tokens import Agent, Role
from services.conventions.c_employment_city_ccas.facts import TYPES
from services.conventions.c_employment_city_ccas.indicators import INDICATORS
from services.conventions.c_employment_city_ccas.models import (
    employer_interviews,
    seeker_facts,
    seekers,
    tutors,
)
from tests.pair import Side
from tests.services.conventions.c_employment_city_ccas.support import OFFER, START, Desk

PUBLISHED = "pec.offer_published"


async def test_not_renewed_it_is_closed(desk: Desk) -> None:
    """C-8.1: on 1 January 2026, at midnight in Paris."""
    late = {"closes_on": "2026-02-20"}
    desk.pair.clock.at = datetime(2025, 12, 31, 22, 59, tzinfo=UTC)
    assert desk.refused(desk.city, PUBLISHED, desk.offer(**late)) == set()
    desk.pair.clock.at = datetime(2025, 12, 31, 23, 0, tzinfo=UTC)
    assert desk.refused(desk.city, PUBLISHED, desk.offer(**late)) >= {"C-8.1"}


async def call(
    side: Side,
    role: Role,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    agent: str = "agent-1",
) -> httpx.Response:
    """One call in a role."""
    token = side.node.tokens.make(agent, role, START, timedelta(hours=1))
    transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://node/api/v1") as client:
        return await client.request(method, path, json=body, headers=headers)


async def posted(side: Side, path: str, body: dict[str, Any], role: Role) -> None:
    """Taken from that role, refused to whoever only reads, and no field more."""
    answer = await call(side, role, "POST", path, body)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    answer = await call(side, Role.OPERATOR, "POST", path, body)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    answer = await call(side, role, "POST", path, {**body, "comment": "x"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_offers_are_listed_and_nobody_is_in_them(desk: Desk) -> None:
    """C-3a.11."""
    await desk.published()
    for side in (desk.city, desk.agency):
        listed = await call(side, Role.AGENT, "GET", "/pec-offers")
        assert [one["post"] for one in listed.json()] == ["agente d'accueil"]


async def test_offers_are_chosen_by_what_they_are_never_by_a_number(desk: Desk) -> None:
    """C-3a.11, C-3a.13: the employer's own to publish again, the employer's to be answered."""
    await desk.published()
    words = "agente d'accueil, à partir du 1er avril 2025 (M1601)"
    (left,) = desk.city.write(lambda tx: alone(tx, desk.city.node.core))
    assert left.label == "offre en parcours emploi compétences"
    assert left.state == "accepté"
    assert version_of([left]) != version_of([])
    assert _offered(desk, desk.city, PUBLISHED) == {
        ANEW: "Une nouvelle offre",
        OFFER: f"À la place de : {words}",
    }
    for answer in ("pec.candidate_proposed", "immersion.requested"):
        assert _offered(desk, desk.agency, answer) == {OFFER: words}
    await desk.on(datetime(2025, 4, 1, 9, tzinfo=PARIS))
    assert _offered(desk, desk.agency, "pec.candidate_proposed") == {}
    said = numbered(desk.city.node.core, {"offer_id": ANEW, "post": "agent"})
    assert said["post"] == "agent"
    assert re.fullmatch("[0-9a-f]{32}", said["offer_id"])


async def test_where_nobody_is_named_a_page_says_who_has_the_agreement(desk: Desk) -> None:
    """C-4.1, C-5.1: the employer keeps neither the person nor the proof, and there is one."""
    await desk.proposed()
    agent = Agent("agent-1", Role.AGENT)

    def told(side: Side) -> str:
        core = side.node.core
        shown = side.write(lambda tx: case_view(tx, core, desk.case_id, agent, desk.now))
        return str(shown.agreement)

    agency = name_of(desk.city.node.core, desk.agency.org)
    assert told(desk.city) == f"accord recueilli par {agency}, qui en répond"
    assert told(desk.agency).startswith("accord de la personne elle-même, donné le")


def _offered(desk: Desk, side: Side, type_: str) -> dict[str, str]:
    core, at = side.node.core, desk.now
    found = side.write(lambda tx: choices(tx, core, TEXT.code, type_, None, at))
    (options,) = found.values()
    return {one.code: one.word for one in options}


async def test_the_city_s_registers_are_the_hr_desk_s(desk: Desk) -> None:
    """C-3.2, C-3a.1, C-3a.6."""
    tutor = {"staff_id": "agent-8", "volunteered_on": "2025-02-01"}
    await posted(desk.city, "/tutors", tutor, Role.AGENT)
    await posted(desk.city, "/employer-interviews", {"held_on": "2025-03-02"}, Role.AGENT)
    assert len(desk.city.rows(tutors)) == len(desk.city.rows(employer_interviews)) == 2
    later = {"held_on": "2025-03-04"}
    answer = await call(desk.city, Role.AGENT, "POST", "/employer-interviews", later)
    assert answer.json()["articles"] == ["C-3a.1"]
    for method, body in (("POST", tutor), ("GET", None)):
        answer = await call(desk.city, Role.MANAGER, method, "/tutors", body, "agent-social")
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["articles"] == ["C-3.2"]
    shown = (await call(desk.city, Role.AGENT, "GET", "/tutors")).json()
    assert {one["staff_id"]: one["eligible"] for one in shown} == {
        "agent-8": False,
        "tutrice-7": True,
    }


async def test_the_agency_s_file_goes_with_the_person(desk: Desk) -> None:
    """C-2.1, C-3a.3, C-6.5: facts without reasons, which outlive nobody."""
    person = desk.person()
    body = {"person_id": person, "counsellor": "agent-1", "commune": "76540", "eligible": True}
    await posted(desk.agency, "/job-seekers", body, Role.AGENT)
    assert {row.fact for row in desk.agency.rows(seeker_facts)} == {"resident", "eligible"}
    unknown = await call(
        desk.agency, Role.AGENT, "POST", "/job-seekers", {**body, "person_id": "0" * 32}
    )
    assert unknown.status_code == HTTPStatus.NOT_FOUND
    table = tables.persons
    desk.agency.write(lambda tx: tx.execute(table.delete().where(table.c.person_id == person)))
    await desk.agency.node.purge(desk.pair.clock.at)
    assert desk.agency.rows(seekers) == desk.agency.rows(seeker_facts) == []


def test_the_axis_is_the_convention_s_first() -> None:
    """C-1.1: every type that serves recruitment has its facts here, and no other."""
    assert {flow.type for flow in TEXT.flows if flow.purpose == RECRUITMENT} == TYPES


def test_every_code_that_is_counted_has_its_label() -> None:
    """C-7.3."""
    labels = {one.what: set(one.labels) for one in INDICATORS}
    assert labels["pec.candidate_outcome"] == {"met", "retained", "not_retained"}
    assert labels["pec.booklet"] == {"tutor", "employee"}
