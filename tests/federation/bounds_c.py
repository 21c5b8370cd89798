"""Either side of the bounds of convention C: what messages rest on, whoever they are about.

A function for each check of the text: it yields the same call allowed and refused, one day or one
step apart. Those of supported contracts, of immersions and of the other axes have modules of their
own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from contracts.conventions.c_employment_city_ccas import checks
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, add_years
from services.conventions.c_employment_city_ccas.seekers import COMMUNE
from tests.federation import bounds
from tests.federation.actors_c import PARTIES, Actors
from tests.federation.bounds import DAY, Bounds, Tried
from tests.federation.cast import at_ten
from tests.federation.examples import Case
from tests.federation.examples_c import FLOWS, SCRIPT

NAMING: Final = ("m2", "m12", "m20", "m29")
"""Messages that open a case about somebody, each by the side that informed and asked the person."""
ELSEWHERE: Final = "76498"
"""INSEE code of another commune."""


class Day(bounds.Day[Actors]):
    """Today, and those who act on it."""

    def __init__(self, actors: Actors) -> None:
        super().__init__(actors)
        self.renewing: list[Tried] = []
        self.interviewing: list[Tried] = []

    def prepare(self) -> None:
        """Everybody sits down; then the reports and the interview, and try around each."""
        self.actors.amend()
        for kind in PARTIES:
            self.actors.sit_down(kind)
        told = Case(self.today, self.first_day)
        for code in ("m24", "m25", "m26", "m27"):
            answer = self.ask(code, told)
            missing = "missing_renewed_on_report"
            self.renewing.append(Tried(f"{code}, no report here", answer, missing))
        self.actors.report(Kind.EMPLOYMENT_AGENCY)
        for code in ("m24", "m27"):
            self.renewing.append(self.away("no report there", code, told))
        self.actors.report(Kind.CITY)
        self.actors.report(Kind.CCAS)
        for code in ("m24", "m25", "m26", "m27"):
            answer = self.took(code, self.ask(code, told))
            self.renewing.append(Tried(f"{code}, a report at either side", answer))
        early = self.ask("m1", told)
        self.interviewing.append(Tried("no interview", early, "missing_employer_interview"))
        self.actors.interview(self.today)
        self.interviewing.append(Tried("today's", self.took("m1", self.ask("m1", told))))

    def born(self, years: int, days: int = 0) -> date:
        """Birth date of who has that age today, or so many days later."""
        return add_years(self.today + days * DAY, -years)

    def before(self, code: str, *, led: bool = True, **more: Any) -> Case:
        """A case that waits for a message alone; for what people do before it too, unless led."""
        made = self.actors.case(self.today, self.first_day, code, **more)
        self.actors.play(made, SCRIPT.examples[code].after)
        if led:
            self.actors.lead_up(code, made)
        return made

    def somebody(
        self,
        code: str,
        birth: date | None = None,
        seeker: dict[str, Any] | None = None,
        **given: Any,
    ) -> Case:
        """A person of thirty, unless said otherwise, and a case that waits for what opens it.

        seeker: what the agency's file says otherwise. given: what the agreement says otherwise.
        """
        kind = FLOWS[code].sender
        person = self.actors.person(kind, birth or self.born(30))
        if kind is Kind.EMPLOYMENT_AGENCY:
            self.actors.seeker(person, **(seeker or {}))
        if code == "m20":
            self.actors.volunteer(person)
        agreement = self.actors.agree(kind, person, **given)
        case = Case(self.today, self.first_day, agreement_id=agreement)
        return self.actors.play(case, SCRIPT.examples[code].after)


bound: Final = Bounds[Day]()
BOUNDS: Final = bound.known


# -- asked of every message ----------------------------------------------------------------------


@bound(checks.STAFF_INFORMED)
def staff_informed(day: Day) -> Iterator[Tried]:
    case, missing = Case(day.today, day.first_day), "missing_staff_informed"
    for code in ("m24", "m25", "m26"):
        kind = FLOWS[code].sender
        new = day.actors.client(day.actors.orgs[kind], "agent", f"nouveau-{code}-{case.mark[:8]}")
        yield Tried(f"{code}, never read", day.ask(code, case, new), missing)
        for one in day.actors.held(kind):
            before = {"convention_id": one["convention_id"], "version": 1}
            day.actors.post(new, "convention-readings", before)
        yield Tried(f"{code}, the text before its amendment", day.ask(code, case, new), missing)
        day.actors.read(kind, new)
        yield Tried(f"{code}, read", day.ask(code, case, new))


@bound(checks.RENEWED_ON_REPORT)
def renewed_on_report(day: Day) -> Iterator[Tried]:
    yield from day.renewing


@bound(checks.OPEN_CASE)
def open_case(day: Day) -> Iterator[Tried]:
    case, missing = day.before("m3"), "missing_open_case"
    unknown = Case(day.today, day.first_day, case_id=case.mark)
    yield Tried("m3, unknown", day.ask("m3", unknown), missing, also=frozenset({"C-3a.12"}))
    answer = day.ask("m3", case, outcome="not_retained")
    yield Tried("m3, open", day.took("m3", answer))
    yield Tried("m3, closed", day.ask("m3", case), missing, also=frozenset({"C-3a.12"}))


# -- which desk ----------------------------------------------------------------------------------


def _desk(day: Day, kind: Kind, task: str, name: str, codes: tuple[str, str]) -> Iterator[Tried]:
    """Who sends has the desk, and of what is received somebody has it."""
    sends, receives = codes
    leaves, comes = day.before(sends), day.before(receives)
    other = day.actors.client(day.actors.orgs[kind], "agent", f"autre-{task}")
    day.actors.read(kind, other)
    yield Tried(f"{sends}, another", day.ask(sends, leaves, other), f"missing_{name}")
    yield Tried(f"{sends}, whose desk it is", day.took(sends, day.ask(sends, leaves)))
    day.actors.desk(kind, task, closed=True)
    try:
        yield day.away("nobody has the desk", receives, comes)
    finally:
        day.actors.desk(kind, task)
    answer = day.ask(receives, day.before(receives))
    yield Tried(f"{receives}, somebody has it", day.took(receives, answer))


@bound(checks.LEAD_EMPLOYER)
def lead_employer(day: Day) -> Iterator[Tried]:
    yield from _desk(day, Kind.EMPLOYMENT_AGENCY, "employer", "employer_agency", ("m29", "m28"))


@bound(checks.LEAD_ZERO_UNEMPLOYMENT)
def lead_zero_unemployment(day: Day) -> Iterator[Tried]:
    for codes in (("m16", "m14"), ("m17", "m15"), ("m19", "m18")):
        yield from _desk(
            day, Kind.EMPLOYMENT_AGENCY, "zero_unemployment", "territory_agency", codes
        )


@bound(checks.CLAUSE_DESK)
def clause_desk(day: Day) -> Iterator[Tried]:
    for codes in (("m10", "m11"), ("m13", "m12")):
        yield from _desk(day, Kind.EMPLOYMENT_AGENCY, "social_clauses", "agency_referent", codes)


@bound(checks.HR_DESK)
def hr_desk(day: Day) -> Iterator[Tried]:
    for codes in (("m1", "m2"), ("m28", "m29")):
        yield from _desk(day, Kind.CITY, "human_resources", "hr_desk", codes)


@bound(checks.CITY_CLAUSE_REFERENT)
def city_clause_referent(day: Day) -> Iterator[Tried]:
    for codes in (("m11", "m10"), ("m12", "m13")):
        yield from _desk(day, Kind.CITY, "social_clauses", "city_referent", codes)


# -- the person ----------------------------------------------------------------------------------


def _told(day: Day, code: str, *beside: str) -> Iterator[Tried]:
    nobody = Case(day.today, day.first_day)
    also = frozenset({"C-4.1", *beside})
    yield Tried(f"{code}, nobody told", day.ask(code, nobody), "no_notice", also=also)
    yield Tried(f"{code}, told five minutes ago", day.ask(code, day.somebody(code)))


@bound(checks.TOLD_BY_AGENCY)
def told_by_agency(day: Day) -> Iterator[Tried]:
    yield from _told(day, "m2", "C-2.1", "C-3a.3", "C-3a.13", "C-3a.15", "C-3a.16")
    yield from _told(day, "m20", "C-2.1", "C-3e.5")
    yield from _told(day, "m29", "C-2.1", "C-3b.2", "C-3b.4", "D5135-3")


@bound(checks.TOLD_BY_CITY)
def told_by_city(day: Day) -> Iterator[Tried]:
    yield from _told(day, "m12")


@bound(checks.AGENCY_TOLD)
def agency_told(day: Day) -> Iterator[Tried]:
    case = day.before("m13", led=False)
    yield Tried("told by the city alone", day.ask("m13", case), "missing_told_by_agency")
    day.actors.lead_up("m13", case)
    yield Tried("told by the agency too", day.ask("m13", case))


def _givers(day: Day, code: str) -> Iterator[Tried]:
    minor = day.born(18, 1)
    alone = day.somebody(code, minor)
    yield Tried(f"{code}, 18 tomorrow, alone", day.ask(code, alone), "agreement_giver")
    both = day.somebody(code, minor, giver="both", authority="parental")
    yield Tried(f"{code}, 18 tomorrow, with the parent", day.ask(code, both))
    yield Tried(f"{code}, 18 today, alone", day.ask(code, day.somebody(code, day.born(18))))
    refused = day.somebody(code, granted=False)
    yield Tried(f"{code}, a no", day.ask(code, refused), "no_agreement")


def _year(day: Day, code: str) -> Iterator[Tried]:
    given = add_months(day.today, -12)
    over = day.somebody(code, given_at=at_ten(given).isoformat())
    yield Tried(f"{code}, given a year ago", day.ask(code, over), "agreement_expired")
    last = day.somebody(code, given_at=at_ten(given + DAY).isoformat())
    yield Tried(f"{code}, the last day of the year", day.ask(code, last))


def _scope(day: Day, code: str) -> Iterator[Tried]:
    types = {flow.type for flow in FLOWS.values()}
    others = sorted(types - {FLOWS[code].type})
    yield Tried(
        f"{code}, of other messages",
        day.ask(code, day.somebody(code, flows=others)),
        "agreement_scope",
    )
    this = day.somebody(code, flows=[FLOWS[code].type])
    yield Tried(f"{code}, of this one", day.ask(code, this))
    ccas = day.somebody(code, recipients=[day.actors.orgs[Kind.CCAS]])
    answer = day.ask(code, ccas)
    yield Tried(f"{code}, for the CCAS", answer, "agreement_recipient", article="C-5.2")


def _withdrawn(day: Day, code: str) -> Iterator[Tried]:
    case, gone = day.somebody(code), day.somebody(code)
    yield Tried(f"{code}, not withdrawn", day.ask(code, case))
    path = f"agreements/{gone.agreement_id}/withdrawal"
    day.actors.post(day.actors.sender(code), path, {})
    yield Tried(f"{code}, withdrawn", day.ask(code, gone), "agreement_withdrawn")


@bound(checks.AGREED)
def agreed(day: Day) -> Iterator[Tried]:
    for code in NAMING:
        for one in (_givers, _year, _scope, _withdrawn):
            yield from one(day, code)


@bound(checks.RESIDENT)
def resident(day: Day) -> Iterator[Tried]:
    for code in ("m2", "m20", "m29"):
        for commune, refused in ((ELSEWHERE, "missing_resident"), (COMMUNE, None)):
            case = day.somebody(code, seeker={"commune": commune})
            yield Tried(f"{code}, of {commune}", day.ask(code, case), refused)
