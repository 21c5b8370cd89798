"""Flows of which nothing is written at the receiver (C-5.1): asked for again to be seen.

The receiver keeps that a message came, never what it said. An agent who needs to see it asks; the
sender decides anew, as at the moment of publishing, and closes what it shows to a key that the
request made and no disk ever holds. What was seen is gone from memory some minutes later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from pydantic import ValidationError
from sqlalchemy import Row, select

from contracts.gate import Refused as GateRefused
from contracts.kernel.binding import Binding
from contracts.kernel.control import ContentRequested, ContentShown
from contracts.kernel.errors import InvalidDocument, Refused, RelaisError, UnknownName, Unverified
from contracts.kernel.facts import Facts, from_json
from contracts.kernel.instrument import Flow
from services.chassis import standing, tables, withheld
from services.chassis.acts import require_case
from services.chassis.chain import Line
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.keystore import KeyDestroyed
from services.chassis.letters import LETTER
from services.chassis.memory import SHOWN_FOR, Glimpse
from services.chassis.posting import OPEN
from services.chassis.recheck import recheck
from services.chassis.schema import journal
from services.chassis.scopes import REFUSAL_SCOPE, case_scope
from services.chassis.sealing import close_for, dump_public, open_closed
from services.chassis.tokens import Agent


class NotYetShown(RelaisError):
    """The sender has not answered yet; asking again a little later is enough."""

    code = "not_yet_shown"
    status = 409


class Filed(RelaisError):
    """What that message said is held here like any other, and read in its case."""

    code = "kept_here"
    status = 409


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A message that came under such a flow, and the case and text that it came under."""

    row: Row[Any]
    case: Row[Any]
    binding: Binding
    flow: Flow


# --- at the receiver: to ask, and to look


def ask(tx: Tx, core: Core, message_id: str, agent: Agent, at: datetime) -> datetime:
    """Ask the sender to show a content again; returns until when the answer will be there.

    Raises UnknownName; NotPermitted for whoever may not read the case; Filed; Refused, with its
    article, once the time to look is over.
    """
    arrived = _arrived(tx, core, message_id, agent, at)
    _require_time(tx, core, arrived, at)
    private, request_id, until = X25519PrivateKey.generate(), core.new_id(), at + SHOWN_FOR
    asked = ContentRequested(
        request_id=request_id, message_id=message_id, key=dump_public(private.public_key())
    )
    _note(tx, core, "content.requested", arrived, agent, at)
    sender = arrived.row.sender
    send_control(
        tx, core, "content.requested", asked, sender, arrived.binding.id, at, lifetime=SHOWN_FOR
    )
    glimpse = Glimpse(
        request_id=request_id,
        message_id=message_id,
        agent_id=agent.agent_id,
        partner=sender,
        until=until,
        key=private,
    )
    tx.on_commit(lambda: core.memory.ask(glimpse))
    return until


def look(tx: Tx, core: Core, message_id: str, agent: Agent, at: datetime) -> dict[str, Any]:
    """What the sender showed this agent, from memory alone; the journal says that it was seen.

    Raises what `ask` raises, UnknownName where nothing was asked or it is forgotten, NotYetShown,
    and Refused where the sender did not show it.
    """
    arrived = _arrived(tx, core, message_id, agent, at)
    glimpse = core.memory.look(message_id, agent.agent_id, at)
    if glimpse is None:
        raise UnknownName("Rien n'est demandé, ou c'est oublié : demandez à revoir ce contenu.")
    _require_time(tx, core, arrived, at)
    if not glimpse.answered:
        raise NotYetShown("L'émetteur n'a pas encore répondu.")
    if glimpse.content is None:
        raise _over(arrived.flow)
    _note(tx, core, "content.viewed", arrived, agent, at)
    return {
        "message_id": message_id,
        "type": arrived.flow.type,
        "until": glimpse.until.isoformat(),
        "data": glimpse.content,
    }


def take(tx: Tx, core: Core, shown: ContentShown, sender: str) -> None:
    """Open what the sender showed, in memory alone; what nobody waits for is dropped."""
    glimpse = core.memory.waiting(shown.request_id, sender)
    if glimpse is None or glimpse.message_id != shown.message_id:
        return
    content = _opened(tx, core, glimpse, shown)
    tx.on_commit(lambda: core.memory.answer(glimpse, content))


def _opened(tx: Tx, core: Core, glimpse: Glimpse, shown: ContentShown) -> dict[str, Any] | None:
    row = _inbox(tx, shown.message_id)
    case = None if row is None or row.case_id is None else tx.get(standing.CASES, row.case_id)
    if row is None or case is None or shown.closed is None:
        return None
    _, flow = _flow(core, row, case)
    if flow is None:
        return None
    try:
        plain = open_closed(urlsafe_b64decode(shown.closed.encode()), glimpse.key, _bound(shown))
        return flow.payload.model_validate_json(plain).model_dump(mode="json")
    except (Unverified, ValidationError, ValueError):
        return None


def _arrived(tx: Tx, core: Core, message_id: str, agent: Agent, at: datetime) -> _Arrived:
    row = _inbox(tx, message_id)
    case = None if row is None or row.case_id is None else tx.get(standing.CASES, row.case_id)
    if row is None or case is None:
        raise UnknownName("Aucun message reçu ne porte ce numéro.", code="unknown_message")
    require_case(tx, core, case.case_id, agent, at)
    binding, flow = _flow(core, row, case)
    if binding is None or flow is None:
        raise UnknownName("Rien ne lie plus l'émetteur et ce nœud.", code="unknown_convention")
    if not flow.retention.transient:
        raise Filed("Ce contenu est tenu ici : lisez-le dans son dossier.")
    return _Arrived(row, case, binding, flow)


