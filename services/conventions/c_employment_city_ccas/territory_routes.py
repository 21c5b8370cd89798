"""What the parties of convention C record beside any case, and the lists that their agents read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy import Table, select

from services.chassis.call import Call
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.tokens import Right
from services.conventions.c_employment_city_ccas import desks, governance
from services.conventions.c_employment_city_ccas import territory_actions as actions
from services.conventions.c_employment_city_ccas import territory_models as models
from services.conventions.c_employment_city_ccas import territory_referents as referents
from services.conventions.c_employment_city_ccas import territory_volunteers as volunteers

B = TypeVar("B", bound=BaseModel)
Record = Callable[[Tx, Core, B, str, datetime], None]

_LISTS: Final[Mapping[str, tuple[Table, str, str, str]]] = {
    "/clause-opportunities": (
        models.opportunities,
        "Places under the social clauses (C-3d.2).",
        "Postes ouverts au titre des clauses sociales",
        "C-3d.2",
    ),
    "/campaigns": (
        models.campaigns,
        "Campaigns asked for, and whether they were sent (C-3e.4).",
        "Campagnes",
        "C-3e.4",
    ),
    "/censuses": (
        models.censuses,
        "The latest statistical tables, small cells hidden (C-3e.3).",
        "Recensements",
        "C-3e.3",
    ),
    "/announcements": (
        models.announcements,
        "What is about to be said outside (C-5.4).",
        "Communications annoncées",
        "C-5.4",
    ),
    "/referents": (
        models.referents,
        "Whom to call at the agency, by task (C-3a.14, C-3d.3).",
        "Référents de l'agence",
        "C-3a.14",
    ),
    "/antennas": (
        models.antennas,
        "Who answers at each unit and its agency (C-3f.3).",
        "Référents des unités de travail social",
        "C-3f.3",
    ),
}
"""Lists of what either side said that names no job seeker (C-5.1)."""

CALLS: Final = {
    ("POST", "/convention-readings"): Call(
        right=Right.READ,
        body=governance.Reading,
        label="Dire que j'ai lu la convention",
        article="C-5.5",
    ),
    ("GET", "/convention-readings"): Call(
        right=Right.CONVENTIONS, label="Agents qui ont lu la convention", article="C-5.5"
    ),
    ("POST", "/final-reports"): Call(
        right=Right.CONVENTIONS,
        body=governance.FinalReport,
        label="Enregistrer le bilan écrit d'un terme",
        article="C-7.2",
    ),
    ("GET", "/final-reports/{convention_id}"): Call(right=Right.READ),
    ("POST", "/staff-notices"): Call(
        right=Right.CONVENTIONS,
        body=referents.StaffNotice,
        label="Dire qu'un collègue sait son contact transmis",
        article="C-6.2",
    ),
    ("GET", "/antennas/pairs"): Call(
        right=Right.READ, label="Agences et unités de travail social appariées", article="C-3f.1"
    ),
    **{
        ("GET", path): Call(right=Right.READ, label=label, article=article)
        for path, (_, _, label, article) in _LISTS.items()
    },
}
"""Calls of every party."""

DESK_CALLS: Final = {
    ("POST", "/desks"): Call(
        right=Right.CONVENTIONS,
        body=desks.Desk,
        label="Confier une tâche à un agent",
        article="C-3.2",
    ),
    ("POST", "/desks/closed"): Call(
        right=Right.CONVENTIONS,
        body=desks.Desk,
        label="Retirer une tâche à un agent",
        article="C-3.2",
    ),
    ("GET", "/desks"): Call(right=Right.READ, label="Tâches confiées", article="C-3.2"),
}
"""Calls of those that have desks, the agency and the city."""

AGENCY_CALLS: Final = {
    ("POST", "/volunteers"): Call(
        right=Right.REGISTER,
        body=volunteers.Volunteer,
        label="Enregistrer la demande d'un volontaire",
        article="C-3e.5",
    ),
    ("POST", "/collective-actions"): Call(
        right=Right.CONVENTIONS,
        body=actions.CollectiveAction,
        label="Compter une action collective",
        article="C-3c.1",
    ),
}
"""Calls of the agency alone."""


def _recording(
    node: Node, routes: APIRouter, path: str, right: Right, body: type[B], record: Record[B]
) -> None:
    """A call that records its body, once."""

    async def call(request: Request) -> Response:
        agent = await admitted(node, request, right)
        read = read_body(body, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            record(tx, node.core, read, agent.agent_id, node.clock.now())
            return {"recorded": True}

        return await write_once(node, request, agent, unit)

    call.__doc__ = body.__doc__
    routes.add_api_route(path, call, methods=["POST"], status_code=201)


def _listing(
    node: Node,
    routes: APIRouter,
    path: str,
    find: Callable[[Any], Any],
    shows: str,
    right: Right = Right.READ,
) -> None:
    """A call that shows what is known. shows: its line in the API's document."""

    async def call(request: Request) -> Response:
        agent_of(node, request, right)
        return JSONResponse(await node.database.read(find))

    call.__doc__ = shows
    routes.add_api_route(path, call, methods=["GET"])


