"""Reports of a year in tests: numbers put where messages would put them, then counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import httpx

from contracts.kernel.suppression import Audience
from services.chassis import tables
from services.chassis.publishing import counted_report, publish, year_of
from services.chassis.tokens import Role
from tests.pair import CONVENTION, Side

Numbers = Mapping[tuple[str, str], int]
"""How often something happened, by what and code."""


def happened(side: Side, month: date, numbers: Numbers) -> None:
    """Count as if messages had told it in a month, beside what they told before."""
    rows = [
        {
            "convention_id": CONVENTION,
            "month": month,
            "what": what,
            "code": code,
            "number": number,
        }
        for (what, code), number in numbers.items()
    ]
    side.write(lambda tx: tx.execute(tables.tallies.insert(), rows))


def counting(side: Side, year: int, audience: Audience = Audience.PARTIES) -> dict[str, Any]:
    """What a year's report would say now, published or not."""
    core, at = side.node.core, side.clock.now()
    signed = core.directory.conventions[CONVENTION]
    period = year_of(signed, year, at)
    return side.node.database.read_now(
        lambda c: counted_report(c, core, signed, period, audience, at)
    )


def published(side: Side, year: int) -> dict[str, Any]:
    """Publish a year, and return the parties' report."""
    core, at = side.node.core, side.clock.now()
    found: dict[str, Any] = side.write(
        lambda tx: publish(tx, core, CONVENTION, year, "agent-1", at)
    )
    return found


def numbers(report: Mapping[str, Any], what: str) -> dict[str, int | None]:
    """The numbers of one indicator, by code, and their total."""
    (table,) = [one for one in report["tables"] if one["what"] == what]
    cells = {one["code"]: one["number"] for one in table["cells"]}
    return {**cells, "total": table["total"]}


async def ask(
    side: Side, path: str, role: Role | str | None = Role.AGENT, method: str = "GET", **content: Any
) -> httpx.Response:
    """One call of a node's HTTP, in a role or without a token, as a browser would make it."""
    headers = {"Accept": "text/html,*/*;q=0.8"}
    if role is not None:
        token = side.node.tokens.make("agent-1", Role(role), side.clock.now(), timedelta(hours=1))
        headers["Authorization"] = f"Bearer {token}"
    headers |= content.pop("headers", {})
    transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        return await client.request(method, path, headers=headers, **content)
