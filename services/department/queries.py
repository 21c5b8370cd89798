"""What the department knows and shows of the training obligation: its designated agents alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from contracts.conventions.d_department_mission_locale.convention import DUTIES
from contracts.conventions.d_department_mission_locale.messages import TrainingObligationBreach
from contracts.kernel.checks import Side
from contracts.kernel.paris import day_of, midnight
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question, Received
from services.chassis.tokens import Role
from services.conventions.d_department_mission_locale import training
from services.department.models import breaches, designations

TRAINING = DUTIES[0].code
"""Instrument of the training obligation, whose cases only designated agents may open."""

BREACH = "breach"
"""What the sealed column holds, bound to the seal."""


def facts(tx: Tx, _core: Core, asked: Question) -> Known:
    """Whether anybody is designated to receive (R114-7)."""
    if asked.side is not Side.RECEIVER:
        return Known()
    since = designated_since(tx, None, asked.at)
    return Known(records={} if since is None else {"designated": since})


def designated_since(tx: Tx, agent_id: str | None, at: datetime) -> datetime | None:
    """Since when an agent is designated, or anybody is; None where nobody is at that instant."""
    table, today = designations, day_of(at)
    unended = table.c.last_day.is_(None) | (table.c.last_day >= today)
    who = table.c.agent_id == agent_id if agent_id is not None else table.c.agent_id.is_not(None)
    open_ = (table.c.first_day <= today) & unended & who
    row = tx.execute(select(table.c.first_day).where(open_).order_by(table.c.first_day)).first()
    return None if row is None else midnight(row.first_day)


def received(tx: Tx, core: Core, received_: Received) -> None:
    """Keep a breach apart, until the obligation ends (D-2.4)."""
    case_id, content = received_.envelope.caseid, received_.payload
    if case_id is None or not isinstance(content, TrainingObligationBreach):
        return
    tx.insert(
        breaches,
        {
            "case_id": case_id,
            "mission_locale": received_.sender.org,
            "received_at": received_.at,
            "sealed": casefile.seal(core, case_id, content, BREACH),
        },
    )
    training.keep_until_majority(tx, case_id, content.young_person.birth_date)


def may_read(tx: Tx, _case_id: str, agent_id: str, role: str, at: datetime) -> bool:
    """Designated agents alone, not even a manager, and the DPO (R114-7)."""
    return role == Role.DPO or designated_since(tx, agent_id, at) is not None


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """A breach, opened for designated agents."""
    row = tx.execute(select(breaches).where(breaches.c.case_id == case_id)).first()
    if row is None:
        return {}
    return {"training_obligation": casefile.unseal(core, case_id, row.sealed, BREACH)}
