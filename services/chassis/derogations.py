"""Acting without agreement, decided by two: asked, confirmed, used once, told, reviewed.

Only for a message whose flow allows it on that ground (`contracts.kernel.derogation`). Whoever asks
does not confirm, and neither of them reviews. The family is told within days, or on the day until
which the decision is sealed; then it is shown, and shown as having been sealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, select, update

from contracts.kernel.derogation import Derogation, DerogationFacts, DerogationRule, Ground
from contracts.kernel.envelope import Envelope
from contracts.kernel.errors import InvalidPayload, Refused, RelaisError, UnknownName
from contracts.kernel.fields import LegalDay
from contracts.kernel.instrument import Flow
from contracts.kernel.organisation import OrgId
from contracts.kernel.paris import day_of, midnight
from services.chassis import standing, tables
from services.chassis.acts import require_case
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, arm, meet, move
from services.chassis.derogation_clocks import REVIEW, TELLING
from services.chassis.journal import Entry
from services.chassis.scopes import case_scope
from services.chassis.tokens import Agent, NotPermitted

TOLD_WITHIN: Final = timedelta(days=3)
"""Time to tell the family, from the message or from the end of the seal; a proposal."""
REVIEWED_WITHIN: Final = timedelta(days=7)
"""Time to review the decision; a proposal, since no text sets one."""

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class DerogationState(RelaisError):
    """The decision is not in the state that the act supposes."""

    code = "derogation_state"
    status = 409


class DerogationBody(BaseModel):
    """Body of ``POST /derogations``: for which message, on which ground; never what happened.

    sealed_until: day on which the family is told, where telling it now would harm the young person;
    without it, it is told at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    case_id: _Id
    type: str = Field(max_length=60)
    to: OrgId
    ground: Ground = Field(title="Motif")
    sealed_until: LegalDay | None = Field(default=None, title="Famille informée à partir du")


class TellingBody(BaseModel):
    """Body of ``POST /derogations/{id}/telling``: when and how the family was told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: LegalDay = Field(title="Famille informée le")
    channel: Literal["meeting", "letter", "phone", "email"] = Field(title="Moyen")


class DerogationReview(BaseModel):
    """Body of ``POST /derogations/{id}/review``: was it right? If not, the seal is lifted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Literal["justified", "unjustified"] = Field(title="Conclusion de la revue")


def ask(
    tx: Tx, core: Core, asked: DerogationBody, derogation_id: str, agent: Agent, at: datetime
) -> None:
    """Ask to send one message without agreement.

    Raises UnknownName for a case or a message that is none here, NotPermitted for a case that is
    not the agent's; Refused, with its article, where the flow has no such road; InvalidPayload for
    a seal that is over or lasts too long.
    """
    require_case(tx, core, asked.case_id, agent, at)
    rule = _rule(_flow(tx, core, asked.case_id, asked.type, asked.to), asked.ground)
    until, today = asked.sealed_until, day_of(at)
    if until is not None and not 0 < (until - today).days <= rule.sealed_days:
        raise InvalidPayload(
            f"La famille est informée {rule.sealed_days} jours après au plus tard.",
            fields=(("sealed_until", "sealed_days"),),
            articles=(rule.article,),
        )
    row = {
        "derogation_id": derogation_id,
        "case_id": asked.case_id,
        "type": asked.type,
        "sender": core.org,
        "receiver": asked.to,
        "ground": asked.ground.value,
        "asked_at": at,
        "asked_by": agent.agent_id,
        "sealed_until": until,
    }
    tx.insert(tables.derogations, row)
    _journal(tx, core, row, "asked", rule, agent, at)


def confirm(tx: Tx, core: Core, derogation_id: str, agent: Agent, at: datetime) -> datetime:
    """Confirm what another asked: from now on, and for hours, it may serve. Returns until when.

    Raises UnknownName; NotPermitted for whoever asked; DerogationState where it is confirmed
    already, or was asked so long ago that it would be over.
    """
    row, rule = ours(tx, core, derogation_id, agent, at)
    if row.asked_by == agent.agent_id:
        raise NotPermitted(
            "Une seconde personne confirme : celle qui demande ne le peut pas.",
            code="second_person",
            articles=(rule.article,),
        )
    served = timedelta(hours=rule.hours)
    if row.confirmed_at is not None or at >= row.asked_at + served:
        raise DerogationState("Cette dérogation est confirmée, ou la demande en est trop ancienne.")
    until = at + served
    _set(tx, row, confirmed_at=at, confirmed_by=agent.agent_id, expires_at=until)
    _journal(tx, core, _columns(row), "confirmed", rule, agent, at)
    return until


