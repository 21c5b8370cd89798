"""Acting without agreement: what a decision must be to stand, at each of its bounds (A-3.15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.kernel.derogation import (
    FAULTS,
    LONGEST_HOURS,
    Derogation,
    DerogationFacts,
    DerogationRule,
    Ground,
    fault,
)

ASKED = datetime(2026, 11, 12, 9, 50, tzinfo=UTC)
CONFIRMED = ASKED + timedelta(minutes=5)
EXPIRES = CONFIRMED + timedelta(hours=4)
USED = CONFIRMED + timedelta(minutes=10)
INSTANT = timedelta(microseconds=1)
RULE = DerogationRule(ground=Ground.VITAL_INTERESTS, article="A-3.15", hours=4, sealed_days=30)
FLOW, TO = "alternative.alert", "ecole"
DECIDED = DerogationFacts(
    ground=Ground.VITAL_INTERESTS,
    flow=FLOW,
    receiver=TO,
    asked_at=ASKED,
    confirmed_at=CONFIRMED,
    expires_at=EXPIRES,
    used_at=USED,
)
SCOPE, UNCONFIRMED = "derogation_scope", "derogation_unconfirmed"
EXPIRED, SEALED = "derogation_expired", "derogation_sealed"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, None),
        ({"flow": "alternative.ended"}, SCOPE),
        ({"receiver": "ville"}, SCOPE),
        ({"flow": "alternative.ended", "receiver": "ville"}, SCOPE),
        ({"confirmed_at": None}, UNCONFIRMED),
        ({"expires_at": None}, UNCONFIRMED),
        ({"confirmed_at": None, "expires_at": None}, UNCONFIRMED),
        ({"asked_at": CONFIRMED}, None),
        ({"asked_at": CONFIRMED + INSTANT}, UNCONFIRMED),
        ({"used_at": CONFIRMED}, None),
        ({"used_at": CONFIRMED - INSTANT}, UNCONFIRMED),
        ({"used_at": EXPIRES - INSTANT}, None),
        ({"used_at": EXPIRES}, EXPIRED),
        ({"used_at": EXPIRES + INSTANT}, EXPIRED),
        ({"expires_at": EXPIRES + INSTANT}, EXPIRED),
        ({"expires_at": EXPIRES - INSTANT}, None),
        ({"sealed_days": 30}, None),
        ({"sealed_days": 31}, SEALED),
        ({"sealed_days": -1}, SEALED),
    ],
)
def test_a_decision_stands_within_its_bounds_alone(
    changes: dict[str, Any], found: str | None
) -> None:
    """A-3.15: two persons, one message, some hours, and a day on which the family is told."""
    assert fault(RULE, replace(DECIDED, **changes), FLOW, TO) == found
    assert found is None or found in FAULTS


def test_what_is_untold_for_no_day_is_told_at_once() -> None:
    assert fault(replace(RULE, sealed_days=0), DECIDED, FLOW, TO) is None
    assert fault(replace(RULE, sealed_days=0), replace(DECIDED, sealed_days=1), FLOW, TO) == SEALED


def test_each_fault_is_told_apart_in_a_sentence() -> None:
    assert set(FAULTS) == {SCOPE, UNCONFIRMED, EXPIRED, SEALED}
    assert len(set(FAULTS.values())) == len(FAULTS)
    assert all(said.endswith(".") for said in FAULTS.values())


def test_the_ground_is_named_as_the_journal_and_the_envelope_name_it() -> None:
    assert [one.value for one in Ground] == ["vital_interests"]
    assert LONGEST_HOURS == 72


def carried(**changes: Any) -> Derogation:
    """A decision as it travels."""
    said = {
        "id": "a" * 32,
        "ground": "vital_interests",
        "askedat": ASKED,
        "confirmedat": CONFIRMED,
        "expiresat": EXPIRES,
        **changes,
    }
    return Derogation.model_validate(said)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a" * 31},
        {"id": "a" * 33},
        {"id": "g" * 32},
        {"ground": "convenience"},
        {"askedat": CONFIRMED + INSTANT},
        {"expiresat": CONFIRMED},
        {"confirmedat": EXPIRES + INSTANT},
        {"reason": "a fall"},
        {"askedat": None},
        {"confirmedat": None},
        {"expiresat": None},
    ],
)
def test_what_is_out_of_order_or_says_more_does_not_travel(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        carried(**changes)


def test_it_is_confirmed_at_the_earliest_when_it_is_asked() -> None:
    assert carried(askedat=CONFIRMED).askedat == CONFIRMED
    assert carried(expiresat=CONFIRMED + INSTANT).expiresat == CONFIRMED + INSTANT
    with pytest.raises(ValidationError) as refused:
        carried(expiresat=CONFIRMED)
    (error,) = refused.value.errors()
    assert (error["type"], error["msg"]) == (
        "derogation_order",
        "is confirmed before it is asked",
    )


def test_it_cannot_be_changed_on_its_way() -> None:
    decision = carried()
    with pytest.raises(ValidationError):
        decision.ground = Ground.VITAL_INTERESTS  # type: ignore[misc]  # frozen


@pytest.mark.parametrize(
    ("until", "days"), [(None, 0), (date(2026, 11, 12), 0), (date(2026, 12, 12), 30)]
)
def test_the_gate_is_told_what_was_decided(until: date | None, days: int) -> None:
    """A-3.15: sealed from the legal day of the asking."""
    found = carried(sealeduntil=until).facts(FLOW, TO, USED)
    assert found == replace(DECIDED, sealed_days=days)


def test_the_day_of_asking_is_that_of_paris() -> None:
    asked = datetime(2026, 11, 12, 23, 30, tzinfo=UTC)  # 13 November in Paris
    said = carried(
        askedat=asked,
        confirmedat=asked,
        expiresat=asked + timedelta(hours=4),
        sealeduntil=date(2026, 11, 14),
    )
    assert said.facts(FLOW, TO, asked).sealed_days == 1


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        DECIDED.flow = FLOW  # type: ignore[misc]  # frozen
    with pytest.raises(AttributeError):
        RULE.hours = 5  # type: ignore[misc]  # frozen
