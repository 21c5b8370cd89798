"""Two whole nodes, a school and the city, whose letters a test carries by hand.

Everything is real (databases, keys, encryption, journal, gate) but the bus, so that a test can
lose, repeat, reorder or alter a letter at will. What the bus itself does is tested on real servers.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fastapi import FastAPI
from sqlalchemy import Row, select

from contracts import registry
from contracts.kernel.documents import add_signature, kid_of, sign
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import Kind
from contracts.kernel.terms import Act, ActKind, Party, Terms
from contracts.registry import Registry
from services.chassis import letters, migrate, tables
from services.chassis.acts import instrument_of
from services.chassis.bundle import Bundle
from services.chassis.clock import new_id
from services.chassis.letters import Ready
from services.chassis.node import Given, Node
from services.chassis.opening import Letter
from services.chassis.pages.cases import case_view
from services.chassis.partner import Partner
from services.chassis.posting import Outcome, submit
from services.chassis.register import (
    AgreementRecord,
    accept_charter,
    record_agreement,
    register_person,
)
from services.chassis.routing import Request, read_data
from services.chassis.schema import journal
from services.chassis.scopes import STANDING_SCOPES
from services.chassis.settings import NodeSettings
from services.chassis.standing import Person
from services.chassis.tokens import Agent
from services.chassis.web import create_app
from services.city.partner import PARTNER as CITY
from services.school.partner import PARTNER as SCHOOL
from tests.databases import migrated
from tests.invented import ANSWER, PUPIL, REFERRAL

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIGNED_ON = date(2026, 5, 4)
CONVENTION = "a-ecole-ville"


@dataclass
class TestClock:
    """A clock that a test moves."""

    __test__ = False
    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Side:
    """One node of the pair."""

    node: Node
    clock: TestClock

    @property
    def org(self) -> str:
        return self.node.core.org

    @cached_property
    def app(self) -> FastAPI:
        """The node's API; building its routes takes longer than most calls."""
        return create_app(self.node)

    def close(self) -> None:
        """Leave the databases."""
        self.node.database.close()
        self.node.keystore.close()
        self.node.telemetry.shutdown()

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self.node.database.write_now(work)

    def rows(self, table: Any, *where: Any) -> list[Row[Any]]:
        """Rows of a table; lines of the journal in their order, which no database keeps unasked."""
        query = select(table).where(*where)
        if table is journal:
            query = query.order_by(journal.c.seq)
        return self.node.database.read_now(lambda c: list(c.execute(query).all()))

    def outgoing(self) -> list[Letter]:
        """Letters waiting in the outbox, oldest first, each sealed by itself."""
        return self.packed([[one] for one in self.waiting()])

    def packed(self, lots: Iterable[Sequence[Ready]]) -> list[Letter]:
        """Lots as they would reach the letterbox."""
        core = self.node.core
        sealed = [letters.pack(core, lot, new_id()) for lot in lots]
        return [Letter(one.subject, one.headers, one.body) for one in sealed]

    def waiting(self) -> list[Ready]:
        """What the relay would take up, in its order: of one instant, as they were put there."""
        outbox = tables.outbox
        query = select(outbox).where(outbox.c.due_at.is_not(None)).order_by(outbox.c.due_at)
        rows = self.node.database.read_now(lambda c: list(c.execute(query).all()))
        return [letters.ready(self.node.core, row, None) for row in rows]

    async def take(self, handed: Iterable[Letter]) -> list[float | None]:
        """Handle letters all at once, as the bus hands them out; returns the delays asked for."""
        verdicts = await asyncio.gather(*(self.node.arrivals.receive(letter) for letter in handed))
        return [verdict.again_after for verdict in verdicts]

    def state(self, message_id: str) -> str:
        (row,) = self.rows(tables.outbox, tables.outbox.c.message_id == message_id)
        return str(row.state)

    def instrument(self, case_id: str) -> str:
        """Under what a case was opened here."""
        return self.node.database.read_now(lambda c: instrument_of(c, case_id))

    def offered(self, case_id: str, agent: Agent) -> set[str]:
        """Messages and acts that the page of a case offers an agent, by type and name."""
        core, at = self.node.core, self.clock.now()
        page = self.write(lambda tx: case_view(tx, core, case_id, agent, at))
        return {one.path.rpartition("/")[2] for one in (*page.messages, *page.acts)}

    def charter(self, agent: str = "agent-1") -> None:
        self.write(
            lambda tx: accept_charter(
                tx, self.node.core, agent, self.node.core.policy.charter, self.clock.now()
            )
        )

    def send(self, type_: str, to: str, data: dict[str, Any], **more: Any) -> Outcome:
        """Ask to send as an agent would."""
        under, now = more.get("convention_id"), self.clock.now()
        checked: Payload = read_data(self.node.core, type_, to, data, now, under)
        wanted = Request(
            message_id=new_id(),
            new_case_id=new_id(),
            type=type_,
            to=to,
            data=checked,
            agent_id=more.pop("agent_id", "agent-1"),
            **more,
        )
        outcome: Outcome = self.write(
            lambda tx: submit(tx, self.node.core, wanted, self.clock.now())
        )
        return outcome


