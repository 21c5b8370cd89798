"""What a message changed at its sender is as it was once its receiver has refused it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.gate import Refused
from contracts.kernel.terms import ActKind
from services.chassis import letters, tables
from services.chassis.receipting import SILENCE
from services.chassis.retention import purge
from services.conventions.b_city_mission_locale.models import cosupports, orientations
from services.conventions.b_city_mission_locale.models import referents as pair_of
from services.conventions.c_employment_city_ccas.territory_models import questions
from services.conventions.d_department_mission_locale.models import youths
from tests.pair import Pair, Side
from tests.services.chassis.test_relay import Letterbox, relaying, row_of, until
from tests.services.conventions.b_city_mission_locale import support as b
from tests.services.conventions.c_employment_city_ccas import territory_support as c
from tests.services.conventions.d_department_mission_locale import support as d


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[b.Desk]:
    with b.made(tmp_path, new_database_url) as found:
        yield found


@pytest.fixture
def young(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[d.Desk]:
    with d.made(tmp_path, new_database_url) as found:
        found.founded()
        yield found


@pytest.fixture
def office(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[c.Office]:
    with c.made(tmp_path, new_database_url, "city") as found:
        found.ready()
        yield found


def held(side: Side) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that a handler may change at a node; of a case, all but its count of letters."""
    kept = {**side.node.core.partner.tables, "deadlines": tables.deadlines, "cases": tables.cases}
    found = {}
    for name, table in kept.items():
        columns = [column for column in table.columns if column.name != "seq_out"]
        rows = side.rows(table)
        found[name] = sorted(tuple(getattr(row, one.name) for one in columns) for row in rows)
    return {**found, "tallies": sorted(tuple(row) for row in side.rows(tables.tallies))}


def suspended(pair: Pair, side: Side) -> None:
    """One side suspends the convention, which the other hears of once it has sent."""
    pair.act(side, ActKind.SUSPENSION)


def resumed(pair: Pair, side: Side) -> None:
    """A minute later it goes on."""
    pair.clock.at += timedelta(minutes=1)
    pair.act(side, ActKind.RESUMPTION)


async def not_taken(work: Any, side: Side, *sent: tuple[str, dict[str, Any]]) -> None:
    """Send what the sender's gate allows and the receiver's refuses, one before the receipts."""
    outcomes = [work.send(side, type_, data) for type_, data in sent]
    assert not any(isinstance(one.decision, Refused) for one in outcomes)
    suspended(work.pair, work.other(side))
    await work.pair.carry()
    assert {side.state(one.message_id) for one in outcomes} == {letters.REFUSED}
    resumed(work.pair, work.other(side))


@pytest.mark.parametrize("outcome", ["received", "registered"])
async def test_an_answer_that_is_refused_is_owed_again(desk: b.Desk, outcome: str) -> None:
    """B-2.10: nor is the case closed, its deadlines ended, or anything counted."""
    agreement = desk.agreed(desk.city)
    await desk.told(desk.city, "orientation.requested", b.REQUEST, agreement_id=agreement)
    before, answer = held(desk.mission), {"outcome": outcome, "on": desk.today.isoformat()}
    await not_taken(desk, desk.mission, ("orientation.answered", answer))
    assert held(desk.mission) == before
    assert desk.waiting(desk.mission)["orientation.answer"] == "pending"
    assert desk.mission.rows(tables.reversals) == []
    await desk.told(desk.mission, "orientation.answered", answer)
    assert desk.row(desk.mission, orientations).state == outcome
    assert desk.mission.rows(tables.reversals) == []


async def test_steps_refused_together_leave_what_was_before_the_first(young: d.Desk) -> None:
    """D-1.3, D-1.9: whichever receipt comes first."""
    await young.met()
    for first in (0, 1):
        before, day = held(young.department), young.day()
        proposal = young.send(young.department, d.PROPOSED, {"proposed_on": day})
        again = young.send(young.department, d.PROPOSED, {"proposed_on": day})
        assert held(young.department) != before
        suspended(young.pair, young.mission)
        for one in (proposal, again) if first == 0 else (again, proposal):
            await arrives(young, one.message_id)
        assert held(young.department) == before
        resumed(young.pair, young.mission)
    assert young.row(young.department, youths).contract_proposed_at is None


async def arrives(young: d.Desk, message_id: str) -> None:
    """One letter of the department's alone, and its receipt."""
    waiting = young.department.outgoing()
    await young.mission.take([one for one in waiting if one.headers["Nats-Msg-Id"] == message_id])
    await young.department.take(young.mission.outgoing())


