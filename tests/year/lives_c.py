"""What may happen to a job seeker between the agency and the city as an employer, in a year."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from contracts.conventions.c_employment_city_ccas.convention import RECRUITMENT
from contracts.conventions.c_employment_city_ccas.course import Step
from contracts.kernel.paris import add_months, add_years
from services.chassis.clock import new_id
from services.chassis.tokens import Agent, Role
from tests.services.conventions.c_employment_city_ccas.support import CONTACT, Desk
from tests.year.lives_a import Life, Make
from tests.year.town import Lane

OUTCOME = "pec.candidate_outcome"
IDENTITY = {
    "family_name": "Imaginaire",
    "first_name": "Maxence",
    "birth_date": "1999-06-12",
    "channel": None,
}


def seeker(desk: Desk, chance: Random) -> str:
    """A young job seeker, known to the agency, with all that a proposal asks for."""
    born = add_years(desk.today, -18 - chance.randrange(8)) - timedelta(days=chance.randrange(300))
    return desk.person(born.isoformat())


async def proposed(desk: Desk, lane: Lane, chance: Random) -> tuple[str, str, str]:
    """An offer of the city, and somebody for it: the person, the agreement, the message."""
    offer, closes = new_id(), (lane.today + timedelta(days=60)).isoformat()
    said = desk.offer(offer_id=offer, starts_on=closes, closes_on=closes, eligible_tutor=False)
    await desk.told(desk.city, "pec.offer_published", said)
    lane.said("pec.offer", "published")
    person_id = seeker(desk, chance)
    agreement = desk.agreed(person_id)
    message = await desk.told(
        desk.agency, "pec.candidate_proposed", {"offer_id": offer}, agreement_id=agreement
    )
    lane.opened(RECRUITMENT)
    return person_id, agreement, message


async def decide(desk: Desk, lane: Lane, outcome: str) -> None:
    await desk.told(desk.city, OUTCOME, {"outcome": outcome})
    lane.said(OUTCOME, outcome)


async def hire(lane: Lane, chance: Random, number: int) -> Life:
    """A candidate seen and not kept; if taken, a contract of three, its booklets, its exit."""
    desk, until = Desk(lane), lane.lasts()
    _, agreement, message = await proposed(desk, lane, chance)
    yield chance.randrange(1, 12)
    lane.still(until)
    seen = await desk.seen(message)
    assert seen["candidate"]["first_name"] == "Maxence"
    what = chance.choices(("taken", "not_retained", "lapsed", "withdrawn"), (7, 2, 1, 1))[0]
    if what == "lapsed":
        yield 30
        return
    if what == "withdrawn":
        await lane.withdrawn(desk.agency, agreement)
        lane.said("stopped", "withdrawn")
        return
    await decide(desk, lane, "met")
    yield 3
    lane.still(until)
    if what == "not_retained":
        await decide(desk, lane, what)
        return
    await decide(desk, lane, "retained")
    first = lane.today + timedelta(days=5)
    last = add_months(first, chance.randrange(3, 7)) - timedelta(days=1)
    tutor = Agent(f"tutrice-{number}", Role.AGENT)
    await commit(desk, lane, tutor, first, last)
    yield 5
    hired: dict[str, Any] = {"papers": "passport", "hired_on": first.isoformat()}
    desk.act(desk.city, "hired", identity=IDENTITY, **hired)
    for step, day in steps(first, last):
        yield (day - lane.today).days
        await booklet(desk, lane, chance, tutor, (step, day))
    if (last - lane.today).days > 2:
        yield (last - lane.today).days - 2
    await leave(desk, lane, chance)
    yield 5


def steps(first: date, last: date) -> list[tuple[Step, date]]:
    """The three booklets: the end of the first month, of half, of three quarters (C-3a.23)."""
    days, eve = (last - first).days + 1, timedelta(days=1)
    return [
        ("month_1", add_months(first, 1) - eve),
        ("middle", first + timedelta(days=days // 2) - eve),
        ("three_quarters", first + timedelta(days=days * 3 // 4) - eve),
    ]


async def commit(desk: Desk, lane: Lane, tutor: Agent, first: date, last: date) -> None:
    """A tutor of one's own for each, and three signatures (C-3a.6, C-3a.20)."""
    desk.tutor(staff_id=tutor.agent_id)
    desk.act(desk.city, "tutor_named", staff_id=tutor.agent_id)
    day = lane.today.isoformat()
    signed = dict.fromkeys(("job_counsellor", "employee", "workplace_tutor"), day)
    await desk.told(desk.city, "pec.commitment_agreed", desk.commitment(first, last, **signed))
    lane.said("pec.contract", "agreed")


