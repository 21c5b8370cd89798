"""After a restoration: what was erased since the backup is erased again (GDPR art. 17).

The keys go first, by the list beside both databases; then whatever rows they sealed, by the key
store's own tombstones. Nothing of it can be read in between: its key is gone. Partners are told
again of a person's erasure, since a restored database does not know that they were.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Database, Tx
from services.chassis.erasure import erase_case, erase_person
from services.chassis.scopes import case_scope, person_scope
from services.chassis.standing import ERASED

_log = logging.getLogger("relais.restored")


async def forget_again(database: Database, core: Core, at: datetime) -> int:
    """Erase the cases and persons whose key is destroyed; returns how many had come back.

    Each goes by itself; one that fails is logged, and tried again at the next start.
    """
    cases, persons = await database.read(partial(_come_back, core))
    units = [partial(_case, core=core, case_id=one, at=at) for one in cases]
    units += [partial(_person, core=core, person_id=one, at=at) for one in persons]
    for unit in units:
        try:
            await database.write(unit)
        except Exception as error:  # noqa: BLE001 -- the others must be forgotten too
            _log.error("not_forgotten_again: %s", type(error).__name__)
    return len(units)


def _come_back(core: Core, connection: Connection) -> tuple[list[str], list[str]]:
    cases, persons = tables.cases, tables.persons
    alive = select(cases.c.case_id).where(cases.c.state != ERASED)
    open_ = {case_scope(one): one for one in connection.execute(alive).scalars()}
    own = {
        person_scope(one): one for one in connection.execute(select(persons.c.person_id)).scalars()
    }
    gone = core.keystore.destroyed_among([*open_, *own])
    return (
        [one for scope, one in open_.items() if scope in gone],
        [one for scope, one in own.items() if scope in gone],
    )


def _case(tx: Tx, *, core: Core, case_id: str, at: datetime) -> None:
    erase_case(tx, core, case_id, core.new_id(), at)


def _person(tx: Tx, *, core: Core, person_id: str, at: datetime) -> None:
    erase_person(tx, core, person_id, at)
