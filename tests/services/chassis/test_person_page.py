"""What a person sees and ends at their page; the partner stops as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from contracts import registry
from contracts.gate import Refused
from contracts.kernel.derogation import Ground
from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.erasure import ask_erasure
from services.chassis.pages.rendering import day_in_words, render
from services.chassis.person import words
from services.chassis.person.sentences import AgreementSeen, Sentence
from services.chassis.person.visits import Visit
from services.chassis.tokens import Agent, Role
from tests.pair import ANSWER, PUPIL, Pair, Side
from tests.reports import ask
from tests.services.chassis.deciding import (
    DAY,
    alert,
    decided,
    suspended,
)
from tests.services.chassis.visiting import SEE, Browser, visiting
from tests.services.conventions.a_city_school.support import Desk

TEMPLATES = (
    *("person.html", "person_door.html", "person_error.html", "person_agreement.html"),
    *("person_answers.html", "person_withdrawal.html", "person_objection.html"),
    "person_request.html",
)
MANAGER = Agent("agent-1", Role.MANAGER)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def of_case(side: Side) -> str:
    """The person of a node's only case."""
    (case,) = side.rows(tables.cases)
    return str(case.person_id)


async def text(browser: Browser, path: str = "/person/") -> str:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text).replace("\u202f", " ")


def happened(page: str) -> str:
    """The part of the page that tells what was done, without the agreements."""
    return page.partition("Ce qui s'est passé")[2]


def codes(outcome: Any) -> set[str]:
    decision = outcome.decision
    return {one.code for one in decision.reasons} if isinstance(decision, Refused) else set()


async def test_each_side_shows_who_was_told_what_and_why_and_names_nobody(pair: Pair) -> None:
    """A-2.12; GDPR 15."""
    desk = Desk(pair)
    await desk.referred()
    for side in pair.sides:
        page = await text(await visiting(side, of_case(side), agent=MANAGER))
        assert "Organisme s1 a transmis à Organisme v1 : fiche de repérage" in page
        assert "Organisme v1 a transmis à Organisme s1 : réponse à la fiche de repérage" in page
        assert f"Pourquoi : {words.PURPOSES['school_perseverance']}." in page
        assert "Article A-4.3" in page
        assert "Avec l'accord donné le 22 novembre 2026 par un représentant légal." in page
        assert "élève, représentant légal" in page
        for name in ("agent-1", "Exemplaire", "Dominique", "Fictive", "Camille"):
            assert name not in page


async def test_a_refusal_is_shown_with_its_article(pair: Pair) -> None:
    person = pair.person()
    agreement = pair.agreement(person, flows=["referral.answered"])
    sent = pair.refer(agreement)
    assert codes(sent)
    page = await text(await visiting(pair.school, person))
    assert "voulait transmettre à Organisme v1 : fiche de repérage. Refusé" in page
    assert "A-2.11" in page
    other = await text(await visiting(pair.school, pair.person()))
    assert "voulait transmettre" not in other


async def test_everybody_sees_what_is_theirs_alone(pair: Pair) -> None:
    """Two pupils of one school; one page says nothing of the other, by any address."""
    mine, theirs = pair.person(), pair.person()
    own, foreign = pair.agreement(mine), pair.agreement(theirs)
    pair.refer(foreign)
    browser = await visiting(pair.school, mine)
    assert "fiche de repérage (" not in await text(browser)
    for one in (foreign, "0" * 32, "x", "%00", "' or 1=1"):
        for tail in ("", "/answers", "/withdrawal", "/objection"):
            answer = await browser.get(f"/person/agreements/{one}{tail}")
            assert answer.status_code == 404, (one, tail)
        for tail in ("/withdrawal", "/objection"):
            answer = await browser.send(f"/person/agreements/{one}{tail}")
            assert answer.status_code == 404, (one, tail)
    assert (await browser.get(f"/person/agreements/{own}/objection")).status_code == 200
    (row,) = pair.school.rows(tables.agreements, tables.agreements.c.agreement_id == foreign)
    assert (row.withdrawn_at, row.suspended_at) == (None, None)


