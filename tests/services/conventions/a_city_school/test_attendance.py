"""The mayor's information on attendance: a duty of the law, apart from everything agreed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.gate import Refused
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import midnight
from contracts.kernel.terms import ActKind
from services.chassis import tables
from services.chassis.acts import NoticeBody, record_notice, require_case
from services.chassis.clock import new_id
from services.chassis.posting import Outcome
from services.chassis.retention import purge
from services.chassis.tokens import Agent, NotPermitted, Role
from services.city.models import attendance, designations
from services.conventions.a_city_school.models import measures, pathways
from tests.pair import Pair
from tests.services.conventions.a_city_school.support import Desk

TYPE = "attendance.municipal_notice"
NOTICE = {"event": "attendance_warning", "on": "2026-11-20"}
READER = Agent("scolarite-1", Role.AGENT)


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


def designate(desk: Desk, last_day: date | None = None) -> None:
    row = {
        "agent_id": READER.agent_id,
        "first_day": date(2026, 9, 1),
        "last_day": last_day,
        "decision": "arrêté 2026-12",
    }
    desk.city.write(lambda tx: tx.insert(designations, row))


def inform(desk: Desk, person_id: str | None = None, **changes: Any) -> str:
    """The responsible person was informed an hour ago."""
    values = {
        "person_id": person_id or desk.pair.person(),
        "instrument": "mayor_attendance",
        "version": "2026-1",
        "channel": "letter",
        "language": "fr",
        "given_at": (desk.pair.clock.at - timedelta(hours=1)).isoformat(),
        **changes,
    }
    body = NoticeBody.model_validate_json(json.dumps(values))
    core, at, notice_id = desk.school.node.core, desk.pair.clock.at, new_id()
    desk.school.write(lambda tx: record_notice(tx, core, body, notice_id, "agent-1", at))
    return notice_id


def tell(desk: Desk, notice_id: str | None) -> Outcome:
    return desk.school.send(TYPE, desk.city.org, NOTICE, notice_id=notice_id)


async def told(desk: Desk) -> str:
    outcome = tell(desk, inform(desk))
    assert not isinstance(outcome.decision, Refused), outcome.decision
    await desk.pair.carry()
    assert desk.school.state(outcome.message_id) == "accepted"
    return outcome.case_id or ""


async def test_a_notice_arrives_in_a_store_apart_without_any_agreement(desk: Desk) -> None:
    """A-0.3, L131-6: no agreement is asked, no support is touched."""
    designate(desk)
    case_id = await told(desk)
    (row,) = desk.city.rows(attendance)
    assert (row.case_id, row.event, row.school) == (case_id, "attendance_warning", "ecole")
    (case,) = desk.city.rows(tables.cases)
    assert (case.instrument, case.reference) == ("mayor_attendance", None)
    for table in (pathways, measures, tables.held_proofs):
        assert desk.city.rows(table) == []
    assert desk.school.rows(tables.agreements) == []


async def test_the_responsible_person_is_informed_first(desk: Desk) -> None:
    """GDPR 13: the notice gate, at both sides."""
    designate(desk)
    refused = tell(desk, None)
    assert isinstance(refused.decision, Refused)
    assert "RGPD 13" in refused.decision.articles
    assert not isinstance(tell(desk, inform(desk)).decision, Refused)
    with pytest.raises(InvalidPayload):
        inform(desk, given_at=(desk.pair.clock.at + timedelta(hours=1)).isoformat())
    with pytest.raises(UnknownName):
        inform(desk, instrument="a_city_school")
    with pytest.raises(UnknownName):
        inform(desk, new_id())


async def test_nobody_designated_means_refused(desk: Desk) -> None:
    """R131-10-1: the mayor designates one by one; a designation that is over is none."""
    first = tell(desk, inform(desk))
    await desk.pair.carry()
    assert desk.school.state(first.message_id) == "refused"
    designate(desk, desk.today - timedelta(days=1))
    second = tell(desk, inform(desk))
    await desk.pair.carry()
    assert desk.school.state(second.message_id) == "refused"
    desk.city.write(lambda tx: tx.execute(designations.update().values(last_day=desk.today)))
    await told(desk)


async def test_only_designated_agents_open_it(desk: Desk) -> None:
    """R131-10-1: not the youth service, not even its head."""
    designate(desk)
    case_id = await told(desk)
    core, at = desk.city.node.core, desk.pair.clock.at

    def opens(agent: Agent) -> bool:
        try:
            desk.city.write(lambda tx: require_case(tx, core, case_id, agent, at))
        except NotPermitted:
            return False
        return True

    assert opens(READER)
    assert opens(Agent("dpo-1", Role.DPO))
    assert not opens(Agent("agent-1", Role.REFERENT))
    assert not opens(Agent("manager-1", Role.MANAGER))


async def test_it_is_kept_no_later_than_the_school_year_of_sixteen(desk: Desk) -> None:
    """R131-10-1: born in March 2012, sixteen in March 2028: the year ends in July 2028."""
    designate(desk)
    await told(desk)
    for side in desk.pair.sides:  # the school forgets that it told as early as the city what
        (case,) = side.rows(tables.cases)
        assert case.retain_until == midnight(date(2028, 7, 4))
    core = desk.city.node.core
    database, ends = desk.city.node.database, midnight(date(2028, 7, 4))
    await purge(database, core, ends - timedelta(seconds=1))
    assert len(desk.city.rows(attendance)) == 1
    await purge(database, core, ends)
    assert desk.city.rows(attendance) == desk.city.rows(tables.persons) == []


async def test_it_is_erased_at_once_when_the_child_leaves_the_commune(desk: Desk) -> None:
    """R131-10-1."""
    designate(desk)
    desk.case_id = await told(desk)
    desk.act(desk.city, "child_left", READER, on=desk.today.isoformat())
    assert desk.city.rows(attendance) == desk.city.rows(tables.persons) == []
    await desk.opened()
    with pytest.raises(UnknownName):
        desk.act(desk.city, "child_left", on=desk.today.isoformat())


async def test_the_end_of_the_convention_never_blocks_the_duty(desk: Desk) -> None:
    """A-0.3: the lapse or the suspension of what was signed changes nothing of the law."""
    designate(desk)
    desk.pair.act(desk.school, ActKind.SUSPENSION)
    agreement_id = desk.pair.agreement()
    assert "A-10.1" in desk.refused(
        desk.school,
        "referral.submitted",
        {"level": "4e", "concerns": ["absences"], "hoped_help": "support"},
        agreement_id=agreement_id,
        case_id=None,
    )
    await told(desk)


async def test_it_goes_from_school_to_city_and_never_back(desk: Desk) -> None:
    """A-0.3."""
    designate(desk)
    notice_id = inform(desk)
    back = desk.city.send(TYPE, desk.school.org, NOTICE, notice_id=notice_id)
    assert isinstance(back.decision, Refused)
    assert "A-0.3" in back.decision.articles


async def test_support_and_duty_never_join(desk: Desk) -> None:
    """A-0.3: a notice opens nothing that support could use, and support feeds no notice."""
    designate(desk)
    desk.case_id = await told(desk)
    answer = {"decision": "declined", "referent": None, "next_date": None}
    assert {"A-1.1", "A-2.11"} <= desk.refused(desk.city, "referral.answered", answer)
