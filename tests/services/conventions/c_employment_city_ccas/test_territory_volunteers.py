"""Volunteers: their own request, once; shown to the project, written down nowhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload, UnknownName
from services.chassis import tables
from services.conventions.c_employment_city_ccas import territory_volunteers as people
from services.conventions.c_employment_city_ccas.territory_models import (
    skill_offers,
    volunteers,
)
from tests.services.conventions.c_employment_city_ccas.territory_support import NOW, SKILLS, Office

TYPE = "volunteer.skills_offered"


async def offered(office: Office) -> str:
    person = office.person(office.agency)
    office.resident(person)
    office.volunteers(person)
    agreement = office.agreed(office.agency, person)
    await office.told(office.agency, TYPE, SKILLS, agreement_id=agreement)
    return agreement


async def test_nobody_is_offered_who_did_not_ask_and_is_not_of_rouen(office: Office) -> None:
    """C-3e.5, C-2.1: each by itself, and an agreement alone is not enough."""
    person = office.person(office.agency)
    about = {"agreement_id": office.agreed(office.agency, person)}
    assert office.refused(office.agency, TYPE, SKILLS, **about) == {"C-2.1", "C-3e.5"}
    office.resident(person)
    assert office.refused(office.agency, TYPE, SKILLS, **about) == {"C-3e.5"}
    office.volunteers(person)
    await office.told(office.agency, TYPE, SKILLS, **about)
    assert office.refused(office.agency, TYPE, SKILLS, **about) == {"C-3e.5"}
    office.volunteers(person)
    assert office.refused(office.agency, TYPE, SKILLS, **about) == set()


async def test_the_city_writes_down_neither_the_person_nor_the_skills(office: Office) -> None:
    """C-5.1, C-3e.6: and at the agency the person's own file stays as it was."""
    await offered(office)
    city, agency = office.city, office.agency
    assert city.rows(tables.persons) == city.rows(tables.held_proofs) == []
    (row,) = city.rows(skill_offers)
    assert set(row._mapping) == {"case_id", "partner", "offered_here", "at", "forget_at"}
    assert len(agency.rows(tables.persons)) == 1
    assert set(office.shown(city)["volunteer"]) == {"offered_here", "at", "forget_at"}


@pytest.mark.parametrize("which", ["agency", "city"])
async def test_once_answered_both_forget_it(office: Office, which: str) -> None:
    """C-5.1: the volunteer's own file stays at the agency (C-3e.6)."""
    await offered(office)
    at = office.pair.clock.now().isoformat()
    office.act(getattr(office, which), "volunteer_answered", at=at)
    await office.pair.carry()
    for side in office.pair.sides:
        assert side.rows(skill_offers) == []
        assert [case.state for case in side.rows(tables.cases)] == ["erased"]
    assert len(office.agency.rows(tables.persons)) == 1


async def test_without_an_answer_both_forget_it_after_thirty_days(office: Office) -> None:
    """C-5.1: not a second before."""
    await offered(office)
    await office.on(NOW + people.KNOWN - timedelta(seconds=1))
    for side in office.pair.sides:
        assert len(side.rows(skill_offers)) == 1
    await office.on(NOW + people.KNOWN)
    for side in office.pair.sides:
        assert side.rows(skill_offers) == []


async def test_an_erasure_leaves_no_row(office: Office) -> None:
    """C-6.5."""
    await offered(office)
    for side in office.pair.sides:
        office.erased(side)
        assert side.rows(skill_offers) == []


async def test_what_is_known_of_a_person_goes_with_the_person(office: Office) -> None:
    """C-6.5, C-2.1: nothing outlives the agency's own register."""
    person, agency = office.person(office.agency), office.agency
    office.resident(person)
    office.volunteers(person)
    await office.later(minutes=1)
    assert len(agency.rows(volunteers)) == 1
    persons = tables.persons
    agency.write(lambda tx: tx.execute(persons.delete()))
    await office.later(days=1)
    assert agency.rows(volunteers) == []


def test_a_declaration_is_about_somebody_known_and_not_of_tomorrow(office: Office) -> None:
    """C-2.1, C-3e.5."""
    person, later = office.person(office.agency), NOW + timedelta(days=1)
    wrong: list[tuple[Any, Any, type[Exception]]] = [
        (people.volunteer, people.Volunteer(person_id="0" * 32, asked_at=NOW), UnknownName),
        (people.volunteer, people.Volunteer(person_id=person, asked_at=later), InvalidPayload),
    ]
    for do, body, error in wrong:
        with pytest.raises(error):
            office.record(office.agency, do, body)
