"""Either side of the bounds of convention B: what every message rests on, and the co-support.

A function for each check of the text: it yields the same call allowed and refused, one day or one
step apart. Those of the immersion are in `bounds_b_immersion.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from contracts.conventions.b_city_mission_locale import checks
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, add_years
from tests.federation import bounds
from tests.federation.actors_b import BORN, SIDES, Actors
from tests.federation.bounds import DAY, Bounds, Tried
from tests.federation.cast import at_ten
from tests.federation.examples import Case
from tests.federation.examples_b import CONTACT, FLOWS, PAIRED

OPENERS: Final = ("m1", "m2", "m5", "m6", "m13")
"""Messages that open a case, each by its own side."""


class Day(bounds.Day[Actors]):
    """Today, a day from now, and those who act on it."""

    def __init__(self, actors: Actors) -> None:
        super().__init__(actors)
        self.platform: list[Tried] = []

    def prepare(self) -> None:
        """Record the platform's charter at one side after the other, and try before each."""
        offer = self.case("m16", send=False)
        self.platform.append(Tried("no signature", self.ask("m16", offer), "missing_psad_charter"))
        self.actors.sign_charter(Kind.CITY, self.today)
        answer = self.ask("m16", offer)
        assert self.actors.turned_away("m16", answer.json()["message_id"]) == ["B-2.1"]
        self.actors.sign_charter(Kind.MISSION_LOCALE, self.today)
        self.platform.append(Tried("signed today", self.took("m16", self.ask("m16", offer))))

    def born(self, years: int, days: int = 0) -> date:
        """Birth date of who has that age today, or so many days later."""
        return add_years(self.today + days * DAY, -years)

    def case(self, *after: str, send: bool = True, **more: Any) -> Case:
        """A case in which some messages have gone, or that waits for the first."""
        first_day = more.pop("first_day", self.first_day)
        made = self.actors.case(self.today, first_day, after[0], **more)
        return self.actors.play(made, after) if send else made

    def agreed(
        self, code: str, birth: date | None = None, *, told: bool = True, **changes: Any
    ) -> Case:
        """Somebody at the side that sends a message, with an agreement that says what it says.

        birth: of who is seventeen, unless said otherwise. told: the representative is informed.
        """
        kind = FLOWS[code].sender
        person = self.actors.young(kind, birth or date(self.today.year - BORN, 1, 15))
        if told:
            self.actors.inform(kind, person)
        agreement = self.actors.agree(kind, person, **changes)
        return Case(self.today, self.first_day, agreement_id=agreement)


bound: Final = Bounds[Day]()
BOUNDS: Final = bound.known


# -- what every message that names somebody rests on ---------------------------------------------


@bound(checks.AGE)
def age(day: Day) -> Iterator[Tried]:
    for code in OPENERS:
        for what, birth, refused in (
            ("16 tomorrow", day.born(16, 1), "age"),
            ("16 today", day.born(16), None),
            ("26 tomorrow", day.born(26, 1), None),
            ("26 today", day.born(26), "age"),
        ):
            yield Tried(f"{code}, {what}", day.ask(code, day.agreed(code, birth)), refused)
    case = day.actors.play(day.agreed("m5", day.born(26, 1)), PAIRED)
    for code in ("m9", "m10"):
        yield Tried(f"{code}, on the eve of 26", day.ask(code, case))
    day.go(day.today + DAY)
    stopped = frozenset({"B-2.11", "B-2.13", "B-3.1"})  # the scheduler may have ended it already
    for code in ("m9", "m10"):
        yield Tried(f"{code}, at 26", day.ask(code, case), "age", also=stopped)


@bound(checks.INFORMED)
def informed(day: Day) -> Iterator[Tried]:
    nobody = Case(day.today, day.first_day)
    for code in OPENERS:
        beside = frozenset({"B-1.2", "B-3.1", "D5135-3"})
        yield Tried(f"{code}, nobody told", day.ask(code, nobody), "no_notice", also=beside)
        yield Tried(f"{code}, told five minutes ago", day.ask(code, day.agreed(code)))