async def booklet(
    desk: Desk, lane: Lane, chance: Random, tutor: Agent, due: tuple[Step, date]
) -> None:
    """Asked for on its day, filled in apart, or not; the last one read for what comes after."""
    step, day = due
    await desk.told(desk.agency, "pec.booklet_due", {"step": step, "due_on": day.isoformat()})
    said: dict[str, Any] = {"step": step, "filled": True}
    if chance.random() < 0.8:
        desk.read(desk.city, tutor.agent_id)
        desk.act(desk.city, "booklet_filled", tutor, step=step)
        await desk.told(desk.city, "pec.booklet_filled", said)
        lane.said("pec.booklet", "tutor")
    desk.act(desk.agency, "booklet_filled", step=step)
    await desk.told(desk.agency, "pec.booklet_filled", said)
    lane.said("pec.booklet", "employee")
    if step == "three_quarters":
        prospects = chance.random() < 0.5
        desk.act(desk.agency, "booklet_read", step=step, prospects=prospects)
        if not prospects:
            at = (lane.clock.at + timedelta(days=3)).isoformat()
            await desk.told(desk.agency, "pec.exit_interview", {"at": at})
            lane.said("pec.exit_interview", "called")


async def leave(desk: Desk, lane: Lane, chance: Random) -> None:
    """What comes next is settled, the certificate handed over, or somebody is reminded of it."""
    if chance.random() < 0.7:
        for side in lane.sides:
            desk.act(side, "next_steps", on=desk.today.isoformat())
    if chance.random() < 0.8:
        await desk.told(desk.city, "pec.attestation", {"issued_on": desk.today.isoformat()})
        lane.said("pec.attestation", "issued")


async def immersion(lane: Lane, chance: Random, _number: int) -> Life:
    """A period at the city, which is told who comes and writes it nowhere (C-3b.1, C-5.1)."""
    desk, until = Desk(lane), lane.lasts()
    agreement = desk.agreed(seeker(desk, chance))
    first = lane.today + timedelta(days=20)
    last = first + timedelta(days=chance.randrange(4, 25))
    asked = {
        "host": "city",
        "object": "discover_trade",
        "rome": "M1601",
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "weekly_hours": 35,
        "referent": CONTACT,
        "offer": None,
        "renewal": False,
        "profile_promotion": False,
    }
    await desk.told(desk.agency, "immersion.requested", asked, agreement_id=agreement)
    lane.opened(RECRUITMENT)
    yield chance.randrange(1, 16)
    lane.still(until)
    if chance.random() < 0.25:
        await status(desk, lane, "declined")
        return
    await status(desk, lane, "accepted")
    yield 2
    lane.still(until)
    await status(desk, lane, "confirmed")
    yield (last - lane.today).days + chance.randrange(4)
    lane.still(until)
    await status(desk, lane, "completed" if chance.random() < 0.7 else "interrupted")


async def status(desk: Desk, lane: Lane, code: str) -> None:
    side = desk.agency if code == "confirmed" else desk.city
    data = {"status": code, "on": desk.today.isoformat(), "tutor": None}
    await desk.told(side, "immersion.status", {**data, "representative_signed": None})
    lane.said("immersion.status", code)


LIVES: tuple[tuple[Make, int], ...] = ((hire, 3), (immersion, 2))
"""What happens to somebody, and how often beside the others."""
