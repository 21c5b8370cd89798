"""*Situations*: the cases that an agent may open, counted first, then listed, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import RelaisError
from services.chassis import standing, tables
from services.chassis.acquaintance import ConventionUnread
from services.chassis.acts import Reach
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages import case_page, sending
from services.chassis.pages.acquaintance import to_read
from services.chassis.pages.cases import PLACE, STATES
from services.chassis.pages.content import name_of
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.persons import person_in_words, read_persons
from services.chassis.pages.rendering import instant_in_words, render
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import RIGHTS, Agent, Right

SHOWN: Final = 50
"""Cases of one page, at most."""
_LOOKED_AT: Final = 200
"""Cases looked at for one page, so that many that are others' do not make it slow."""


_HANDED: Final = "C'est enregistré. Cette situation est maintenant suivie par quelqu'un d'autre."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of the list. person: empty where nobody is named here."""

    case_id: str
    person: str
    title: str
    purpose: str
    partner: str
    state: str
    opened: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of the list. others: cases that somebody else follows. older: where it goes on.

    unread: texts that the agent must know first, by the address of the page that shows them.
    """

    counts: tuple[tuple[str, int], ...]
    cases: tuple[Case, ...]
    others: int
    unread: tuple[tuple[str, str], ...]
    older: str | None


def listed(
    tx: Tx, core: Core, agent: Agent, state: str, before: str | None, at: datetime
) -> Listed:
    """Cases in a state, the newest first, from one on. Raises nothing for an unknown one."""
    cases = tables.cases
    counted = select(cases.c.state, func.count().label("number")).group_by(cases.c.state)
    numbers = {row.state: int(row.number) for row in tx.execute(counted)}
    query = select(cases).where(cases.c.state == state)
    start = None if before is None else tx.get(standing.CASES, before)
    if start is not None:
        older = (cases.c.opened_at < start.opened_at) | (
            (cases.c.opened_at == start.opened_at) & (cases.c.case_id < start.case_id)
        )
        query = query.where(older)
    order = (cases.c.opened_at.desc(), cases.c.case_id.desc())
    rows = tx.execute(query.order_by(*order).limit(_LOOKED_AT)).all()
    reach = Reach(tx, core, agent, at)
    mine: list[Row[Any]] = []
    refused: list[RelaisError] = []
    for row in rows:
        if len(mine) == SHOWN:
            break
        refusal = reach.refusal(row)
        if refusal is None:
            mine.append(row)
        else:
            refused.append(refusal)
    seen = len(mine) + len(refused)
    read_persons(tx, [row.case_id for row in mine])
    last = rows[seen - 1].case_id if seen and (seen < len(rows) or seen == _LOOKED_AT) else None
    return Listed(
        counts=tuple((name, numbers.get(name, 0)) for name in STATES),
        cases=tuple(_shown(tx, core, row) for row in mine),
        others=sum(not isinstance(one, ConventionUnread) for one in refused),
        unread=to_read(core, refused),
        older=last,
    )


def _shown(tx: Tx, core: Core, row: Row[Any]) -> Case:
    text = core.text(row.instrument)
    return Case(
        case_id=row.case_id,
        person=person_in_words(tx, core, row.case_id),
        title="Texte inconnu ici" if text is None else text.title,
        purpose=row.purpose if text is None else core.registry.word(text.code, row.purpose),
        partner=name_of(core, row.partner),
        state=STATES.get(row.state, row.state),
        opened=instant_in_words(row.opened_at),
    )


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """The list, each case, and what is sent and recorded in it."""
    if node.settings.sign_in is None:
        return []

    async def situations(request: Request) -> Response:
        session = await at_desk(node, request, Right.CASES)
        asked = request.query_params.get("state", "open")
        state = asked if asked in STATES else "open"
        before = request.query_params.get("before")
        at = node.clock.now()
        found = await node.database.write(
            lambda tx: listed(tx, node.core, session.agent, state, before, at)
        )
        page = render(
            "situations.html",
            org=node.settings.name,
            session=session,
            place=PLACE,
            found=found,
            state=state,
            states=STATES,
            said=_HANDED if "handed" in request.query_params else "",
            sends=Right.SEND in RIGHTS[session.agent.role],
        )
        return HTMLResponse(page)

    return [
        Route("/situations", situations),
        *sending.routes(node, api),
        *case_page.routes(node, api),
    ]
