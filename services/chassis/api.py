"""The HTTP API of a node, stable: what agents' programs and integrators call.

Bodies are validated once, from their bytes; a refusal by the gate is a 403 problem with its
articles, a wrong shape a 422 with paths and codes. Nothing personal is ever in a URL.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from sqlalchemy import Row

from contracts.gate import Refused
from contracts.kernel.control import WithdrawalRequested
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import OrgId
from services.chassis import idempotency, posting, routing, standing, views
from services.chassis.acts import require_case
from services.chassis.agreements import (
    AgreementRecord,
    accept_charter,
    person_left,
    record_agreement,
    register_person,
    stop_held,
    withdraw,
)
from services.chassis.controls import send_control
from services.chassis.database import Need, Tx, Work
from services.chassis.erasure import ask_erasure, erase_person
from services.chassis.node import Node
from services.chassis.problems import MEDIA_TYPE, refusal
from services.chassis.requests import admitted, agent_of, read_body, read_query, write_once
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Right

Id = r"^[0-9a-f]{32}$"


class MessageBody(BaseModel):
    """Body of ``POST /messages``: what to send, to whom, on which agreement or case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(max_length=60)
    to: OrgId
    case_id: str | None = Field(default=None, pattern=Id)
    agreement_id: str | None = Field(default=None, pattern=Id)
    notice_id: str | None = Field(default=None, pattern=Id)
    convention_id: str | None = Field(default=None, max_length=64)
    data: dict[str, Any]


class CharterBody(BaseModel):
    """Body of ``POST /charter``: the version of the confidentiality charter that is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1, max_length=20)


def router(node: Node) -> APIRouter:
    """Routes of one node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")
    _messages(routes, node)
    _register(routes, node)
    _agreements(routes, node)
    _cases(routes, node)
    return routes


def sending(node: Node) -> Callable[[Request, bytes], Awaitable[Response]]:
    """What answers ``POST /messages``, the one call that every message makes."""

    async def send(request: Request, content: bytes) -> Response:
        headers = request.headers
        agent = node.tokens.read(headers.get("authorization"), node.clock.now())
        agent.require(Right.SEND)
        return await _send(node, agent, content, headers.get("idempotency-key"))

    return send


def _messages(routes: APIRouter, node: Node) -> None:
    send = sending(node)

    @routes.post("/messages", status_code=202)
    async def send_message(request: Request) -> Response:
        """Send a message: 202 queued, 403 refused with articles, 422 wrong shape."""
        return await send(request, await request.body())

    @routes.get("/messages")
    async def messages(request: Request) -> Response:
        """Letters sent, by state, type or date; ids, codes and dates only."""
        agent_of(node, request, Right.READ)
        filters = read_query(views.MessageFilter, request)
        return JSONResponse(await node.database.read(lambda c: views.messages(c, filters)))

    @routes.get("/messages/{message_id}")
    async def message(request: Request, message_id: str) -> Response:
        """State of one letter, with its receipt."""
        agent_of(node, request, Right.READ)
        found = await node.database.read(lambda c: views.message(c, message_id))
        return JSONResponse(_known(found, "Ce message n'est pas connu ici."))

    @routes.get("/messages/{message_id}/decision")
    async def decision(request: Request, message_id: str) -> Response:
        """Replay the decision: same inputs, same answer, same words."""
        agent_of(node, request, Right.JOURNAL)
        found = await node.database.read(lambda c: views.explain(c, node.core, message_id))
        return JSONResponse(_known(found or None, "Aucune décision ne porte ce numéro."))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to send, and the place where its answer is kept if it has an Idempotency-Key."""

    wanted: routing.Request
    slot: idempotency.Slot | None
    digest: str


async def _send(node: Node, agent: Agent, content: bytes, key: str | None) -> Response:
    body = read_body(MessageBody, content)
    with node.telemetry.span("message.send") as step:
        if body.type in node.core.flows:  # else it is whatever the caller typed
            step.set(flow=body.type)
        try:
            data = routing.read_data(node.core, body.type, body.data)
        except InvalidPayload as error:
            error.message_id = node.given.new_id()
            refused = posting.invalid(
                node.core, error.message_id, body.type, agent.agent_id, error.articles
            )
            step.set(message_id=error.message_id)
            await node.database.write(lambda tx: refused(tx, node.clock.now()))
            step.refuse(*error.articles, code=error.code)
            raise
        wanted = _wanted(node, agent, body, data, step.traceparent or None)
        slot = None if key is None else idempotency.slot(agent.agent_id, key)
        asked = Asked(wanted, slot, sha256(content).hexdigest())
        outcome = await node.database.write(_submission(node, asked))
        if isinstance(outcome, Row):
            idempotency.same_request(outcome, asked.digest)
            step.set(state="repeated")
            return _answer(outcome.status, json.loads(outcome.answer))
        step.set(message_id=wanted.message_id)
        if isinstance(outcome.decision, Refused):
            step.refuse(*outcome.decision.articles)
            node.metrics.message(body.type, "refused")
            node.metrics.refusal(*outcome.decision.articles)
        else:
            step.set(state=outcome.state)
            node.metrics.message(body.type, outcome.state)
    return _answer(*_told(outcome))


def _wanted(
    node: Node, agent: Agent, body: MessageBody, data: Payload, traceparent: str | None
) -> routing.Request:
    return routing.Request(
        message_id=node.given.new_id(),
        new_case_id=node.given.new_id(),
        type=body.type,
        to=body.to,
        data=data,
        agent_id=agent.agent_id,
        agent_role=agent.role.value,
        case_id=body.case_id,
        agreement_id=body.agreement_id,
        notice_id=body.notice_id,
        convention_id=body.convention_id,
        traceparent=traceparent,
    )


def _submission(node: Node, asked: Asked) -> Work[posting.Outcome | Row[Any]]:
    """Submit, or find what the same key was answered before: one transaction for both."""
    wanted, slot = asked.wanted, asked.slot
    charter = (wanted.agent_id, node.core.policy.charter)
    needs: list[Need] = []
    if charter not in node.core.charters:
        needs.append((standing.CHARTERS, charter))
    if wanted.agreement_id is not None:
        needs.append((standing.AGREEMENTS, wanted.agreement_id))
    if wanted.case_id is not None:
        needs.append((standing.CASES, wanted.case_id))
    if slot is not None:
        needs.append((idempotency.ANSWERS, slot))

    def unit(tx: Tx) -> posting.Outcome | Row[Any]:
        before = None if slot is None else tx.get(idempotency.ANSWERS, slot)
        if before is not None:
            return before
        at = node.clock.now()
        outcome = posting.submit(tx, node.core, wanted, at)
        if slot is not None:
            idempotency.keep(tx, slot, asked.digest, *_told(outcome), at)
        return outcome

    return Work(unit, needs=tuple(needs), then=lambda tx: _keys(tx, node, wanted))


def _keys(tx: Tx, node: Node, wanted: routing.Request) -> list[Need]:
    """The data key of the person, once the agreement that names it is read."""
    if wanted.agreement_id is None:
        return []
    found = tx.get(standing.AGREEMENTS, wanted.agreement_id)
    if found is None or found.row.scope is None:
        return []
    return [(node.keystore.loader, found.row.scope)]


def _told(outcome: posting.Outcome) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to a submission."""
    if isinstance(outcome.decision, Refused):
        return HTTPStatus.FORBIDDEN, refusal(outcome.message_id, outcome.decision)
    told = {"message_id": outcome.message_id, "state": outcome.state, "case_id": outcome.case_id}
    return HTTPStatus.ACCEPTED, told


