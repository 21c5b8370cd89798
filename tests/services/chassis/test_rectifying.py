"""An identity corrected on the person's request: sealed anew, told to partners, never by its words.

Another day of birth decides anew who could agree, and until when.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.paris import midnight
from services.chassis import person_tables, rectifying, resemblance, rights, standing, tables
from services.chassis.agreement_clocks import HEARING, MAJORITY
from services.chassis.clock import new_id
from services.chassis.person.codes import Holder
from services.chassis.person.copying import copy_of
from services.chassis.person.visits import Visit
from services.chassis.rectifying import Correction
from services.chassis.rights import RequestState, RightsBody
from services.chassis.schema import journal
from services.chassis.standing import Person
from services.chassis.tokens import Role
from tests.pair import PUPIL, Pair, Side
from tests.reports import ask
from tests.seated import opened
from tests.services.chassis.test_person_page import codes
from tests.services.chassis.test_request_pages import Seat
from tests.services.chassis.test_rights import AGENT, MANAGER, born, person, received
from tests.services.chassis.visiting import SEE, handed_over, visiting
from tests.services.conventions.a_city_school.support import Desk

BORN = date(2012, 3, 9)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    """A pupil of whom both know."""
    made = Desk(pair)
    await made.referred()
    return made


def asked(side: Side, person_id: str = "", **more: Any) -> str:
    """A request to correct an identity."""
    values = {
        "person_id": person_id or person(side),
        "right": "rectification",
        "about": ["identity"],
        "raised_by": "young_person",
        "channel": "meeting",
        "means": "in_person",
        **more,
    }
    core, at, request_id = side.node.core, side.clock.now(), new_id()
    body = RightsBody.model_validate(values)
    side.write(lambda tx: rights.received(tx, core, body, request_id, AGENT, at))
    return request_id


def corrected(side: Side, request_id: str | None, person_id: str = "", **right: Any) -> Any:
    core, at = side.node.core, side.clock.now()
    body = Correction.model_validate(
        {**dict.fromkeys(("family_name", "first_name", "birth_date")), "request_id": request_id}
        | right
    )
    who = person_id or person(side)
    return side.write(lambda tx: rectifying.rectify(tx, core, who, body, AGENT, at))[1]


def agreement(pair: Pair, agreement_id: str) -> Any:
    (row,) = pair.school.rows(tables.agreements, tables.agreements.c.agreement_id == agreement_id)
    return row


def due(side: Side, kind: str) -> dict[str, Any]:
    rows = side.rows(tables.deadlines, tables.deadlines.c.kind == kind)
    return {row.state: row.due_at for row in rows}


def looked_for(side: Side, family_name: str, first_name: str, birth: date) -> list[str]:
    core = side.node.core
    found = side.node.database.read_now(
        lambda c: resemblance.resembling(c, core, family_name, first_name, birth)
    )
    return [one.person_id for one in found]


async def test_a_misspelt_name_is_corrected_and_partners_learn_that_theirs_is_wrong(
    desk: Desk,
) -> None:
    """GDPR 16, 19: who is told, and no name in what is told or journaled."""
    school, who = desk.school, person(desk.school)
    request_id = asked(school)
    assert corrected(school, request_id, family_name="Rarissime") == [desk.city.org]
    core, pupil = school.node.core, Person.model_validate_json(json.dumps(PUPIL))
    (row,) = school.rows(tables.persons, tables.persons.c.person_id == who)
    held = resemblance.opened(core, [row])[0].person.identity
    assert (held.family_name, held.first_name) == ("Rarissime", pupil.identity.first_name)
    lines = school.rows(journal, journal.c.event == "person.rectified")
    assert [(one.outcome, one.articles) for one in lines] == [("family_name", ("RGPD 16",))]
    await desk.pair.carry()
    (told,) = desk.city.rows(person_tables.requests)
    assert (told.right, tuple(told.about)) == ("rectification", ("identity",))
    assert codes(desk.pair.refer(desk.pair.agreement(who))) == set()
    everything = str(school.rows(journal)) + str(desk.city.rows(person_tables.requests))
    assert "Rarissime" not in everything
    (answered,) = school.rows(person_tables.answers)
    assert answered.org == desk.city.org


async def test_the_partner_corrects_whom_it_was_told_of(desk: Desk) -> None:
    """At the receiver the request that came names the case's own person, and no value."""
    request_id = asked(desk.school)
    corrected(desk.school, request_id, first_name="Camille")
    await desk.pair.carry()
    (theirs,) = desk.city.rows(person_tables.requests)
    assert corrected(desk.city, theirs.request_id, first_name="Camille") == []
    (row,) = desk.city.rows(tables.persons)
    core = desk.city.node.core
    opened = desk.city.write(lambda tx: standing.opened_person(tx, core, row.scope, row.sealed))
    assert opened.identity.first_name == "Camille"
    assert row.birth_box is None  # nobody whom a partner named is looked for


