"""What an agent chooses among where a field takes a number that nobody knows by heart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from services.chassis import sign_in_tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.forms import Option
from services.chassis.pages.rendering import ROLES
from services.chassis.partner import ANEW
from services.chassis.sign_in.authorisations import valid
from services.chassis.tokens import Role


def choices(
    tx: Tx, core: Core, code: str, name: str, case_id: str | None, at: datetime
) -> dict[str, list[Option]]:
    """By field, of a message or an act. code: of its instrument. name: its type, or the act's."""
    choosers = core.partner.side(code).choices
    return {
        field: [Option(code=one, word=word) for one, word in choose(tx, core, case_id, at)]
        for (about, field), choose in choosers.items()
        if about == name
    }


def agents(tx: Tx, at: datetime) -> list[Option]:
    """Whom a form offers where it asks for an agent: who may sign in here now, and in which role.

    Their names are the provider's alone; what this organisation knows them by is this.
    """
    table = sign_in_tables.authorisations
    query = select(table.c.agent_id, table.c.role).where(valid(at)).distinct()
    roles: dict[str, list[str]] = {}
    for row in tx.execute(query.order_by(table.c.agent_id, table.c.role)):
        roles.setdefault(row.agent_id, []).append(ROLES[Role(row.role)])
    return [Option(code=one, word=f"{one} ({', '.join(held)})") for one, held in roles.items()]


def numbered(core: Core, content: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with a number of its own for what was chosen as new."""
    return {name: core.new_id() if one == ANEW else one for name, one in content.items()}
