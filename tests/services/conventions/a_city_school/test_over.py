"""A case that is over: its page offers what may still be done there, and says why no more is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.kernel.errors import Refused
from services.chassis.agreements import withdraw
from services.chassis.pages.cases import CaseView, case_view
from services.chassis.tokens import Agent, Role
from tests.pair import Pair, Side
from tests.services.conventions.a_city_school.support import CONTACT, YOUTH, Desk, paris


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


def page(desk: Desk, side: Side, role: Role = Role.REFERENT) -> CaseView:
    """The case as an agent sees it now."""
    core, at, agent = side.node.core, desk.pair.clock.now(), Agent("agent-1", role)
    shown: CaseView = side.write(lambda tx: case_view(tx, core, desk.case_id, agent, at))
    return shown


def offered(desk: Desk, side: Side) -> set[str]:
    """Acts that the page offers."""
    return {one.path.rpartition("/")[2] for one in page(desk, side).acts}


async def measured(desk: Desk) -> str:
    """A measure that both sides agreed to; returns its agreement."""
    agreement_id = desk.agreed()
    await desk.requested(agreement_id=agreement_id)
    desk.host()
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    return agreement_id


async def test_a_stopped_case_offers_nothing_and_refuses_it(desk: Desk) -> None:
    """A-2.11: everything stops; page and API say the same."""
    agreement_id = await measured(desk)
    today = desk.today.isoformat()
    assert page(desk, desk.city).over == ""
    assert {"reflection", "themes", "family_told"} <= offered(desk, desk.city)
    desk.act(desk.city, "reflection", YOUTH, on=today)
    core, at = desk.school.node.core, desk.pair.clock.now()
    desk.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        shown = page(desk, side)
        assert shown.acts == shown.messages == shown.without_agreement == ()
        assert shown.over.startswith("Cette situation est arrêtée")
        assert "rien ne s'y enregistre plus" in shown.over
    assert page(desk, desk.city, Role.DPO).over == ""
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "reflection", YOUTH, on=today)
    assert (refused.value.code, refused.value.articles) == ("case_over", ("A-3.8",))
    assert "arrêtée" in refused.value.sentence


async def test_an_act_is_offered_and_taken_in_the_cases_that_it_is_about(desk: Desk) -> None:
    """A-3.3: a measure has a purpose of its own; what is done in one is not done in a pathway."""
    await desk.opened()
    in_pathway = offered(desk, desk.city), offered(desk, desk.school)
    assert in_pathway == ({"referent", "involvement", "family_told"}, {"family_told"})
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "reflection", YOUTH, on=desk.today.isoformat())
    assert (refused.value.code, refused.value.articles) == ("other_purpose", ("A-3.8",))
    assert "Alternative à l'exclusion temporaire" in refused.value.sentence
    await measured(desk)
    in_measure = offered(desk, desk.city), offered(desk, desk.school)
    measure = {"reception", "themes", "reflection", "booklet"}
    assert in_measure == (
        {"involvement", "family_told"} | measure,
        {"family_told", "booklet_shown"},
    )


async def test_a_closed_case_takes_what_is_said_of_its_end(desk: Desk) -> None:
    """A-2.12, A-3.12: the family still hears of the end, and the booklet is shown on return."""
    await desk.running()
    await desk.on(paris(desk.first_day + timedelta(days=4), 17))
    ended = {"outcome": "completed", "ended_on": desk.today.isoformat(), "booklet_handed": True}
    await desk.told(desk.city, "alternative.ended", ended)
    today = desk.today.isoformat()
    assert offered(desk, desk.city) == {"family_told", "reception", "reflection", "booklet"}
    assert offered(desk, desk.school) == {"family_told", "booklet_shown"}
    assert "seul ce qui suit" in page(desk, desk.city).over
    desk.act(desk.school, "booklet_shown", on=today, shown=True)
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "themes", YOUTH, themes=["peers"])
    assert (refused.value.code, refused.value.articles) == ("case_over", ("A-3.4",))
