"""An agreement from its record to its withdrawal, as agents do it on their pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from contracts.kernel.paris import PARIS
from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.pages import agreed
from services.chassis.pages.notices import version_of
from services.chassis.register import register_person
from services.chassis.standing import Person
from services.chassis.tokens import Role
from services.city.partner import PARTNER as CITY_PARTNER
from services.mission_locale.partner import PARTNER as MISSION_PARTNER
from tests.desks import Desk, DeskPair, desk_pair, landed, second_school
from tests.invented import PUPIL
from tests.pair import START, Side

SUPPORT = ["referral.submitted", "referral.answered"]
HOUR = timedelta(hours=1)


@pytest.fixture
def pair(tmp_path: Any) -> Iterator[DeskPair]:
    with desk_pair(tmp_path) as made:
        yield made


def born(day: str) -> dict[str, Any]:
    """The invented pupil, born on another day."""
    content: dict[str, Any] = json.loads(json.dumps(PUPIL))
    content["identity"]["birth_date"] = day
    return content


def answers(pair: DeskPair, **changes: Any) -> dict[str, Any]:
    """What an agent fills in for a pupil of fourteen, an hour ago."""
    before = (pair.clock.now() - HOUR).astimezone(PARIS).strftime("%Y-%m-%dT%H:%M")
    return {
        "recipients": [pair.city.org],
        "flows": SUPPORT,
        "giver": "representative",
        "authority": "parental",
        "means": "in_person",
        "granted": "true",
        "assent": "not_asked",
        "notice.version": "A1",
        "notice.channel": "meeting",
        "notice.language": "fr",
        "notice.given_at": before,
        "given_at": before,
        **changes,
    }


async def recorded(pair: DeskPair, desk: Desk, person: str, **changes: Any) -> httpx.Response:
    path = f"/pages/people/{person}/agreement"
    return await desk.send(await desk.get(path), path, answers(pair, **changes))


async def test_an_agreement_is_recorded_withdrawn_and_answered(pair: DeskPair) -> None:
    """A-2.11: at once, without a reason, told to every recipient, whose answer then shows."""
    person, desk = pair.person(), Desk.at(pair.school)
    where = landed(await recorded(pair, desk, person))
    page = await desk.get(where)
    assert "fiche de repérage" in page.text
    assert "21 novembre 2027" in page.text
    agreement = where.rpartition("/")[2]
    pair.refer(agreement)
    await pair.carry()
    confirm = await desk.get(f"{where}/withdrawal")
    assert "Le dossier" in confirm.text
    assert "Organisme v1" in confirm.text
    assert 'name="reason"' not in confirm.text
    page = await desk.get(landed(await desk.send(confirm, f"{where}/withdrawal", {})))
    assert "pas encore de réponse" in page.text
    assert 'hx-trigger="every 3s"' in page.text
    seen = page.text.partition("answers?seen=")[2].partition('"')[0]
    same = await desk.get(f"{where}/answers", seen=seen)
    assert (same.status_code, same.text) == (HTTPStatus.NO_CONTENT, "")
    pair.clock.at += timedelta(minutes=1)
    await pair.carry()
    fresh = await desk.get(f"{where}/answers", seen=seen)
    assert fresh.status_code == HTTPStatus.OK
    assert "tout est arrêté" in fresh.text or "détruit" in fresh.text
    assert "hx-trigger" not in fresh.text
    assert landed(await desk.get(f"{where}/withdrawal")) == where
    assert f"{where}/withdrawal" not in (await desk.get(where)).text


async def test_a_refusal_is_one_bit_and_is_told_to_nobody(pair: DeskPair) -> None:
    person, desk = pair.person(), Desk.at(pair.school)
    where = landed(await recorded(pair, desk, person, granted="false"))
    page = await desk.get(where)
    assert "<h1>Refus du" in page.text
    assert f"{where}/withdrawal" not in page.text
    assert pair.school.outgoing() == []


async def test_only_whoever_may_at_that_age_is_offered(pair: DeskPair) -> None:
    """A-2.11, CC 414: below 18 a representative, alone or with the young person; then himself."""
    desk, offered = Desk.at(pair.school), {}
    for name, birth in (("minor", "2012-03-09"), ("adult", "2008-11-22")):
        person = pair.person(born(birth))
        page = await desk.get(f"/pages/people/{person}/agreement")
        offered[name] = {
            giver
            for giver in ("representative", "young_person", "both")
            if f'name="giver" value="{giver}"' in page.text
        }
        assert ('name="authority"' in page.text) is (name == "minor")
    assert offered == {"minor": {"representative", "both"}, "adult": {"young_person"}}


async def test_what_was_typed_stays_when_the_api_refuses(pair: DeskPair) -> None:
    person, desk = pair.person(), Desk.at(pair.school)
    future = (pair.clock.now() + HOUR).astimezone(PARIS).strftime("%Y-%m-%dT%H:%M")
    late = await recorded(pair, desk, person, given_at=future, **{"notice.version": "B&2"})
    assert late.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "futur" in late.text
    assert 'value="B&amp;2"' in late.text
    assert late.text.count(" checked>") == len(SUPPORT) + 6
    none = await recorded(pair, desk, person, flows=[])
    assert "Un accord nomme des messages connus" in none.text
    hidden = await recorded(pair, desk, person, **{"notice.version": "a@famille.example"})
    assert 'href="#f-notice-version"' in hidden.text
    assert pair.school.rows(tables.agreements) == []


async def test_nothing_is_ticked_before_and_a_group_is_ticked_at_once(pair: DeskPair) -> None:
    """GDPR, recital 32: no box ticked beforehand."""
    person, desk = pair.person(), Desk.at(pair.school)
    path = f"/pages/people/{person}/agreement"
    page = await desk.get(path)
    assert " checked>" not in page.text
    (group, _) = agreed.open_groups(pair.school.node.core, pair.clock.now())
    typed = {"tick": group.key, "means": "letter"}
    ticked = await desk.send(page, path, typed)
    assert ticked.text.count('type="checkbox"') > len(group.messages)
    for one in group.messages:
        assert f'value="{one.type}" checked' in ticked.text
    assert 'value="letter" checked' in ticked.text
    assert pair.school.rows(tables.agreements) == []


async def test_a_script_in_any_field_of_the_record_is_shown_as_text(pair: DeskPair) -> None:
    person, desk = pair.person(), Desk.at(pair.school)
    script = '"><script>alert(1)</script>'
    for name in answers(pair):
        page = await recorded(pair, desk, person, **{name: script})
        assert "<script>alert" not in page.text, name
        assert page.status_code in {HTTPStatus.UNPROCESSABLE_ENTITY, 303, 200}
    person = pair.person()
    where = landed(await recorded(pair, desk, person, **{"notice.version": "<b>'1'</b>"}))
    page = await desk.get(where)
    assert "&lt;b&gt;&#39;1&#39;&lt;/b&gt;" in page.text


async def test_a_parent_objects_the_young_person_is_heard_and_a_manager_answers(
    pair: DeskPair,
) -> None:
    """CC 372-2, CC 371-1, GDPR 12.3."""
    person = pair.person()
    where = f"/pages/agreements/{pair.agreement(person, assent='no')}"
    desk, manager = Desk.at(pair.school), Desk.at(pair.school, Role.MANAGER)
    sheet = await desk.get(f"/pages/people/{person}")
    assert "Le jeune a dit non" in sheet.text
    assert "Écouter le jeune sur cet accord" in sheet.text
    path = f"{where}/objection"
    landed(await desk.send(await desk.get(path), path, {"raised_by": "representative"}))
    sheet = await desk.get(f"/pages/people/{person}")
    assert "Une opposition le suspend" in sheet.text
    assert f"{where}/objection-answer" not in (await desk.get(where)).text
    path = f"{where}/objection-answer"
    assert path in (await manager.get(where)).text
    landed(await manager.send(await manager.get(path), path, {"outcome": "lifted"}))
    path = f"{where}/hearing"
    none = await desk.send(await desk.get(path), path, {})
    assert none.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'href="#f-assent"' in none.text
    said = {"assent": "yes", "continues": "true"}
    landed(await desk.send(await desk.get(path), path, said))
    sheet = await desk.get(f"/pages/people/{person}")
    assert "Le jeune a dit non" not in sheet.text
    assert "Ce qui attend" not in sheet.text


async def test_an_agreement_is_withdrawn_where_a_partner_holds_it_too(pair: DeskPair) -> None:
    """A-2.11: it stops here at once, and the collector is asked to tell the others."""
    pair.refer()
    await pair.carry()
    (case,) = pair.city.rows(tables.cases)
    desk = Desk.at(pair.city)
    where = f"/pages/agreements/{case.reference}"
    assert f'href="{where}"' in (await desk.get(f"/pages/situations/{case.case_id}")).text
    assert "Accord recueilli par Organisme s1" in (await desk.get(where)).text
    confirm = await desk.get(f"{where}/withdrawal")
    assert "Organisme s1, qui a recueilli" in confirm.text
    page = await desk.get(landed(await desk.send(confirm, f"{where}/withdrawal", {})))
    assert "Tout est arrêté ici" in page.text
    await pair.carry()
    (row,) = pair.school.rows(tables.agreements)
    assert row.withdrawn_at is not None


async def test_sending_a_form_twice_records_once(pair: DeskPair) -> None:
    person, desk = pair.person(), Desk.at(pair.school)
    path = f"/pages/people/{person}/agreement"
    page = await desk.get(path)
    first, second = [landed(await desk.send(page, path, answers(pair))) for _ in range(2)]
    assert first == second
    assert len(pair.school.rows(tables.agreements)) == 1


async def test_with_no_convention_in_force_nothing_can_be_agreed_to(pair: DeskPair) -> None:
    person = pair.person()
    pair.clock.at = datetime(2030, 1, 1, tzinfo=UTC)
    desk = Desk.at(pair.school)
    page = await desk.get(f"/pages/people/{person}/agreement")
    assert "Aucune convention en vigueur" in page.text
    assert '<form class="asking"' not in page.text
    assert "Aucune convention en vigueur" in (await desk.get(f"/pages/people/{person}")).text


async def test_under_another_convention_the_young_person_decides_alone(tmp_path: Any) -> None:
    """B-3.1: his own agreement, before majority as after."""
    partners = (CITY_PARTNER, MISSION_PARTNER)
    with desk_pair(tmp_path, partners=partners, convention="b_city_mission_locale") as pair:
        person, side = new_id(), pair.school
        body = Person.model_validate_json(json.dumps(PUPIL))
        core = side.node.core
        side.write(lambda tx: register_person(tx, core, body, person, "agent-1", START))
        page = await Desk.at(side).get(f"/pages/people/{person}/agreement")
        assert 'name="giver" value="young_person"' in page.text
        assert 'name="giver" value="representative"' not in page.text
        assert 'name="associated"' not in page.text
        assert _groups(side)


def _groups(side: Side) -> list[str]:
    return [one.purpose for one in agreed.open_groups(side.node.core, START)]


async def test_a_duty_of_the_law_is_told_before_it_is_done(pair: DeskPair) -> None:
    """GDPR 13, L131-6: which duty, how and when; the version is that of the text handed over."""
    person, desk = pair.person(), Desk.at(pair.school)
    path = f"/pages/people/{person}/notice"
    assert path in (await desk.get(f"/pages/people/{person}")).text
    before = answers(pair)["given_at"]
    typed = {"instrument": "mayor_attendance", "channel": "letter", "language": "fr"}
    short = await desk.send(await desk.get(path), path, typed)
    assert short.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    blank = await desk.send(short, path, {})
    assert "Hors de cette page" not in blank.text  # the version follows from the text chosen
    done = await desk.send(short, path, {**typed, "given_at": before})
    page = await desk.get(landed(done))
    (row,) = pair.school.rows(tables.notices)
    assert row.version == version_of(pair.school.node.core, "mayor_attendance")
    assert f"version {row.version}" in page.text
    assert f"/pages/situations/new?notice={row.notice_id}" in page.text
    other = await desk.send(await desk.get(path), path, {**typed, "instrument": "x"})
    assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    nothing = await Desk.at(pair.city).get(f"/pages/people/{person}/notice")
    assert nothing.status_code == HTTPStatus.NOT_FOUND


async def test_an_agreement_leads_to_a_situation_while_it_is_given(pair: DeskPair) -> None:
    agreement = pair.agreement()
    to = f"/pages/situations/new?agreement={agreement}"
    desk = Desk.at(pair.school)
    assert to in (await desk.get(f"/pages/agreements/{agreement}")).text
    assert (await desk.get(to)).status_code == HTTPStatus.OK
    dpo = Desk.at(pair.school, Role.DPO)
    assert to not in (await dpo.get(f"/pages/agreements/{agreement}")).text


async def test_of_several_partners_those_are_chosen_whom_the_agreement_names(
    pair: DeskPair,
) -> None:
    """A-4.1: each recipient is named, and no other gets anything."""
    other = second_school(pair)
    person, side = new_id(), pair.city
    body, core = Person.model_validate_json(json.dumps(PUPIL)), side.node.core
    side.write(lambda tx: register_person(tx, core, body, person, "agent-1", START))
    desk, path = Desk.at(side), f"/pages/people/{person}/agreement"
    asked = await desk.get(path)
    assert [f'name="to" value="{org}"' in asked.text for org in ("ecole", "lycee")] == [True, True]
    assert "Organisme s2" in asked.text
    one = await desk.get(path, to="lycee")
    assert 'name="recipients" value="lycee"' in one.text
    assert 'value="ecole"' not in one.text
    nobody = await desk.get(path, to="mairie-inconnue")
    assert 'name="to"' in nobody.text
    typed = answers(pair)
    del typed["recipients"]
    both = await desk.get(path, to=["ecole", "lycee"])
    where = landed(await desk.send(both, path, typed))
    rows = side.rows(tables.agreement_recipients)
    assert {row.recipient for row in rows} == {"ecole", "lycee"}
    page = await desk.get(where)
    assert "Organisme s1, Organisme s2" in page.text
    confirm = await desk.get(f"{where}/withdrawal")
    assert "Organisme s1, Organisme s2" in confirm.text
    other.close()
