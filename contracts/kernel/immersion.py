"""What a person has used up at one host, in immersions: days, agreements, renewals (D5135-3).

Days are calendar days in Paris, first and last day both counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from contracts.kernel.messages import ImmersionObject
from contracts.kernel.paris import add_months

WINDOW: Final = 12
"""Months that end with the last day of an immersion, over which the law counts."""


@dataclass(frozen=True, slots=True)
class Period:
    """One immersion of a person at a host: its object, its first and last day."""

    object: ImmersionObject
    first_day: date
    last_day: date


def used_at_host(before: Iterable[Period], asked: Period, *, renewal: bool) -> dict[str, int]:
    """Quantities that the law bounds, the immersion asked for included (D5135-3).

    before: the others of that person at that host, whatever their order; none that was declined.
    renewal: whether the one asked for is said to renew another. Each is the most in any twelve
    months that it takes part in: those that end with its last day, or with that of one which was
    asked for before and comes later. host_days: days. renewals: others of the same object, since
    one more of the same is what a renewal is. host_agreements: objects agreed upon, for a renewal
    is no second agreement. misnamed_renewals: 1 where what is said to be a renewal is none, or
    where a renewal is not said to be one, else 0.
    """
    others = list(before)
    held = [*others, asked]
    ends = {one.last_day for one in held if _since(one.last_day) <= asked.last_day <= one.last_day}
    years = [[one.object for one in others if _days(one, _since(end), end)] for end in ends]
    renewals = max(year.count(asked.object) for year in years)
    return {
        "host_days": max(sum(_days(one, _since(end), end) for one in held) for end in ends),
        "renewals": renewals,
        "host_agreements": max(len({*year, asked.object}) for year in years),
        "misnamed_renewals": int(renewal is (renewals == 0)),
    }


def _since(last_day: date) -> date:
    """First day of the twelve months that end with a day."""
    return add_months(last_day, -WINDOW) + timedelta(days=1)


def _days(one: Period, since: date, until: date) -> int:
    return max(0, (min(one.last_day, until) - max(one.first_day, since)).days + 1)
