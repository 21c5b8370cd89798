"""What a node says of itself: its flows, its conventions, its journal, its events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import Connection, Row, func, select

from contracts.broker.subjects import letter_subject
from contracts.gate import instrument_checks
from contracts.kernel.binding import Binding
from contracts.kernel.documents import sign
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LAST_NUMBER, caller_model
from contracts.kernel.instrument import Flow, subject_token
from contracts.kernel.paris import midnight
from contracts.kernel.signed import SignedConvention
from services.chassis import dead_letters, letters, retention, tables, traffic, views
from services.chassis.bus import Channel
from services.chassis.conventions import sign_act, sign_terms
from services.chassis.governance import last_reviews, next_review
from services.chassis.holds import on_hold
from services.chassis.journal import read_lines, read_witnessed
from services.chassis.node import Node
from services.chassis.purges import last_purges
from services.chassis.requests import agent_of, page_of, publish_once, read_query
from services.chassis.tokens import Right

_POLL = 0.5
"""Seconds between two looks at the journal for the event stream."""


def router(node: Node) -> APIRouter:
    """Reading routes of one node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")
    _flows(routes, node)
    _journal(routes, node)
    _operations(routes, node)
    return routes


def _flows(routes: APIRouter, node: Node) -> None:
    @routes.get("/flows")
    async def flows(request: Request) -> Response:
        """What this node may send and receive today: schema, articles, gates, partners."""
        agent_of(node, request, Right.READ)
        return JSONResponse(open_flows(node))

    @routes.get("/arrivals")
    async def arrivals(request: Request) -> Response:
        """Messages that arrived and concern who asks, newest first; ids, codes and dates only."""
        agent = agent_of(node, request, Right.READ)
        wanted, at = read_query(traffic.ArrivalFilter, request), node.clock.now()
        return page_of(
            request,
            await node.database.write(
                lambda tx: traffic.arrivals(tx, node.core, agent, wanted, at)
            ),
        )

    @routes.get("/conventions")
    async def conventions(request: Request) -> Response:
        """Signed conventions with their computed state, end and next review."""
        agent_of(node, request, Right.READ)
        return JSONResponse(await node.database.read(lambda c: held_conventions(node, c)))

    @routes.post("/conventions", status_code=201)
    async def sign_convention(request: Request) -> Response:
        """Sign a convention's text with this organisation's key, and hand it to the registrar."""
        agent, content = agent_of(node, request, Right.CONVENTIONS), await request.body()
        return await publish_once(
            node, request, agent, lambda _, keep: sign_terms(node, content, keep)
        )

    @routes.post("/conventions/{convention_id}/acts", status_code=201)
    async def act(request: Request, convention_id: str) -> Response:
        """A unilateral act: termination notice, suspension, resumption."""
        agent, content = agent_of(node, request, Right.CONVENTIONS), await request.body()
        return await publish_once(
            node,
            request,
            agent,
            lambda name, keep: sign_act(node, convention_id, content, name, keep),
        )


def open_flows(node: Node) -> dict[str, Any]:
    """Flows of what binds us now, by direction; an empty list is an answer."""
    at, kind = node.clock.now(), node.core.kind
    send: list[dict[str, Any]] = []
    receive: list[dict[str, Any]] = []
    for binding, partner in _open(node, at):
        other = binding.kind_of(partner)
        for flow in binding.instrument.flows:
            if (flow.sender, flow.receiver) == (kind, other):
                send.append(_flow(node, binding, flow, partner))
            elif (flow.sender, flow.receiver) == (other, kind):
                receive.append(_flow(node, binding, flow, partner))
    return {"org": node.core.org, "send": send, "receive": receive}


def _open(node: Node, at: datetime) -> list[tuple[Binding, str]]:
    """What joins us to each partner now: conventions in force, and duties of the law."""
    core = node.core
    partners = {org for signed in core.directory.conventions.values() for org in signed.orgs}
    return [
        (binding, partner)
        for partner in sorted(partners - {core.org})
        for binding in core.bindings(partner)
        if binding.open_at(at)
    ]


def _flow(node: Node, binding: Binding, flow: Flow, partner: str) -> dict[str, Any]:
    checks = (*instrument_checks(binding.instrument, flow), *flow.checks)
    schema = caller_model(flow.payload) if flow.sender is node.core.kind else flow.payload
    return {
        "type": flow.type,
        "label": flow.label,
        "version": flow.version,
        "convention_id": binding.id,
        "partner": partner,
        "article": flow.article,
        "purpose": flow.purpose,
        "legal_basis": flow.legal_basis.value,
        "gates": [
            {"check": type(check).__name__, "article": check.article, "side": check.side.value}
            for check in checks
        ],
        "lifetime_days": flow.lifetime_days,
        "schema": schema.model_json_schema(),
    }


