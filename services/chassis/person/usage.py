"""What a person's page shows, for programs: in the shape of Estonia's usage protocol, version 2.

``findUsage``, ``usagePeriod`` and ``heartbeat`` as its data tracker has them, so that a portal that
reads those reads this. For whoever is at the page, and for a program of the organisation whose role
opens cases.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi import Request as ApiRequest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Instant
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.content import name_of
from services.chassis.person.codes import opened
from services.chassis.person.door import visit_of
from services.chassis.person.sentences import sentence
from services.chassis.person.uses import Use, uses_of
from services.chassis.person.visits import Visit
from services.chassis.requests import admitted, agent_of, read_query
from services.chassis.tokens import Agent, Right

SYSTEM: Final = "Relais"
"""System in which the person's data were handled."""
_MOST: Final = 1000
_LAST: Final = 1_000_000

_PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class UsageQuery(BaseModel):
    """Query of ``findUsage``; periodEnd is not part of the period. userCode: a person's local id.

    At the person's own page userCode may be left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    userCode: _PersonId | None = None  # noqa: N815 -- the protocol's name
    periodStart: Instant | None = None  # noqa: N815 -- the protocol's name
    periodEnd: Instant | None = None  # noqa: N815 -- the protocol's name
    offset: int = Field(default=0, ge=0, le=_LAST)
    limit: int = Field(default=_MOST, ge=1, le=_MOST)


class Usage(BaseModel):
    """One entry of the protocol. receiverCode: SIRET or UAI of who got or handled it, or an id."""

    model_config = ConfigDict(extra="forbid")

    logtime: AwareDatetime
    action: str
    receiverCode: str  # noqa: N815 -- the protocol's name
    receiverName: str  # noqa: N815 -- the protocol's name
    receiverSystem: str  # noqa: N815 -- the protocol's name


class Usages(BaseModel):
    """Answer of ``findUsage``: the latest first. totalUsages: of the period, whatever was asked."""

    model_config = ConfigDict(extra="forbid")

    totalUsages: int  # noqa: N815 -- the protocol's name
    usages: list[Usage]


class UsagePeriod(BaseModel):
    """Answer of ``usagePeriod``: since when entries are kept; until now."""

    model_config = ConfigDict(extra="forbid")

    periodStart: AwareDatetime  # noqa: N815 -- the protocol's name


class Heartbeat(BaseModel):
    """Answer of ``heartbeat``."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["OK", "FAIL"]


def router(node: Node) -> APIRouter:
    """The protocol for programs, under ``/api/v1/usage``."""
    routes = APIRouter(prefix="/api/v1/usage")

    @routes.get("/findUsage")
    async def find(request: ApiRequest) -> Response:
        """Who was told what about a person of the register, as they are shown it at their page."""
        agent = await admitted(node, request, Right.CASES)
        wanted = read_query(UsageQuery, request)
        if wanted.userCode is None:
            raise InvalidPayload(
                "Nommez la personne du registre.", fields=(("userCode", "missing"),)
            )
        visit = _program(wanted.userCode, agent, node.clock.now())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            for person_id in visit.person_ids:
                opened(tx, node.core, person_id, agent, at)
            return find_usage(tx, node.core, visit, wanted, at)

        return JSONResponse(await node.database.write(unit))

    @routes.get("/usagePeriod")
    async def period(request: ApiRequest) -> Response:
        """Since when entries are kept here."""
        agent_of(node, request, Right.READ)
        return JSONResponse(usage_period(node.core, node.clock.now()))

    @routes.get("/heartbeat")
    async def heartbeat(request: ApiRequest) -> Response:
        """Whether entries can be read."""
        agent_of(node, request, Right.READ)
        return JSONResponse(await _alive(node))

    return routes


def visit_routes(node: Node) -> list[BaseRoute]:
    """The protocol for whoever is at their own page."""

    async def find(request: Request) -> Response:
        visit = await visit_of(node, request)
        wanted = read_query(UsageQuery, request)
        if wanted.userCode is not None and wanted.userCode not in visit.person_ids:
            raise UnknownName("Cette page est celle d'une autre personne.", code="unknown_person")
        at = node.clock.now()
        return JSONResponse(
            await node.database.write(lambda tx: find_usage(tx, node.core, visit, wanted, at))
        )

    async def period(request: Request) -> Response:
        await visit_of(node, request)
        return JSONResponse(usage_period(node.core, node.clock.now()))

    async def heartbeat(request: Request) -> Response:
        await visit_of(node, request, somebody=False)
        return JSONResponse(await _alive(node))

    return [
        Route("/usage/findUsage", find),
        Route("/usage/usagePeriod", period),
        Route("/usage/heartbeat", heartbeat),
    ]


def _program(person_id: str, agent: Agent, at: datetime) -> Visit:
    """What the person would be shown, as a program of the organisation asks for it."""
    return Visit("", "young_person", (person_id,), "", at, agent.agent_id, at, "known")


def find_usage(
    tx: Tx, core: Core, visit: Visit, wanted: UsageQuery, at: datetime
) -> dict[str, Any]:
    """Entries of the period, the latest first, as the protocol writes them."""
    start, end = wanted.periodStart, wanted.periodEnd
    found = [
        one
        for one in uses_of(tx, core, visit, at)
        if (start is None or start <= one.at) and (end is None or one.at < end)
    ]
    shown = found[wanted.offset : wanted.offset + wanted.limit]
    usages = [_usage(core, visit, one) for one in shown]
    return {"totalUsages": len(found), "usages": usages}


def _usage(core: Core, visit: Visit, one: Use) -> dict[str, str]:
    entry = core.directory.entry(one.receiver)
    code = None if entry is None else entry.siret or entry.uai
    return {
        "logtime": one.at.isoformat(),
        "action": sentence(core, visit, one).said,
        "receiverCode": code or one.receiver,
        "receiverName": name_of(core, one.receiver),
        "receiverSystem": SYSTEM,
    }


def usage_period(core: Core, at: datetime) -> dict[str, str]:
    """Since when the journal's lines name their case; before that they prove, and tell nothing."""
    return {"periodStart": (at - timedelta(days=core.policy.proof_days)).isoformat()}


async def _alive(node: Node) -> dict[str, str]:
    """OK where the database answers; a database that is away is a problem of its own."""
    await node.database.read(lambda c: c.exec_driver_sql("SELECT 1").scalar())
    return {"status": "OK"}
