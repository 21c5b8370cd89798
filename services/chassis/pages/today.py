"""*Aujourd'hui*: what waits for an agent: alerts first, then what is late, then what is due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.chassis import deadlines, tables
from services.chassis.core import Core
from services.chassis.node import Node
from services.chassis.pages.rendering import by_in_words, render
from services.chassis.sign_in.desk import HOME, at_desk
from services.chassis.tokens import Right

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that is due. by: until when, in words. late: that has passed.

    subject: the convention that it is about, where it is about no case.
    """

    label: str
    article: str
    by: str
    late: bool
    case_id: str | None
    subject: str


def waiting(connection: Connection, core: Core) -> list[Waiting]:
    """What runs and what is late, the latest first."""
    table = tables.deadlines
    waits = table.c.state.in_((deadlines.PENDING, deadlines.MISSED))
    query = select(table).where(waits).order_by(table.c.due_at).limit(_SHOWN)
    return [
        Waiting(
            label=core.clocks[row.kind].label if row.kind in core.clocks else row.kind,
            article=row.article,
            by=by_in_words(row.due_at),
            late=row.state == deadlines.MISSED,
            case_id=row.case_id,
            subject=row.subject if row.subject in core.directory.conventions else "",
        )
        for row in connection.execute(query)
    ]


def routes(node: Node) -> list[BaseRoute]:
    """The page on which an agent arrives."""
    if node.settings.sign_in is None:
        return []

    async def today(request: Request) -> Response:
        session = await at_desk(node, request, Right.READ)
        found = await node.database.read(lambda c: waiting(c, node.core))
        page = render(
            "today.html",
            place=HOME,
            org=node.settings.name,
            session=session,
            late=[one for one in found if one.late],
            due=[one for one in found if not one.late],
        )
        return HTMLResponse(page)

    return [Route("/", RedirectResponse(HOME)), Route("/today", today)]