def channels(node: Node) -> list[Channel]:
    """Subjects that are open to this node now, with what travels on each."""
    at, own = node.clock.now(), node.core.kind
    found: list[Channel] = []
    for binding, partner in _open(node, at):
        ours, theirs = (node.core.directory.entry(org) for org in (node.core.org, partner))
        if ours is None or theirs is None:
            continue
        for flow in binding.instrument.flows:
            sent = flow.sender is own
            if {flow.sender, flow.receiver} == {own, binding.kind_of(partner)}:
                receiver, sender = (theirs, ours) if sent else (ours, theirs)
                token = subject_token(binding.id)
                subject = letter_subject(receiver.code, sender.code, token, flow.code)
                found.append(Channel(subject, flow.type, flow.label, flow.payload, sent))
    return found


def held_conventions(node: Node, connection: Connection) -> list[dict[str, Any]]:
    """Every signed convention of this organisation, as its dates and records make it now."""
    held = node.core.directory.conventions
    reviewed, purges = last_reviews(connection), last_purges(connection)
    return [
        _convention(node, held[name], reviewed.get(name), purges.get(name)) for name in sorted(held)
    ]


def _convention(
    node: Node, signed: SignedConvention, reviewed: date | None, purge: Row[Any] | None
) -> dict[str, Any]:
    at = node.clock.now()
    opens, ends = signed.opens_on, signed.ends_on
    review = None
    if opens is not None and not (ends is not None and at >= midnight(ends)):  # over: none is due
        review = next_review(opens, reviewed, signed.convention.review_months)
    return {
        "convention_id": signed.id,
        "convention": signed.convention.code,
        "title": signed.convention.title,
        "parties": sorted(signed.orgs),
        "version": signed.version_at(at),
        "state": signed.state(at).value,
        "invented": signed.versions[-1].terms.invented,
        "signed_on": None if opens is None else opens.isoformat(),
        "ends_on": None if ends is None else ends.isoformat(),
        "next_review": None if review is None else review.isoformat(),
        "purged_on": None if signed.purged_on is None else signed.purged_on.isoformat(),
        "purge": None if purge is None else _purge_done(purge, signed.purge_article),
    }


def _purge_done(row: Row[Any], article: str) -> dict[str, Any]:
    return {
        "ended_on": row.ended_on.isoformat(),
        "article": article,
        "cases": row.cases,
        "kept": row.kept,
        "done_at": row.done_at.isoformat(),
    }


_PLACE: Final[TypeAdapter[int]] = TypeAdapter(Annotated[int, Field(ge=0, le=LAST_NUMBER)])


def read_place(text: str) -> int:
    """The sequence number that a header gives; raises InvalidPayload."""
    try:
        return _PLACE.validate_python(text)
    except ValidationError:
        raise InvalidPayload(
            "Last-Event-ID porte le numéro du dernier événement reçu.",
            fields=(("last-event-id", "sequence"),),
        ) from None


def _journal(routes: APIRouter, node: Node) -> None:
    @routes.get("/journal")
    async def journal(request: Request) -> Response:
        """Own journal after a sequence number: what the hash covers, nothing personal."""
        agent_of(node, request, Right.JOURNAL)
        since = read_query(views.JournalFilter, request).since
        found = await node.database.read(
            lambda c: views.lines(read_lines(c, node.journal.chain, since, views.PAGE))
        )
        return JSONResponse(found)

    @routes.get("/journal/head")
    async def head(request: Request) -> Response:
        """The last line's hash, signed by this organisation."""
        agent_of(node, request, Right.JOURNAL)
        found = node.journal.head()
        body = {"chain": found.chain, "seq": found.seq, "hash": found.hash}
        signed = sign(json.dumps(body).encode(), node.core.keys.signing, typ="journal-head")
        return JSONResponse({**body, "signed": signed})

    @routes.get("/journal/witnessed/{org}")
    async def witnessed(request: Request, org: str) -> Response:
        """Heads of a partner's journal that this node holds from its receipts; none of others."""
        agent_of(node, request, Right.JOURNAL)
        if node.core.directory.entry(org) is None:
            return JSONResponse([])
        found = await node.database.read(lambda c: read_witnessed(c, org))
        return JSONResponse(
            [{"chain": one.chain, "seq": one.seq, "hash": one.hash} for one in found]
        )

    @routes.get("/journal/verification")
    async def verification(request: Request) -> Response:
        """Verify own chains and commitments."""
        agent_of(node, request, Right.JOURNAL)
        report = await node.database.read(node.journal.verify)
        problems = [{"chain": p.chain, "seq": p.seq, "code": p.code} for p in report.problems]
        return JSONResponse(
            {
                "ok": report.ok,
                "lines": report.lines,
                "checked": report.checked,
                "erased": report.erased,
                "problems": problems,
            }
        )

    @routes.get("/events")
    async def events(request: Request) -> StreamingResponse:
        """Server-Sent Events: journal lines as CloudEvents, resumable with Last-Event-ID."""
        agent_of(node, request, Right.READ)
        last = request.headers.get("last-event-id", "")
        after = read_place(last) if last else node.journal.head().seq
        return StreamingResponse(
            _stream(node, after, request.is_disconnected), media_type="text/event-stream"
        )


