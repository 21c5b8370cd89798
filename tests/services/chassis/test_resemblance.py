"""Finding somebody in the register, and telling two apart: few are opened, answers journaled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import update

from contracts.kernel.errors import UnknownName
from services.chassis import resemblance, tables
from services.chassis.clock import new_id
from services.chassis.erasure import erase_person
from services.chassis.keystore import KeyStore
from services.chassis.register import person_left, register_person
from services.chassis.resemblance import BOXES, box, likeness, plain
from services.chassis.schema import journal
from services.chassis.scopes import person_scope
from services.chassis.standing import Person
from tests.invented import PUPIL
from tests.pair import Pair, Side
from tests.reports import ask

BORN = date(2012, 3, 9)


@pytest.fixture
def school(tmp_path: Any) -> Iterator[Side]:
    urls = (f"sqlite:///{tmp_path / 'one'}.sqlite", f"sqlite:///{tmp_path / 'other'}.sqlite")
    with Pair(tmp_path, urls) as pair:
        yield pair.school


@pytest.fixture
def on_each(tmp_path: Any, database_url: str) -> Iterator[Pair]:
    """A pair whose school keeps its register on SQLite, then on PostgreSQL."""
    with Pair(tmp_path, (database_url, f"sqlite:///{tmp_path / 'other'}.sqlite")) as pair:
        yield pair


def named(family: str, first: str, born: date = BORN) -> Person:
    identity = {"family_name": family, "first_name": first, "birth_date": born, "channel": None}
    return Person.model_validate({"identity": identity})


def registered(side: Side, *people: Person) -> list[str]:
    ids = [new_id() for _ in people]
    core, at = side.node.core, side.clock.now()

    def unit(tx: Any) -> None:
        for person_id, person in zip(ids, people, strict=True):
            register_person(tx, core, person, person_id, "agent-1", at)

    side.write(unit)
    return ids


def found(side: Side, family: str, first: str, born: date = BORN) -> list[str]:
    core = side.node.core
    near = side.node.database.read_now(
        lambda c: resemblance.resembling(c, core, family, first, born)
    )
    return [one.person_id for one in near]


@pytest.mark.parametrize(
    ("family", "first"),
    [
        ("Lefèvre-Müller", "Jean-Noël"),
        ("LEFEVRE MULLER", "JEAN NOEL"),
        ("Jean-Noël", "Lefèvre-Müller"),
        ("Lefevre", "Jean-Noël"),
        ("Lefèvre-Muler", "Jean Noël"),
        ("Lefèvremüller", "Jeannoël"),
    ],
)
def test_accents_hyphens_order_and_a_letter_do_not_hide_somebody(
    school: Side, family: str, first: str
) -> None:
    (one,) = registered(school, named("Lefèvre-Müller", "Jean-Noël"))
    assert found(school, family, first) == [one]


def test_another_name_or_day_is_another_person(school: Side) -> None:
    registered(school, named("Lefèvre", "Jean"))
    assert found(school, "Bernard", "Jean") == []
    assert found(school, "Lefèvre", "Jean", BORN + timedelta(days=1)) == []


def test_the_nearest_comes_first(school: Side) -> None:
    near, same = registered(school, named("Lefevbre", "Jean"), named("Lefèvre", "Jean"))
    assert found(school, "Lefèvre", "Jean") == [same, near]


def test_names_are_compared_without_what_people_leave_out() -> None:
    assert plain("  D'Œuvre-Ça ") == "d oeuvre ca"
    assert likeness(("Martin", "Zoé"), ("ZOE", "martin")) == 100


def test_a_box_says_no_day_without_the_key_and_many_days_with_it(school: Side) -> None:
    """ADR 29: some fifteen days of forty years fall into one box."""
    core = school.node.core
    days = [date(1990, 1, 1) + timedelta(days=one) for one in range(14_610)]
    boxes = [box(core, day) for day in days]
    assert box(core, days[0]) == boxes[0]
    assert len(set(boxes)) > BOXES - 10
    assert boxes.count(boxes[0]) > 3


def test_a_person_whom_a_partner_named_is_in_no_box_and_not_found(tmp_path: Any) -> None:
    urls = (f"sqlite:///{tmp_path / 'one'}.sqlite", f"sqlite:///{tmp_path / 'other'}.sqlite")
    with Pair(tmp_path, urls) as pair:
        pair.refer()
        (letter,) = pair.school.outgoing()
        asyncio.run(pair.city.take([letter]))
        (row,) = pair.city.rows(tables.persons)
        assert (row.registered_at, row.birth_box) == (None, None)
        assert found(pair.city, "Exemplaire", "Zoé") == []
        assert len(found(pair.school, "Exemplaire", "Zoé")) == 1


def test_erasure_empties_the_box_and_the_answers(school: Side) -> None:
    (one,) = registered(school, named("Lefèvre", "Jean"))
    core, at = school.node.core, school.clock.now()
    school.write(lambda tx: resemblance.note_answer(tx, core, one, "same", "agent-1", at))
    school.write(lambda tx: erase_person(tx, core, one, at))
    assert found(school, "Lefèvre", "Jean") == []
    assert school.rows(tables.persons) == []
    (line,) = school.rows(journal, journal.c.event == "person.compared")
    assert (line.scope, line.agent_id) == (None, None)
    report = school.node.database.read_now(core.journal.verify)
    assert report.problems == []


def test_those_who_were_there_before_are_placed_at_the_start(school: Side) -> None:
    (one,) = registered(school, named("Lefèvre", "Jean"))
    school.write(lambda tx: tx.execute(update(tables.persons).values(birth_box=None)))
    assert found(school, "Lefèvre", "Jean") == []
    core = school.node.core
    assert school.write(lambda tx: resemblance.place_all(tx, core)) == 1
    assert school.write(lambda tx: resemblance.place_all(tx, core)) == 0
    assert found(school, "Lefèvre", "Jean") == [one]


def test_few_are_opened_of_five_thousand_persons(
    school: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening is what takes the time: some five for a name, those asked for of the last ones."""
    people = [
        named(f"Nom{chr(97 + one % 26)}", "Prénom", date(2008, 1, 1) + timedelta(days=one % 3000))
        for one in range(5000)
    ]
    registered(school, *people)
    core, wanted = school.node.core, box(school.node.core, date(2010, 5, 5))
    there = school.rows(tables.persons, tables.persons.c.birth_box == wanted)
    assert 0 < len(there) < 30
    opened: list[str] = []
    opens = KeyStore.open

    def counted(store: KeyStore, scope: str, sealed: bytes, aad: bytes) -> bytes:
        opened.append(scope)
        return opens(store, scope, sealed, aad)

    monkeypatch.setattr(KeyStore, "open", counted)
    found(school, "Noma", "Prénom", date(2010, 5, 5))
    assert len(opened) == len(there)
    school.node.database.read_now(lambda c: resemblance.last_ones(c, core, 12))
    assert len(opened) == len(there) + 12


