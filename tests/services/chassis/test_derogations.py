"""Acting without agreement: two decide, one message passes, the family is told, a third reviews.

Each refusal stands beside the same message allowed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.gate import Allowed, Refused
from contracts.kernel import errors
from contracts.kernel.derogation import Derogation, Ground
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.facts import from_json
from contracts.kernel.paris import midnight
from services.chassis import derogations, tables, views
from services.chassis.agreements import stop_letters, withdraw
from services.chassis.clock import new_id
from services.chassis.derogation_clocks import REVIEW, TELLING
from services.chassis.derogations import (
    DerogationBody,
    DerogationReview,
    DerogationState,
    TellingBody,
)
from services.chassis.minors import Objection, ObjectionAnswer, answer_objection, suspend
from services.chassis.posting import Outcome
from services.chassis.recheck import recheck
from services.chassis.retention import purge
from services.chassis.schema import journal
from services.chassis.tokens import Agent, NotPermitted, Role
from tests.pair import Pair, Side
from tests.services.conventions.a_city_school.support import Desk

ALERT = {"kind": "accident", "call_back": "+33 1 99 00 12 34"}
ASKING = Agent("agent-1", Role.REFERENT)
SECOND = Agent("cheffe", Role.MANAGER)
THIRD = Agent("dpo", Role.DPO)
DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    """A measure that runs, whose agreement one parent's objection suspends."""
    made = Desk(pair)
    await made.running()
    objection = Objection(raised_by="representative")
    on_agreement(made, suspend, objection)
    await pair.carry()
    return made


def on_agreement(desk: Desk, act: Callable[..., Any], *said: Any) -> Any:
    (row,) = desk.school.rows(tables.agreements)
    core, at = desk.school.node.core, desk.pair.clock.now()
    return desk.school.write(lambda tx: act(tx, core, row.agreement_id, *said, "agent-1", at))


def asked(desk: Desk, **changes: Any) -> str:
    body = DerogationBody(
        **{
            "case_id": desk.case_id,
            "type": "alternative.alert",
            "to": "ecole",
            "ground": Ground.VITAL_INTERESTS,
            **changes,
        }
    )
    derogation_id = new_id()
    doing(desk, derogations.ask, body, derogation_id, ASKING)
    return derogation_id


def doing(desk: Desk, act: Callable[..., Any], *said: Any, side: Side | None = None) -> Any:
    """An act on a decision, at the city unless said otherwise."""
    at_work, at = side or desk.city, desk.pair.clock.now()
    return at_work.write(lambda tx: act(tx, at_work.node.core, *said, at))


def decided(desk: Desk, **changes: Any) -> str:
    derogation_id = asked(desk, **changes)
    doing(desk, derogations.confirm, derogation_id, SECOND)
    return derogation_id


def alert(desk: Desk, derogation_id: str | None = None) -> Outcome:
    content = {**ALERT, "at": desk.pair.clock.at.isoformat()}
    return desk.send(desk.city, "alternative.alert", content, derogation_id=derogation_id)


def codes(outcome: Outcome) -> set[str]:
    decision = outcome.decision
    return {one.code for one in decision.reasons} if isinstance(decision, Refused) else set()


def row_of(side: Side, derogation_id: str) -> Any:
    (row,) = side.rows(tables.derogations, tables.derogations.c.derogation_id == derogation_id)
    return row


def due(desk: Desk, kind: str) -> list[str]:
    table = tables.deadlines
    rows = desk.city.rows(table, table.c.kind == kind)
    return [row.state for row in sorted(rows, key=lambda row: row.level)]


def for_the_family(desk: Desk, side: Side) -> list[dict[str, Any]]:
    """What the family may be shown, at a side, of messages that passed without agreement."""
    found: list[dict[str, Any]] = side.write(
        lambda tx: views.exchanges(tx, desk.case_id, desk.today)
    )
    return [one["without_agreement"] for one in found if one["without_agreement"]]


def decisions(side: Side, message_id: str) -> list[dict[str, Any]]:
    """What a side decided about a message, replayed."""
    core = side.node.core
    found = side.node.database.read_now(lambda c: views.explain(c, core, message_id))
    return [one for one in found if one["event"] in {"message.sent", "message.received"}]


