"""What may happen to a pupil in a year, step by step; each yields the days until the next step."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from contracts.gate import Refused
from services.chassis.acts import NoticeBody, record_notice
from services.chassis.agreements import withdraw
from services.chassis.clock import new_id
from services.city.models import designations
from tests.pair import PUPIL
from tests.services.conventions.a_city_school.support import CONTACT, HOST, Desk

Life = AsyncIterator[int]


@dataclass
class Worker(Desk):
    """A desk that keeps count of what its messages told, to compare with the review's numbers."""

    counted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def said(self, what: str, code: str) -> None:
        """Count what a message told."""
        self.counted[what, code] += 1


Make = Callable[[Worker, Random, int], Life]


def pupil(desk: Worker, chance: Random, number: int) -> str:
    """Register an invented pupil of eleven to seventeen with a parent."""
    body: dict[str, Any] = deepcopy(PUPIL)
    year, month, day = (
        2010 + chance.randrange(6),
        1 + chance.randrange(12),
        1 + chance.randrange(28),
    )
    body["identity"]["first_name"] = f"Zoé-{chr(97 + number // 26)}{chr(97 + number % 26)}"
    body["identity"]["birth_date"] = f"{year:04}-{month:02}-{day:02}"
    return desk.pair.person(body)


async def support(desk: Worker, chance: Random, number: int) -> Life:
    """A referral; most are answered, in time or late; a pathway, news of it or silence, its end."""
    agreement = desk.pair.agreement(pupil(desk, chance, number))
    sent = desk.pair.refer(agreement)
    assert not isinstance(sent.decision, Refused), sent.decision
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    yield chance.randrange(2, 25)
    accepted = chance.random() < 0.8
    answer = {"decision": "accepted", "referent": CONTACT, "next_date": None}
    if not accepted:
        answer = {"decision": "declined", "referent": None, "next_date": None}
    await desk.told(desk.city, "referral.answered", answer)
    desk.said("referral.answered", str(answer["decision"]))
    if not accepted:
        return
    yield chance.randrange(1, 10)
    await desk.told(desk.city, "pathway.opened", desk.opening())
    for _ in range(chance.randrange(4)):
        yield chance.randrange(20, 60)
        stage = {"stage": "engaged", "engaged": chance.random() < 0.7, "next_date": None}
        message = await desk.told(desk.city, "pathway.progress", stage)
        if chance.random() < 0.6:
            desk.act(desk.city, "family_told", message_id=message, channel="phone")
    yield chance.randrange(5, 40)
    if chance.random() < 0.15:
        core, at = desk.school.node.core, desk.pair.clock.at
        desk.school.write(lambda tx: withdraw(tx, core, agreement, None, at))
        await desk.pair.carry()
        desk.said("stopped", "withdrawn")
    else:
        closed = {"closed_on": desk.today.isoformat(), "outcome": "objectives_met"}
        await desk.told(desk.city, "pathway.closed", closed)
        desk.said("pathway.closed", "objectives_met")


async def alternative(desk: Worker, chance: Random, number: int) -> Life:
    """A request; a contract that all sign, or that lapses; a measure, an alert, its end."""
    first = desk.today + timedelta(days=4)
    last = first + timedelta(days=chance.randrange(8))
    days = {
        "exclusion_first_day": first.isoformat(),
        "exclusion_last_day": last.isoformat(),
        "wanted_first_day": first.isoformat(),
        "wanted_last_day": last.isoformat(),
    }
    agreement = desk.pair.agreement(
        pupil(desk, chance, number), giver="both", associated=["host_association"]
    )
    sent = desk.send(
        desk.school, "alternative.requested", days, case_id=None, agreement_id=agreement
    )
    assert not isinstance(sent.decision, Refused), sent.decision
    desk.case_id = sent.case_id or ""
    await desk.pair.carry()
    yield 1
    if chance.random() < 0.2:
        await desk.told(
            desk.city, "alternative.answered", {"decision": "declined", "contact": None}
        )
        desk.said("alternative.answered", "declined")
        return
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    desk.said("alternative.answered", "accepted")
    yield 1
    day = desk.today.isoformat()
    between = {"first_day": first.isoformat(), "last_day": last.isoformat(), "host": HOST}
    ours = desk.contract(**between, youth_service=day)
    await desk.told(desk.city, "alternative.contract_status", ours)
    complete = chance.random() < 0.8
    theirs = desk.contract(
        **between, head_teacher=day, pupil=day, representative=day if complete else None
    )
    await desk.told(desk.school, "alternative.contract_status", theirs)
    yield (first - desk.today).days
    if not complete:
        return
    came = chance.random() < 0.8
    desk.act(desk.city, "reception", on=first.isoformat(), pupil=True, representative=came)
    if chance.random() < 0.5:
        at = desk.pair.clock.at.isoformat()
        alert = {"kind": "absence", "at": at, "call_back": "+33 1 99 00 12 34"}
        message = await desk.told(desk.city, "alternative.alert", alert)
        desk.said("alternative.alert", "absence")
        if chance.random() < 0.7:
            desk.read(desk.school, message)
            await desk.pair.carry()
    yield (last - desk.today).days
    interrupted = chance.random() < 0.3
    outcome = "ended_hygiene" if interrupted else "completed"
    ended = {"outcome": outcome, "ended_on": desk.today.isoformat(), "booklet_handed": True}
    await desk.told(desk.school, "alternative.ended", ended)
    desk.said("alternative.ended", outcome)
    yield 2
    if chance.random() < 0.7:
        desk.act(desk.school, "booklet_shown", on=desk.today.isoformat(), shown=True)


async def attendance(desk: Worker, chance: Random, number: int) -> Life:
    """The mayor is told; the family was informed, and nobody's agreement is asked."""
    person_id = pupil(desk, chance, number)
    core, at = desk.school.node.core, desk.pair.clock.at
    notice = NoticeBody(
        person_id=person_id,
        instrument="mayor_attendance",
        version="2026-1",
        channel="letter",
        language="fr",
        given_at=at,
    )
    notice_id = new_id()
    desk.school.write(lambda tx: record_notice(tx, core, notice, notice_id, "agent-1", at))
    yield 1
    event = {"event": "attendance_warning", "on": desk.today.isoformat()}
    await desk.told(
        desk.school, "attendance.municipal_notice", event, case_id=None, notice_id=notice_id
    )


async def watch_cell(desk: Worker, chance: Random, _number: int) -> Life:
    """A watch cell every few weeks."""
    at = desk.pair.clock.at + timedelta(days=chance.randrange(2, 12))
    data = {"at": at.isoformat(), "place": "Salle B2", "situations": 1 + chance.randrange(6)}
    await desk.told(desk.school, "watch_cell.convened", data, case_id=None)
    yield 1


def designate(desk: Desk) -> None:
    """The mayor designates an agent for attendance."""
    row = {"agent_id": "agent-7", "first_day": desk.today, "last_day": None, "decision": "exemple"}
    desk.city.write(lambda tx: tx.insert(designations, row))
