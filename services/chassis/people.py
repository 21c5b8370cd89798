"""Routes on people: one's own register, the charter, agreements, withdrawal, erasure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.kernel.errors import InvalidPayload, UnknownName
from services.chassis import minors, standing, views
from services.chassis.agreements import withdraw_known
from services.chassis.database import Tx
from services.chassis.erasure import erase_person
from services.chassis.node import Node
from services.chassis.rectifying import Correction, rectify
from services.chassis.register import (
    AgreementRecord,
    NewPerson,
    accept_charter,
    person_left,
    record_agreement,
    register_person,
)
from services.chassis.requests import admitted, agent_of, known, read_body, write_once
from services.chassis.resemblance import note_answer
from services.chassis.tokens import Agent, Right


class CharterBody(BaseModel):
    """Body of ``POST /charter``: the version of the confidentiality charter that is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1, max_length=20)


def router(node: Node) -> APIRouter:
    """Routes of one node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")
    _register(routes, node)
    _charter(routes, node)
    _agreements(routes, node)
    _minors(routes, node)
    return routes


def _register(routes: APIRouter, node: Node) -> None:
    @routes.post("/persons", status_code=201)
    async def person(request: Request) -> Response:
        """Add a person to this organisation's own register; the id is random and local."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(NewPerson, await request.body())
        person_id, who = node.given.new_id(), agent.agent_id

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            register_person(tx, node.core, body.person, person_id, who, at, body.others)
            return {"person_id": person_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/persons/{person_id}/recognition")
    async def recognition(request: Request, person_id: str) -> Response:
        """Record that somebody who was about to be registered is this person, already here."""
        agent = await admitted(node, request, Right.REGISTER)

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            note_answer(tx, node.core, person_id, "same", agent.agent_id, at)
            return {"person_id": person_id}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/persons/{person_id}/rectification")
    async def rectification(request: Request, person_id: str) -> Response:
        """Correct a name or a day of birth, asked for or seen to be wrong; passed on (GDPR 16)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(Correction, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            request_id, told = rectify(tx, node.core, person_id, body, agent, node.clock.now())
            return {"request_id": request_id, "state": "to_answer", "told": told}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/persons/{person_id}/departure")
    async def departure(request: Request, person_id: str) -> Response:
        """Record that a person is registered here no more (A-1.2); retention runs from then on."""
        agent = await admitted(node, request, Right.REGISTER)

        def unit(tx: Tx) -> dict[str, Any]:
            person_left(tx, node.core, person_id, agent.agent_id, node.clock.now())
            return {"person_id": person_id}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/persons/{person_id}/erasure", status_code=202)
    async def erasure(request: Request, person_id: str) -> Response:
        """Destroy all that is held about a person, and ask every partner to (GDPR art. 17, 19)."""
        agent = await admitted(node, request, Right.ERASE)
        return await write_once(
            node, request, agent, lambda tx: _erase_person(tx, node, person_id), 202
        )


def _charter(routes: APIRouter, node: Node) -> None:
    @routes.post("/charter", status_code=201)
    async def charter(request: Request) -> Response:
        """Accept the confidentiality charter in force (A-5.2)."""
        agent = agent_of(node, request, Right.READ)
        version = read_body(CharterBody, await request.body()).version
        if version != node.core.policy.charter:
            raise InvalidPayload(
                f"La charte en vigueur est la version {node.core.policy.charter}.",
                fields=(("version", "not_in_force"),),
                articles=("A-5.2",),
            )

        def unit(tx: Tx) -> dict[str, Any]:
            accept_charter(tx, node.core, agent.agent_id, version, node.clock.now())
            return {"version": version}

        return await write_once(node, request, agent, unit)


def _agreements(routes: APIRouter, node: Node) -> None:
    @routes.post("/agreements", status_code=201)
    async def record(request: Request) -> Response:
        """Record an agreement or a refusal, with the notice that came before it."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(AgreementRecord, await request.body())
        agreement_id = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            record_agreement(tx, node.core, body, agreement_id, agent.agent_id, at)
            return {"agreement_id": agreement_id}

        return await write_once(node, request, agent, unit)

    @routes.get("/agreements/{agreement_id}")
    async def agreement(request: Request, agreement_id: str) -> Response:
        """State of an agreement: to what, to whom, until when, and who was told of its end."""
        await admitted(node, request, Right.CASES)
        found = await node.database.read(
            lambda c: views.agreement(c, agreement_id, node.clock.now())
        )
        return JSONResponse(known(found, "Cet accord n'est pas connu ici."))

    @routes.post("/agreements/{agreement_id}/withdrawal")
    async def withdrawal(request: Request, agreement_id: str) -> Response:
        """Withdraw: at once, without a reason; every recipient is told.

        At a holder the id is the agreement's reference: it stops here at once, and the collector
        is asked to tell the others.
        """
        agent = await admitted(node, request, Right.WITHDRAW)
        with node.telemetry.span("agreement.withdraw") as step:
            above = step.traceparent or None
            answer = await write_once(
                node,
                request,
                agent,
                lambda tx: _withdraw(tx, node, agreement_id, agent, above),
                200,
            )
            step.set(state="withdrawn")
        return answer


def _minors(routes: APIRouter, node: Node) -> None:
    @routes.post("/agreements/{agreement_id}/hearing")
    async def hearing(request: Request, agreement_id: str) -> Response:
        """Record the young person's own word on an agreement, and whether it goes on."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(minors.Hearing, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            state, told = minors.hear(tx, node.core, agreement_id, body, agent.agent_id, at)
            return {"state": state, "told": list(told)}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/agreements/{agreement_id}/objection")
    async def objection(request: Request, agreement_id: str) -> Response:
        """Suspend an agreement until an objection is answered; every recipient is told."""
        agent = await admitted(node, request, Right.WITHDRAW)
        body = read_body(minors.Objection, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            told = minors.suspend(tx, node.core, agreement_id, body, agent.agent_id, at)
            return {"state": "suspended", "told": list(told)}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/agreements/{agreement_id}/objection/answer")
    async def answer(request: Request, agreement_id: str) -> Response:
        """Answer an objection: upheld, the agreement is withdrawn; lifted, it runs again."""
        agent = await admitted(node, request, Right.CONVENTIONS)
        body = read_body(minors.ObjectionAnswer, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            state, told = minors.answer_objection(
                tx, node.core, agreement_id, body, agent.agent_id, at
            )
            return {"state": state, "told": list(told)}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)


def _withdraw(
    tx: Tx, node: Node, agreement_id: str, agent: Agent, traceparent: str | None = None
) -> dict[str, Any]:
    at = node.clock.now()
    done = withdraw_known(tx, node.core, agreement_id, agent.agent_id, at, traceparent)
    return {"state": "withdrawn", "told": list(done.told), "stopped": done.stopped}


def _erase_person(tx: Tx, node: Node, person_id: str) -> dict[str, Any]:
    at = node.clock.now()
    if tx.get(standing.PERSONS, person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    return erase_person(tx, node.core, person_id, at)