def _answer(status: int, told: dict[str, Any]) -> Response:
    """The first answer to a submission, or the same one again."""
    content = to_json(told)
    if status == HTTPStatus.FORBIDDEN:
        return Response(content, status_code=status, media_type=MEDIA_TYPE)
    headers = {"Location": f"/api/v1/messages/{told['message_id']}"}
    return Response(content, status_code=status, headers=headers, media_type="application/json")


def _register(routes: APIRouter, node: Node) -> None:
    @routes.post("/persons", status_code=201)
    async def person(request: Request) -> Response:
        """Add a person to this organisation's own register; the id is random and local."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(Person, await request.body())
        person_id = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            register_person(tx, node.core, body, person_id, agent.agent_id, at)
            return {"person_id": person_id}

        return await write_once(node, request, agent, unit)

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
        return JSONResponse(_known(found, "Cet accord n'est pas connu ici."))

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


def _withdraw(
    tx: Tx, node: Node, agreement_id: str, agent: Agent, traceparent: str | None = None
) -> dict[str, Any]:
    at = node.clock.now()
    if tx.get(standing.AGREEMENTS, agreement_id) is not None:
        done = withdraw(tx, node.core, agreement_id, agent.agent_id, at, traceparent)
        return {"state": "withdrawn", "told": list(done.told), "stopped": done.stopped}
    proof = tx.get(standing.PROOFS, agreement_id)
    if proof is None:
        raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")
    stop_held(tx, node.core, proof, at)
    asked = WithdrawalRequested(reference=proof.reference, asked_at=at)
    send_control(
        tx,
        node.core,
        "withdrawal.requested",
        asked,
        proof.collector,
        proof.convention_id,
        at,
        traceparent=traceparent,
    )
    return {"state": "withdrawn", "told": [proof.collector], "stopped": 0}


def _cases(routes: APIRouter, node: Node) -> None:
    @routes.get("/cases/{case_id}")
    async def case(request: Request, case_id: str) -> Response:
        """What this organisation holds about a case."""
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> dict[str, Any]:
            require_case(tx, node.core, case_id, agent, node.clock.now())
            return views.case(tx, node.core, case_id)

        return JSONResponse(await node.database.write(unit))

    @routes.post("/cases/{case_id}/erasure", status_code=202)
    async def erasure(request: Request, case_id: str) -> Response:
        """Destroy what is held about a case, and ask the partner to do so (GDPR art. 17, 19)."""
        agent = await admitted(node, request, Right.ERASE)
        with node.telemetry.span("case.erase") as step:
            above = step.traceparent or None
            answer = await write_once(
                node, request, agent, lambda tx: _ask_erasure(tx, node, case_id, above), 202
            )
            step.set(state="queued")
        return answer


def _ask_erasure(
    tx: Tx, node: Node, case_id: str, traceparent: str | None = None
) -> dict[str, Any]:
    at = node.clock.now()
    case = tx.get(standing.CASES, case_id)
    if case is None or case.state == standing.ERASED:
        raise UnknownName("Ce dossier n'est pas, ou plus, connu ici.", code="unknown_case")
    return ask_erasure(tx, node.core, case, node.given.new_id(), at, traceparent)


def _erase_person(tx: Tx, node: Node, person_id: str) -> dict[str, Any]:
    at = node.clock.now()
    if tx.get(standing.PERSONS, person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    return erase_person(tx, node.core, person_id, at)


def _known(found: Any, sentence: str) -> Any:  # noqa: ANN401 -- any JSON value
    if found is None:
        raise UnknownName(sentence)
    return found
