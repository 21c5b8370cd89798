"""What may happen to a pupil in a year; each life yields the days until its next step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from contracts.conventions.a_city_school.convention import ALTERNATIVE, ATTENDANCE, PURPOSE
from contracts.gate import Refused
from contracts.kernel.paris import add_years, birthday, midnight
from services.chassis.acts import NoticeBody, record_notice
from services.chassis.clock import new_id
from services.chassis.tables import cases, deadlines
from tests.pair import PUPIL
from tests.services.conventions.a_city_school.support import CONTACT, HOST, Desk
from tests.year.town import Lane, write

Life = AsyncIterator[int]
Make = Callable[[Lane, Random, int], Life]


def first_name(number: int) -> str:
    """One of many invented first names."""
    return f"Zoé-{chr(97 + number // 26)}{chr(97 + number % 26)}"


def pupil(lane: Lane, number: int, born: date) -> str:
    """Register an invented pupil with a parent."""
    body: dict[str, Any] = deepcopy(PUPIL)
    body["identity"]["first_name"] = first_name(number)
    body["identity"]["birth_date"] = born.isoformat()
    return lane.person(body)


def birth(chance: Random) -> date:
    """Of somebody who is ten to sixteen when the year begins."""
    return date(2009 + chance.randrange(6), 1 + chance.randrange(12), 1 + chance.randrange(28))


def referred(lane: Lane, number: int, born: date) -> tuple[Desk, str, str]:
    """A referral on a representative's agreement; the desk, the pupil and the agreement."""
    desk, person_id = Desk(lane), pupil(lane, number, born)
    agreement = lane.agreement(person_id)
    sent = lane.refer(agreement)
    assert not isinstance(sent.decision, Refused), sent.decision
    desk.case_id = sent.case_id or ""
    lane.opened(PURPOSE)
    return desk, person_id, agreement


async def accept(desk: Desk, lane: Lane) -> None:
    """The city accepts, with a referent."""
    yes = {"decision": "accepted", "referent": CONTACT, "next_date": None}
    await desk.told(desk.city, "referral.answered", yes)
    lane.said("referral.answered", "accepted")


async def support(lane: Lane, chance: Random, number: int) -> Life:
    """A referral; most are answered, in time or late; a pathway, news of it or silence, its end."""
    born = birth(chance)
    until = lane.lasts(born)
    desk, person_id, agreement = referred(lane, number, born)
    await lane.carry()
    yield chance.randrange(2, 25)
    lane.still(until)
    if chance.random() < 0.2:
        no = {"decision": "declined", "referent": None, "next_date": None}
        await desk.told(desk.city, "referral.answered", no)
        lane.said("referral.answered", "declined")
        return
    await accept(desk, lane)
    yield chance.randrange(1, 10)
    lane.still(until)
    await desk.told(desk.city, "pathway.opened", desk.opening())
    for _ in range(chance.randrange(4)):
        yield chance.randrange(20, 60)
        lane.still(until)
        stage = {"stage": "engaged", "engaged": chance.random() < 0.7, "next_date": None}
        message = await desk.told(desk.city, "pathway.progress", stage)
        if chance.random() < 0.6:
            desk.act(desk.city, "family_told", message_id=message, channel="phone")
    yield chance.randrange(5, 40)
    lane.still(until)
    match chance.choices(("closed", "withdrawn", "erased"), (8, 1, 1))[0]:
        case "closed":
            closed = {"closed_on": desk.today.isoformat(), "outcome": "objectives_met"}
            await desk.told(desk.city, "pathway.closed", closed)
            lane.said("pathway.closed", "objectives_met")
        case "withdrawn":
            await lane.withdrawn(desk.school, agreement)
            lane.said("stopped", "withdrawn")
        case _:  # whoever has all destroyed takes the agreement back too
            await lane.erased(desk.school, person_id)
            lane.said("stopped", "withdrawn")


async def silence(lane: Lane, chance: Random, number: int) -> Life:
    """Nobody ever answers: the deadline says so, and the case ends with its agreement."""
    desk, _, _ = referred(lane, number, birth(chance))
    await lane.carry()
    yield 40
    about = (deadlines.c.kind == "referral.answer") & (deadlines.c.case_id == desk.case_id)
    assert [row.state for row in desk.city.rows(deadlines, about)] == ["missed"]


async def majority(lane: Lane, _chance: Random, number: int) -> Life:
    """A parent's agreement ends at eighteen, midnight in Paris; the pupil decides alone then."""
    born = add_years(lane.today, -18) + timedelta(days=30)
    desk, person_id, agreement = referred(lane, number, born)
    await lane.carry()
    yield 3
    await accept(desk, lane)
    yield 1
    await desk.told(desk.city, "pathway.opened", desk.opening())
    eighteen = birthday(born, 18)
    yield (eighteen - lane.today).days - 1
    lane.town.tonight.append(lambda: coming_of_age(desk, lane, agreement, midnight(eighteen)))
    yield 3
    own = lane.agreement(person_id, giver="young_person", assent="yes")
    sent = lane.refer(own)
    assert not isinstance(sent.decision, Refused), sent.decision
    lane.opened(PURPOSE)
    desk.case_id = sent.case_id or ""
    await lane.carry()
    yield 4
    await accept(desk, lane)


