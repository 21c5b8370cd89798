"""A supported contract in days and a table in numbers: what convention C counts, at its bounds."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.conventions.c_employment_city_ccas.course import (
    Step,
    booklet_due_dates,
    certificate_due,
    days_off_schedule,
    exit_interview_due,
    experienced,
    next_steps_due,
)
from contracts.conventions.c_employment_city_ccas.evaluation import (
    COVERS,
    Element,
    enough_actions,
    final_report_due,
    supported_per_thousand,
)
from contracts.conventions.c_employment_city_ccas.messages import (
    BookletDue,
    CampaignSent,
    CensusAggregate,
    CommitmentAgreed,
)
from contracts.kernel.obligation import Nature

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


def test_the_booklet_is_due_at_month_1_half_way_and_in_the_ninth_month_of_twelve() -> None:
    """C-3a.23."""
    due = booklet_due_dates(FIRST, LAST)
    assert due == {
        "month_1": date(2025, 1, 31),
        "middle": date(2025, 7, 1),
        "three_quarters": date(2025, 9, 30),
    }


def test_the_exit_interview_is_held_before_the_exit() -> None:
    """C-3a.26: at the latest on the eve of the last day, after the last booklet."""
    assert exit_interview_due(LAST) == date(2025, 12, 30)
    assert booklet_due_dates(FIRST, LAST)["three_quarters"] < exit_interview_due(LAST)


@pytest.mark.parametrize("last", [date(2025, 3, 31), date(2025, 6, 30), date(2026, 12, 31)])
def test_its_three_days_are_in_order_and_inside_the_contract(last: date) -> None:
    """C-3a.23: of three months, six, twenty-four."""
    month_1, middle, three_quarters = booklet_due_dates(FIRST, last).values()
    assert FIRST < month_1 < middle < three_quarters < last


@pytest.mark.parametrize(("day", "off"), [(29, 1), (30, 0), (28, 2)])
def test_a_booklet_announced_for_another_day_is_off(day: int, off: int) -> None:
    """C-3a.23."""
    announced = date(2025, 9, day)
    assert days_off_schedule("three_quarters", announced, FIRST, LAST) == off
    assert days_off_schedule("three_quarters", date(2025, 10, 1), FIRST, LAST) == 1


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        (FIRST, date(2025, 3, 30), 2),
        (FIRST, date(2025, 3, 31), 3),
        (FIRST, LAST, 12),
        (FIRST, date(2029, 12, 31), 60),
        (FIRST, date(2030, 1, 31), 61),
        (date(2025, 1, 2), FIRST, 0),
        (date(2025, 3, 2), FIRST, -2),
    ],
)
def test_months_of_a_contract_count_both_ends(first: date, last: date, months: int) -> None:
    """C-3a.23: three months at least, one day either side."""
    agreed = CommitmentAgreed.model_construct(first_day=first, last_day=last)
    assert agreed.contract_months == months


def test_the_certificate_is_due_a_month_before_the_end_or_when_asked_for() -> None:
    """C-3a.28; and C-3a.9: what comes next is settled on the eve of the exit at the latest."""
    assert certificate_due(LAST) == date(2025, 11, 30)
    assert certificate_due(date(2025, 3, 31)) == date(2025, 2, 28)
    assert certificate_due(LAST, date(2025, 6, 2)) == date(2025, 6, 2)
    assert certificate_due(LAST, date(2025, 12, 15)) == date(2025, 11, 30)
    assert next_steps_due(LAST) == date(2025, 12, 30)


@pytest.mark.parametrize(("day", "enough"), [(date(2025, 5, 31), False), (date(2025, 6, 1), True)])
def test_a_tutor_has_two_years_of_experience_on_the_day(day: date, *, enough: bool) -> None:
    """C-3a.6, R5134-38."""
    assert experienced(date(2023, 6, 1), day) is enough


@pytest.mark.parametrize(("reached", "few"), [(None, 0), (11, 0), (10, 1), (0, 1)])
def test_a_campaign_says_how_many_from_eleven_on(reached: int | None, few: int) -> None:
    """C-3e.4."""
    assert CampaignSent.model_construct(reached=reached).too_few == few


CELLS = ("under_one_year", "from_one_to_two", "from_two_to_three", "over_three_years")


def table(*counts: int | None) -> CensusAggregate:
    """A table of four numbers and their total."""
    values: dict[str, Any] = dict(zip((*CELLS, "total"), counts, strict=True))
    return CensusAggregate.model_construct(**values)


@pytest.mark.parametrize(
    ("counts", "small", "exposed"),
    [
        ((20, 30, 40, 50, 140), 0, 0),
        ((11, 30, 40, 50, 131), 0, 0),
        ((10, 30, 40, 50, 130), 1, 0),
        ((0, 30, 40, 50, 120), 1, 0),
        ((20, 30, 40, 50, 141), 0, 1),
        ((None, 30, 40, 50, 125), 0, 1),
        ((None, 30, 40, 50, None), 0, 0),
        ((None, None, 40, 50, 100), 0, 2),
        ((None, None, 40, 50, 101), 0, 0),
        ((None, None, None, None, 10), 1, 4),
        ((None, None, None, None, 11), 0, 0),
        ((None, None, None, None, None), 0, 0),
    ],
)
def test_a_table_hides_what_is_small_and_what_gives_it_away(
    counts: tuple[int | None, ...], small: int, exposed: int
) -> None:
    """C-3e.3, C-2.2: both sides of eleven, alone and together."""
    found = table(*counts)
    assert (found.small_cells, found.exposed_cells) == (small, exposed)


def test_what_the_evaluation_counts() -> None:
    """C-7.3 with C-2.2, C-3a.7, C-3c.1, C-3e.3: each indicator under one of three elements."""
    asked = {one.id for one in CONVENTION.obligations if one.natures == (Nature.INDICATOR,)}
    assert set(COVERS) == asked - {"C-7.3"}
    assert set(COVERS.values()) == set(Element)
    assert [supported_per_thousand(7, staff) for staff in (7, 60, 1240)] == [1000, 117, 6]
    months = [(4, 1), (5, 2), (3, 1), (4, 0)]
    assert [enough_actions(*month) for month in months] == [True, True, False, False]


def test_the_final_report_is_due_on_the_last_day() -> None:
    """C-7.2."""
    until = CONVENTION.term.until
    assert until is not None
    assert final_report_due(until) == date(2025, 12, 31)


def test_each_booklet_that_is_due_can_be_asked_for() -> None:
    """C-3a.23: the message and the schedule name the same three times."""
    due = booklet_due_dates(date(2026, 1, 5), date(2026, 7, 4))
    assert set(due) == set(get_args(Step))
    for step, on in due.items():
        said = BookletDue.model_validate_json(f'{{"step": "{step}", "due_on": "{on}"}}')
        assert (said.step, said.due_on) == (step, on)
    assert set(due) == {"month_1", "middle", "three_quarters"}