@dataclass
class Pair:
    """A school and the city, under convention A, in force since SIGNED_ON."""

    folder: Path
    database_urls: tuple[str, str] | None = None
    signed_on: date = SIGNED_ON
    clock: TestClock = field(default_factory=TestClock)
    registry: Registry = field(default_factory=registry.load, repr=False)
    partners: tuple[Partner, Partner] = field(default=(SCHOOL, CITY), repr=False)
    convention: str = "a_city_school"
    signed_id: str = CONVENTION

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        """Let hypothesis show no more than `repr` does."""
        printer.text(repr(self))

    def __enter__(self) -> Self:
        self.school = self._side("ecole", "s1", self.partners[0], 0, uai="0999999A")
        self.city = self._side("ville", "v1", self.partners[1], 1)
        self.documents = Bundle(
            entries=(self._entry(self.school, 1), self._entry(self.city, 1)),
            terms=(self.sign_terms(1),),
        )
        self.publish()
        self.school.charter()
        self.city.charter()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for side in (self.school, self.city):
            side.close()

    def restart(self, side: Side) -> Side:
        """The same node in a new process: only files and the directory's documents remain."""
        side.close()
        index = self.sides.index(side)
        made = self._start(side.node.settings, self.partners[index])
        made.node.keeper.absorb(self.documents)
        if index == 0:
            self.school = made
        else:
            self.city = made
        return made

    def _side(
        self, org: str, code: str, partner: Partner, index: int, uai: str | None = None
    ) -> Side:
        folder = self.folder / org
        folder.mkdir(parents=True, exist_ok=True)
        secret = folder / "secret"
        if not secret.exists():
            secret.write_bytes(secrets.token_bytes(48).hex().encode())
            secret.chmod(0o600)
        settings = NodeSettings(
            org=org,
            kind=partner.kind,
            name=f"Organisme {code}",
            code=code,
            uai=uai,
            dpo="dpo@organisme.example",
            node_dir=folder,
            database_url="" if self.database_urls is None else self.database_urls[index],
            nats_url="nats://127.0.0.1:1",
            registrar_url="http://127.0.0.1:1",
            secret_file=secret,
        )
        migrated(settings.database_url, migrate.branches_of(partner.kind.value))
        return self._start(settings, partner)

    def _start(self, settings: NodeSettings, partner: Partner) -> Side:
        node = Node(Given(settings, partner, self.registry, self.clock, new_id))
        node.keystore.create()
        node.keystore.attach(node.database)
        node.database.start()
        node.journal.attach(node.database)
        node.keystore.ensure(STANDING_SCOPES)
        return Side(node, self.clock)

    def _entry(self, side: Side, sequence: int) -> str:
        return side.node.keys.directory_entry(
            side.node.settings,
            sequence,
            self.clock.now() - timedelta(days=1),
            self.registry.versions(),
        )

    def terms(self, version: int, **more: Any) -> Terms:
        """A version of the convention between the parties."""
        parties = tuple(
            Party(
                org=side.org,
                kind=side.node.core.kind,
                signing_key=kid_of(side.node.keys.signing),
                floor=side.node.settings.floor,
                signatory="signataire",
                decision="délibération fictive",
            )
            for side in self.signatories
        )
        values = {"id": self.signed_id, "evidence": "e" * 64} | more
        return Terms(convention=self.convention, version=version, parties=parties, **values)

    def sign_terms(self, version: int, **more: Any) -> str:
        """The version, signed by each of them on the day of signature."""
        content = self.terms(version, **more).to_bytes()
        said, token = {"signed_on": self.signed_on.isoformat()}, None
        for side in self.signatories:
            token = add_signature(token, content, side.org, side.node.keys.signing, said)
        return token or ""

    def act(self, side: Side, kind: ActKind, **more: Any) -> None:
        """A unilateral act of one side, known to both."""
        act = Act(
            id=f"act-{new_id()}",
            convention_id=self.signed_id,
            kind=kind,
            org=side.org,
            at=self.clock.now(),
            **more,
        )
        token = sign(act.to_bytes(), side.node.keys.signing, typ="act")
        self.publish(Bundle(acts=(token,)))

    def rotate(self, side: Side) -> None:
        """One side replaces its signing key, and both know it."""
        statement = side.node.keys.rotate_signing(self.clock.now())
        entry = self._entry(side, int(self.clock.now().timestamp()))
        self.publish(Bundle(rotations=(statement,), entries=(entry,)))

    def publish(self, more: Bundle | None = None) -> None:
        """Let both nodes read the documents."""
        self.documents = self.documents.then(more or Bundle())
        for side in (self.school, self.city):
            side.node.keeper.absorb(self.documents)

    def person(self, content: dict[str, Any] | None = None) -> str:
        """A pupil in the school's register."""
        person, person_id = Person.model_validate_json(json.dumps(content or PUPIL)), new_id()
        core, at = self.school.node.core, self.clock.now()
        self.school.write(lambda tx: register_person(tx, core, person, person_id, "agent-1", at))
        return person_id

    def agreement(self, person_id: str | None = None, **changes: Any) -> str:
        """The family's agreement to the referral and its answer, given an hour ago."""
        before = (self.clock.now() - timedelta(hours=1)).isoformat()
        values: dict[str, Any] = {
            "person_id": person_id or self.person(),
            "recipients": [self.city.org],
            "flows": [flow.type for flow in self.registry.convention(self.convention).flows],
            "giver": "representative",
            "authority": "parental",
            "means": "in_person",
            "granted": True,
            "assent": "not_asked",
            "notice": {
                "version": "2026-1",
                "channel": "meeting",
                "language": "fr",
                "given_at": before,
            },
            "given_at": before,
        }
        if changes.get("giver") == "young_person":
            del values["authority"]
        record = AgreementRecord.model_validate_json(json.dumps(values | changes))
        core, at, agreement_id = self.school.node.core, self.clock.now(), new_id()
        self.school.write(
            lambda tx: record_agreement(tx, core, record, agreement_id, "agent-1", at)
        )
        return agreement_id

    def refer(self, agreement_id: str | None = None) -> Outcome:
        """The school sends a referral."""
        return self.school.send(
            "referral.submitted",
            self.city.org,
            REFERRAL,
            agreement_id=agreement_id or self.agreement(),
        )

    async def carry(self, rounds: int = 6) -> None:
        """Carry letters both ways until nobody has any left to send."""
        for _ in range(rounds):
            moved = [await self._hand(self.school, self.city)]
            moved.append(await self._hand(self.city, self.school))
            if not any(moved):
                return

    async def _hand(self, one: Side, other: Side) -> int:
        """Hand all that one side has to send to the other; returns how many letters."""
        outgoing = one.outgoing()
        if outgoing:
            await other.take(outgoing)
            one.write(delivered([letter.message_id for letter in outgoing]))
        return len(outgoing)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.school, self.city

    @property
    def signatories(self) -> tuple[Side, ...]:
        """Those of the parties that have a node here, in the order in which they sign."""
        return self.sides


def doing(partner: Partner, code: str = "a_city_school", **otherwise: Any) -> Partner:
    """A partner that does some things otherwise as a party to one convention."""
    side = replace(partner.side(code), **otherwise)
    return replace(partner, sides={**partner.sides, code: side})


def delivered(ids: list[str]) -> Callable[[Any], Any]:
    """What the relay records once the receiver's letterbox has stored a letter."""
    outbox = tables.outbox
    where = outbox.c.message_id.in_(ids) & outbox.c.due_at.is_not(None)
    return lambda tx: tx.execute(outbox.update().where(where).values(due_at=None))


__all__ = ["ANSWER", "PUPIL", "REFERRAL", "START", "Kind", "Pair", "Side", "TestClock", "doing"]
