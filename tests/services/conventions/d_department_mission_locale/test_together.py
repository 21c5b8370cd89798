"""Going on together, handing over, changing referents, and who may read what meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.acts import require_case
from services.chassis.schema import journal
from services.chassis.tokens import Agent, NotPermitted, Role
from services.conventions.d_department_mission_locale.models import referents
from tests.pair import Side
from tests.services.conventions.d_department_mission_locale.support import (
    CONTACT,
    DECIDED,
    ENROLMENT,
    OTHER,
    REFERENT,
    Desk,
)

NEW = {"name": "Lou Nouvelle", "phone": None, "email": None}


def opens(desk: Desk, side: Side, agent: Agent) -> bool:
    core, at = side.node.core, desk.pair.clock.now()
    try:
        side.write(lambda tx: require_case(tx, core, desk.case_id, agent, at))
    except NotPermitted:
        return False
    return True


@pytest.mark.parametrize("which", ["department", "mission"])
async def test_a_change_of_referent_takes_access_away_at_once(desk: Desk, which: str) -> None:
    """D-1.4: at either side, history kept, and the other side told whom to speak to."""
    side: Side = getattr(desk, which)
    await desk.met()
    former, new = Agent("agent-1", Role.REFERENT), Agent("agent-2", Role.REFERENT)
    assert (opens(desk, side, former), opens(desk, side, new)) == (True, False)
    await desk.later(hours=1)
    desk.act(side, "youth_referent", agent_id="agent-2", contact=NEW)
    await desk.pair.carry()
    assert (opens(desk, side, former), opens(desk, side, new)) == (False, True)
    assert opens(desk, side, Agent("chief", Role.MANAGER))
    mine = [row for row in side.rows(referents) if row.org == side.org]
    assert sorted((row.agent_id, row.active) for row in mine) == [
        ("agent-1", False),
        ("agent-2", True),
    ]
    side.charter("agent-2")
    said = desk.decision()
    assert desk.refused(side, DECIDED, said) == {"D-1.4"}
    line = max(side.rows(journal), key=lambda row: row.seq)
    assert (line.event, line.agent_id) == ("message.refused", "agent-1")
    assert desk.refused(side, DECIDED, said, agent_id="agent-2") == set()
    other = desk.other(side)
    assert desk.shown(other)["youth"]["referents"][side.org] == NEW
    assert opens(desk, other, former)
    with pytest.raises(NotPermitted):
        desk.act(side, "youth_referent", agent_id="agent-1", contact=CONTACT)


async def test_a_referent_is_not_named_where_the_gate_says_no(desk: Desk) -> None:
    """D-1.4, D-8.1: without a charter the act is refused whole."""
    await desk.met()
    stranger = Agent("stranger", Role.MANAGER)
    with pytest.raises(Refused) as refused:
        desk.act(desk.mission, "youth_referent", stranger, agent_id="agent-2", contact=NEW)
    assert refused.value.articles == ("D-8.1",)
    assert desk.shown(desk.mission)["youth"]["referents"][desk.mission.org] == OTHER


@pytest.mark.parametrize("which", ["department", "mission"])
@pytest.mark.parametrize("mode", ["together", "handover"])
async def test_nothing_is_decided_against_the_young_person(
    desk: Desk, which: str, mode: str
) -> None:
    """D-1.4: the young person's own view; hesitating is no opposition."""
    side: Side = getattr(desk, which)
    await desk.met()
    said = desk.decision(mode=mode, view="against")
    assert desk.refused(side, DECIDED, said) == {"D-1.4"}
    await desk.told(side, DECIDED, desk.decision(mode=mode, view="undecided"))
    decision = desk.shown(desk.other(side))["youth"]["decision"]
    assert (decision["mode"], decision["view"]) == (mode, "undecided")
    assert decision["contact"] == CONTACT


async def test_handed_over_the_case_ends_on_its_day_and_not_a_day_before(desk: Desk) -> None:
    """D-1.4, D-8.1: one side goes on alone; three months later nothing is left."""
    await desk.met()
    since = desk.today + timedelta(days=10)
    await desk.told(desk.department, DECIDED, desk.decision(mode="handover", since=str(since)))
    await desk.on(midnight(since) - timedelta(seconds=1))
    assert desk.refused(desk.department, ENROLMENT, {"proposed_on": desk.day()}) == set()
    await desk.on(midnight(since))
    for side in desk.pair.sides:
        case = desk.row(side, tables.cases)
        assert (case.state, case.retain_until) == ("closed", midnight(add_months(since, 3)))
        assert "youth.outgrown" not in desk.waiting(side)
    assert desk.refused(desk.department, ENROLMENT, {"proposed_on": desk.day()}) == {"D-1.2"}


async def test_a_handover_called_off_ends_nothing(desk: Desk) -> None:
    """D-1.4."""
    await desk.met()
    since = desk.today + timedelta(days=10)
    await desk.told(desk.department, DECIDED, desk.decision(mode="handover", since=str(since)))
    await desk.told(desk.mission, DECIDED, desk.decision())
    await desk.on(midnight(since))
    assert desk.row(desk.mission, tables.cases).state == "open"


async def test_either_side_closes_its_own_case(desk: Desk) -> None:
    """D-8.1: not in advance; whatever the other sends then is refused."""
    await desk.met()
    with pytest.raises(Refused):
        desk.act(desk.mission, "case_closed", on=desk.day(1))
    desk.act(desk.mission, "case_closed", on=desk.day())
    case = desk.row(desk.mission, tables.cases)
    assert (case.state, case.retain_until) == ("closed", midnight(add_months(desk.today, 3)))
    outcome = desk.send(desk.department, REFERENT, {"referent": NEW, "since": desk.day()})
    await desk.pair.carry()
    assert desk.department.state(outcome.message_id) == "refused"
