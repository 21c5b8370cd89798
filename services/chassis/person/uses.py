"""Who was told what about a person, when, why and on which article, read from the journal itself.

Over all cases of the person at this node: what left and came, what was noted and read, what was
refused, who was told of an end, what was destroyed, and who was given a code. No entry names
anybody: not the agent, not the other people of a situation. What is sealed comes on its day, and
says that it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Row, select

from contracts.kernel.facts import Facts, from_json
from contracts.kernel.instrument import Flow, Instrument
from contracts.kernel.paris import day_of
from services.chassis import person_tables, standing, tables
from services.chassis.chain import Line
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.keystore import KeyDestroyed
from services.chassis.person.agreed import Agreed, agreements_of, cases_of, seen_by
from services.chassis.person.visits import Visit
from services.chassis.schema import journal
from services.chassis.views import exchanges

Kind = Literal["sent", "received", "noted", "read", "refused", "told", "destroyed", "opened"]
"""What was done with what is known of the person."""

Basis = Literal["agreement", "duty", "derogation", "none"]
"""On what it rested."""

_KINDS: Final[Mapping[str, Kind]] = {
    "message.sent": "sent",
    "message.received": "received",
    "act.recorded": "noted",
    "message.read": "read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One entry. who: the organisation that acted; receiver: the one that got or handled it.

    what: label of the message or act, in French; "" where the kind says all. outcome: what became
    of it, a code. content: labels of what the message holds. giver, given_at: of the agreement it
    rested on. sealed_until: day until which the entry was hidden.
    """

    at: datetime
    kind: Kind
    who: str
    receiver: str
    what: str = ""
    outcome: str = ""
    purpose: str = ""
    articles: tuple[str, ...] = ()
    basis: Basis = "none"
    giver: str = ""
    given_at: datetime | None = None
    ground: str = ""
    sealed_until: date | None = None
    content: tuple[str, ...] = ()
    records: int = 0


def uses_of(tx: Tx, core: Core, visit: Visit, at: datetime) -> list[Use]:
    """All that whoever looks may be shown today, the latest first."""
    found: list[Use] = []
    today = day_of(at)
    for case in cases_of(tx, core, visit):
        found += _exchanged(tx, core, case, today)
        found += _turned_away(tx, core, case, today)
        found += _destroyed(tx, case.case_id)
    for agreed in agreements_of(tx, core, visit, at):
        found += _told(core, agreed)
    found += _refused(tx, core, visit, today)
    found += _gone(tx, visit)
    found += _opened(tx, core, visit)
    found.sort(key=lambda one: one.at)
    found.reverse()  # of one instant the last line comes first too
    return found


# --- what a case's lines say


def _exchanged(tx: Tx, core: Core, case: Row[Any], today: date) -> Iterator[Use]:
    instrument, states = core.text(case.instrument), _states(tx, case.case_id)
    agreement = standing.of_case(tx, case.case_id, core.org).agreement
    duty = case.instrument in core.registry.duties
    for line in exchanges(tx, case.case_id, today):
        kind, without = _KINDS[line["event"]], line["without_agreement"]
        sent = kind == "sent"
        ends = (core.org, case.partner) if sent else (case.partner, core.org)
        flow = None if kind == "noted" else _flow(core, instrument, line["type"], *ends)
        basis: Basis = "none" if agreement is None else "agreement"
        if without is not None:
            basis = "derogation"
        elif duty:
            basis = "duty"
        until = None if without is None else without["sealed_until"]
        yield Use(
            at=datetime.fromisoformat(line["at"]),
            kind=kind,
            who=case.partner if kind == "received" else core.org,
            receiver=case.partner if sent else core.org,
            what=_label(core, case.instrument, line["type"], flow),
            outcome=states.get(line["message_id"], "") if sent else "",
            purpose=case.purpose if flow is None else flow.purpose,
            articles=tuple(line["articles"]) or (() if flow is None else (flow.article,)),
            basis=basis,
            giver="" if agreement is None else agreement.giver.value,
            given_at=None if agreement is None else agreement.given_at,
            ground="" if without is None else without["ground"],
            sealed_until=None if until is None else date.fromisoformat(until),
            content=_content(flow) if kind in {"sent", "received"} else (),
        )


def _flow(
    core: Core, instrument: Instrument | None, type_: str | None, sender: str, receiver: str
) -> Flow | None:
    if instrument is None or type_ is None:
        return None
    ends = (core.directory.entry(sender), core.directory.entry(receiver))
    return instrument.closest(type_, *(None if one is None else one.kind for one in ends))


def _label(core: Core, instrument: str, type_: str | None, flow: Flow | None) -> str:
    if flow is not None:
        return flow.label
    act = core.side(instrument).acts.get(type_ or "")
    return "" if act is None else act.label