def test_the_last_ones_are_those_with_whom_something_happened(on_each: Pair) -> None:
    school, first = on_each.school, on_each.person()
    on_each.clock.at += timedelta(days=1)
    (second,) = registered(school, named("Lefèvre", "Jean"))
    core = school.node.core

    def last(number: int) -> list[str]:
        ones = school.node.database.read_now(lambda c: resemblance.last_ones(c, core, number))
        return [one.person_id for one in ones]

    assert last(5) == [second, first]
    on_each.clock.at += timedelta(days=1)
    on_each.agreement(first)
    assert (last(5), last(1)) == ([first, second], [first])
    assert found(school, "jean", "LEFEVRE") == [second]
    school.write(lambda tx: tx.execute(update(tables.persons).values(birth_box=None)))
    assert school.write(lambda tx: resemblance.place_all(tx, core)) == 2
    assert found(school, "Exemplaire", "Zoe") == [first]


async def test_what_an_agent_said_of_a_likeness_is_journaled(school: Side) -> None:
    """GDPR 5.1.d: who looked, at whom, and the answer; never by itself."""
    (one,) = registered(school, named("Exemplaire", "Zoe"))
    body = {**PUPIL, "others": [one]}
    answer = await ask(school, "/api/v1/persons", method="POST", json=body)
    assert answer.status_code == HTTPStatus.CREATED
    same = await ask(school, f"/api/v1/persons/{one}/recognition", method="POST")
    assert same.status_code == HTTPStatus.OK
    lines = school.rows(journal, journal.c.event == "person.compared")
    assert [(line.outcome, line.agent_id) for line in lines] == [
        ("other", "agent-1"),
        ("same", "agent-1"),
    ]
    assert {line.scope for line in lines} == {person_scope(one)}
    body = {**PUPIL, "others": [new_id()]}
    answer = await ask(school, "/api/v1/persons", method="POST", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_person")
    answer = await ask(school, f"/api/v1/persons/{new_id()}/recognition", method="POST")
    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_a_person_who_left_is_still_found(school: Side) -> None:
    (one,) = registered(school, named("Lefèvre", "Jean"))
    core, at = school.node.core, school.clock.now()
    school.write(lambda tx: person_left(tx, core, one, "agent-1", at))
    assert found(school, "Lefèvre", "Jean") == [one]
    with pytest.raises(UnknownName):
        school.node.database.read_now(lambda c: resemblance.of_register(c, core, new_id()))
