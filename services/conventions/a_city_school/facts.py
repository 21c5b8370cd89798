"""What either side knows that the checks of convention A ask for; the unknown is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from contracts.conventions.a_city_school.measure import Status, signatures_of_others
from contracts.conventions.a_city_school.messages import (
    AlternativeRequested,
    AttendanceNotice,
    ContractStatus,
    ReferralSubmitted,
    days_outside,
)
from contracts.kernel.checks import Side
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import midnight
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question
from services.conventions.a_city_school import store

HEAD = "manager"
"""Role of a head teacher at a school's node."""

_OPENING = (ReferralSubmitted, AlternativeRequested, AttendanceNotice)


def facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Facts about a message of convention A."""
    if asked.case_id is None or isinstance(asked.payload, _OPENING):
        return Known(records=_opening(asked))
    if asked.type.startswith("alternative."):
        return _measure(tx, core, asked)
    return Known(records=_pathway(tx, asked))


def _opening(asked: Question) -> Mapping[str, datetime]:
    """The pupil attends the school that sends, if the code it names is its own (A-1.2).

    At the sender its own register says so, and the chassis reads it there.
    """
    known = isinstance(asked.payload, _OPENING) and asked.side is Side.RECEIVER
    own = None if asked.partner is None else asked.partner.uai
    return {"enrolled": asked.at} if known and getattr(asked.payload, "uai", "") == own else {}


def _pathway(tx: Tx, asked: Question) -> Mapping[str, datetime]:
    row = store.pathway_of(tx, asked.case_id)
    if row is None:
        return {}
    found = {}
    if row.referent_since is not None:
        found["referent"] = row.referent_since
    elif asked.type == "referent.changed":
        found["referent"] = asked.at  # the first one may also be named by itself
    if row.state == "open":
        found["pathway"] = midnight(row.opened_on)
    return found


def _measure(tx: Tx, core: Core, asked: Question) -> Known:
    row = store.measure_of(tx, asked.case_id)
    if row is None:
        return Known()
    records = _standing(row, asked.at)
    signatures = {role: midnight(day) for role, day in store.signed_days(row).items()}
    counts = {}
    if asked.agent_role == HEAD and core.kind is Kind.SCHOOL:
        records["by_head"] = asked.at
    if isinstance(asked.payload, ContractStatus):
        counts = _contract(core, row, asked, asked.payload)
        if asked.payload.task_tutor is not None:
            records["tutor"] = asked.at
    return Known(records=records, signatures=signatures, counts=counts)


def _standing(row: Row[Any], at: datetime) -> dict[str, datetime]:
    """Which acts the status of a measure leaves open at an instant."""
    status = Status(row.status)
    started = row.first_day is not None and midnight(row.first_day) <= at
    open_ = {
        "awaiting": status is Status.REQUESTED,
        "accepted": status in {Status.ACCEPTED, Status.SIGNED} and not started,
        "running": store.runs(row, at),
        "endable": status in {Status.SIGNED, Status.RUNNING},
    }
    return {name: at for name, holds in open_.items() if holds}


def _contract(core: Core, row: Row[Any], asked: Question, said: ContractStatus) -> dict[str, int]:
    sender = core.kind if asked.side is Side.SENDER else _other(core.kind)
    known = store.signed_days(row)
    foreign = signatures_of_others(sender, said.signatures, known)
    if asked.side is Side.SENDER and sender is Kind.SCHOOL and asked.agent_role != HEAD:
        foreign += "head_teacher" in said.signatures and "head_teacher" not in known
    days = (said.first_day, said.last_day)
    outside = days_outside(days, (row.exclusion_first_day, row.exclusion_last_day))
    if sender is Kind.SCHOOL and (row.first_day, row.last_day) != days:
        outside += 1  # the city plans the days, and the school repeats them
    return {"signatures_of_others": foreign, "days_outside": outside}


def _other(kind: Kind) -> Kind:
    return Kind.CITY if kind is Kind.SCHOOL else Kind.SCHOOL
