"""Legal days begin at midnight in Paris, whatever the clocks do that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.kernel.paris import add_months, add_years, birthday, day_of, midnight, reached

SOON = timedelta(microseconds=1)
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 27, 23, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),  # clocks go forward at 2
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC)),  # clocks go back at 3
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_midnight_across_the_changes_of_clocks(day: date, utc: datetime) -> None:
    assert midnight(day) == utc
    assert day_of(utc) == day
    assert day_of(utc - SOON) == day - timedelta(days=1)


def test_a_day_may_have_23_or_25_hours() -> None:
    assert midnight(date(2026, 3, 30)) - midnight(date(2026, 3, 29)) == timedelta(hours=23)
    assert midnight(date(2026, 10, 26)) - midnight(date(2026, 10, 25)) == timedelta(hours=25)


@given(DAYS)
def test_a_day_holds_its_first_instant_and_not_that_of_the_next(day: date) -> None:
    assert day_of(midnight(day)) == day
    assert day_of(midnight(day) - SOON) == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 4, 30), 1, date(2026, 5, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_end_with_the_shorter_month(day: date, months: int, found: date) -> None:
    assert add_months(day, months) == found


def test_years_from_29_february_end_on_28() -> None:
    assert add_years(date(2028, 2, 29), 3) == date(2031, 2, 28)
    assert add_years(date(2028, 2, 29), 4) == date(2032, 2, 29)
    assert add_years(date(2026, 4, 30), 3) == date(2029, 4, 30)


@pytest.mark.parametrize(
    ("birth", "day", "yes"),
    [
        (date(2008, 11, 12), date(2026, 11, 11), False),
        (date(2008, 11, 12), date(2026, 11, 12), True),
        (date(2008, 2, 29), date(2026, 2, 27), False),
        (date(2008, 2, 29), date(2026, 2, 28), True),
        (date(2008, 2, 29), date(2026, 3, 1), True),
    ],
)
def test_an_age_is_reached_on_the_birthday(*, birth: date, day: date, yes: bool) -> None:
    assert reached(birth, 18, day) is yes


@given(DAYS, st.integers(0, 30))
def test_an_age_once_reached_stays(birth: date, years: int) -> None:
    day = birthday(birth, years)
    assert reached(birth, years, day)
    assert reached(birth, years, day + timedelta(days=1))
    assert not reached(birth, years, day - timedelta(days=1))