async def test_two_persons_let_one_message_pass(desk: Desk) -> None:
    assert codes(alert(desk)) == {"agreement_suspended"}
    derogation_id = decided(desk)
    sent = alert(desk, derogation_id)
    assert codes(sent) == set()
    await desk.pair.carry()
    assert desk.city.state(sent.message_id) == "accepted"
    kept = row_of(desk.school, derogation_id)
    assert (kept.ground, kept.sender) == ("vital_interests", "ville")
    assert kept.message_id == sent.message_id
    assert (kept.asked_by, kept.confirmed_by) == (None, None)
    for side in desk.pair.sides:
        (explained,) = decisions(side, sent.message_id)
        assert explained["replay"] == "same"
        assert explained["facts"]["derogation"]["ground"] == "vital_interests"
    events = [
        (row.event, row.articles)
        for row in desk.city.rows(journal, journal.c.message_id == derogation_id)
    ]
    assert events == [
        ("derogation.asked", ("A-3.15",)),
        ("derogation.confirmed", ("A-3.15",)),
    ]


async def test_it_serves_once(desk: Desk) -> None:
    derogation_id = decided(desk)
    assert codes(alert(desk, derogation_id)) == set()
    with pytest.raises(DerogationState):
        alert(desk, derogation_id)


async def test_it_serves_for_no_other_case(desk: Desk) -> None:
    derogation_id = decided(desk)
    first = desk.case_id
    desk.case_id = "0" * 32
    with pytest.raises(UnknownName):
        alert(desk, derogation_id)
    desk.case_id = first
    assert codes(alert(desk, derogation_id)) == set()


async def test_whoever_asks_does_not_confirm(desk: Desk) -> None:
    derogation_id = asked(desk)
    assert codes(alert(desk, derogation_id)) == {"derogation_unconfirmed", "agreement_suspended"}
    with pytest.raises(NotPermitted) as refused:
        doing(desk, derogations.confirm, derogation_id, replace(SECOND, agent_id="agent-1"))
    assert refused.value.articles == ("A-3.15",)
    doing(desk, derogations.confirm, derogation_id, SECOND)
    assert codes(alert(desk, derogation_id)) == set()
    with pytest.raises(DerogationState):
        doing(desk, derogations.confirm, derogation_id, SECOND)


async def test_it_lasts_four_hours(desk: Desk) -> None:
    derogation_id = decided(desk)
    confirmed = desk.pair.clock.at
    desk.pair.clock.at = confirmed + 4 * HOUR
    assert codes(alert(desk, derogation_id)) == {"derogation_expired", "agreement_suspended"}
    desk.pair.clock.at = confirmed + 4 * HOUR - INSTANT
    sent = alert(desk, derogation_id)
    desk.pair.clock.at = confirmed + 9 * HOUR  # written in time, however late the school reads it
    await desk.pair.carry()
    assert desk.city.state(sent.message_id) == "accepted"


async def test_what_was_asked_four_hours_ago_is_confirmed_no_more(desk: Desk) -> None:
    late, last = asked(desk), asked(desk)
    since = desk.pair.clock.at
    desk.pair.clock.at = since + 4 * HOUR - INSTANT
    doing(desk, derogations.confirm, last, SECOND)
    desk.pair.clock.at = since + 4 * HOUR
    with pytest.raises(DerogationState):
        doing(desk, derogations.confirm, late, SECOND)


async def test_no_other_message_has_that_road(desk: Desk) -> None:
    with pytest.raises(errors.Refused) as refused:
        asked(desk, type="alternative.status")
    assert refused.value.articles == ("A-3.13",)
    with pytest.raises(UnknownName):
        asked(desk, type="youth_contract.proposed")
    with pytest.raises(UnknownName):
        asked(desk, to="agence")
    with pytest.raises(UnknownName):
        asked(desk, case_id="0" * 32)
    asked(desk)


async def test_a_withdrawal_in_between_stops_the_case_and_the_message_goes_no_more(
    desk: Desk,
) -> None:
    """It waives the agreement, not the case: the pupil leaves the host at once."""
    derogation_id = decided(desk)
    core, at = desk.school.node.core, desk.pair.clock.now()
    (row,) = desk.school.rows(tables.agreements)
    desk.school.write(lambda tx: withdraw(tx, core, row.agreement_id, None, at))
    await desk.pair.carry()
    assert "missing_open_case" in codes(alert(desk, derogation_id))