@bound(checks.REPRESENTATIVE_INFORMED)
def representative_informed(day: Day) -> Iterator[Tried]:
    missing = "missing_representative_informed"
    for code in OPENERS:
        for what, birth, told, refused in (
            ("17, nobody told", None, False, missing),
            ("18 tomorrow, nobody told", day.born(18, 1), False, missing),
            ("18 tomorrow, the parent told", day.born(18, 1), True, None),
            ("18 today, nobody told", day.born(18), False, None),
        ):
            case = day.agreed(code, birth, told=told)
            yield Tried(f"{code}, {what}", day.ask(code, case), refused)


def _givers(day: Day, code: str) -> Iterator[Tried]:
    parent = day.agreed(code, giver="representative", authority="parental")
    yield Tried("the parent alone", day.ask(code, parent), "agreement_giver")
    for giver, authority in (("young_person", None), ("both", "parental")):
        case = day.agreed(code, giver=giver, authority=authority)
        yield Tried(giver, day.ask(code, case))
    yield Tried("a no", day.ask(code, day.agreed(code, granted=False)), "no_agreement")
    before = at_ten(day.today - 30 * DAY).isoformat()
    adult = day.born(18)
    own = day.agreed(code, adult, given_at=before)
    yield Tried("their own, turned 18 since", day.ask(code, own))
    both = day.agreed(code, adult, given_at=before, giver="both", authority="parental")
    yield Tried("with the parent's, turned 18 since", day.ask(code, both), "agreement_expired")


def _year(day: Day, code: str) -> Iterator[Tried]:
    given = add_months(day.today, -12)
    over = day.agreed(code, given_at=at_ten(given).isoformat())
    yield Tried("given a year ago", day.ask(code, over), "agreement_expired")
    last = day.agreed(code, given_at=at_ten(given + DAY).isoformat())
    yield Tried("the last day of the year", day.ask(code, last))


def _scope(day: Day, code: str) -> Iterator[Tried]:
    other = sorted({flow.type for flow in FLOWS.values()} - {FLOWS[code].type})
    refused = day.ask(code, day.agreed(code, flows=other))
    yield Tried("of other messages", refused, "agreement_scope")
    yield Tried("of this one", day.ask(code, day.agreed(code, flows=[FLOWS[code].type])))
    elsewhere = day.agreed(code, recipients=["ccas-des-aulnes"])
    yield Tried("for another", day.ask(code, elsewhere), "agreement_recipient")


def _withdrawn(day: Day, code: str) -> Iterator[Tried]:
    case = day.agreed(code)
    yield Tried("before it is withdrawn", day.ask(code, case))
    path = f"agreements/{case.agreement_id}/withdrawal"
    day.actors.post(day.actors.sender(code), path, {})
    yield Tried("after", day.ask(code, case), "agreement_withdrawn")


@bound(checks.AGREED)
def agreed(day: Day) -> Iterator[Tried]:
    for code in OPENERS:
        for one in (_givers, _year, _scope, _withdrawn):
            yield from one(day, code)


@bound(checks.ASSENT)
def assent(day: Day) -> Iterator[Tried]:
    for code in OPENERS:
        for word, refused in (("not_asked", "no_assent"), ("yes", None)):
            case = day.agreed(code, assent=word)
            yield Tried(f"{code}, {word}", day.ask(code, case), refused)
        case = day.agreed(code, giver="representative", authority="parental", assent="no")
        yield Tried(f"{code}, no", day.ask(code, case), "no_assent")


@bound(checks.CHARTER)
def charter(day: Day) -> Iterator[Tried]:
    for code in ("m1", "m2", "m16", "m17", "m18"):
        case, org = day.case(code, send=False), day.actors.orgs[FLOWS[code].sender]
        agent = f"nouveau-{code}-{day.actors.fed.now(org):%H%M%S}"
        with day.actors.fed.client(org, "referent", agent) as new:
            yield Tried(f"{code}, never read", day.ask(code, case, new), "missing_charter")
            new.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
            yield Tried(f"{code}, accepted", day.ask(code, case, new))


@bound(checks.OPEN_CASE)
def open_case(day: Day) -> Iterator[Tried]:
    case = day.case(*PAIRED)
    for code in ("m7", "m9", "m10"):
        yield Tried(f"{code}, open", day.took(code, day.ask(code, case)))
    day.actors.tell("m12", case)
    ended = frozenset({"B-2.11", "B-2.13"})
    for code in ("m7", "m8", "m9", "m10", "m11", "m12"):
        refused = day.ask(code, case)
        yield Tried(f"{code}, closed", refused, "missing_open_case", also=ended)


