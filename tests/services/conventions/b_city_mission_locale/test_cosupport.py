"""Co-support: two referents before any follow-up, regular checkpoints, and an end."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.acts import require_case
from services.chassis.tokens import Agent, NotPermitted, Role
from services.conventions.b_city_mission_locale.models import cosupports, referents
from tests.pair import Side
from tests.services.conventions.b_city_mission_locale.support import CONTACT, OTHER, WORKER, Desk

CHECKPOINT, CLOSED = "cosupport.checkpoint", "cosupport.closed"


def end(desk: Desk, outcome: str = "objectives_met") -> dict[str, str]:
    return {"closed_on": desk.today.isoformat(), "outcome": outcome}


async def test_its_page_offers_what_is_of_a_co_support_and_no_more(desk: Desk) -> None:
    """B-1.1: one purpose for three kinds of case, each with its own messages and acts."""
    await desk.opened()
    messages = {f"cosupport.{what}" for what in ("referent_changed", "checkpoint", "closed")}
    for side in desk.pair.sides:
        acts = {"cosupport_referent", "silent_try"}
        assert side.offered(desk.case_id, WORKER) == messages | acts


@pytest.mark.parametrize("first", ["city", "mission"])
async def test_no_follow_up_before_each_side_has_its_referent(desk: Desk, first: str) -> None:
    """B-2.11, B-2.13: either side opens it; the pair is recorded before any checkpoint."""
    opening = getattr(desk, first)
    other = desk.other(opening)
    await desk.opened(opening)
    assert desk.refused(opening, CHECKPOINT, desk.checkpoint()) == {"B-2.13"}
    assert desk.refused(other, CHECKPOINT, desk.checkpoint()) == {"B-2.13"}
    assert desk.waiting(other)["cosupport.referent"] == "pending"
    desk.act(other, "cosupport_referent", agent_id="agent-1", contact=OTHER)
    await desk.pair.carry()
    assert "cosupport.referent" not in desk.waiting(other)
    for side in desk.pair.sides:
        await desk.told(side, CHECKPOINT, desk.checkpoint())
        assert {row.org for row in side.rows(referents)} == {desk.mission.org, desk.city.org}
    assert desk.row(other, cosupports).objectives == ("training", "mobility")


async def test_whoever_opens_may_name_both_and_each_says_which_agent_it_is(desk: Desk) -> None:
    """B-2.13: a name makes the pair; only an agent known here writes as the referent."""
    agreement = desk.agreed(desk.city)
    data = desk.opening(other_referent=OTHER)
    await desk.told(desk.city, "cosupport.opened", data, agreement_id=agreement)
    assert desk.refused(desk.mission, CHECKPOINT, desk.checkpoint()) == {"B-2.13"}
    await desk.told(desk.city, CHECKPOINT, desk.checkpoint())
    desk.act(desk.mission, "cosupport_referent", agent_id="agent-1", contact=OTHER)
    assert desk.refused(desk.mission, CHECKPOINT, desk.checkpoint()) == set()


def opens(desk: Desk, side: Side, agent: Agent) -> bool:
    core, at = side.node.core, desk.pair.clock.now()
    try:
        side.write(lambda tx: require_case(tx, core, desk.case_id, agent, at))
    except NotPermitted:
        return False
    return True


@pytest.mark.parametrize("which", ["city", "mission"])
async def test_a_change_of_referent_takes_access_away_at_once(desk: Desk, which: str) -> None:
    """B-2.13: at either side, history kept, and the other side told whom to call."""
    side = getattr(desk, which)
    await desk.paired()
    side.charter("agent-2")
    former, new = Agent("agent-1", Role.REFERENT), Agent("agent-2", Role.REFERENT)
    assert (opens(desk, side, former), opens(desk, side, new)) == (True, False)
    await desk.later(hours=1)
    desk.act(side, "cosupport_referent", agent_id="agent-2", contact=CONTACT)
    await desk.pair.carry()
    assert (opens(desk, side, former), opens(desk, side, new)) == (False, True)
    assert opens(desk, side, Agent("chief", Role.MANAGER))
    assert desk.refused(side, CHECKPOINT, desk.checkpoint()) == {"B-2.13"}
    assert desk.refused(side, CHECKPOINT, desk.checkpoint(), agent_id="agent-2") == set()
    mine = [row for row in side.rows(referents) if row.org == side.org]
    assert sorted((row.agent_id, row.active) for row in mine) == [
        ("agent-1", False),
        ("agent-2", True),
    ]
    shown = desk.shown(desk.other(side))["cosupport"]
    assert shown["referents"][side.org]["name"] == CONTACT["name"]


async def test_a_checkpoint_is_due_on_its_day_and_recalled_until_it_is_made(desk: Desk) -> None:
    """B-2.14."""
    await desk.paired()
    await desk.later(days=14)
    assert desk.waiting(desk.city)["cosupport.checkpoint"] == "pending"
    await desk.later(days=1)
    table = tables.deadlines
    about = table.c.kind == "cosupport.checkpoint"
    for side in desk.pair.sides:
        assert [row.state for row in side.rows(table, about)] == ["missed", "pending"]
    await desk.later(days=14)
    states = sorted(row.state for row in desk.city.rows(table, about))
    assert states == ["missed", "missed", "pending"]
    await desk.told(desk.city, CHECKPOINT, desk.checkpoint())
    for side in desk.pair.sides:
        assert desk.waiting(side)["cosupport.checkpoint"] == "pending"
        assert not side.rows(table, about & (table.c.state == "missed"))


async def test_they_tell_each_other_who_no_longer_answers_and_how_they_adapt(desk: Desk) -> None:
    """B-2.7, B-2.12: in an open co-support alone; a sign of life starts the count anew."""
    await desk.paired()
    silent = (desk.today - timedelta(days=10)).isoformat()
    said = desk.checkpoint(no_answer_since=silent, adaptations=["place", "contact_mode"])
    await desk.told(desk.city, CHECKPOINT, said)
    row = desk.row(desk.mission, cosupports)
    assert (row.no_answer_since, row.adaptations) == (
        date.fromisoformat(silent),
        ("place", "contact_mode"),
    )
    desk.act(desk.mission, "silent_try", on=desk.today.isoformat())
    assert desk.row(desk.mission, cosupports).tries == 1
    await desk.told(desk.mission, CHECKPOINT, desk.checkpoint(no_answer_since=silent))
    assert desk.row(desk.mission, cosupports).tries == 1
    await desk.told(desk.mission, CHECKPOINT, desk.checkpoint())
    assert desk.row(desk.mission, cosupports).tries == 0
    await desk.told(desk.city, CLOSED, end(desk))
    assert desk.refused(desk.city, CHECKPOINT, said) >= {"B-2.11", "B-3.1"}


async def test_the_third_silent_try_ends_it(desk: Desk) -> None:
    """B-2.7: counted by the referent, one a day; both sides know."""
    await desk.paired()
    for _ in range(3):
        await desk.later(days=1)
        assert desk.row(desk.city, cosupports).state == "open"
        desk.act(desk.city, "silent_try", on=desk.today.isoformat())
    await desk.pair.carry()
    for side in desk.pair.sides:
        row = desk.row(side, cosupports)
        assert (row.state, row.outcome) == ("closed", "no_answer")
    await desk.later(days=1)
    with pytest.raises(Refused, match="terminée"):
        desk.act(desk.city, "silent_try", on=desk.today.isoformat())


async def test_a_try_that_would_end_it_is_refused_with_what_refuses_the_end(desk: Desk) -> None:
    """B-2.13: whoever is no referent may read as a manager, and does not close."""
    await desk.paired()
    desk.city.charter("chief")
    chief = Agent("chief", Role.MANAGER)
    for _ in range(2):
        await desk.later(days=1)
        desk.act(desk.city, "silent_try", chief, on=desk.today.isoformat())
    await desk.later(days=1)
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "silent_try", chief, on=desk.today.isoformat())
    assert refused.value.articles == ("B-2.13",)
    assert desk.row(desk.city, cosupports).tries == 2


@pytest.mark.parametrize("which", ["city", "mission"])
async def test_either_referent_closes_it_and_it_is_kept_three_months(
    desk: Desk, which: str
) -> None:
    """B-2.11, B-3.1."""
    await desk.paired()
    side = getattr(desk, which)
    side.charter("agent-2")
    assert desk.refused(side, CLOSED, end(desk), agent_id="agent-2") == {"B-2.13"}
    await desk.told(side, CLOSED, end(desk))
    for one in desk.pair.sides:
        kept = desk.row(one, tables.cases)
        assert (kept.state, kept.retain_until) == ("closed", midnight(add_months(desk.today, 3)))
        assert {"cosupport.checkpoint", "outgrown"}.isdisjoint(desk.waiting(one))


async def test_on_the_twenty_sixth_birthday_it_stops_at_both_sides(desk: Desk) -> None:
    """B-1.2: no message passes from then on, so that each side ends it by itself."""
    agreement = desk.agreed(desk.city, desk.person(desk.city, "2000-12-01"))
    data = desk.opening(other_referent=OTHER)
    await desk.told(desk.city, "cosupport.opened", data, agreement_id=agreement)
    await desk.on(midnight(date(2026, 12, 1)) - timedelta(seconds=1))
    assert desk.refused(desk.city, CHECKPOINT, desk.checkpoint()) == set()
    await desk.on(midnight(date(2026, 12, 1)))
    for side in desk.pair.sides:
        assert desk.row(side, cosupports).state == "stopped"
        assert desk.row(side, tables.cases).state == "closed"
    assert desk.refused(desk.city, CHECKPOINT, desk.checkpoint()) >= {"B-1.2", "B-2.11"}


async def test_an_erasure_leaves_no_row(desk: Desk) -> None:
    """B-3.1: nor the names of the two referents."""
    await desk.paired()
    for side in desk.pair.sides:
        assert side.rows(cosupports)
        desk.erased(side)
        assert side.rows(cosupports) == side.rows(referents) == []
