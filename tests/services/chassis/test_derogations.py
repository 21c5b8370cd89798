"""Acting without agreement: two decide, one message passes, the family is told, a third reviews.

Each refusal stands beside the same message allowed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contracts.gate import Allowed, Refused
from contracts.kernel import errors
from contracts.kernel.derogation import Derogation
from contracts.kernel.errors import UnknownName
from contracts.kernel.facts import from_json
from contracts.kernel.paris import midnight
from services.chassis import derogations, tables
from services.chassis.agreements import stop_letters, withdraw
from services.chassis.derogations import (
    DerogationState,
)
from services.chassis.minors import ObjectionAnswer, answer_objection
from services.chassis.recheck import recheck
from services.chassis.schema import journal
from services.chassis.tokens import NotPermitted
from tests.pair import Pair
from tests.services.chassis.deciding import (
    HOUR,
    INSTANT,
    SECOND,
    alert,
    asked,
    codes,
    decided,
    decisions,
    doing,
    on_agreement,
    row_of,
    suspended,
)
from tests.services.conventions.a_city_school.support import Desk


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@pytest.fixture
async def desk(pair: Pair) -> Desk:
    return await suspended(pair)


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


async def test_a_decision_named_once_more_harms_no_message_that_passes_without_it(
    desk: Desk,
) -> None:
    """Nothing dies of it, and the receiver keeps the decision with the message it served for."""
    derogation_id = decided(desk)
    first = alert(desk, derogation_id)
    desk.pair.clock.at += HOUR
    on_agreement(desk, answer_objection, ObjectionAnswer(outcome="lifted"))
    await desk.pair.carry()
    table = tables.derogations
    mine = table.c.derogation_id == derogation_id
    desk.city.write(lambda tx: tx.execute(table.update().where(mine).values(message_id=None)))
    again = alert(desk, derogation_id)
    await desk.pair.carry()
    assert desk.city.state(again.message_id) == "accepted"
    assert row_of(desk.school, derogation_id).message_id == first.message_id
    assert desk.school.rows(tables.dead_letters) == []


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
