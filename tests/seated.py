"""An agent at the pages of a node that a test serves by itself, without a sign-in provider."""

from __future__ import annotations

from datetime import timedelta

from contracts.kernel.paris import day_of
from services.chassis import sign_in_tables
from services.chassis.clock import new_id
from services.chassis.settings import SignInSettings
from services.chassis.sign_in import sessions
from services.chassis.sign_in.authorisations import Authorisation, authorise
from services.chassis.sign_in.relying_party import SignedIn
from services.chassis.tokens import Role
from tests.pair import Side

PROVIDER = SignInSettings(
    issuer="http://provider.example",
    client_id="node",
    client_secret="not-used-by-any-of-these-tests",  # noqa: S106 -- of a provider that nobody asks
    public_url="http://node",
)


def opened(side: Side) -> Side:
    """A node whose pages are there; asked for before its application is made."""
    side.node.settings = side.node.settings.model_copy(update={"sign_in": PROVIDER})
    return side


def seat(side: Side, role: Role, agent_id: str = "") -> str:
    """Sign an agent in who accepted the charter; returns the cookie of its session.

    Authorised since long ago, so that a test may go back in time.
    """
    core, at, given_id = side.node.core, side.clock.now(), new_id()
    agent_id = agent_id or f"{role.value}-1"
    given = Authorisation(
        subject=new_id() * 2,
        agent_id=agent_id,
        role=role,
        first_day=day_of(at) - timedelta(days=365),
    )
    side.charter(agent_id)
    side.write(lambda tx: authorise(tx, core, given, given_id, "manager-1", at))
    table = sign_in_tables.authorisations
    (row,) = side.rows(table, table.c.authorisation_id == given_id)
    who = SignedIn(given.subject, ("pwd",), "x.y.z")
    cookie: str = side.write(lambda tx: sessions.begin(tx, core, who, row, at))
    return cookie