async def coming_of_age(desk: Desk, lane: Lane, agreement: str, eighteen: datetime) -> None:
    """To the second: news passes before midnight, and nothing from then on (CC 414)."""
    stage = {"stage": "engaged", "engaged": True, "next_date": None}
    lane.clock.at = eighteen - timedelta(seconds=1)
    await desk.told(desk.city, "pathway.progress", stage)
    lane.clock.at = eighteen
    assert desk.refused(desk.city, "pathway.progress", stage) == {"A-2.11"}
    again = lane.refer(agreement)
    assert isinstance(again.decision, Refused)
    assert again.decision.articles == ("A-2.11",)
    await lane.town.at(eighteen)
    assert {
        row.state
        for side in lane.sides
        for row in side.rows(cases, cases.c.case_id == desk.case_id)
    } == {"stopped"}


async def alternative(lane: Lane, chance: Random, number: int) -> Life:
    """A request; a contract that all sign, or that lapses; a measure, an alert, its end."""
    desk, first = Desk(lane), lane.today + timedelta(days=4)
    last = first + timedelta(days=chance.randrange(8))
    born = birth(chance)
    agreement = lane.agreement(
        pupil(lane, number, born), giver="both", associated=["host_association"]
    )
    days = {
        "exclusion_first_day": first.isoformat(),
        "exclusion_last_day": last.isoformat(),
        "wanted_first_day": first.isoformat(),
        "wanted_last_day": last.isoformat(),
    }
    sent = desk.send(
        desk.school, "alternative.requested", days, case_id=None, agreement_id=agreement
    )
    assert not isinstance(sent.decision, Refused), sent.decision
    desk.case_id = sent.case_id or ""
    lane.opened(ALTERNATIVE)
    await lane.carry()
    yield 1
    if chance.random() < 0.2:
        no = {"decision": "declined", "contact": None}
        await desk.told(desk.city, "alternative.answered", no)
        lane.said("alternative.answered", "declined")
        return
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    lane.said("alternative.answered", "accepted")
    yield 1
    complete = await contracted(desk, chance, first, last)
    yield (first - desk.today).days
    if not complete:
        return
    await received(desk, lane, chance)
    yield (last - desk.today).days
    outcome = "ended_hygiene" if chance.random() < 0.3 else "completed"
    ended = {"outcome": outcome, "ended_on": desk.today.isoformat(), "booklet_handed": True}
    await desk.told(desk.school, "alternative.ended", ended)
    lane.said("alternative.ended", outcome)
    yield 2
    if chance.random() < 0.7:
        desk.act(desk.school, "booklet_shown", on=desk.today.isoformat(), shown=True)


async def contracted(desk: Desk, chance: Random, first: date, last: date) -> bool:
    """The four sign, or three of them; whether all did."""
    day, complete = desk.today.isoformat(), chance.random() < 0.8
    between = {"first_day": first.isoformat(), "last_day": last.isoformat(), "host": HOST}
    ours = desk.contract(**between, youth_service=day)
    await desk.told(desk.city, "alternative.contract_status", ours)
    parent = day if complete else None
    theirs = desk.contract(**between, head_teacher=day, pupil=day, representative=parent)
    await desk.told(desk.school, "alternative.contract_status", theirs)
    return complete


async def received(desk: Desk, lane: Lane, chance: Random) -> None:
    """The first day; somebody may be missing, and the alert about it be read or not."""
    came = chance.random() < 0.8
    desk.act(desk.city, "reception", on=desk.today.isoformat(), pupil=True, representative=came)
    if chance.random() < 0.5:
        at = lane.clock.at.isoformat()
        alert = {"kind": "absence", "at": at, "call_back": "+33 1 99 00 12 34"}
        message = await desk.told(desk.city, "alternative.alert", alert)
        lane.said("alternative.alert", "absence")
        if chance.random() < 0.7:
            desk.read(desk.school, message)
            await lane.carry()


async def attendance(lane: Lane, chance: Random, number: int) -> Life:
    """The mayor is told; the family was informed, and nobody's agreement is asked."""
    desk, person_id = Desk(lane), pupil(lane, number, birth(chance))
    at, notice_id = lane.clock.at, new_id()
    notice = NoticeBody(
        person_id=person_id,
        instrument="mayor_attendance",
        version="2026-1",
        channel="letter",
        language="fr",
        given_at=at,
    )
    write(desk.school, record_notice, notice, notice_id)
    yield 1
    event = {"event": "attendance_warning", "on": desk.today.isoformat()}
    await desk.told(
        desk.school, "attendance.municipal_notice", event, case_id=None, notice_id=notice_id
    )
    lane.opened(ATTENDANCE, "mayor_attendance")


async def watch_cell(lane: Lane, chance: Random, _number: int) -> Life:
    """A watch cell every few weeks."""
    desk, at = Desk(lane), lane.clock.at + timedelta(days=chance.randrange(2, 12))
    data = {"at": at.isoformat(), "place": "Salle B2", "situations": 1 + chance.randrange(6)}
    await desk.told(desk.school, "watch_cell.convened", data, case_id=None)
    yield 1


LIVES: tuple[tuple[Make, int], ...] = (
    (support, 10),
    (alternative, 5),
    (attendance, 2),
    (silence, 1),
    (majority, 1),
)
"""What happens to a pupil, and how often beside the others."""
