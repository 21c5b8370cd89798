"""The calls that convention B adds to a node's API, the same at either side."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from services.chassis.tokens import Role
from services.conventions.b_city_mission_locale.models import (
    common_events,
    psad_charters,
    representative_notices,
)
from tests.pair import CONVENTION, START, Side
from tests.services.conventions.b_city_mission_locale.support import CONTACT, Desk

DAY = START.date().isoformat()
PUBLISHED = {
    "name": "Atelier mobilité",
    "theme": "mobilite--preparer-un-permis",
    "kind": "atelier",
    "last_day": "2027-03-31",
    "contact": CONTACT,
}


async def call(
    side: Side, role: Role, method: str, path: str, body: dict[str, Any] | None = None
) -> httpx.Response:
    """One call in a role, with a key of its own."""
    token = side.node.tokens.make("agent-1", role, START, timedelta(hours=1))
    transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://node/api/v1") as client:
        return await client.request(method, path, json=body, headers=headers)


async def posted(side: Side, path: str, body: dict[str, Any], role: Role) -> None:
    """Taken from that role, refused to whoever only reads, and no field more."""
    answer = await call(side, role, "POST", path, body)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    answer = await call(side, Role.DPO, "POST", path, body)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    answer = await call(side, role, "POST", path, {**body, "comment": "x"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("which", ["city", "mission"])
async def test_a_charter_an_event_and_an_information_are_recorded(desk: Desk, which: str) -> None:
    """B-2.1, B-2.6, RGPD 13."""
    side = getattr(desk, which)
    charter = {"signed_on": DAY, "evidence": "e" * 64}
    await posted(side, "/psad-charters", charter, Role.MANAGER)
    assert len(side.rows(psad_charters)) == 1
    event = {"convention_id": CONVENTION, "held_on": DAY}
    await posted(side, "/common-events", event, Role.MANAGER)
    assert len(side.rows(common_events)) == 1
    notice = {
        "person_id": desk.person(side),
        "version": "2026-1",
        "channel": "letter",
        "language": "fr",
        "given_at": START.isoformat(),
    }
    await posted(side, "/representative-notices", notice, Role.AGENT)
    assert len(side.rows(representative_notices)) == 1
    unknown = {**notice, "person_id": "0" * 32}
    answer = await call(side, Role.AGENT, "POST", "/representative-notices", unknown)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    later = {**notice, "given_at": (START + timedelta(seconds=1)).isoformat()}
    answer = await call(side, Role.AGENT, "POST", "/representative-notices", later)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_what_the_other_side_offers_is_listed(desk: Desk) -> None:
    """B-2.3: with whom to call, and no young person."""
    await desk.told(desk.city, "service_catalogue.published", PUBLISHED)
    for side, here in ((desk.city, True), (desk.mission, False)):
        answer = await call(side, Role.AGENT, "GET", "/offers")
        assert answer.status_code == HTTPStatus.OK
        (one,) = answer.json()
        assert (one["sent_here"], one["name"]) == (here, PUBLISHED["name"])
        assert (one["last_day"], one["contact_name"]) == ("2027-03-31", CONTACT["name"])
