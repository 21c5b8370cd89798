"""An agent at the pages of a node that a test serves by itself, without a sign-in provider."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.settings import SignInSettings
from services.chassis.sign_in import sessions
from services.chassis.sign_in.authorisations import Authorisation, authorise
from services.chassis.sign_in.relying_party import SignedIn
from services.chassis.tokens import Role
from tests.pair import Side


def with_pages(side: Side) -> None:
    """Let a node have pages for agents; nobody goes to its provider."""
    settings = SignInSettings(
        issuer="http://127.0.0.1:1",
        client_id="node",
        client_secret="s" * 32,
        public_url="http://127.0.0.1:2",
    )
    side.node.settings = side.node.settings.model_copy(update={"sign_in": settings})


def seated(side: Side, role: Role) -> dict[str, Any]:
    """The cookie of an agent who has signed in in a role, and accepted the charter."""
    agent, subject, at = f"{role.value}-1", "0" * 64, side.clock.now()
    given, core = new_id(), side.node.core
    body = Authorisation.model_validate_json(
        f'{{"subject": "{subject}", "agent_id": "{agent}", "role": "{role.value}", '
        f'"first_day": "{date(2026, 1, 1)}"}}'
    )
    side.charter(agent)
    side.write(lambda tx: authorise(tx, core, body, given, "cheffe-1", at))
    signed_in = SignedIn(subject=subject, amr=(), id_token="x")  # noqa: S106 -- no provider reads it

    def begin(tx: Any) -> str:
        table = tables.authorisations
        row = tx.execute(select(table).where(table.c.authorisation_id == given)).one()
        return sessions.begin(tx, core, signed_in, row, at)

    return {"name": "relais", "value": side.write(begin)}
