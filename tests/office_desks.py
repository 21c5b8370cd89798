"""Agents at the pages of a node of a pair, signed in without a provider: a cookie for each role."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select

from contracts.kernel.paris import day_of
from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.register import accept_charter
from services.chassis.settings import SignInSettings
from services.chassis.sign_in import sessions
from services.chassis.sign_in.authorisations import Authorisation, authorise
from services.chassis.sign_in.desk import FORM_TOKEN
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
    """Sign an agent in who accepted the charter; returns the cookie of its session."""
    core, at, given_id = side.node.core, side.clock.now(), new_id()
    agent_id = agent_id or f"{role.value}-1"
    given = Authorisation(
        subject=new_id() * 2,
        agent_id=agent_id,
        role=role,
        first_day=day_of(at) - timedelta(days=1),
    )
    side.write(lambda tx: authorise(tx, core, given, given_id, "manager-1", at))
    table = tables.authorisations
    (row,) = side.rows(table, table.c.authorisation_id == given_id)
    who = SignedIn(given.subject, ("pwd",), "x.y.z")
    side.write(lambda tx: accept_charter(tx, core, agent_id, core.policy.charter, at))
    cookie: str = side.write(lambda tx: sessions.begin(tx, core, who, row, at))
    return cookie


@asynccontextmanager
async def desk(side: Side, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody sits in a role."""
    transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://node",
        headers={"accept": "text/html"},
        cookies={"relais": seat(side, role)},
    ) as client:
        yield client


def form_in(page: httpx.Response, action: str) -> dict[str, str]:
    """Hidden fields of the form of a page that leads to an address."""
    found = re.search(
        rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page.text, re.DOTALL
    )
    assert found is not None, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found.group(1))
    assert FORM_TOKEN in dict(hidden)
    return dict(hidden)


async def fill(client: httpx.AsyncClient, where: str, action: str, **values: str) -> httpx.Response:
    """Open a page, fill one of its forms and send it."""
    page = await client.get(where)
    sent: Mapping[str, Any] = {**form_in(page, action), **values}
    return await client.post(action, data=sent)


def count(side: Side, table: Any) -> int:
    """Rows of a table."""
    return len(side.node.database.read_now(lambda c: list(c.execute(select(table)))))
