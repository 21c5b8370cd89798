"""Either side of the bounds of convention C: social clauses, zero unemployment, colleagues.

Its BOUNDS are those of `bounds_c.py` with its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from contracts.conventions.c_employment_city_ccas import checks
from tests.federation.bounds import DAY, Tried
from tests.federation.bounds_c import BOUNDS, Day, bound
from tests.federation.examples import Case
from tests.federation.examples_c import CONTACT, FLOWS, SECOND

__all__ = ["BOUNDS"]

FEW, LEAST = 10, 11
"""The largest number of job seekers that is hidden, and the smallest that is told."""
TABLES: Final = ("m18", "m19")


@bound(checks.AWAITING_ANSWER)
def awaiting_answer(day: Day) -> Iterator[Tried]:
    missing, case = "missing_awaiting_answer", day.before("m13")
    yield Tried("asked", day.took("m13", day.ask("m13", case)))
    told = frozenset({"C-4.2"})
    yield Tried("answered already", day.ask("m13", case), missing, also=told)
    in_time, late = day.before("m13"), day.before("m13")
    day.go(day.today + DAY, -timedelta(minutes=5))
    yield Tried("five minutes before the 24 hours end", day.ask("m13", in_time))
    day.go(day.today + DAY)
    forgotten = frozenset({"C-4.2", "C-5.3"})  # the scheduler may have destroyed it already
    yield Tried("after 24 hours", day.ask("m13", late), missing, also=forgotten)


@bound(checks.NOT_TOO_FEW)
def not_too_few(day: Day) -> Iterator[Tried]:
    for code in ("m16", "m17"):
        case = day.before(code)
        for reached, refused in ((FEW, "limit"), (LEAST, None), (None, None)):
            yield Tried(f"{code}, {reached}", day.ask(code, case, reached=reached), refused)


def _table(day: Day, code: str, cells: tuple[int | None, ...], total: int | None) -> Any:
    names = ("under_one_year", "from_one_to_two", "from_two_to_three", "over_three_years")
    said = dict(zip(names, cells, strict=True))
    return day.ask(code, Case(day.today, day.first_day), **said, total=total)


def _tables(
    day: Day, tried: dict[tuple[tuple[int | None, ...], int | None], str | None]
) -> Iterator[Tried]:
    for code in TABLES:
        for (cells, total), refused in tried.items():
            answer = _table(day, code, cells, total)
            yield Tried(f"{code}, {cells} of {total}", answer, refused)


@bound(checks.CELLS_LARGE)
def cells_large(day: Day) -> Iterator[Tried]:
    yield from _tables(
        day,
        {
            ((LEAST, LEAST, LEAST, FEW), 3 * LEAST + FEW): "limit",
            ((LEAST, LEAST, LEAST, 0), 3 * LEAST): "limit",
            ((LEAST, LEAST, LEAST, LEAST), 4 * LEAST): None,
            ((None, None, None, None), FEW): "limit",
            ((None, None, None, None), LEAST): None,
        },
    )


@bound(checks.CELLS_SAFE)
def cells_safe(day: Day) -> Iterator[Tried]:
    yield from _tables(
        day,
        {
            ((40, 30, 20, None), 110): "limit",
            ((40, 30, 20, None), None): None,
            ((40, 30, None, None), 70 + FEW): "limit",
            ((40, 30, None, None), 70 + LEAST): None,
            ((40, 30, 20, 20), 111): "limit",
            ((40, 30, 20, 20), 110): None,
        },
    )


@bound(checks.VOLUNTEERED)
def volunteered(day: Day) -> Iterator[Tried]:
    missing, agency = "missing_volunteered", FLOWS["m20"].sender
    person = day.actors.person(agency, day.born(30))
    day.actors.seeker(person)
    agreement = day.actors.agree(agency, person)
    case = Case(day.today, day.first_day, agreement_id=agreement)
    yield Tried("did not ask", day.ask("m20", case), missing)
    day.actors.volunteer(person)
    yield Tried("asked", day.ask("m20", case))
    yield Tried("asked once, sent twice", day.ask("m20", case), missing)


@bound(checks.STAFF_TOLD)
def staff_told(day: Day) -> Iterator[Tried]:
    case = Case(day.today, day.first_day)
    for code, role in (
        ("m21", "first"),
        ("m21", "second"),
        ("m22", "referent"),
        ("m23", "referent"),
    ):
        name = "Nouvelle " + "".join(chr(ord("a") + int(one, 16)) for one in case.mark[:8])
        case = Case(day.today, day.first_day)
        said = {role: {**CONTACT, "name": name}}
        yield Tried(f"{code}, {role} not told", day.ask(code, case, **said), "missing_staff_told")
        day.actors.tell_staff(FLOWS[code].sender, name)
        yield Tried(f"{code}, {role} told", day.ask(code, case, **said))


@bound(checks.SECOND_NAMED)
def second_named(day: Day) -> Iterator[Tried]:
    case = Case(day.today, day.first_day)
    for task, second, refused in (
        ("employer", None, "limit"),
        ("employer", SECOND, None),
        ("social_clauses", None, None),
    ):
        answer = day.ask("m21", case, task=task, second=second)
        yield Tried(f"{task}, second {second is not None}", answer, refused)
