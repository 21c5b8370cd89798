"""Days that convention D and the law count, as pure functions: interview, reminder, transmission.

None of them refuses an interview or a reminder that comes late: the young person would pay for it.
Only what the law lets a Mission Locale tell within a time is refused outside it (R114-7).
"""

from __future__ import annotations

from datetime import date
from typing import Final

from contracts.kernel.paris import add_months, birthday

INTERVIEW_AGE: Final = 17
"""Age in years by which the interview is held: a year before majority (CASF L222-5-1)."""

TRANSMISSION_MONTHS: Final = 2
"""Months after the convening within which a breach is told (R114-7)."""


def interview_due(birth: date, taken_in_on: date) -> date:
    """Last day on which the department holds the interview on time (D-1.6; CASF L222-5-1).

    birth, taken_in_on: days of birth and on which the department's support began. Returns the
    seventeenth birthday; whoever was taken in on that day or later is met at once, on the day of
    taking in. A renewed interview has no such day.
    """
    return max(birthday(birth, INTERVIEW_AGE), taken_in_on)


def attention_due(left_on: date, months: int) -> date:
    """Day on which the department's referent is reminded of a young adult who left (D-1.12).

    left_on: day on which the support ended. months: the text sets no time, so the department does.
    It is a reminder at home: no message leaves, and no new case opens.
    """
    return add_months(left_on, months)


def days_outside(convened_on: date, day: date) -> int:
    """Calendar days by which a day misses the time for telling a breach; 0 within it (R114-7).

    The time runs from the day of the convening to the same day two months later, both included.
    """
    last = add_months(convened_on, TRANSMISSION_MONTHS)
    return max(0, (convened_on - day).days, (day - last).days)
