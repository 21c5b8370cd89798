"""What the law counts of a person's immersions at one host, at its bounds (D5135-3)."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.kernel.immersion import Period, used_at_host
from contracts.kernel.messages import ImmersionObject

ASKED = Period("discover_trade", date(2025, 12, 1), date(2025, 12, 31))


def period(of: ImmersionObject, first: str, last: str) -> Period:
    return Period(of, date.fromisoformat(first), date.fromisoformat(last))


def test_a_first_immersion_counts_its_own_days_and_one_agreement() -> None:
    """C-3b.1, B-2.9."""
    assert used_at_host([], ASKED) == {"host_days": 31, "renewals": 0, "host_agreements": 1}


@pytest.mark.parametrize(
    ("first", "last", "days", "agreements"),
    [
        ("2024-12-01", "2024-12-31", 31, 1),
        ("2024-12-01", "2025-01-01", 32, 2),
        ("2025-11-02", "2025-11-30", 60, 2),
        ("2025-11-01", "2025-11-30", 61, 2),
        ("2025-12-31", "2026-01-09", 32, 2),
        ("2026-01-01", "2026-01-09", 31, 1),
    ],
)
def test_only_days_of_the_twelve_months_that_end_with_the_last_day_count(
    first: str, last: str, days: int, agreements: int
) -> None:
    """C-3b.1, B-2.9."""
    used = used_at_host([period("confirm_project", first, last)], ASKED)
    assert used == {"host_days": days, "renewals": 0, "host_agreements": agreements}


@pytest.mark.parametrize(("earlier", "renewals"), [(0, 0), (1, 1), (2, 2)])
def test_the_same_object_once_more_is_a_renewal_and_no_agreement(
    earlier: int, renewals: int
) -> None:
    """C-3b.1, B-2.9."""
    before = [period("discover_trade", "2025-10-01", "2025-10-05")] * earlier
    used = used_at_host(before, ASKED)
    assert (used["renewals"], used["host_agreements"]) == (renewals, 1)


def test_each_object_is_an_agreement() -> None:
    """C-3b.1."""
    before = [
        period("confirm_project", "2025-10-01", "2025-10-05"),
        period("start_recruitment", "2025-11-03", "2025-11-07"),
    ]
    assert used_at_host(before, ASKED)["host_agreements"] == 3


def test_the_twelve_months_end_at_the_end_of_a_february() -> None:
    """C-3b.1: of 29 February twelve months before is 28 February, which is left out."""
    asked = period("discover_trade", "2028-02-01", "2028-02-29")
    for last, agreements in (("2027-02-28", 1), ("2027-03-01", 2)):
        before = [period("confirm_project", "2027-02-15", last)]
        assert used_at_host(before, asked)["host_agreements"] == agreements
