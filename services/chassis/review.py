"""What the parties see when they evaluate a convention: how much happened, and about whom never.

A report counts a whole year, never two days or a week: of two reports that differ by a day, the
difference is one person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, func, select

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.signed import SignedConvention
from contracts.kernel.suppression import Audience, suppress
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.governance import (
    Insurance,
    Review,
    own_convention,
    record_insurance,
    record_review,
)
from services.chassis.node import Node
from services.chassis.requests import agent_of, read_body, read_query, write_once
from services.chassis.tally import OPENED, counted
from services.chassis.tokens import Right


class ReportFilter(BaseModel):
    """Query of ``GET /conventions/{id}/report``. year: in which the year that is counted begins.

    audience: the parties, or everybody else, to whom more is hidden.
    """

    model_config = ConfigDict(extra="forbid")

    year: Annotated[int, Field(ge=2000, le=2200)] | None = None
    audience: Literal["parties", "public"] = "parties"


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

    @routes.get("/report")
    async def report(request: Request, convention_id: str) -> Response:
        """Count a year of a convention, for its review: small numbers hidden."""
        agent_of(node, request, Right.READ)
        asked = read_query(ReportFilter, request)
        signed = own_convention(node.core, convention_id)
        at = node.clock.now()
        found = await node.database.read(lambda c: report_of(c, node.core, signed, asked, at))
        return JSONResponse(found)

    return routes


def report_of(
    connection: Connection,
    core: Core,
    signed: SignedConvention,
    asked: ReportFilter,
    at: datetime,
) -> dict[str, Any]:
    """Count a year. Raises InvalidPayload where the public asks for a year that still runs.

    Without a year, the running one.
    """
    first, audience = _year(signed, asked.year, at), Audience(asked.audience)
    end = add_months(first, 12)
    if audience is Audience.PUBLIC and at < midnight(end):
        raise InvalidPayload(
            "Hors des parties, un bilan ne porte que sur une année finie.",
            fields=(("year", "not_over"),),
        )
    return {
        "convention_id": signed.id,
        "title": signed.convention.title,
        "article": signed.convention.review_article,
        "first_day": first.isoformat(),
        "last_day": min(end - timedelta(days=1), day_of(at)).isoformat(),
        "audience": audience.value,
        "threshold": signed.convention.small_cells.threshold(audience),
        "tables": list(_tables(connection, core, signed, audience, first, end)),
    }


def _year(signed: SignedConvention, year: int | None, at: datetime) -> date:
    begins, today = signed.convention.year_begins, day_of(at)
    if year is None:
        year = today.year if today.month >= begins else today.year - 1
    return date(year, begins, 1)


def _tables(
    connection: Connection,
    core: Core,
    signed: SignedConvention,
    audience: Audience,
    first: date,
    end: date,
) -> Iterator[dict[str, Any]]:
    rule = signed.convention.small_cells
    numbers = {
        **counted(connection, signed.id, first, end),
        **_opened(connection, signed.id, first, end),
    }
    for one in core.partner.side(signed.convention.code).indicators:
        cells = {code: numbers.get((one.what, code), 0) for code in one.labels}
        shown = suppress(cells, rule, audience)
        yield {
            "what": one.what,
            "article": one.article,
            "label": one.label,
            "cells": [
                {"code": code, "label": label, "number": shown.cells[code]}
                for code, label in one.labels.items()
            ],
            "total": shown.total,
        }


def _opened(
    connection: Connection, convention_id: str, first: date, end: date
) -> dict[tuple[str, str], int]:
    """Cases opened in the period, by purpose; a destroyed case is still counted here."""
    cases = tables.cases
    where = (cases.c.instrument == convention_id) & (cases.c.opened_at >= midnight(first))
    query = (
        select(cases.c.purpose, func.count().label("number"))
        .where(where & (cases.c.opened_at < midnight(end)))
        .group_by(cases.c.purpose)
    )
    return {(OPENED, row.purpose): int(row.number) for row in connection.execute(query)}