async def test_what_somebody_changed_since_stays(young: d.Desk) -> None:
    """D-1.3, D-1.9: one step is refused, another was accepted meanwhile."""
    await young.met()
    refused = young.send(young.department, d.DIAGNOSIS, {"review_on": None})
    taken = young.send(young.department, d.ENROLMENT, {"proposed_on": young.day()})
    await arrives(young, taken.message_id)
    assert young.department.state(taken.message_id) == letters.ACCEPTED
    suspended(young.pair, young.mission)
    await arrives(young, refused.message_id)
    assert young.department.state(refused.message_id) == letters.REFUSED
    row = young.row(young.department, youths)
    assert (row.diagnosis_requested_at, row.enrolment_proposed_at) == (None, young.pair.clock.at)


async def test_a_change_of_referent_that_is_refused_is_none(desk: b.Desk) -> None:
    """B-2.13: the former is the referent again, the contact the other side knows."""
    await desk.paired()
    await desk.later(hours=1)
    before = desk.city.rows(pair_of)
    desk.act(desk.city, "cosupport_referent", agent_id="agent-2", contact=b.OTHER)
    assert desk.city.rows(pair_of) != before
    suspended(desk.pair, desk.mission)
    await desk.pair.carry()
    assert sorted(desk.city.rows(pair_of)) == sorted(before)
    assert desk.row(desk.city, cosupports).state == "open"


async def test_a_question_refused_for_want_of_a_desk_is_answered_later(office: c.Office) -> None:
    """C-3d.4, C-7.3: and its answer is counted once."""
    await office.asks()
    office.person_told()
    office.leave(office.city, "social_clauses", None)
    before = held(office.agency)
    await office.not_taken(office.agency, "clause.eligibility_answered", {"answer": "yes"})
    assert held(office.agency) == before
    assert [row.state for row in office.agency.rows(questions)] == ["waiting"]
    office.desk(office.city, "social_clauses", None)
    await office.told(office.agency, "clause.eligibility_answered", {"answer": "yes"})
    counts = {row.code: row.number for row in office.agency.rows(tables.tallies)}
    assert counts["yes"] == 1


async def test_a_question_that_opens_no_case_is_counted_as_none(office: c.Office) -> None:
    """C-7.3: what nobody received was not asked."""
    office.leave(office.agency, "social_clauses", "aubette")
    agreement = office.agreed(office.city)
    await office.not_taken(office.city, "clause.eligibility_asked", {}, agreement_id=agreement)
    assert office.city.rows(tables.tallies) == []


async def test_an_opportunity_that_is_refused_is_not_kept(office: c.Office) -> None:
    """C-3d.1: of a message without any case, too."""
    office.leave(office.agency, "social_clauses", "aubette")
    before = held(office.city)
    await office.not_taken(office.city, "clause.opportunity", c.OPPORTUNITY)
    assert held(office.city) == before


async def test_with_a_case_goes_what_was_kept_of_it(young: d.Desk) -> None:
    """A-5.1: a receipt that comes later brings nothing back."""
    await young.met()
    young.send(young.department, d.ENROLMENT, {"proposed_on": young.day()})
    assert len(young.department.rows(tables.reversals)) == 1
    suspended(young.pair, young.mission)
    waiting = young.department.outgoing()
    young.erased(young.department)
    assert young.department.rows(tables.reversals) == []
    await young.mission.take(waiting)
    await young.pair.carry()
    assert young.department.rows(youths) == []


def checkpoints(side: Side) -> list[Any]:
    """Every day on which the next checkpoint was due."""
    table = tables.deadlines
    return sorted(side.rows(table, table.c.kind == "cosupport.checkpoint"))


async def test_a_deadline_that_was_missed_before_the_refusal_came_is_none(desk: b.Desk) -> None:
    """B-2.14: nor are the reminders that followed it; the former one is due again, and passes."""
    await desk.paired()
    before = checkpoints(desk.city)
    day = (desk.today + timedelta(days=3)).isoformat()
    sent = desk.send(desk.city, "cosupport.checkpoint", desk.checkpoint(next_date=day))
    await desk.later(days=5)
    await desk.later(days=15)
    assert {(row.level, row.state) for row in checkpoints(desk.city)} == {
        (0, "cancelled"),
        (1, "missed"),
        (2, "missed"),
        (3, "pending"),
    }
    suspended(desk.pair, desk.mission)
    await desk.pair.carry()
    assert desk.city.state(sent.message_id) == letters.REFUSED
    assert checkpoints(desk.city) == before
    await desk.later(seconds=1)
    assert desk.waiting(desk.city)["cosupport.checkpoint"] == "pending"
    assert checkpoints(desk.city) != before