def _rows(table: Table) -> Callable[[Any], list[dict[str, Any]]]:
    def find(connection: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- a Connection
        order = list(table.primary_key.columns)
        rows = connection.execute(select(table).order_by(*order)).mappings().all()
        return [{name: _plain(value) for name, value in row.items()} for row in rows]

    return find


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _common(node: Node) -> APIRouter:
    routes, managers = APIRouter(prefix="/api/v1"), Right.CONVENTIONS
    add = _recording
    add(
        node, routes, "/convention-readings", Right.READ, governance.Reading, governance.acknowledge
    )
    add(node, routes, "/final-reports", managers, governance.FinalReport, governance.record_report)
    add(node, routes, "/staff-notices", managers, referents.StaffNotice, referents.tell_staff)
    for path, (table, shows, _, _) in _LISTS.items():
        _listing(node, routes, path, _rows(table), shows)
    pairs = "Which unit answers to which agency, and whether both say so (C-3f.1)."
    _listing(node, routes, "/antennas/pairs", referents.pairs, pairs)

    def unread(connection: Any) -> Any:  # noqa: ANN401 -- JSON
        return governance.unread(connection, node.core, node.clock.now())

    who = "Which agents know the present version, and which do not (C-5.5)."
    _listing(node, routes, "/convention-readings", unread, who, managers)

    @routes.get("/final-reports/{convention_id}")
    async def report(request: Request, convention_id: str) -> Response:
        """What the signatories comment on: counts under the three elements (C-7.2, C-7.3)."""
        agent_of(node, request, Right.READ)
        at = node.clock.now()
        found = await node.database.read(
            lambda c: governance.template(c, node.core, convention_id, at)
        )
        return JSONResponse(found)

    return routes


def _with_desks(node: Node) -> APIRouter:
    routes, managers = _common(node), Right.CONVENTIONS
    _recording(node, routes, "/desks", managers, desks.Desk, desks.open_desk)
    _recording(node, routes, "/desks/closed", managers, desks.Desk, desks.close_desk)
    who = "Who deals with what, and agencies without a referent of the clauses (C-3d.3)."
    _listing(node, routes, "/desks", desks.shown, who)
    return routes


def _agency(node: Node) -> APIRouter:
    routes, register = _with_desks(node), Right.REGISTER
    people = volunteers
    _recording(node, routes, "/volunteers", register, people.Volunteer, people.volunteer)

    def hold(
        tx: Tx, core: Core, body: actions.CollectiveAction, agent_id: str, at: datetime
    ) -> None:
        actions.hold_action(tx, core, body, core.new_id(), agent_id, at)

    body = actions.CollectiveAction
    _recording(node, routes, "/collective-actions", Right.CONVENTIONS, body, hold)
    return routes


agency_router, city_router, ccas_router = _agency, _with_desks, _common
"""Routes under ``/api/v1``, by party."""