async def test_an_objection_after_the_message_was_written_does_not_stop_it(pair: Pair) -> None:
    """Beside the same message without a decision, which it stops."""
    desk = Desk(pair)
    await desk.running()
    await pair.carry()
    with_one, without = alert(desk, decided(desk)), alert(desk)
    core, at = desk.city.node.core, pair.clock.at
    (case,) = desk.city.rows(tables.cases)
    on_it = tables.outbox.c.reference == case.reference
    assert desk.city.write(lambda tx: stop_letters(tx, core, on_it, at)) == 1
    assert desk.city.state(without.message_id) == "stopped"
    core.withdrawn[case.reference] = at  # as the relay looks at what it carries already
    (decision,) = decisions(desk.city, with_one.message_id)
    facts = from_json(json.dumps(decision["facts"]).encode())
    binding = core.binding("ecole", case.instrument)
    assert recheck(core, facts, binding, at) == Allowed("a_city_school/1")
    blind = replace(facts, derogation=None)
    assert isinstance(recheck(core, blind, binding, at), Refused)


async def test_the_receiver_refuses_a_decision_that_served_before(desk: Desk) -> None:
    derogation_id = decided(desk)
    alert(desk, derogation_id)
    await desk.pair.carry()
    table = tables.derogations
    mine = table.c.derogation_id == derogation_id
    desk.city.write(lambda tx: tx.execute(table.update().where(mine).values(message_id=None)))
    again = alert(desk, derogation_id)
    await desk.pair.carry()
    assert desk.city.state(again.message_id) == "refused"


# --- the family is told


async def test_the_family_is_told_within_three_days_and_asked_for_until_it_is(desk: Desk) -> None:
    derogation_id = decided(desk)
    assert due(desk, TELLING) == []  # nothing was said of anybody yet
    alert(desk, derogation_id)
    assert due(desk, TELLING) == ["pending"]
    await desk.later(days=3)
    assert due(desk, TELLING) == ["missed", "pending"]
    told = TellingBody(on=desk.today, channel="phone")
    doing(desk, derogations.tell, derogation_id, told, ASKING)
    assert due(desk, TELLING) == ["late", "met"]
    assert row_of(desk.city, derogation_id).told_on == desk.today
    for wrong in (desk.today + DAY, desk.today - 4 * DAY):
        with pytest.raises(InvalidPayload):
            doing(
                desk,
                derogations.tell,
                derogation_id,
                TellingBody(on=wrong, channel="phone"),
                ASKING,
            )


async def test_it_is_sealed_until_a_day_and_shown_then_as_having_been_sealed(desk: Desk) -> None:
    until = desk.today + 30 * DAY
    derogation_id = decided(desk, sealed_until=until)
    alert(desk, derogation_id)
    await desk.pair.carry()
    shown = [{"ground": "vital_interests", "sealed_until": until.isoformat()}]
    for side in desk.pair.sides:
        assert for_the_family(desk, side) == []
    (waiting,) = desk.city.rows(tables.deadlines, tables.deadlines.c.kind == TELLING)
    assert waiting.due_at == midnight(until) + 3 * DAY
    desk.pair.clock.at = midnight(until) - INSTANT
    assert for_the_family(desk, desk.city) == []
    desk.pair.clock.at = midnight(until)
    for side in desk.pair.sides:
        assert for_the_family(desk, side) == shown


async def test_what_is_not_sealed_is_shown_at_once(desk: Desk) -> None:
    alert(desk, decided(desk))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert for_the_family(desk, side) == [{"ground": "vital_interests", "sealed_until": None}]


@pytest.mark.parametrize("days", [0, 31])
async def test_a_seal_is_of_one_to_thirty_days(desk: Desk, days: int) -> None:
    with pytest.raises(InvalidPayload):
        asked(desk, sealed_until=desk.today + days * DAY)
    asked(desk, sealed_until=desk.today + min(max(days, 1), 30) * DAY)


# --- the review