# -- orientation ---------------------------------------------------------------------------------


@bound(checks.AWAITING)
def awaiting(day: Day) -> Iterator[Tried]:
    for asked, answered, same in (("m1", "m3", "m4"), ("m2", "m4", "m3")):
        case = day.case(asked)
        yield Tried(f"{asked} by who asked", day.ask(same, case), "missing_awaiting")
        for outcome in ("received", "registered"):
            answer = day.ask(answered, case, outcome=outcome)
            yield Tried(f"{asked}, {outcome}", day.took(answered, answer))
        answer, closed = day.ask(answered, case), frozenset({"B-3.1"})
        yield Tried(f"{asked}, once more", answer, "missing_awaiting", also=closed)


# -- co-support ----------------------------------------------------------------------------------


@bound(checks.COSUPPORT)
def cosupport(day: Day) -> Iterator[Tried]:
    orientation, case = day.case("m1"), day.case(*PAIRED)
    nobody = frozenset({"B-2.13"})
    for code in ("m7", "m8", "m9", "m10", "m11", "m12"):
        answer = day.ask(code, orientation)
        yield Tried(f"{code}, an orientation", answer, "missing_cosupport", also=nobody)
    for code in ("m7", "m8", "m9", "m10", "m11"):
        yield Tried(f"{code}, a co-support", day.took(code, day.ask(code, case)))


@bound(checks.REFERENTS)
def referents(day: Day) -> Iterator[Tried]:
    for opened, named in (("m5", "m8"), ("m6", "m7")):
        case = day.case(opened)
        for code in ("m9", "m10"):
            yield Tried(f"{opened}, one alone, {code}", day.ask(code, case), "missing_referents")
        day.actors.tell(named, case)
        for code in ("m9", "m10"):
            yield Tried(f"{opened}, a pair, {code}", day.ask(code, case))


@bound(checks.BY_REFERENT)
def by_referent(day: Day) -> Iterator[Tried]:
    case, missing = day.case(*PAIRED), "missing_by_referent"
    others = {
        kind: day.actors.client(day.actors.orgs[kind], "referent", "autre-1") for kind in SIDES
    }
    for code in ("m9", "m10", "m11", "m12"):
        answer = day.ask(code, case, others[FLOWS[code].sender])
        yield Tried(f"{code}, another", answer, missing)
    for code in ("m9", "m10"):
        yield Tried(f"{code}, the referent", day.took(code, day.ask(code, case)))
    for named, code in (("m7", "m9"), ("m8", "m10")):
        successor = others[FLOWS[code].sender]
        day.took(named, day.ask(named, case, successor))
        yield Tried(f"{code}, the former", day.ask(code, case), missing)
        yield Tried(f"{code}, the next", day.took(code, day.ask(code, case, successor)))
    yield Tried("m11, the former", day.ask("m11", case), missing)
    yield Tried("m11, the next", day.ask("m11", case, others[Kind.CITY]))
    both = day.case("m5", send=False)
    opened = day.took("m5", day.ask("m5", both, other_referent=CONTACT))
    both.case_id = opened.json()["case_id"]
    yield Tried("both named by who opens", day.ask("m9", both))
    yield Tried("which agent, the other has not said", day.ask("m10", both), missing)


# -- the platform for dropouts -------------------------------------------------------------------


@bound(checks.PSAD_CHARTER)
def psad_charter(day: Day) -> Iterator[Tried]:
    yield from day.platform


@bound(checks.OFFERED_AGES)
def offered_ages(day: Day) -> Iterator[Tried]:
    offer = day.case("m16", send=False)
    ages = {(15, 17): "limit", (16, 16): None, (16, 17): None, (16, 18): "limit"}
    for (youngest, oldest), refused in {**ages, (17, 17): None, (17, 16): "limit"}.items():
        answer = day.ask("m16", offer, youngest=youngest, oldest=oldest)
        yield Tried(f"{youngest} to {oldest}", answer, refused)
