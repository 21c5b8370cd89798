"""A first contact and enrolment: who may be asked about, who answers, and what ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import add_months, midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.conventions.d_department_mission_locale.models import holder_notices
from tests.services.conventions.d_department_mission_locale.support import (
    ANSWERED,
    CONTACT,
    CONTACTED,
    ENROLLED,
    ENROLMENT,
    MET,
    OTHER,
    REQUEST,
    Desk,
)


async def test_the_mission_locale_learns_whom_to_meet_and_who_follows(desk: Desk) -> None:
    """D-1.1, D-1.2, D-0.2: priority without its ground; who to speak to, and no more."""
    await desk.contacted()
    assert desk.waiting(desk.mission)["contact.answer"] == "pending"
    assert "contact.answer" not in desk.waiting(desk.department)
    shown = desk.shown(desk.mission)["youth"]
    assert shown["request"]["young_person"]["first_name"] == "Sacha"
    assert (shown["request"]["priority"], shown["state"]) == (True, "open")
    assert shown["referents"] == {desk.department.org: CONTACT}
    await desk.told(desk.mission, ANSWERED, MET)
    assert "contact.answer" not in desk.waiting(desk.mission)
    for side in desk.pair.sides:
        shown = desk.shown(side)["youth"]
        assert (shown["contact"], shown["referents"][desk.mission.org]) == ("met", OTHER)


async def test_the_holder_of_parental_authority_knows_first(desk: Desk) -> None:
    """D-1.2, D-1.11: of a minor; nobody is left to tell at eighteen."""
    minor = desk.person()
    agreement = desk.agreed(minor)

    def asked(agreement: str) -> set[str]:
        return desk.refused(desk.department, CONTACTED, REQUEST, agreement_id=agreement)

    assert asked(agreement) == {"D-1.2"}
    desk.informed(minor)
    assert asked(agreement) == set()
    assert asked(desk.agreed(desk.person("2008-11-23"))) == {"D-1.2"}
    assert asked(desk.agreed(desk.person("2008-11-22"))) == set()
    with pytest.raises(UnknownName):
        desk.informed("0" * 32)


async def test_what_a_holder_was_told_goes_with_the_person(desk: Desk) -> None:
    """D-8.1: it outlives nobody in the register."""
    person = desk.informed(desk.person())
    await desk.later(minutes=1)
    assert len(desk.department.rows(holder_notices)) == 1
    gone = tables.persons.delete().where(tables.persons.c.person_id == person)
    desk.department.write(lambda tx: tx.execute(gone))
    await desk.department.node.purge(desk.pair.clock.at)
    assert desk.department.rows(holder_notices) == []


@pytest.mark.parametrize(
    ("born", "articles"),
    [
        ("2010-11-23", {"D-0.2"}),
        ("2010-11-22", set()),
        ("2000-11-23", set()),
        ("2000-11-22", {"D-0.4"}),
    ],
)
async def test_the_age_is_that_of_the_day(desk: Desk, born: str, articles: set[str]) -> None:
    """D-0.2, D-0.4, D-0.3: 16 to the eve of 26, adults as minors; it is 22 November 2026."""
    agreement = desk.agreed(desk.informed(desk.person(born)))
    refused = desk.refused(desk.department, CONTACTED, REQUEST, agreement_id=agreement)
    assert refused == articles


@pytest.mark.parametrize(
    ("changes", "articles"),
    [
        ({}, set()),
        ({"granted": False}, {"D-1.4"}),
        ({"giver": "representative", "authority": "parental"}, {"D-1.4"}),
    ],
)
async def test_only_the_young_person_agrees(
    desk: Desk, changes: dict[str, Any], articles: set[str]
) -> None:
    """D-1.4."""
    agreement = desk.agreed(**changes)
    refused = desk.refused(desk.department, CONTACTED, REQUEST, agreement_id=agreement)
    assert refused == articles


async def test_only_whom_the_department_supports(desk: Desk) -> None:
    """D-0.2: no new case for whoever left; and the Mission Locale asks for none."""
    person = desk.informed(desk.person())
    agreement = desk.agreed(person)
    desk.left(person)
    refused = desk.refused(desk.department, CONTACTED, REQUEST, agreement_id=agreement)
    assert refused == {"D-0.2"}
    assert "D-1.2" in desk.refused(desk.mission, CONTACTED, REQUEST)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("met", "open"), ("registered", "open"), ("declined", "closed"), ("unreachable", "closed")],
)
async def test_an_answer_that_leads_nowhere_ends_the_case(
    desk: Desk, outcome: str, state: str
) -> None:
    """D-1.2, D-8.1: kept three months from the answer."""
    await desk.contacted()
    await desk.told(desk.mission, ANSWERED, {"outcome": outcome, "adviser": None})
    for side in desk.pair.sides:
        case = desk.row(side, tables.cases)
        assert (desk.row(side).state, case.state) == (state, state)
        kept = midnight(add_months(desk.today, 3)) if state == "closed" else None
        assert case.retain_until == kept


async def test_a_late_answer_is_on_the_list_and_not_a_day_before(desk: Desk) -> None:
    """D-1.2, D-1.3: ten working days, a proposal."""
    await desk.contacted()
    await desk.told(desk.department, ENROLMENT, {"proposed_on": desk.day()})
    kinds = ("contact.answer", "enrolment.answer")
    due = {row.due_at for row in desk.mission.rows(tables.deadlines) if row.kind in kinds}
    (last,) = due
    await desk.on(last - timedelta(seconds=1))
    assert {desk.waiting(desk.mission)[kind] for kind in kinds} == {"pending"}
    await desk.on(last)
    assert {desk.waiting(desk.mission)[kind] for kind in kinds} == {"missed"}


async def test_enrolment_is_proposed_then_answered(desk: Desk) -> None:
    """D-1.3: a no says nothing of why, and ends nothing."""
    await desk.met()
    said = {"outcome": "declined", "on": desk.day()}
    assert desk.refused(desk.mission, ENROLLED, said) == {"D-1.3"}
    await desk.told(desk.department, ENROLMENT, {"proposed_on": desk.day()})
    await desk.told(desk.mission, ENROLLED, said)
    assert "enrolment.answer" not in desk.waiting(desk.mission)
    for side in desk.pair.sides:
        enrolment = desk.shown(side)["youth"]["enrolment"]
        assert enrolment == {"proposed": True, "outcome": "declined"}
        assert desk.row(side, tables.cases).state == "open"


async def test_a_withdrawal_stops_it_at_both_sides(desk: Desk) -> None:
    """D-1.4: the young person says no, later; nothing flows from then on."""
    agreement = desk.agreed()
    await desk.told(desk.department, CONTACTED, REQUEST, agreement_id=agreement)
    core, at = desk.department.node.core, desk.pair.clock.now()
    desk.department.write(lambda tx: withdraw(tx, core, agreement, "agent-1", at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.row(side).state == "stopped"
        assert {"youth.outgrown", "contact.answer"}.isdisjoint(desk.waiting(side))
    assert desk.refused(desk.mission, ANSWERED, MET) >= {"D-1.4"}


async def test_on_the_twenty_sixth_birthday_it_ends_at_both_sides(desk: Desk) -> None:
    """D-0.4: no message passes from then on, so that each side ends it by itself."""
    await desk.met("2000-12-01")
    birthday = midnight(desk.today + timedelta(days=9))
    await desk.on(birthday - timedelta(seconds=1))
    said = {"proposed_on": desk.day()}
    assert desk.refused(desk.department, ENROLMENT, said) == set()
    await desk.on(birthday)
    for side in desk.pair.sides:
        assert (desk.row(side).state, desk.row(side, tables.cases).state) == ("closed", "closed")
    assert desk.refused(desk.department, ENROLMENT, said) >= {"D-0.4", "D-1.2"}


async def test_a_decision_to_come_is_no_foundation(desk: Desk) -> None:
    """D-5.1, D-8.1."""
    for what in ("local_implementation", "dpia"):
        with pytest.raises(InvalidPayload):
            desk.found(desk.mission, what, desk.today + timedelta(days=1))
