"""What the department alone records of convention D: whom it supports, and whom it told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import day_of
from services.chassis.call import Call
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.informed import ParentInformed, record_informed
from services.chassis.node import Node
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.tokens import Right
from services.conventions.d_department_mission_locale import routes as common
from services.conventions.d_department_mission_locale import store, supports
from services.conventions.d_department_mission_locale.models import holder_notices

PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HolderNotice(ParentInformed):
    """Body of ``POST /holder-notices`` (D-1.2): what the holder of parental authority was told."""


class Support(_Closed):
    """Body of ``POST /supports`` (D-1.6): since when a person is supported, and never why."""

    person_id: PersonId = Field(title="Personne")
    taken_in_on: LegalDay = Field(title="Suivi depuis le")


class OnDay(_Closed):
    """Body of ``POST /interviews`` (D-1.6) and of ``POST /attentions`` (D-1.12)."""

    person_id: PersonId = Field(title="Personne")
    on: LegalDay = Field(title="Date")


class AttentionTime(_Closed):
    """Body of ``POST /attention-times`` (D-1.12): months after which to ask after who left."""

    months: Annotated[int, Field(ge=1, le=60)] = Field(title="Mois")


CALLS: Final = {
    **common.CALLS,
    ("POST", "/holder-notices"): Call(
        right=Right.REGISTER,
        body=HolderNotice,
        label="Dire que le titulaire de l'autorité parentale a été informé",
        article="D-1.2",
    ),
    ("POST", "/supports"): Call(
        right=Right.REGISTER, body=Support, label="Enregistrer un suivi", article="D-1.6"
    ),
    ("POST", "/interviews"): Call(
        right=Right.REGISTER,
        body=OnDay,
        label="Enregistrer un entretien des 17 ans",
        article="D-1.6",
    ),
    ("POST", "/attentions"): Call(
        right=Right.REGISTER,
        body=OnDay,
        label="Dire que des nouvelles ont été prises",
        article="D-1.12",
    ),
    ("POST", "/attention-times"): Call(
        right=Right.CONVENTIONS,
        body=AttentionTime,
        label="Régler le délai d'attention",
        article="D-1.12",
    ),
    ("GET", "/youth-contracts/missing"): Call(
        right=Right.READ, label="Jeunes à qui le contrat n'a pas été proposé", article="D-1.9"
    ),
}


def router(node: Node) -> APIRouter:
    """Routes of convention D at the department, under ``/api/v1``."""
    routes = common.router(node)
    _people(routes, node)
    _follow(routes, node)
    return routes


def _people(routes: APIRouter, node: Node) -> None:
    @routes.post("/holder-notices", status_code=201)
    async def holder(request: Request) -> Response:
        """Record that the holder of a minor's parental authority was informed (D-1.2)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(HolderNotice, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            inform(tx, node.core, body, agent.agent_id, node.clock.now())
            return {"person_id": body.person_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/supports", status_code=201)
    async def support(request: Request) -> Response:
        """Record since when a person is supported (D-1.6)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(Support, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            supports.support(tx, node.core, body.person_id, body.taken_in_on, at)
            node.journal.note(tx, "support.recorded", agent.agent_id, at, articles=("D-1.6",))
            return {"person_id": body.person_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/interviews", status_code=201)
    async def interview(request: Request) -> Response:
        """Record that the interview was held without any adviser, or without any case (D-1.6)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(OnDay, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            happened(body, supports.interview_held(tx, body.person_id, body.on, at), at)
            node.journal.note(tx, "interview.recorded", agent.agent_id, at, articles=("D-1.6",))
            return {"person_id": body.person_id}

        return await write_once(node, request, agent, unit)


def _follow(routes: APIRouter, node: Node) -> None:
    @routes.post("/attentions", status_code=201)
    async def attention(request: Request) -> Response:
        """Record that somebody asked after a person who left; no message, no new case (D-1.12)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(OnDay, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            happened(body, supports.attended(tx, body.person_id, body.on, at), at)
            node.journal.note(tx, "attention.given", agent.agent_id, at, articles=("D-1.12",))
            return {"person_id": body.person_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/attention-times", status_code=201)
    async def times(request: Request) -> Response:
        """Set after how many months to ask after whoever left (D-1.12)."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(AttentionTime, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            supports.set_attention(tx, body.months, agent.agent_id, at)
            supports.daily(tx, node.core, at)
            node.journal.note(tx, "attention.set", agent.agent_id, at, articles=("D-1.12",))
            return {"months": body.months}

        return await write_once(node, request, agent, unit)

    @routes.get("/youth-contracts/missing")
    async def missing(request: Request) -> Response:
        """To whom nobody has proposed the youth contract yet: ids of cases alone (D-1.9)."""
        agent_of(node, request, Right.READ)
        found = await node.database.read(store.not_proposed)
        return JSONResponse({"count": len(found), "cases": found})


def happened(body: OnDay, known: bool, at: datetime) -> None:  # noqa: FBT001 -- what a look-up found
    """Refuse what did not happen yet, or to nobody: raises InvalidPayload, UnknownName."""
    if not known:
        raise UnknownName("Aucun suivi de cette personne n'est connu.", code="unknown_person")
    if body.on > day_of(at):
        raise InvalidPayload("Cette date est dans le futur.", fields=(("on", "in_the_future"),))


def inform(tx: Tx, core: Core, body: HolderNotice, agent_id: str, at: datetime) -> None:
    """Record what a holder was told. Raises UnknownName, InvalidPayload."""
    record_informed(tx, holder_notices, body, agent_id, at)
    core.journal.note(tx, "holder.informed", agent_id, at, articles=("D-1.2",))