async def test_what_the_young_person_agreed_to_alone_is_theirs(pair: Pair) -> None:
    """The representative sees what a representative agreed to, and may withdraw that."""
    person = pair.person({**PUPIL, "identity": {**PUPIL["identity"], "birth_date": "2009-03-09"}})  # type: ignore[dict-item]
    alone = pair.agreement(person, giver="young_person")
    by_parent = pair.agreement(person)
    refused = pair.refer(alone)
    assert codes(refused)
    own = await visiting(pair.school, person)
    theirs = await visiting(pair.school, person, "representative")
    assert "voulait transmettre" in await text(own)
    assert "voulait transmettre" not in await text(theirs)
    for browser, may, only in ((own, alone, by_parent), (theirs, by_parent, alone)):
        assert f"/agreements/{may}/withdrawal" in await text(browser)
        assert f"/agreements/{only}/withdrawal" not in await text(browser)
    assert f"/agreements/{by_parent}/objection" in await text(own)
    assert (await theirs.get(f"/person/agreements/{alone}")).status_code == 404
    refusal = await own.send(f"/person/agreements/{by_parent}/withdrawal")
    assert refusal.status_code == 409


async def test_a_withdrawal_at_the_page_stops_both_nodes_at_once(pair: Pair) -> None:
    """A-2.11: this node's decisions refuse from now on; the partner stops, and says so."""
    desk = Desk(pair)
    await desk.referred()
    (agreement,) = pair.school.rows(tables.agreements)
    waiting = pair.refer(agreement.agreement_id)
    assert codes(waiting) == set()
    browser = await visiting(pair.school, agreement.person_id, "representative")
    path = f"/person/agreements/{agreement.agreement_id}"
    asked = await text(browser, f"{path}/withdrawal")
    assert "Organisme v1, qui doit arrêter aussi et le prouver" in asked
    assert codes(pair.refer(agreement.agreement_id)) == set()  # asking changes nothing
    before = await text(browser, path)
    answer = await browser.send(f"{path}/withdrawal")
    assert (answer.status_code, answer.headers["location"]) == (SEE, path)
    assert codes(pair.refer(agreement.agreement_id)) == {"agreement_withdrawn"}
    assert pair.school.state(waiting.message_id) == "stopped"
    assert "pas encore de réponse" in await text(browser, path)
    assert await text(browser, path) != before
    await pair.carry()
    after = await text(browser, path)
    assert "Organisme v1" in after
    assert "tout est arrêté, le 22 novembre 2026" in after
    states = {row.state for row in pair.city.rows(tables.cases)}
    assert states == {"stopped"}
    late = pair.city.send("referral.answered", "ecole", ANSWER, case_id=desk.case_id)
    assert "agreement_withdrawn" in codes(late)
    again = await browser.send(f"{path}/withdrawal")
    assert again.status_code == SEE


async def test_a_withdrawal_at_the_holder_s_page_reaches_the_collector(pair: Pair) -> None:
    """The city's page stops the city at once, and the school when it hears."""
    desk = Desk(pair)
    await desk.referred()
    (agreement,) = pair.school.rows(tables.agreements)
    (case,) = pair.city.rows(tables.cases)
    browser = await visiting(pair.city, case.person_id, "representative", agent=MANAGER)
    answer = await browser.send(f"/person/agreements/{case.reference}/withdrawal")
    assert answer.status_code == SEE
    assert "retiré" in await text(browser, f"/person/agreements/{case.reference}")
    told = pair.city.send("referral.answered", "ecole", ANSWER, case_id=desk.case_id)
    assert "agreement_withdrawn" in codes(told)
    assert codes(pair.refer(agreement.agreement_id)) == set()
    await pair.carry()
    assert codes(pair.refer(agreement.agreement_id)) == {"agreement_withdrawn"}


async def test_the_part_that_refreshes_changes_with_the_answer_alone(pair: Pair) -> None:
    desk = Desk(pair)
    await desk.referred()
    (agreement,) = pair.school.rows(tables.agreements)
    browser = await visiting(pair.school, agreement.person_id, "representative")
    path = f"/person/agreements/{agreement.agreement_id}"
    await browser.send(f"{path}/withdrawal")
    page = await text(browser, path)
    part = page.split('hx-get="')[1].split('"')[0]
    assert (await browser.get(part)).status_code == 204
    await pair.carry()
    answer = await browser.get(part)
    assert "tout est arrêté" in answer.text
    assert "<html" not in answer.text


