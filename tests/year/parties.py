"""What the parties of a town do beside any young person: sign, renew, meet, report, read, leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from contracts.kernel.paris import add_months
from contracts.kernel.terms import ActKind
from services.chassis import tables
from services.chassis.bundle import Bundle
from services.chassis.clock import new_id
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.governance import Insurance, Review, record_insurance, record_review
from services.chassis.register import person_left
from services.city.models import designations as for_attendance
from services.conventions.b_city_mission_locale.routes import CommonEvent, hold_event
from services.conventions.c_employment_city_ccas.territory_actions import (
    CollectiveAction,
    hold_action,
)
from services.conventions.d_department_mission_locale import yearly
from services.department.models import designations as for_training
from tests.services.conventions.a_city_school.support import Desk as Schools
from tests.services.conventions.b_city_mission_locale.support import Desk as Cosupport
from tests.services.conventions.c_employment_city_ccas.support import Desk as Employer
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    ANNOUNCED,
    CONTACT,
    Office,
)
from tests.services.conventions.d_department_mission_locale.support import Desk as Autonomy
from tests.year.town import Lane, Town, write

Affair = Callable[[Town], Awaitable[None]]

FIRST = date(2025, 9, 1)
SIGNED = date(2025, 6, 16)
B_ENDS, B_AGAIN, B_OVER = date(2026, 1, 16), date(2026, 3, 1), date(2027, 3, 1)
"""Three years after its signature; then an amendment of this test's own, signed too late."""
C_ENDS, C_REPORTED, C_OVER = date(2026, 1, 1), date(2026, 1, 9), date(2027, 1, 1)
"""The text's own end; renewed in time, but the city's written report is a week late (C-8.2)."""
D_ENDS = date(2027, 10, 8)
LEFT = date(2027, 1, 11)
"""Day on which nobody is in any register any more; two years later nothing of them is left."""


def sign(town: Town) -> None:
    """The four texts, between those of the town."""
    for school in [org for org in town.nodes if org.startswith("ecole-")]:
        ends = SIGNED.replace(year=SIGNED.year + 3)
        town.lane(f"a-{school}", "a_city_school", ends, school, "ville", signed_on=SIGNED)
    b_signed = B_ENDS.replace(year=B_ENDS.year - 3)
    town.lane("b", "b_city_mission_locale", B_ENDS, "mission", "ville", signed_on=b_signed)
    c = ("agence", "ville", "ccas")
    town.lane("c", "c_employment_city_ccas", C_ENDS, *c, signed_on=date(2024, 3, 1))
    d = ("departement", "mission")
    town.lane("d", "d_department_mission_locale", D_ENDS, *d, signed_on=SIGNED)
    social = town.beside(
        "c-ccas",
        town.lanes["c"].signed_id,
        "c_employment_city_ccas",
        town.nodes["agence"],
        town.nodes["ccas"],
    )
    social.opens_on, social.ends_on = town.lanes["c"].opens_on, C_ENDS


def move(town: Town, moved: Lane, **days: date) -> None:
    """What a text allows changes, as the test knows it."""
    for lane in town.lanes.values():
        if lane.signed_id == moved.signed_id:
            lane.opens_on = days.get("opens_on", lane.opens_on)
            lane.ends_on = days.get("ends_on", lane.ends_on)


async def begin(town: Town) -> None:
    """Everybody is informed, designated, insured, at a desk; what rests on a record is recorded."""
    for lane in town.schools:
        insure(lane)
    day = FIRST - timedelta(days=1)
    who = {"agent_id": "agent-7", "first_day": day, "last_day": None, "decision": "arrêté 7"}
    town.nodes["ville"].write(lambda tx: tx.insert(for_attendance, who))
    Schools(town.schools[0]).host(first_day=FIRST, last_day=date(2027, 8, 31))
    employer, cosupport = Employer(town.lanes["c"]), Cosupport(town.lanes["b"])
    employer.ready()
    for name in ("c", "c-ccas"):
        Office(town.lanes[name]).ready()
    for side in town.lanes["b"].sides:
        cosupport.charter(side, FIRST)
    await employer.told(
        employer.city,
        "immersion_trades.published",
        {"host": "city", "trades": ["M1601", "K2204"], "since": FIRST.isoformat()},
    )
    Autonomy(town.lanes["d"]).founded()


async def designate(town: Town) -> None:
    """The department names who receives what the law has told; before, it is refused (R114-7)."""
    who = {"agent_id": "agent-8", "first_day": town.lanes["d"].today, "last_day": None}
    row = {**who, "decision": "arrêté 8"}
    town.nodes["departement"].write(lambda tx: tx.insert(for_training, row))
    town.designated = True


def insure(lane: Lane) -> None:
    """Both parties of convention A are insured for a year (A-7.3)."""
    last = lane.today.replace(year=lane.today.year + 1)
    for side in lane.sides:
        policy = Insurance(policy="P-2025", first_day=lane.today, last_day=last)
        write(side, record_insurance, lane.signed_id, policy)


async def renew_c(town: Town) -> None:
    """All three sign a second term of a year, six weeks before the first one ends (C-8.2)."""
    amend(town.lanes["c"], effective_on=C_ENDS, until=C_OVER)
    move(town, town.lanes["c"], ends_on=C_OVER)


async def renew_b(town: Town) -> None:
    """Both sign again, after a month without any text (B-5.1, B-7.1)."""
    amend(town.lanes["b"], effective_on=B_AGAIN, until=B_OVER)
    move(town, town.lanes["b"], opens_on=B_AGAIN, ends_on=B_OVER)


