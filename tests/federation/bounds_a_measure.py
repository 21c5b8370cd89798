"""Either side of the bounds of convention A: the alternative to exclusion.

Its BOUNDS are all of them, those of `bounds_a.py` with its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contracts.conventions.a_city_school import checks
from tests.federation.bounds import DAY, Tried
from tests.federation.bounds_a import BOUNDS, Day, bound
from tests.federation.examples import Case
from tests.federations import SCHOOL

__all__ = ["BOUNDS"]

ACCEPTED: Final = ("m12", "m13")
SIGNED: Final = (*ACCEPTED, "m14", "m15")


@bound(checks.EXCLUSION_DAYS)
def exclusion_days(day: Day) -> Iterator[Tried]:
    for days, code in ((0, "limit"), (1, None), (8, None), (9, "limit")):
        yield Tried(f"{days} days", day.ask("m12", day.case(days=days)), code)


@bound(checks.MEASURE_DAYS)
def measure_days(day: Day) -> Iterator[Tried]:
    case = day.case(*ACCEPTED, days=8)
    for days, code in ((0, "limit"), (1, None), (9, "limit"), (8, None)):
        last = day.first_day + (days - 1) * DAY
        yield Tried(f"{days} days", day.ask("m14", case, last_day=last.isoformat()), code)


@bound(checks.INSIDE_EXCLUSION)
def inside_exclusion(day: Day) -> Iterator[Tried]:
    first, last = day.first_day, day.first_day + 4 * DAY
    asked, told = day.case(), day.case(*ACCEPTED)
    spans = {
        "a day before": (first - DAY, last, "limit"),
        "a day after": (first, last + DAY, "limit"),
        "from the second day to the last but one": (first + DAY, last - DAY, None),
        "from the first day to the last": (first, last, None),
    }
    for what, (begins, ends, code) in spans.items():
        wanted = {"wanted_first_day": begins.isoformat(), "wanted_last_day": ends.isoformat()}
        yield Tried(f"{what}, wanted", day.ask("m12", asked, **wanted), code)
        planned = {"first_day": begins.isoformat(), "last_day": ends.isoformat()}
        answer = day.ask("m14", told, **planned)
        if code is None:
            day.took("m14", answer)
        yield Tried(f"{what}, planned", answer, code)
    shorter = {"last_day": (last - DAY).isoformat()}
    yield Tried("other days than planned", day.ask("m15", told, **shorter), "limit")
    yield Tried("the days that were planned", day.ask("m15", told))


@bound(checks.AWAITING)
def awaiting(day: Day) -> Iterator[Tried]:
    case = day.case("m12")
    yield Tried("once", day.ask("m13", case))
    yield Tried("twice", day.ask("m13", case), "missing_awaiting")


@bound(checks.ACCEPTED)
def accepted(day: Day) -> Iterator[Tried]:
    case = day.case("m12", first_day=day.today + DAY)
    yield Tried("no answer yet", day.ask("m14", case), "missing_accepted")
    day.actors.tell("m13", case)
    day.actors.tell("m14", case)
    yield Tried("accepted, the city on the eve", day.ask("m14", case))
    yield Tried("accepted, the school on the eve", day.ask("m15", case))
    day.go(day.today + DAY)
    for code in ("m14", "m15"):
        lapsed = frozenset({"A-1.3"})  # the scheduler may have closed the case already
        answer = day.ask(code, case)
        yield Tried(f"{code} on the first day", answer, "missing_accepted", also=lapsed)


@bound(checks.SIGNED_BEFORE)
def signed_before(day: Day) -> Iterator[Tried]:
    case = day.case(*ACCEPTED, "m14")
    eve, first = (one.isoformat() for one in (day.first_day - DAY, day.first_day))
    for code, role in (("m14", "youth_service"), ("m15", "head_teacher")):
        yield Tried(f"{role} on the first day", day.ask(code, case, **{role: first}), "limit")
        yield Tried(f"{role} on the eve", day.ask(code, case, **{role: eve}))


@bound(checks.OWN_SIGNATURES)
def own_signatures(day: Day) -> Iterator[Tried]:
    case, today = day.case(*ACCEPTED), day.today.isoformat()
    yield Tried("the head's, by the city", day.ask("m14", case, head_teacher=today), "limit")
    day.actors.tell("m14", case)
    other = (day.today - DAY).isoformat()
    yield Tried(
        "the city's, by the school, of another day",
        day.ask("m15", case, youth_service=other),
        "limit",
    )
    agent = day.actors.client(SCHOOL, "agent", "agent-1")
    yield Tried("the head's, by an agent", day.ask("m15", case, agent), "limit")
    yield Tried("each its own", day.ask("m15", case))


def _three_then_four(day: Day) -> Iterator[tuple[Case, str, bool]]:
    """A contract that lacks its last signature, then has it; the code of its interruption."""
    case = day.case(*ACCEPTED, "m14")
    day.took("m15", day.ask("m15", case, representative=None))
    yield case, "m19", False
    day.actors.tell("m15", case)
    yield case, "m19", True


@bound(checks.SIGNED)
def four_signatures(day: Day) -> Iterator[Tried]:
    endable = frozenset({"A-3.14"})
    for case, code, four in _three_then_four(day):
        refused = None if four else "signatures"
        yield Tried(f"four: {four}", day.ask(code, case), refused, also=endable)


@bound(checks.ENDABLE)
def endable(day: Day) -> Iterator[Tried]:
    signed = frozenset({"A-3.6"})
    for case, code, four in _three_then_four(day):
        refused = None if four else "missing_endable"
        yield Tried(f"signed: {four}", day.ask(code, case), refused, also=signed)


@bound(checks.RUNNING)
def running(day: Day) -> Iterator[Tried]:
    first = day.today + DAY
    case = day.case(*SIGNED, first_day=first)
    days = {
        "the eve": (first - DAY, "missing_running"),
        "the first day": (first, None),
        "the last day": (case.last_day, None),
        "the day after": (case.last_day + DAY, "missing_running"),
    }
    for what, (on, refused) in days.items():
        if on != day.today:
            day.go(on)
        case.today = on
        for code in ("m16", "m17", "m18"):
            yield Tried(f"{code}, {what}", day.ask(code, case), refused)


@bound(checks.HOST)
def host(day: Day) -> Iterator[Tried]:
    case = day.case(*ACCEPTED)
    first, last = case.first_day, case.last_day
    spans = {
        "Trop tôt": (first, last - DAY, "missing_host"),
        "Trop tard": (first + DAY, last, "missing_host"),
        "Juste": (first, last, None),
    }
    for name, (begins, ends, refused) in spans.items():
        days = {"first_day": begins.isoformat(), "last_day": ends.isoformat()}
        day.actors.host(name, **days)
        answer = day.ask("m14", case, host=name)
        yield Tried(name, answer, refused, also=frozenset({"A-6.1"}))


@bound(checks.HOST_AGREED)
def host_agreed(day: Day) -> Iterator[Tried]:
    unnamed, named = day.agreed(associated=[]), day.case()
    for case, refused in ((unnamed, "missing_host_agreed"), (named, None)):
        day.actors.play(case, ACCEPTED)
        yield Tried(f"named: {refused is None}", day.ask("m14", case), refused)


@bound(checks.TUTOR)
def tutor(day: Day) -> Iterator[Tried]:
    case = day.case(*ACCEPTED)
    yield Tried("none", day.ask("m14", case, task_tutor=None), "missing_tutor")
    yield Tried("one", day.ask("m14", case))


@bound(checks.BY_HEAD)
def by_head(day: Day) -> Iterator[Tried]:
    case, agent = day.case(*SIGNED), day.actors.client(SCHOOL, "agent", "agent-1")
    yield Tried("an agent", day.ask("m19", case, agent), "missing_by_head")
    yield Tried("the head", day.ask("m19", case))


@bound(checks.NO_INTERRUPTION)
def no_interruption(day: Day) -> Iterator[Tried]:
    case = day.case(*SIGNED, first_day=day.today + DAY)
    day.go(day.today + DAY)
    case.today = day.today + DAY
    yield Tried("interrupted", day.ask("m20", case, outcome="ended_hygiene"), "limit")
    yield Tried("completed", day.ask("m20", case, outcome="completed"))
