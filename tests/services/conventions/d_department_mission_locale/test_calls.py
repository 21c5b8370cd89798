"""The calls that convention D adds to a node's API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from services.chassis.tokens import Role
from services.conventions.d_department_mission_locale.models import foundations, holder_notices
from tests.pair import CONVENTION as SIGNED
from tests.services.conventions.d_department_mission_locale.support import Desk

PAPER: dict[str, Any] = {
    "convention_id": SIGNED,
    "decided_on": "2026-11-22",
    "evidence": "e" * 64,
}


@pytest.mark.parametrize("which", ["department", "mission"])
@pytest.mark.parametrize(
    ("path", "may", "may_not"),
    [
        ("/local-implementations", Role.MANAGER, Role.DPO),
        ("/impact-assessments", Role.DPO, Role.MANAGER),
    ],
)
async def test_a_foundation_is_recorded_by_who_answers_for_it(
    bare: Desk, which: str, path: str, may: Role, may_not: Role
) -> None:
    """D-5.1, D-8.1: the head records the implementation, the DPO the impact assessment."""
    side = getattr(bare, which)
    assert (await bare.call(side, may, "POST", path, PAPER)).status_code == HTTPStatus.CREATED
    assert (await bare.call(side, may, "POST", path, PAPER)).status_code == HTTPStatus.CREATED
    assert len(side.rows(foundations)) == 1
    for role, body, status in (
        (may_not, PAPER, HTTPStatus.FORBIDDEN),
        (Role.AGENT, PAPER, HTTPStatus.FORBIDDEN),
        (may, {**PAPER, "comment": "x"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        (may, {**PAPER, "evidence": "x"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        (may, {**PAPER, "decided_on": "2026-11-23"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        (may, {**PAPER, "convention_id": "another"}, HTTPStatus.NOT_FOUND),
    ):
        assert (await bare.call(side, role, "POST", path, body)).status_code == status


async def test_a_holder_s_information_is_recorded(bare: Desk) -> None:
    """D-1.2: at the department alone."""
    body = {
        "person_id": bare.person(),
        "version": "2026-1",
        "channel": "letter",
        "language": "fr",
        "given_at": bare.pair.clock.at.isoformat(),
    }
    path = "/holder-notices"
    answer = await bare.call(bare.department, Role.AGENT, "POST", path, body)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    assert len(bare.department.rows(holder_notices)) == 1
    answer = await bare.call(bare.department, Role.DPO, "POST", path, body)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    answer = await bare.call(bare.mission, Role.AGENT, "POST", path, body)
    assert answer.status_code == HTTPStatus.NOT_FOUND
