"""What the city knows and shows: its referents, its hosts, its designated agents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from contracts.conventions.a_city_school.convention import DUTIES
from contracts.conventions.a_city_school.messages import ContractStatus
from contracts.kernel.checks import Side
from contracts.kernel.paris import day_of, midnight
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question
from services.chassis.tokens import Role
from services.city.models import attendance, designations, hosts, pathway_referents
from services.conventions.a_city_school import facts as common

ATTENDANCE = DUTIES[0].code
"""Instrument of attendance notices, whose cases only designated agents may open."""


def facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Facts of convention A, and those the city alone holds."""
    known = common.facts(tx, core, asked)
    records = dict(known.records)
    if asked.side is Side.SENDER:
        referent = None if asked.case_id is None else referent_of(tx, asked.case_id)
        if referent is not None and referent.agent_id == asked.agent_id:
            records["by_referent"] = referent.since
        if isinstance(asked.payload, ContractStatus):
            records |= _host(tx, asked, asked.payload)
    return Known(records=records, signatures=known.signatures, counts=known.counts)


def attendance_facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Whether the pupil attends the school that sends, and anybody is designated to receive."""
    since = designated_since(tx, None, asked.at)
    known = {} if since is None else {"designated": since}
    return Known(records={**common.facts(tx, core, asked).records, **known})


def referent_of(tx: Tx, case_id: str) -> Row[Any] | None:
    """The present referent of a case (A-2.5)."""
    return tx.execute(_REFERENT, {"case": case_id}).first()


_REFERENT: Final = select(pathway_referents).where(
    (pathway_referents.c.case_id == bindparam("case")) & pathway_referents.c.active
)
"""Made once: a list asks for each of its cases, and making it costs as much as running it."""


def _host(tx: Tx, asked: Question, said: ContractStatus) -> dict[str, datetime]:
    """The host is under agreement then; an association is also named in the family's (A-6.1)."""
    covers = (hosts.c.first_day <= said.first_day) & (hosts.c.last_day >= said.last_day)
    row = tx.execute(select(hosts).where((hosts.c.name == said.host) & covers)).first()
    if row is None:
        return {}
    found = {"host": asked.at}  # at the dates of the measure, which may all be to come
    named = frozenset() if asked.agreement is None else asked.agreement.associated
    if row.nature == "service" or "host_association" in named:
        found["host_agreed"] = asked.at
    return found


def designated_since(tx: Tx, agent_id: str | None, at: datetime) -> datetime | None:
    """Since when an agent is designated by the mayor, or anybody is; None where nobody is."""
    table, today = designations, day_of(at)
    unended = table.c.last_day.is_(None) | (table.c.last_day >= today)
    who = table.c.agent_id == agent_id if agent_id is not None else table.c.agent_id.is_not(None)
    open_ = (table.c.first_day <= today) & unended & who
    row = tx.execute(select(table.c.first_day).where(open_).order_by(table.c.first_day)).first()
    return None if row is None else midnight(row.first_day)


def may_read(tx: Tx, case_id: str, agent_id: str, role: str, _at: datetime) -> bool:
    """The present referent alone, once there is one; and those who answer for the organisation."""
    if role in {Role.MANAGER, Role.DPO}:
        return True
    referent = referent_of(tx, case_id)
    return referent is None or bool(referent.agent_id == agent_id)


def may_read_attendance(tx: Tx, _case_id: str, agent_id: str, role: str, at: datetime) -> bool:
    """Designated agents alone, not even a manager, and the DPO (R131-10-1)."""
    return role == Role.DPO or designated_since(tx, agent_id, at) is not None


def view_attendance(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """An attendance notice, opened for designated agents."""
    row = tx.execute(select(attendance).where(attendance.c.case_id == case_id)).first()
    if row is None:
        return {}
    return {"attendance": casefile.unseal(core, case_id, row.sealed, "attendance")}
