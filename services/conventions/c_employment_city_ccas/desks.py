"""Who may send and receive at all: desks, colleagues who read the text, the report before renewal.

Asked of every message of convention C, hence shared by all of its axes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select, update

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.checks import Side
from contracts.kernel.errors import InvalidPayload, Refused
from contracts.kernel.paris import midnight
from contracts.kernel.signed import SignedConvention
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.governance import own_convention
from services.chassis.partner import Question
from services.conventions.c_employment_city_ccas.models import (
    desk_agents,
    final_reports,
    readings,
)

HR, LEAD = "hr", "beauvoisine"
"""Desks: the city's human resources, which answer for the CCAS too (C-3.2); the one local agency
through which recruitment passes (C-3.1)."""

ARTICLES: Final = {HR: "C-3.2", LEAD: "C-3.1"}


def always(tx: Tx, core: Core, asked: Question) -> dict[str, datetime]:
    """What every message of the convention asks (C-5.5, C-8.2)."""
    found: dict[str, datetime] = {}
    if asked.side is Side.SENDER and asked.agent_id is not None:
        read = readings
        mine = (read.c.agent_id == asked.agent_id) & (read.c.version == CONVENTION.version)
        at = tx.execute(select(read.c.read_at).where(mine)).scalar()
        if at is not None:
            found["staff_informed"] = at
    signed = None if asked.partner is None else in_force(core, asked.partner.org, asked.at)
    if signed is not None and (renewed := _renewed(tx, signed, asked.at)) is not None:
        found["renewed_on_report"] = renewed
    return found


def in_force(core: Core, partner: str, at: datetime) -> SignedConvention | None:
    """Convention C with a partner, the one that is open if any is."""
    ours = [one for one in core.between(partner) if one.convention.code == CONVENTION.code]
    return max(ours, key=lambda one: one.open_at(at), default=None)


def _renewed(tx: Tx, signed: SignedConvention, at: datetime) -> datetime | None:
    """Since when the present term rests on what it must; None where no report came before it."""
    first = signed.versions[0].terms.until or CONVENTION.term.until
    opens = signed.opens_on
    if opens is None or first is None:
        return None
    if at < midnight(first):
        return midnight(opens)
    table = final_reports
    before = (table.c.convention_id == signed.id) & (table.c.recorded_at <= at)
    return tx.execute(select(func.min(table.c.recorded_at)).where(before)).scalar()


def seat(tx: Tx, desk: str, at: datetime, agent_id: str | None = None) -> datetime | None:
    """Since when an agent works at a desk; since when anybody does, where no agent is named."""
    table = desk_agents
    where = _there(desk, at)
    if agent_id is not None:
        where &= table.c.agent_id == agent_id
    return tx.execute(select(func.min(table.c.since)).where(where)).scalar()


def _there(desk: str, at: datetime) -> ColumnElement[bool]:
    table = desk_agents
    gone = table.c.until.is_not(None) & (table.c.until <= at)
    return (table.c.desk == desk) & (table.c.since <= at) & ~gone


def at_desk(tx: Tx, asked: Question, desk: str, fact: str) -> dict[str, datetime]:
    """The fact that a desk treats the message: its sender sits there, or somebody will open it."""
    agent = asked.agent_id if asked.side is Side.SENDER else None
    if asked.side is Side.SENDER and agent is None:
        return {}
    since = seat(tx, desk, asked.at, agent)
    return {} if since is None else {fact: since}


def name_agent(tx: Tx, core: Core, desk: str, agent_id: str, by: str, at: datetime) -> None:
    """Put an agent at a desk from now on; twice is once."""
    if seat(tx, desk, at, agent_id) is None:
        tx.execute(desk_agents.insert().values(desk=desk, agent_id=agent_id, since=at, named_by=by))
    core.journal.note(tx, "desk.agent_named", by, at, articles=(ARTICLES[desk],))


def remove_agent(tx: Tx, core: Core, desk: str, agent_id: str, by: str, at: datetime) -> None:
    """Take an agent away from a desk: no access from this instant on."""
    table = desk_agents
    mine = _there(desk, at) & (table.c.agent_id == agent_id)
    tx.execute(update(table).where(mine).values(until=at))
    core.journal.note(tx, "desk.agent_removed", by, at, articles=(ARTICLES[desk],))


def require_seat(tx: Tx, desk: str, agent_id: str, at: datetime) -> None:
    """Refuse, with its article, whoever does not work at a desk."""
    if seat(tx, desk, at, agent_id) is None:
        raise Refused("Ce poste n'est pas le vôtre.", articles=(ARTICLES[desk],))


def read_text(tx: Tx, core: Core, agent_id: str, at: datetime) -> None:
    """An agent declares having read the convention (C-5.5); twice is once."""
    table = readings
    mine = (table.c.agent_id == agent_id) & (table.c.version == CONVENTION.version)
    if tx.execute(select(table.c.read_at).where(mine)).first() is None:
        values = {"agent_id": agent_id, "version": CONVENTION.version, "read_at": at}
        tx.execute(table.insert().values(**values))
    core.journal.note(tx, "convention.read", agent_id, at, articles=("C-5.5",))


def report(
    tx: Tx, core: Core, convention_id: str, evidence: str, agent_id: str, at: datetime
) -> None:
    """Record the written report on which a renewal rests (C-7.2). Raises UnknownName."""
    signed = own_convention(core, convention_id)
    if signed.convention.code != CONVENTION.code:
        raise InvalidPayload("Ce bilan n'est pas celui de cette convention.")
    values = {"convention_id": convention_id, "recorded_at": at, "evidence": evidence}
    tx.execute(final_reports.insert().values(agent_id=agent_id, **values))
    core.journal.note(tx, "final_report.recorded", agent_id, at, articles=("C-7.2", "C-8.2"))
