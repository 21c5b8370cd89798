"""Working days, school days and school years, on days that anybody can look up."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from contracts.kernel.paris import PARIS
from services.chassis.calendar import (
    add_working_days,
    in_school_time,
    is_school_day,
    is_working_day,
    school_year_ends_on,
    school_year_of_age_ends_on,
)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 11, 10), True),
        (date(2026, 11, 11), False),  # Armistice
        (date(2026, 11, 14), False),  # a Saturday
        (date(2027, 3, 29), False),  # Easter Monday, which moves
        (date(2027, 3, 30), True),
        (date(2027, 5, 6), False),  # Ascension
    ],
)
def test_working_days(*, day: date, works: bool) -> None:
    assert is_working_day(day) is works


def test_a_delay_in_working_days_skips_weekends_and_holidays() -> None:
    assert add_working_days(date(2026, 11, 10), 1) == date(2026, 11, 12)
    assert add_working_days(date(2026, 11, 6), 3) == date(2026, 11, 12)
    assert add_working_days(date(2026, 11, 12), 0) == date(2026, 11, 12)


@pytest.mark.parametrize(
    ("day", "zone", "at_school"),
    [
        (date(2026, 11, 12), "B", True),
        (date(2026, 10, 20), "B", False),  # All Saints
        (date(2027, 2, 22), "B", False),  # winter holidays differ by zone
        (date(2027, 2, 22), "A", False),
        (date(2026, 11, 15), "B", False),
    ],
)
def test_school_days(*, day: date, zone: str, at_school: bool) -> None:
    assert is_school_day(day, zone) is at_school


def test_of_a_year_that_nobody_has_set_no_day_is_a_school_day() -> None:
    assert is_working_day(date(2060, 11, 9))
    assert not is_school_day(date(2060, 11, 9))


@pytest.mark.parametrize(
    ("hour", "minute", "inside"), [(7, 59, False), (8, 0, True), (17, 59, True), (18, 0, False)]
)
def test_school_time_is_paris_time(*, hour: int, minute: int, inside: bool) -> None:
    """A-7.1: both sides of each bound, on a Thursday of the school year."""
    assert in_school_time(datetime(2026, 11, 12, hour, minute, tzinfo=PARIS)) is inside


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 9, 1), date(2027, 7, 3)),
        (date(2027, 7, 2), date(2027, 7, 3)),
        (date(2027, 7, 3), date(2028, 7, 4)),
        (date(2060, 1, 1), date(2060, 6, 30)),
    ],
)
def test_the_school_year_ends_as_the_summer_holidays_begin(day: date, ends: date) -> None:
    assert school_year_ends_on(day) == ends


def test_the_school_year_of_an_age() -> None:
    """R131-10-1: the year in which sixteen is reached."""
    assert school_year_of_age_ends_on(date(2011, 3, 9), 16) == date(2027, 7, 3)
    assert school_year_of_age_ends_on(date(2010, 9, 9), 16) == date(2027, 7, 3)