async def test_nothing_is_corrected_without_a_request_that_says_so(desk: Desk) -> None:
    school = desk.school
    unchecked = asked(school, means=None)
    other = received(school, "rectification", about=["contact"])
    access = received(school, "access")
    elsewhere = asked(school, desk.pair.person())
    for request_id in (unchecked, other, access, elsewhere, "0" * 32):
        with pytest.raises(RequestState):
            corrected(school, request_id, family_name="Autre")
    request_id = asked(school)
    same: Any = PUPIL["identity"]
    for wrong in ({}, {"family_name": same["family_name"]}, {"birth_date": "2027-01-01"}):
        with pytest.raises(InvalidPayload):
            corrected(school, request_id, **wrong)
    assert school.rows(journal, journal.c.event == "person.rectified") == []
    assert corrected(school, request_id, family_name="Autre") == [desk.city.org]


async def test_a_person_is_found_under_the_right_day_alone(pair: Pair) -> None:
    who = pair.person()
    name: Any = PUPIL["identity"]
    names = (name["family_name"], name["first_name"])
    request_id = asked(pair.school, who)
    corrected(pair.school, request_id, who, birth_date="2012-04-09")
    assert looked_for(pair.school, *names, date(2012, 4, 9)) == [who]
    assert looked_for(pair.school, *names, BORN) == []


async def test_whoever_could_not_agree_at_that_age_ends_it_everywhere(desk: Desk) -> None:
    """CC 414: of age when a representative agreed; the partner stops, and certifies it."""
    (given,) = desk.school.rows(tables.agreements)
    assert codes(desk.pair.refer(given.agreement_id)) == set()
    corrected(desk.school, asked(desk.school), birth_date="2008-03-09")
    assert agreement(desk.pair, given.agreement_id).withdrawn_at is not None
    assert "agreement_withdrawn" in codes(desk.pair.refer(given.agreement_id))
    await desk.pair.carry()
    assert {row.state for row in desk.city.rows(tables.cases)} == {"stopped"}


async def test_a_minor_who_agreed_alone_did_not_agree(pair: Pair) -> None:
    """A-2.11: below 18 a representative gives it."""
    who = pair.person(born("2008-03-09"))
    given = pair.agreement(who, giver="young_person")
    assert codes(pair.refer(given)) == set()
    corrected(pair.school, asked(pair.school, who), who, birth_date="2012-03-09")
    assert agreement(pair, given).withdrawn_at is not None


async def test_an_agreement_ends_at_the_true_majority_and_another_is_asked_then(
    pair: Pair,
) -> None:
    who = pair.person()
    given = pair.agreement(who)
    before = agreement(pair, given).expires_at
    request_id = asked(pair.school, who)
    corrected(pair.school, request_id, who, birth_date="2009-03-09")
    majority = midnight(date(2027, 3, 9))
    assert agreement(pair, given).expires_at == majority < before
    assert due(pair.school, MAJORITY) == {"pending": majority}
    assert set(due(pair.school, HEARING)) == {"pending"}  # 17, and nobody asked for the word
    corrected(pair.school, request_id, who, birth_date="2012-03-09")
    assert agreement(pair, given).expires_at == before
    assert set(due(pair.school, MAJORITY)) == {"cancelled"}
    assert set(due(pair.school, HEARING)) == {"cancelled"}


async def test_a_representative_s_code_ends_at_the_true_majority(desk: Desk) -> None:
    who = person(desk.school)
    handed_over(desk.school, who, "representative")
    corrected(desk.school, asked(desk.school), birth_date="2008-03-09")
    (code,) = desk.school.rows(person_tables.codes)
    assert code.minor_until == midnight(date(2026, 3, 9))
    assert code.expires_at <= desk.pair.clock.at


@pytest.mark.parametrize("role", list(Role))
async def test_who_keeps_the_register_may_and_nobody_else(desk: Desk, role: Role) -> None:
    path = f"/api/v1/persons/{person(desk.school)}/rectification"
    body = {
        "request_id": asked(desk.school),
        "family_name": "Juste",
        "first_name": None,
        "birth_date": None,
    }
    answer = await ask(desk.school, path, role, "POST", json=body)
    may = role in {Role.AGENT, Role.REFERENT, Role.MANAGER}
    if may:  # `ask` is agent-1, who accepted the charter
        assert answer.json()["told"] == [desk.city.org], answer.text
    assert (answer.status_code == 403) is not may


