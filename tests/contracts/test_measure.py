"""The alternative to exclusion: every status, act and role, from a table; and its days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.conventions.a_city_school.measure import (
    Act,
    Role,
    Status,
    after,
    complete,
    merged,
    responsible,
    signatures_of_others,
)
from contracts.conventions.a_city_school.messages import (
    SIGNATORIES,
    AlternativeEnded,
    AlternativeRequested,
    ContractStatus,
    MeetingCalled,
    days_outside,
)
from contracts.kernel.errors import Refused
from contracts.kernel.organisation import Kind
from tests.contracts.signing import document

MEASURE = document()["measure"]
EVERY = list(product(Status, Act, Role))
DAY = date(2026, 11, 16)


def expected(status: Status, act: Act, role: Role) -> tuple[str, str]:
    """What the table says: the next status, or the article that refuses."""
    row = MEASURE["acts"][act.value]
    if role.value in row["by"] and status.value in row["from"]:
        return "next", row["from"][status.value]
    return "refused", row["article"]


@pytest.mark.parametrize("status", Status)
def test_every_act_of_every_role_in_every_status(status: Status) -> None:
    for act, role in product(Act, Role):
        kind, told = expected(status, act, role)
        if kind == "next":
            whatever = (False, act is not Act.SIGN)  # a full contract matters to a signature alone
            found = {after(status, act, role, complete=full).value for full in whatever}
            assert found == {told}, (act, role)
            continue
        with pytest.raises(Refused) as refused:
            after(status, act, role)
        assert refused.value.articles == (told,), (act, role)
        assert refused.value.sentence.endswith(".")


def test_the_table_speaks_of_every_act_and_every_end() -> None:
    assert set(MEASURE["acts"]) == {act.value for act in Act}
    ends = {one.value for one in Status} - {
        start for row in MEASURE["acts"].values() for start in row["from"]
    }
    assert ends == set(MEASURE["ends"])


def test_the_fourth_signature_makes_the_contract() -> None:
    """A-3.6: three signatures are no contract."""
    assert after(Status.ACCEPTED, Act.SIGN, Role.PUPIL) is Status.ACCEPTED
    assert after(Status.ACCEPTED, Act.SIGN, Role.PUPIL, complete=True) is Status.SIGNED
    days = dict.fromkeys(SIGNATORIES, DAY)
    assert complete(days)
    for role in SIGNATORIES:
        assert not complete({name: day for name, day in days.items() if name != role})


DAYS = st.dictionaries(
    st.sampled_from(SIGNATORIES), st.dates(DAY - timedelta(days=9), DAY + timedelta(days=9))
)


@given(DAYS, DAYS, DAYS)
def test_in_whatever_order_signatures_arrive_both_sides_hold_the_same(
    one: Any, other: Any, third: Any
) -> None:
    assert merged(one, other) == merged(other, one)
    assert merged(merged(one, other), third) == merged(one, merged(other, third))
    assert merged(one, one) == one
    assert set(merged(one, other)) == {*one, *other}


@pytest.mark.parametrize(
    ("role", "school", "city"),
    [
        ("head_teacher", 0, 1),
        ("youth_service", 1, 0),
        ("pupil", 0, 0),
        ("representative", 0, 0),
    ],
)
def test_each_side_declares_what_it_could_collect(role: str, school: int, city: int) -> None:
    """A-3.6: the head signs at school, the youth service at the city, the family with either."""
    later = {role: DAY + timedelta(days=1)}
    for kind, foreign in ((Kind.SCHOOL, school), (Kind.CITY, city)):
        assert signatures_of_others(kind, {role: DAY}, {}) == foreign
        assert signatures_of_others(kind, {role: DAY}, later) == foreign
        assert signatures_of_others(kind, {role: DAY}, {role: DAY}) == 0


def request(**changes: date) -> AlternativeRequested:
    days: dict[str, Any] = {
        "exclusion_first_day": DAY,
        "exclusion_last_day": DAY + timedelta(days=7),
        "wanted_first_day": DAY,
        "wanted_last_day": DAY + timedelta(days=7),
    }
    return AlternativeRequested.model_construct(**{**days, **changes})


@pytest.mark.parametrize(("last", "days"), [(-1, 0), (0, 1), (7, 8), (8, 9)])
def test_days_of_an_exclusion_count_both_ends(last: int, days: int) -> None:
    """A-3.1: eight days at most."""
    assert request(exclusion_last_day=DAY + timedelta(days=last)).exclusion_days == days
    contract = contract_of(last_day=DAY + timedelta(days=last))
    assert contract.measure_days == days


@pytest.mark.parametrize(
    ("first", "last", "outside"),
    [(0, 7, 0), (-1, 7, 1), (0, 8, 1), (-2, 9, 4), (3, 2, 1), (3, 3, 0)],
)
def test_the_measure_lies_inside_the_exclusion(first: int, last: int, outside: int) -> None:
    """A-3.1: one day either side of each bound."""
    wanted = (DAY + timedelta(days=first), DAY + timedelta(days=last))
    assert days_outside(wanted, (DAY, DAY + timedelta(days=7))) == outside
    asked = request(wanted_first_day=wanted[0], wanted_last_day=wanted[1])
    assert asked.days_outside == outside


def contract_of(**changes: Any) -> ContractStatus:
    values: dict[str, Any] = {
        **dict.fromkeys(SIGNATORIES),
        "first_day": DAY,
        "last_day": DAY + timedelta(days=4),
        "host": None,
        "task_tutor": None,
    }
    return ContractStatus.model_construct(**{**values, **changes})


@pytest.mark.parametrize("role", SIGNATORIES)
def test_a_signature_precedes_the_first_day(role: str) -> None:
    """A-3.5, A-3.6: one day before is in time, the first day is late."""
    assert contract_of(**{role: DAY - timedelta(days=1)}).late_signatures == 0
    assert contract_of(**{role: DAY}).late_signatures == 1
    assert contract_of().signatures == {}
    assert contract_of(**{role: DAY}).signatures == {role: DAY}


@pytest.mark.parametrize(
    ("in_measure", "in_school_time", "who"),
    [
        (True, True, "school"),
        (True, False, "school"),
        (False, True, "school"),
        (False, False, "city"),
    ],
)
def test_who_answers_for_the_young_person(
    *, in_measure: bool, in_school_time: bool, who: str
) -> None:
    """A-7.1 in general, A-7.2 during the measure."""
    assert responsible(in_measure=in_measure, in_school_time=in_school_time) == who


def test_who_is_invited_and_who_ended_it() -> None:
    """A-2.9, A-2.12, A-3.14."""
    with_family = MeetingCalled.model_construct(participants=("family", "school"))
    without = MeetingCalled.model_construct(participants=("school",))
    assert (with_family.family_invited, without.family_invited) == (1, 0)
    outcomes = {"completed": 0, "ended_hygiene": 1, "ended_safety": 1, "ended_morality": 1}
    for outcome, count in outcomes.items():
        ended: dict[str, Any] = {"outcome": outcome}
        assert AlternativeEnded.model_construct(**ended).interruptions == count
