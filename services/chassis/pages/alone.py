"""What left last without a case, and how far it is: an offer, a campaign, a call to meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from pydantic_core import to_json
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from services.chassis import letters, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.content import name_of
from services.chassis.pages.rendering import instant_in_words, render
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import Right
from services.chassis.words import STATES, message

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One message of no case. state: how far it is, in words."""

    label: str
    receiver: str
    at: str
    state: str


def alone(tx: Tx, core: Core) -> list[Alone]:
    """The last ones that left from here, the latest first."""
    outbox = tables.outbox
    mine = (outbox.c.kind == letters.LETTER) & outbox.c.case_id.is_(None)
    query = select(outbox).where(mine).order_by(outbox.c.created_at.desc()).limit(_SHOWN)
    return [
        Alone(
            label=message(row.type, core.registry),
            receiver=name_of(core, row.receiver),
            at=instant_in_words(row.created_at),
            state=STATES.get(row.state, row.state),
        )
        for row in tx.execute(query)
    ]


def version_of(sent: Sequence[Alone]) -> str:
    """Another as soon as one of them is further."""
    return sha256(to_json([asdict(one) for one in sent])).hexdigest()[:16]


def routes(node: Node) -> list[BaseRoute]:
    """The part of a page that follows them: 204 where nothing changed."""

    async def live(request: Request) -> Response:
        await at_desk(node, request, Right.SEND, somebody=False)
        sent = await node.database.write(lambda tx: alone(tx, node.core))
        version = version_of(sent)
        if request.query_params.get("version") == version:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return HTMLResponse(render("first_messages_sent.html", sent=sent, version=version))

    return [Route("/situations/new/sent", live)]
