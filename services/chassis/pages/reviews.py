"""The yearly review as a page that prints: one template, whatever the convention and its counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.paris import day_of
from services.chassis.node import Node
from services.chassis.pages.charts import Chart, chart
from services.chassis.pages.rendering import count_in_words, render
from services.chassis.review import asked_report, csv_answer
from services.chassis.sign_in.desk import reader
from services.chassis.sign_in.sessions import Session
from services.chassis.spreadsheet import HIDDEN
from services.chassis.tokens import Right

AWAITED: Final = "en attente"
"""Stands where a number is to come from the party that counts it."""

_AUDIENCES: Final = {"parties": "entre les parties", "public": "hors des parties"}
_TOTAL: Final = "Total"
_ALONE: Final = "Autres décomptes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One count. number: None where none is shown: it is hidden, or awaited from another party."""

    label: str
    number: int | None
    article: str
    awaited: bool = False

    @property
    def said(self) -> str:
        """The count as people read it, or the word for what is not shown."""
        if self.number is not None:
            return count_in_words(self.number)
        return AWAITED if self.awaited else HIDDEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Counts under one heading. total: of parts of one whole; None where they are none.

    article: of all its lines; empty where each has its own.
    """

    title: str
    article: str
    lines: Sequence[Line]
    total: Line | None

    @property
    def chart(self) -> Chart:
        """The lines as bars."""
        return chart(self.lines)

    @property
    def shown(self) -> Sequence[Line]:
        """Every number of it, the total among them."""
        return self.lines if self.total is None else (*self.lines, self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What one page says. first_day: None where it counts several years, each under its heading.

    threshold: smallest number shown; zeros: smallest population of which a zero is. published_on:
    when it was counted for good, where that is one day. things: what is counted that is nobody, of
    which nothing is hidden.
    """

    heading: str
    convention_id: str
    title: str
    article: str
    invented: bool
    parties: Sequence[str]
    first_day: date | None
    last_day: date | None
    published_on: date | None
    audience: str
    threshold: int
    zeros: int
    blocks: Sequence[Block]
    things: Sequence[str] = ()

    @property
    def numbers(self) -> list[Line]:
        """Every number of the page."""
        return [line for one in self.blocks for line in one.shown]

    @property
    def hidden(self) -> int:
        """How many of them are hidden."""
        return sum(one.number is None and not one.awaited for one in self.numbers)

    @property
    def awaited(self) -> bool:
        """Whether any is still to come."""
        return any(one.awaited for one in self.numbers)


def page(sheet: Sheet, org: str, session: Session | None = None) -> str:
    """Write a page. org: name of the organisation whose node writes it. session: who looks."""
    return render("review.html", org=org, sheet=sheet, session=session)


def sheet_of(report: Mapping[str, Any]) -> Sheet:
    """A published report as a page says it."""
    first, last = (date.fromisoformat(report[day]) for day in ("first_day", "last_day"))
    years = dict.fromkeys((first.year, last.year))
    return Sheet(
        heading=f"Bilan {'-'.join(map(str, years))}",
        convention_id=report["convention_id"],
        title=report["title"],
        article=report["article"],
        invented=report["invented"],
        parties=report["parties"],
        first_day=first,
        last_day=last,
        published_on=day_of(datetime.fromisoformat(report["published_at"])),
        audience=_AUDIENCES[report["audience"]],
        threshold=report["threshold"],
        zeros=report["zeros"],
        blocks=list(_blocks(report["tables"])),
        things=[one["label"] for one in report["tables"] if not one["persons"]],
    )


def _blocks(tables: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    """A block for each indicator that has parts; those of one number stand together at the end."""
    alone = []
    for table in tables:
        article = table["article"]
        lines = [
            Line(label=one["label"], number=one["number"], article=article)
            for one in table["cells"]
        ]
        if len(lines) == 1:
            label = f"{table['label']} ({lines[0].label[:1].lower()}{lines[0].label[1:]})"
            alone.append(Line(label=label, number=lines[0].number, article=article))
        else:
            total = Line(label=_TOTAL, number=table["total"], article=article)
            yield Block(title=table["label"], article=article, lines=lines, total=total)
    if alone:
        yield Block(title=_ALONE, article="", lines=alone, total=None)


def routes(node: Node) -> list[BaseRoute]:
    """The page of a convention's published report, and the same for a spreadsheet."""

    async def review(request: Request) -> Response:
        session = await reader(node, request, Right.READ)
        report = await asked_report(node, request, request.path_params["convention_id"])
        return HTMLResponse(page(sheet_of(report), node.settings.name, session))

    async def sheet(request: Request) -> Response:
        await reader(node, request, Right.READ)
        convention_id = request.path_params["convention_id"]
        return csv_answer(convention_id, await asked_report(node, request, convention_id))

    return [
        Route("/conventions/{convention_id}/report", review),
        Route("/conventions/{convention_id}/report.csv", sheet),
    ]
