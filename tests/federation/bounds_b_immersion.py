"""Either side of the bounds of convention B: the immersion.

Its BOUNDS are all of them, those of `bounds_b.py` with its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx

from contracts.conventions.b_city_mission_locale import checks
from contracts.kernel.paris import add_months
from tests.federation.bounds import DAY, Tried
from tests.federation.bounds_b import BOUNDS, Day, bound
from tests.federation.examples import Case
from tests.federation.examples_b import ACCEPTED

__all__ = ["BOUNDS"]


DISCOVER, CONFIRM, HIRE = "discover_trade", "confirm_project", "start_recruitment"


def _from(
    day: Day, case: Case, first: date, days: int, object_: str = DISCOVER, **more: Any
) -> httpx.Response:
    """Ask for so many days from one on, about the person of a case."""
    last = (first + (days - 1) * DAY).isoformat()
    said = {"object": object_, "offer": "187XKLM" if object_ == HIRE else None, **more}
    return day.ask("m13", case, first_day=first.isoformat(), last_day=last, **said)


@bound(checks.ONE_MONTH)
def one_month(day: Day) -> Iterator[Tried]:
    for first in (day.first_day, date(day.today.year + 1, 1, 31)):
        case, month = day.agreed("m13"), (add_months(first, 1) - first).days
        for days, refused in ((0, "limit"), (month + 1, "limit"), (month, None)):
            answer = _from(day, case, first, days)
            yield Tried(f"{days} days from {first}", answer, refused)
    case = day.agreed("m13")
    yield Tried("a single day", _from(day, case, day.first_day, 1))


@bound(checks.ONE_RENEWAL)
def one_renewal(day: Day) -> Iterator[Tried]:
    case, first = day.agreed("m13"), day.first_day
    for number, refused in enumerate((None, None, "limit")):
        answer = _from(day, case, first + number * 10 * DAY, 5, renewal=number > 0)
        yield Tried(f"renewed {number} times", answer, refused)
    yield Tried("another object", _from(day, case, first + 30 * DAY, 5, CONFIRM))
    yield Tried("another person", _from(day, day.agreed("m13"), first, 5))
    once = day.case("m13", first_day=first)
    day.took("m15", day.ask("m15", once, status="declined"))
    for number, refused in enumerate((None, None, "limit")):
        answer = _from(day, once, first, 5, renewal=number > 0)
        yield Tried(f"declined, then renewed {number} times", answer, refused)


@bound(checks.RENEWAL_NAMED)
def renewal_named(day: Day) -> Iterator[Tried]:
    case, first = day.agreed("m13"), day.first_day
    for renewal, object_, refused in (
        (True, DISCOVER, "limit"),
        (False, DISCOVER, None),
        (True, CONFIRM, "limit"),
        (False, DISCOVER, "limit"),
        (True, DISCOVER, None),
    ):
        answer = _from(day, case, first, 5, object_, renewal=renewal)
        yield Tried(f"{object_}, a renewal: {renewal}", answer, refused)


@bound(checks.TWO_AT_HOST)
def two_at_host(day: Day) -> Iterator[Tried]:
    case, first = day.agreed("m13"), day.first_day
    for object_, refused in ((DISCOVER, None), (CONFIRM, None), (HIRE, "limit")):
        yield Tried(f"{object_}, after the others", _from(day, case, first, 5, object_), refused)
    year = add_months(first + 4 * DAY, 12)
    counted, out = (_from(day, case, start, 1, HIRE) for start in (year - DAY, year))
    yield Tried("the last day on which both still count", counted, "limit")
    yield Tried("a year after both", out)


@bound(checks.DAYS_AT_HOST)
def days_at_host(day: Day) -> Iterator[Tried]:
    first = day.first_day
    third, year = first + 60 * DAY, add_months(first, 12)

    def spent(*starts: date) -> Case:
        """Somebody who asked for twenty-eight days twice, in that order."""
        case = day.agreed("m13")
        for number, start in enumerate(starts):
            assert _from(day, case, start, 28, renewal=number > 0).is_success
        return case

    case = spent(first, first + 28 * DAY)
    yield Tried("61 days", _from(day, case, third, 5, CONFIRM), "limit")
    yield Tried("60 days", _from(day, case, third, 4, CONFIRM))
    case = spent(first, first + 28 * DAY)
    yield Tried("61 in twelve months", _from(day, case, year - 5 * DAY, 5, CONFIRM), "limit")
    yield Tried("60, the first one out", _from(day, case, year - 4 * DAY, 5, CONFIRM))
    case, between = spent(third, first), first + 40 * DAY
    yield Tried("61, the last asked first", _from(day, case, between, 5, CONFIRM), "limit")
    yield Tried("60, the last asked first", _from(day, case, between, 4, CONFIRM))


@bound(checks.OFFER)
def offer(day: Day) -> Iterator[Tried]:
    case = day.agreed("m13")
    tried = {
        ("start_recruitment", None): "limit",
        ("start_recruitment", "187XKLM"): None,
        ("discover_trade", "187XKLM"): "limit",
        ("confirm_project", "187XKLM"): "limit",
        ("confirm_project", None): None,
    }
    for (object_, number), refused in tried.items():
        answer = day.ask("m13", case, object=object_, offer=number)
        yield Tried(f"{object_}, {number}", answer, refused)


@bound(checks.AWAITED_STEP)
def awaited_step(day: Day) -> Iterator[Tried]:
    missing = "missing_awaited_step"

    def host(case: Case, refused: str | None, *steps: str) -> Iterator[Tried]:
        for step in steps:
            answer = day.ask("m15", case, status=step)
            yield Tried(step, answer if refused else day.took("m15", answer), refused)

    case = day.case("m13")
    yield from host(case, missing, "completed", "interrupted")
    yield from host(case, None, "accepted")
    yield from host(case, missing, "accepted", "declined", "completed", "interrupted")
    day.actors.tell("m14", case)
    yield from host(case, missing, "accepted", "declined")
    yield from host(case, None, "completed")
    yield from host(day.case("m13"), None, "declined")
    yield from host(day.case(*ACCEPTED, "m14"), None, "interrupted")


@bound(checks.HOST_ACCEPTED)
def host_accepted(day: Day) -> Iterator[Tried]:
    case, missing = day.case("m13"), "missing_host_accepted"
    yield Tried("not answered", day.ask("m14", case), missing)
    day.actors.tell("m15", case)
    yield Tried("accepted", day.took("m14", day.ask("m14", case)))
    yield Tried("named already", day.ask("m14", case), missing)


@bound(checks.REPRESENTATIVE_SIGNED)
def representative_signed(day: Day) -> Iterator[Tried]:
    unsigned = "missing_representative_signed"
    minor = day.actors.play(day.agreed("m13", day.born(18, 1)), ACCEPTED)
    for said in (None, False):
        answer = day.ask("m14", minor, representative_signed=said)
        yield Tried(f"18 tomorrow, {said}", answer, unsigned)
    yield Tried("18 tomorrow, signed", day.took("m14", day.ask("m14", minor)))
    adult = day.actors.play(day.agreed("m13", day.born(18)), ACCEPTED)
    yield Tried("18 today", day.took("m14", day.ask("m14", adult, representative_signed=None)))


@bound(checks.HOST_SPEAKS)
def host_speaks(day: Day) -> Iterator[Tried]:
    case = day.case(*ACCEPTED)
    for step in ("accepted", "declined", "completed", "interrupted"):
        yield Tried(f"{step}, by who asked", day.ask("m14", case, status=step), "limit")
    yield Tried("confirmed", day.ask("m14", case))


@bound(checks.HOST_NAMES_NOBODY)
def host_names_nobody(day: Day) -> Iterator[Tried]:
    case = day.case("m13")
    yield Tried("confirmed, by the host", day.ask("m15", case, status="confirmed"), "limit")
    yield Tried("accepted", day.ask("m15", case))
