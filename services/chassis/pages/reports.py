"""*Bilans*: the years of each convention, counted once, and when the others will be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.paris import day_of
from contracts.kernel.signed import SignedConvention
from contracts.kernel.suppression import Audience
from services.chassis import convention_tables
from services.chassis.core import Core
from services.chassis.governance import own_convention
from services.chassis.node import Node
from services.chassis.pages import texts
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.rendering import ROOT, render
from services.chassis.pages.wording import Faults, faults_of
from services.chassis.publishing import Year, year_of
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, Right

PLACE: Final = f"{ROOT}/reports"


@dataclass(frozen=True, slots=True)
class Counted:
    """One year. state: `published`, `over` and to be counted, or `running`.

    began: calendar year in which it begins, by which it is asked for.
    """

    began: int
    name: str
    last_day: date
    state: str
    published_on: date | None


@dataclass(frozen=True, slots=True)
class Years:
    """The years of one convention, the latest first, and what its reports hide."""

    convention_id: str
    title: str
    partners: str
    article: str
    invented: str
    parties: int
    public: int
    years: list[Counted]


def every(connection: Connection, core: Core, at: datetime) -> list[Years]:
    """The years of each convention that has opened."""
    published = _published(connection)
    found = []
    for signed in core.directory.conventions.values():
        if core.org in signed.orgs and signed.opens_on is not None:
            years = sorted(_years(signed, published, at), key=lambda one: -one.began)
            if years:
                found.append(_of(core, signed, years))
    return sorted(found, key=lambda one: (one.title, one.partners))


def _of(core: Core, signed: SignedConvention, years: list[Counted]) -> Years:
    rule, text = signed.convention.small_cells, signed.convention
    return Years(
        convention_id=signed.id,
        title=text.title,
        partners=texts.partners(core, signed),
        article=text.review_article,
        invented=texts.invented(signed),
        parties=rule.threshold(Audience.PARTIES),
        public=rule.threshold(Audience.PUBLIC),
        years=years,
    )


def _published(connection: Connection) -> dict[tuple[str, date], datetime]:
    table = convention_tables.reports
    wanted = table.c.audience == Audience.PARTIES.value
    query = select(table.c.convention_id, table.c.first_day, table.c.published_at).where(wanted)
    return {
        (row.convention_id, row.first_day): row.published_at for row in connection.execute(query)
    }


def _years(
    signed: SignedConvention, published: dict[tuple[str, date], datetime], at: datetime
) -> Iterator[Counted]:
    opens, today = signed.opens_on, day_of(at)
    if opens is None:
        return
    for began in range(opens.year - 1, today.year + 1):
        try:
            year = year_of(signed, began, at)
        except InvalidPayload:  # it did not run then
            continue
        if year.first > today:
            return
        done = published.get((signed.id, year.first))
        state = "published" if done else "over" if today >= year.last else "running"
        on = None if done is None else day_of(done)
        yield Counted(began, _name(year), year.last, state, on)


def _name(year: Year) -> str:
    return "-".join(str(one) for one in dict.fromkeys((year.first.year, year.last.year)))


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of the reports of all conventions."""
    if node.settings.sign_in is None:
        return []

    async def shown(session: Session, done: str = "", faults: Faults | None = None) -> HTMLResponse:
        at = node.clock.now()
        found = await node.database.read(lambda c: every(c, node.core, at))
        values: dict[str, Any] = {
            "place": PLACE,
            "org": node.settings.name,
            "session": session,
            "found": found,
            "publishes": Right.CONVENTIONS in RIGHTS[session.agent.role],
            "key": node.given.new_id,
            "done": done,
            "faults": faults,
        }
        return HTMLResponse(render("reports.html", **values))

    async def reports(request: Request) -> Response:
        session = await at_desk(node, request, Right.READ)
        done = "Le bilan est arrêté." if request.query_params.get("done") == "yes" else ""
        return await shown(session, done)

    async def publish(request: Request) -> Response:
        session = await at_desk(node, request, Right.CONVENTIONS)
        fields = await form_of(request, session)
        signed = own_convention(node.core, request.path_params["convention_id"])
        began = fields.get("year", "")
        body = {"year": int(began) if began.isascii() and began.isdecimal() else 0}
        path = f"/conventions/{signed.id}/reports"
        answer = await api.call(session.agent, "POST", path, body, fields.get("key"))
        if answer.done:
            return RedirectResponse(f"{PLACE}?done=yes", HTTPStatus.SEE_OTHER)
        page = await shown(session, faults=faults_of(answer))
        page.status_code = answer.status
        return page

    return [
        Route("/reports", reports),
        Route("/reports/{convention_id}", publish, methods=["POST"]),
    ]
