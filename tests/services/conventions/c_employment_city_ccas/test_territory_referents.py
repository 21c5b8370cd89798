"""Desks and colleagues: one way in for each axis, and whom to call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload, Refused
from contracts.kernel.organisation import Kind
from services.chassis.schema import journal
from services.conventions.c_employment_city_ccas import desks, territory_referents
from services.conventions.c_employment_city_ccas.territory_models import (
    antennas,
    referents,
    staff_notices,
)
from services.conventions.c_employment_city_ccas.territory_models import desks as desks_held
from services.conventions.c_employment_city_ccas.territory_referents import UNUSED
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    ANTENNA,
    CONTACT,
    NOW,
    REFERENT,
    SECOND,
    TABLE,
    Office,
)

PUBLISHED, ANTENNAS = "referents.published", "antenna_referents.published"


@pytest.mark.parametrize(
    ("task", "agency", "article"),
    [
        ("employer", "beauvoisine", None),
        ("employer", "saint_sever", "C-3.1"),
        ("zero_unemployment", "saint_sever", None),
        ("zero_unemployment", "beauvoisine", "C-3e.1"),
        ("social_clauses", "aubette", None),
        ("social_clauses", "luciline", None),
    ],
)
def test_each_axis_has_one_agency_and_the_clauses_one_in_each(
    bare: Office, task: str, agency: str, article: str | None
) -> None:
    """C-3.1, C-3e.1, C-3d.3."""
    if article is None:
        bare.desk(bare.agency, task, agency)
        bare.desk(bare.agency, task, agency)
        assert len(bare.agency.rows(desks_held)) == 1
    else:
        with pytest.raises(Refused) as refused:
            bare.desk(bare.agency, task, agency)
        assert refused.value.articles == (article,)


def test_who_has_no_such_desk_opens_none(bare: Office, social: Office) -> None:
    """C-3d.4: the city has the clauses' alone, the CCAS none, the agency none without an agency."""
    bare.desk(bare.city, "social_clauses", None)
    wrong: list[tuple[Office, Any, str, str | None]] = [
        (bare, bare.city, "zero_unemployment", None),
        (bare, bare.city, "social_clauses", "aubette"),
        (social, social.ccas, "social_clauses", None),
        (bare, bare.agency, "social_clauses", None),
    ]
    for office, side, task, agency in wrong:
        with pytest.raises(InvalidPayload):
            office.desk(side, task, agency)


def test_who_has_no_such_desk_closes_none(bare: Office) -> None:
    """C-3.2, C-3d.4: refused as the opening is."""
    for side, task, agency in ((bare.city, "employer", None), (bare.agency, "employer", None)):
        with pytest.raises(InvalidPayload):
            bare.leave(side, task, agency)


def test_each_desk_is_written_down_on_its_own_article(bare: Office) -> None:
    """C-3.1, C-3.2, C-3d.3, C-3d.4, C-3e.1: the city's desk of the clauses on its own."""
    found: dict[tuple[Kind, str], set[str]] = {}
    for side, task, agency in (
        (bare.agency, "employer", "beauvoisine"),
        (bare.agency, "social_clauses", "aubette"),
        (bare.agency, "zero_unemployment", "saint_sever"),
        (bare.city, "human_resources", None),
        (bare.city, "social_clauses", None),
    ):
        bare.desk(side, task, agency)
        bare.leave(side, task, agency)
        for row in sorted(side.rows(journal), key=lambda one: one.seq)[-2:]:
            found.setdefault((side.node.core.kind, task), set()).update(row.articles)
    assert found == {
        (Kind.EMPLOYMENT_AGENCY, "employer"): {"C-3.1"},
        (Kind.EMPLOYMENT_AGENCY, "social_clauses"): {"C-3d.3"},
        (Kind.EMPLOYMENT_AGENCY, "zero_unemployment"): {"C-3e.1"},
        (Kind.CITY, "human_resources"): {"C-3.2"},
        (Kind.CITY, "social_clauses"): {"C-3d.4"},
    }


def test_whoever_leaves_a_desk_sends_nothing_of_it_any_more(office: Office) -> None:
    """C-3e.1: at once."""
    agency, more = office.agency, "census.aggregate"
    assert office.refused(agency, more, TABLE) == set()
    office.desk(agency, "zero_unemployment", "saint_sever", "agent-2")
    office.leave(agency, "zero_unemployment", "saint_sever")
    assert office.refused(agency, more, TABLE) == {"C-3e.1"}


