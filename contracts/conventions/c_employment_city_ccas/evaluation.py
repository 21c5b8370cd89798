"""What the yearly evaluation and the final report look at, in numbers (C-7.2, C-7.3)."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final


class Element(StrEnum):
    """The three things that the evaluation covers (C-7.3)."""

    MEANS = "means"
    RESULTS = "results"
    CONTRIBUTION = "contribution"


COVERS: Final = {
    "C-2.2": Element.RESULTS,
    "C-3a.7": Element.MEANS,
    "C-3c.1": Element.CONTRIBUTION,
    "C-3e.3": Element.RESULTS,
}
"""Under which of the three each indicator stands."""

ACTIONS_A_MONTH: Final = 4
"""Collective actions that the agency runs each month (C-3c.1)."""

YOUTH_ACTIONS_A_MONTH: Final = 1
"""How many of them are for young people (C-3c.1)."""


def supported_per_thousand(contracts: int, staff: int) -> int:
    """Supported contracts for a thousand of the whole staff (C-3a.7); staff: at least 1."""
    return round(1000 * contracts / staff)


def enough_actions(actions: int, for_youth: int) -> bool:
    """Whether a month had its collective actions, those for young people among them (C-3c.1)."""
    return actions >= ACTIONS_A_MONTH and for_youth >= YOUTH_ACTIONS_A_MONTH


def final_report_due(ends_on: date) -> date:
    """Last day of the convention, by which the signatories write the final report (C-7.2).

    ends_on: first day on which it holds no more.
    """
    return ends_on - timedelta(days=1)
