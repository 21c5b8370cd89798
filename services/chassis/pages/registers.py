"""Pages of the registers: what data protection officers and managers read, complete and sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import UnknownName
from services.chassis.node import Node
from services.chassis.pages.rendering import ROOT, day_in_words, render
from services.chassis.registers.blocks import Paper
from services.chassis.registers.facts import Holder
from services.chassis.registers.odt import MEDIA_TYPE, odt
from services.chassis.registers.papers import papers
from services.chassis.sign_in.desk import reader
from services.chassis.tokens import Right

PLACE: Final = f"{ROOT}/registers"
"""Path of the list."""


def routes(node: Node) -> list[BaseRoute]:
    """The list of registers, each as a page, and each as an office document."""

    async def listed(request: Request) -> Response:
        session = await reader(node, request, Right.REGISTERS)
        return HTMLResponse(
            render(
                "registers.html",
                org=node.settings.name,
                session=session,
                place=PLACE,
                papers=papers_of(node),
            )
        )

    async def shown(request: Request) -> Response:
        session = await reader(node, request, Right.REGISTERS)
        return HTMLResponse(
            render(
                "register.html",
                org=node.settings.name,
                session=session,
                place=PLACE,
                paper=_asked(node, request),
            )
        )

    async def written(request: Request) -> Response:
        await reader(node, request, Right.REGISTERS)
        paper = _asked(node, request)
        name = f"{node.settings.org}-{paper.name}.odt"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(odt(paper, node.settings.name), media_type=MEDIA_TYPE, headers=headers)

    return [
        Route("/registers", listed),
        Route("/registers/{name}.odt", written),
        Route("/registers/{name}", shown),
    ]


def papers_of(node: Node) -> list[Paper]:
    """Registers of this organisation, under its own name and with what it signed."""
    settings = node.settings
    holder = Holder(
        kind=settings.kind,
        name=settings.name,
        dpo=settings.dpo,
        signed=list(_signed(node)),
    )
    return papers(node.given.registry, holder)


def _signed(node: Node) -> Iterator[str]:
    known, org = node.core.directory, node.settings.org
    for signed in (one for one in known.conventions.values() if org in one.orgs):
        entries = (known.entry(one) for one in signed.orgs if one != org)
        others = ", ".join(entry.name for entry in entries if entry is not None)
        days = (("depuis le", signed.opens_on), ("fin le", signed.ends_on))
        told = [f"{what} {day_in_words(day)}" for what, day in days if day is not None]
        yield ", ".join((f"{signed.convention.title}, avec {others}", *told))


def _asked(node: Node, request: Request) -> Paper:
    name = request.path_params["name"]
    found = {one.name: one for one in papers_of(node)}.get(name)
    if found is None:
        raise UnknownName("Aucun registre ne porte ce nom.", code="unknown_register")
    return found
