"""One case as its page shows it: with whom, on whose agreement, what happened, what may follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select

from contracts.kernel.checks import Agreement
from contracts.kernel.instrument import Flow, Instrument, Urgency
from contracts.kernel.paris import day_of
from services.chassis import deadlines, derogations, standing, tables, views
from services.chassis.acts import Reach
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.agreed import last_day_of
from services.chassis.pages.content import Telling, Told, name_of
from services.chassis.pages.messages import named
from services.chassis.pages.offering import (
    Offered,
    acts_of,
    kind_of_partner,
    messages,
    why_over,
    without_agreement,
)
from services.chassis.pages.persons import person_in_words, person_of_case
from services.chassis.pages.rendering import ROOT, by_in_words, day_in_words, instant_in_words
from services.chassis.posting import OPEN
from services.chassis.recognition import unanswered
from services.chassis.schema import journal
from services.chassis.scopes import case_scope
from services.chassis.tokens import RIGHTS, Agent, Right
from services.chassis.words import EVENTS
from services.chassis.words import STATES as MESSAGE_STATES

PLACE: Final = f"{ROOT}/situations"

STATES: Final = {
    "open": "En cours",
    "closed": "Terminée",
    "stopped": "Arrêtée",
    "erased": "Détruite",
}
"""How a case stands, in words."""

_GIVERS: Final = {
    "representative": "du représentant légal",
    "young_person": "de la personne elle-même",
    "both": "de la personne et de son représentant légal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened in a case.

    way: from whom to whom, of a message. state: how far a message of ours is. read: an alert that
    nobody here has read yet. look: a content that is kept nowhere here and may be asked for again.
    without: that it left without agreement.
    """

    at: str
    heading: str
    way: str = ""
    article: str = ""
    state: str = ""
    message_id: str = ""
    read: bool = False
    look: bool = False
    without: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due in a case, until when. message: that it is about."""

    label: str
    message: str
    article: str
    by: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was destroyed, where."""

    number: str
    org: str
    article: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case, whole. agreement: on whose it rests. related: other cases of the same person.

    over: why nothing is sent in it any more, and what alone may still be recorded.
    agreement_page: name of its page here, by the reference where a partner collected it. own: that
    the person is of this organisation's own register. resembles: how many of the register resemble
    whom a partner named, to an agent who may say whether it is they.
    """

    case_id: str
    person: str
    person_id: str | None
    born: str
    title: str
    convention_id: str
    purpose: str
    partner: str
    state: str
    open: bool
    opened: str
    over: str
    kept: str
    agreement: str
    agreement_page: str
    own: bool
    resembles: int
    told: tuple[Told, ...]
    steps: tuple[Step, ...]
    dues: tuple[Due, ...]
    messages: tuple[Offered, ...]
    acts: tuple[Offered, ...]
    without_agreement: tuple[Offered, ...]
    related: tuple[tuple[str, str], ...]
    certificates: tuple[Certificate, ...]


def case_view(tx: Tx, core: Core, case_id: str, agent: Agent, at: datetime) -> CaseView:
    """One case for an agent who may read it. Raises UnknownName."""
    held = views.case(tx, core, case_id)
    row = tx.get(standing.CASES, case_id)
    if row is None:
        raise LookupError(case_id)
    text = core.text(row.instrument)
    known = standing.of_case(tx, case_id, core.org)
    person = person_of_case(tx, core, case_id)
    code = "" if text is None else text.code
    registers = Right.REGISTER in RIGHTS[agent.role]
    here = f"{PLACE}/{case_id}"
    acts = tuple(acts_of(tx, core, row, agent, here))
    born = None if person is None else person.identity.birth_date
    return CaseView(
        case_id=case_id,
        person=person_in_words(tx, core, case_id),
        person_id=row.person_id,
        born="" if born is None else day_in_words(born),
        title="Texte inconnu ici" if text is None else text.title,
        convention_id=row.instrument,
        purpose=row.purpose if text is None else core.registry.word(code, row.purpose),
        partner=name_of(core, row.partner),
        state=STATES.get(row.state, row.state),
        open=row.state == OPEN,
        opened=instant_in_words(row.opened_at),
        over=why_over(row, acts, agent),
        kept=_kept(row, held),
        agreement=agreement_in_words(known, at) or kept_by_partner(core, row, text),
        agreement_page=known.agreement_id or _reference(known),
        own=known.agreement_id is not None and row.person_id is not None,
        resembles=len(unanswered(tx, core, case_id)) if registers else 0,
        told=Telling(core, code).told(held["content"]),
        steps=tuple(_steps(tx, core, row, text, at)),
        dues=tuple(_dues(tx, core, case_id)),
        messages=tuple(messages(tx, core, row, text, agent, here)),
        acts=acts,
        without_agreement=tuple(without_agreement(core, row, text, agent, here)),
        related=tuple(_related(tx, core, row, agent, at)),
        certificates=tuple(_certificates(core, held)),
    )


def _kept(row: Row[Any], held: Mapping[str, Any]) -> str:
    if row.state == standing.ERASED:
        return ""
    if held["kept_under"]:
        return f"gardée tant qu'un litige dure ({held['kept_under']})"
    return (
        "" if row.retain_until is None else f"détruite le {day_in_words(day_of(row.retain_until))}"
    )


def agreement_in_words(known: standing.Standing, at: datetime) -> str:
    """On whose agreement a case rests, and how that stands."""
    it = known.agreement
    if it is None:
        return "" if known.notice_at is None else f"personne informée le {_day(known.notice_at)}"
    given = f"accord {_GIVERS[it.giver.value]}, donné le {_day(it.given_at)}"
    if it.withdrawn_at is not None:
        return f"{given}, retiré le {_day(it.withdrawn_at)}"
    if it.suspended_at is not None:
        return f"{given}, suspendu par une opposition le {_day(it.suspended_at)}"
    if at >= it.expires_at:
        return f"{given}, échu le {_day(it.expires_at)}"
    return f"{given}, valable jusqu'au {day_in_words(last_day_of(it.expires_at))}"


def kept_by_partner(core: Core, row: Row[Any], text: Instrument | None) -> str:
    """Where an agreement is that this case asks for, and of which nothing is kept here."""
    asks = text is not None and any(
        isinstance(check, Agreement)
        for flow in text.flows
        if flow.purpose == row.purpose
        for check in flow.checks
    )
    partner = name_of(core, row.partner)
    return f"accord recueilli par {partner}, qui en répond" if asks else ""


def _reference(known: standing.Standing) -> str:
    return "" if known.agreement is None else known.agreement.reference


def _day(at: datetime) -> str:
    return day_in_words(day_of(at))


# --- what happened


def _steps(
    tx: Tx, core: Core, row: Row[Any], text: Instrument | None, at: datetime
) -> Iterator[Step]:
    """Lines of the journal about the case, the latest first."""
    sent = {one.message_id: one for one in _letters(tx, row.case_id)}
    came = {one.message_id: one for one in _arrivals(tx, row.case_id)}
    without = derogations.of_case(tx, row.case_id)
    mine = journal.c.scope == case_scope(row.case_id)
    lines = tx.execute(select(journal).where(mine).order_by(journal.c.seq.desc())).all()
    read = {line.message_id for line in lines if line.event == "message.read"}
    for line in lines:
        if line.event == "receipt" and line.message_id in sent:
            continue  # what came back is how far the message is
        ours = line.event == "message.sent"
        if not ours and line.event != "message.received":
            yield _other(core, row, line)
            continue
        flow = _flow(core, row, text, line.flow, ours=ours)
        letter = sent.get(line.message_id) if ours else None
        ends = (core.org, row.partner) if ours else (row.partner, core.org)
        decided = without.get(line.message_id)
        arrived = not ours and line.message_id in came
        urgent = flow is not None and flow.urgency is Urgency.WITHOUT_DELAY
        yield Step(
            at=instant_in_words(line.at),
            heading=line.flow if flow is None else flow.label,
            way=" → ".join(name_of(core, org) for org in ends),
            article="" if flow is None else flow.article,
            state="" if letter is None else MESSAGE_STATES.get(letter.state, letter.state),
            message_id=line.message_id,
            read=arrived and urgent and line.message_id not in read,
            look=arrived
            and flow is not None
            and _shown_again(flow, row, came[line.message_id], at),
            without="" if decided is None else "envoyé sans accord, pour un intérêt vital",
            urgent=urgent,
        )


def _shown_again(flow: Flow | None, case: Row[Any], letter: Row[Any], at: datetime) -> bool:
    """Whether the sender may still be asked for what a message said, and is kept nowhere here."""
    transient = flow is not None and flow.retention.transient
    return transient and case.state == OPEN and bool(at < letter.expires_at)


def _letters(tx: Tx, case_id: str) -> Any:  # noqa: ANN401 -- rows
    outbox = tables.outbox
    columns = (outbox.c.message_id, outbox.c.state)
    return tx.execute(select(*columns).where(outbox.c.case_id == case_id)).all()


def _arrivals(tx: Tx, case_id: str) -> Any:  # noqa: ANN401 -- rows
    inbox = tables.inbox
    mine = (inbox.c.case_id == case_id) & (inbox.c.status == "received")
    return tx.execute(select(inbox.c.message_id, inbox.c.expires_at).where(mine)).all()


def _other(core: Core, row: Row[Any], line: Row[Any]) -> Step:
    """An act, a reading, a deadline: what it was, on which article."""
    acts, heading = core.side(row.instrument).acts, EVENTS.get(line.event, line.event)
    if line.event == "act.recorded" and line.flow in acts:
        heading = acts[line.flow].label
    elif line.flow in core.clocks:
        heading = f"{heading} : {core.clocks[line.flow].label}"
    return Step(at=instant_in_words(line.at), heading=heading, article=", ".join(line.articles))


def _flow(
    core: Core, row: Row[Any], text: Instrument | None, type_: str, *, ours: bool
) -> Flow | None:
    if text is None:
        return None
    theirs = kind_of_partner(core, row)
    ends = (core.kind, theirs) if ours else (theirs, core.kind)
    return text.closest(type_, *ends)


# --- what is due, what else there is


def _dues(tx: Tx, core: Core, case_id: str) -> Iterator[Due]:
    table = tables.deadlines
    waits = table.c.state.in_((deadlines.PENDING, deadlines.MISSED))
    query = select(table).where((table.c.case_id == case_id) & waits).order_by(table.c.due_at)
    rows = tx.execute(query).all()
    messages = named(tx, core, [row.subject for row in rows])
    for row in rows:
        yield Due(
            label=core.clocks[row.kind].label if row.kind in core.clocks else row.kind,
            message=messages.get(row.subject, ""),
            article=row.article,
            by=by_in_words(row.due_at),
            late=row.state == deadlines.MISSED,
        )


def _related(
    tx: Tx, core: Core, row: Row[Any], agent: Agent, at: datetime
) -> Iterator[tuple[str, str]]:
    """Other cases of the same person that the agent may open, and with whom."""
    cases = tables.cases
    if row.person_id is None:
        return
    others = (cases.c.person_id == row.person_id) & (cases.c.case_id != row.case_id)
    reach = Reach(tx, core, agent, at)
    for one in tx.execute(select(cases).where(others).order_by(cases.c.opened_at)):
        if reach.refusal(one) is None:
            text = core.text(one.instrument)
            purpose = one.purpose if text is None else core.registry.word(text.code, one.purpose)
            yield one.case_id, f"{purpose}, avec {name_of(core, one.partner)}"


def _certificates(core: Core, held: Mapping[str, Any]) -> Iterator[Certificate]:
    for one in held["certificates"]:
        yield Certificate(
            number=one["certificate"],
            org=name_of(core, one["org"]),
            article=one["article"] or "",
            at=instant_in_words(datetime.fromisoformat(one["done_at"])),
        )
