"""Whom a partner named compared with the register: offered, answered by a human, journaled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload
from services.chassis import recognition, tables
from services.chassis.clock import new_id
from services.chassis.recognition import COMPARED, Recognition
from services.chassis.register import register_person
from services.chassis.schema import journal
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Role
from tests.pair import PUPIL, Pair, Side
from tests.reports import ask
from tests.seated import opened
from tests.services.chassis.test_request_pages import Seat
from tests.services.conventions.a_city_school.support import Desk

AGENT = Agent("agent-1", Role.AGENT)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        opened(made.city)
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    """A pupil of whom the school told the city."""
    made = Desk(pair)
    await made.referred()
    return made


def known(side: Side, **changes: Any) -> str:
    """Somebody of a side's own register, like the pupil but for the changes."""
    identity: Any = PUPIL["identity"]
    content = json.dumps({**PUPIL, "identity": {**identity, **changes}})
    person, person_id, core = Person.model_validate_json(content), new_id(), side.node.core
    at = side.clock.now()
    side.write(lambda tx: register_person(tx, core, person, person_id, "agent-1", at))
    return person_id


def near(desk: Desk, side: Side) -> list[str]:
    core = side.node.core
    found = side.write(lambda tx: recognition.unanswered(tx, core, desk.case_id))
    return [one.person_id for one in found]


def answered(desk: Desk, **said: Any) -> None:
    core, at = desk.city.node.core, desk.pair.clock.now()
    body = Recognition.model_validate(said)
    desk.city.write(lambda tx: recognition.recognise(tx, core, desk.case_id, body, AGENT, at))


async def test_those_who_resemble_are_offered_at_the_receiver_alone(desk: Desk) -> None:
    """Near name, same day of birth; at the school the person is of its own register already."""
    like = known(desk.city, family_name="Exemplere")
    known(desk.city, birth_date="2011-01-01")
    known(desk.city, family_name="Toutautre", first_name="Personne")
    assert near(desk, desk.city) == [like]
    known(desk.school, family_name="Exemplere")
    assert near(desk, desk.school) == []


async def test_an_answer_is_journaled_and_joins_nothing(desk: Desk) -> None:
    """RGPD 5.1.d; asked again of whoever is registered later."""
    one, other = known(desk.city), known(desk.city, first_name="Zoe")
    before = desk.city.rows(tables.persons)
    for wrong in (
        {},
        {"same": one},
        {"others": [one]},
        {"same": new_id(), "others": [one, other]},
        {"same": one, "others": [one, other]},
    ):
        with pytest.raises(InvalidPayload):
            answered(desk, **wrong)
    desk.pair.clock.at += timedelta(minutes=1)
    answered(desk, same=one, others=[other])
    lines = desk.city.rows(journal, journal.c.event == COMPARED)
    assert sorted(line.outcome for line in lines) == ["other", "same"]
    assert {line.case_id for line in lines} == {desk.case_id}
    assert desk.city.rows(tables.persons) == before
    assert near(desk, desk.city) == []
    with pytest.raises(InvalidPayload):
        answered(desk, same=one)
    desk.pair.clock.at += timedelta(minutes=1)
    late = known(desk.city)
    assert near(desk, desk.city) == [late]


@pytest.mark.parametrize("role", list(Role))
async def test_who_keeps_the_register_may_answer(desk: Desk, role: Role) -> None:
    body = {"same": known(desk.city), "others": []}
    path = f"/api/v1/cases/{desk.case_id}/recognition"
    answer = await ask(desk.city, path, role, "POST", json=body)
    may = role in {Role.AGENT, Role.REFERENT, Role.MANAGER}
    assert answer.status_code == (201 if may else 403), answer.text


async def test_the_page_compares_side_by_side_and_leads_to_who_it_is(desk: Desk) -> None:
    case = f"/pages/situations/{desk.case_id}"
    where, seat = f"{case}/same", Seat(desk.city, Role.MANAGER)
    assert where not in (await seat.get(case)).text
    assert "ne lui ressemble" in (await seat.get(where)).text
    one = known(desk.city, family_name="Exemplère")
    assert f'href="{where}"' in (await seat.get(case)).text
    assert where not in (await Seat(desk.city, Role.DPO).get(case)).text
    page = (await seat.get(where)).text
    assert "Exemplère" in page
    assert "différent" in page
    missed = await seat.send(where, where)
    assert (missed.status_code, 'role="alert"' in missed.text) == (422, True)
    done = await seat.send(where, where, **{one: "same"})
    assert done.headers["location"] == f"/pages/people/{one}"
    assert where not in (await seat.get(case)).text
    assert (await seat.get("/pages/situations/x/same")).status_code == 404
