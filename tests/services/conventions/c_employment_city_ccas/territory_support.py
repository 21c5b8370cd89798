"""The employment agency, the city and the CCAS at work on convention C, letters carried by hand.

Two of the three have whole nodes in each test; the third one signs.
"""

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
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import PARIS
from services.ccas.partner import PARTNER as CCAS
from services.chassis import tables
from services.chassis.acts import find_act, perform
from services.chassis.bundle import Bundle
from services.chassis.clock import new_id
from services.chassis.erasure import erase_case
from services.chassis.posting import Outcome
from services.chassis.register import AgreementRecord, record_agreement, register_person
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Role
from services.chassis.views import case as case_view
from services.city.partner import PARTNER as CITY
from services.conventions.c_employment_city_ccas import desks, governance, seekers
from services.conventions.c_employment_city_ccas import territory_referents as colleagues
from services.conventions.c_employment_city_ccas import territory_volunteers as people
from services.employment_agency.partner import PARTNER as AGENCY
from tests.pair import Pair, Side, TestClock
from tests.parties import Organisation
from tests.services.conventions.c_employment_city_ccas.trio import Trio

CODE = "c_employment_city_ccas"
NOW = datetime(2025, 11, 12, 9, 0, tzinfo=UTC)
OPENED = date(2024, 3, 1)
END, AGAIN = date(2026, 1, 1), date(2028, 1, 1)
"""First days after the text's own term, and after the one that an amendment gives it."""

WORKER = Agent("agent-1", Role.REFERENT)
CONTACT = {"name": "Camille Fictive", "role": "conseillère", "phone": None, "email": None}
SECOND = {"name": "Alex Inventé", "role": "conseiller", "phone": None, "email": None}
SEEKER: dict[str, Any] = {
    "identity": {
        "family_name": "Exemplaire",
        "first_name": "Sacha",
        "birth_date": "1990-06-01",
        "channel": {"kind": "phone", "value": "01 99 00 12 34"},
    },
    "representatives": [],
}

OPPORTUNITY = {
    "site": "Chantier du pont",
    "trade": "F1702",
    "first_day": "2025-12-01",
    "last_day": "2026-02-27",
}
CAMPAIGN = {
    "event": "presentation",
    "at": "2025-12-04T17:00:00+01:00",
    "place": "Salle des fêtes",
    "means": "email",
    "priority_districts_only": True,
}
SENT = {"sent_on": "2025-11-12", "reached": 40}
TABLE = {
    "table": "job_seekers",
    "counted_on": "2025-10-31",
    "under_one_year": 400,
    "from_one_to_two": 120,
    "from_two_to_three": None,
    "over_three_years": None,
    "total": 560,
}
SKILLS = {"skills": ["100123"], "needs": ["training"]}
REFERENT = {
    "agency": "saint_sever",
    "task": "social_clauses",
    "first": CONTACT,
    "second": None,
    "since": "2025-09-01",
}
ANTENNA = {"unit": 2, "agency": "beauvoisine", "referent": CONTACT, "since": "2025-09-01"}
ANNOUNCED = {"subject": "inclusion", "medium": "press", "on": "2025-11-20"}


