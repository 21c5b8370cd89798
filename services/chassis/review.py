"""What the parties see when they evaluate a convention: how much happened, and about whom never."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.kernel.suppression import Audience
from services.chassis.database import Tx
from services.chassis.governance import (
    Insurance,
    Review,
    own_convention,
    record_insurance,
    record_review,
)
from services.chassis.node import Node
from services.chassis.publishing import Report, known_report, publish
from services.chassis.reports import ReportPublished
from services.chassis.requests import agent_of, read_body, read_query, write_once
from services.chassis.spreadsheet import as_csv
from services.chassis.tokens import Right

CSV_TYPE: Final = "text/csv"

CountedYear = Annotated[int, Field(ge=2000, le=2200)]


class ReportFilter(BaseModel):
    """Query of ``GET /conventions/{id}/report``: the year that began then, else the last published.

    audience: the parties, or everybody else, to whom more is hidden.
    """

    model_config = ConfigDict(extra="forbid")

    year: CountedYear | None = None
    audience: Literal["parties", "public"] = "parties"


class YearToPublish(BaseModel):
    """Body of ``POST /conventions/{id}/reports``: in which the year that is over began (A-8.1)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    year: CountedYear


def router(node: Node) -> APIRouter:
    """Routes of a convention's evaluation, under ``/api/v1/conventions``."""
    routes = APIRouter(prefix="/api/v1/conventions/{convention_id}")

    @routes.post("/reviews", status_code=201)
    async def review(request: Request, convention_id: str) -> Response:
        """Record that the parties met to evaluate the convention."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Review, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            again = record_review(tx, node.core, convention_id, body, agent.agent_id, at)
            return {"convention_id": convention_id, "next_review": again.isoformat()}

        return await write_once(node, request, agent, unit)

    @routes.post("/insurances", status_code=201)
    async def insurance(request: Request, convention_id: str) -> Response:
        """Record this organisation's insurance for the convention."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Insurance, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            record_insurance(tx, node.core, convention_id, body, agent.agent_id, at)
            return {"convention_id": convention_id, "last_day": body.last_day.isoformat()}

        return await write_once(node, request, agent, unit)

    @routes.post("/reports", status_code=201)
    async def publication(request: Request, convention_id: str) -> Response:
        """Count a year that is over, once and for good, small numbers hidden (A-8.1)."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(YearToPublish, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            found = publish(tx, node.core, convention_id, body.year, agent.agent_id, at)
            return {name: found[name] for name in ReportPublished.model_fields}

        return await write_once(node, request, agent, unit)

    @routes.get("/report")
    async def report(request: Request, convention_id: str) -> Response:
        """A year of a convention in numbers, as it was published."""
        agent_of(node, request, Right.READ)
        return JSONResponse(await asked_report(node, request, convention_id))

    @routes.get("/report.csv")
    async def sheet(request: Request, convention_id: str) -> Response:
        """The same for a spreadsheet: semicolons, UTF-8 with its mark, hidden numbers in words."""
        agent_of(node, request, Right.READ)
        return csv_answer(convention_id, await asked_report(node, request, convention_id))

    return routes


async def asked_report(node: Node, request: Request, convention_id: str) -> Report:
    """The published report that a request asks for, of whoever may. Raises UnknownName."""
    asked = read_query(ReportFilter, request)
    signed, audience = own_convention(node.core, convention_id), Audience(asked.audience)
    return await node.database.read(lambda c: known_report(c, signed, audience, asked.year))


def csv_answer(convention_id: str, report: Report) -> Response:
    """A published report as a file for a spreadsheet."""
    name = f'attachment; filename="bilan-{convention_id}-{report["first_day"]}.csv"'
    return Response(as_csv(report), media_type=CSV_TYPE, headers={"Content-Disposition": name})
