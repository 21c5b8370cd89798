"""The course of a supported contract in days: when its booklet, its certificate, what follows.

Days are calendar days in Paris, first and last day of the contract both counted.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, Literal

from contracts.kernel.paris import add_months, add_years

Step = Literal["month_1", "middle", "three_quarters"]
"""The three times at which the follow-up booklet is filled in (C-3a.23)."""

TUTOR_YEARS: Final = 2
"""Years of professional experience that a workplace tutor has at least (C-3a.6, R5134-38)."""

_DAY: Final = timedelta(days=1)


def booklet_due_dates(first_day: date, last_day: date) -> dict[Step, date]:
    """Days on which the booklet is due: the end of month 1, of half and of three quarters.

    Of twelve months the last one ends the ninth (C-3a.23). The three are in order for a contract of
    three months or more; shorter ones are refused before (`contract_months`).
    """
    days = (last_day - first_day).days + 1
    return {
        "month_1": add_months(first_day, 1) - _DAY,
        "middle": first_day + timedelta(days=days // 2) - _DAY,
        "three_quarters": first_day + timedelta(days=days * 3 // 4) - _DAY,
    }


def days_off_schedule(step: Step, due_on: date, first_day: date, last_day: date) -> int:
    """Days between the day that a booklet is announced for and the one on which it is due."""
    return abs((due_on - booklet_due_dates(first_day, last_day)[step]).days)


def next_steps_due(last_day: date) -> date:
    """Last day on which what comes next is still settled before the exit (C-3a.9)."""
    return last_day - _DAY


def exit_interview_due(last_day: date) -> date:
    """Last day on which the interview before the exit is still before it (C-3a.26).

    It is owed where the last booklet shows no prospects, from the day on which that is read.
    """
    return last_day - _DAY


def certificate_due(last_day: date, requested_on: date | None = None) -> date:
    """Day by which the certificate of experience is given (C-3a.28).

    A month before the end, or at once where the employee asked for it earlier.
    """
    latest = add_months(last_day, -1)
    return latest if requested_on is None else min(latest, requested_on)


def experienced(working_since: date, on: date) -> bool:
    """Whether somebody has, on that day, the experience that a tutor needs (C-3a.6)."""
    return add_years(working_since, TUTOR_YEARS) <= on
