"""The employer's register of tutors, and the rules of R5134-38 (C-3a.6).

A tutor is a volunteer, qualified, two years at work, in no supported contract, and follows three
employees at once at most. The register stays at the employer; "eligible tutor: yes" alone leaves.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, delete, select

from contracts.conventions.c_employment_city_ccas.course import experienced
from contracts.conventions.c_employment_city_ccas.messages import CommitmentAgreed
from contracts.kernel.errors import Refused
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import day_of
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Question
from services.chassis.tokens import AgentId
from services.conventions.c_employment_city_ccas.models import contracts, tutors, tutorships

AT_ONCE: Final = 3
"""Employees whom one tutor follows at the same time, at most (R5134-38)."""


class Tutor(BaseModel):
    """Body of ``POST /tutors``: what the employer knows of a member of its staff as a tutor.

    Each day is that of the declaration or of the check; absent where there was none.
    working_since: first day of the professional experience that counts. supported: whether the
    tutor is in such a contract too; absent where nobody checked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    staff_id: AgentId = Field(title="Tuteur (son identifiant ici)")
    volunteered_on: LegalDay | None = Field(default=None, title="Volontaire le")
    qualified_on: LegalDay | None = Field(default=None, title="Qualification vérifiée le")
    working_since: LegalDay | None = Field(default=None, title="Expérience depuis le")
    supported: bool | None = Field(default=None, title="Lui-même en contrat aidé")


def record(tx: Tx, core: Core, body: Tutor, agent_id: str, at: datetime) -> None:
    """Record a tutor, in the place of what was known."""
    tx.execute(delete(tutors).where(tutors.c.staff_id == body.staff_id))
    values = {"recorded_at": at, "recorded_by": agent_id, **body.model_dump()}
    tx.execute(tutors.insert().values(**values))
    core.journal.note(tx, "tutor.recorded", agent_id, at, articles=("C-3a.6",))


def holds(row: Row[Any], day: date) -> dict[str, bool]:
    """Each rule about the tutor alone, on a day; the unknown is no."""
    volunteered, qualified, since = row.volunteered_on, row.qualified_on, row.working_since
    return {
        "tutor_volunteer": volunteered is not None and volunteered <= day,
        "tutor_qualified": qualified is not None and qualified <= day,
        "tutor_experienced": since is not None and experienced(since, day),
        "tutor_not_supported": row.supported is False,
    }


def tutored(tx: Tx, staff_id: str, first: date, last: date, but: str = "") -> int:
    """Most employees whom a tutor would follow on one day, with one more from first to last day.

    but: the case of that one, not to be counted twice.
    """
    joined = contracts.join(tutorships, tutorships.c.case_id == contracts.c.case_id)
    mine = (tutorships.c.staff_id == staff_id) & (contracts.c.case_id != but)
    overlap = (contracts.c.last_day >= first) & (contracts.c.first_day <= last)
    columns = (contracts.c.first_day, contracts.c.last_day, contracts.c.ended_on)
    rows = tx.execute(select(*columns).select_from(joined).where(mine & overlap)).all()
    terms = [(row.first_day, min(row.last_day, row.ended_on or row.last_day)) for row in rows]
    days = [first, *(start for start, _ in terms if first <= start <= last)]
    busiest: int = max(sum(start <= day <= end for start, end in terms) for day in days)
    return 1 + busiest


def eligible(tx: Tx, today: date, first: date) -> list[str]:
    """Members of staff who, as known today, may follow one more employee from a first day on."""
    return [
        row.staff_id
        for row in tx.execute(select(tutors).order_by(tutors.c.staff_id)).all()
        if all(holds(row, today).values()) and tutored(tx, row.staff_id, first, first) <= AT_ONCE
    ]


def named(tx: Tx, case_id: str | None) -> str | None:
    """Who tutors in a case; None where nobody was named."""
    table = tutorships
    return tx.execute(select(table.c.staff_id).where(table.c.case_id == case_id)).scalar()


def name(tx: Tx, case_id: str, staff_id: str) -> None:
    """Name the tutor of a case, in the place of another; refuses whom the register lacks."""
    if tx.execute(select(tutors).where(tutors.c.staff_id == staff_id)).first() is None:
        raise Refused("Ce tuteur n'est pas au registre.", articles=("C-3a.6",))
    tx.execute(delete(tutorships).where(tutorships.c.case_id == case_id))
    tx.execute(tutorships.insert().values(case_id=case_id, staff_id=staff_id))


def known(tx: Tx, asked: Question) -> tuple[dict[str, datetime], dict[str, int]]:
    """Records and counts about the tutor of a contract that is about to be agreed."""
    staff_id, said = named(tx, asked.case_id), asked.payload
    row = tx.execute(select(tutors).where(tutors.c.staff_id == staff_id)).first()
    if row is None or staff_id is None or not isinstance(said, CommitmentAgreed):
        return {}, {}
    found = {name_: asked.at for name_, held in holds(row, day_of(asked.at)).items() if held}
    case_id = asked.case_id or ""
    return found, {"tutored": tutored(tx, staff_id, said.first_day, said.last_day, case_id)}


def registered(tx: Tx, _core: Core, _case_id: str | None, at: datetime) -> list[tuple[str, str]]:
    """Whom a case may be given as a tutor: the register, and who may follow one more today."""
    fit = set(eligible(tx, day_of(at), day_of(at)))
    known = tx.execute(select(tutors.c.staff_id).order_by(tutors.c.staff_id)).scalars()
    words = {True: "remplit les conditions", False: "ne remplit pas toutes les conditions"}
    return [(one, f"{one} ({words[one in fit]})") for one in known]


def shown(tx: Tx, day: date) -> list[dict[str, Any]]:
    """The register, for the human resources desk alone."""
    fit = set(eligible(tx, day, day))
    return [
        {"staff_id": row.staff_id, **holds(row, day), "eligible": row.staff_id in fit}
        for row in tx.execute(select(tutors).order_by(tutors.c.staff_id)).all()
    ]
