"""Rights as cases: asked, checked, passed on to partners, answered within a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import midnight
from services.chassis import person_tables, rights, rights_views, tables
from services.chassis.clock import new_id
from services.chassis.erasure import erase_case
from services.chassis.holds import Hold, place_hold
from services.chassis.minors import Objection, suspend
from services.chassis.retention import purge
from services.chassis.rights import AnswerBody, CheckBody, RequestState, RightsBody
from services.chassis.schema import journal
from services.chassis.tokens import Agent, NotPermitted, Role
from tests.pair import ANSWER, CONVENTION, PUPIL, Pair, Side
from tests.reports import ask
from tests.services.chassis.deciding import on_agreement
from tests.services.chassis.test_person_page import codes
from tests.services.chassis.visiting import SEE, visiting
from tests.services.conventions.a_city_school.support import Desk

AGENT = Agent("agent-1", Role.REFERENT)
DPO = Agent("dpo-1", Role.DPO)
MANAGER = Agent("cheffe-1", Role.MANAGER)
DUE = midnight(date(2026, 12, 22))


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    """A pupil of whom both know, and of nobody else."""
    made = Desk(pair)
    await made.referred()
    return made


def born(day: str) -> dict[str, Any]:
    """The pupil, born on another day."""
    identity: Any = PUPIL["identity"]
    return {**PUPIL, "identity": {**identity, "birth_date": day}}


def person(side: Side) -> str:
    return str(side.rows(tables.cases)[0].person_id)


def received(side: Side, right: str, agent: Agent = AGENT, **more: Any) -> str:
    values = {
        "person_id": person(side),
        "right": right,
        "raised_by": "young_person",
        "channel": "meeting",
        "means": "in_person",
        **more,
    }
    core, at, request_id = side.node.core, side.clock.now(), new_id()
    body = RightsBody.model_validate(values)
    side.write(lambda tx: rights.received(tx, core, body, request_id, agent, at))
    return request_id


def doing(side: Side, act: Callable[..., Any], request_id: str, *said: Any) -> Any:
    core, at = side.node.core, side.clock.now()
    return side.write(lambda tx: act(tx, core, request_id, *said, at))


def seen(side: Side, request_id: str) -> dict[str, Any]:
    at = side.clock.now()
    return side.node.database.read_now(lambda c: rights_views.read(c, request_id, at))


def done(outcome: str = "done", **more: Any) -> AnswerBody:
    return AnswerBody.model_validate({"outcome": outcome, "channel": "meeting", **more})


def clock_of(side: Side, request_id: str) -> list[tuple[str, datetime]]:
    table = tables.deadlines
    rows = side.rows(table, table.c.subject == request_id)
    return [(row.state, row.due_at) for row in sorted(rows, key=lambda row: row.level)]


async def test_an_access_is_passed_on_answered_by_a_human_there_and_closed(desk: Desk) -> None:
    """GDPR 12.3, 15: the month runs on both sides."""
    school, city = desk.school, desk.city
    request_id = received(school, "access")
    assert clock_of(school, request_id) == [("pending", DUE)]
    assert doing(school, rights.send, request_id, DPO) == [city.org]
    await desk.pair.carry()
    (theirs,) = city.rows(person_tables.requests)
    assert (theirs.origin, theirs.origin_request, theirs.right) == ("ecole", request_id, "access")
    assert clock_of(city, theirs.request_id) == [("pending", DUE)]
    assert [one["outcome"] for one in seen(school, request_id)["answers"]] == [None]
    doing(city, rights.close, theirs.request_id, done(), DPO)
    await desk.pair.carry()
    (told,) = seen(school, request_id)["answers"]
    assert (told["org"], told["outcome"]) == (city.org, "done")
    doing(school, rights.close, request_id, done(), DPO)
    found = seen(school, request_id)
    assert (found["state"], found["outcome"], found["late"]) == ("closed", "done", False)
    for side, one in ((school, request_id), (city, theirs.request_id)):
        assert clock_of(side, one) == [("met", DUE)]
    lines = sorted(school.rows(journal), key=lambda row: row.seq)
    events = [row.event for row in lines if row.event.startswith("rights.")]
    assert events == ["rights.asked", "rights.sent", "rights.answered"]
    assert {
        row.status for row in school.rows(tables.outbox, tables.outbox.c.type == "rights.requested")
    } == {"received"}


async def test_nothing_is_passed_on_before_a_human_knows_who_asks(desk: Desk) -> None:
    """GDPR 12.6: by whom, when and how it was checked is kept."""
    request_id = received(desk.school, "access", means=None)
    assert seen(desk.school, request_id)["state"] == "to_check"
    with pytest.raises(RequestState):
        doing(desk.school, rights.send, request_id, DPO)
    doing(desk.school, rights.check, request_id, CheckBody(means="document"), AGENT)
    found = seen(desk.school, request_id)
    assert (found["checked_by"], found["means"], found["state"]) == (
        "agent-1",
        "document",
        "to_send",
    )
    assert found["checked_at"] == desk.pair.clock.at.isoformat()
    with pytest.raises(RequestState):
        doing(desk.school, rights.check, request_id, CheckBody(means="known"), AGENT)
    assert doing(desk.school, rights.send, request_id, DPO) == [desk.city.org]
    with pytest.raises(RequestState):
        doing(desk.school, rights.send, request_id, DPO)


async def test_a_month_that_passes_is_missed_and_may_be_extended_before(desk: Desk) -> None:
    late, longer = (received(desk.school, "access") for _ in range(2))
    until = doing(desk.school, rights.extend, longer, DPO)
    assert until == midnight(date(2027, 2, 22))
    with pytest.raises(RequestState):
        doing(desk.school, rights.extend, longer, DPO)
    await desk.on(DUE)
    assert clock_of(desk.school, late) == [("missed", DUE)]
    assert clock_of(desk.school, longer)[-1] == ("pending", until)
    assert (seen(desk.school, late)["late"], seen(desk.school, longer)["late"]) == (True, False)
    with pytest.raises(RequestState):
        doing(desk.school, rights.extend, late, DPO)
    doing(desk.school, rights.close, late, done("refused", article="L131-6"), DPO)
    assert clock_of(desk.school, late) == [("late", DUE)]


async def test_a_correction_says_what_and_never_the_words(desk: Desk) -> None:
    request_id = received(desk.school, "rectification", about=("identity", "contact"))
    doing(desk.school, rights.send, request_id, DPO)
    await desk.pair.carry()
    (theirs,) = desk.city.rows(person_tables.requests)
    assert theirs.about == ("identity", "contact")
    for right, about in (("rectification", ()), ("access", ("identity",))):
        with pytest.raises(InvalidPayload):
            received(desk.school, right, about=about)


async def test_an_erasure_destroys_here_and_there_with_certificates(desk: Desk) -> None:
    """GDPR 17, 19."""
    school, city, who = desk.school, desk.city, person(desk.school)
    request_id = received(school, "erasure")
    with pytest.raises(NotPermitted):
        doing(school, rights.send, request_id, MANAGER)
    assert doing(school, rights.send, request_id, DPO) == [city.org]
    assert [one["outcome"] for one in seen(school, request_id)["answers"]] == [None]
    await desk.pair.carry()
    (told,) = seen(school, request_id)["answers"]
    assert (told["org"], told["outcome"]) == (city.org, "deleted")
    assert school.rows(tables.persons, tables.persons.c.person_id == who) == []
    assert city.rows(tables.persons) == []
    assert school.rows(person_tables.request_persons) == []
    doing(school, rights.close, request_id, done(), DPO)
    assert seen(school, request_id)["state"] == "closed"


async def test_what_a_dispute_keeps_is_said_with_its_article(desk: Desk) -> None:
    """GDPR 17.3 e; the partner is asked for nothing that is kept here."""
    school, core = desk.school, desk.school.node.core
    hold = Hold.model_validate({"ground": "amicable"})
    school.write(
        lambda tx: place_hold(tx, core, CONVENTION, hold, new_id(), "cheffe-1", desk.pair.clock.at)
    )
    request_id = received(school, "erasure")
    assert doing(school, rights.send, request_id, DPO) == []
    (kept,) = seen(school, request_id)["answers"]
    assert (kept["org"], kept["outcome"], kept["article"]) == (school.org, "kept", "A-12.1")
    await desk.pair.carry()
    assert len(desk.city.rows(tables.persons)) == 1
    (agreement,) = school.rows(tables.agreements)
    assert agreement.withdrawn_at is not None  # kept, but used for nothing more
    with pytest.raises(InvalidPayload) as refused:
        doing(school, rights.close, request_id, done("partly"), DPO)
    assert refused.value.fields == (("article", "missing"),)
    doing(school, rights.close, request_id, done("partly", article="A-12.1"), DPO)
    assert seen(school, request_id)["article"] == "A-12.1"


@pytest.mark.parametrize("outcome", ["done", "refused"])
async def test_an_objection_rests_at_once_and_a_manager_decides(desk: Desk, outcome: str) -> None:
    """GDPR 18.1 d, 21: upheld, the agreement ends everywhere; refused, it runs again."""
    (agreement,) = desk.school.rows(tables.agreements)
    request_id = received(desk.school, "objection")
    assert codes(desk.pair.refer(agreement.agreement_id)) == {"agreement_suspended"}
    await desk.pair.carry()
    late = desk.city.send("referral.answered", "ecole", ANSWER, case_id=desk.case_id)
    assert "agreement_suspended" in codes(late)
    body = done(outcome, article=None if outcome == "done" else "L131-6")
    with pytest.raises(NotPermitted):
        doing(desk.school, rights.close, request_id, body, DPO)
    desk.pair.clock.at += timedelta(hours=1)
    doing(desk.school, rights.close, request_id, body, MANAGER)
    expected = {"agreement_withdrawn"} if outcome == "done" else set()
    assert codes(desk.pair.refer(agreement.agreement_id)) == expected
    await desk.pair.carry()
    (tombstone,) = desk.city.rows(tables.tombstones)
    assert tombstone.state == ("withdrawn" if outcome == "done" else "resumed")


async def test_an_objection_that_was_there_before_waits_for_its_own_answer(desk: Desk) -> None:
    (agreement,) = desk.school.rows(tables.agreements)
    on_agreement(desk, suspend, Objection(raised_by="representative"))
    desk.pair.clock.at += timedelta(hours=1)
    request_id = received(desk.school, "objection")
    doing(desk.school, rights.close, request_id, done("refused", article="L131-6"), MANAGER)
    assert codes(desk.pair.refer(agreement.agreement_id)) == {"agreement_suspended"}


async def test_an_objection_at_a_holder_reaches_who_collected_the_agreement(desk: Desk) -> None:
    """The city rests at once; the school rests when it hears, and answers."""
    (agreement,) = desk.school.rows(tables.agreements)
    request_id = received(desk.city, "objection", agent=Agent("agent-1", Role.REFERENT))
    late = desk.city.send("referral.answered", "ecole", ANSWER, case_id=desk.case_id)
    assert "agreement_suspended" in codes(late)
    assert codes(desk.pair.refer(agreement.agreement_id)) == set()
    await desk.pair.carry()
    assert codes(desk.pair.refer(agreement.agreement_id)) == {"agreement_suspended"}
    (theirs,) = desk.school.rows(person_tables.requests)
    doing(desk.school, rights.close, theirs.request_id, done(), MANAGER)
    await desk.pair.carry()
    (told,) = seen(desk.city, request_id)["answers"]
    assert (told["org"], told["outcome"]) == (desk.school.org, "done")
    (tombstone,) = desk.city.rows(tables.tombstones)
    assert tombstone.state == "withdrawn"


async def test_a_partner_who_knows_nothing_says_so_at_once(desk: Desk) -> None:
    request_id = received(desk.school, "access")
    core, city = desk.city.node.core, desk.city
    city.write(lambda tx: erase_case(tx, core, desk.case_id, new_id(), city.clock.now()))
    doing(desk.school, rights.send, request_id, DPO)
    await desk.pair.carry()
    assert [one["outcome"] for one in seen(desk.school, request_id)["answers"]] == ["unknown"]
    assert city.rows(person_tables.requests) == []


async def test_a_representative_asks_until_majority_and_for_their_own(desk: Desk) -> None:
    assert received(desk.school, "access", raised_by="representative")
    grown = desk.pair.person(born("2008-01-01"))
    with pytest.raises(InvalidPayload) as refused:
        received(desk.school, "access", person_id=grown, raised_by="representative")
    assert refused.value.articles == ("CC 414",)
    assert received(desk.school, "access", person_id=grown)
    with pytest.raises(UnknownName):
        received(desk.school, "access", person_id="0" * 32)


async def test_a_person_asks_at_their_page_and_follows_it_there(desk: Desk) -> None:
    browser = await visiting(desk.school, person(desk.school))
    form = (await browser.get("/person/requests/rectification")).text
    assert "Le nom, le prénom" in form
    empty = await browser.send("/person/requests/rectification")
    assert (empty.status_code, "Cochez au moins" in empty.text) == (422, True)
    sent = await browser.send("/person/requests/rectification", about="contact")
    assert sent.status_code == SEE
    assert (
        await browser.send("/person/requests/rectification", about="contact")
    ).status_code == 409
    assert (await browser.get("/person/requests/everything")).status_code == 404
    page = unescape((await browser.get()).text).replace("\u202f", " ")
    assert "Demandé le 22 novembre 2026. Réponse au plus tard le 21 décembre 2026." in page
    (row,) = desk.school.rows(person_tables.requests)
    assert (row.checked_by, row.means, row.channel) == ("agent-1", "in_person", "page")
    other = await visiting(desk.school, person(desk.school), "representative")
    assert "Demandé le" not in (await other.get()).text


async def test_an_objection_at_the_page_waits_for_nobody(desk: Desk) -> None:
    (agreement,) = desk.school.rows(tables.agreements)
    browser = await visiting(desk.school, person(desk.school))
    assert (await browser.send("/person/requests/objection")).status_code == SEE
    assert codes(desk.pair.refer(agreement.agreement_id)) == {"agreement_suspended"}


async def test_the_api_does_it_all(desk: Desk) -> None:
    plain = {"accept": "*/*"}

    async def call(method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = await ask(
            desk.school, f"/api/v1/requests{path}", Role.MANAGER, method, json=body, headers=plain
        )
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    body = {
        "person_id": person(desk.school),
        "right": "access",
        "raised_by": "young_person",
        "channel": "letter",
    }
    made = await call("POST", "", **body)
    assert made["state"] == "to_check"
    path = f"/{made['request_id']}"
    assert (await call("POST", f"{path}/check", means="document"))["state"] == "to_send"
    assert (await call("POST", f"{path}/extension"))["due_at"] == midnight(
        date(2027, 2, 22)
    ).isoformat()
    assert (await call("POST", f"{path}/sending"))["told"] == ["ville"]
    assert (await call("POST", f"{path}/answer", outcome="done", channel="letter"))[
        "state"
    ] == "closed"
    listed = await ask(desk.school, "/api/v1/requests", Role.DPO, headers=plain)
    rights_views.RequestsHeld.model_validate_json(listed.text)
    rights_views.RequestRead.model_validate_json(
        (await ask(desk.school, f"/api/v1/requests{path}", Role.DPO, headers=plain)).text
    )
    assert "Exemplaire" not in listed.text


async def test_answered_requests_go_with_time(desk: Desk) -> None:
    request_id, waits = received(desk.school, "access"), received(desk.school, "access")
    doing(desk.school, rights.send, request_id, DPO)
    doing(desk.school, rights.close, request_id, done(), DPO)
    core, database = desk.school.node.core, desk.school.node.database
    await purge(database, core, desk.pair.clock.at + timedelta(days=core.policy.proof_days))
    (left,) = desk.school.rows(person_tables.requests)
    assert left.request_id == waits
    assert desk.school.rows(person_tables.answers) == []