async def test_neither_of_the_two_reviews_and_it_is_asked_for_until_it_closes(desk: Desk) -> None:
    derogation_id = asked(desk)
    right = DerogationReview(outcome="justified")
    with pytest.raises(DerogationState):
        doing(desk, derogations.review, derogation_id, right, THIRD)
    doing(desk, derogations.confirm, derogation_id, SECOND)
    alert(desk, derogation_id)
    assert due(desk, REVIEW) == ["pending"]
    await desk.later(days=7)
    assert due(desk, REVIEW) == ["missed", "pending"]
    for one in (replace(SECOND, agent_id="agent-1"), SECOND):
        with pytest.raises(NotPermitted):
            doing(desk, derogations.review, derogation_id, right, one)
    doing(desk, derogations.review, derogation_id, right, THIRD)
    assert due(desk, REVIEW) == ["late", "met"]
    assert row_of(desk.city, derogation_id).outcome == "justified"
    with pytest.raises(DerogationState):
        doing(desk, derogations.review, derogation_id, right, THIRD)


async def test_a_decision_that_was_wrong_lifts_its_seal_and_serves_no_more(desk: Desk) -> None:
    until = desk.today + 30 * DAY
    used, unused = decided(desk, sealed_until=until), decided(desk, sealed_until=until)
    alert(desk, used)
    wrong = DerogationReview(outcome="unjustified")
    for one in (used, unused):
        doing(desk, derogations.review, one, wrong, THIRD)
    assert for_the_family(desk, desk.city) == [{"ground": "vital_interests", "sealed_until": None}]
    (waiting,) = desk.city.rows(
        tables.deadlines, tables.deadlines.c.kind == TELLING, tables.deadlines.c.state == "pending"
    )
    assert waiting.due_at == desk.pair.clock.at + 3 * DAY
    assert "derogation_expired" in codes(alert(desk, unused))


async def test_a_partner_s_decision_is_its_own_to_review(desk: Desk) -> None:
    derogation_id = decided(desk)
    alert(desk, derogation_id)
    await desk.pair.carry()
    right = DerogationReview(outcome="justified")
    with pytest.raises(UnknownName):
        doing(desk, derogations.review, derogation_id, right, THIRD, side=desk.school)
    doing(desk, derogations.review, derogation_id, right, THIRD)
    assert [one["outcome"] for one in listed(desk.city)] == ["justified"]
    assert [one["from"] for one in listed(desk.school)] == ["ville"]


def listed(side: Side) -> list[dict[str, Any]]:
    return side.node.database.read_now(lambda c: derogations.held(c, 10))


async def test_decisions_go_when_their_proof_does(desk: Desk) -> None:
    decided(desk)
    core, at = desk.city.node.core, desk.pair.clock.at
    years = timedelta(days=core.policy.proof_days)
    await purge(desk.city.node.database, core, at + years - INSTANT)
    assert len(listed(desk.city)) == 1
    await purge(desk.city.node.database, core, at + years)
    assert listed(desk.city) == []


async def test_once_answered_the_objection_asks_for_no_decision(desk: Desk) -> None:
    desk.pair.clock.at += HOUR
    on_agreement(desk, answer_objection, ObjectionAnswer(outcome="lifted"))
    await desk.pair.carry()
    assert codes(alert(desk)) == set()


@pytest.mark.parametrize(
    ("asked_at", "confirmed_at", "expires_at", "good"),
    [(1, 1, 2, True), (1, 2, 3, True), (2, 1, 3, False), (1, 2, 2, False), (1, 3, 2, False)],
)
def test_what_travels_is_in_order(
    asked_at: int, confirmed_at: int, expires_at: int, *, good: bool
) -> None:
    at = [midnight(date(2026, 11, day)) for day in (1, 2, 3, 4)]
    said = {
        "id": "0" * 32,
        "ground": "vital_interests",
        "askedat": at[asked_at].isoformat(),
        "confirmedat": at[confirmed_at].isoformat(),
        "expiresat": at[expires_at].isoformat(),
    }
    if good:
        assert Derogation.model_validate(said).sealeduntil is None
    else:
        with pytest.raises(ValueError, match="confirmed before"):
            Derogation.model_validate(said)
