"""Pages of the register: who may do what there, and nothing typed runs, leaks or counts twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.schema import journal
from services.chassis.tokens import Role
from tests.desks import Desk, DeskPair, desk_pair, landed
from tests.invented import PUPIL
from tests.services.chassis.pages.role_table import TABLE

OF_THE_REGISTER = [
    path for path in TABLE if path.startswith(("/pages/people/", "/pages/agreements"))
]
BY_ID = [
    path for path in OF_THE_REGISTER if "{" in path and not path.endswith(("/code", "/request"))
]
"""Pages and forms that look up whom their address names."""
FORMS = [path for path in OF_THE_REGISTER if TABLE[path].post]
SCRIPT = "<script>alert(1)</script>"
REFUSED, UNKNOWN = HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPair]:
    with desk_pair(tmp_path_factory.mktemp("desks")) as made:
        yield made


@pytest.fixture
def ids(pair: DeskPair) -> dict[str, str]:
    person = pair.person()
    return {"person": person, "agreement": pair.agreement(person)}


def who(**changes: str) -> dict[str, str]:
    return {
        "identity.family_name": "Modèle",
        "identity.first_name": "Claude",
        "identity.birth_date": "2013-05-06",
        **changes,
    }


async def test_a_dpo_sees_and_withdraws_but_is_offered_no_registration(
    pair: DeskPair, ids: dict[str, str]
) -> None:
    desk = Desk.at(pair.school, Role.DPO)
    home, person = [
        await desk.get(path) for path in ("/pages/agreements", f"/pages/people/{ids['person']}")
    ]
    assert "/pages/people/new" not in home.text
    assert '/agreement"' not in person.text
    confirm = await desk.get(f"/pages/agreements/{ids['agreement']}/withdrawal")
    done = await desk.send(confirm, f"/pages/agreements/{ids['agreement']}/withdrawal", {})
    page = await desk.get(landed(done))
    assert "retiré" in page.text


@pytest.mark.parametrize("path", BY_ID)
async def test_an_id_of_another_node_or_of_no_form_opens_nothing(
    pair: DeskPair, ids: dict[str, str], path: str
) -> None:
    """The city knows nothing of the school's ids; one in no right form is not even looked for."""
    desk = Desk.at(pair.city, Role.MANAGER)
    page = await desk.get("/pages/charter")
    token = re.findall(r'name="token" value="([^"]+)"', page.text)[0]
    wrong: list[dict[str, str]] = [ids]
    wrong += [
        dict.fromkeys(ids, one)
        for one in (
            new_id(),
            "x",
            "a" * 33,
            "..%2F..",
            "%00",
            "A" * 32,
            "%0d%0aSet-Cookie:x=1",
            "'",
        )
    ]
    for one in wrong:
        answer = await desk.get(path.format(**one))
        unknown = {UNKNOWN, HTTPStatus.METHOD_NOT_ALLOWED}
        assert answer.status_code in unknown, (path, one, answer.status_code)
        posted = await desk.client.post(path.format(**one), data={"token": token, **who()})
        refused = {*unknown, HTTPStatus.UNPROCESSABLE_ENTITY}
        assert posted.status_code in refused, (path, one, posted.status_code)
        assert "x=1" not in str(posted.headers) + str(answer.headers)


