"""Holds: what a dispute needs is not destroyed until it is settled (A-12.1; GDPR art. 17.3 e).

A hold keeps all cases of a convention, or one of them, with their proof. It opens nothing: no
message passes because of it, and a withdrawal stops everything at once as ever. Destruction alone
waits, and is made up for at the next round of retention after the release.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, Row, Select, exists, or_, select, update

from contracts.kernel.errors import RelaisError, UnknownName
from services.chassis import convention_tables, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, again, arm
from services.chassis.governance import own_convention
from services.chassis.standing import ERASED

PLACED, RELEASED = "hold.placed", "hold.released"
"""Events of the journal."""

_DAY: Final = timedelta(days=1)


class OnHold(RelaisError):
    """The case is kept for a dispute; nothing was destroyed."""

    code = "on_hold"
    status = 409


class Hold(BaseModel):
    """Body of ``POST /conventions/{id}/holds``: why, and for which case if not for all.

    ground: an amicable settlement is under way, or a court has the matter. Never what about.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ground: Literal["amicable", "court"]
    case_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


def place_hold(
    tx: Tx, core: Core, convention_id: str, hold: Hold, hold_id: str, agent_id: str, at: datetime
) -> None:
    """Keep what a dispute needs. Raises UnknownName for a convention or a case."""
    article = own_convention(core, convention_id).convention.dispute_article
    if hold.case_id is not None:
        case = tx.get(standing.CASES, hold.case_id)
        if case is None or case.instrument != convention_id or case.state == ERASED:
            raise UnknownName("Ce dossier n'est pas, ou plus, connu ici.", code="unknown_case")
    tx.insert(
        convention_tables.holds,
        {
            "hold_id": hold_id,
            "convention_id": convention_id,
            "case_id": hold.case_id,
            "ground": hold.ground,
            "placed_at": at,
            "released_at": None,
            "agent_id": agent_id,
        },
    )
    core.journal.note(tx, PLACED, agent_id, at, articles=(article,))


def release_hold(
    tx: Tx, core: Core, convention_id: str, hold_id: str, agent_id: str, at: datetime
) -> None:
    """The dispute is settled: retention runs again. Raises UnknownName; twice is once."""
    article = own_convention(core, convention_id).convention.dispute_article
    holds = convention_tables.holds
    this = (holds.c.hold_id == hold_id) & (holds.c.convention_id == convention_id)
    row = tx.execute(select(holds.c.released_at).where(this)).first()
    if row is None:
        raise UnknownName("Aucune conservation ne porte ce numéro.", code="unknown_hold")
    if row.released_at is None:
        tx.execute(update(holds).where(this).values(released_at=at))
        core.journal.note(tx, RELEASED, agent_id, at, articles=(article,))


def holds_of(connection: Connection, convention_id: str) -> list[dict[str, Any]]:
    """Holds of a convention, those released included, oldest first."""
    holds = convention_tables.holds
    rows = connection.execute(
        select(holds).where(holds.c.convention_id == convention_id).order_by(holds.c.placed_at)
    )
    return [
        {
            "hold_id": row.hold_id,
            "case_id": row.case_id,
            "ground": row.ground,
            "placed_at": row.placed_at.isoformat(),
            "released_at": None if row.released_at is None else row.released_at.isoformat(),
        }
        for row in rows
    ]


def kept_under(tx: Tx, core: Core, case: Row[Any]) -> str | None:
    """Article under which a case is on hold; None where nothing keeps it."""
    cases = tables.cases
    mine = select(cases.c.case_id).where((cases.c.case_id == case.case_id) & on_hold())
    if tx.execute(mine).first() is None:
        return None
    return own_convention(core, case.instrument).convention.dispute_article


def put_off(tx: Tx, core: Core, due: Due, case_id: str, at: datetime) -> bool:
    """Where a dispute keeps a case, look again a day later; whether one does (A-12.1).

    For what is destroyed of a case before the rest of it.
    """
    case = tx.get(standing.CASES, case_id)
    if case is None or kept_under(tx, core, case) is None:
        return False
    arm(tx, core, again(due, _DAY, at), at)
    return True


def held_cases() -> Select[Any]:
    """Subquery: ids of the cases on hold."""
    return select(tables.cases.c.case_id).where(on_hold())


def held_references() -> Select[Any]:
    """Subquery: references of the agreements that cases on hold rest on."""
    cases = tables.cases
    return select(cases.c.reference).where(on_hold() & cases.c.reference.is_not(None))


def any_hold() -> ColumnElement[bool]:
    """Condition: something is on hold here."""
    return exists().where(convention_tables.holds.c.released_at.is_(None))


def wholly_held(convention_id: str) -> ColumnElement[bool]:
    """Condition: a dispute keeps all of a convention."""
    holds = convention_tables.holds
    running = holds.c.released_at.is_(None) & holds.c.case_id.is_(None)
    return exists().where(running & (holds.c.convention_id == convention_id))


def on_hold() -> ColumnElement[bool]:
    """Condition on a row of the cases: a dispute keeps it."""
    cases, holds = tables.cases, convention_tables.holds
    named = or_(holds.c.case_id.is_(None), holds.c.case_id == cases.c.case_id)
    return exists().where(
        (holds.c.convention_id == cases.c.instrument) & holds.c.released_at.is_(None) & named
    )