async def test_an_objection_at_the_page_rests_everything_until_it_is_answered(pair: Pair) -> None:
    """GDPR 21: the young person did not give it, and says no all the same."""
    desk = Desk(pair)
    await desk.referred()
    (agreement,) = pair.school.rows(tables.agreements)
    browser = await visiting(pair.school, agreement.person_id)
    path = f"/person/agreements/{agreement.agreement_id}"
    assert "pause" in await text(browser, f"{path}/objection")
    assert (await browser.send(f"{path}/objection")).status_code == SEE
    assert codes(pair.refer(agreement.agreement_id)) == {"agreement_suspended"}
    await pair.carry()
    told = pair.city.send("referral.answered", "ecole", ANSWER, case_id=desk.case_id)
    assert "agreement_suspended" in codes(told)
    assert desk.waiting(pair.school)["agreement.objection"] == "pending"


async def test_a_sealed_message_comes_on_its_day_and_says_that_it_was(pair: Pair) -> None:
    desk = await suspended(pair)
    until = desk.today + 10 * DAY
    sent = alert(desk, decided(desk, sealed_until=until))
    await pair.carry()
    desk.read(pair.school, sent.message_id)
    for side in pair.sides:
        page = await text(await visiting(side, of_case(side), agent=MANAGER))
        assert "information sans délai" not in happened(page)
    pair.clock.at += 10 * DAY
    for side in pair.sides:
        page = await text(await visiting(side, of_case(side), agent=MANAGER))
        assert "information sans délai" in happened(page)
        assert f"Cette ligne était cachée jusqu'au {day_in_words(until)}" in page
        assert f"l'ont décidé, {words.GROUNDS[Ground.VITAL_INTERESTS.value]}" in page


async def test_a_refusal_that_was_to_be_sealed_is_hidden_until_then(pair: Pair) -> None:
    desk = await suspended(pair)
    derogation_id = decided(desk, sealed_until=desk.today + 10 * DAY)
    pair.clock.at += timedelta(hours=5)
    assert "derogation_expired" in codes(alert(desk, derogation_id))
    page = await text(await visiting(pair.city, of_case(pair.city), agent=MANAGER))
    assert "voulait transmettre" not in happened(page)
    pair.clock.at += 10 * DAY
    page = await text(await visiting(pair.city, of_case(pair.city), agent=MANAGER))
    assert "voulait transmettre à Organisme s1 : information sans délai" in happened(page)


async def test_a_destruction_is_shown_to_who_is_still_in_the_register(pair: Pair) -> None:
    desk = Desk(pair)
    await desk.referred()
    (case,) = pair.school.rows(tables.cases)
    core = pair.school.node.core
    pair.school.write(lambda tx: ask_erasure(tx, core, case, new_id(), pair.clock.now()))
    await pair.carry()
    page = await text(await visiting(pair.school, case.person_id))
    assert "Organisme s1 a détruit" in page
    assert "Organisme v1 a détruit" in page
    assert "fiche de repérage (" not in page
    assert pair.city.rows(tables.persons) == []


async def test_a_name_is_on_the_page_and_in_no_title_or_address(pair: Pair) -> None:
    page = (await (await visiting(pair.school, pair.person())).get()).text
    assert "Zoé, ce qui est dit de vous" in page
    assert "Zoé" not in page.split("<title>")[1].split("</title>")[0]
    assert not any("Zo" in one for one in re.findall(r'(?:href|action|hx-get)="([^"]*)"', page))


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_text_that_is_shown_is_ever_run(template: str) -> None:
    """Stored script: whatever a register, a partner or a directory says."""
    evil = "<script>alert(1)</script>"
    now = datetime.now(UTC)
    visit = Visit("", "young_person", ("x",), evil, now, "", now, "known")
    use = Sentence(at=now, hour=evil, said=evil, notes=(evil,), content=(evil,), articles=(evil,))
    one = AgreementSeen(
        id=evil,
        state=evil,
        running=True,
        giver=evil,
        since=evil,
        recipients=(evil,),
        messages=(evil,),
        told=((evil, evil),),
        may_withdraw=True,
        may_object=True,
    )
    asked = {
        **dict.fromkeys(("what", "asked_on", "due_on", "answer", "article", "copy_of"), evil),
        "extended": True,
        "late": True,
        "partners": [(evil, evil)],
    }
    page = render(
        template,
        org=evil,
        visit=visit,
        whose=evil,
        first=0,
        following=None,
        days=[(evil, [use])],
        agreements=[one],
        one=one,
        version=evil,
        problem=evil,
        rights={evil: evil},
        requests=[{**asked, "unasked": unasked} for unasked in (False, True)],
        right="erasure",
        what=evil,
        told=evil,
        about={evil: evil},
        title=evil,
        sentence=evil,
        articles=(evil,),
    )
    assert evil not in page
    assert "&lt;script&gt;" in page


