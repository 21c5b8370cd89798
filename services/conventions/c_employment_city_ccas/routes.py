"""What each side records beside any case of the employer axis: interviews, tutors, job seekers.

No call lists, searches or exports candidates: there is nothing to list (C-5.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import day_of
from services.chassis.call import Call
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.tokens import Right
from services.conventions.c_employment_city_ccas import desks, offers, seekers, staff, tutors
from services.conventions.c_employment_city_ccas.models import offers as held


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EmployerInterview(_Closed):
    """Body of ``POST /employer-interviews`` (C-3a.1): the day on which it was held."""

    held_on: LegalDay = Field(title="Tenu le")


_SHARED: Final = {
    ("GET", "/pec-offers"): Call(
        right=Right.READ, label="Offres de contrats aidés", article="C-3a.11"
    ),
}
CITY_CALLS: Final = {
    **_SHARED,
    ("POST", "/employer-interviews"): Call(
        right=Right.SEND,
        body=EmployerInterview,
        label="Enregistrer l'entretien de l'employeur",
        article="C-3a.1",
    ),
    ("POST", "/tutors"): Call(
        right=Right.REGISTER, body=tutors.Tutor, label="Enregistrer un tuteur", article="C-3a.6"
    ),
    ("GET", "/tutors"): Call(right=Right.CASES, label="Tuteurs", article="C-3a.6"),
    ("POST", "/staff-numbers"): Call(
        right=Right.SEND, body=staff.StaffNumber, label="Dire l'effectif total", article="C-3a.7"
    ),
}
AGENCY_CALLS: Final = {
    **_SHARED,
    ("POST", "/job-seekers"): Call(
        right=Right.REGISTER,
        body=seekers.Seeker,
        label="Renseigner un demandeur d'emploi",
        article="C-3a.3",
    ),
}

Do = Callable[[Tx, Any, str], None]


def city_router(node: Node) -> APIRouter:
    """Routes of the employer, under ``/api/v1``."""
    routes = _shared(node)

    @routes.post("/employer-interviews", status_code=201)
    async def interview(request: Request) -> Response:
        """Record the employer's diagnostic interview with the agency (C-3a.1)."""
        return await _at_desk(
            node,
            request,
            (EmployerInterview, Right.SEND),
            lambda tx, body, agent: offers.interview(
                tx, node.core, body.held_on, agent, node.clock.now()
            ),
        )

    @routes.post("/tutors", status_code=201)
    async def tutor(request: Request) -> Response:
        """Record what is known of a member of staff as a tutor (C-3a.6)."""
        return await _at_desk(
            node,
            request,
            (tutors.Tutor, Right.REGISTER),
            lambda tx, body, agent: tutors.record(tx, node.core, body, agent, node.clock.now()),
        )

    @routes.post("/staff-numbers", status_code=201)
    async def number(request: Request) -> Response:
        """Say how many work for the employer in all, for the report of a year (C-3a.7)."""
        return await _at_desk(
            node,
            request,
            (staff.StaffNumber, Right.SEND),
            lambda tx, body, agent: staff.record(tx, node.core, body, agent, node.clock.now()),
        )

    @routes.get("/tutors")
    async def register(request: Request) -> Response:
        """The register of tutors, for the human resources desk alone (C-3a.6)."""
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> list[dict[str, Any]]:
            at = node.clock.now()
            desks.require(tx, "human_resources", agent.agent_id, at)
            return tutors.shown(tx, day_of(at))

        return JSONResponse(await node.database.write(unit))

    return routes


def agency_router(node: Node) -> APIRouter:
    """Routes of the agency, under ``/api/v1``."""
    routes = _shared(node)

    @routes.post("/job-seekers", status_code=201)
    async def seeker(request: Request) -> Response:
        """Record what holds of a job seeker, without reasons, and who the counsellor is."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(seekers.Seeker, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            seekers.record(tx, node.core, body, agent.agent_id, node.clock.now())
            return {"person_id": body.person_id}

        return await write_once(node, request, agent, unit)

    return routes


def _shared(node: Node) -> APIRouter:
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/pec-offers")
    async def listed(request: Request) -> Response:
        """Offers of supported contracts that are not closed; nobody is in them (C-3a.11)."""
        agent_of(node, request, Right.READ)
        query = select(held).order_by(held.c.at.desc())
        rows = await node.database.read(lambda c: list(c.execute(query).all()))
        return JSONResponse(offers.listed(rows))

    return routes


async def _at_desk(
    node: Node, request: Request, asked: tuple[type[BaseModel], Right], do: Do
) -> Response:
    """What the human resources desk alone records."""
    model, right = asked
    agent = await admitted(node, request, right)
    body = read_body(model, await request.body())

    def unit(tx: Tx) -> dict[str, Any]:
        desks.require(tx, "human_resources", agent.agent_id, node.clock.now())
        do(tx, body, agent.agent_id)
        return body.model_dump(mode="json")

    return await write_once(node, request, agent, unit)
