"""The HTTP API of a node, stable: what agents' programs and integrators call.

Bodies are validated once, from their bytes; a refusal by the gate is a 403 problem with its
articles, a wrong shape a 422 with paths and codes. Nothing personal is ever in a URL.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
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
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import OrgId
from contracts.kernel.paris import day_of
from services.chassis import idempotency, posting, routing, standing, traffic, views
from services.chassis.acts import require_case
from services.chassis.database import Need, Tx, Work
from services.chassis.erasure import ask_erasure
from services.chassis.node import Node
from services.chassis.problems import MEDIA_TYPE, refusal
from services.chassis.requests import (
    admitted,
    agent_of,
    known,
    page_of,
    read_body,
    read_query,
    write_once,
)
from services.chassis.tokens import Agent, Right

Id = r"^[0-9a-f]{32}$"


class MessageBody(BaseModel):
    """Body of ``POST /messages``: what to send, to whom, on which agreement or case.

    derogation_id: the decision, asked for and confirmed, to send it without agreement.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(max_length=60)
    to: OrgId
    case_id: str | None = Field(default=None, pattern=Id)
    agreement_id: str | None = Field(default=None, pattern=Id)
    notice_id: str | None = Field(default=None, pattern=Id)
    derogation_id: str | None = Field(default=None, pattern=Id)
    convention_id: str | None = Field(default=None, max_length=64)
    data: dict[str, Any]


def router(node: Node) -> APIRouter:
    """Routes of one node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")
    _messages(routes, node)
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
        """Letters sent that concern who asks, by state, type or date; ids, codes and dates only."""
        agent = agent_of(node, request, Right.READ)
        wanted, at = read_query(traffic.MessageFilter, request), node.clock.now()
        return page_of(
            request,
            await node.database.write(
                lambda tx: traffic.messages(tx, node.core, agent, wanted, at)
            ),
        )

    @routes.get("/messages/{message_id}")
    async def message(request: Request, message_id: str) -> Response:
        """State of one letter, with its receipt."""
        agent_of(node, request, Right.READ)
        found = await node.database.read(lambda c: traffic.message(c, message_id))
        return JSONResponse(known(found, "Ce message n'est pas connu ici."))

    @routes.get("/messages/{message_id}/decision")
    async def decision(request: Request, message_id: str) -> Response:
        """Replay the decision: same inputs, same answer, same words."""
        agent_of(node, request, Right.JOURNAL)
        found = await node.database.read(lambda c: views.explain(c, node.core, message_id))
        return JSONResponse(known(found or None, "Aucune décision ne porte ce numéro."))


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
            now, under = node.clock.now(), body.convention_id
            data = routing.read_data(node.core, body.type, body.to, body.data, now, under)
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
        derogation_id=body.derogation_id,
        convention_id=body.convention_id,
        traceparent=traceparent,
    )


def _submission(node: Node, asked: Asked) -> Work[posting.Outcome | Row[Any]]:
    """Submit, or find what the same key was answered before: one transaction for both."""
    wanted, slot = asked.wanted, asked.slot

    def unit(tx: Tx) -> posting.Outcome | Row[Any]:
        before = None if slot is None else tx.get(idempotency.ANSWERS, slot)
        if before is not None:
            return before
        at = node.clock.now()
        outcome = posting.submit(tx, node.core, wanted, at)
        if slot is not None:
            idempotency.keep(tx, slot, asked.digest, *_told(outcome), at)
        return outcome

    return Work(
        unit,
        needs=tuple(_needs(node, asked)),
        then=lambda tx: [(node.keystore.loader, scope) for scope, _ in _sealed(tx, wanted)],
        ready=lambda tx: _look(tx, node, wanted),
    )


def _needs(node: Node, asked: Asked) -> Iterator[Need]:
    wanted = asked.wanted
    charter = (wanted.agent_id, node.core.policy.charter)
    if charter not in node.core.charters:
        yield standing.CHARTERS, charter
    if wanted.agreement_id is not None:
        yield standing.AGREEMENTS, wanted.agreement_id
    if wanted.case_id is not None:
        yield standing.CASES, wanted.case_id
    if asked.slot is not None:
        yield idempotency.ANSWERS, asked.slot


def _sealed(tx: Tx, wanted: routing.Request) -> Iterator[tuple[str, bytes]]:
    """Scope and sealed identity of the person, once the agreement that names it is read."""
    if wanted.agreement_id is not None:
        found = tx.get(standing.AGREEMENTS, wanted.agreement_id)
        if found is not None and found.row.scope is not None:
            yield found.row.scope, found.row.sealed


def _look(tx: Tx, node: Node, wanted: routing.Request) -> None:
    """Open what the decision will ask for."""
    if wanted.agreement_id is not None:
        standing.of_agreement(tx, wanted.agreement_id, node.core.org, wanted.to)
        for scope, sealed in _sealed(tx, wanted):
            standing.opened_person(tx, node.core, scope, sealed)


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


def _cases(routes: APIRouter, node: Node) -> None:
    @routes.get("/cases/{case_id}")
    async def case(request: Request, case_id: str) -> Response:
        """What this organisation holds about a case."""
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> dict[str, Any]:
            require_case(tx, node.core, case_id, agent, node.clock.now())
            return views.case(tx, node.core, case_id)

        return JSONResponse(await node.database.write(unit))

    @routes.get("/cases/{case_id}/exchanges")
    async def exchanges(request: Request, case_id: str) -> Response:
        """What the family may be shown of a case today: who was told what, when (A-2.12).

        What was sent without agreement and is sealed comes on its day, and says that it was.
        """
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> list[dict[str, Any]]:
            at = node.clock.now()
            require_case(tx, node.core, case_id, agent, at)
            return views.exchanges(tx, case_id, day_of(at))

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
