"""The yearly sheets as a page: six counts of each year, both sides' together (D-5.7a to D-5.7f)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.conventions.d_department_mission_locale.indicators import RULE
from contracts.kernel.signed import SignedConvention
from contracts.kernel.suppression import Audience
from services.chassis.node import Node
from services.chassis.pages.rendering import day_in_words
from services.chassis.pages.reviews import Block, Line, Sheet, page
from services.chassis.publishing import is_invented, names_of_parties
from services.chassis.sign_in.desk import reader
from services.chassis.tokens import Right
from services.conventions.d_department_mission_locale import yearly
from services.conventions.d_department_mission_locale.indicators import (
    COUNTED_BY,
    DEPARTMENT,
    MISSION,
)

LINKED: Final[Mapping[str, str]] = {"yearly-indicators": "Six indicateurs au 31 décembre"}
"""The sheets, by the end of their address under the convention's page."""

_INDICATORS: Final = {one.what: one for one in (*DEPARTMENT, *MISSION)}


def pages(node: Node) -> list[BaseRoute]:
    """The page of the sheets that either side sent, the same at both (D-5.4)."""

    async def sheets(request: Request) -> Response:
        session = await reader(node, request, Right.READ)
        signed = yearly.own(node.core, request.path_params["convention_id"])
        found = await node.database.read(lambda c: yearly.joined(c, signed.id))
        sheet = _sheet(signed, names_of_parties(node.core, signed), found)
        return HTMLResponse(page(sheet, node.settings.name, session))

    return [Route("/conventions/{convention_id}/yearly-indicators", sheets)]


def _sheet(signed: SignedConvention, parties: list[str], years: list[Mapping[str, Any]]) -> Sheet:
    return Sheet(
        heading=LINKED["yearly-indicators"],
        convention_id=signed.id,
        title=signed.convention.title,
        article="D-5.7a à D-5.7f",
        invented=is_invented(signed),
        parties=parties,
        first_day=None,
        last_day=None,
        published_on=None,
        audience="entre les parties",
        threshold=RULE.threshold(Audience.PARTIES),
        zeros=RULE.zeros,
        blocks=[_block(one) for one in years],
    )


def _block(year: Mapping[str, Any]) -> Block:
    """The six of one year: counts of their own, and no parts of one whole (D-4.3)."""
    lines = [_line(what, year["cells"][what]) for what in COUNTED_BY]
    day = date.fromisoformat(year["counted_on"])
    return Block(title=f"Au {day_in_words(day)}", article="", lines=lines, total=None)


def _line(what: str, cell: int | str | None) -> Line:
    about = _INDICATORS[what]
    number = cell if isinstance(cell, int) else None
    return Line(label=about.label, number=number, article=about.article, awaited=cell is None)