def _content(flow: Flow | None) -> tuple[str, ...]:
    if flow is None:
        return ()
    return tuple(one.title for one in flow.payload.model_fields.values() if one.title)


def _states(tx: Tx, case_id: str) -> dict[str, str]:
    outbox = tables.outbox
    query = select(outbox.c.message_id, outbox.c.state).where(outbox.c.case_id == case_id)
    return {row.message_id: row.state for row in tx.execute(query)}


# --- what was refused


def _turned_away(tx: Tx, core: Core, case: Row[Any], today: date) -> Iterator[Use]:
    """What the partner sent about a case and this node's gate refused."""
    inbox = tables.inbox
    mine = (inbox.c.case_id == case.case_id) & (inbox.c.status == "not_open")
    ids = tx.execute(select(inbox.c.message_id).where(mine)).scalars().all()
    yield from _no(tx, core, ids, "message.received", today)


def _refused(tx: Tx, core: Core, visit: Visit, today: date) -> Iterator[Use]:
    """What this node's gate refused to send about the person."""
    table = person_tables.refusals
    mine = select(table.c.message_id).where(table.c.person_id.in_(visit.person_ids))
    ids = tx.execute(mine).scalars().all()
    for one in _no(tx, core, ids, "message.refused", today):
        if seen_by(visit, one.giver or None):
            yield one


def _no(tx: Tx, core: Core, ids: Sequence[str], event: str, today: date) -> Iterator[Use]:
    lines = journal.c.message_id.in_(list(ids)) & (journal.c.event == event)
    for row in tx.execute(select(journal).where(lines)).all():
        facts = _facts(core, row)
        if facts is None or _hidden(facts, today):
            continue
        instrument = core.text("" if facts.instrument is None else facts.instrument.id)
        flow = _flow(core, instrument, facts.flow, facts.sender, facts.receiver)
        agreement = facts.agreement
        yield Use(
            at=row.at,
            kind="refused",
            who=facts.sender,
            receiver=facts.receiver,
            what=_label_of_any(core, facts.flow) if flow is None else flow.label,
            outcome="refused",
            purpose=facts.purpose or "",
            articles=tuple(row.articles),
            giver="" if agreement is None else agreement.giver.value,
        )


def _facts(core: Core, row: Row[Any]) -> Facts | None:
    try:
        values = core.journal.facts(Line(**row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name for a row's dict
    except KeyDestroyed:
        return None
    return None if values is None else from_json(values)


def _hidden(facts: Facts, today: date) -> bool:
    """Whether a refused message named a decision that the family may not know of yet."""
    named = facts.derogation
    if named is None or not named.sealed_days:
        return False
    return today < day_of(named.asked_at) + timedelta(days=named.sealed_days)


def _label_of_any(core: Core, type_: str) -> str:
    known = core.flows.get(type_, ())
    return known[0][1].label if known else ""


# --- ends, destructions, codes


def _told(core: Core, agreed: Agreed) -> Iterator[Use]:
    for one in agreed.told:
        yield Use(
            at=one.told_at,
            kind="told",
            who=core.org,
            receiver=one.org,
            outcome=one.outcome or "",
            articles=("RGPD 7.3",) if one.article is None else ("RGPD 7.3", one.article),
        )


def _gone(tx: Tx, visit: Visit) -> Iterator[Use]:
    """Certificates of cases that are no more, of a person who is still in the register."""
    table = person_tables.destructions
    mine = select(table).where(table.c.person_id.in_(visit.person_ids))
    for row in tx.execute(mine).all():
        if seen_by(visit, row.giver):
            yield from _destroyed(tx, row.case_id)


def _destroyed(tx: Tx, case_id: str) -> Iterator[Use]:
    held = tables.certificates
    for row in tx.execute(select(held).where(held.c.case_id == case_id)).all():
        yield Use(
            at=row.done_at,
            kind="destroyed",
            who=row.org,
            receiver=row.org,
            outcome=row.outcome,
            articles=("RGPD 17",) if row.article is None else (row.article,),
            records=row.records,
        )


def _opened(tx: Tx, core: Core, visit: Visit) -> Iterator[Use]:
    """Codes handed over for the person's page; a representative is shown their own alone."""
    codes, of = person_tables.codes, person_tables.code_persons
    joined = codes.join(of, of.c.code_id == codes.c.code_id)
    mine = select(codes).select_from(joined).where(of.c.person_id.in_(visit.person_ids)).distinct()
    for row in tx.execute(mine).all():
        if visit.representative and row.holder != visit.holder:
            continue
        yield Use(
            at=row.given_at,
            kind="opened",
            who=core.org,
            receiver=core.org,
            outcome="unused" if row.used_at is None else "used",
            giver=row.holder,
            articles=("RGPD 15",),
        )
