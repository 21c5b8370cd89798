"""People of a school and of the city at work on convention A, letters carried by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from contracts.gate import Refused
from contracts.kernel.paris import PARIS
from services.chassis import tables
from services.chassis.acts import find_act, perform, read_message
from services.chassis.clock import new_id
from services.chassis.posting import Outcome
from services.chassis.tokens import Agent, Role
from services.city.models import hosts
from services.conventions.a_city_school.models import measures, pathways
from tests.pair import ANSWER, Pair, Side

HEAD = Agent("agent-1", Role.MANAGER)
YOUTH = Agent("agent-1", Role.REFERENT)
CONTACT = ANSWER["referent"]
HOST = "Jardins partagés"
ALERT = {"kind": "absence", "call_back": "+33639981234"}


def paris(day: date, hour: int = 10, minute: int = 0) -> datetime:
    """An instant of a legal day."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


@dataclass
class Desk:
    """Both sides, and the case they work on."""

    pair: Pair
    case_id: str = ""

    @property
    def school(self) -> Side:
        return self.pair.school

    @property
    def city(self) -> Side:
        return self.pair.city

    @property
    def today(self) -> date:
        return self.pair.clock.at.astimezone(PARIS).date()

    def send(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> Outcome:
        """Ask to send to the other side, about the case."""
        other = self.city if side is self.school else self.school
        more = {"case_id": self.case_id, "agent_role": Role.MANAGER.value, **more}
        return side.send(type_, other.org, data, **more)

    async def told(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> str:
        """Send what must be allowed and accepted; returns the message's id."""
        outcome = self.send(side, type_, data, **more)
        assert not isinstance(outcome.decision, Refused), outcome.decision
        await self.pair.carry()
        assert side.state(outcome.message_id) == "accepted"
        return outcome.message_id

    def refused(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> set[str]:
        """Articles on which a message is refused; empty where it passes."""
        outcome = self.send(side, type_, data, **more)
        return set(outcome.decision.articles) if isinstance(outcome.decision, Refused) else set()

    def act(self, side: Side, name: str, agent: Agent = HEAD, **content: Any) -> None:
        """Record an act about the case."""
        core, at = side.node.core, self.pair.clock.now()
        known = find_act(core, side.instrument(self.case_id), name, agent)
        body = known.payload.model_validate_json(json.dumps(content))
        side.write(lambda tx: perform(tx, core, (name, known), self.case_id, body, agent, at))

    def read(self, side: Side, message_id: str) -> None:
        """Somebody reads a message that came."""
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: read_message(tx, core, message_id, HEAD, at))

    async def later(self, **delta: float) -> None:
        """Let time pass, and both schedulers look."""
        self.pair.clock.at += timedelta(**delta)
        await self.look()

    async def on(self, at: datetime) -> None:
        """Go to an instant."""
        self.pair.clock.at = at
        await self.look()

    async def look(self) -> None:
        for side in self.pair.sides:
            await side.node.scheduler.look()

    def waiting(self, side: Side) -> dict[str, str]:
        """What is due about cases at a side, by kind: pending or missed."""
        table = tables.deadlines
        about = table.c.state.in_(("pending", "missed")) & table.c.kind.not_like("convention.%")
        rows = side.rows(table, about)
        return {row.kind: row.state for row in sorted(rows, key=lambda row: row.level)}

    def status(self, side: Side) -> str:
        (row,) = side.rows(measures, measures.c.case_id == self.case_id)
        return str(row.status)

    def pathway(self, side: Side) -> Any:
        (row,) = side.rows(pathways, pathways.c.case_id == self.case_id)
        return row

    # -- the shared support --------------------------------------------------------------------

    async def referred(self) -> None:
        """A referral, accepted, with its referent."""
        sent = self.pair.refer()
        self.case_id = sent.case_id or ""
        await self.pair.carry()
        await self.told(self.city, "referral.answered", ANSWER)

    async def opened(self) -> None:
        """A pathway."""
        await self.referred()
        await self.told(self.city, "pathway.opened", self.opening())

    def opening(self) -> dict[str, Any]:
        review = self.today + timedelta(days=30)
        return {
            "opened_on": self.today.isoformat(),
            "objectives": ["attendance", "guidance"],
            "strategy": ["individual_support"],
            "review_on": review.isoformat(),
        }

    # -- the alternative to exclusion ----------------------------------------------------------

    def agreed(self, **changes: Any) -> str:
        """Pupil and representative agree, and name the association that receives."""
        return self.pair.agreement(
            **{"giver": "both", "associated": ["host_association"], **changes}
        )

    async def requested(self, days: int = 5, **more: Any) -> None:
        """A request for an exclusion that begins in a week."""
        sent = self.send(
            self.school,
            "alternative.requested",
            self.request(days),
            case_id=None,
            **{"agreement_id": self.agreed(), **more},
        )
        assert not isinstance(sent.decision, Refused), sent.decision
        self.case_id = sent.case_id or ""
        await self.pair.carry()

    @property
    def first_day(self) -> date:
        return date(2026, 11, 30)

    def request(self, days: int = 5, **changes: Any) -> dict[str, Any]:
        last = self.first_day + timedelta(days=days - 1)
        return {
            "exclusion_first_day": self.first_day.isoformat(),
            "exclusion_last_day": last.isoformat(),
            "wanted_first_day": self.first_day.isoformat(),
            "wanted_last_day": last.isoformat(),
            **changes,
        }

    async def accepted(self) -> None:
        """A request that the city accepts."""
        await self.requested()
        self.host()
        await self.told(
            self.city, "alternative.answered", {"decision": "accepted", "contact": CONTACT}
        )

    def host(self, name: str = HOST, **changes: Any) -> None:
        """An association under agreement with the city."""
        row = {
            "host_id": new_id(),
            "name": name,
            "nature": "association",
            "agreement": "convention 2026-7",
            "first_day": date(2026, 9, 1),
            "last_day": date(2027, 8, 31),
            **changes,
        }
        self.city.write(lambda tx: tx.insert(hosts, row))

    def contract(self, **changes: Any) -> dict[str, Any]:
        """The contract as one side tells it."""
        last = self.first_day + timedelta(days=4)
        return {
            "head_teacher": None,
            "youth_service": None,
            "pupil": None,
            "representative": None,
            "first_day": self.first_day.isoformat(),
            "last_day": last.isoformat(),
            "host": HOST,
            "task_tutor": CONTACT,
            **changes,
        }

    async def signed(self) -> None:
        """A contract with its four signatures."""
        await self.accepted()
        day = self.today.isoformat()
        await self.told(self.city, "alternative.contract_status", self.contract(youth_service=day))
        await self.told(
            self.school,
            "alternative.contract_status",
            self.contract(head_teacher=day, pupil=day, representative=day),
        )

    async def running(self) -> None:
        """The first day."""
        await self.signed()
        await self.on(paris(self.first_day))
