"""Either side of the bounds of convention A: what every message rests on, and the shared support.

A function for each check of the text: it yields the same call allowed and refused, one day or one
step apart. Those of the alternative to exclusion are in `bounds_a_measure.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from contracts.conventions.a_city_school import checks
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, add_years
from tests.federation import bounds
from tests.federation.actors_a import Actors
from tests.federation.bounds import DAY, TODAY, Bounds, Tried, lived
from tests.federation.cast import at_ten
from tests.federation.examples import Case
from tests.federation.examples_a import FLOWS
from tests.federations import CITY, SCHOOL

OPEN: Final = ("m1", "m2", "m4")


class Day(bounds.Day[Actors]):
    """Today, and those who act on it."""

    def agreed(self, birth: date | None = None, **changes: Any) -> Case:
        """A pupil of fourteen, unless said otherwise, with an agreement that says what it says."""
        pupil = self.actors.pupil(birth or date(self.today.year - 14, 1, 15))
        agreement = self.actors.agree(pupil, **changes)
        return Case(self.today, self.first_day, agreement_id=agreement)


@contextmanager
def school_and_city(home: Path) -> Iterator[Day]:
    """A school and the city of their own, since their clocks move, and those who act there."""
    members = {SCHOOL: Kind.SCHOOL, CITY: Kind.CITY}
    with lived(
        home,
        lambda fed, orgs: Day(Actors(fed, orgs)),
        "a_city_school",
        members,
        TODAY - 60 * DAY,
    ) as made:
        yield made


bound: Final = Bounds[Day]()
BOUNDS: Final = bound.known


# -- what every message that names somebody rests on ---------------------------------------------


@bound(checks.INFORMED)
def informed(day: Day) -> Iterator[Tried]:
    nobody = Case(day.today, day.first_day)
    beside = frozenset({"A-1.2", "A-2.11"})
    yield Tried("nobody was told", day.ask("m1", nobody), "no_notice", also=beside)
    yield Tried("told five minutes ago", day.ask("m1", day.agreed()))


@bound(checks.TOLD)
def told(day: Day) -> Iterator[Tried]:
    nobody = Case(day.today, day.first_day)
    yield Tried("nobody was told", day.ask("d1", nobody), "no_notice")
    yield Tried("told five minutes ago", day.ask("d1", day.case()))


def _ages(day: Day, code: str) -> Iterator[Tried]:
    adult = add_years(day.today, -18)
    before = at_ten(day.today - 30 * DAY).isoformat()
    yield Tried(
        "turned 18 since",
        day.ask(code, day.agreed(adult, given_at=before)),
        "agreement_expired",
    )
    yield Tried("18 tomorrow", day.ask(code, day.agreed(adult + DAY, given_at=before)))
    alone = {"giver": "young_person", "authority": None}
    yield Tried("18 today, alone", day.ask(code, day.agreed(adult, **alone)))
    yield Tried(
        "18 tomorrow, alone", day.ask(code, day.agreed(adult + DAY, **alone)), "agreement_giver"
    )


def _year(day: Day, code: str) -> Iterator[Tried]:
    given = add_months(day.today, -12)
    over = day.agreed(given_at=at_ten(given).isoformat())
    yield Tried("given a year ago", day.ask(code, over), "agreement_expired")
    last = day.agreed(given_at=at_ten(given + DAY).isoformat())
    yield Tried("the last day of the year", day.ask(code, last))


def _scope(day: Day, code: str) -> Iterator[Tried]:
    other = sorted({flow.type for flow in FLOWS.values()} - {FLOWS[code].type})
    yield Tried("of other messages", day.ask(code, day.agreed(flows=other)), "agreement_scope")
    yield Tried("of this one", day.ask(code, day.agreed(flows=[FLOWS[code].type])))
    elsewhere = day.agreed(recipients=["mission-locale-des-aulnes"])
    answer = day.ask(code, elsewhere)
    yield Tried("for another", answer, "agreement_recipient", "A-4.1")


def _withdrawn(day: Day, code: str) -> Iterator[Tried]:
    case = day.agreed()
    yield Tried("before it is withdrawn", day.ask(code, case))
    path = f"/api/v1/agreements/{case.agreement_id}/withdrawal"
    day.actors.client(SCHOOL).post(path).raise_for_status()
    yield Tried("after", day.ask(code, case), "agreement_withdrawn")


@bound(checks.AGREED)
def agreed(day: Day) -> Iterator[Tried]:
    for one in (_ages, _year, _scope, _withdrawn):
        yield from one(day, "m1")
    yield Tried("the representative", day.ask("m1", day.agreed(giver="representative")))


@bound(checks.BOTH_AGREED)
def both_agreed(day: Day) -> Iterator[Tried]:
    for one in (_ages, _year, _scope, _withdrawn):
        yield from one(day, "m12")
    alone = day.agreed(giver="representative")
    yield Tried("the representative alone", day.ask("m12", alone), "agreement_giver")


@bound(checks.CHARTER)
def charter(day: Day) -> Iterator[Tried]:
    case = day.case()
    with day.actors.fed.client(SCHOOL, "manager", f"nouveau-{case.agreement_id[:6]}") as new:
        yield Tried("never read", day.ask("m1", case, new), "missing_charter")
        new.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        yield Tried("accepted", day.ask("m1", case, new))


@bound(checks.ENROLLED)
def enrolled(day: Day) -> Iterator[Tried]:
    pupil = day.actors.pupil(date(day.today.year - 14, 1, 15))
    case = Case(day.today, day.first_day, agreement_id=day.actors.agree(pupil))
    yield Tried("attends", day.ask("m1", case))
    day.actors.client(SCHOOL).post(f"/api/v1/persons/{pupil}/departure").raise_for_status()
    yield Tried("has left", day.ask("m1", case), "missing_enrolled")


# -- the shared support --------------------------------------------------------------------------


@bound(checks.OPEN_CASE)
def open_case(day: Day) -> Iterator[Tried]:
    case = day.case(*OPEN)
    yield Tried("open", day.ask("m5", case))
    day.actors.tell("m11", case)
    yield Tried("closed", day.ask("m5", case), "missing_open_case")


@bound(checks.REFERENT)
def referent(day: Day) -> Iterator[Tried]:
    case = day.case("m1")
    more = {"decision": "more_contact_needed", "referent": None}
    day.took("m2", day.ask("m2", case, **more))
    for code in ("m4", "m5"):
        yield Tried(f"none yet, {code}", day.ask(code, case), "missing_referent")
    day.actors.tell("m9", case)
    for code in ("m4", "m5"):
        yield Tried(f"named, {code}", day.ask(code, case))


@bound(checks.BY_REFERENT)
def by_referent(day: Day) -> Iterator[Tried]:
    case = day.case(*OPEN)
    other = day.actors.client(CITY, "referent", "referent-2")
    for code in ("m6", "m8", "m10"):
        yield Tried(f"another, {code}", day.ask(code, case, other), "missing_by_referent")
        yield Tried(f"the referent, {code}", day.ask(code, case))


@bound(checks.PATHWAY)
def pathway(day: Day) -> Iterator[Tried]:
    case = day.case("m1", "m2")
    yield Tried("none", day.ask("m7", case), "missing_pathway")
    for opened, code in ((day.today + DAY, "missing_pathway"), (day.today, None)):
        day.took("m5", day.ask("m5", case, opened_on=opened.isoformat()))
        yield Tried(f"from {opened} on", day.ask("m7", case), code)


@bound(checks.FAMILY_INVITED)
def family_invited(day: Day) -> Iterator[Tried]:
    case = day.case(*OPEN)
    yield Tried("without", day.ask("m8", case, participants=["school", "referent"]), "limit")
    yield Tried("with", day.ask("m8", case, participants=["school", "family"]))
