"""People of a department and a Mission Locale at work on convention D, letters carried by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.gate import Refused
from contracts.kernel.paris import PARIS
from services.chassis import tables
from services.chassis.acts import find_act, perform
from services.chassis.clock import new_id
from services.chassis.erasure import erase_case
from services.chassis.posting import Outcome
from services.chassis.register import (
    AgreementRecord,
    person_left,
    record_agreement,
    register_person,
)
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Role
from services.chassis.views import case as case_view
from services.conventions.d_department_mission_locale.department_routes import HolderNotice, inform
from services.conventions.d_department_mission_locale.models import youths
from services.conventions.d_department_mission_locale.routes import (
    DPIA,
    LOCAL,
    Foundation,
    found,
)
from services.department.partner import PARTNER as DEPARTMENT
from services.mission_locale.partner import PARTNER as MISSION
from tests.pair import Pair, Side

CODE = "d_department_mission_locale"
WORKER = Agent("agent-1", Role.REFERENT)
BORN = "2009-12-15"
"""16 years old; 17 on 15 December 2026."""

CONTACT = {"name": "Camille Fictive", "phone": None, "email": None}
OTHER = {"name": "Alex Inventé", "phone": None, "email": "alex@mission.example"}
REQUEST = {"place": "mission_locale", "priority": True, "referent": CONTACT}
MET = {"outcome": "met", "adviser": OTHER}

CONTACTED, ANSWERED = "youth.contact_requested", "youth.contact_answered"
ENROLMENT, ENROLLED = "enrolment.proposed", "enrolment.outcome"
DIAGNOSIS, DIAGNOSED = "orientation_diagnosis.requested", "orientation_diagnosis.done"
INVITED, COMING, HELD = "interview17.invited", "interview17.answered", "interview17.held"
PROJECT = "autonomy_project.contribution"
PROPOSED, OUTCOME = "youth_contract.proposed", "youth_contract.outcome"
DECIDED, REFERENT = "cosupport.decided", "youth.referent_changed"
YEARLY = "indicator.yearly"


@dataclass
class Desk:
    """Both sides, and the case they work on."""

    pair: Pair
    case_id: str = ""

    @property
    def department(self) -> Side:
        """The first of the pair, whatever its name there."""
        return self.pair.school

    @property
    def mission(self) -> Side:
        return self.pair.city

    @property
    def today(self) -> date:
        return self.pair.clock.at.astimezone(PARIS).date()

    def day(self, days: int = 0) -> str:
        return (self.today + timedelta(days=days)).isoformat()

    def other(self, side: Side) -> Side:
        return self.mission if side is self.department else self.department

    def found(self, side: Side, what: str, decided_on: date | None = None) -> None:
        """One of the two foundations, recorded at a side."""
        body = Foundation(
            convention_id=self.pair.signed_id,
            decided_on=decided_on or self.today,
            evidence="e" * 64,
        )
        at = self.pair.clock.now()
        side.write(lambda tx: found(tx, side.node.core, what, body, "agent-1", at))

    def founded(self) -> None:
        """All four."""
        for side in self.pair.sides:
            for what in (LOCAL, DPIA):
                self.found(side, what)

    def person(self, born: str = BORN, side: Side | None = None) -> str:
        """A young person in the department's register, or in that of the side named."""
        side = side or self.department
        content = {
            "identity": {
                "family_name": "Exemplaire",
                "first_name": "Sacha",
                "birth_date": born,
                "channel": {"kind": "phone", "value": "01 99 00 12 34"},
            },
            "representatives": [
                {
                    "family_name": "Exemplaire",
                    "first_name": "Dominique",
                    "channel": {"kind": "email", "value": "dominique@famille.example"},
                }
            ],
        }
        person, person_id = Person.model_validate_json(json.dumps(content)), new_id()
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: register_person(tx, core, person, person_id, "agent-1", at))
        return person_id

    def left(self, person_id: str) -> None:
        """The department supports the person no more."""
        core, at = self.department.node.core, self.pair.clock.now()
        self.department.write(lambda tx: person_left(tx, core, person_id, "agent-1", at))

    def informed(self, person_id: str) -> str:
        """The holder of parental authority is told."""
        at, side = self.pair.clock.now(), self.department
        notice = HolderNotice(
            person_id=person_id, version="2026-1", channel="letter", language="fr", given_at=at
        )
        side.write(lambda tx: inform(tx, side.node.core, notice, "agent-1", at))
        return person_id

    def agreed(self, person_id: str | None = None, **changes: Any) -> str:
        """The young person's own agreement, given an hour ago; the holder knows."""
        side = self.department
        person_id = person_id or self.informed(self.person())
        before = (self.pair.clock.now() - timedelta(hours=1)).isoformat()
        values: dict[str, Any] = {
            "person_id": person_id,
            "recipients": [self.mission.org],
            "flows": sorted({flow.type for flow in CONVENTION.flows}),
            "giver": "young_person",
            "means": "in_person",
            "granted": True,
            "assent": "yes",
            "notice": {
                "version": "2026-1",
                "channel": "meeting",
                "language": "fr",
                "given_at": before,
            },
            "given_at": before,
        }
        record = AgreementRecord.model_validate_json(json.dumps(values | changes))
        core, at, agreement_id = side.node.core, self.pair.clock.now(), new_id()
        side.write(lambda tx: record_agreement(tx, core, record, agreement_id, "agent-1", at))
        return agreement_id

    def send(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> Outcome:
        """Ask to send to the other side; about the case, unless something opens one."""
        opens = {"agreement_id", "notice_id"} & more.keys() or type_ == YEARLY
        about = {} if opens else {"case_id": self.case_id or None}
        return side.send(type_, self.other(side).org, data, **{**about, **more})

    async def told(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> str:
        """Send what must be allowed and accepted; the case it opens is the one at work on."""
        outcome = self.send(side, type_, data, **more)
        assert not isinstance(outcome.decision, Refused), outcome.decision
        await self.pair.carry()
        assert side.state(outcome.message_id) == "accepted"
        self.case_id = outcome.case_id or self.case_id
        return outcome.message_id

    def refused(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> set[str]:
        """Articles on which a message is refused; empty where it passes."""
        outcome = self.send(side, type_, data, **more)
        return set(outcome.decision.articles) if isinstance(outcome.decision, Refused) else set()

    def act(self, side: Side, name: str, agent: Agent = WORKER, **content: Any) -> None:
        """Record an act about the case."""
        core, at = side.node.core, self.pair.clock.now()
        known = find_act(core, side.instrument(self.case_id), name, agent)
        body = known.payload.model_validate_json(json.dumps(content))
        side.write(lambda tx: perform(tx, core, (name, known), self.case_id, body, agent, at))

    async def on(self, at: datetime) -> None:
        """Go to an instant, and let both schedulers look."""
        self.pair.clock.at = at
        for side in self.pair.sides:
            await side.node.scheduler.look()

    async def later(self, **delta: float) -> None:
        """Let time pass, and both schedulers look."""
        await self.on(self.pair.clock.at + timedelta(**delta))

    def waiting(self, side: Side) -> dict[str, str]:
        """What is due at a side, by kind: pending or missed."""
        table = tables.deadlines
        rows = side.rows(table, table.c.state.in_(("pending", "missed")))
        return {row.kind: row.state for row in sorted(rows, key=lambda row: row.level)}

    def shown(self, side: Side) -> Any:
        """What a side's own agents see of the case."""
        return side.write(lambda tx: case_view(tx, side.node.core, self.case_id))["content"]

    def erased(self, side: Side) -> None:
        """A side destroys the case."""
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: erase_case(tx, core, self.case_id, new_id(), at))

    def row(self, side: Side, table: Any = youths) -> Any:
        (row,) = side.rows(table, table.c.case_id == self.case_id)
        return row

    async def call(
        self, side: Side, role: Role, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        """One call of the API in a role."""
        token = side.node.tokens.make("agent-1", role, self.pair.clock.at, timedelta(hours=1))
        transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://node/api/v1") as client:
            return await client.request(method, path, json=body, headers=headers)

    # -- the way to autonomy -------------------------------------------------------------------

    async def contacted(self, born: str = BORN) -> str:
        """A first contact that the department asks for; returns the person's id."""
        person_id = self.informed(self.person(born))
        await self.told(self.department, CONTACTED, REQUEST, agreement_id=self.agreed(person_id))
        return person_id

    async def met(self, born: str = BORN) -> str:
        """A first contact that took place."""
        person_id = await self.contacted(born)
        await self.told(self.mission, ANSWERED, MET)
        return person_id

    def invitation(self, days: int = 10) -> dict[str, Any]:
        at = self.pair.clock.at + timedelta(days=days)
        return {"at": at.isoformat(), "place": "department", "contact": CONTACT}

    def project(self, **changes: Any) -> dict[str, Any]:
        said = {"actions": ["training_search"], "starts_on": self.day(), "ends_on": None}
        return {**said, **changes}

    def decision(self, **changes: Any) -> dict[str, Any]:
        said = {"mode": "together", "since": self.day(), "view": "agrees", "contact": CONTACT}
        return {**said, **changes}


@contextmanager
def made(folder: Path, url: Callable[[], str]) -> Iterator[Desk]:
    """Both nodes under convention D, and what they work on."""
    with Pair(folder, (url(), url()), partners=(DEPARTMENT, MISSION), convention=CODE) as pair:
        yield Desk(pair)
