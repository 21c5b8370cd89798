"""What either side knows that the checks of convention D ask for; the unknown is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row

from contracts.kernel.checks import Side
from contracts.kernel.paris import day_of, midnight, reached
from services.chassis import casefile, standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question
from services.chassis.tokens import Role
from services.conventions.d_department_mission_locale import store
from services.conventions.d_department_mission_locale.models import youths

MAJORITY: Final = 18
"""Years from which nobody holds parental authority, so that nobody but the person is told."""

OPENING, NAMING = "youth.contact_requested", "youth.referent_changed"


def facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Facts about a message of convention D: the two foundations, and what was done before it."""
    records = dict(_founded(tx, core, asked))
    if asked.type == OPENING:
        records |= _holder(tx, core, asked)
    row = casefile.row_of(tx, youths, asked.case_id)
    if row is not None:
        records |= _by_referent(tx, asked, row)
        records |= _done(row)
    return Known(records=records)


def _founded(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    if asked.partner is None:
        return {}
    known = store.founded(tx, core, asked.partner.org, day_of(asked.at))
    return {what: midnight(day) for what, day in known.items()}


def _holder(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    """Whether the holder of parental authority was informed; of an adult, as of majority."""
    if asked.side is not Side.SENDER or asked.person_id is None:
        return {}
    birth = birth_of(tx, core, asked.person_id)
    if birth is None:
        return {}
    adult = reached(birth, MAJORITY, day_of(asked.at))
    told = asked.at if adult else store.informed_at(tx, asked.person_id, asked.at)
    return {} if told is None else {"holder_informed": told}


def birth_of(tx: Tx, core: Core, person_id: str) -> date | None:
    """Day of birth of a person of the register; None where it holds nobody of that id."""
    row = tx.get(standing.PERSONS, person_id)
    if row is None or row.sealed is None:
        return None
    return standing.opened_person(tx, core, row.scope, row.sealed).identity.birth_date


def _by_referent(tx: Tx, asked: Question, row: Row[Any]) -> Mapping[str, datetime]:
    """The present referent writes, or anybody until an agent of this side is one (D-1.4).

    Another is named by the referent, or by who answers for the organisation.
    """
    if asked.side is not Side.SENDER:
        return {}
    named = store.referents_of(tx, row.case_id).values()
    since = {one.agent_id: one.since for one in named if one.agent_id is not None}
    if not since or (asked.type == NAMING and asked.agent_role == Role.MANAGER):
        return {"by_referent": row.at}
    return {"by_referent": since[asked.agent_id]} if asked.agent_id in since else {}


def _done(row: Row[Any]) -> Mapping[str, datetime]:
    """What was proposed, requested or invited; an interview that was held needs another call."""
    known = {
        "enrolment_proposed": row.enrolment_proposed_at,
        "diagnosis_requested": row.diagnosis_requested_at,
        "interview_invited": None if row.interview_held_on else row.interview_invited_at,
        "youth_contract_proposed": row.contract_proposed_at,
    }
    return {name: at for name, at in known.items() if at is not None}