@dataclass
class Office:
    """Two parties, and the case they work on."""

    pair: Pair
    case_id: str = ""

    @property
    def agency(self) -> Side:
        """The first of the pair where the agency is in it; else there is none."""
        return self._of(Kind.EMPLOYMENT_AGENCY)

    @property
    def city(self) -> Side:
        return self._of(Kind.CITY)

    @property
    def ccas(self) -> Side:
        return self._of(Kind.CCAS)

    def _of(self, kind: Kind) -> Side:
        return next(side for side in self.pair.sides if side.node.core.kind is kind)

    @property
    def today(self) -> date:
        return self.pair.clock.at.astimezone(PARIS).date()

    def other(self, side: Side) -> Side:
        first, second = self.pair.sides
        return second if side is first else first

    # --- what people record

    def record(self, side: Side, do: Callable[..., Any], body: Any) -> None:
        """One call of the API, without the web."""
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: do(tx, core, body, "agent-1", at))

    def read(self, side: Side, version: int = 1) -> None:
        """The agent says that the convention is known."""
        body = governance.Reading(convention_id=self.pair.signed_id, version=version)
        self.record(side, governance.acknowledge, body)

    def desk(self, side: Side, task: str, agency: str | None, agent: str = "agent-1") -> Any:
        body = desks.Desk.model_validate({"task": task, "agency": agency, "agent_id": agent})
        self.record(side, desks.open_desk, body)
        return body

    def leave(self, side: Side, task: str, agency: str | None, agent: str = "agent-1") -> None:
        body = desks.Desk.model_validate({"task": task, "agency": agency, "agent_id": agent})
        self.record(side, desks.close_desk, body)

    def tell_staff(self, side: Side, *names: str) -> None:
        for name in names:
            body = colleagues.StaffNotice(name=name, told_at=self.pair.clock.now())
            self.record(side, colleagues.tell_staff, body)

    def report(self, side: Side, term: date, written_on: date | None = None) -> None:
        body = governance.FinalReport(
            convention_id=self.pair.signed_id,
            term_ends_on=term,
            written_on=written_on or self.today,
            evidence="e" * 64,
        )
        self.record(side, governance.record_report, body)

    def ready(self) -> None:
        """Everybody knows the convention, and each desk has its agent."""
        for side in self.pair.sides:
            self.read(side)
            self.tell_staff(side, CONTACT["name"] or "", SECOND["name"] or "")
            if side.node.core.kind is Kind.EMPLOYMENT_AGENCY:
                self.desk(side, "social_clauses", "aubette")
                self.desk(side, "zero_unemployment", "saint_sever")
            elif side.node.core.kind is Kind.CITY:
                self.desk(side, "social_clauses", None)

    def person(self, side: Side, born: str = "1990-06-01") -> str:
        """A job seeker in one side's own register."""
        content = {**SEEKER, "identity": {**SEEKER["identity"], "birth_date": born}}
        person, person_id = Person.model_validate_json(json.dumps(content)), new_id()
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: register_person(tx, core, person, person_id, "agent-1", at))
        return person_id

    def resident(self, person_id: str) -> None:
        body = seekers.Seeker(person_id=person_id, counsellor="agent-1", commune=seekers.COMMUNE)
        self.record(self.agency, seekers.record, body)

    def volunteers(self, person_id: str) -> None:
        body = people.Volunteer(person_id=person_id, asked_at=self.pair.clock.now())
        self.record(self.agency, people.volunteer, body)

    def agreed(self, side: Side, person_id: str | None = None, **changes: Any) -> str:
        """The person's own agreement, given an hour ago."""
        before = (self.pair.clock.now() - timedelta(hours=1)).isoformat()
        values: dict[str, Any] = {
            "person_id": person_id or self.person(side),
            "recipients": [self.other(side).org],
            "flows": sorted({flow.type for flow in CONVENTION.flows}),
            "giver": "young_person",
            "means": "in_person",
            "granted": True,
            "assent": "yes",
            "notice": {
                "version": "2025-1",
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

    # --- messages

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

    async def not_taken(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> None:
        """Send what the sender's gate allows and the receiver's refuses."""
        outcome = self.send(side, type_, data, **more)
        assert not isinstance(outcome.decision, Refused), outcome.decision
        await self.pair.carry()
        assert side.state(outcome.message_id) == "refused"

    def refused(self, side: Side, type_: str, data: dict[str, Any], **more: Any) -> set[str]:
        """Articles on which a message is refused; empty where it passes."""
        outcome = self.send(side, type_, data, **more)
        return set(outcome.decision.articles) if isinstance(outcome.decision, Refused) else set()

    async def asks(self) -> None:
        """The city's referent asks about a candidate."""
        agreement = self.agreed(self.city)
        await self.told(self.city, "clause.eligibility_asked", {}, agreement_id=agreement)

    def act(self, side: Side, name: str, agent: Agent = WORKER, **content: Any) -> None:
        """Record an act about the case."""
        core, at = side.node.core, self.pair.clock.now()
        known = find_act(core, side.instrument(self.case_id), name, agent)
        body = known.payload.model_validate_json(json.dumps(content))
        side.write(lambda tx: perform(tx, core, (name, known), self.case_id, body, agent, at))

    def person_told(self) -> None:
        self.act(self.agency, "person_told", at=self.pair.clock.now().isoformat())

    # --- time, and what is seen

    async def on(self, at: datetime) -> None:
        """Go to an instant, and let both schedulers look."""
        self.pair.clock.at = at
        for side in self.pair.sides:
            await side.node.scheduler.look()
            await side.node.purge(at)

    async def later(self, **delta: float) -> None:
        await self.on(self.pair.clock.at + timedelta(**delta))

    def waiting(self, side: Side) -> dict[str, str]:
        """What is due at a side, by kind: pending or missed."""
        table = tables.deadlines
        rows = side.rows(table, table.c.state.in_(("pending", "missed")))
        return {row.kind: row.state for row in sorted(rows, key=lambda row: row.level)}

    def shown(self, side: Side) -> Any:
        return side.write(lambda tx: case_view(tx, side.node.core, self.case_id))["content"]

    def erased(self, side: Side) -> None:
        core, at = side.node.core, self.pair.clock.now()
        side.write(lambda tx: erase_case(tx, core, self.case_id, new_id(), at))

    def renewed(self) -> None:
        """An amendment gives the text a second term, from the day after the first."""
        token = self.pair.sign_terms(2, until=AGAIN, effective_on=END)
        self.pair.publish(Bundle(terms=(token,)))


_PARTNERS = {"city": (AGENCY, CITY), "ccas": (AGENCY, CCAS)}
_THIRD = {"city": ("centre", Kind.CCAS), "ccas": ("mairie", Kind.CITY)}


@contextmanager
def made(folder: Path, url: Callable[[], str], opposite: str) -> Iterator[Office]:
    """The agency and one of its partners under convention C, nothing recorded yet."""
    org, kind = _THIRD[opposite]
    pair = Trio(
        folder,
        (url(), url()),
        partners=_PARTNERS[opposite],
        convention=CODE,
        clock=TestClock(NOW),
        signed_on=OPENED,
        third=Organisation(org, kind, "x1"),
    )
    with pair:
        pair.publish(Bundle(entries=(pair.third.entry(),)))
        yield Office(pair)
