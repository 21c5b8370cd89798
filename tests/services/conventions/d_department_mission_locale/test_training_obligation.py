"""The breach of the training obligation: a duty of the law, apart from everything agreed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from contracts.gate import Refused
from contracts.kernel.paris import midnight
from services.chassis import tables
from services.chassis.acts import NoticeBody, record_notice, require_case
from services.chassis.clock import new_id
from services.chassis.posting import Outcome
from services.chassis.retention import purge
from services.chassis.tokens import Agent, NotPermitted, Role
from services.conventions.d_department_mission_locale.models import youths
from services.department.models import breaches, designations
from tests.services.conventions.d_department_mission_locale.support import BORN, Desk

TYPE = "training_obligation.breach"
READER = Agent("obligation-1", Role.AGENT)


async def designate(desk: Desk, **changes: Any) -> None:
    body = {
        "agent_id": READER.agent_id,
        "first_day": "2026-09-01",
        "last_day": None,
        "decision": "arrêté 2026-12",
    }
    path, said = "/designations", {**body, **changes}
    answer = await desk.call(desk.department, Role.MANAGER, "POST", path, said)
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    answer = await desk.call(desk.department, Role.AGENT, "POST", path, said)
    assert answer.status_code == HTTPStatus.FORBIDDEN


def breach(desk: Desk, convened: int = -30, not_met: int = 0) -> dict[str, Any]:
    return {
        "convened_on": desk.day(convened),
        "ground": "no_answer",
        "not_met_on": desk.day(not_met),
    }


def inform(desk: Desk, born: str = BORN) -> str:
    """The young person and the representative were told an hour ago."""
    values = {
        "person_id": desk.person(born, desk.mission),
        "instrument": "training_obligation",
        "version": "2026-1",
        "channel": "letter",
        "language": "fr",
        "given_at": (desk.pair.clock.at - timedelta(hours=1)).isoformat(),
    }
    body = NoticeBody.model_validate_json(json.dumps(values))
    core, at, notice_id = desk.mission.node.core, desk.pair.clock.at, new_id()
    desk.mission.write(lambda tx: record_notice(tx, core, body, notice_id, "agent-1", at))
    return notice_id


def tell(desk: Desk, notice_id: str | None, data: dict[str, Any] | None = None) -> Outcome:
    to = desk.department.org
    return desk.mission.send(TYPE, to, data or breach(desk), notice_id=notice_id)


def articles(outcome: Outcome) -> set[str]:
    return set(outcome.decision.articles) if isinstance(outcome.decision, Refused) else set()


async def told(desk: Desk) -> str:
    outcome = tell(desk, inform(desk))
    assert articles(outcome) == set()
    await desk.pair.carry()
    assert desk.mission.state(outcome.message_id) == "accepted"
    return outcome.case_id or ""


async def test_a_breach_arrives_in_a_store_apart_without_any_agreement(bare: Desk) -> None:
    """D-2.3, D-2.4, R114-7: nor the frame's foundations; no case of the convention is touched."""
    await designate(bare)
    case_id = await told(bare)
    (row,) = bare.department.rows(breaches)
    assert (row.case_id, row.mission_locale) == (case_id, bare.mission.org)
    (case,) = bare.department.rows(tables.cases)
    assert (case.instrument, case.reference) == ("training_obligation", None)
    for side in bare.pair.sides:
        for table in (youths, tables.held_proofs, tables.agreements):
            assert side.rows(table) == []


async def test_the_young_person_is_told_first(desk: Desk) -> None:
    """D-2.4, RGPD 13."""
    await designate(desk)
    assert articles(tell(desk, None)) >= {"RGPD 13"}
    assert articles(tell(desk, inform(desk))) == set()


async def test_nobody_designated_means_refused(desk: Desk) -> None:
    """R114-7: a designation that is over is none."""
    first = tell(desk, inform(desk))
    await desk.pair.carry()
    assert desk.mission.state(first.message_id) == "refused"
    await designate(desk, last_day=desk.day(-1))
    second = tell(desk, inform(desk))
    await desk.pair.carry()
    assert desk.mission.state(second.message_id) == "refused"
    await designate(desk, last_day=desk.day())
    assert len(desk.department.rows(designations)) == 1
    await told(desk)


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2010-11-23", {"L114-1"}),
        ("2010-11-22", set()),
        ("2008-11-23", set()),
        ("2008-11-22", {"L114-1"}),
    ],
)
async def test_the_obligation_holds_at_sixteen_and_seventeen(
    desk: Desk, born: str, expected: set[str]
) -> None:
    """D-2.4, L114-1: it is 22 November 2026."""
    assert articles(tell(desk, inform(desk, born))) == expected


async def test_it_is_found_and_sent_within_two_months_of_the_convening(desk: Desk) -> None:
    """D-2.4, R114-7: from 22 September to 22 November, both included."""
    last = breach(desk, convened=-61)
    assert last["convened_on"] == "2026-09-22"
    assert articles(tell(desk, inform(desk), last)) == set()
    late = {**last, "convened_on": "2026-09-21"}
    assert articles(tell(desk, inform(desk), late)) == {"D-2.4", "R114-7"}
    sent_late = {**late, "not_met_on": "2026-11-21"}
    assert articles(tell(desk, inform(desk), sent_late)) == {"D-2.4"}
    before = breach(desk, convened=0, not_met=-1)
    assert articles(tell(desk, inform(desk), before)) == {"R114-7"}


async def test_what_left_on_time_is_received_on_a_later_day(desk: Desk) -> None:
    """D-2.4: the sender's day counts, and a node that was down loses nothing."""
    await designate(desk)
    outcome = tell(desk, inform(desk), breach(desk, convened=-61))
    desk.pair.clock.at += timedelta(days=1)
    await desk.pair.carry()
    assert desk.mission.state(outcome.message_id) == "accepted"


def opens(desk: Desk, case_id: str, agent: Agent) -> bool:
    core, at = desk.department.node.core, desk.pair.clock.now()
    try:
        desk.department.write(lambda tx: require_case(tx, core, case_id, agent, at))
    except NotPermitted:
        return False
    return True


async def test_only_designated_agents_open_it(desk: Desk) -> None:
    """R114-7, D-2.4: no referent of any support, not even a head of service."""
    await designate(desk)
    case_id = await told(desk)
    for agent, may in (
        (READER, True),
        (Agent("dpo", Role.DPO), True),
        (Agent("agent-1", Role.REFERENT), False),
        (Agent("chief", Role.MANAGER), False),
    ):
        assert opens(desk, case_id, agent) is may
    desk.case_id = case_id
    shown = desk.shown(desk.department)["training_obligation"]
    assert (shown["young_person"]["first_name"], shown["ground"]) == ("Sacha", "no_answer")
    assert shown["representative"]["first_name"] == "Dominique"
    assert desk.shown(desk.mission) == {}


async def test_it_is_destroyed_when_the_obligation_ends(desk: Desk) -> None:
    """R114-7, D-2.4: on the eighteenth birthday, at both sides, and not a day before."""
    await designate(desk)
    await told(desk)
    majority = midnight(date(2027, 12, 15))
    for at, left in ((majority - timedelta(seconds=1), 1), (majority, 0)):
        for side in desk.pair.sides:
            await purge(side.node.database, side.node.core, at)
            alive = tables.cases.c.state != "erased"
            assert len(side.rows(tables.cases, alive)) == left
        assert len(desk.department.rows(breaches)) == left
