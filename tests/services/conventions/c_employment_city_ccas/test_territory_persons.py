"""Messages about a person: informed, agreeing, for this partner and case; seen and not kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Partner, Question
from services.city.partner import PARTNER as CITY
from services.conventions.c_employment_city_ccas import territory
from services.employment_agency.partner import PARTNER as AGENCY
from tests.pair import doing
from tests.services.conventions.c_employment_city_ccas import territory_support as support
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    CODE,
    SKILLS,
    Office,
    made,
)

ASKED, OFFERED = "clause.eligibility_asked", "volunteer.skills_offered"


def test_a_question_needs_the_person_informed_and_agreeing(office: Office) -> None:
    """C-4.1, C-6.2, C-5.2: to this flow, for this partner; nobody is asked about without."""
    city = office.city
    assert office.refused(city, ASKED, {}) == {"C-4.1", "C-6.2"}
    other = office.agreed(city, flows=["clause.eligibility_answered"])
    assert office.refused(city, ASKED, {}, agreement_id=other) == {"C-4.1"}
    minor = office.agreed(city, office.person(city, "2010-06-01"))
    assert office.refused(city, ASKED, {}, agreement_id=minor) == {"C-4.1"}
    right = office.agreed(city)
    assert office.refused(city, ASKED, {}, agreement_id=right) == set()


def test_a_volunteer_agrees_and_was_told_what_the_city_reads(office: Office) -> None:
    """C-4.1, C-4.2: an own initiative does not stand for it."""
    agency = office.agency
    person = office.person(agency)
    office.resident(person)
    office.volunteers(person)
    assert office.refused(agency, OFFERED, SKILLS) >= {"C-4.1", "C-4.2"}
    right = office.agreed(agency, person)
    assert office.refused(agency, OFFERED, SKILLS, agreement_id=right) == set()


async def test_an_answer_belongs_to_its_own_question(office: Office) -> None:
    """C-5.3: of another case, or of none, nothing is answered."""
    await office.asks()
    office.person_told()
    answer = "clause.eligibility_answered", {"answer": "no"}
    assert office.refused(office.agency, *answer, case_id=None) >= {"C-5.3"}
    assert office.refused(office.agency, *answer, case_id="0" * 32) >= {"C-5.3"}
    assert office.refused(office.agency, *answer) == set()


def _keeping(partner: Partner) -> Partner:
    """A party that says nothing of a view without a file."""

    def facts(tx: Tx, core: Core, asked: Question) -> Known:
        known = territory.facts(tx, core, asked)
        records = {name: at for name, at in known.records.items() if name != "no_file"}
        return replace(known, records=records)

    return doing(partner, CODE, facts=facts)


@pytest.mark.parametrize("type_", [ASKED, OFFERED])
async def test_a_receiver_that_would_keep_it_refuses(
    tmp_path: Path, new_database_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch, type_: str
) -> None:
    """C-5.1: beside the same message to one that keeps nothing."""
    for folder, change in (("kept", _keeping), ("seen", lambda partner: partner)):
        pair = tuple(change(one) for one in (AGENCY, CITY))
        monkeypatch.setitem(support._PARTNERS, "city", pair)
        with made(tmp_path / folder, new_database_url, "city") as office:
            office.ready()
            data: dict[str, Any] = {} if type_ == ASKED else SKILLS
            side = office.city if type_ == ASKED else office.agency
            person = office.person(side)
            if type_ == OFFERED:
                office.resident(person)
                office.volunteers(person)
            more = {"agreement_id": office.agreed(side, person)}
            if folder == "kept":
                await office.not_taken(side, type_, data, **more)
            else:
                await office.told(side, type_, data, **more)
