"""What every call of the API goes through: who asks, the charter, the body, the key of a repeat."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy import Row

from contracts.kernel.errors import InvalidPayload, UnknownName
from services.chassis import idempotency, standing
from services.chassis.acquaintance import require_text
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.problems import MALFORMED
from services.chassis.routing import fields_at_fault
from services.chassis.tokens import Agent, NotPermitted, Right

M = TypeVar("M", bound=BaseModel)

_UNDER_CHARTER: Final = frozenset(
    {Right.SEND, Right.REGISTER, Right.CASES, Right.ERASE, Right.CONFIRM, Right.REVIEW}
)
"""Rights that open what is said of people: nobody has them before accepting the charter (A-5.2)."""


def read_body(model: type[M], content: bytes) -> M:
    """Validate a request's bytes once; raises InvalidPayload with paths and codes."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise InvalidPayload(MALFORMED, fields=fields_at_fault(error)) from None


def read_query(model: type[M], request: Request) -> M:
    """Validate a request's query; raises InvalidPayload with paths and codes."""
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise InvalidPayload(
            "Les critères n'ont pas la forme attendue.", fields=fields_at_fault(error)
        ) from None


def page_of(request: Request, listed: tuple[list[dict[str, Any]], str | None]) -> Response:
    """One page of a list, and where the next one is (RFC 8288) where there is one."""
    found, before = listed
    if before is None:
        return JSONResponse(found)
    following = request.url.include_query_params(before=before)
    link = f'<{following.path}?{following.query}>; rel="next"'
    return JSONResponse(found, headers={"Link": link})


def agent_of(node: Node, request: Request, right: Right) -> Agent:
    """The agent behind a request, if the role includes the right."""
    agent = node.tokens.read(request.headers.get("authorization"), node.clock.now())
    agent.require(right)
    return agent


async def admitted(node: Node, request: Request, right: Right) -> Agent:
    """The same, who has also accepted the present charter where the right asks for it (A-5.2)."""
    agent = agent_of(node, request, right)
    wanted = (agent.agent_id, node.core.policy.charter)
    if right in _UNDER_CHARTER and wanted not in node.core.charters:
        found = await node.database.read(lambda c: standing.CHARTERS.fetch(c, (wanted,)))
        if wanted not in found:
            raise NotPermitted(
                "Acceptez d'abord la charte de confidentialité en vigueur : POST /api/v1/charter.",
                code="charter_not_accepted",
                articles=("A-5.2",),
            )
        node.core.charters[wanted] = found[wanted]
    return agent


async def known_text(node: Node, agent: Agent, code: str, method: str, path: str) -> None:
    """Refuse a call of a side to whoever does not know its text, where that asks so.

    code: of the text. path: under ``/api/v1``. The one call by which an agent says that the text
    was read is open before. Raises ConventionUnread.
    """
    asked = node.core.partner.side(code).acquaintance
    if asked is None or (method, path) == ("POST", asked.path):
        return
    at = node.clock.now()
    await node.database.write(lambda tx: require_text(tx, node.core, code, agent, at))


def knowing(node: Node, code: str) -> Callable[[Request], Awaitable[None]]:
    """What a side's routes ask of every call, beside the right that each asks by itself."""

    async def known_to(request: Request) -> None:
        agent = node.tokens.read(request.headers.get("authorization"), node.clock.now())
        path = request.url.path.removeprefix("/api/v1")
        await known_text(node, agent, code, request.method, path)

    return known_to


async def write_once(
    node: Node,
    request: Request,
    agent: Agent,
    work: Callable[[Tx], dict[str, Any]],
    status: int = 201,
) -> Response:
    """Do it in one transaction; repeated under the same Idempotency-Key, answer the same again.

    Raises KeyReused when the key comes with another request, and what the work raises.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return JSONResponse(await node.database.write(work), status_code=status)
    slot, digest = idempotency.slot(agent.agent_id, key), await _digest(request)

    def unit(tx: Tx) -> dict[str, Any] | Row[Any]:
        before = tx.get(idempotency.ANSWERS, slot)
        if before is not None:
            return before
        answer = work(tx)
        idempotency.keep(tx, slot, digest, status, answer, node.clock.now())
        return answer

    found = await node.database.write(unit)
    if isinstance(found, Row):
        return _again(found, digest)
    return JSONResponse(found, status_code=status)


Keep = Callable[[Tx, dict[str, Any]], None]
"""Keeps an answer, in the transaction that ends what it answers."""


async def publish_once(
    node: Node,
    request: Request,
    agent: Agent,
    work: Callable[[str, Keep], Awaitable[dict[str, Any]]],
) -> Response:
    """Do what reaches beyond this node, under a name; repeated under one key, the name is the same.

    So that whoever receives it twice knows it again, also where this node ended before it answered.
    Raises KeyReused when the key comes with another request, and what the work raises.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        made = await work(node.given.new_id(), lambda _tx, _answer: None)
        return JSONResponse(made, status_code=201)
    slot, digest = idempotency.slot(agent.agent_id, key), await _digest(request)
    before = await node.database.read(lambda c: idempotency.ANSWERS.fetch(c, (slot,)))
    if slot in before:
        return _again(before[slot], digest)

    def keep(tx: Tx, answer: dict[str, Any]) -> None:
        if (
            tx.get(idempotency.ANSWERS, slot) is None
        ):  # else another call of the same key ended first
            idempotency.keep(tx, slot, digest, 201, answer, node.clock.now())

    name = sha256("\n".join((node.core.org, *slot, digest)).encode()).hexdigest()[:32]
    return JSONResponse(await work(name, keep), status_code=201)


async def _digest(request: Request) -> str:
    asked = request.url.path.encode() + b"\n" + await request.body()
    return sha256(asked).hexdigest()


def _again(before: Row[Any], digest: str) -> Response:
    idempotency.same_request(before, digest)
    return JSONResponse(json.loads(before.answer), status_code=before.status)


def known(found: Any, sentence: str) -> Any:  # noqa: ANN401 -- any JSON value
    """What was found; raises UnknownName with the sentence where nothing was."""
    if found is None:
        raise UnknownName(sentence)
    return found
