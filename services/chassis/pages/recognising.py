"""*Même personne ?*, of whom a partner named: compared with the register, and answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.paris import day_of
from services.chassis.acts import require_case
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.asking import KEY
from services.chassis.pages.cases import PLACE
from services.chassis.pages.forms import NOTHING_TYPED
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.part import PEOPLE
from services.chassis.pages.refusals import refused
from services.chassis.pages.registering import Compared, side_by_side
from services.chassis.pages.rendering import render
from services.chassis.recognition import named, unanswered
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.tokens import Right

_SAME: Final = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Somebody of the register who resembles."""

    person_id: str
    since: date
    facts: list[Compared]


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """The comparison of a case's person with each of the register who resembles."""

    async def same(request: Request) -> Response:
        session = await at_desk(node, request, Right.REGISTER)
        case_id, core, at = request.path_params["case_id"], node.core, node.clock.now()

        def unit(tx: Tx) -> list[Near]:
            require_case(tx, core, case_id, session.agent, at)
            person = named(tx, core, case_id)
            return [
                Near(
                    person_id=one.person_id,
                    since=day_of(one.registered_at),
                    facts=list(side_by_side(person, one.person)),
                )
                for one in unanswered(tx, core, case_id)
            ]

        near, refusal = await node.database.write(unit), None
        if request.method == "POST":
            typed = await form_of(request, session)
            said = {one.person_id: typed.get(one.person_id, "") for one in near}
            found = [one for one, answer in said.items() if answer == _SAME]
            body = {
                "same": next(iter(found), None),
                "others": [one for one, answer in said.items() if answer == "other"],
            }
            path = f"/cases/{case_id}/recognition"
            answer = await api.call(session.agent, "POST", path, body, typed.get(KEY))
            if answer.done:
                where = f"{PEOPLE}/{found[0]}" if found else f"{PLACE}/{case_id}?done=1"
                return RedirectResponse(where, HTTPStatus.SEE_OTHER)
            refusal, _ = refused(answer, (), NOTHING_TYPED)
        page = render(
            "case_same.html",
            org=node.settings.name,
            place=PLACE,
            session=session,
            case_id=case_id,
            near=near,
            refusal=refusal,
            key=node.given.new_id(),
        )
        return HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK)

    return [Route("/situations/{case_id}/same", same, methods=["GET", "POST"])]
