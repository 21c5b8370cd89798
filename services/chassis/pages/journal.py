"""*Journal*: every decision, searched, counted by article, replayed; and the whole of it verified.

For the data protection officer and the operator. Lines carry ids, codes and days; the case and the
agent of a line are for whoever opens cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import ValidationError
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import UnknownName
from contracts.kernel.fields import LAST_NUMBER
from contracts.kernel.paris import day_of
from services.chassis import words
from services.chassis.core import Core
from services.chassis.journal_search import PAGE, LineFilter, refusals, search
from services.chassis.node import Node
from services.chassis.pages.charts import Chart, chart
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.rendering import ROOT, count_in_words, instant_in_words, render
from services.chassis.pages.replay import replayed
from services.chassis.pages.wording import Faults, to_the_second
from services.chassis.routing import fields_at_fault
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, Right
from services.chassis.verifying import Run, Verifier
from services.chassis.views import explain_line

PLACE: Final = f"{ROOT}/journal"

_HINTS: Final = {
    "article": "La lettre de la convention, un tiret, un numéro.",
    "message": "Un numéro de 32 chiffres ou lettres de a à f.",
    "case": "Un numéro de 32 chiffres ou lettres de a à f.",
}
"""What is typed for a criterion."""

_FAULTS: Final = {
    "day": "Le jour est incomplet.",
    "event": "L'événement n'est pas de la liste.",
    "outcome": "La suite n'est pas de la liste.",
    "article": "L'article n'a pas la forme d'un numéro d'article.",
    "message": "Le message n'a pas la forme d'un numéro.",
    "case": "Le dossier n'a pas la forme d'un numéro.",
    "before": "La page demandée n'existe pas.",
}
"""What is said of each criterion that is none."""

OUTCOMES: Final = (
    *("allowed", "refused", "invalid", "not_open", "unverified", "stopped", "expired"),
    *("accepted", "received", "read", "recorded", "deleted", "met", "missed"),
)
"""Outcomes that are looked for, in the order in which they are offered."""

_PERIODS: Final = {"30": "trente jours", "365": "douze mois", "all": "tout le journal"}
_PROBLEMS: Final = {
    "gap": "des lignes manquent avant elle",
    "broken_link": "elle ne suit pas la ligne d'avant",
    "altered": "son contenu a changé",
    "inputs_altered": "son dossier, son agent ou ses éléments ont changé",
    "rewritten": "un partenaire en détient une autre",
    "cut": "un partenaire détient une ligne qui n'est plus là",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Refusals on one article, as a bar and as a line of the table."""

    article: str
    asks: str
    number: int
    awaited: bool = False

    @property
    def label(self) -> str:
        """The article, and what it asks."""
        return f"{self.article} : {self.asks}" if self.asks else self.article

    @property
    def said(self) -> str:
        """The number in words."""
        return count_in_words(self.number)


def line_in_words(core: Core, line: Row[Any] | Any) -> dict[str, Any]:  # noqa: ANN401 -- a row, or a Line
    """A line as the page shows it: what happened, of what, how it ended, on which articles."""
    return {
        "seq": line.seq,
        "at": to_the_second(line.at),
        "event": words.EVENTS.get(line.event, line.event),
        "what": _what(core, line.flow),
        "outcome": words.STATES.get(line.outcome, line.outcome),
        "articles": list(line.articles),
        "message_id": line.message_id,
    }


def _what(core: Core, flow: str | None) -> str:
    """What people call a message, or what is due."""
    if flow is None:
        return ""
    clock = core.clocks.get(flow)
    return words.message(flow) if clock is None else clock.label


def _asks(article: str) -> str:
    """What an article asks, or what a code of the same place means."""
    return words.articles().get(article) or words.CODES.get(article, "")


