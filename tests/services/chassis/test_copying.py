"""The copy of what is held about a person: whole, theirs alone, once it was granted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload
from services.chassis import person_tables, rights, tables
from services.chassis.person.copying import Copy, copy_for, said_of
from services.chassis.rights import RequestState
from services.chassis.schema import journal
from services.chassis.tokens import Agent, Role
from tests.pair import ANSWER, Pair, Side
from tests.reports import ask
from tests.seated import opened
from tests.services.chassis.test_request_pages import Seat
from tests.services.chassis.test_rights import (
    AGENT,
    DPO,
    born,
    doing,
    done,
    person,
    received,
)
from tests.services.chassis.visiting import visiting
from tests.services.conventions.a_city_school.support import Desk

OTHERS = ("Dominique", "dominique@famille.example", "Camille Fictive", "agent-1", "Autrui")
"""A representative, the city's referent, an agent, another pupil."""


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        opened(made.school)
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    """A pupil of whom both know, and another one beside."""
    made = Desk(pair)
    await made.referred()
    other: dict[str, Any] = born("2012-05-05")
    other = {**other, "identity": {**other["identity"], "family_name": "Autrui"}}
    pair.refer(pair.agreement(pair.person(other)))
    await pair.carry()
    return made


def copied(side: Side, request_id: str, agent: Agent = DPO) -> Copy:
    core, at = side.node.core, side.clock.now()
    found: Copy = side.write(lambda tx: copy_for(tx, core, request_id, agent, at))
    return found


def asker(desk: Desk) -> str:
    """The pupil's id, whom the case at work on is about."""
    (case,) = desk.school.rows(tables.cases, tables.cases.c.case_id == desk.case_id)
    return str(case.person_id)


def asked(desk: Desk, **more: Any) -> str:
    return received(desk.school, "access", **{"person_id": asker(desk), **more})


async def test_it_holds_all_that_is_known_and_nobody_else(desk: Desk) -> None:
    """GDPR 15.1, 15.4, 20.1."""
    copy = copied(desk.school, asked(desk))
    found = json.loads(copy.model_dump_json())
    (identity,) = found["identities"]
    assert (identity["family_name"], identity["birth_date"]) == ("Exemplaire", "2012-03-09")
    assert found["representatives"] == 1
    assert [one["case_id"] for one in found["cases"]] == [desk.case_id]
    (case,) = found["cases"]
    assert "agreement" not in case["left_out"]
    assert case["kept"]["referral.submitted"]
    assert {one["kind"] for one in found["uses"]} >= {"sent", "received"}
    assert {one["what"] for one in found["uses"] if "what" in one}
    assert found["recipients"] == [desk.city.org]
    assert len(found["agreements"]) == 1
    assert [one["right"] for one in found["requests"]] == ["access"]
    assert found["dpo"] == "dpo@organisme.example"
    for name in OTHERS:
        assert name not in copy.model_dump_json(), name


async def test_what_may_name_somebody_is_left_out_and_said_to_be(desk: Desk) -> None:
    core = desk.city.node.core
    held = {
        "level": "4e",
        "met_on": "2026-11-22",
        "days": 3,
        "agreed": True,
        "referent": ANSWER["referent"],
        "concerns": ["absences", "M. Untel, voisin"],
        "phone": "+33639981234",
        "parent": {"first_name": "X", "birth_date": "1980-01-01"},
        "block": {"on": "2026-11-23", "channel": {"kind": "email", "value": "a@b.example"}},
    }
    content, left_out = said_of(core, "a_city_school", held)
    assert (content["met_on"], content["days"], content["agreed"]) == ("2026-11-22", 3, True)
    assert left_out == {"referent", "concerns", "phone", "parent", "channel"}
    assert content["concerns"] == ["absences"]
    assert content["block"] == {"on": "2026-11-23"}
    assert not {"referent", "parent", "phone"} & content.keys()
    text = json.dumps(content)
    for name in ("Camille", "Untel", "639981234", "camille.fictive"):
        assert name not in text


