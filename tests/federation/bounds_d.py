"""Either side of the bounds of convention D: the same call allowed and refused, a step apart.

A function for each check of the text and of the duty beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from contracts.conventions.d_department_mission_locale import checks
from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, add_years
from tests.federation import bounds
from tests.federation.actors_d import SIDES, Actors
from tests.federation.bounds import DAY, Bounds, Tried
from tests.federation.examples import Case
from tests.federation.examples_d import CONTACT, FLOWS

_PATHS: Final = {"D-5.1": "local-implementations", "D-8.1": "impact-assessments"}
_NAMES: Final = {"D-5.1": "local_implementation", "D-8.1": "dpia"}


class Day(bounds.Day[Actors]):
    """Today, a day from now, and those who act on it."""

    def __init__(self, actors: Actors) -> None:
        super().__init__(actors)
        self.founding: dict[str, list[Tried]] = {article: [] for article in _PATHS}
        self.designating: list[Tried] = []

    def prepare(self) -> None:
        """Record each foundation at one side after the other, and try around each."""
        self.actors.amend()
        sheet, (local, dpia) = Case(self.today, self.first_day), _PATHS
        department, mission = SIDES
        for kind, code, first, second in (
            (department, "m17", local, dpia),
            (mission, "m18", dpia, local),
        ):
            self._lacks(code, first, frozenset({second}))
            self.actors.found(kind, _PATHS[first], self.today)
            self._lacks(code, second, frozenset())
            if kind is mission:
                self._turned_away("m17", [local])
            self.actors.found(kind, _PATHS[second], self.today)
            if kind is department:
                self._turned_away("m17", [local, dpia])
        for code in ("m17", "m18"):
            answer = self.took(code, self.ask(code, sheet))
            for article in _PATHS:
                self.founding[article].append(Tried(f"{code}, both at either side", answer))
        breach = self.case("d1", send=False)
        self.designating.append(self.away("nobody designated", "d1", breach))
        self.actors.designate(self.today + DAY)
        self.designating.append(self.away("from tomorrow", "d1", breach))
        self.actors.designate(self.today)
        answer = self.took("d1", self.ask("d1", breach))
        self.designating.append(Tried("d1, from today", answer))

    def _lacks(self, code: str, article: str, also: frozenset[str]) -> None:
        """The sender's own gate refuses what it has not founded."""
        answer = self.ask(code, Case(self.today, self.first_day))
        tried = Tried(f"{code}, none here", answer, f"missing_{_NAMES[article]}", also=also)
        self.founding[article].append(tried)

    def _turned_away(self, code: str, wanted: list[str]) -> None:
        """The receiver's gate refuses what only the sender has founded."""
        answer = self.ask(code, Case(self.today, self.first_day))
        assert sorted(self.actors.turned_away(code, answer.json()["message_id"])) == wanted

    def born(self, years: int, days: int = 0) -> date:
        """Birth date of who has that age today, or so many days later."""
        return add_years(self.today + days * DAY, -years)

    def case(self, *after: str, send: bool = True, **more: Any) -> Case:
        """A case in which some messages have gone, or that waits for the first."""
        made = self.actors.case(self.today, self.first_day, after[0], **more)
        return self.actors.play(made, after) if send else made

    def agreed(self, **changes: Any) -> Case:
        """Somebody of seventeen, with an agreement that says what it says."""
        person = self.actors.young(Kind.DEPARTMENT, self.born(17))
        self.actors.inform(person)
        agreement = self.actors.agree(person, **changes)
        return Case(self.today, self.first_day, agreement_id=agreement)


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
    yield Tried("m19, at 18", day.ask("m19", adult), "age")


def _first_in_time(day: Day) -> date:
    """Earliest day of convening of which a breach may still be told today."""
    start = add_months(day.today, -2)
    while add_months(start, 2) < day.today:
        start += DAY
    return start


@bound(checks.FOUND_IN_TIME)
def found_in_time(day: Day) -> Iterator[Tried]:
    case, start = day.case("d1", send=False), _first_in_time(day)
    last = add_months(start, 2)
    days = {start - DAY: "limit", start: None, last: None, last + DAY: "limit"}
    for found, refused in days.items():
        said = {"convened_on": start.isoformat(), "not_met_on": found.isoformat()}
        yield Tried(f"found {found}", day.ask("d1", case, **said), refused)


@bound(checks.SENT_IN_TIME)
def sent_in_time(day: Day) -> Iterator[Tried]:
    case, start = day.case("d1", send=False), _first_in_time(day)
    for convened, refused in ((start, None), (start - DAY, "limit")):
        said = {"convened_on": convened.isoformat(), "not_met_on": convened.isoformat()}
        yield Tried(f"convened {convened}", day.ask("d1", case, **said), refused)


def _after(day: Day, before: str, code: str, missing: str) -> Iterator[Tried]:
    """Refused until another message has gone in the case."""
    case = day.case("m1")
    yield Tried(f"{code}, before {before}", day.ask(code, case), f"missing_{missing}")
    day.actors.tell(before, case)
    yield Tried(f"{code}, after {before}", day.ask(code, case))


@bound(checks.ENROLMENT_PROPOSED)
def enrolment_proposed(day: Day) -> Iterator[Tried]:
    yield from _after(day, "m3", "m4", "enrolment_proposed")


@bound(checks.DIAGNOSIS_REQUESTED)
def diagnosis_requested(day: Day) -> Iterator[Tried]:
    yield from _after(day, "m5", "m6", "diagnosis_requested")


@bound(checks.INVITED)
def invited(day: Day) -> Iterator[Tried]:
    for code in ("m19", "m8"):
        yield from _after(day, "m7", code, "interview_invited")