def test_the_list_of_desks_says_which_agency_has_no_clause_referent(office: Office) -> None:
    """C-0.2, C-3d.3: of the four agencies."""
    found = office.agency.node.database.read_now(desks.shown)
    assert found["without_clause_referent"] == ["saint_sever", "luciline", "beauvoisine"]
    assert {one["task"] for one in found["desks"]} == {"social_clauses", "zero_unemployment"}


async def test_referents_are_published_with_a_second_for_employers(office: Office) -> None:
    """C-3a.14, C-3d.3, C-3e.2, C-3f.5, C-3f.6: one who cannot be reached is no referent."""
    agency = office.agency
    employer = {**REFERENT, "agency": "beauvoisine", "task": "employer"}
    assert office.refused(agency, PUBLISHED, employer) == {"C-3a.14"}
    await office.told(agency, PUBLISHED, {**employer, "second": SECOND})
    tasks = ("social_clauses", "zero_unemployment", "hauts_de_rouen", "france_services")
    for task in tasks:
        await office.told(agency, PUBLISHED, {**REFERENT, "task": task})
    for side in office.pair.sides:
        assert {row.task for row in side.rows(referents)} == {"employer", *tasks}
        (row,) = side.rows(referents, referents.c.task == "employer")
        assert (row.first_name, row.second_name) == (CONTACT["name"], SECOND["name"])


async def test_a_successor_takes_the_place_of_the_former(office: Office) -> None:
    """C-6.1: whoever is referent no more is known at neither side."""
    await office.told(office.agency, PUBLISHED, REFERENT)
    await office.told(office.agency, PUBLISHED, {**REFERENT, "first": SECOND})
    for side in office.pair.sides:
        assert [row.first_name for row in side.rows(referents)] == [SECOND["name"]]


async def test_every_colleague_named_was_told(office: Office) -> None:
    """C-6.2: the second too."""
    agency = office.agency
    agency.write(lambda tx: tx.execute(staff_notices.delete()))
    both = {**REFERENT, "second": SECOND}
    office.tell_staff(agency, "Camille Fictive")
    assert office.refused(agency, PUBLISHED, both) == {"C-6.2"}
    assert office.refused(agency, PUBLISHED, REFERENT) == set()
    office.tell_staff(agency, "Alex Inventé")
    assert office.refused(agency, PUBLISHED, both) == set()
    body = territory_referents.StaffNotice(name="Lou", told_at=NOW + timedelta(seconds=1))
    with pytest.raises(InvalidPayload):
        office.record(agency, territory_referents.tell_staff, body)


async def test_that_a_colleague_was_told_is_known_while_somebody_names_them(
    office: Office,
) -> None:
    """C-6.1: and thirty days at most where nobody does."""
    await office.told(office.agency, PUBLISHED, REFERENT)
    office.renewed()
    await office.on(NOW + UNUSED)
    assert len(office.agency.rows(staff_notices)) == 2
    await office.later(days=1)
    assert [row.name for row in office.agency.rows(staff_notices)] == [CONTACT["name"]]


async def test_a_unit_and_an_agency_name_their_referents_to_each_other(social: Office) -> None:
    """C-3f.1, C-3f.3: three units, paired once both say the same."""

    def pairs(side: Any) -> Any:
        return side.node.database.read_now(territory_referents.pairs)

    await social.told(social.agency, ANTENNAS, ANTENNA)
    one = {"unit": 2, "agencies": ["beauvoisine"], "agreed": False}
    for side in social.pair.sides:
        assert pairs(side) == [one]
    await social.told(social.ccas, ANTENNAS, {**ANTENNA, "agency": "aubette", "referent": SECOND})
    for side in social.pair.sides:
        assert pairs(side) == [{"unit": 2, "agencies": ["aubette", "beauvoisine"], "agreed": False}]
    await social.told(social.ccas, ANTENNAS, {**ANTENNA, "referent": SECOND})
    for side in social.pair.sides:
        assert pairs(side) == [{**one, "agreed": True}]
        assert len(side.rows(antennas)) == 2