async def test_it_is_made_for_a_request_that_was_checked_and_not_refused(desk: Desk) -> None:
    school = desk.school
    unchecked, other = asked(desk, means=None), received(school, "erasure")
    refused = asked(desk)
    doing(school, rights.close, refused, done("refused", article="L131-6"), DPO)
    for request_id in (unchecked, other, refused):
        with pytest.raises(RequestState):
            copied(school, request_id)
    assert school.rows(journal, journal.c.event == "rights.copied") == []
    copied(school, asked(desk))
    (line,) = school.rows(journal, journal.c.event == "rights.copied")
    assert line.articles == ("RGPD 15.3",)


async def test_a_representative_gets_no_copy_once_the_person_is_of_age(desk: Desk) -> None:
    """CC 414; and nothing of what a young person agreed to alone."""
    request_id = asked(desk, raised_by="representative")
    assert copied(desk.school, request_id).identities
    desk.pair.clock.at = desk.pair.clock.at.replace(year=2031)
    with pytest.raises(InvalidPayload):
        copied(desk.school, request_id)


async def test_the_partner_s_copy_is_its_own(desk: Desk) -> None:
    request_id = asked(desk)
    doing(desk.school, rights.send, request_id, AGENT)
    await desk.pair.carry()
    (there,) = desk.city.rows(person_tables.requests)
    copy = copied(desk.city, there.request_id)
    assert (copy.organisation, len(copy.cases)) == (desk.city.org, 1)
    assert "Autrui" not in copy.model_dump_json()


@pytest.mark.parametrize("role", list(Role))
async def test_who_answers_requests_may_take_it_and_nobody_else(desk: Desk, role: Role) -> None:
    answer = await ask(desk.school, f"/api/v1/requests/{asked(desk)}/copy", role)
    may = role in {Role.MANAGER, Role.DPO}
    assert answer.status_code == (200 if may else 403), answer.text
    if may:
        assert answer.headers["cache-control"] == "no-store"
        assert "attachment" in answer.headers["content-disposition"]
        assert Copy.model_validate_json(answer.content).organisation == desk.school.org


async def test_the_dpo_prints_it_from_the_request_s_page(desk: Desk) -> None:
    seat, request_id = Seat(desk.school, Role.DPO), asked(desk)
    where = f"/pages/requests/{request_id}"
    page = (await seat.get(where)).text
    assert f'href="{where}/copy"' in page
    assert f'href="{where}/copy.json"' in page
    shown = await seat.get(f"{where}/copy")
    assert shown.status_code == 200
    assert "Exemplaire" in shown.text
    assert "Situations" in shown.text
    assert "tient sur cette personne, au" in shown.text
    for name in OTHERS:
        assert name not in shown.text.partition("<main")[2].partition("</main")[0], name
    data = await seat.get(f"{where}/copy.json")
    assert Copy.model_validate_json(data.content).request_id == request_id
    for wrong in ("0" * 32, "x"):
        assert (await seat.get(f"/pages/requests/{wrong}/copy")).status_code == 404


async def test_the_person_takes_it_at_their_page_once_it_is_granted(desk: Desk) -> None:
    school, request_id = desk.school, asked(desk)
    browser = await visiting(school, asker(desk))
    where = f"/person/copies/{request_id}"
    assert (await browser.get(where)).status_code == 409
    assert where not in (await browser.get()).text
    doing(school, rights.send, request_id, AGENT)
    doing(school, rights.close, request_id, done(), DPO)
    assert f'href="{where}"' in (await browser.get()).text
    shown = await browser.get(where)
    assert "Exemplaire" in shown.text
    assert not [name for name in OTHERS if name in shown.text]
    assert "tient sur vous, au" in shown.text
    assert "cette personne" not in shown.text
    data = await browser.get(f"{where}/data.json")
    assert Copy.model_validate_json(data.content).request_id == request_id
    other = [row for row in school.rows(tables.cases) if row.case_id != desk.case_id]
    stranger = await visiting(school, other[0].person_id)
    parent = await visiting(school, asker(desk), "representative")
    for one in (stranger, parent):
        assert (await one.get(where)).status_code == 404
        assert (await one.get(f"{where}/data.json")).status_code == 404
    assert person(school)
