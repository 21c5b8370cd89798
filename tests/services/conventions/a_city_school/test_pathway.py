"""The shared support, from the watch cell to the end of the pathway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.kernel.errors import Refused
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.acts import require_case
from services.chassis.agreements import withdraw
from services.chassis.pages.cases import case_view as page_of_case
from services.chassis.pages.choosing import choices
from services.chassis.pages.messages import named
from services.chassis.pages.rendering import instant_in_words
from services.chassis.pages.today import desk_of
from services.chassis.tokens import Agent, NotPermitted, Role
from services.chassis.views import case as case_view
from services.city.models import pathway_referents
from services.conventions.a_city_school.models import watch_cells
from services.school.models import agenda, attendees
from tests.pair import ANSWER, Pair
from tests.services.conventions.a_city_school.support import CONTACT, YOUTH, Desk


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


async def test_a_watch_cell_is_called_without_a_name_and_forgotten_after_it_met(desk: Desk) -> None:
    """A-2.2, A-2.3: date, place, how many; no case, no person, no agreement."""
    at = desk.pair.clock.at + timedelta(days=3)
    data = {"at": at.isoformat(), "place": "Salle B2", "situations": 4}
    await desk.told(desk.school, "watch_cell.convened", data, case_id=None)
    (row,) = desk.city.rows(watch_cells)
    assert (row.situations, row.place, row.at) == (4, "Salle B2", at)
    assert desk.city.rows(tables.cases) == desk.city.rows(tables.persons) == []
    assert desk.waiting(desk.city) == {"watch_cell": "pending"}
    assert desk.refused(desk.city, "watch_cell.convened", data, case_id=None) >= {"A-2.2"}
    spoken = {"message_id": row.message_id, "decisions": ("support",), "at": at}
    item = {**spoken, "person_id": "0" * 32, "agent_id": "agent-1"}
    desk.school.write(lambda tx: tx.execute(agenda.insert().values(**item)))
    sat = {"message_id": row.message_id, "participants": ("head",)}
    desk.school.write(lambda tx: tx.execute(attendees.insert().values(**sat)))
    await desk.later(days=32)
    assert len(desk.city.rows(watch_cells)) == len(desk.school.rows(attendees)) == 1
    assert len(desk.school.rows(agenda)) == 1
    await desk.later(days=1)  # a month after 25 November
    assert desk.city.rows(watch_cells) == desk.school.rows(watch_cells) == []
    assert desk.school.rows(agenda) == desk.school.rows(attendees) == []


async def test_a_referral_waits_for_an_answer_ten_working_days(desk: Desk) -> None:
    """A-4.2: the city sees what waits; the answer ends it."""
    sent = desk.pair.refer()
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    assert desk.waiting(desk.city) == {"referral.answer": "pending"}
    await desk.later(days=11)
    assert desk.waiting(desk.city) == {"referral.answer": "pending"}
    await desk.later(days=2)
    assert desk.waiting(desk.city) == {"referral.answer": "missed"}
    await desk.told(desk.city, "referral.answered", ANSWER)
    assert "referral.answer" not in desk.waiting(desk.city)


async def test_both_sides_hold_the_pathway_that_they_settled(desk: Desk) -> None:
    """A-2.1, A-2.4: either side may open it, as codes and dates."""
    await desk.referred()
    await desk.told(desk.school, "pathway.opened", desk.opening())
    for side in desk.pair.sides:
        row = desk.pathway(side)
        assert (row.state, row.objectives) == ("open", ("attendance", "guidance"))
        assert desk.waiting(side)["pathway.review"] == "pending"


async def test_no_pathway_opens_without_a_referent(desk: Desk) -> None:
    """A-2.5."""
    sent = desk.pair.refer()
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    more = {**ANSWER, "decision": "more_contact_needed", "referent": None}
    await desk.told(desk.city, "referral.answered", more)
    assert desk.refused(desk.city, "pathway.opened", desk.opening()) == {"A-2.5"}
    assert desk.refused(desk.school, "pathway.opened", desk.opening()) == {"A-2.5"}
    await desk.told(
        desk.city,
        "referent.changed",
        {"referent": CONTACT, "since": desk.today.isoformat()},
    )
    assert desk.refused(desk.school, "pathway.opened", desk.opening()) == set()


PROGRESS = {"stage": "engaged", "engaged": True, "next_date": None}


async def test_only_the_present_referent_tells_how_far_it_is(desk: Desk) -> None:
    """A-2.5, A-2.7."""
    await desk.opened()
    desk.city.charter("agent-2")
    assert desk.refused(desk.city, "pathway.progress", PROGRESS, agent_id="agent-2") == {"A-2.5"}
    await desk.told(desk.city, "pathway.progress", PROGRESS)
    assert desk.pathway(desk.school).stage == "engaged"
    assert "A-2.7" in desk.refused(desk.school, "pathway.progress", PROGRESS)


async def test_a_change_of_referent_takes_access_away_at_once(desk: Desk) -> None:
    """A-2.5: one at a time, history kept, the former has nothing any more."""
    await desk.opened()
    desk.city.charter("agent-2")
    new = Agent("agent-2", Role.REFERENT)

    def opens(agent: Agent) -> bool:
        core, at = desk.city.node.core, desk.pair.clock.now()
        try:
            desk.city.write(lambda tx: require_case(tx, core, desk.case_id, agent, at))
        except NotPermitted as error:
            return error.articles != ("A-2.5",)
        return True

    assert (opens(YOUTH), opens(new)) == (True, False)
    await desk.later(hours=1)
    desk.act(desk.city, "referent", YOUTH, agent_id="agent-2", contact=CONTACT)
    await desk.pair.carry()
    assert (opens(YOUTH), opens(new)) == (False, True)
    assert opens(Agent("manager", Role.MANAGER))
    rows = sorted(desk.city.rows(pathway_referents), key=lambda row: row.since)
    assert [(row.agent_id, row.active) for row in rows] == [("agent-1", False), ("agent-2", True)]
    assert rows[0].until == rows[1].since
    assert desk.pathway(desk.school).referent_since > desk.pathway(desk.school).at
    with pytest.raises(NotPermitted):
        desk.act(desk.city, "referent", YOUTH, agent_id="agent-1", contact=CONTACT)
    assert desk.refused(desk.city, "pathway.progress", PROGRESS) == {"A-2.5"}
    await desk.told(desk.city, "pathway.progress", PROGRESS, agent_id="agent-2")


async def test_a_silent_referent_is_reminded_until_there_is_news(desk: Desk) -> None:
    """A-2.7: weeks without news show at both sides."""
    await desk.opened()
    await desk.later(weeks=6)
    assert desk.waiting(desk.city)["pathway.news"] == "pending"  # again, one level up
    table = tables.deadlines
    for side in desk.pair.sides:
        missed = side.rows(table, (table.c.kind == "pathway.news") & (table.c.state == "missed"))
        assert len(missed) == 1
    await desk.told(desk.city, "pathway.progress", PROGRESS)
    for side in desk.pair.sides:
        assert not side.rows(table, (table.c.kind == "pathway.news") & (table.c.state == "missed"))
        assert desk.waiting(side)["pathway.news"] == "pending"


async def test_the_school_tells_a_new_element_and_the_city_calls_the_family(desk: Desk) -> None:
    """A-2.8, A-2.9, A-2.12, A-7.1."""
    await desk.opened()
    element = {"element": "timetable", "on": desk.today.isoformat()}
    await desk.told(desk.school, "pathway.new_element", element)
    assert "A-2.8" in desk.refused(desk.city, "pathway.new_element", element)
    at = desk.pair.clock.at + timedelta(days=2)
    meeting = {"at": at.isoformat(), "place": "Maison de quartier", "participants": ["family"]}
    await desk.told(desk.city, "meeting.called", meeting)
    without = {**meeting, "participants": ["school"]}
    assert desk.refused(desk.city, "meeting.called", without) == {"A-2.12"}
    shown = desk.school.write(lambda tx: case_view(tx, desk.school.node.core, desk.case_id))
    lines = [(one["what"], one["code"]) for one in shown["content"]["records"]]
    assert lines == [("element", "timetable"), ("meeting", "city")]


async def test_the_family_hears_of_each_step_and_may_see_every_exchange(desk: Desk) -> None:
    """A-2.12: whoever sends a step tells the family, within a week."""
    await desk.opened()
    message_id = await desk.told(desk.city, "pathway.progress", PROGRESS)
    assert "family.told" not in desk.waiting(desk.school)
    desk.act(desk.city, "family_told", message_id=message_id, channel="phone")
    with pytest.raises(Refused) as again:
        desk.act(desk.city, "family_told", message_id=message_id, channel="phone")
    assert again.value.articles == ("A-2.12",)
    await desk.later(days=8)
    assert desk.waiting(desk.city)["family.told"] == "missed"
    shown = desk.school.write(lambda tx: case_view(tx, desk.school.node.core, desk.case_id))
    assert [one["type"] for one in shown["exchanges"]] == [
        "referral.submitted",
        "referral.answered",
        "pathway.opened",
        "pathway.progress",
    ]


async def test_an_agent_is_told_which_step_waits_and_chooses_it(desk: Desk) -> None:
    """A-2.12: on a page each step has its name and its hour, and nobody types a number."""
    await desk.opened()
    message_id = await desk.told(desk.city, "pathway.progress", PROGRESS)
    core, at, agent = desk.city.node.core, desk.pair.clock.now(), Agent("agent-1", Role.REFERENT)

    def offered() -> dict[str, str]:
        asked = (core, CONVENTION.code, "family_told", desk.case_id, at)
        found = desk.city.write(lambda tx: choices(tx, *asked))
        return {one.code: one.word for one in found["message_id"]}

    label = f"avancement du parcours, {instant_in_words(at)}"
    assert offered()[message_id] == label
    shown = desk.city.write(lambda tx: desk_of(tx, core, agent, at))
    assert label in {one.message for one in (*shown.late, *shown.due)}
    case = desk.city.write(lambda tx: page_of_case(tx, core, desk.case_id, agent, at))
    assert label in {one.message for one in case.dues}
    assert desk.city.write(lambda tx: named(tx, core, [f"{desk.case_id}:2", "0" * 32])) == {}
    desk.act(desk.city, "family_told", message_id=message_id, channel="phone")
    assert message_id not in offered()


async def test_another_body_takes_part_only_where_the_agreement_names_it(desk: Desk) -> None:
    """A-2.6, A-4.1, A-6.1: an agreement for the city is none for the association."""
    await desk.opened()
    today = desk.today.isoformat()
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "involvement", body="prevention_association", on=today)
    assert refused.value.articles == ("A-6.1",)
    with pytest.raises(Refused) as refused:
        desk.act(desk.city, "involvement", body="social_medical_centre", on=today)
    assert refused.value.articles == ("A-4.1",)
    sent = desk.pair.refer(desk.pair.agreement(associated=["prevention_association"]))
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    desk.act(desk.city, "involvement", body="prevention_association", on=today)


async def test_the_end_of_a_pathway_starts_retention_at_both_sides(desk: Desk) -> None:
    """A-2.4, A-5.1: three months later everything is destroyed."""
    await desk.opened()
    closed = {"closed_on": desk.today.isoformat(), "outcome": "objectives_met"}
    assert desk.refused(desk.school, "pathway.closed", closed) == set()
    await desk.pair.carry()
    ends = midnight(add_months(desk.today, 3))
    for side in desk.pair.sides:
        (case,) = side.rows(tables.cases)
        assert (case.state, case.retain_until) == ("closed", ends)
        assert desk.pathway(side).outcome == "objectives_met"
    assert set(desk.waiting(desk.school)) == {"family.told"}
    assert "A-1.3" in desk.refused(desk.city, "pathway.progress", PROGRESS)


async def test_a_withdrawal_ends_the_pathway_and_all_that_was_due(desk: Desk) -> None:
    """A-2.11."""
    agreement_id = desk.pair.agreement()
    sent = desk.pair.refer(agreement_id)
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    await desk.told(desk.city, "referral.answered", ANSWER)
    await desk.told(desk.city, "pathway.opened", desk.opening())
    core, at = desk.school.node.core, desk.pair.clock.now()
    desk.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.pathway(side).state == "stopped"
        assert desk.waiting(side) == {}
    assert desk.refused(desk.city, "pathway.progress", PROGRESS) >= {"A-1.3", "A-2.11"}
