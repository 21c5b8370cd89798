"""Days and instants: a legal day begins at midnight in Paris, an instant is always aware.

Every interval of Relais is half-open: it holds from its first instant, and no longer at its last.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

PARIS = ZoneInfo("Europe/Paris")


@lru_cache(maxsize=4096)
def midnight(day: date) -> datetime:
    """First instant of a legal day, as UTC."""
    return datetime.combine(day, time(), PARIS).astimezone(UTC)


@lru_cache(maxsize=4096)
def day_of(instant: datetime) -> date:
    """Legal day to which an aware instant belongs."""
    return instant.astimezone(PARIS).date()


@lru_cache(maxsize=4096)
def add_months(day: date, months: int) -> date:
    """Same day of the month some months later, or the last day of a shorter month."""
    return day + relativedelta(months=months)


@lru_cache(maxsize=4096)
def add_years(day: date, years: int) -> date:
    """Same day some years later; 29 February becomes 28 February in a common year."""
    return day + relativedelta(years=years)


def birthday(birth: date, years: int) -> date:
    """Day on which that age in years is reached.

    A person born on 29 February reaches it on 28 February of a common year: the earlier day,
    since majority ends the representative's agreement and the earlier end protects.
    """
    return add_years(birth, years)


def reached(birth: date, years: int, day: date) -> bool:
    """Whether the person has that age on the given legal day; the age itself is never stored."""
    return birthday(birth, years) <= day