async def test_the_page_shows_what_is_held_and_corrects_it(desk: Desk) -> None:
    opened(desk.school)
    seat, who = Seat(desk.school, MANAGER.role), person(desk.school)
    page = f"/pages/people/{who}/identity"
    first = (await seat.get(page)).text
    assert "Enregistrez sa demande" in first
    assert 'name="found_on"' in first
    request_id = asked(desk.school)
    assert f'href="{page}"' in (await seat.get(f"/pages/requests/{request_id}")).text
    assert f'href="{page}"' in (await seat.get(f"/pages/people/{who}")).text
    wrong = await seat.send(page, page, birth_date="2999-01-01", family_name="<script>x")
    assert wrong.status_code == 422
    assert "<script>x" not in wrong.text
    assert "&lt;script&gt;x" in wrong.text
    done = await seat.send(page, page, family_name="Juste")
    assert done.headers["location"] == f"/pages/people/{who}"
    shown = (await seat.get(f"/pages/people/{who}")).text
    assert "Juste" in shown
    dpo = Seat(desk.school, Role.DPO)
    assert f'href="{page}"' not in (await dpo.get(f"/pages/requests/{request_id}")).text


async def test_what_an_agent_saw_to_be_wrong_is_corrected_told_and_still_to_be_said(
    desk: Desk,
) -> None:
    """GDPR 5.1.d, 19: partners learn it as of a request, and the person is told within a month."""
    school, who = desk.school, person(desk.school)
    assert corrected(school, None, found_on="file", family_name="Rarissime") == [desk.city.org]
    (line,) = school.rows(journal, journal.c.event == "person.rectified")
    assert (line.outcome, line.articles) == ("family_name", ("RGPD 5.1.d",))
    (row,) = school.rows(person_tables.requests)
    assert (row.raised_by, row.means, row.checked_by) == ("organisation", "file", AGENT.agent_id)
    assert row.sent_at is not None
    assert "pending" in due(school, "rights.answer")
    await desk.pair.carry()
    (there,) = desk.city.rows(person_tables.requests)
    assert (there.origin, there.about) == (school.org, ("identity",))
    opened(school)
    dpo = Seat(school, Role.DPO)
    shown = (await dpo.get(f"/pages/requests/{row.request_id}")).text
    assert "vue sur le dossier" in shown
    pupil = Person.model_validate_json(json.dumps(PUPIL)).identity
    assert looked_for(school, "Rarissime", pupil.first_name, BORN) == [who]


@pytest.mark.parametrize("holder", ["young_person", "representative"])
async def test_the_persons_page_and_copy_say_what_was_corrected_unasked(
    desk: Desk, holder: Holder
) -> None:
    """GDPR 19; it keeps nobody from asking for a correction of their own."""
    school, who = desk.school, person(desk.school)
    corrected(school, None, found_on="file", family_name="Rarissime")
    browser = await visiting(school, who, holder)
    page = (await browser.get()).text
    assert "Vue et corrigée ici le" in page
    assert f"{desk.city.node.settings.name} : pas encore de réponse." in page
    asked = await browser.send("/person/requests/rectification", about="identity")
    assert asked.status_code == SEE
    again = await browser.send("/person/requests/rectification", about="identity")
    assert again.status_code == 409
    assert (await browser.get()).text.count("Demandé le") == 1
    core, at = school.node.core, school.clock.now()
    visit = Visit("", holder, (who,), "", at, AGENT.agent_id, at, "known")
    copy = school.write(lambda tx: copy_of(tx, core, visit, "0" * 32, at))
    assert {one["raised_by"] for one in copy.requests} == {"organisation", holder}


async def test_a_day_of_birth_is_corrected_on_papers_alone_where_nobody_asked(desk: Desk) -> None:
    """It decides who may agree: a slip in a file is no proof of it."""
    school = desk.school
    for wrong in (
        {"found_on": "file", "birth_date": "2009-03-09"},
        {"found_on": None, "family_name": "Autre"},
    ):
        with pytest.raises(InvalidPayload):
            corrected(school, None, **wrong)
    assert school.rows(person_tables.requests) == []
    assert school.rows(journal, journal.c.event == "person.rectified") == []
    right = {"found_on": "document", "birth_date": "2011-03-09"}
    assert corrected(school, None, **right) == [desk.city.org]


async def test_the_page_corrects_what_an_agent_saw(desk: Desk) -> None:
    opened(desk.school)
    seat, who = Seat(desk.school, MANAGER.role), person(desk.school)
    page = f"/pages/people/{who}/identity"
    wrong = await seat.send(page, page, family_name="Juste")
    assert wrong.status_code == 422
    assert 'id="f-found_on-fault"' in wrong.text
    assert "Sans objet" not in wrong.text
    done = await seat.send(page, page, family_name="Juste", found_on="file")
    assert done.headers["location"] == f"/pages/people/{who}"