def read_criteria(asked: Mapping[str, str]) -> tuple[LineFilter, Faults | None]:
    """The criteria of a search, blanks left out; of faulty ones nothing is looked for."""
    given = {name: value.strip() for name, value in asked.items() if value.strip()}
    try:
        return LineFilter.model_validate(given), None
    except ValidationError as error:
        wrong = {path: _FAULTS[path] for path, _ in fields_at_fault(error)}
        sentence = "La recherche n'a pas été faite : un critère n'a pas la forme attendue."
        return LineFilter(), Faults(sentence, (), wrong)


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of the journal."""
    if node.settings.sign_in is None:
        return []
    pages = _Pages(node, api)
    return [
        Route("/journal", pages.lines),
        Route("/journal/refusals", pages.refused),
        Route("/journal/verification", pages.verification),
        Route("/journal/verification", pages.verify, methods=["POST"]),
        Route("/journal/verification/run", pages.run),
        Route("/journal/{seq}", pages.line),
    ]


class _Pages:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api
        self._verifier = Verifier(node.database, node.journal, node.clock)

    async def lines(self, request: Request) -> Response:
        """Search, newest first."""
        session = await at_desk(self._node, request, Right.JOURNAL)
        asked = {name: request.query_params.get(name, "") for name in _FAULTS}
        wanted, faults = read_criteria(asked)
        chain, found = self._node.journal.chain, list[Row[Any]]()
        if faults is None:
            found = await self._node.database.read(lambda c: search(c, chain, wanted))
        rows = [line_in_words(self._node.core, one) for one in found[:PAGE]]
        filled = {name: one for name, one in asked.items() if one and name != "before"}
        older = None
        if len(found) > PAGE:
            older = f"{PLACE}?{urlencode({**filled, 'before': found[PAGE - 1].seq})}"
        page = self._page(
            "journal.html",
            session,
            asked=asked,
            hints=_HINTS,
            faults=faults,
            lines=rows,
            older=older,
            newest=f"{PLACE}?{urlencode(filled)}" if wanted.before is not None else None,
            events=sorted(words.EVENTS.items(), key=lambda one: one[1]),
            outcomes=[(one, words.STATES[one]) for one in OUTCOMES],
        )
        page.status_code = HTTPStatus.OK if faults is None else HTTPStatus.UNPROCESSABLE_ENTITY
        return page

    async def line(self, request: Request) -> Response:
        """One line, and its decision replayed."""
        session = await at_desk(self._node, request, Right.JOURNAL)
        seq = _number(request.path_params["seq"])
        core = self._node.core
        line, told = await self._node.database.read(lambda c: explain_line(c, core, seq))
        about = Right.CASES in RIGHTS[session.agent.role]
        return self._page(
            "journal_line.html",
            session,
            line=line_in_words(core, line),
            said=[(one, _asks(one)) for one in line.articles],
            told=replayed(told),
            rules=line.rules_version,
            case_id=line.case_id if about else None,
            agent_id=line.agent_id if about else None,
            chain=line.chain,
            hash=line.hash,
            head=self._node.journal.head().seq,
        )

    async def refused(self, request: Request) -> Response:
        """Refusals by article, of a period."""
        session = await at_desk(self._node, request, Right.JOURNAL)
        period = request.query_params.get("period", "365")
        period = period if period in _PERIODS else "365"
        since = self._since(period)
        found = await self._node.database.read(lambda c: refusals(c, since))
        lines = [Counted(name, _asks(name), number) for name, number in found]
        return self._page(
            "journal_refusals.html",
            session,
            lines=lines,
            chart=_chart(lines),
            period=period,
            periods=_PERIODS.items(),
            since=since,
        )

    def _since(self, period: str) -> date | None:
        if period == "all":
            return None
        return day_of(self._node.clock.now()) - timedelta(days=int(period))

    async def verification(self, request: Request) -> Response:
        """What the last verification found, the one that runs, and the signed head."""
        session = await at_desk(self._node, request, Right.JOURNAL)
        head = await self._api.call(session.agent, "GET", "/journal/head")
        return self._page(
            "journal_verification.html",
            session,
            head=head.content,
            **self._shown(self._verifier.last),
        )

    async def verify(self, request: Request) -> Response:
        """Begin a verification; it goes on by itself."""
        session = await at_desk(self._node, request, Right.JOURNAL)
        await form_of(request, session)
        self._verifier.start()
        return RedirectResponse(f"{PLACE}/verification", HTTPStatus.SEE_OTHER)

    async def run(self, request: Request) -> Response:
        """The part that says how far it is; nothing while that is unchanged."""
        await at_desk(self._node, request, Right.JOURNAL, somebody=False)
        shown = self._shown(self._verifier.last)
        if request.query_params.get("seen") == shown["seen"]:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return HTMLResponse(render("parts/journal_run.html", **shown))

    def _shown(self, run: Run | None) -> dict[str, Any]:
        if run is None:
            return {"run": None, "seen": "none"}
        over = run.ended_at is not None
        return {
            "run": run,
            "seen": "over" if over else str(run.report.lines),
            "began": instant_in_words(run.began_at),
            "ended": instant_in_words(run.ended_at) if run.ended_at is not None else "",
            "problems": [(one.seq, _PROBLEMS[one.code]) for one in run.report.problems[:PAGE]],
        }

    def _page(self, template: str, session: Session, **values: Any) -> HTMLResponse:  # noqa: ANN401 -- template's values
        org = self._node.settings.name
        return HTMLResponse(render(template, place=PLACE, org=org, session=session, **values))


def _number(text: str) -> int:
    """The number of a line. Raises UnknownName for what is none."""
    if not text.isascii() or not text.isdecimal() or int(text[:20]) > LAST_NUMBER:
        raise UnknownName("Le journal n'a pas de ligne de ce numéro.", code="unknown_line")
    return int(text)


def _chart(lines: Sequence[Counted]) -> Chart | None:
    return chart(lines) if lines else None