def tell(
    tx: Tx, core: Core, derogation_id: str, said: TellingBody, agent: Agent, at: datetime
) -> None:
    """Record that the family was told; a seal may be lifted early, and is then over.

    Raises UnknownName, NotPermitted; InvalidPayload for a day that is none of those since.
    """
    row, rule = ours(tx, core, derogation_id, agent, at)
    if not day_of(row.asked_at) <= said.on <= day_of(at):
        raise InvalidPayload(
            "La famille est informée entre la demande et ce jour.", fields=(("on", "day"),)
        )
    _set(tx, row, told_on=said.on, told_by=agent.agent_id, channel=said.channel)
    meet(tx, TELLING, derogation_id, at)
    _journal(tx, core, _columns(row), "told", rule, agent, at)


def review(
    tx: Tx, core: Core, derogation_id: str, said: DerogationReview, agent: Agent, at: datetime
) -> None:
    """Close the review; a decision that was wrong serves no more, and its seal is lifted.

    Raises UnknownName; NotPermitted for the two who decided; DerogationState where it was reviewed,
    or never confirmed.
    """
    row, rule = ours(tx, core, derogation_id, agent, at)
    if agent.agent_id in {row.asked_by, row.confirmed_by}:
        raise NotPermitted(
            "Qui a demandé ou confirmé la dérogation ne la revoit pas.",
            code="third_person",
            articles=(rule.article,),
        )
    if row.confirmed_at is None or row.reviewed_at is not None:
        raise DerogationState("Cette dérogation n'est pas confirmée, ou est déjà revue.")
    _set(tx, row, reviewed_at=at, reviewed_by=agent.agent_id, outcome=said.outcome)
    meet(tx, REVIEW, derogation_id, at)
    if said.outcome == "unjustified":
        _set(tx, row, expires_at=min(row.expires_at, at), sealed_until=None)
        if row.message_id is not None and row.told_on is None:
            move(tx, core, Due(kind=TELLING, subject=derogation_id, due_at=at + TOLD_WITHIN), at)
    _journal(tx, core, _columns(row), said.outcome, rule, agent, at)


def ours(
    tx: Tx, core: Core, derogation_id: str, agent: Agent, at: datetime
) -> tuple[Row[Any], DerogationRule]:
    """A decision made here, and its rule. Raises UnknownName, NotPermitted."""
    row = _row(tx, derogation_id)
    if row is None or row.sender != core.org:
        raise UnknownName("Aucune dérogation d'ici ne porte ce numéro.", code="unknown_derogation")
    require_case(tx, core, row.case_id, agent, at)
    flow = _flow(tx, core, row.case_id, row.type, row.receiver)
    return row, _rule(flow, Ground(row.ground))


def _row(tx: Tx, derogation_id: str) -> Row[Any] | None:
    table = tables.derogations
    return tx.execute(select(table).where(table.c.derogation_id == derogation_id)).first()


def _flow(tx: Tx, core: Core, case_id: str, type_: str, to: str) -> Flow:
    case = tx.get(standing.CASES, case_id)
    binding = None if case is None else core.binding(to, case.instrument)
    flow = None
    if binding is not None:
        flow = binding.instrument.flow(type_, core.kind, binding.kind_of(to))
    if flow is None:
        raise UnknownName("Ce message n'est pas prévu dans ce dossier.", code="unknown_type")
    return flow


def _rule(flow: Flow, ground: Ground) -> DerogationRule:
    for rule in flow.derogations:
        if rule.ground is ground:
            return rule
    raise Refused(
        "Ce message ne peut jamais passer sans accord pour ce motif.",
        code="no_derogation",
        articles=(flow.article,),
    )


def _set(tx: Tx, row: Row[Any], **values: Any) -> None:  # noqa: ANN401 -- columns
    table = tables.derogations
    mine = table.c.derogation_id == row.derogation_id
    tx.execute(update(table).where(mine).values(**values))


def _columns(row: Row[Any]) -> Mapping[str, Any]:
    return {**row._mapping}  # noqa: SLF001 -- SQLAlchemy's public name for a row's dict


def _journal(
    tx: Tx,
    core: Core,
    row: Mapping[str, Any],
    what: str,
    rule: DerogationRule,
    agent: Agent,
    at: datetime,
) -> None:
    core.journal.append(
        tx,
        Entry(
            at=at,
            event=f"derogation.{what}",
            message_id=row["derogation_id"],
            flow=row["type"],
            outcome="recorded",
            articles=(rule.article,),
            scope=case_scope(row["case_id"]),
            case_id=row["case_id"],
            agent_id=agent.agent_id,
        ),
    )


# --- the message that names one


def named(tx: Tx, derogation_id: str, case_id: str | None) -> Row[Any]:
    """The decision that a message names, to be used for it.

    Raises UnknownName where it is none of the case's; DerogationState where it served already.
    """
    row = _row(tx, derogation_id)
    if row is None or row.case_id != case_id or row.asked_by is None:
        raise UnknownName("Aucune dérogation de ce dossier ne porte ce numéro.")
    if row.message_id is not None:
        raise DerogationState("Cette dérogation a déjà servi : elle vaut pour un seul message.")
    return row