@bound(checks.CONTRACT_PROPOSED)
def contract_proposed(day: Day) -> Iterator[Tried]:
    for before in ("m10", "m11"):
        yield from _after(day, before, "m12", "youth_contract_proposed")


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


# -- what was said to whom, and by whom agreed ----------------------------------------------------


@bound(checks.HOLDER_INFORMED)
def holder_informed(day: Day) -> Iterator[Tried]:
    for years, days, refused in ((18, 1, "missing_holder_informed"), (18, 0, None)):
        person = day.actors.young(Kind.DEPARTMENT, day.born(years, days))
        agreement = day.actors.agree(person)
        case = Case(day.today, day.first_day, agreement_id=agreement)
        yield Tried(f"nobody told, 18 in {days} days", day.ask("m1", case), refused)
        if refused:
            day.actors.inform(person)
            yield Tried("the holder told", day.ask("m1", case))


@bound(checks.AGREED)
def agreed(day: Day) -> Iterator[Tried]:
    for granted, refused in ((True, None), (False, "no_agreement")):
        case = day.agreed(granted=granted)
        yield Tried(f"granted: {granted}", day.ask("m1", case), refused)


@bound(checks.PRESENCE_AGREED)
def presence_agreed(day: Day) -> Iterator[Tried]:
    types = {flow.type for flow in CONVENTION.flows}
    without = {one for one in types if not one.startswith("interview17.")}
    case = day.actors.play(day.agreed(flows=sorted(without)), ["m1"])
    yield Tried("m7, agreed to all else", day.ask("m7", case), "agreement_scope")
    alone = types - without | {"youth.contact_requested"}
    case = day.actors.play(day.agreed(flows=sorted(alone)), ["m1"])
    for code in ("m7", "m19", "m8"):
        yield Tried(f"{code}, agreed to that alone", day.took(code, day.ask(code, case)))


@bound(checks.INFORMED)
def informed(day: Day) -> Iterator[Tried]:
    nobody = Case(day.today, day.first_day)
    beside = frozenset({"D-0.2", "D-0.4", "D-1.2", "D-1.4"})
    yield Tried("nobody told", day.ask("m1", nobody), "no_notice", also=beside)
    yield Tried("told five minutes ago", day.ask("m1", day.agreed()))


@bound(checks.TOLD)
def told(day: Day) -> Iterator[Tried]:
    nobody = Case(day.today, day.first_day)
    yield Tried("nobody told", day.ask("d1", nobody), "no_notice", also=frozenset({"L114-1"}))
    yield Tried("told five minutes ago", day.ask("d1", day.case("d1", send=False)))


@bound(checks.DESIGNATED)
def designated(day: Day) -> Iterator[Tried]:
    yield from day.designating


@bound(checks.CHARTER)
def charter(day: Day) -> Iterator[Tried]:
    for code in ("m1", "m17", "m18", "d1"):
        case, org = day.case(code, send=False), day.actors.orgs[FLOWS[code].sender]
        with day.actors.fed.client(org, "referent", f"nouveau-{code}") as new:
            yield Tried(f"{code}, never read", day.ask(code, case, new), "missing_charter")
            new.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
            yield Tried(f"{code}, accepted", day.ask(code, case, new))


@bound(checks.FOLLOWED)
def followed(day: Day) -> Iterator[Tried]:
    person = day.actors.young(Kind.DEPARTMENT, day.born(18))
    case = Case(day.today, day.first_day, agreement_id=day.actors.agree(person))
    yield Tried("followed", day.ask("m1", case))
    department = day.actors.client(day.actors.orgs[Kind.DEPARTMENT])
    department.post(f"/api/v1/persons/{person}/departure").raise_for_status()
    yield Tried("has left", day.ask("m1", case), "missing_enrolled")


@bound(checks.OPEN_CASE)
def open_case(day: Day) -> Iterator[Tried]:
    case = day.case("m1")
    yield Tried("m3, open", day.took("m3", day.ask("m3", case)))
    day.took("m2", day.ask("m2", case, outcome="declined", adviser=None))
    for code in ("m3", "m5", "m9"):
        yield Tried(f"{code}, closed", day.ask(code, case), "missing_open_case")


@bound(checks.BY_REFERENT)
def by_referent(day: Day) -> Iterator[Tried]:
    case = day.case("m1")
    for code in ("m2", "m9"):
        yield Tried(f"{code}, while no other is named there", day.took(code, day.ask(code, case)))
    for kind, code, named in ((Kind.DEPARTMENT, "m3", "m15"), (Kind.MISSION_LOCALE, "m14", "m16")):
        yield from _handed_over(day, case, code, named, day.actors.orgs[kind])


def _handed_over(day: Day, case: Case, code: str, named: str, org: str) -> Iterator[Tried]:
    """Who answers for the organisation names another: the former may write no more, at once."""
    missing, next_ = "missing_by_referent", day.actors.client(org, "referent", "autre-1")
    manager = day.actors.client(org)
    yield Tried(f"{code}, the referent", day.took(code, day.ask(code, case)))
    for which, other in (("another", next_), ("who answers for it", manager)):
        yield Tried(f"{code}, {which}", day.ask(code, case, other), missing)
    yield Tried(f"{named}, another", day.ask(named, case, next_), missing)
    change = {"agent_id": "autre-1", "contact": CONTACT}
    day.actors.post(manager, f"cases/{case.case_id}/acts/youth_referent", change)
    for one in (code, named):
        yield Tried(f"{one}, the former", day.ask(one, case), missing)
    yield Tried(f"{code}, the next", day.took(code, day.ask(code, case, next_)))
