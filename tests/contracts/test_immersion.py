"""What the law counts of a person's immersions at one host, at its bounds (D5135-3)."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.kernel.immersion import Period, used_at_host
from contracts.kernel.messages import ImmersionObject

ASKED = Period("discover_trade", date(2025, 12, 1), date(2025, 12, 31))


def period(of: ImmersionObject, first: str, last: str) -> Period:
    return Period(of, date.fromisoformat(first), date.fromisoformat(last))


def used(before: list[Period], asked: Period = ASKED, *, renewal: bool = False) -> dict[str, int]:
    return used_at_host(before, asked, renewal=renewal)


def test_a_first_immersion_counts_its_own_days_and_one_agreement() -> None:
    """C-3b.1, B-2.9."""
    counted = {"host_days": 31, "renewals": 0, "host_agreements": 1, "misnamed_renewals": 0}
    assert used([]) == counted
    assert used([], renewal=True) == {**counted, "misnamed_renewals": 1}


@pytest.mark.parametrize(
    ("first", "last", "days", "agreements"),
    [
        ("2024-12-01", "2024-12-31", 31, 1),
        ("2024-12-01", "2025-01-01", 32, 2),
        ("2025-11-02", "2025-11-30", 60, 2),
        ("2025-11-01", "2025-11-30", 61, 2),
        ("2025-12-31", "2026-01-09", 41, 2),
        ("2026-11-01", "2026-11-30", 61, 2),
        ("2026-12-01", "2026-12-30", 31, 2),
        ("2026-12-01", "2026-12-31", 31, 1),
    ],
)
def test_only_days_of_twelve_months_in_which_both_take_part_count(
    first: str, last: str, days: int, agreements: int
) -> None:
    """C-3b.1, B-2.9: they end with the last day of either, whichever was asked for first."""
    found = used([period("confirm_project", first, last)])
    assert (found["host_days"], found["host_agreements"]) == (days, agreements)
    assert (found["renewals"], found["misnamed_renewals"]) == (0, 0)


def test_two_others_count_together_in_the_same_twelve_months_alone() -> None:
    """C-3b.1, B-2.9: one eleven months before, another eleven months later."""
    before = period("confirm_project", "2025-01-20", "2025-02-15")
    later = period("start_recruitment", "2026-11-02", "2026-11-20")
    found = used([before, later])
    assert (found["host_days"], found["host_agreements"]) == (58, 2)


@pytest.mark.parametrize("earlier", [0, 1, 2])
def test_the_same_object_once_more_is_a_renewal_and_no_agreement(earlier: int) -> None:
    """C-3b.1, B-2.9: and is said to be one, whichever number it has."""
    before = [period("discover_trade", "2025-10-01", "2025-10-05")] * earlier
    for renewal in (True, False):
        found = used(before, renewal=renewal)
        assert (found["renewals"], found["host_agreements"]) == (earlier, 1)
        assert found["misnamed_renewals"] == int(renewal is (earlier == 0))


def test_each_object_is_an_agreement() -> None:
    """C-3b.1."""
    before = [
        period("confirm_project", "2025-10-01", "2025-10-05"),
        period("start_recruitment", "2025-11-03", "2025-11-07"),
    ]
    assert used(before)["host_agreements"] == 3


def test_the_twelve_months_end_at_the_end_of_a_february() -> None:
    """C-3b.1: of 29 February twelve months before is 28 February, which is left out."""
    asked = period("discover_trade", "2028-02-01", "2028-02-29")
    for last, agreements in (("2027-02-28", 1), ("2027-03-01", 2)):
        before = [period("confirm_project", "2027-02-15", last)]
        assert used(before, asked)["host_agreements"] == agreements
