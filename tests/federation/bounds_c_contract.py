"""Either side of the bounds of convention C: offers, candidates and supported contracts.

Its BOUNDS are those of `bounds_c.py` with its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx

from contracts.conventions.c_employment_city_ccas import checks
from contracts.conventions.c_employment_city_ccas.course import booklet_due_dates
from contracts.conventions.c_employment_city_ccas.messages import SIGNATORIES
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, add_years
from tests.federation.actors_c import COUNSELLOR
from tests.federation.bounds import DAY, Tried
from tests.federation.bounds_c import BOUNDS, Day, bound
from tests.federation.examples import Case
from tests.federation.examples_c import LAST, term

__all__ = ["BOUNDS"]


@bound(checks.INTERVIEWED)
def interviewed(day: Day) -> Iterator[Tried]:
    yield from day.interviewing


# -- candidates ----------------------------------------------------------------------------------


def _file(day: Day, fact: str, refused: str) -> Iterator[Tried]:
    for known in (False, True):
        case = day.somebody("m2", seeker={fact: known})
        yield Tried(f"{fact}: {known}", day.ask("m2", case), None if known else refused)


@bound(checks.ELIGIBLE)
def eligible(day: Day) -> Iterator[Tried]:
    yield from _file(day, "eligible", "missing_eligible")


@bound(checks.EXPLAINED)
def explained(day: Day) -> Iterator[Tried]:
    yield from _file(day, "explained", "missing_explained")


@bound(checks.BY_COUNSELLOR)
def by_counsellor(day: Day) -> Iterator[Tried]:
    missing, agency = "missing_by_counsellor", Kind.EMPLOYMENT_AGENCY
    colleague = day.actors.client(day.actors.orgs[agency], "agent", "conseillere-2")
    day.actors.read(agency, colleague)
    for counsellor, refused in (("conseillere-2", missing), (COUNSELLOR, None)):
        case = day.somebody("m2", seeker={"counsellor": counsellor})
        yield Tried(f"m2, counsellor {counsellor}", day.ask("m2", case), refused)
    day.actors.desk(agency, "employer", "conseillere-2")
    try:
        for code in ("m5", "m8"):
            case = day.before(code)
            yield Tried(f"{code}, a colleague", day.ask(code, case, colleague), missing)
            yield Tried(f"{code}, the counsellor", day.took(code, day.ask(code, case)))
    finally:
        day.actors.desk(agency, "employer", "conseillere-2", closed=True)


@bound(checks.OFFER_OPEN)
def offer_open(day: Day) -> Iterator[Tried]:
    missing, case = "missing_offer_open", day.somebody("m2")
    yield Tried("unknown", day.ask("m2", case, offer_id="0f" * 16), missing)
    for closes, refused in ((day.today - DAY, missing), (day.today, None)):
        day.took("m1", day.ask("m1", case, closes_on=closes.isoformat()))
        yield Tried(f"closes {closes}", day.ask("m2", case), refused)
    again = day.somebody("m2")
    day.took("m1", day.ask("m1", again, closes_on=day.today.isoformat()))
    day.go(day.today + DAY)
    yield Tried("closed yesterday", day.ask("m2", again), missing)


@bound(checks.AWAITING_OUTCOME)
def awaiting_outcome(day: Day) -> Iterator[Tried]:
    case, missing = day.before("m3"), "missing_awaiting_outcome"
    for outcome, refused in (("met", None), ("met", missing), ("retained", None)):
        answer = day.ask("m3", case, outcome=outcome)
        yield Tried(outcome, answer if refused else day.took("m3", answer), refused)
    for outcome in ("met", "retained", "not_retained"):
        yield Tried(f"then {outcome}", day.ask("m3", case, outcome=outcome), missing)


# -- what the three sign -------------------------------------------------------------------------


@bound(checks.RETAINED)
def retained(day: Day) -> Iterator[Tried]:
    case, missing = day.before("m3"), "missing_retained"
    day.actors.lead_up("m4", case)
    yield Tried("waiting", day.ask("m4", case), missing)
    day.took("m3", day.ask("m3", case, outcome="met"))
    yield Tried("met", day.ask("m4", case), missing)
    day.actors.tell("m3", case)
    yield Tried("retained", day.ask("m4", case))


def _tutor(
    day: Day, name: str, field: str, *, refused: tuple[Any, ...], allowed: Any
) -> Iterator[Tried]:
    """The same contract with a tutor of whom one thing is known otherwise."""
    case = day.before("m4", led=False)
    for value in refused:
        day.actors.name_tutor(case, **{field: value})
        yield Tried(f"{field}: {value}", day.ask("m4", case), f"missing_{name}")
    day.actors.name_tutor(case, **{field: allowed})
    yield Tried(f"{field}: {allowed}", day.ask("m4", case))


def _days(day: Day, name: str, field: str, last: date) -> Iterator[Tried]:
    """The same, of a day that is known: the last one on which the tutor still may be one."""
    late = (last + DAY).isoformat()
    yield from _tutor(day, name, field, refused=(None, late), allowed=last.isoformat())


@bound(checks.TUTOR_VOLUNTEER)
def tutor_volunteer(day: Day) -> Iterator[Tried]:
    yield from _days(day, "tutor_volunteer", "volunteered_on", day.today)


@bound(checks.TUTOR_QUALIFIED)
def tutor_qualified(day: Day) -> Iterator[Tried]:
    yield from _days(day, "tutor_qualified", "qualified_on", day.today)


@bound(checks.TUTOR_EXPERIENCED)
def tutor_experienced(day: Day) -> Iterator[Tried]:
    yield from _days(day, "tutor_experienced", "working_since", add_years(day.today, -2))


@bound(checks.TUTOR_NOT_SUPPORTED)
def tutor_not_supported(day: Day) -> Iterator[Tried]:
    yield from _tutor(day, "tutor_not_supported", "supported", refused=(None, True), allowed=False)


@bound(checks.TUTORED)
def tutored(day: Day) -> Iterator[Tried]:
    cases = [day.before("m4", led=False) for _ in range(4)]
    staff_id = f"tutrice-commune-{cases[0].mark[:8]}"
    for number, (case, refused) in enumerate(zip(cases, (None, None, None, "limit"), strict=True)):
        day.actors.name_tutor(case, staff_id)
        answer = day.ask("m4", case)
        if refused is None:
            day.took("m4", answer)
        yield Tried(f"with {number} others", answer, refused)
    _, last = term(cases[0])
    for starts, refused in ((last, "limit"), (last + DAY, None)):
        answer = _for_months(day, cases[3], 6, first=starts)
        yield Tried(f"from {starts}, when the others end {last}", answer, refused)


def _for_months(day: Day, case: Case, months: int, *, less: int = 0, **more: Any) -> httpx.Response:
    """Ask for a contract of so many months, or so many days less."""
    first = more.pop("first", day.first_day)
    last = add_months(first, months) - (1 + less) * DAY
    return day.ask("m4", case, first_day=first.isoformat(), last_day=last.isoformat())


@bound(checks.CONTRACT_MONTHS)
def contract_months(day: Day) -> Iterator[Tried]:
    case = day.before("m4")
    for months, less, refused in (
        (0, 1, "limit"),
        (3, 1, "limit"),
        (3, 0, None),
        (61, 1, None),
        (61, 0, "limit"),
    ):
        answer = _for_months(day, case, months, less=less)
        if refused is None:
            day.took("m4", answer)
        yield Tried(f"{months} months, {less} days less", answer, refused)


@bound(checks.SIGNED)
def signed(day: Day) -> Iterator[Tried]:
    case, tomorrow = day.before("m4"), (day.today + DAY).isoformat()
    for role in SIGNATORIES:
        yield Tried(f"{role} tomorrow", day.ask("m4", case, **{role: tomorrow}), "signatures")
    yield Tried("all three today", day.ask("m4", case))


# -- the booklet and the exit --------------------------------------------------------------------


@bound(checks.ON_SCHEDULE)
def on_schedule(day: Day) -> Iterator[Tried]:
    case = day.before("m5")
    for step, due in booklet_due_dates(*term(case)).items():
        for on, refused in ((due - DAY, "limit"), (due, None), (due + DAY, "limit")):
            answer = day.ask("m5", case, step=step, due_on=on.isoformat())
            yield Tried(f"{step}, {on}", answer, refused)


@bound(checks.BOOKLET_ASKED)
def booklet_asked(day: Day) -> Iterator[Tried]:
    case, missing = day.before("m5"), "missing_booklet_asked"
    for code in ("m6", "m7"):
        answer = day.ask(code, case)
        yield Tried(f"{code}, not asked", answer, missing, also=frozenset({"C-3a.22"}))
    day.actors.tell("m5", case)
    for code in ("m6", "m7"):
        day.actors.lead_up(code, case)
        yield Tried(f"{code}, asked", day.took(code, day.ask(code, case)))
        other = day.ask(code, case, step="middle")
        yield Tried(f"{code}, another", other, missing, also=frozenset({"C-3a.22"}))


@bound(checks.FILLED_ALONE)
def filled_alone(day: Day) -> Iterator[Tried]:
    for code in ("m6", "m7"):
        case = day.before(code, led=False)
        yield Tried(f"{code}, not said", day.ask(code, case), "missing_filled_alone")
        day.actors.lead_up(code, case)
        yield Tried(f"{code}, said by the person", day.ask(code, case))


@bound(checks.NO_PROSPECTS)
def no_prospects(day: Day) -> Iterator[Tried]:
    case, agency = day.before("m8", led=False), day.actors.seated(Kind.EMPLOYMENT_AGENCY)
    missing = "missing_no_prospects"
    yield Tried("not read", day.ask("m8", case), missing)
    for prospects, refused in ((True, missing), (False, None)):
        day.actors.act(agency, case, "booklet_read", step=LAST, prospects=prospects)
        yield Tried(f"prospects: {prospects}", day.ask("m8", case), refused)
