"""People of the employment agency and of the city at work on convention C, carried by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.gate import Refused
from contracts.kernel.paris import PARIS
from services.chassis import tables, unfiled
from services.chassis.acts import find_act, perform
from services.chassis.bundle import Bundle
from services.chassis.clock import new_id
from services.chassis.erasure import erase_case
from services.chassis.posting import Outcome
from services.chassis.register import (
    AgreementRecord,
    record_agreement,
    register_person,
)
from services.chassis.schema import journal
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Role
from services.chassis.views import case as case_view
from services.city.partner import PARTNER as CITY
from services.conventions.c_employment_city_ccas import (
    desks,
    governance,
    offers,
    seekers,
    tutors,
)
from services.employment_agency.partner import PARTNER as AGENCY
from tests.pair import Pair, Side, TestClock
from tests.services.conventions.c_employment_city_ccas.trio import Trio

CODE = CONVENTION.code
START = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
SIGNED_ON = date(2025, 1, 6)
WORKER = Agent("agent-1", Role.AGENT)
TUTOR = Agent("tutrice-7", Role.AGENT)
OUTSIDER = Agent("agent-social", Role.MANAGER)
SEEKER: dict[str, Any] = {
    "identity": {
        "family_name": "Imaginaire",
        "first_name": "Maxence",
        "birth_date": "1988-06-12",
        "channel": {"kind": "phone", "value": "01 99 00 56 78"},
    },
    "representatives": [],
}
SECRETS = ("Imaginaire", "Maxence", "+33199005678", "199005678", "0199005678", "01 99 00 56 78")
"""What must never be found at the city."""
OFFER = "0f" * 16
CONTACT = {"name": "Camille Fictive", "role": "conseillère", "phone": None, "email": None}
FIRST, LAST = date(2025, 4, 1), date(2025, 9, 30)
"""A contract of six months; its booklets are due on 30 April, 30 June and 15 August."""


@dataclass
class Desk:
    """Both sides, and the case they work on."""

    pair: Pair
    case_id: str = ""

    @property
    def agency(self) -> Side:
        """The first of the pair, whatever its name there."""
        return self.pair.school

    @property
    def city(self) -> Side:
        return self.pair.city

    @property
    def now(self) -> datetime:
        return self.pair.clock.at

    @property
    def today(self) -> date:
        return self.now.astimezone(PARIS).date()

    def other(self, side: Side) -> Side:
        return self.city if side is self.agency else self.agency

    # -- what each side records beside messages

    def ready(self) -> None:
        """Both desks staffed, the text read, the employer interviewed, a tutor registered."""
        for side in (self.city, self.agency):
            self.seated(side)
            for agent in (WORKER, TUTOR, OUTSIDER):
                self.read(side, agent.agent_id)
        self.interviewed()
        self.tutor()

    def seated(self, side: Side, *, works: bool = True) -> None:
        """The agent takes the desk of the employer's axis at a side, or leaves it."""
        lead = side is self.agency
        seat = desks.Desk(
            task="employer" if lead else "human_resources",
            agency="beauvoisine" if lead else None,
            agent_id="agent-1",
        )
        core, now, do = side.node.core, self.now, desks.open_desk if works else desks.close_desk
        side.write(lambda tx: do(tx, core, seat, "agent-0", now))

    def read(self, side: Side, agent_id: str = "agent-1") -> None:
        """An agent of a side says that the convention's present version is known."""
        core, now = side.node.core, self.now
        version = core.directory.conventions[self.pair.signed_id].version_at(now)
        body = governance.Reading(convention_id=self.pair.signed_id, version=version or 1)
        side.write(lambda tx: governance.acknowledge(tx, core, body, agent_id, now))

    def interviewed(self) -> None:
        core, now = self.city.node.core, self.now
        self.city.write(lambda tx: offers.interview(tx, core, self.today, "agent-1", now))

    def tutor(self, **changes: Any) -> None:
        """A tutor whom every rule allows, but for the changes."""
        fit = {
            "staff_id": TUTOR.agent_id,
            "volunteered_on": "2025-02-01",
            "qualified_on": "2025-02-01",
            "working_since": "2015-09-01",
            "supported": False,
        }
        body = tutors.Tutor.model_validate_json(json.dumps(fit | changes))
        core, now = self.city.node.core, self.now
        self.city.write(lambda tx: tutors.record(tx, core, body, "agent-1", now))

    def person(self, born: str = "1988-06-12", **changes: Any) -> str:
        """A job seeker of the agency's register, with all that a proposal asks for."""
        content = {**SEEKER, "identity": {**SEEKER["identity"], "birth_date": born}}
        person, person_id = Person.model_validate_json(json.dumps(content)), new_id()
        core, now = self.agency.node.core, self.now
        self.agency.write(lambda tx: register_person(tx, core, person, person_id, "agent-1", now))
        self.seeker(person_id, **changes)
        return person_id

    def seeker(self, person_id: str, **changes: Any) -> None:
        """What the agency's file says of a person."""
        known: dict[str, Any] = {
            "person_id": person_id,
            "counsellor": "agent-1",
            "commune": "76540",
            "eligible": True,
            "explained": True,
            "questioning": True,
        }
        body = seekers.Seeker.model_validate(known | changes)
        core, now = self.agency.node.core, self.now
        self.agency.write(lambda tx: seekers.record(tx, core, body, "agent-1", now))

    def agreed(self, person_id: str | None = None, **changes: Any) -> str:
        """The person's own agreement, given an hour ago."""
        before = (self.now - timedelta(hours=1)).isoformat()
        values: dict[str, Any] = {
            "person_id": person_id or self.person(),
            "recipients": [self.city.org],
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
        if changes.get("giver") == "both":
            values["authority"] = "parental"
        record = AgreementRecord.model_validate_json(json.dumps(values | changes))
        core, now, agreement_id = self.agency.node.core, self.now, new_id()
        self.agency.write(
            lambda tx: record_agreement(tx, core, record, agreement_id, "agent-1", now)
        )
        return agreement_id

    # -- messages

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

    async def turned_away(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> None:
        """Allowed here, and refused at the other side's own gate."""
        outcome = self.send(side, type_, data, **more)
        assert not isinstance(outcome.decision, Refused), outcome.decision
        await self.pair.carry()
        assert side.state(outcome.message_id) == "refused"

    def act(self, side: Side, name: str, agent: Agent = WORKER, **content: Any) -> None:
        """Record an act about the case."""
        core, now = side.node.core, self.now
        known = find_act(core, side.instrument(self.case_id), name, agent)
        body = known.payload.model_validate_json(json.dumps(content))
        side.write(lambda tx: perform(tx, core, (name, known), self.case_id, body, agent, now))

    # -- time

    async def on(self, at: datetime) -> None:
        """Go to an instant, and let both schedulers look."""
        self.pair.clock.at = at
        for side in self.pair.sides:
            await side.node.scheduler.look()

    async def later(self, **delta: float) -> None:
        await self.on(self.now + timedelta(**delta))

    def waiting(self, side: Side) -> dict[str, str]:
        """What is due at a side, by kind (and step): pending or missed."""
        table = tables.deadlines
        rows = side.rows(table, table.c.state.in_(("pending", "missed")))
        mine = [row for row in rows if row.case_id is not None]
        return {
            row.kind + row.subject[32:]: row.state for row in sorted(mine, key=lambda r: r.level)
        }

    # -- what is seen

    def shown(self, side: Side) -> Any:
        """What a side's own agents see of the case."""
        return side.write(lambda tx: case_view(tx, side.node.core, self.case_id))["content"]

    def row(self, side: Side, table: Any) -> Any:
        (row,) = side.rows(table, table.c.case_id == self.case_id)
        return row

    async def seen(self, message_id: str, agent: Agent = WORKER) -> Any:
        """Ask to see a content, and look once the sender answered."""
        self.ask(message_id, agent)
        await self.pair.carry()
        return self.look(message_id, agent)

    def ask(self, message_id: str, agent: Agent = WORKER) -> None:
        core, now = self.city.node.core, self.now
        self.city.write(lambda tx: unfiled.ask(tx, core, message_id, agent, now))

    def look(self, message_id: str, agent: Agent = WORKER) -> Any:
        core, now = self.city.node.core, self.now
        return self.city.write(lambda tx: unfiled.look(tx, core, message_id, agent, now))["data"]

    def lines(self, side: Side, message_id: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """What a journal says of a message: event, outcome, articles."""
        rows = side.rows(journal, journal.c.message_id == message_id)
        return [(r.event, r.outcome, tuple(r.articles)) for r in sorted(rows, key=lambda r: r.seq)]

    def erased(self, side: Side) -> None:
        """A side destroys the case."""
        core, now = side.node.core, self.now
        side.write(lambda tx: erase_case(tx, core, self.case_id, new_id(), now))

    # -- the way to a contract

    def offer(self, **changes: Any) -> dict[str, Any]:
        return {
            "offer_id": OFFER,
            "post": "agente d'accueil",
            "trade": "M1601",
            "weekly_hours": 26,
            "starts_on": "2025-04-01",
            "closes_on": "2025-03-31",
            "eligible_tutor": True,
            "may_become_permanent": True,
            **changes,
        }

    async def published(self, **changes: Any) -> None:
        await self.told(self.city, "pec.offer_published", self.offer(**changes))

    async def proposed(self) -> tuple[str, str]:
        """A candidate for a published offer; returns the message, and the agreement behind it."""
        await self.published()
        agreement = self.agreed()
        data = {"offer_id": OFFER}
        sent = await self.told(self.agency, "pec.candidate_proposed", data, agreement_id=agreement)
        return sent, agreement

    async def retained(self) -> None:
        await self.proposed()
        await self.told(self.city, "pec.candidate_outcome", {"outcome": "retained"})

    def commitment(self, first: date = FIRST, last: date = LAST, **changes: Any) -> dict[str, Any]:
        return {
            "skills": ["12345"],
            "training": ["refresher"],
            "support": ["taking_up_the_post"],
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
            "job_counsellor": "2025-03-01",
            "employee": "2025-03-02",
            "workplace_tutor": "2025-03-03",
            **changes,
        }

    async def contract(self) -> None:
        """A contract that three signed, with its tutor."""
        await self.retained()
        self.act(self.city, "tutor_named", staff_id=TUTOR.agent_id)
        await self.told(self.city, "pec.commitment_agreed", self.commitment())

    async def booklet(self, step: str, due_on: str) -> None:
        """A booklet that is asked for."""
        await self.told(self.agency, "pec.booklet_due", {"step": step, "due_on": due_on})


@contextmanager
def made(
    folder: Path, url: Callable[[], str], *, ready: bool = True, at: datetime = START
) -> Iterator[Desk]:
    """Both nodes under convention C in its own term, and what they work on."""
    with Trio(
        folder,
        (url(), url()),
        signed_on=SIGNED_ON,
        clock=TestClock(at),
        partners=(AGENCY, CITY),
        convention=CODE,
    ) as pair:
        pair.publish(Bundle(entries=(pair.third.entry(),)))
        desk = Desk(pair)
        for side in pair.sides:
            for agent in (TUTOR, OUTSIDER):
                side.charter(agent.agent_id)
        if ready:
            desk.ready()
        yield desk
