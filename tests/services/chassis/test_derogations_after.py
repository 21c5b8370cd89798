"""After a message went without agreement: the family is told, a third person reviews."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import midnight
from services.chassis import derogations, tables
from services.chassis.derogation_clocks import REVIEW, TELLING
from services.chassis.derogations import (
    DerogationReview,
    DerogationState,
    TellingBody,
)
from services.chassis.retention import purge
from services.chassis.tokens import NotPermitted
from tests.pair import Pair
from tests.services.chassis.deciding import (
    ASKING,
    DAY,
    INSTANT,
    SECOND,
    THIRD,
    alert,
    asked,
    codes,
    decided,
    doing,
    due,
    for_the_family,
    listed,
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


async def test_decisions_go_when_their_proof_does(desk: Desk) -> None:
    decided(desk)
    core, at = desk.city.node.core, desk.pair.clock.at
    years = timedelta(days=core.policy.proof_days)
    await purge(desk.city.node.database, core, at + years - INSTANT)
    assert len(listed(desk.city)) == 1
    await purge(desk.city.node.database, core, at + years)
    assert listed(desk.city) == []