async def test_a_program_reads_the_same_in_the_usage_protocol(pair: Pair) -> None:
    desk = Desk(pair)
    await desk.referred()
    (case,) = pair.school.rows(tables.cases)
    browser = await visiting(pair.school, case.person_id)
    own = (await browser.get("/person/usage/findUsage")).json()
    api = "/api/v1/usage/findUsage"
    program = (await ask(pair.school, f"{api}?userCode={case.person_id}")).json()
    assert own["usages"][-1] == program["usages"][-1]
    assert own["totalUsages"] == len(own["usages"]) >= 3
    first = own["usages"][-1]
    assert first.keys() == {"logtime", "action", "receiverCode", "receiverName", "receiverSystem"}
    assert first["receiverName"] == "Organisme v1"
    assert first["action"].startswith("Organisme s1 a transmis à Organisme v1 : fiche de repérage")
    assert [one["receiverCode"] for one in own["usages"] if one["receiverName"] == "Organisme s1"][
        -1
    ] == "0999999A"
    times = [one["logtime"] for one in own["usages"]]
    assert times == sorted(times, reverse=True)
    page = (await browser.get("/person/usage/findUsage?offset=1&limit=1")).json()
    assert page == {**own, "usages": own["usages"][1:2]}
    end = pair.clock.at.isoformat().replace("+", "%2B")
    assert (await browser.get(f"/person/usage/findUsage?periodEnd={end}")).json()["usages"] == []
    for bad in ("limit=0", "offset=-1", "periodStart=x", "who=me", "limit=1001"):
        assert (
            await browser.get(f"/person/usage/findUsage?{bad}", headers={"accept": "*/*"})
        ).status_code == 422, bad


async def test_the_usage_protocol_answers_who_may_and_nobody_else(pair: Pair) -> None:
    mine, theirs = pair.person(), pair.person()
    browser = await visiting(pair.school, mine)
    plain = {"accept": "application/json"}
    for path, expected in (
        ("usage/heartbeat", {"status": "OK"}),
        ("usage/usagePeriod", None),
    ):
        answer = await browser.get(f"/person/{path}", headers=plain)
        assert answer.status_code == 200
        assert expected is None or answer.json() == expected
        assert (await ask(pair.school, f"/api/v1/{path}")).status_code == 200
        assert (await Browser(pair.school).get(f"/person/{path}", headers=plain)).status_code == 401
        assert (await ask(pair.school, f"/api/v1/{path}", None)).status_code == 401
    other = await browser.get(f"/person/usage/findUsage?userCode={theirs}", headers=plain)
    assert other.status_code == 404
    api = f"/api/v1/usage/findUsage?userCode={theirs}"
    assert (await ask(pair.school, api, Role.DPO)).status_code == 200
    for role in (Role.OPERATOR, Role.INTEGRATOR):
        assert (await ask(pair.school, api, role)).status_code == 403


def test_no_code_lacks_its_words() -> None:
    flows = [flow for _, flow in registry.load().flows()]
    assert {flow.purpose for flow in flows} <= set(words.PURPOSES)
    assert {one.value for one in Ground} == set(words.GROUNDS)


async def test_several_local_ids_are_one_page_where_an_agent_says_so(pair: Pair) -> None:
    """At a receiver each case knows its person anew; what joins them is an agent's word."""
    person = pair.person()
    for _ in range(2):
        pair.refer(pair.agreement(person))
    await pair.carry()
    first, second = (row.person_id for row in pair.city.rows(tables.cases))
    alone = happened(await text(await visiting(pair.city, first, agent=MANAGER)))
    both = happened(await text(await visiting(pair.city, first, agent=MANAGER, also=[second])))
    assert (alone.count("fiche de repérage"), both.count("fiche de repérage")) == (1, 2)
