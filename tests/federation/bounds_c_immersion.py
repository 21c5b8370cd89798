"""Either side of the bounds of convention C: the immersion.

Its BOUNDS are those of `bounds_c.py` with its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx

from contracts.conventions.c_employment_city_ccas import immersion
from contracts.kernel.paris import add_months
from tests.federation.bounds import DAY, Tried
from tests.federation.bounds_c import BOUNDS, Day, bound
from tests.federation.examples import Case
from tests.federation.examples_c import TRADE

__all__ = ["BOUNDS"]

DISCOVER, CONFIRM, HIRE = "discover_trade", "confirm_project", "start_recruitment"


def _from(
    day: Day, case: Case, first: date, days: int, object_: str = DISCOVER, **more: Any
) -> httpx.Response:
    """Ask for so many days from one on, about the person of a case."""
    last = (first + (days - 1) * DAY).isoformat()
    said = {"object": object_, "profile_promotion": object_ == HIRE, **more}
    return day.ask("m29", case, first_day=first.isoformat(), last_day=last, **said)


# -- the text's own bounds -----------------------------------------------------------------------


@bound(immersion.OFFER_OR_PROFILE)
def offer_or_profile(day: Day) -> Iterator[Tried]:
    for object_, offer, promotion, refused in (
        (HIRE, False, False, "limit"),
        (HIRE, True, True, "limit"),
        (HIRE, True, False, None),
        (HIRE, False, True, None),
        (DISCOVER, True, False, "limit"),
        (DISCOVER, False, True, "limit"),
        (DISCOVER, False, False, None),
    ):
        case = day.actors.play(day.somebody("m29"), ["m1"])
        said = {"offer": case.mark if offer else None, "profile_promotion": promotion}
        answer = day.ask("m29", case, object=object_, **said)
        yield Tried(f"{object_}, offer {offer}, promotion {promotion}", answer, refused)


@bound(immersion.OFFER_HELD)
def offer_held(day: Day) -> Iterator[Tried]:
    case, missing = day.somebody("m29"), "missing_offer_held"
    said = {"object": HIRE, "offer": case.mark}
    yield Tried("not published", day.ask("m29", case, **said), missing)
    for closes, refused in ((day.today - DAY, missing), (day.today, None)):
        day.took("m1", day.ask("m1", case, closes_on=closes.isoformat()))
        yield Tried(f"closes {closes}", day.ask("m29", case, **said), refused)


@bound(immersion.QUESTIONING)
def questioning(day: Day) -> Iterator[Tried]:
    unsure, sure = (day.somebody("m29", seeker={"questioning": one}) for one in (True, False))
    hire = {"object": HIRE, "profile_promotion": True}
    for object_ in (DISCOVER, CONFIRM):
        refused = day.ask("m29", sure, object=object_)
        yield Tried(f"{object_}, sure of the trade", refused, "missing_questioning")
        yield Tried(f"{object_}, in doubt", day.ask("m29", unsure, object=object_))
    yield Tried("a recruitment", day.ask("m29", sure, **hire))


@bound(immersion.TRADE_LISTED)
def trade_listed(day: Day) -> Iterator[Tried]:
    missing, other = "missing_trade_listed", "N4105"

    def asked(**content: Any) -> httpx.Response:
        """About somebody else each time, since the same object once more is a renewal."""
        return day.ask("m29", day.somebody("m29"), **content)

    published = Case(day.today, day.first_day)
    yield Tried("listed", asked())
    yield Tried("another trade", asked(rome=other), missing)
    yield Tried("at the other host", asked(host="ccas"), missing)
    for since, refused in ((day.today + DAY, missing), (day.today, None)):
        answer = day.ask("m28", published, host="ccas", trades=[other], since=since.isoformat())
        day.took("m28", answer)
        answer = asked(host="ccas", rome=other)
        yield Tried(f"of the other host, from {since}", answer, refused)
    emptied = day.ask("m28", published, host="ccas", trades=["K2204"])
    day.took("m28", emptied)
    yield Tried("struck from its list", asked(host="ccas", rome=other), missing)
    yield Tried("of the city's, still", asked(rome=TRADE))


# -- the law's bounds ----------------------------------------------------------------------------


@bound(immersion.ONE_MONTH)
def one_month(day: Day) -> Iterator[Tried]:
    for first in (day.first_day, date(day.today.year + 1, 1, 31)):
        case, month = day.somebody("m29"), (add_months(first, 1) - first).days
        for days, refused in ((0, "limit"), (month + 1, "limit"), (month, None)):
            yield Tried(f"{days} days from {first}", _from(day, case, first, days), refused)
    case = day.somebody("m29")
    yield Tried("a single day", _from(day, case, day.first_day, 1))


@bound(immersion.ONE_RENEWAL)
def one_renewal(day: Day) -> Iterator[Tried]:
    case, first = day.somebody("m29"), day.first_day
    for number, refused in enumerate((None, None, "limit")):
        answer = _from(day, case, first + number * 10 * DAY, 5, renewal=number > 0)
        yield Tried(f"renewed {number} times", answer, refused)
    yield Tried("another object", _from(day, case, first + 30 * DAY, 5, CONFIRM))
    yield Tried("another person", _from(day, day.somebody("m29"), first, 5))
    once = day.actors.play(day.somebody("m29"), ["m29"])
    day.took("m30", day.ask("m30", once, status="declined", tutor=None))
    for number, refused in enumerate((None, None, "limit")):
        answer = _from(day, once, first, 5, renewal=number > 0)
        yield Tried(f"declined, then renewed {number} times", answer, refused)


@bound(immersion.RENEWAL_NAMED)
def renewal_named(day: Day) -> Iterator[Tried]:
    case, first = day.somebody("m29"), day.first_day
    for renewal, object_, refused in (
        (True, DISCOVER, "limit"),
        (False, DISCOVER, None),
        (True, CONFIRM, "limit"),
        (False, DISCOVER, "limit"),
        (True, DISCOVER, None),
    ):
        answer = _from(day, case, first, 5, object_, renewal=renewal)
        yield Tried(f"{object_}, a renewal: {renewal}", answer, refused)


@bound(immersion.TWO_AT_HOST)
def two_at_host(day: Day) -> Iterator[Tried]:
    case, first = day.somebody("m29"), day.first_day
    for object_, refused in ((DISCOVER, None), (CONFIRM, None), (HIRE, "limit")):
        yield Tried(f"{object_}, after the others", _from(day, case, first, 5, object_), refused)
    year = add_months(first + 4 * DAY, 12)
    counted, out = (_from(day, case, start, 1, HIRE) for start in (year - DAY, year))
    yield Tried("the last day on which both still count", counted, "limit")
    yield Tried("a year after both", out)


@bound(immersion.DAYS_AT_HOST)
def days_at_host(day: Day) -> Iterator[Tried]:
    first = day.first_day
    third, year = first + 60 * DAY, add_months(first, 12)

    def spent(*starts: date) -> Case:
        """Somebody who asked for twenty-eight days twice, in that order."""
        case = day.somebody("m29")
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


# -- whose step it is ----------------------------------------------------------------------------


@bound(immersion.AWAITED_STEP)
def awaited_step(day: Day) -> Iterator[Tried]:
    missing = "missing_awaited_step"

    def host(case: Case, refused: str | None, *steps: str) -> Iterator[Tried]:
        for step in steps:
            answer = day.ask("m30", case, status=step)
            yield Tried(step, answer if refused else day.took("m30", answer), refused)

    case = day.before("m30")
    yield from host(case, missing, "completed", "interrupted")
    yield from host(case, None, "accepted")
    yield from host(case, missing, "accepted", "declined", "completed", "interrupted")
    day.actors.tell("m31", case)
    yield from host(case, missing, "accepted", "declined")
    yield from host(case, None, "completed")
    yield from host(day.before("m30"), None, "declined")
    yield from host(day.actors.play(day.before("m31"), ["m31"]), None, "interrupted")


@bound(immersion.HOST_ACCEPTED)
def host_accepted(day: Day) -> Iterator[Tried]:
    case, missing = day.before("m30"), "missing_host_accepted"
    yield Tried("not answered", day.ask("m31", case), missing)
    day.actors.tell("m30", case)
    yield Tried("accepted", day.took("m31", day.ask("m31", case)))
    yield Tried("named already", day.ask("m31", case), missing)


@bound(immersion.REPRESENTATIVE_SIGNED)
def representative_signed(day: Day) -> Iterator[Tried]:
    unsigned = "missing_representative_signed"
    young = day.somebody("m29", day.born(18, 1), giver="both", authority="parental")
    minor = day.actors.play(young, ["m29", "m30"])
    for said in (None, False):
        answer = day.ask("m31", minor, representative_signed=said)
        yield Tried(f"18 tomorrow, {said}", answer, unsigned)
    signed = day.ask("m31", minor, representative_signed=True)
    yield Tried("18 tomorrow, signed", day.took("m31", signed))
    adult = day.actors.play(day.somebody("m29", day.born(18)), ["m29", "m30"])
    yield Tried("18 today", day.took("m31", day.ask("m31", adult)))


@bound(immersion.HOST_SPEAKS)
def host_speaks(day: Day) -> Iterator[Tried]:
    case = day.before("m31")
    for step in ("accepted", "declined", "completed", "interrupted"):
        yield Tried(f"{step}, by who asked", day.ask("m31", case, status=step), "limit")
    yield Tried("confirmed", day.ask("m31", case))


@bound(immersion.HOST_NAMES_NOBODY)
def host_names_nobody(day: Day) -> Iterator[Tried]:
    case, also = day.before("m30"), frozenset({"C-3b.1"})
    answer = day.ask("m30", case, status="confirmed")
    yield Tried("confirmed, by the host", answer, "limit", also=also)
    yield Tried("accepted", day.ask("m30", case))
