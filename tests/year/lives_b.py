"""What may happen to a young person between the Mission Locale and the city, in a year."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from contracts.conventions.b_city_mission_locale.convention import INCLUSION
from contracts.kernel.paris import add_years
from tests.pair import Side
from tests.services.conventions.b_city_mission_locale.support import CONTACT, OTHER, REQUEST, Desk
from tests.year.lives_a import Life, Make
from tests.year.town import Lane


def young(desk: Desk, side: Side, born: date) -> tuple[str, str]:
    """Somebody of that age who agrees, a minor's representative informed; person and agreement."""
    person_id = desk.informed(side, desk.person(side, born.isoformat()))
    return person_id, desk.agreed(side, person_id)


def birth(lane: Lane, chance: Random) -> date:
    """Of somebody from sixteen to twenty-four."""
    return add_years(lane.today, -16 - chance.randrange(8)) - timedelta(days=chance.randrange(300))


async def orientation(lane: Lane, chance: Random, _number: int) -> Life:
    """One side asks the other to meet somebody: answered, sought in vain, forgotten, withdrawn."""
    desk, until = Desk(lane), lane.lasts()
    side = chance.choice(lane.sides)
    other = desk.other(side)
    _, agreement = young(desk, side, birth(lane, chance))
    await desk.told(side, "orientation.requested", REQUEST, agreement_id=agreement)
    lane.opened(INCLUSION)
    yield chance.randrange(2, 20)
    lane.still(until)
    what = chance.choices(("met", "declined", "sought", "forgotten", "withdrawn"), (5, 2, 2, 1, 1))
    match what[0]:
        case "met":
            await answer(desk, lane, other, "received")
            yield chance.randrange(10, 40)
            lane.still(until)
            if chance.random() < 0.6:
                await answer(desk, lane, other, "registered")
        case "declined":
            await answer(desk, lane, other, "declined")
        case "sought":
            for _ in range(2):
                desk.act(other, "silent_try", on=desk.today.isoformat())
                yield 5
                lane.still(until)
            desk.act(other, "silent_try", on=desk.today.isoformat())
            await lane.carry()
            lane.said("orientation.answered", "unreachable")
        case "withdrawn":
            await lane.withdrawn(side, agreement)
            lane.said("stopped", "withdrawn")


async def answer(desk: Desk, lane: Lane, side: Side, outcome: str) -> None:
    data = {"outcome": outcome, "on": desk.today.isoformat()}
    await desk.told(side, "orientation.answered", data)
    lane.said("orientation.answered", outcome)


async def cosupport(lane: Lane, chance: Random, _number: int) -> Life:
    """Two referents, who tell each other where things stand until somebody ends it."""
    desk, until = Desk(lane), lane.lasts()
    side = chance.choice(lane.sides)
    other = desk.other(side)
    person_id, agreement = young(desk, side, birth(lane, chance))
    await start(desk, lane, side, agreement)
    yield chance.randrange(2, 20)
    lane.still(until)
    desk.act(other, "cosupport_referent", agent_id="agent-1", contact=OTHER)
    await lane.carry()
    for _ in range(chance.randrange(1, 5)):
        yield chance.randrange(7, 30)
        lane.still(until)
        await desk.told(chance.choice(lane.sides), "cosupport.checkpoint", desk.checkpoint())
        lane.said("cosupport", "checkpoint")
    yield chance.randrange(5, 20)
    lane.still(until)
    if chance.random() < 0.15:
        await lane.erased(side, person_id)
        lane.said("stopped", "withdrawn")
        return
    outcome = chance.choice(("objectives_met", "handed_over", "ended"))
    closed = {"closed_on": desk.today.isoformat(), "outcome": outcome}
    await desk.told(chance.choice(lane.sides), "cosupport.closed", closed)
    lane.said("cosupport.closed", outcome)


async def start(desk: Desk, lane: Lane, side: Side, agreement: str) -> None:
    await desk.told(side, "cosupport.opened", desk.opening(), agreement_id=agreement)
    lane.opened(INCLUSION)
    lane.said("cosupport", "opened")


async def outgrown(lane: Lane, _chance: Random, _number: int) -> Life:
    """At twenty-six it ends by itself, at both sides (B-1.2)."""
    desk, born = Desk(lane), add_years(lane.today, -26) + timedelta(days=20)
    _, agreement = young(desk, lane.city, born)
    await start(desk, lane, lane.city, agreement)
    yield 22
    for side in lane.sides:
        assert desk.shown(side)["cosupport"]["state"] == "stopped"


async def immersion(lane: Lane, chance: Random, _number: int) -> Life:
    """A host says yes or no, is told who comes, and says that it is over, in time or late."""
    desk, until = Desk(lane), lane.lasts()
    _, agreement = young(desk, desk.mission, birth(lane, chance))
    first = lane.today + timedelta(days=20)
    last = first + timedelta(days=chance.randrange(5, 25))
    asked = {
        "object": "discover_trade",
        "rome": "K1207",
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "weekly_hours": 30,
        "referent": CONTACT,
        "offer": None,
        "renewal": False,
    }
    await desk.told(desk.mission, "immersion.requested", asked, agreement_id=agreement)
    lane.opened(INCLUSION)
    yield chance.randrange(1, 18)
    lane.still(until)
    if chance.random() < 0.25:
        await status(desk, lane, desk.city, "declined")
        return
    await status(desk, lane, desk.city, "accepted")
    yield 1
    lane.still(until)
    await status(desk, lane, desk.mission, "confirmed", signed=True)
    yield (last - lane.today).days + chance.randrange(4)
    lane.still(until)
    await status(desk, lane, desk.city, "completed")


async def status(desk: Desk, lane: Lane, side: Side, code: str, *, signed: bool = False) -> None:
    data = {"status": code, "on": desk.today.isoformat(), "tutor": None}
    both = {**data, "representative_signed": signed or None}
    await desk.told(side, "immersion.status", both)
    lane.said("immersion.status", code)


async def offers(lane: Lane, _chance: Random, number: int) -> Life:
    """Places for the platform, and a service of each side, until some weeks from now."""
    desk, last = Desk(lane), (lane.today + timedelta(days=45)).isoformat()
    theme = "mobilite--preparer-un-permis"
    places = {"theme": theme, "places": 8, "youngest": 16, "oldest": 17, "contact": CONTACT}
    await desk.told(desk.city, "psad.offer", {**places, "last_day": last})
    service = {"theme": theme, "kind": "atelier", "last_day": last, "contact": CONTACT}
    for side in lane.sides:
        name = f"Atelier {chr(97 + number % 26)}"
        await desk.told(side, "service_catalogue.published", {**service, "name": name})
    yield 1


LIVES: tuple[tuple[Make, int], ...] = (
    (orientation, 6),
    (cosupport, 6),
    (immersion, 4),
    (outgrown, 1),
)
"""What happens to somebody, and how often beside the others."""
