"""Persons of one's own register: found again, and what is known of each on this day.

Names and days of birth come by forms alone, never in an address; a page's title names nobody.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.fields import Day, Payload, PersonName, said
from contracts.kernel.paris import birthday, day_of, reached
from services.chassis import resemblance, tables
from services.chassis.core import Core
from services.chassis.minors import ASKED_FROM, MAJORITY_AGE
from services.chassis.pages import agreed
from services.chassis.pages.agreed import COUNTED, DueOn, Group, Shown
from services.chassis.pages.forms import NOTHING_TYPED, Field, Typed, content_of, fields_of, filled
from services.chassis.pages.informing import open_duties
from services.chassis.pages.own_api import Answer
from services.chassis.pages.part import PEOPLE, Part, asked_id, onward
from services.chassis.pages.persons import name_in_words
from services.chassis.pages.procedures import procedures
from services.chassis.pages.refusals import Refusal, refused
from services.chassis.pages.registering import contact_of, full_name
from services.chassis.requests import read_body
from services.chassis.resemblance import Registered
from services.chassis.rules import LEFT
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, Right

_LAST: Final = 12
"""Persons of the first page: those with whom something happened last."""


class Lookup(Payload):
    """By what somebody is looked for."""

    family_name: PersonName = said(
        "Nom de famille", why="Accents, traits d'union et majuscules ne comptent pas.", source=""
    )
    first_name: PersonName = said("Prénom", why="Un seul suffit.", source="")
    birth_date: Day = said("Date de naissance", why="Elle distingue les homonymes.", source="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A person in a list. states: of the agreements collected, in words."""

    person_id: str
    name: str
    birth: date | None
    states: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Information given to a person about a duty of the law."""

    notice_id: str
    title: str
    version: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that a person's page says. asked: whether old enough to be asked."""

    who: Registered
    name: str
    registered_on: date
    left_on: date | None
    age: int
    adult: bool
    adult_on: date
    asked: bool
    asked_on: date
    contact: str
    representatives: Sequence[tuple[str, str]]
    authorities: Sequence[str]
    groups: Sequence[Group]
    agreements: Sequence[Shown]
    due: Sequence[DueOn]
    notices: Sequence[Given]


