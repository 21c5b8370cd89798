"""The calls that convention C adds to a node's API, by party."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from services.chassis.tokens import RIGHTS, Role
from services.conventions.c_employment_city_ccas import territory
from tests.pair import CONVENTION, Side
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    ANNOUNCED,
    ANTENNA,
    CAMPAIGN,
    CODE,
    END,
    NOW,
    OPPORTUNITY,
    REFERENT,
    TABLE,
    Office,
)

DAY = NOW.date().isoformat()
READING = {"convention_id": CONVENTION, "version": 1}
REPORT = {
    "convention_id": CONVENTION,
    "term_ends_on": END.isoformat(),
    "written_on": DAY,
    "evidence": "e" * 64,
}
ACTION = {"convention_id": CONVENTION, "held_on": DAY, "for_youth": True, "joint": False}


async def call(
    side: Side, role: Role, method: str, path: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    """One call in a role."""
    token = side.node.tokens.make("agent-1", role, NOW, timedelta(hours=1))
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


@pytest.mark.parametrize("which", ["agency", "city"])
async def test_readings_reports_notices_and_desks_are_recorded(bare: Office, which: str) -> None:
    """C-5.5, C-7.2, C-6.2, C-3d.3: each in its role."""
    side = getattr(bare, which)
    for role in Role:  # every agent of one's own is to know it
        answer = await call(side, role, "POST", "/convention-readings", READING)
        assert answer.status_code == HTTPStatus.CREATED, answer.text
    await posted(side, "/final-reports", REPORT, Role.MANAGER)
    notice = {"name": "Camille Fictive", "told_at": NOW.isoformat()}
    await posted(side, "/staff-notices", notice, Role.MANAGER)
    agency = "aubette" if which == "agency" else None
    desk = {"task": "social_clauses", "agency": agency, "agent_id": "agent-1"}
    await posted(side, "/desks", desk, Role.MANAGER)
    answer = await call(side, Role.AGENT, "GET", "/desks")
    assert [one["agent_id"] for one in answer.json()["desks"]] == ["agent-1"]
    await posted(side, "/desks/closed", desk, Role.MANAGER)
    answer = await call(side, Role.AGENT, "GET", "/desks")
    assert answer.json()["desks"] == []
    answer = await call(side, Role.MANAGER, "GET", "/convention-readings")
    assert [row["agent_id"] for row in answer.json()[0]["read"]] == ["agent-1"]
    answer = await call(side, Role.AGENT, "GET", "/convention-readings")
    assert answer.status_code == HTTPStatus.FORBIDDEN
    answer = await call(side, Role.AGENT, "GET", f"/final-reports/{CONVENTION}")
    assert len(answer.json()["elements"]) == 3


async def test_the_agency_alone_records_about_its_own_persons_and_actions(bare: Office) -> None:
    """C-2.1, C-3e.5, C-3c.1."""
    bare.read(bare.agency)
    person = bare.person(bare.agency)
    resident = {"person_id": person, "counsellor": "agent-1", "commune": "76540"}
    volunteer = {"person_id": person, "asked_at": NOW.isoformat()}
    await posted(bare.agency, "/job-seekers", resident, Role.AGENT)
    await posted(bare.agency, "/volunteers", volunteer, Role.AGENT)
    await posted(bare.agency, "/collective-actions", ACTION, Role.MANAGER)
    for path, body in (("/job-seekers", resident), ("/collective-actions", ACTION)):
        answer = await call(bare.city, Role.MANAGER, "POST", path, body)
        assert answer.status_code == HTTPStatus.NOT_FOUND


async def test_the_lists_name_no_job_seeker(office: Office) -> None:
    """C-5.1, C-6.1: what is listed is about places, numbers and colleagues."""
    await office.told(office.agency, "clause.opportunity", OPPORTUNITY)
    await office.told(office.city, "campaign.requested", CAMPAIGN)
    await office.told(office.agency, "census.aggregate", TABLE)
    await office.told(office.agency, "communication.announced", ANNOUNCED)
    await office.told(office.agency, "referents.published", REFERENT)
    paths = ("clause-opportunities", "campaigns", "censuses", "announcements", "referents")
    for side in office.pair.sides:
        for path in paths:
            answer = await call(side, Role.AGENT, "GET", f"/{path}")
            assert answer.status_code == HTTPStatus.OK
            assert len(answer.json()) == 1
            assert "person_id" not in answer.text


async def test_the_ccas_reads_who_answers_to_its_units(social: Office) -> None:
    """C-3f.1, C-3f.3: and has no call about a person, nor a desk."""
    await social.told(social.agency, "antenna_referents.published", ANTENNA)
    answer = await call(social.ccas, Role.AGENT, "GET", "/antennas")
    assert answer.json()[0]["referent_name"] == "Camille Fictive"
    answer = await call(social.ccas, Role.AGENT, "GET", "/antennas/pairs")
    assert answer.json() == [{"unit": 2, "agencies": ["beauvoisine"], "agreed": False}]
    paths = {path for _, path in territory.CCAS_CALLS}
    assert not {"/job-seekers", "/volunteers", "/desks", "/collective-actions"} & paths


@pytest.mark.parametrize("which", ["agency", "city"])
async def test_no_call_answers_whoever_has_not_read_the_text(bare: Office, which: str) -> None:
    """C-5.5: of all calls of the text, only the one that says it was read is open before."""
    side = getattr(bare, which)
    asked = ("POST", "/convention-readings")
    calls = side.node.core.partner.side(CODE).calls
    others = {one: it for one, it in calls.items() if one != asked}

    async def answers() -> dict[tuple[str, str], str]:
        found = {}
        for (method, path), it in others.items():
            role = next(role for role in Role if it.right in RIGHTS[role])
            where = path.format(convention_id=CONVENTION)
            answer = await call(side, role, method, where, {} if method == "POST" else None)
            said = answer.json()
            found[method, path] = said.get("code", "") if isinstance(said, dict) else ""
        return found

    assert await answers() == dict.fromkeys(others, "convention_not_read")
    bare.read(side)
    assert "convention_not_read" not in (await answers()).values()