async def test_a_deadline_that_a_later_message_met_goes_with_the_later_one(desk: b.Desk) -> None:
    """B-2.14: two checkpoints, both refused; of the day that the first one set nothing is left."""
    await desk.paired()
    before = checkpoints(desk.city)
    for days in (3, 9):
        day = (desk.today + timedelta(days=days)).isoformat()
        desk.send(desk.city, "cosupport.checkpoint", desk.checkpoint(next_date=day))
        await desk.later(hours=1)
    suspended(desk.pair, desk.mission)
    first, second = desk.city.outgoing()
    for letter in (first, second):
        await desk.mission.take([letter])
        await desk.city.take(desk.mission.outgoing())
    assert checkpoints(desk.city) == before


async def test_a_case_goes_on_whose_first_letters_are_kept_no_more(young: d.Desk) -> None:
    """D-1.3: what opened it was accepted, or the case had ended when that letter was refused."""
    await young.met()
    core = young.department.node.core
    core.policy = replace(core.policy, proof_days=1)
    await young.later(days=2)
    await purge(young.department.node.database, core, young.pair.clock.now())
    assert young.department.rows(tables.outbox, tables.outbox.c.kind == letters.LETTER) == []
    proposed = {"proposed_on": young.day()}
    await not_taken(young, young.department, (d.ENROLMENT, proposed))
    assert [row.state for row in young.department.rows(tables.cases)] == ["open"]
    await young.told(young.department, d.ENROLMENT, proposed)


async def test_what_never_left_changed_nothing(young: d.Desk) -> None:
    """D-1.3: stopped at its sender's own second look."""
    await young.met()
    before = held(young.department)
    sent = young.send(young.department, d.ENROLMENT, {"proposed_on": young.day()})
    young.pair.act(young.department, ActKind.SUSPENSION)
    box = Letterbox()
    box.opened.set()
    async with relaying(young.pair, box):
        await until(lambda: row_of(young.pair, sent.message_id).state == letters.STOPPED)
    assert held(young.department) == before


async def unverified(pair: Pair, message_id: str) -> None:
    """The receiver never manages to read a letter, until it gives up."""
    while pair.school.state(message_id) == letters.QUEUED:
        (letter,) = pair.school.outgoing()
        await pair.city.take([replace(letter, body=b"?", deliveries=9)])
        await pair.school.take(pair.city.outgoing())
    assert row_of(pair, message_id).status == "unverified"


async def test_what_nobody_could_read_is_taken_back_when_it_expires(young: d.Desk) -> None:
    """D-1.3: until then an operator there may have it handled again."""
    await young.met()
    before = held(young.department)["d_youths"]
    sent = young.send(young.department, d.ENROLMENT, {"proposed_on": young.day()})
    await unverified(young.pair, sent.message_id)
    expires = row_of(young.pair, sent.message_id).expires_at
    await young.on(expires - timedelta(days=1))
    assert held(young.department)["d_youths"] != before
    await young.on(expires)
    assert held(young.department)["d_youths"] == before


async def test_a_case_whose_first_message_nobody_could_read_ends_when_it_expires(
    young: d.Desk,
) -> None:
    """D-1.2: it lives on neither side."""
    agreement = young.agreed()
    sent = young.send(young.department, d.CONTACTED, d.REQUEST, agreement_id=agreement)
    await unverified(young.pair, sent.message_id)
    expires = row_of(young.pair, sent.message_id).expires_at
    for at, state in ((expires - timedelta(days=1), "open"), (expires, "stopped")):
        await young.on(at)
        assert [row.state for row in young.department.rows(tables.cases)] == [state]
    assert young.department.rows(tables.tallies) == []


async def test_so_does_one_of_which_there_was_no_receipt_a_day_after(young: d.Desk) -> None:
    """D-1.2: a node that slept reads its receipts before it gives up."""
    agreement = young.agreed()
    sent = young.send(young.department, d.CONTACTED, d.REQUEST, agreement_id=agreement)
    gone = tables.outbox.update().values(
        state=letters.EXPIRED, closed_at=young.pair.clock.at, due_at=None
    )
    young.department.write(lambda tx: tx.execute(gone))
    closed = row_of(young.pair, sent.message_id).closed_at
    for at, state in ((closed, "open"), (closed + SILENCE, "stopped")):
        await young.on(at)
        assert [row.state for row in young.department.rows(tables.cases)] == [state]