def amend(lane: Lane, **changes: Any) -> None:
    lane.signed_on = lane.today
    lane.publish(Bundle(terms=(lane.sign_terms(2, **changes),)))


async def read_c(town: Town) -> None:
    """Every agent says that the amendment is known (C-5.5)."""
    for name in ("c", "c-ccas"):
        office = Office(town.lanes[name])
        for side in office.pair.sides:
            office.read(side, 2)


def reports(term: date, *orgs: str) -> Affair:
    """Some of the three record the written report on a term (C-7.2)."""

    async def report(town: Town) -> None:
        office = Office(town.lanes["c"])
        for org in orgs:
            office.report(town.nodes[org], term)

    return report


async def unreported(town: Town) -> None:
    """Renewed without the city's report, nothing passes its gate, either way (C-8.2)."""
    office = Office(town.lanes["c"])
    coming = {**ANNOUNCED, "on": (office.today + timedelta(days=60)).isoformat()}
    what = "communication.announced"
    assert office.refused(office.city, what, coming) == {"C-8.2"}
    sent = office.send(office.agency, what, coming)
    await office.pair.carry()
    assert office.agency.state(sent.message_id) == "refused"
    town.refused[sent.message_id] = ""
    move(town, town.lanes["c"], opens_on=C_REPORTED)


async def unsigned(town: Town) -> None:
    """The text of B is over: neither side may send anything under it (B-5.1)."""
    desk = Cosupport(town.lanes["b"])
    service = {
        "name": "Atelier",
        "theme": "mobilite--preparer-un-permis",
        "kind": "atelier",
        "last_day": None,
        "contact": CONTACT,
    }
    for side in desk.pair.sides:
        assert desk.refused(side, "service_catalogue.published", service) == {"B-5.1"}


async def meet(town: Town) -> None:
    """The yearly reviews, of every text that runs (A-8.1, B-4.1, C-7.1, D-5.5)."""
    for name, lane in town.lanes.items():
        if name != "c-ccas" and not lane.shut:
            for side in lane.parties:
                write(side, record_review, lane.signed_id, Review(held_on=lane.today))


async def gather(town: Town) -> None:
    """City and Mission Locale hold their common event (B-2.6)."""
    lane = town.lanes["b"]
    for side in lane.sides:
        write(side, hold_event, CommonEvent(convention_id=lane.signed_id, held_on=lane.today))
        lane.said("common_event", "held", side)


def act_together(held: int) -> Affair:
    """So many collective actions of the month, the first one with the city (C-3c.1, C-3c.2)."""

    async def act(town: Town) -> None:
        lane = town.lanes["c"]
        agency = lane.school
        for number in range(held):
            day = lane.today - timedelta(days=number)
            action = CollectiveAction(
                convention_id=lane.signed_id, held_on=day, for_youth=number == 1, joint=number == 0
            )
            write(agency, hold_action, action, new_id())
            lane.said_on(day, "collective_action", "youth" if number == 1 else "other", agency)
            if number == 0:
                lane.said_on(day, "joint_action", "joint", agency)

    return act


def count(year: int) -> Affair:
    """Both sides of D send their half of the sheet of a year (D-5.7a)."""

    async def send(town: Town) -> None:
        lane = town.lanes["d"]
        for side in lane.sides:
            write(side, _sheet, lane.signed_id, year)
        await lane.carry()

    return send


def _sheet(tx: Tx, core: Core, signed_id: str, year: int, agent_id: str, at: datetime) -> str:
    return yearly.send(tx, core, signed_id, year, (agent_id, "manager"), at)


async def terminate(town: Town) -> None:
    """One school ends its convention, by a letter received the same day (A-10.1)."""
    lane = town.schools[-1]
    lane.act(lane.school, ActKind.TERMINATION_NOTICE, sent_on=lane.today, received_on=lane.today)
    move(town, lane, ends_on=add_months(lane.today, 6))


async def leave(town: Town) -> None:
    """Nobody is in any register any more."""
    for side in town.sides:
        persons = tables.persons
        here = persons.c.registered_at.is_not(None) & persons.c.left_at.is_(None)
        for row in side.rows(persons, here):
            write(side, person_left, row.person_id)


def affairs() -> Iterator[tuple[date, Affair]]:
    """When what is done; what comes late or not at all is what deadlines are for."""
    yield FIRST, begin
    yield date(2025, 10, 20), designate
    yield date(2025, 11, 20), renew_c
    yield date(2025, 11, 25), read_c
    yield date(2025, 12, 15), reports(C_ENDS, "agence", "ccas")
    yield C_ENDS, unreported
    yield date(2026, 1, 8), reports(C_ENDS, "ville")
    yield date(2026, 1, 12), count(2025)
    yield B_ENDS, unsigned
    yield date(2026, 2, 2), terminate
    yield date(2026, 2, 20), renew_b
    yield date(2026, 3, 20), gather
    yield date(2026, 6, 10), meet
    yield date(2026, 11, 25), reports(C_OVER, "agence", "ville")
    yield date(2026, 12, 10), meet
    yield date(2027, 1, 8), count(2026)
    yield LEFT, leave
    for number in range(1, 16):
        day = add_months(FIRST, number) - timedelta(days=2)
        yield day, act_together(2 if number % 5 == 0 else 4)