async def _stream(node: Node, after: int, gone: Callable[[], Any]) -> AsyncIterator[str]:
    yield ": relais\n\n"
    while not await gone():
        found = await node.database.read(_after(node, after))
        for line in found:
            after = line["seq"]
            yield f"id: {after}\nevent: {line['event']}\ndata: {json.dumps(_event(node, line))}\n\n"
        if not found:
            await asyncio.sleep(_POLL)


def _after(node: Node, after: int) -> Callable[[Connection], list[Any]]:
    return lambda c: views.lines(read_lines(c, node.journal.chain, after, views.PAGE))


def _event(node: Node, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{line['chain']}:{line['seq']}",
        "source": f"urn:relais:{node.core.org}",
        "type": f"relais.{line['event']}",
        "time": line["at"],
        "datacontenttype": "application/json",
        "data": {name: line[name] for name in ("message_id", "flow", "outcome", "articles")},
    }


def _operations(routes: APIRouter, node: Node) -> None:
    @routes.get("/dead-letters")
    async def dead(request: Request) -> Response:
        """Letters that failed for good, with their reason."""
        agent_of(node, request, Right.OPERATE)
        return JSONResponse(await node.database.read(lambda c: dead_letters.listed(c, views.PAGE)))

    @routes.post("/dead-letters/{dead_id}/retry", status_code=202)
    async def retry(request: Request, dead_id: str) -> Response:
        """Handle a dead letter again; the gate decides again too."""
        agent_of(node, request, Right.OPERATE)
        outcome = await node.arrivals.retry(dead_id)
        if outcome is None:
            raise UnknownName("Aucune lettre morte à rejouer ne porte ce numéro.")
        return JSONResponse({"outcome": outcome}, status_code=202)

    @routes.post("/keys/rotation", status_code=201)
    async def rotate(request: Request) -> Response:
        """Replace the organisation's signing key; the former one names its successor."""
        agent = agent_of(node, request, Right.OPERATE)
        kid = await node.rotate_signing(agent.agent_id)
        return JSONResponse({"kid": kid}, status_code=201)

    @routes.get("/retention")
    async def due(request: Request) -> Response:
        """What retention would destroy now, rule by rule; changes nothing."""
        agent_of(node, request, Right.ERASE)
        at = node.clock.now()
        found, rules = await node.database.read(
            lambda c: (retention.due(c, node.core, at), retention.plan(c, node.core, at))
        )
        return JSONResponse({**_purge(found), "rules": [_planned(one) for one in rules]})

    @routes.post("/retention")
    async def purge(request: Request) -> Response:
        """Destroy now what is due, without waiting for the next hourly round."""
        agent_of(node, request, Right.ERASE)
        at = node.clock.now()
        return JSONResponse(_purge(await node.purge(at)))


def _planned(rule: retention.Planned) -> dict[str, Any]:
    next_at = None if rule.next_at is None else rule.next_at.isoformat()
    return {**asdict(rule), "next_at": next_at}


def _purge(done: retention.Purge) -> dict[str, Any]:
    return {
        "cases": list(done.cases),
        "rows": done.rows,
        "total": done.total,
        "held": list(done.held),
    }


AT_RISK = timedelta(days=7)
"""How long before the day on which a case must be destroyed its deadline is near."""


def gauges(node: Node, connection: Connection) -> None:
    """Fill the gauges of the metrics from the tables."""
    outbox, dead, now = tables.outbox, tables.dead_letters, node.clock.now()
    # One look at what waits, which is little and indexed: all letters ever sent are many.
    unanswered = func.count().filter(outbox.c.state == letters.DELIVERED)
    count, oldest, missing = connection.execute(
        select(func.count(), func.min(outbox.c.created_at), unanswered).where(
            outbox.c.due_at.is_not(None)
        )
    ).one()
    age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    node.metrics.outbox(rows=count, oldest_seconds=age)
    node.metrics.receipts_missing(missing)
    cases = tables.cases
    soon = (cases.c.retain_until <= now + AT_RISK) & (cases.c.state != "erased")
    node.metrics.deadlines_at_risk(_count(connection, cases, soon & ~on_hold()))
    node.metrics.dead_letters(_count(connection, dead, dead.c.retried_at.is_(None)))
    node.metrics.letterbox_erasure_lag(node.bus.erasure_lag)


def _count(connection: Connection, table: Any, where: Any) -> int:  # noqa: ANN401 -- SQLAlchemy's
    found = connection.execute(select(func.count()).select_from(table).where(where)).scalar()
    return int(found or 0)
