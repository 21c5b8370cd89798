"""What may happen to somebody between the department and the Mission Locale, in a year."""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random
from typing import Any

from contracts.conventions.d_department_mission_locale.convention import AUTONOMY, TRAINING
from contracts.gate import Refused
from contracts.kernel.paris import add_years
from services.chassis.acts import NoticeBody, record_notice
from services.chassis.clock import new_id
from services.chassis.tables import cases
from tests.pair import Side
from tests.services.conventions.d_department_mission_locale.support import (
    ANSWERED,
    COMING,
    CONTACT,
    CONTACTED,
    DECIDED,
    DIAGNOSED,
    DIAGNOSIS,
    ENROLLED,
    ENROLMENT,
    HELD,
    INVITED,
    MET,
    OTHER,
    OUTCOME,
    PROJECT,
    PROPOSED,
    REFERENT,
    REQUEST,
    Desk,
)
from tests.year.lives_a import Life, Make
from tests.year.town import Lane, write

BREACH = "training_obligation.breach"


class Way:
    """One way to autonomy, with what a reader of its messages would count of it."""

    def __init__(self, lane: Lane, chance: Random) -> None:
        self.lane, self.chance, self.desk = lane, chance, Desk(lane)
        self.until = lane.lasts()
        self.seen: set[str] = set()
        self.person_id = self.agreement = ""

    async def begin(self, born: date) -> None:
        desk = self.desk
        self.person_id = desk.informed(desk.person(born.isoformat()))
        self.agreement = desk.agreed(self.person_id)
        await desk.told(desk.department, CONTACTED, REQUEST, agreement_id=self.agreement)
        self.lane.opened(AUTONOMY)
        self.count("requested", desk.department)

    def count(self, what: str, side: Side) -> None:
        """The first time in this way, at the side that counts it (D-5.7a to D-5.7f)."""
        if what not in self.seen:
            self.seen.add(what)
            self.lane.said(what, "one", side)

    async def told(self, side: Side, type_: str, **data: Any) -> None:
        self.lane.still(self.until)
        await self.desk.told(side, type_, data)

    async def propose(self, side: Side) -> None:
        """The youth contract, as to each; the department counts it once (D-1.9)."""
        await self.told(side, PROPOSED, proposed_on=self.desk.day())
        if "proposed" not in self.seen:
            self.seen.add("proposed")
            self.lane.said("youth_contract.proposal", "proposed", self.desk.department)

    def ended(self) -> None:
        """A case that ends in good order without any proposal is counted too (D-1.9)."""
        if "proposed" not in self.seen:
            self.lane.said("youth_contract.proposal", "not_proposed", self.desk.department)


def birth(lane: Lane, chance: Random) -> date:
    """Of somebody from sixteen to twenty."""
    return add_years(lane.today, -16 - chance.randrange(5)) - timedelta(days=chance.randrange(300))


async def autonomy(lane: Lane, chance: Random, _number: int) -> Life:
    """A first contact; enrolment, diagnosis, interview, project, youth contract; how it ends."""
    way = Way(lane, chance)
    desk = way.desk
    department, mission = desk.department, desk.mission
    await way.begin(birth(lane, chance))
    yield chance.randrange(2, 20)
    first = chance.choices(("met", "registered", "declined", "unreachable"), (5, 3, 1, 1))[0]
    if first in {"declined", "unreachable"}:
        await way.told(mission, ANSWERED, outcome=first, adviser=None)
        way.ended()
        return
    await way.told(mission, ANSWERED, **{**MET, "outcome": first})
    if first == "registered":
        way.count("enrolled", mission)
    yield chance.randrange(3, 10)
    if first == "met" and chance.random() < 0.7:
        await way.told(department, ENROLMENT, proposed_on=desk.day())
        yield chance.randrange(2, 25)
        outcome = chance.choice(("accepted", "declined"))
        await way.told(mission, ENROLLED, outcome=outcome, on=desk.day())
        if outcome == "accepted":
            way.count("enrolled", mission)
    if chance.random() < 0.5:
        review = (lane.today + timedelta(days=20)).isoformat()
        await way.told(department, DIAGNOSIS, review_on=review)
        yield chance.randrange(5, 30)
        await way.told(mission, DIAGNOSED, done_on=desk.day(), handed_over=True)
        way.count("diagnoses", mission)
    if chance.random() < 0.6:
        await way.told(mission, PROJECT, **desk.project(ends_on=desk.day(60)))
        way.count("projects", department)
    if chance.random() < 0.7:
        yield chance.randrange(1, 15)
        await way.propose(chance.choice(lane.sides))
        yield chance.randrange(1, 20)
        outcome = chance.choice(("entered", "declined", "not_eligible"))
        await way.told(mission, OUTCOME, outcome=outcome, on=desk.day())
        if outcome == "entered":
            way.count("youth_contracts", mission)
    yield chance.randrange(5, 40)
    await end(way)