async def test_a_person_whom_a_partner_named_is_no_page_of_the_register(pair: DeskPair) -> None:
    pair.refer()
    await pair.carry()
    (row,) = pair.city.rows(tables.persons)[:1]
    desk = Desk.at(pair.city, Role.MANAGER)
    assert (await desk.get(f"/pages/people/{row.person_id}")).status_code == UNKNOWN


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_no_page_of_this_session_does_nothing(
    pair: DeskPair, ids: dict[str, str], path: str
) -> None:
    desk = Desk.at(pair.school, Role.MANAGER)
    for sent in ({}, {"token": "x"}):
        answer = await desk.client.post(path.format(**ids), data={**sent, **who()})
        assert answer.status_code == REFUSED
    page = await desk.get("/pages/charter")
    token = re.findall(r'name="token" value="([^"]+)"', page.text)[0]
    answer = await desk.client.post(
        path.format(**ids), data={"token": token}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == REFUSED


async def test_somebody_is_found_by_a_form_and_stands_in_no_address(pair: DeskPair) -> None:
    person = pair.person(
        {
            "identity": {
                "family_name": "D'Œuvre-Ça",
                "first_name": "Anaïs",
                "birth_date": "2011-02-03",
                "channel": None,
            },
            "representatives": [],
        }
    )
    desk = Desk.at(pair.school, Role.AGENT)
    home = await desk.get("/pages/agreements")
    typed = {"family_name": "doeuvre ca", "first_name": "ANAIS", "birth_date": "2011-02-03"}
    answer = await desk.send(home, "/pages/agreements/search", typed)
    assert landed(answer) == f"/pages/people/{person}"
    page = await desk.get(landed(answer))
    assert "<h1>Anaïs D&#39;Œuvre-Ça</h1>" in page.text
    assert "<title>Une personne du registre" in page.text
    for one in (home, answer, page):
        where = urlsplit(str(one.headers.get("location", "")) + str(one.request.url))
        assert "uvre" not in where.geturl()
    nobody = await desk.send(home, "/pages/agreements/search", {**typed, "first_name": "Bruno"})
    assert "Personne de ce nom" in nobody.text
    wrong = await desk.send(home, "/pages/agreements/search", {**typed, "birth_date": "hier"})
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in wrong.text
    assert 'value="doeuvre ca"' in wrong.text


async def test_a_person_is_registered_once_and_an_agent_says_who_resembles(
    pair: DeskPair,
) -> None:
    """GDPR 5.1.d: nothing is registered before the answer, and the answer is journaled."""
    desk, school = Desk.at(pair.school, Role.AGENT), pair.school
    form = await desk.get("/pages/people/new")
    first = who(**{"first.family_name": "Modèle", "first.first_name": "Maxime"})
    short = await desk.send(form, "/pages/people/new", first)
    assert short.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'href="#f-first-channel"' in short.text or 'href="#f-first-channel-kind"' in short.text
    assert 'value="Maxime"' in short.text
    first |= {"first.channel.kind": "email", "first.channel.value": "maxime@modele.example"}
    known = landed(await desk.send(short, "/pages/people/new", first))
    again = who(**{"identity.family_name": "MODELE", "identity.birth_date": "2013-05-06"})
    count = len(school.rows(tables.persons))
    asked = await desk.send(form, "/pages/people/new", again)
    assert asked.status_code == HTTPStatus.OK
    assert "Même personne" in asked.text
    assert "maxime" in asked.text.lower()
    assert len(school.rows(tables.persons)) == count
    same = await desk.send(asked, f"{known}/same", {})
    assert landed(same) == known
    assert len(school.rows(tables.persons)) == count
    back = await desk.send(asked, "/pages/people/new", {"again": "1"})
    assert 'value="MODELE"' in back.text
    other = await desk.send(asked, "/pages/people/new", {})
    assert landed(other) != known
    assert len(school.rows(tables.persons)) == count + 1
    twice = await desk.send(asked, "/pages/people/new", {})
    assert landed(twice) == landed(other)  # one key, once
    lines = school.rows(journal, journal.c.event == "person.compared")
    assert [line.outcome for line in lines][-2:] == ["same", "other"]


async def test_those_who_resemble_are_told_apart_by_their_headings(pair: DeskPair) -> None:
    """RGAA 9.1: as many headings as persons, and no two alike."""
    for _ in range(2):
        pair.person()
    named: Any = PUPIL["identity"]
    desk, new = Desk.at(pair.school), "/pages/people/new"
    typed = {f"identity.{name}": value for name, value in named.items() if isinstance(value, str)}
    page = await desk.send(await desk.get(new), new, typed)
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", page.text)
    assert len(headings) >= 2
    assert len(set(headings)) == len(headings)


async def test_naming_others_who_do_not_resemble_skips_no_question(pair: DeskPair) -> None:
    desk = Desk.at(pair.school, Role.AGENT)
    form = await desk.get("/pages/people/new")
    born = {"identity.birth_date": "2010-10-10"}
    landed(await desk.send(form, "/pages/people/new", who(**born)))
    form = await desk.get("/pages/people/new")
    asked = await desk.send(form, "/pages/people/new", who(**born) | {"others": new_id()})
    assert "Même personne" in asked.text


@pytest.mark.parametrize(
    "field",
    [
        "identity.family_name",
        "identity.first_name",
        "identity.birth_date",
        "identity.channel.value",
        "first.family_name",
        "first.channel.value",
        "others",
        "key",
    ],
)
async def test_a_script_typed_in_a_field_is_shown_as_text(pair: DeskPair, field: str) -> None:
    desk = Desk.at(pair.school, Role.AGENT)
    form = await desk.get("/pages/people/new")
    typed = who(**{"identity.birth_date": "2010-01-02", field: f'">{SCRIPT}'})
    answer = await desk.send(form, "/pages/people/new", typed)
    assert SCRIPT not in answer.text
    home = await desk.get("/pages/agreements")
    looked = await desk.send(
        home,
        "/pages/agreements/search",
        {"family_name": SCRIPT, "first_name": f'"{SCRIPT}', "birth_date": SCRIPT},
    )
    assert SCRIPT not in looked.text
    assert "&lt;script&gt;" in looked.text


async def test_what_a_name_may_hold_is_written_as_text_on_every_page(tmp_path: Path) -> None:
    """Names take no bracket; quotes and ampersands they take are escaped wherever they stand."""
    with desk_pair(tmp_path) as pair:
        name = 'O\'Neil & "Fils"'
        person = pair.person(
            {
                "identity": {
                    "family_name": name,
                    "first_name": "x' onload='y",
                    "birth_date": "2011-07-08",
                    "channel": {"kind": "email", "value": "a'b&c@modele.example"},
                },
                "representatives": [],
            }
        )
        desk = Desk.at(pair.school, Role.AGENT)
        paths = [f"/pages/people/{person}{end}" for end in ("", "/departure", "/agreement")]
        for path in ("/pages/agreements", *paths):
            text = (await desk.get(path)).text
            assert name not in text
            assert "x' onload" not in text
            assert "O&#39;Neil &amp; &#34;Fils&#34;" in text


async def test_a_person_who_left_is_asked_for_nothing_new(pair: DeskPair) -> None:
    person = pair.person()
    desk = Desk.at(pair.school, Role.REFERENT)
    path = f"/pages/people/{person}/departure"
    done = await desk.send(await desk.get(path), path, {})
    page = await desk.get(landed(done))
    assert "a quitté Organisme s1 le" in page.text
    assert f"/pages/people/{person}/agreement" not in page.text


async def test_a_key_that_no_page_wrote_goes_into_no_header(pair: DeskPair) -> None:
    desk = Desk.at(pair.school, Role.AGENT)
    form = await desk.get("/pages/people/new")
    for day, key in enumerate(("x\r\nX-Role: manager", "é" * 40, "\x00"), start=1):
        typed = who(**{"identity.birth_date": f"2009-03-0{day}"}) | {"key": key}
        token = re.findall(r'name="token" value="([^"]+)"', form.text)[0]
        answer = await desk.client.post("/pages/people/new", data={"token": token, **typed})
        assert landed(answer).startswith("/pages/people/")
        assert "X-Role" not in str(answer.headers)
