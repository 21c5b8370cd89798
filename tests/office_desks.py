"""Agents at the pages of a node of a pair, signed in without a provider: a cookie for each role."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import select

from services.chassis.sign_in.desk import FORM_TOKEN
from services.chassis.tokens import Role
from tests.pair import Side
from tests.seated import seat


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
