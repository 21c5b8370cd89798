"""Whoever answers for a decision to act without agreement sees first what was decided (A-3.15)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.tokens import Role
from tests.office_desks import desk as office
from tests.pair import Pair
from tests.seated import opened
from tests.services.chassis.deciding import alert, decided, suspended

KNOWN = (
    "« information sans délai », à Organisme s1, sans accord",
    "Intérêts vitaux (RGPD 6.1.d)",
    "par agent-1",
    "par cheffe",
    "pas encore informée",
)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Where nothing was sent yet."""
    urls = tuple(f"sqlite:///{tmp_path / name}.sqlite" for name in ("one", "other"))
    with Pair(tmp_path, (urls[0], urls[1])) as made:
        yield made


@pytest.mark.parametrize(
    ("step", "role"), [("telling", Role.REFERENT), ("review", Role.DPO), ("review", Role.MANAGER)]
)
async def test_a_step_says_what_was_decided_why_and_by_whom(
    pair: Pair, step: str, role: Role
) -> None:
    desk = await suspended(pair)
    opened(desk.city)
    derogation_id = decided(desk)
    alert(desk, derogation_id)
    async with office(desk.city, role) as client:
        page = await client.get(f"/pages/without-agreement/{derogation_id}/{step}")
    assert page.status_code == 200
    text = page.text.replace("\u202f", " ")
    for said in KNOWN:
        assert said in text, said
    assert f"/pages/situations/{desk.case_id}" in page.text
