"""*Aujourd'hui*: what waits for an agent: alerts first, then what is late, then what is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from pydantic_core import to_json
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import RelaisError
from contracts.kernel.instrument import Urgency
from services.chassis import deadlines, tables
from services.chassis.acquaintance import ConventionUnread
from services.chassis.acts import Reach
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.acquaintance import to_read
from services.chassis.pages.content import name_of
from services.chassis.pages.messages import named
from services.chassis.pages.persons import person_in_words, read_persons
from services.chassis.pages.rendering import by_in_words, render
from services.chassis.pages.texts import partners
from services.chassis.rights_clocks import ANSWER
from services.chassis.schema import journal
from services.chassis.sign_in.desk import HOME, at_desk
from services.chassis.tokens import RIGHTS, Agent, Right
from services.chassis.words import message

_SHOWN: Final = 200
_LATEST: Final = 50
"""Alerts looked at, the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that is due. by: until when, in words. late: that has passed.

    case_id: of a case that the agent may open. person: of that case. message: that it is about.
    convention_id: of the convention that it is about, where it is about no case; convention: its
    title and parties. request_id: of a person's right, for who answers it.
    """

    label: str
    article: str
    by: str
    late: bool
    case_id: str | None
    person: str
    message: str
    convention_id: str
    convention: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A message that says "without delay" and that nobody here has read. since: when it came."""

    label: str
    sender: str
    since: str
    case_id: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one agent finds. others: what waits for somebody else.

    unread: texts that the agent must know first, by the address of the page that shows them.
    """

    alerts: tuple[Alert, ...]
    late: tuple[Waiting, ...]
    due: tuple[Waiting, ...]
    others: int
    unread: tuple[tuple[str, str], ...]

    @property
    def version(self) -> str:
        """Another as soon as anything of it changes."""
        return sha256(to_json(asdict(self))).hexdigest()[:16]


def desk_of(tx: Tx, core: Core, agent: Agent, at: datetime) -> Desk:
    """What waits for an agent: of cases, those that the agent may open."""
    mine: list[Waiting] = []
    closed: list[RelaisError] = []
    reach, answers = Reach(tx, core, agent, at), Right.REVIEW in RIGHTS[agent.role]
    rows = deadlines.waiting(tx, _SHOWN)
    messages = named(tx, core, [row.subject for row in rows])
    read_persons(tx, [row.case_id for row in rows if row.case_id is not None])
    for row in rows:
        refusal = None if row.case_id is None else reach.hidden(row.case_id)
        if refusal is not None:
            closed.append(refusal)
            continue
        mine.append(
            Waiting(
                label=core.clocks[row.kind].label if row.kind in core.clocks else row.kind,
                article=row.article,
                by=by_in_words(row.due_at),
                late=row.state == deadlines.MISSED,
                case_id=row.case_id,
                person="" if row.case_id is None else person_in_words(tx, core, row.case_id),
                message="" if row.case_id is None else messages.get(row.subject, ""),
                convention_id=row.subject if row.subject in core.directory.conventions else "",
                convention=_convention(core, row.subject),
                request_id=row.subject if row.kind == ANSWER and answers else "",
            )
        )
    others = sum(not isinstance(one, ConventionUnread) for one in closed)
    alerts = tuple(_alerts(tx, core, reach, closed))
    return Desk(
        alerts=alerts,
        late=tuple(one for one in mine if one.late),
        due=tuple(one for one in mine if not one.late),
        others=others,
        unread=to_read(core, closed),
    )


def _convention(core: Core, subject: str) -> str:
    signed = core.directory.conventions.get(subject)
    return "" if signed is None else f"{signed.convention.title}, avec {partners(core, signed)}"


def _alerts(tx: Tx, core: Core, reach: Reach, closed: list[RelaisError]) -> Iterator[Alert]:
    """Those of cases that the agent may open; of the others, why not is added to `closed`."""
    urgent = [
        name
        for name, known in core.flows.items()
        if any(flow.urgency is Urgency.WITHOUT_DELAY for _, flow in known)
    ]
    inbox = tables.inbox
    came = inbox.c.type.in_(urgent) & (inbox.c.status == "received")
    query = select(inbox).where(came).order_by(inbox.c.received_at.desc()).limit(_LATEST)
    rows = tx.execute(query).all()
    ids = [row.message_id for row in rows]
    seen = journal.c.message_id.in_(ids) & (journal.c.event == "message.read")
    read = set(tx.execute(select(journal.c.message_id).where(seen)).scalars()) if ids else set()
    for row in rows:
        if row.message_id in read or row.case_id is None:
            continue
        refusal = reach.hidden(row.case_id)
        if refusal is not None:
            closed.append(refusal)
            continue
        yield Alert(
            label=message(row.type, core.registry),
            sender=name_of(core, row.sender),
            since=by_in_words(row.received_at),
            case_id=row.case_id,
            person=person_in_words(tx, core, row.case_id),
        )


def routes(node: Node) -> list[BaseRoute]:
    """The page on which an agent arrives."""
    if node.settings.sign_in is None:
        return []

    async def today(request: Request) -> Response:
        session = await at_desk(node, request, Right.READ)
        at = node.clock.now()
        desk = await node.database.write(lambda tx: desk_of(tx, node.core, session.agent, at))
        page = render("today.html", org=node.settings.name, session=session, place=HOME, desk=desk)
        return HTMLResponse(page)

    async def live(request: Request) -> Response:
        """What changes by itself: 204 where nothing did."""
        session = await at_desk(node, request, Right.READ, somebody=False)
        at = node.clock.now()
        desk = await node.database.write(lambda tx: desk_of(tx, node.core, session.agent, at))
        if request.query_params.get("version") == desk.version:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return HTMLResponse(render("today_live.html", desk=desk))

    return [
        Route("/", RedirectResponse(HOME)),
        Route("/today", today),
        Route("/today/live", live),
    ]
