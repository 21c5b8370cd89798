"""Directory of colleagues: whom to call for what, and who answers to which unit (C-6.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import Field
from sqlalchemy import Connection, Table, delete, or_, select

from contracts.conventions.c_employment_city_ccas import messages
from contracts.kernel.checks import Side
from contracts.kernel.errors import InvalidPayload
from contracts.kernel.fields import Instant, Payload, PersonName
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Question
from services.conventions.c_employment_city_ccas.territory_models import (
    antennas,
    referents,
    staff_notices,
)
from services.conventions.c_employment_city_ccas.territory_store import (
    Apply,
    Body,
    Told,
    counted,
)

UNUSED: Final = timedelta(days=30)
"""Time for which it is remembered that a colleague was told, where nothing names them; a proposal,
long enough to publish who was told."""


class StaffNotice(Body):
    """Body of ``POST /staff-notices`` (C-6.2): a colleague knows that the contact is passed on."""

    name: PersonName = Field(title="Nom")
    told_at: Instant = Field(title="Informé le")


def tell_staff(tx: Tx, core: Core, body: StaffNotice, agent_id: str, at: datetime) -> None:
    """Record that a colleague was told. Raises InvalidPayload for an instant to come."""
    if body.told_at > at:
        raise InvalidPayload("Une information ne peut pas être datée du futur.")
    tx.execute(delete(staff_notices).where(staff_notices.c.name == body.name))
    tx.execute(staff_notices.insert().values(agent_id=agent_id, **body.model_dump()))
    core.journal.note(tx, "staff.told", agent_id, at, articles=("C-6.2",))


def facts(tx: Tx, asked: Question) -> Mapping[str, datetime]:
    """Since when all colleagues whom a message names have known of it; unknown where one has not.

    Asked of whoever sends: the colleagues are its own.
    """
    names = _names(asked.payload)
    if asked.side is not Side.SENDER or not names:
        return {}
    table = staff_notices
    query = select(table.c.name, table.c.told_at).where(table.c.name.in_(names))
    told = {row.name: row.told_at for row in tx.execute(query)}
    return {"staff_told": max(told.values())} if names <= told.keys() else {}


def _names(content: object) -> set[str]:
    if isinstance(content, messages.ReferentsPublished):
        return {one.name for one in (content.first, content.second) if one is not None}
    return {content.referent.name} if isinstance(content, messages.AntennaReferents) else set()


def _contact(prefix: str, contact: Payload | None) -> dict[str, Any]:
    if contact is None:
        return {f"{prefix}_{name}": None for name in ("name", "role", "phone", "email")}
    return {f"{prefix}_{name}": value for name, value in contact.model_dump().items()}


def _published(tx: Tx, core: Core, told: Told) -> None:
    """Whoever is published for a task takes the place of who was: the former goes (C-6.1)."""
    content: messages.ReferentsPublished = told.content
    counted(tx, core, told, "referent", content.task)
    key = {"agency": content.agency, "task": content.task}
    row = _contact("first", content.first) | _contact("second", content.second)
    _replace(tx, core, referents, told, key, {"since": content.since, **row})


def _antenna(tx: Tx, core: Core, told: Told) -> None:
    """Of each unit one agency, of each one referent: the former goes (C-3f.1, C-6.1)."""
    content: messages.AntennaReferents = told.content
    counted(tx, core, told, "referent", "antenna")
    row = {"agency": content.agency, "since": content.since}
    row |= _contact("referent", content.referent)
    _replace(tx, core, antennas, told, {"unit": content.unit}, row)


def _replace(
    tx: Tx, core: Core, table: Table, told: Told, key: dict[str, Any], row: dict[str, Any]
) -> None:
    key = {"org": told.sender(core), "partner": told.partner, **key}
    tx.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
    tx.execute(table.insert().values(**key, **row))


APPLY: Final[Mapping[str, Apply]] = {
    "referents.published": _published,
    "antenna_referents.published": _antenna,
}


_SIDES: Final = 2


def pairs(connection: Connection) -> list[dict[str, Any]]:
    """Each unit with its agency as either side published it; agreed once both say the same.

    The text pairs three units with three agencies and leaves open which with which (C-3f.1).
    """
    rows = connection.execute(select(antennas).order_by(antennas.c.unit, antennas.c.org)).all()
    found: dict[tuple[int, str], list[Any]] = {}
    for row in rows:
        found.setdefault((row.unit, row.partner), []).append(row)
    return [
        {
            "unit": unit,
            "agencies": sorted({row.agency for row in both}),
            "agreed": len(both) == _SIDES and len({row.agency for row in both}) == 1,
        }
        for (unit, _), both in found.items()
    ]


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """What is known of a colleague goes once nothing names them any more (C-6.1)."""
    table = staff_notices
    ours = referents.c.org == core.org
    named = (
        select(referents.c.org).where(
            ours
            & or_(referents.c.first_name == table.c.name, referents.c.second_name == table.c.name)
        ),
        select(antennas.c.org).where(
            (antennas.c.org == core.org) & (antennas.c.referent_name == table.c.name)
        ),
    )
    unused = ~named[0].exists() & ~named[1].exists() & (table.c.told_at < at - UNUSED)
    tx.execute(delete(table).where(unused))
