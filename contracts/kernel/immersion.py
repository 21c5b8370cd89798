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


def used_at_host(before: Iterable[Period], asked: Period) -> dict[str, int]:
    """Quantities that the law bounds, the immersion asked for included (D5135-3).

    before: the others of that person at that host, whatever their order; none that was declined.
    Returns host_days: days within the twelve months that end with the last day asked for.
    renewals: others of the same object, since one more of the same is what a renewal is.
    host_agreements: objects agreed upon, for a renewal is no second agreement.
    """
    since = add_months(asked.last_day, -WINDOW) + timedelta(days=1)
    recent = [one for one in before if one.last_day >= since and one.first_day <= asked.last_day]
    return {
        "host_days": sum(_days(one, since, asked.last_day) for one in (*recent, asked)),
        "renewals": sum(one.object == asked.object for one in recent),
        "host_agreements": len({one.object for one in (*recent, asked)}),
    }


def _days(one: Period, since: date, until: date) -> int:
    return max(0, (min(one.last_day, until) - max(one.first_day, since)).days + 1)
