"""Lists of messages and of what is due: whoever it concerns sees it, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from services.chassis import tables
from services.chassis.agreement_clocks import HEARING
from services.chassis.deadlines import Due, arm
from services.chassis.derogation_clocks import REVIEW
from services.chassis.rights_clocks import ANSWER
from services.chassis.tokens import Role
from tests.invented import REFERRAL
from tests.pair import Pair, Side
from tests.services.conventions.a_city_school.support import Desk

LISTS = ("messages", "arrivals")


@pytest.fixture
async def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> AsyncIterator[Desk]:
    """A pathway of which agent-1 is the city's referent."""
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        one = Desk(made)
        await one.opened()
        yield one


async def call(side: Side, path: str, role: Role, agent: str = "agent-1") -> httpx.Response:
    token = side.node.tokens.make(agent, role, side.clock.now(), timedelta(hours=1))
    transport = httpx.ASGITransport(app=side.app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer


async def seen(side: Side, what: str, role: Role, agent: str = "agent-1") -> set[str]:
    """Types of the messages that a list shows."""
    rows = (await call(side, f"/api/v1/{what}", role, agent)).json()
    return {one["type"] for one in rows}


async def test_an_agent_sees_what_passed_in_the_cases_that_he_may_open(desk: Desk) -> None:
    """A-2.5: of a pathway its referent and the manager; who reads the journal, all of it."""
    sent, came = {"referral.answered", "pathway.opened"}, {"referral.submitted"}
    for what, whole in zip(LISTS, (sent, came), strict=True):
        for role in (Role.DPO, Role.OPERATOR, Role.MANAGER):
            assert await seen(desk.city, what, role, "x-1") == whole, role
        for role in (Role.REFERENT, Role.AGENT):
            assert await seen(desk.city, what, role) == whole, role
            assert await seen(desk.city, what, role, "agent-2") == set(), role


async def test_an_agent_sees_what_is_due_in_the_cases_that_he_may_open(desk: Desk) -> None:
    """A-2.5; what belongs to no case, such as the yearly review, everybody sees (A-8.1)."""

    async def due(role: Role, agent: str = "agent-1") -> dict[str, bool]:
        rows = (await call(desk.city, "/api/v1/deadlines", role, agent)).json()
        return {one["kind"]: one["case_id"] is not None for one in rows}

    review = Due(kind="convention.review", subject="0" * 32, due_at=desk.pair.clock.at)
    desk.city.write(lambda tx: arm(tx, desk.city.node.core, review, desk.pair.clock.at))
    whole, rest = await due(Role.DPO, "x-1"), {"convention.review": False}
    assert set(whole.items()) > set(rest.items())
    for role in (Role.OPERATOR, Role.MANAGER):
        assert await due(role, "x-1") == whole, role
    for role in (Role.REFERENT, Role.AGENT):
        assert await due(role) == whole, role
        assert await due(role, "agent-2") == rest, role
    assert await due(Role.INTEGRATOR, "programme") == rest


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("convention.review", set(Role)),
        (HEARING, {Role.AGENT, Role.REFERENT, Role.MANAGER}),
        (ANSWER, {Role.MANAGER, Role.DPO}),
        (REVIEW, {Role.AGENT, Role.REFERENT, Role.MANAGER, Role.DPO}),
    ],
)
async def test_what_a_deadline_of_no_case_is_about_is_told_to_who_works_with_it(
    desk: Desk, kind: str, told: set[Role]
) -> None:
    """GDPR 32.4: an agreement, a request or a decision is a name that leads to a person."""
    city, at, subject = desk.city, desk.pair.clock.at, "a" * 32
    due = Due(kind=kind, subject=subject, due_at=at)
    city.write(lambda tx: arm(tx, city.node.core, due, at))
    for role in Role:
        rows = (await call(city, "/api/v1/deadlines", role)).json()
        subjects = {one["kind"]: one["subject"] for one in rows if one["case_id"] is None}
        assert subjects == {kind: subject if role in told else None}, role
        assert all(one["subject"] for one in rows if one["case_id"] is not None)


async def test_a_program_sees_what_it_sent_and_what_belongs_to_no_case(desk: Desk) -> None:
    school, agreement = desk.school, desk.pair.agreement()
    school.charter("programme")
    more = {"agent_id": "programme", "agreement_id": agreement}
    school.send("referral.submitted", desk.city.org, REFERRAL, **more)
    await desk.pair.carry()
    assert await seen(desk.school, "messages", Role.INTEGRATOR, "programme") == {
        "referral.submitted"
    }
    assert await seen(desk.school, "messages", Role.INTEGRATOR, "autre") == set()
    assert await seen(desk.city, "arrivals", Role.INTEGRATOR, "programme") == set()
    none = tables.inbox.update().values(case_id=None)
    desk.city.write(lambda tx: tx.execute(none))
    assert await seen(desk.city, "arrivals", Role.INTEGRATOR, "autre") == {"referral.submitted"}


@pytest.mark.parametrize("what", LISTS)
async def test_pages_follow_one_another_and_none_is_lost_or_said_twice(
    desk: Desk, what: str
) -> None:
    """Also where many arrived at one instant, and where others' lie between."""
    for _ in range(4):
        desk.pair.refer()
    await desk.pair.carry()
    side = desk.school if what == "messages" else desk.city
    whole = (await call(side, f"/api/v1/{what}", Role.DPO)).json()
    path, found = f"/api/v1/{what}?limit=2", []
    while path:
        page = await call(side, path, Role.DPO)
        found += page.json()
        path = page.links.get("next", {}).get("url", "")
    assert found == whole
    assert len({one["message_id"] for one in found}) == len(found) >= 5
    unknown = await call(side, f"/api/v1/{what}?before={'0' * 32}", Role.DPO)
    assert unknown.json() == []


@pytest.mark.parametrize("what", LISTS)
async def test_a_list_is_read_in_the_order_of_an_index(tmp_path: Path, what: str) -> None:
    """No list sorts all that ever passed."""
    urls = (f"sqlite:///{tmp_path / 'one'}.sqlite", f"sqlite:///{tmp_path / 'other'}.sqlite")
    with Pair(tmp_path, urls) as pair:
        asked = _plans(pair.school)
        await call(pair.school, f"/api/v1/{what}", Role.DPO)
        table = tables.outbox if what == "messages" else tables.inbox
        (plan,) = [one for name, one in asked if table.name in name]
        assert f"ix_{table.name}_" in plan
        assert "TEMP B-TREE" not in plan


def _plans(side: Side) -> list[tuple[str, str]]:
    """What SQLite does for each query that orders rows by date, as it is asked."""
    found: list[tuple[str, str]] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "ORDER BY" in statement and "LIMIT" in statement:
            rows = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append((statement.partition("FROM")[2], " ".join(str(row[-1]) for row in rows)))

    event.listen(side.node.database._writer, "before_cursor_execute", explain)
    return found
