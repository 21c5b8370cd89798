"""People of a Mission Locale and of the city at work on convention B, letters carried by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.gate import Refused
from contracts.kernel.paris import PARIS
from services.chassis import tables
from services.chassis.acts import find_act, perform
from services.chassis.clock import new_id
from services.chassis.erasure import erase_case
from services.chassis.governance import Review, record_review
from services.chassis.posting import Outcome
from services.chassis.register import AgreementRecord, record_agreement, register_person
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Role
from services.chassis.views import case as case_view
from services.city.partner import PARTNER as CITY
from services.conventions.b_city_mission_locale.routes import (
    PsadCharter,
    RepresentativeNotice,
    inform,
    sign_charter,
)
from services.mission_locale.partner import PARTNER as MISSION
from tests.pair import Pair, Side

CODE = "b_city_mission_locale"
WORKER = Agent("agent-1", Role.REFERENT)
YOUNG: dict[str, Any] = {
    "identity": {
        "family_name": "Exemplaire",
        "first_name": "Sacha",
        "birth_date": "2009-03-09",
        "channel": {"kind": "phone", "value": "01 99 00 12 34"},
    },
    "representatives": [],
}
"""17 years old until 9 March 2027."""

CONTACT = {"name": "Camille Fictive", "role": "conseillère", "phone": None, "email": None}
OTHER = {"name": "Alex Inventé", "role": "éducateur", "phone": None, "email": None}
REQUEST = {
    "theme": "se-former--trouver-sa-formation",
    "scheme": None,
    "contact_mode": "phone",
    "adapted_reception": True,
}


@dataclass
class Desk:
    """Both sides, and the case they work on."""

    pair: Pair
    case_id: str = ""

    @property
    def mission(self) -> Side:
        """The first of the pair, whatever its name there."""
        return self.pair.school

    @property
    def city(self) -> Side:
        return self.pair.city

    @property
    def today(self) -> date:
        return self.pair.clock.at.astimezone(PARIS).date()

    def other(self, side: Side) -> Side:
        return self.city if side is self.mission else self.mission

    def person(self, side: Side, born: str = "2009-03-09") -> str:
        """A young person in one side's register."""
        content = {**YOUNG, "identity": {**YOUNG["identity"], "birth_date": born}}
        person, person_id = Person.model_validate_json(json.dumps(content)), new_id()
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: register_person(tx, core, person, person_id, "agent-1", at))
        return person_id

    def informed(self, side: Side, person_id: str) -> str:
        """The representative of a person is told."""
        at = self.pair.clock.now()
        notice = RepresentativeNotice(
            person_id=person_id, version="2026-1", channel="letter", language="fr", given_at=at
        )
        side.write(lambda tx: inform(tx, side.node.core, notice, "agent-1", at))
        return person_id

    def agreed(self, side: Side, person_id: str | None = None, **changes: Any) -> str:
        """The young person's own agreement, given an hour ago; a minor's representative knows."""
        person_id = person_id or self.informed(side, self.person(side))
        before = (self.pair.clock.now() - timedelta(hours=1)).isoformat()
        values: dict[str, Any] = {
            "person_id": person_id,
            "recipients": [self.other(side).org],
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
        """Ask to send to the other side; about the case, unless an agreement opens one."""
        about = {} if "agreement_id" in more else {"case_id": self.case_id or None}
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

    def charter(self, side: Side, signed_on: date) -> None:
        """The city's signature of the platform's charter, recorded at one side."""
        body, at = PsadCharter(signed_on=signed_on, evidence="e" * 64), self.pair.clock.now()
        side.write(lambda tx: sign_charter(tx, side.node.core, body, "agent-1", at))

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

    def met(self, side: Side, held_on: date) -> Any:
        """Both sides met to evaluate: the day by which they meet again."""
        core, at, signed = side.node.core, self.pair.clock.now(), self.pair.signed_id
        review = Review(held_on=held_on)
        return side.write(lambda tx: record_review(tx, core, signed, review, "agent-1", at))

    def erased(self, side: Side) -> None:
        """A side destroys the case."""
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: erase_case(tx, core, self.case_id, new_id(), at))

    def row(self, side: Side, table: Any) -> Any:
        (row,) = side.rows(table, table.c.case_id == self.case_id)
        return row

    def opening(self, **changes: Any) -> dict[str, Any]:
        """What opens a co-support."""
        return {
            "opened_on": self.today.isoformat(),
            "referent": CONTACT,
            "other_referent": None,
            "objectives": ["training", "mobility"],
            "next_date": (self.today + timedelta(days=14)).isoformat(),
            **changes,
        }

    async def opened(self, side: Side | None = None) -> None:
        """A co-support that the city opens, or the side named, with no referent yet opposite."""
        side = side or self.city
        await self.told(side, "cosupport.opened", self.opening(), agreement_id=self.agreed(side))

    async def paired(self) -> None:
        """A co-support with its two referents."""
        await self.opened()
        self.act(self.mission, "cosupport_referent", agent_id="agent-1", contact=OTHER)
        await self.pair.carry()

    def checkpoint(self, **changes: Any) -> dict[str, Any]:
        """Where it stands."""
        return {
            "stage": "engaged",
            "next_date": (self.today + timedelta(days=14)).isoformat(),
            "no_answer_since": None,
            "adaptations": None,
            **changes,
        }


@contextmanager
def made(folder: Path, url: Callable[[], str]) -> Iterator[Desk]:
    """Both nodes under convention B, and what they work on."""
    with Pair(folder, (url(), url()), partners=(MISSION, CITY), convention=CODE) as pair:
        yield Desk(pair)