class People:
    """Pages of the register."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node
        self._fields = fields_of(Lookup)

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [
            Route("/agreements", self.home),
            Route("/agreements/search", self.search, methods=["POST"]),
            Route("/people/{person_id}", self.person),
            Route("/people/{person_id}/departure", self.departure, methods=["GET", "POST"]),
        ]

    async def home(self, request: Request) -> Response:
        """Look for somebody, or go on with the last ones."""
        session = await at_desk(self._node, request, Right.WITHDRAW)
        return await self._home(session, filled(self._fields, NOTHING_TYPED))

    async def _home(
        self, session: Session, fields: Sequence[Field], refusal: Refusal | None = None
    ) -> Response:
        core, at = self._node.core, self._node.clock.now()

        def read(c: Connection) -> list[Line]:
            last = resemblance.last_ones(c, core, _LAST)
            return [_line(one, agreed.agreements_of(c, core, one.person_id, at)) for one in last]

        return self._part.page(
            "agreements.html",
            session,
            HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK,
            fields=fields,
            refusal=refusal,
            last=await self._node.database.read(read),
            may_register=Right.REGISTER in RIGHTS[session.agent.role],
        )

    async def search(self, request: Request) -> Response:
        """Whoever has that day of birth and a near name; the one who has, at once."""
        session = await at_desk(self._node, request, Right.WITHDRAW)
        typed = await form_of(request, session)
        try:
            wanted = self._lookup(typed)
        except InvalidPayload as error:
            refusal, fields = refused(_problem(error), self._fields, typed)
            return await self._home(session, fields, refusal)
        core, at = self._node.core, self._node.clock.now()

        def read(c: Connection) -> list[Line]:
            near = resemblance.resembling(
                c, core, wanted.family_name, wanted.first_name, wanted.birth_date
            )
            return [_line(one, agreed.agreements_of(c, core, one.person_id, at)) for one in near]

        found = await self._node.database.read(read)
        if len(found) == 1:
            return onward(f"{PEOPLE}/{found[0].person_id}")
        return self._part.page(
            "people_found.html",
            session,
            found=found,
            may_register=Right.REGISTER in RIGHTS[session.agent.role],
        )

    def _lookup(self, typed: Typed) -> Lookup:
        return read_body(Lookup, json.dumps(content_of(self._fields, typed)).encode())

    async def person(self, request: Request) -> Response:
        """Who, what follows from the age on this day, what was agreed to, what is due."""
        session = await at_desk(self._node, request, Right.WITHDRAW)
        person_id = asked_id(request, "person_id")
        core, at = self._node.core, self._node.clock.now()
        sheet = await self._node.database.read(lambda c: sheet_of(c, core, person_id, at))
        rights = RIGHTS[session.agent.role]
        here = sheet.who.left_at is None
        return self._part.page(
            "registered.html",
            session,
            sheet=sheet,
            may_register=Right.REGISTER in rights and here,
            may_send=Right.SEND in rights and here,
            procedures=_about_persons(core, session) if here else [],
            duties=open_duties(core, at),
        )

    async def departure(self, request: Request) -> Response:
        """Ask once, then record that a person is registered here no more."""
        session = await at_desk(self._node, request, Right.REGISTER)
        person_id = asked_id(request, "person_id")
        core, at = self._node.core, self._node.clock.now()
        refusal = None
        if request.method == "POST":
            typed = await form_of(request, session)
            path = f"/persons/{person_id}/departure"
            answer = await self._part.post(session, path, None, typed.get("key"))
            if answer.done:
                return onward(f"{PEOPLE}/{person_id}")
            refusal, _ = refused(answer, (), typed)
        sheet = await self._node.database.read(lambda c: sheet_of(c, core, person_id, at))
        return self._part.page(
            "person_left.html",
            session,
            sheet=sheet,
            kept_until=day_of(at + LEFT),
            refusal=refusal,
            key=self._part.fresh_key(),
        )


def _about_persons(core: Core, session: Session) -> list[tuple[str, str]]:
    """Name and label of what may be recorded of a person beside agreements."""
    return [
        (one.name, one.call.label)
        for one in procedures(core, session.agent)
        if one.call.body is not None and "person_id" in one.call.body.model_fields
    ]


def _problem(error: InvalidPayload) -> Answer:
    faults = [{"path": path, "code": code} for path, code in error.fields]
    return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": error.sentence, "fields": faults})


def _line(one: Registered, agreements: Sequence[Shown]) -> Line:
    states = Counter(shown.state for shown in agreements)
    said_ = ", ".join(
        f"{states[state]} {words[states[state] > 1]}"
        for state, words in COUNTED.items()
        if states[state]
    )
    return Line(
        person_id=one.person_id,
        name=name_in_words(one.person),
        birth=one.person.identity.birth_date,
        states=said_ or "aucun",
    )


def sheet_of(connection: Connection, core: Core, person_id: str, at: datetime) -> Sheet:
    """What is known of a person on this day. Raises UnknownName."""
    who = resemblance.of_register(connection, core, person_id)
    birth = birth_of(who)
    collected = agreed.agreements_of(connection, core, person_id, at)
    ids = [one.agreement_id for one in collected]
    return Sheet(
        who=who,
        name=name_in_words(who.person),
        registered_on=day_of(who.registered_at),
        left_on=None if who.left_at is None else day_of(who.left_at),
        age=agreed.age(birth, day_of(at)),
        adult=agreed.of_age(birth, at),
        adult_on=birthday(birth, MAJORITY_AGE),
        asked=reached(birth, ASKED_FROM, day_of(at)),
        asked_on=birthday(birth, ASKED_FROM),
        contact=contact_of(who.person.identity.channel),
        representatives=[
            (full_name(one), contact_of(one.channel)) for one in who.person.representatives
        ],
        authorities=sorted({one.authority for one in collected if one.authority}),
        groups=agreed.open_groups(core, at),
        agreements=collected,
        due=agreed.due_about(connection, core, person_id, ids),
        notices=_notices(connection, core, person_id),
    )


def birth_of(who: Registered) -> date:
    """Day of birth, which everybody of one's own register has."""
    birth = who.person.identity.birth_date
    if birth is None:
        raise TypeError(who.person_id)
    return birth


def _notices(connection: Connection, core: Core, person_id: str) -> list[Given]:
    """What a person was told about duties of the law."""
    table = tables.notices
    mine = select(table).where(table.c.person_id == person_id).order_by(table.c.given_at)
    duties = core.registry.duties
    return [
        Given(
            notice_id=row.notice_id,
            title=duties[row.instrument].title if row.instrument in duties else row.instrument,
            version=row.version,
            on=day_of(row.given_at),
        )
        for row in connection.execute(mine)
    ]