async def end(way: Way) -> None:
    """One hands over to the other, the young person takes it back or has all destroyed; or none."""
    lane, desk = way.lane, way.desk
    match way.chance.choices(("handover", "withdrawn", "erased", "nothing"), (6, 1, 1, 2))[0]:
        case "handover":
            data = {"mode": "handover", "view": "agrees", "contact": CONTACT}
            await way.told(way.chance.choice(lane.sides), DECIDED, **data, since=desk.day())
            way.ended()
        case "withdrawn":
            lane.still(way.until)
            await lane.withdrawn(desk.department, way.agreement)
        case "erased":
            lane.still(way.until)
            await lane.erased(desk.department, way.person_id)


async def interview(lane: Lane, chance: Random, _number: int) -> Life:
    """Nearly seventeen: an adviser is invited and comes or not; the interview is held or not."""
    way = Way(lane, chance)
    desk = way.desk
    await way.begin(add_years(lane.today, -17) + timedelta(days=chance.randrange(20, 60)))
    yield 4
    await way.told(desk.mission, ANSWERED, **MET)
    await way.told(desk.department, INVITED, **desk.invitation())
    yield chance.randrange(1, 9)
    comes = chance.random() < 0.8
    await way.told(desk.mission, COMING, attends=comes, adviser=OTHER if comes else None)
    yield 5
    if chance.random() < 0.2:
        return
    await way.told(desk.department, HELD, held_on=desk.day(), together=comes)
    if comes:
        way.count("interviews", desk.department)
    yield 20
    await way.told(desk.mission, REFERENT, referent=CONTACT, since=desk.day())
    yield 30
    await way.propose(desk.mission)


async def breach(lane: Lane, chance: Random, _number: int) -> Life:
    """The law has the department told of somebody of sixteen or seventeen (R114-7)."""
    desk = Desk(lane)
    born = add_years(lane.today, -16) - timedelta(days=chance.randrange(600))
    told = {
        "person_id": desk.person(born.isoformat(), desk.mission),
        "instrument": TRAINING,
        "version": "2026-1",
        "channel": "letter",
        "language": "fr",
        "given_at": (lane.clock.at - timedelta(hours=1)).isoformat(),
    }
    notice_id = new_id()
    write(desk.mission, record_notice, NoticeBody.model_validate_json(json.dumps(told)), notice_id)
    yield 1
    data = {"convened_on": desk.day(-30), "ground": "no_answer", "not_met_on": desk.day()}
    sent = desk.send(desk.mission, BREACH, data, notice_id=notice_id)
    assert not isinstance(sent.decision, Refused), sent.decision
    await lane.carry()
    state = desk.mission.state(sent.message_id)
    if lane.town.designated:
        assert state == "accepted"
        lane.opened(TRAINING, TRAINING)
    else:  # nobody there may read it: it opens a case at its sender alone
        assert state == "refused"
        assert desk.mission.rows(cases, cases.c.case_id == sent.case_id)[0].state == "stopped"
        lane.town.refused[sent.message_id] = sent.case_id or ""
        lane.said("opened", TRAINING, desk.mission, instrument=TRAINING)


LIVES: tuple[tuple[Make, int], ...] = ((autonomy, 6), (interview, 3), (breach, 3))
"""What happens to somebody, and how often beside the others."""
