"""Social clauses: an opportunity names nobody, and a question is forgotten by both the next day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.kernel.errors import Refused
from contracts.kernel.paris import midnight
from services.chassis import schema, tables
from services.chassis.agreements import withdraw
from services.chassis.holds import Hold, place_hold, release_hold
from services.chassis.retention import purge
from services.chassis.tokens import Role
from services.conventions.c_employment_city_ccas import territory
from services.conventions.c_employment_city_ccas.territory_clauses import WAITS
from services.conventions.c_employment_city_ccas.territory_models import opportunities, questions
from tests.pair import CONVENTION as SIGNED
from tests.pair import Side
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    NOW,
    OPPORTUNITY,
    Office,
)

ANSWERED = "clause.eligibility_answered"
YES = {"answer": "yes"}


def state(side: Side) -> list[str]:
    return [row.state for row in side.rows(questions)]


async def test_a_question_is_answered_once_by_the_referent(office: Office) -> None:
    """C-3d.4: by the agency alone, and only while it waits."""
    await office.asks()
    for side in office.pair.sides:
        assert state(side) == ["waiting"]
    assert office.waiting(office.agency)["clause.answer"] == "pending"
    assert "clause.answer" not in office.waiting(office.city)
    office.person_told()
    await office.told(office.agency, ANSWERED, {"answer": "unknown"})
    for side in office.pair.sides:
        assert state(side) == ["answered"]
    assert "clause.answer" not in office.waiting(office.agency)
    assert office.refused(office.agency, ANSWERED, YES) >= {"C-3d.4"}


async def test_the_agency_tells_the_person_before_it_answers(office: Office) -> None:
    """C-4.2: recorded about the case, by whoever may answer, and not for a day to come."""
    await office.asks()
    assert office.refused(office.agency, ANSWERED, YES) == {"C-4.2"}
    later = (office.pair.clock.now() + timedelta(seconds=1)).isoformat()
    with pytest.raises(Refused, match="futur"):
        office.act(office.agency, "person_told", at=later)
    office.person_told()
    assert office.refused(office.agency, ANSWERED, YES) == set()
    with pytest.raises(Refused, match="attend"):
        office.person_told()


async def test_a_question_without_an_answer_is_forgotten_after_a_day(office: Office) -> None:
    """C-3d.4, C-5.1: at both sides; not a second before."""
    await office.asks()
    await forgotten(office, NOW + WAITS)


async def test_an_answer_is_forgotten_a_day_after_it_was_given(office: Office) -> None:
    """C-3d.4, C-5.1: at both sides at once, wherever the answer was underway meanwhile."""
    await office.asks()
    await office.later(hours=23)
    office.person_told()
    given = office.pair.clock.at
    outcome = office.send(office.agency, ANSWERED, YES)
    await office.later(minutes=50)
    await office.pair.carry()
    assert office.agency.state(outcome.message_id) == "accepted"
    await office.later(minutes=20)
    assert state(office.city) == ["answered"]
    await forgotten(office, given + WAITS)


async def forgotten(office: Office, at: datetime) -> None:
    """Still known a second before, and gone with its case at that instant, at both sides."""
    await office.on(at - timedelta(seconds=1))
    for side in office.pair.sides:
        assert len(side.rows(questions)) == 1
    await office.on(at)
    for side in office.pair.sides:
        assert side.rows(questions) == []
        (case,) = side.rows(tables.cases)
        assert (case.state, case.person_id, case.reference) == ("erased", None, None)
    assert office.agency.rows(tables.persons) == []


async def test_after_a_day_no_answer_passes_even_where_nobody_looked(office: Office) -> None:
    """C-3d.4: the bound is the instant's, not the scheduler's."""
    await office.asks()
    office.person_told()
    office.pair.clock.at = NOW + WAITS - timedelta(microseconds=1)
    assert office.refused(office.agency, ANSWERED, YES) == set()
    await office.pair.carry()


async def test_a_late_answer_is_refused(office: Office) -> None:
    """C-3d.4."""
    await office.asks()
    office.person_told()
    office.pair.clock.at = NOW + WAITS
    assert office.refused(office.agency, ANSWERED, YES) >= {"C-3d.4"}


async def test_nothing_of_the_question_or_the_answer_is_written_where_it_arrives(
    office: Office,
) -> None:
    """C-5.1, C-5.2: no person, no name, no answer in any table of the receiver; codes and days."""
    await office.asks()
    agency = office.agency
    assert agency.rows(tables.persons) == agency.rows(tables.held_proofs) == []
    assert "Exemplaire" not in dump(agency)
    assert office.shown(agency)["question"]["state"] == "waiting"
    office.person_told()
    await office.told(agency, ANSWERED, YES)
    assert set(office.shown(office.city)["question"]) == {
        "state",
        "asked_here",
        "asked_at",
        "forget_at",
        "told_at",
    }


def dump(side: Side) -> str:
    """Every row of every table of a node, in clear where it is in clear."""
    metadatas = (tables.persons.metadata, schema.metadata, questions.metadata)
    found = {name: one for metadata in metadatas for name, one in metadata.tables.items()}
    return "\n".join(str(row) for one in found.values() for row in side.rows(one))


async def test_a_question_is_its_referents_alone_to_see(office: Office) -> None:
    """C-3d.4: another agent of the same agency has no access; its manager and its DPO have."""
    await office.asks()
    at = office.pair.clock.now()

    def sees(side: Side, agent: str, role: Role) -> Any:
        case_id = office.case_id
        return side.write(lambda tx: territory.may_read(tx, case_id, agent, role.value, at))

    for side in office.pair.sides:
        assert sees(side, "agent-1", Role.REFERENT)
        assert not sees(side, "agent-2", Role.REFERENT)
        assert sees(side, "agent-2", Role.MANAGER)
        assert sees(side, "agent-2", Role.DPO)


async def test_a_withdrawal_stops_a_question_at_once(office: Office) -> None:
    """C-5.1: nothing is answered any more, and both forget it without waiting for the day."""
    agreement = office.agreed(office.city)
    await office.told(office.city, "clause.eligibility_asked", {}, agreement_id=agreement)
    office.person_told()
    core, at = office.city.node.core, office.pair.clock.now()
    office.city.write(lambda tx: withdraw(tx, core, agreement, None, at))
    await office.pair.carry()
    assert "C-3d.4" in office.refused(office.agency, ANSWERED, YES)
    await office.on(at)
    for side in office.pair.sides:
        assert side.rows(questions) == []


async def test_a_dispute_keeps_a_question_until_it_is_settled(office: Office) -> None:
    """C-6.5: and no longer."""
    await office.asks()
    agency, core = office.agency, office.agency.node.core
    hold = Hold(ground="court", case_id=office.case_id)
    agency.write(lambda tx: place_hold(tx, core, SIGNED, hold, "h" * 32, "agent-1", NOW))
    await office.on(NOW + WAITS)
    assert len(agency.rows(questions)) == 1
    assert office.city.rows(questions) == []
    assert office.refused(agency, ANSWERED, YES) >= {"C-5.3"}
    at = office.pair.clock.now()
    agency.write(lambda tx: release_hold(tx, core, SIGNED, "h" * 32, "agent-1", at))
    await purge(agency.node.database, core, at)
    assert agency.rows(questions) == []


async def test_an_erasure_leaves_no_row(office: Office) -> None:
    """C-6.5."""
    await office.asks()
    for side in office.pair.sides:
        office.erased(side)
        assert side.rows(questions) == []
        assert not {"clause.forget", "clause.answer"} & office.waiting(side).keys()


@pytest.mark.parametrize("which", ["agency", "city"])
async def test_an_opportunity_is_known_until_it_closes(office: Office, which: str) -> None:
    """C-3d.1, C-3d.2, C-6.5: told both ways, and gone the day after its last day."""
    side = getattr(office, which)
    await office.told(side, "clause.opportunity", OPPORTUNITY)
    for one in office.pair.sides:
        (row,) = one.rows(opportunities)
        assert (row.sent_here, row.site) == (one is side, OPPORTUNITY["site"])
    ends = midnight(row.last_day + timedelta(days=1))
    office.renewed()
    await office.on(ends - timedelta(seconds=1))
    assert len(office.city.rows(opportunities)) == 1
    await office.on(ends)
    for one in office.pair.sides:
        assert one.rows(opportunities) == []


def test_the_act_of_the_agency_is_not_the_city_s() -> None:
    """C-4.2."""
    assert "person_told" in territory.AGENCY_ACTS
    assert "person_told" not in territory.CITY_ACTS