def _flow(core: Core, row: Row[Any], case: Row[Any]) -> tuple[Binding | None, Flow | None]:
    binding = core.binding(row.sender, case.instrument)
    if binding is None:
        return None, None
    ends = binding.kind_of(row.sender), binding.kind_of(core.org)
    return binding, binding.instrument.flow(row.type, *ends)


def _inbox(tx: Tx, message_id: str) -> Row[Any] | None:
    inbox = tables.inbox
    mine = (inbox.c.message_id == message_id) & (inbox.c.status == "received")
    return tx.execute(select(inbox).where(mine)).first()


def _require_time(tx: Tx, core: Core, arrived: _Arrived, at: datetime) -> None:
    """Refuse before anybody is asked: the case ended here, or the letter's own time is over."""
    if arrived.case.state != OPEN or arrived.row.expires_at <= at:
        raise _over(arrived.flow)
    facts = _facts(tx, core, arrived.row.message_id, "message.received")
    decision = None if facts is None else recheck(core, facts, arrived.binding, at)
    if decision is None or isinstance(decision, GateRefused):
        own = (arrived.flow.retention.article,)
        articles = own if decision is None else decision.articles
        raise Refused("La convention ne permet plus de revoir ce contenu.", articles=articles)


def _over(flow: Flow) -> Refused:
    return Refused(
        "Ce contenu ne se revoit plus : il n'était pas fait pour être gardé ici.",
        code="no_longer_shown",
        articles=(flow.retention.article,),
    )


def _note(tx: Tx, core: Core, event: str, arrived: _Arrived, agent: Agent, at: datetime) -> None:
    core.journal.append(
        tx,
        Entry(
            at=at,
            event=event,
            message_id=arrived.row.message_id,
            flow=arrived.flow.type,
            outcome="allowed",
            articles=(arrived.flow.retention.article,),
            scope=case_scope(arrived.case.case_id),
            case_id=arrived.case.case_id,
            agent_id=agent.agent_id,
        ),
    )


# --- at the sender: to decide anew


def answer(
    tx: Tx, core: Core, asked: ContentRequested, to: str, binding: Binding, at: datetime
) -> ContentShown:
    """Show a content again, or say no without saying why; one's own journal says why."""
    shown = ContentShown(request_id=asked.request_id, message_id=asked.message_id, closed=None)
    outbox = tables.outbox
    mine = (outbox.c.message_id == asked.message_id) & (outbox.c.receiver == to)
    row = tx.execute(select(outbox).where(mine & (outbox.c.kind == LETTER))).first()
    if row is None or row.instrument != binding.id or row.case_id is None:
        return shown
    ends = binding.kind_of(core.org), binding.kind_of(to)
    flow = binding.instrument.flow(row.type, *ends)
    if flow is None or not flow.retention.transient:
        return shown
    articles = _refused(tx, core, row, flow, binding, at)
    content = None if articles else withheld.held(tx, core, row.message_id, at)
    if content is None:
        articles = articles or (flow.retention.article,)
    else:
        try:
            body = close_for(content, asked.key, _bound(shown))
        except InvalidDocument:
            return shown
        shown = shown.model_copy(update={"closed": urlsafe_b64encode(body).decode()})
    _journal_shown(tx, core, row, articles, at)
    return shown


def _bound(shown: ContentShown) -> str:
    return f"relais/content {shown.request_id} {shown.message_id}"


def _refused(
    tx: Tx, core: Core, row: Row[Any], flow: Flow, binding: Binding, at: datetime
) -> tuple[str, ...]:
    """Articles on which a content is not shown any more; empty where it is."""
    known = standing.of_case(tx, row.case_id, core.org)
    if known.case is None or known.case.state != OPEN:
        return (flow.retention.article,)
    facts = _facts(tx, core, row.message_id, "message.sent")
    if facts is None:
        return (flow.retention.article,)
    decision = recheck(core, replace(facts, agreement=known.agreement), binding, at)
    return decision.articles if isinstance(decision, GateRefused) else ()


def _facts(tx: Tx, core: Core, message_id: str, event: str) -> Facts | None:
    """What the decision about a message rested on; None once that is erased."""
    same = (journal.c.message_id == message_id) & (journal.c.event == event)
    row = tx.execute(select(journal).where(same).order_by(journal.c.seq.desc())).first()
    if row is None:
        return None
    try:
        found = core.journal.facts(Line(**row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name
    except KeyDestroyed:
        return None
    return None if found is None else from_json(found)


def _journal_shown(
    tx: Tx, core: Core, row: Row[Any], articles: tuple[str, ...], at: datetime
) -> None:
    case = tx.get(standing.CASES, row.case_id)
    alive = case is not None and case.state != standing.ERASED
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="content.shown",
            message_id=row.message_id,
            flow=row.type,
            outcome="refused" if articles else "allowed",
            articles=articles,
            scope=case_scope(row.case_id) if alive else REFUSAL_SCOPE,
            case_id=row.case_id if alive else None,
        ),
    )
