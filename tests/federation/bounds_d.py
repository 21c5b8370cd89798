"""Either side of the bounds of convention D: the same call allowed and refused, a step apart.

A function for each check of the text and of the duty beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from contracts.conventions.d_department_mission_locale import checks
from contracts.kernel.paris import add_months, add_years
from tests.federation import bounds
from tests.federation.actors_d import SIDES, Actors
from tests.federation.bounds import DAY, Bounds, Tried
from tests.federation.examples import Case
from tests.federation.examples_d import FLOWS

_PATHS: Final = {"D-5.1": "local-implementations", "D-8.1": "impact-assessments"}
_NAMES: Final = {"D-5.1": "local_implementation", "D-8.1": "dpia"}


class Day(bounds.Day[Actors]):
    """Today, a day from now, and those who act on it."""

    def __init__(self, actors: Actors) -> None:
        super().__init__(actors)
        self.founding: dict[str, list[Tried]] = {article: [] for article in _PATHS}
        self.designated: list[Tried] = []

    def prepare(self) -> None:
        """Record each foundation at one side after the other, and try around each."""
        sheets = {FLOWS[code].sender: code for code in ("m17", "m18")}
        both = frozenset(_PATHS)
        waiting = dict(_PATHS)
        for article, path in _PATHS.items():
            del waiting[article]
            for kind, code in sheets.items():
                case, missing = Case(self.today, self.first_day), f"missing_{_NAMES[article]}"
                tried = Tried(f"{code}, missing", self.ask(code, case), missing, also=both)
                self.founding[article].append(tried)
                self.actors.found(kind, path, self.today)
                if not waiting and kind is not SIDES[-1]:
                    answer = self.ask(code, case)
                    assert article in self.actors.turned_away(code, answer.json()["message_id"])
        for kind, code in sheets.items():
            answer = self.took(code, self.ask(code, Case(self.today, self.first_day)))
            for article in _PATHS:
                self.founding[article].append(Tried(f"{code}, both at {kind}", answer))
        breach = self.case("d1", send=False)
        answer = self.ask("d1", breach)
        assert self.actors.turned_away("d1", answer.json()["message_id"]) == ["R114-7"]
        self.actors.designate(self.today)
        self.took("d1", self.ask("d1", breach))

    def born(self, years: int, days: int = 0) -> date:
        """Birth date of who has that age today, or so many days later."""
        return add_years(self.today + days * DAY, -years)

    def case(self, *after: str, send: bool = True, **more: Any) -> Case:
        """A case in which some messages have gone, or that waits for the first."""
        made = self.actors.case(self.today, self.first_day, after[0], **more)
        return self.actors.play(made, after) if send else made


bound: Final = Bounds[Day]()
BOUNDS: Final = bound.known


@bound(checks.LOCAL)
def local(day: Day) -> Iterator[Tried]:
    yield from day.founding["D-5.1"]


@bound(checks.DPIA)
def dpia(day: Day) -> Iterator[Tried]:
    yield from day.founding["D-8.1"]


def _aged(day: Day, code: str, ages: dict[tuple[int, int], str | None]) -> Iterator[Tried]:
    for (years, days), refused in ages.items():
        case = day.case(code, send=False, birth=day.born(years, days))
        yield Tried(f"{code}, {years} in {days} days", day.ask(code, case), refused)


@bound(checks.FROM_16)
def from_16(day: Day) -> Iterator[Tried]:
    yield from _aged(day, "m1", {(16, 1): "age", (16, 0): None})


@bound(checks.BELOW_26)
def below_26(day: Day) -> Iterator[Tried]:
    yield from _aged(day, "m1", {(26, 1): None, (26, 0): "age"})


@bound(checks.OBLIGED)
def obliged(day: Day) -> Iterator[Tried]:
    ages = {(16, 1): "age", (16, 0): None, (18, 1): None, (18, 0): "age"}
    yield from _aged(day, "d1", ages)


@bound(checks.BELOW_18)
def below_18(day: Day) -> Iterator[Tried]:
    minor = day.case("m1", "m7", birth=day.born(18, 1))
    adult = day.case("m1", birth=day.born(18))
    yield Tried("m7, on the eve of 18", day.ask("m7", minor))
    yield Tried("m19, on the eve of 18", day.ask("m19", minor))
    yield Tried("m7, at 18", day.ask("m7", adult), "age")
    invited = frozenset({"D-1.6"})
    yield Tried("m19, at 18", day.ask("m19", adult), "age", also=invited)


@bound(checks.FOUND_IN_TIME)
def found_in_time(day: Day) -> Iterator[Tried]:
    case, start = day.case("d1", send=False), day.today - 70 * DAY
    last, late = add_months(start, 2), frozenset({"D-2.4"})
    for found, refused in ((last, None), (last + DAY, "limit"), (start - DAY, "limit")):
        said = {"convened_on": start.isoformat(), "not_met_on": found.isoformat()}
        if refused:
            yield Tried(f"found {found}", day.ask("d1", case, **said), refused, also=late)
    recent = (day.today - DAY).isoformat()
    yield Tried("found at once", day.ask("d1", case, convened_on=recent, not_met_on=recent))


@bound(checks.SENT_IN_TIME)
def sent_in_time(day: Day) -> Iterator[Tried]:
    case, start = day.case("d1", send=False), add_months(day.today, -2)
    for convened, refused in ((start, None), (start - DAY, "limit")):
        said = {"convened_on": convened.isoformat(), "not_met_on": convened.isoformat()}
        yield Tried(f"convened {convened}", day.ask("d1", case, **said), refused)


@bound(checks.NOT_AGAINST)
def not_against(day: Day) -> Iterator[Tried]:
    case = day.case("m1")
    for code in ("m13", "m14"):
        for view, refused in (("against", "limit"), ("undecided", None)):
            yield Tried(f"{code}, {view}", day.ask(code, case, view=view), refused)


@bound(checks.YEAR_END)
def year_end(day: Day) -> Iterator[Tried]:
    case, last = Case(day.today, day.first_day), date(day.today.year, 12, 31)
    for code in ("m17", "m18"):
        for on, refused in ((last - DAY, "limit"), (last, None), (last + DAY, "limit")):
            answer = day.ask(code, case, counted_on=on.isoformat())
            yield Tried(f"{code}, at {on}", answer, refused)


@bound(checks.NO_SMALL_CELL)
def no_small_cell(day: Day) -> Iterator[Tried]:
    case = Case(day.today, day.first_day)
    for code, cell in (("m17", "interviews"), ("m18", "enrolled")):
        for number, refused in ((4, "limit"), (5, None), ("hidden", None)):
            yield Tried(f"{code}, {number}", day.ask(code, case, **{cell: number}), refused)
