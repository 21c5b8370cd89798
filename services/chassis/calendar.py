"""Working days, school days and school years in France, from maintained calendars.

Public holidays come from `holidays`, school holidays from `vacances-scolaires-france`, which knows
each year once the ministry has set it. Of a year that nobody has set yet no day is a school day.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final

from holidays import HolidayBase, country_holidays
from vacances_scolaires_france import SchoolHolidayDates, UnsupportedYearException

from contracts.kernel.paris import PARIS, birthday, day_of

ZONE: Final = "B"
"""Zone of the académie de Normandie, the default of a node's settings."""

_SUMMER: Final = "Vacances d'été"
_SATURDAY: Final = 5
_SCHOOL_HOURS: Final = (time(8), time(18))
_LAST_OF_JUNE: Final = (6, 30)


@cache
def _public() -> HolidayBase:
    return country_holidays("FR")


@cache
def _school() -> SchoolHolidayDates:
    return SchoolHolidayDates()


def is_working_day(day: date) -> bool:
    """Monday to Friday, public holidays apart."""
    return day.weekday() < _SATURDAY and day not in _public()


@lru_cache(maxsize=1024)
def add_working_days(day: date, count: int) -> date:
    """The count-th working day after a day."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


@lru_cache(maxsize=4096)
def is_school_day(day: date, zone: str = ZONE) -> bool:
    """A working day outside the school holidays of a zone (A, B or C); unknown years have none."""
    if not is_working_day(day):
        return False
    try:
        return not _school().is_holiday_for_zone(day, zone)
    except UnsupportedYearException:
        return False


def in_school_time(at: datetime, zone: str = ZONE) -> bool:
    """Whether an instant falls on a school day between 8 and 18 o'clock in Paris (A-7.1)."""
    first, last = _SCHOOL_HOURS
    return is_school_day(day_of(at), zone) and first <= at.astimezone(PARIS).time() < last


def school_year_ends_on(day: date, zone: str = ZONE) -> date:
    """First day after the school year to which a day belongs: its summer holidays begin.

    A day of the summer holidays belongs to the year that follows. Of a year nobody has set yet the
    end is taken as 30 June: what must be destroyed then is destroyed too early rather than late.
    """
    end = _summer_begins(day.year, zone)
    return end if day < end else _summer_begins(day.year + 1, zone)


@lru_cache(maxsize=64)
def _summer_begins(year: int, zone: str) -> date:
    try:
        days = _school().holidays_for_year_zone_and_name(year, zone, _SUMMER)
    except UnsupportedYearException:
        days = {}
    return min(days, default=date(year, *_LAST_OF_JUNE))


def school_year_of_age_ends_on(birth: date, years: int, zone: str = ZONE) -> date:
    """First day after the school year in which a person reaches that age (R131-10-1)."""
    return school_year_ends_on(birthday(birth, years), zone)
