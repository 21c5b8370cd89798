"""A school's own watch cells: whom they speak of, what they settled, who sat in them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import delete, select

from contracts.conventions.a_city_school.messages import Objective, Strategy
from contracts.kernel.control import Id
from contracts.kernel.errors import Refused, UnknownName
from contracts.kernel.fields import Listed, Payload, said
from services.chassis import standing
from services.chassis.call import Call
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import admitted, read_body
from services.chassis.tokens import Agent, Right
from services.conventions.a_city_school.models import watch_cells
from services.school.models import agenda, attendees

Decision = Objective | Strategy | Literal["referral", "follow_up", "no_action"]


class AgendaItem(Payload):
    """One situation that the school brings before its watch cell (A-2.3)."""

    person_id: Id = said("Élève", why="Personne du registre de l'établissement.", source="A-2.3")
    decisions: Annotated[tuple[Decision, ...], Listed(9)] = said(
        "Décisions", why="Des codes, jamais un compte rendu.", source="A-2.4"
    )


class Attendees(Payload):
    """Who sat in a watch cell, by function (A-2.2)."""

    participants: Annotated[
        tuple[
            Literal[
                "head_teacher",
                "education_adviser",
                "teacher",
                "nurse",
                "social_worker",
                "guidance_counsellor",
                "youth_service",
                "outside_partner",
            ],
            ...,
        ],
        Listed(8),
    ] = said("Participants", why="Par fonction, sans nom.", source="A-2.2")


CALLS: Final = {
    ("POST", "/watch-cells/{message_id}/agenda"): Call(
        right=Right.SEND,
        body=AgendaItem,
        label="Inscrire une situation à l'ordre du jour",
        article="A-2.3",
        about="watch_cell.convened",
    ),
    ("POST", "/watch-cells/{message_id}/participants"): Call(
        right=Right.SEND,
        body=Attendees,
        label="Dire qui a siégé",
        article="A-2.2",
        about="watch_cell.convened",
    ),
}


def router(node: Node) -> APIRouter:
    """Routes of a school's node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/watch-cells/{message_id}/agenda", status_code=201)
    async def add_item(request: Request, message_id: str) -> Response:
        """Put a situation on the agenda, and what the cell settled; it stays at the school."""
        agent = await admitted(node, request, Right.SEND)
        item = read_body(AgendaItem, await request.body())
        await node.database.write(lambda tx: _add(tx, node, message_id, item, agent))
        return JSONResponse({"message_id": message_id}, status_code=201)

    @routes.post("/watch-cells/{message_id}/participants", status_code=201)
    async def attended(request: Request, message_id: str) -> Response:
        """Record who sat in it."""
        await admitted(node, request, Right.SEND)
        body = read_body(Attendees, await request.body())

        def unit(tx: Tx) -> None:
            _situations(tx, message_id)
            tx.execute(delete(attendees).where(attendees.c.message_id == message_id))
            row = {"message_id": message_id, "participants": body.participants}
            tx.execute(attendees.insert().values(**row))

        await node.database.write(unit)
        return JSONResponse({"message_id": message_id}, status_code=201)

    return routes


def _situations(tx: Tx, message_id: str) -> int:
    row = tx.execute(
        select(watch_cells.c.situations).where(watch_cells.c.message_id == message_id)
    ).first()
    if row is None:
        raise UnknownName("Aucune cellule de veille ne porte ce numéro.", code="unknown_meeting")
    return int(row.situations)


def _add(tx: Tx, node: Node, message_id: str, item: AgendaItem, agent: Agent) -> None:
    announced = _situations(tx, message_id)
    if tx.get(standing.PERSONS, item.person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    mine = agenda.c.message_id == message_id
    tx.execute(delete(agenda).where(mine & (agenda.c.person_id == item.person_id)))
    if len(tx.execute(select(agenda.c.person_id).where(mine)).all()) >= announced:
        raise Refused(
            "La convocation annonçait moins de situations : convoquez de nouveau.",
            articles=("A-2.3",),
        )
    tx.execute(
        agenda.insert().values(
            message_id=message_id,
            person_id=item.person_id,
            decisions=item.decisions,
            at=node.clock.now(),
            agent_id=agent.agent_id,
        )
    )