def facts_of(row: Row[Any], at: datetime) -> DerogationFacts:
    """What the gate is told of a decision, confirmed or not, about a message written now."""
    until = row.sealed_until
    return DerogationFacts(
        ground=Ground(row.ground),
        flow=row.type,
        receiver=row.receiver,
        asked_at=row.asked_at,
        confirmed_at=row.confirmed_at,
        expires_at=row.expires_at,
        used_at=at,
        sealed_days=0 if until is None else (until - day_of(row.asked_at)).days,
    )


def carried(row: Row[Any]) -> Derogation:
    """A confirmed decision as it travels."""
    return Derogation(
        id=row.derogation_id,
        ground=Ground(row.ground),
        askedat=row.asked_at,
        confirmedat=row.confirmed_at,
        expiresat=row.expires_at,
        sealeduntil=row.sealed_until,
    )


def use(tx: Tx, core: Core, row: Row[Any], message_id: str, at: datetime) -> None:
    """The message has left on it: the family is to be told, and the decision to be reviewed."""
    _set(tx, row, message_id=message_id)
    subject, until = row.derogation_id, row.sealed_until
    from_then = at if until is None else midnight(until)
    arm(tx, core, Due(kind=TELLING, subject=subject, due_at=from_then + TOLD_WITHIN), at)
    arm(tx, core, Due(kind=REVIEW, subject=subject, due_at=at + REVIEWED_WITHIN), at)


def arrived(tx: Tx, envelope: Envelope) -> DerogationFacts | None:
    """What the gate is told of the decision in a partner's message; None of one that served before.

    That one may have been decided for another message, and is good for no second one.
    """
    found = envelope.derogation
    if found is None or _row(tx, found.id) is not None:
        return None
    return found.facts(envelope.type, envelope.to, envelope.time)


def keep(tx: Tx, envelope: Envelope) -> None:
    """Keep a partner's decision with the message that came on it, so that it is shown in time."""
    found = envelope.derogation
    if found is None or _row(tx, found.id) is not None:
        return  # the message passed on an agreement, whatever decision it named once more
    tx.insert(
        tables.derogations,
        {
            "derogation_id": found.id,
            "case_id": envelope.caseid,
            "type": envelope.type,
            "sender": envelope.source,
            "receiver": envelope.to,
            "ground": found.ground.value,
            "asked_at": found.askedat,
            "confirmed_at": found.confirmedat,
            "expires_at": found.expiresat,
            "sealed_until": found.sealeduntil,
            "message_id": envelope.id,
        },
    )


# --- what is shown


def held(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Decisions known here, newest first; ids, codes and dates only."""
    table = tables.derogations
    rows = connection.execute(select(table).order_by(table.c.asked_at.desc()).limit(limit))
    return [
        {
            "derogation_id": row.derogation_id,
            "case_id": row.case_id,
            "type": row.type,
            "from": row.sender,
            "to": row.receiver,
            "ground": row.ground,
            "asked_at": row.asked_at.isoformat(),
            "confirmed_at": _iso(row.confirmed_at),
            "expires_at": _iso(row.expires_at),
            "sealed_until": _iso(row.sealed_until),
            "message_id": row.message_id,
            "told_on": _iso(row.told_on),
            "outcome": row.outcome,
        }
        for row in rows
    ]


def of_case(tx: Tx, case_id: str) -> dict[str, Row[Any]]:
    """Decisions that messages of a case were sent on, by the message's id."""
    table = tables.derogations
    used = (table.c.case_id == case_id) & table.c.message_id.is_not(None)
    return {row.message_id: row for row in tx.execute(select(table).where(used)).all()}


def standing_of(tx: Tx, case_id: str, type_: str, sender: str, at: datetime) -> Sequence[Row[Any]]:
    """Decisions of ours to send that message in a case that are confirmed, in time and unused."""
    table = tables.derogations
    ours = (table.c.case_id == case_id) & (table.c.type == type_) & (table.c.sender == sender)
    stands = (table.c.expires_at > at) & table.c.message_id.is_(None)
    return tx.execute(select(table).where(ours & stands)).all()


def sealed(row: Row[Any], today: date) -> bool:
    """Whether the family may not see yet that it was decided."""
    return row.sealed_until is not None and row.told_on is None and today < row.sealed_until


def shown(row: Row[Any]) -> dict[str, Any]:
    """What an entry says of the decision it passed on; once it was sealed, until when."""
    return {"ground": row.ground, "sealed_until": _iso(row.sealed_until)}


def _iso(value: date | datetime | None) -> str | None:
    return None if value is None else value.isoformat()
