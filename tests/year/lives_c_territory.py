"""What agency, city and CCAS do for the territory in a year: clauses, volunteers, campaigns."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from contracts.conventions.c_employment_city_ccas.convention import INCLUSION, ZERO_UNEMPLOYMENT
from contracts.kernel.paris import add_years
from tests.services.conventions.c_employment_city_ccas.territory_support import (
    ANTENNA,
    CAMPAIGN,
    OPPORTUNITY,
    REFERENT,
    SKILLS,
    TABLE,
    Office,
)
from tests.year.lives_a import Life, Make
from tests.year.town import Lane


def born(office: Office, chance: Random) -> str:
    """Of a job seeker below twenty-six."""
    day = add_years(office.today, -18 - chance.randrange(8))
    return (day - timedelta(days=chance.randrange(300))).isoformat()


async def question(lane: Lane, chance: Random, _number: int) -> Life:
    """The city asks whether somebody counts as inclusion; a day later it is gone."""
    office = Office(lane)
    agreement = office.agreed(office.city, office.person(office.city, born(office, chance)))
    await office.told(office.city, "clause.eligibility_asked", {}, agreement_id=agreement)
    lane.opened(INCLUSION)
    lane.said("clause.question", "asked")
    if chance.random() < 0.7:
        office.person_told()
        answer = chance.choice(("yes", "no", "unknown"))
        await office.told(office.agency, "clause.eligibility_answered", {"answer": answer})
        lane.said("clause.eligibility_answered", answer, office.agency)
    yield 2


async def volunteer(lane: Lane, chance: Random, _number: int) -> Life:
    """Somebody asks to make own skills known; the project answers, or thirty days go by."""
    office = Office(lane)
    person_id = office.person(office.agency, born(office, chance))
    office.resident(person_id)
    office.volunteers(person_id)
    agreement = office.agreed(office.agency, person_id)
    await office.told(office.agency, "volunteer.skills_offered", SKILLS, agreement_id=agreement)
    lane.opened(ZERO_UNEMPLOYMENT)
    lane.said("volunteer", "offered")
    yield chance.randrange(1, 25)
    if chance.random() < 0.7 and lane.today < lane.ends_on:
        office.act(office.city, "volunteer_answered", at=lane.clock.at.isoformat())
        await lane.carry()


async def territory(lane: Lane, chance: Random, _number: int) -> Life:
    """An opportunity each way, a campaign, tables, referents, and word of what is told outside."""
    office, today = Office(lane), lane.today
    agency, city = office.agency, office.city
    work = {
        **OPPORTUNITY,
        "first_day": (today + timedelta(days=10)).isoformat(),
        "last_day": (today + timedelta(days=70)).isoformat(),
    }
    for side in lane.sides:
        await office.told(side, "clause.opportunity", work)
        lane.said("clause.opportunity", "sent", side)
        lane.said("clause.opportunity", "received", office.other(side))
    await office.told(agency, "referents.published", {**REFERENT, "since": today.isoformat()})
    lane.said("referent", "social_clauses")
    for side in lane.sides:
        table = chance.choice(("job_seekers", "long_term_excluded"))
        counted_on = (today - timedelta(days=3)).isoformat()
        await office.told(
            side, "census.aggregate", {**TABLE, "table": table, "counted_on": counted_on}
        )
        lane.said("census", table)
    coming = {"medium": "press", "on": (today + timedelta(days=9)).isoformat()}
    subject = chance.choice(("recruitment", "zero_unemployment", "inclusion"))
    await office.told(city, "communication.announced", {**coming, "subject": subject})
    lane.said("communication", subject)
    await ask_campaign(office, lane)
    yield chance.randrange(3, 15)
    await send_campaign(office, lane)


async def social(lane: Lane, _chance: Random, _number: int) -> Life:
    """Agency and CCAS name who answers in a unit; a campaign for the CCAS."""
    office = Office(lane)
    for side in lane.sides:
        named = {**ANTENNA, "since": lane.today.isoformat()}
        await office.told(side, "antenna_referents.published", named)
        lane.said("referent", "antenna")
    await ask_campaign(office, lane)
    yield 4
    await send_campaign(office, lane)


async def ask_campaign(office: Office, lane: Lane) -> None:
    at = (lane.clock.at + timedelta(days=20)).isoformat()
    await office.told(lane.city, "campaign.requested", {**CAMPAIGN, "at": at})
    lane.said("campaign", "requested")


async def send_campaign(office: Office, lane: Lane) -> None:
    sent = {"sent_on": lane.today.isoformat(), "reached": 40}
    await office.told(lane.school, "campaign.sent", sent)
    lane.said("campaign", "sent")


LIVES: tuple[tuple[Make, int], ...] = ((question, 2), (volunteer, 2))
"""What happens to somebody, and how often beside the others."""
