"""A person at their own page: a code handed over by an agent, typed into a browser."""

from __future__ import annotations

import re
from typing import Any

import httpx

from services.chassis.clock import new_id
from services.chassis.person.codes import CodeBody, GivenCode, give
from services.chassis.person.door import cookie_name
from services.chassis.tokens import Agent, Role
from tests.pair import Side

AGENT = Agent("agent-1", Role.REFERENT)
SEE = 303
DOOR = "Votre code"


def handed_over(
    side: Side, person_id: str, holder: str = "young_person", agent: Agent = AGENT, **more: Any
) -> GivenCode:
    """A code of that node, as an agent gives it."""
    body = CodeBody.model_validate({"holder": holder, "means": "in_person", **more})
    core, key, at = side.node.core, side.node.secret.person_code_key, side.clock.now()
    found: GivenCode = side.write(
        lambda tx: give(tx, core, key, person_id, body, new_id(), agent, at)
    )
    return found


class Browser:
    """A browser at a node's pages for persons; it keeps its cookies."""

    def __init__(self, side: Side) -> None:
        self.side = side
        transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://node", headers={"Accept": "text/html"}
        )

    @property
    def cookie(self) -> str | None:
        return self.client.cookies.get(cookie_name(self.side.node))

    async def get(self, path: str = "/person/", **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def post(
        self, path: str, headers: dict[str, str] | None = None, **data: str
    ) -> httpx.Response:
        return await self.client.post(path, data=data, headers=headers)

    async def type(self, code: str) -> httpx.Response:
        return await self.post("/person/code", code=code)

    async def inside(self) -> bool:
        return DOOR not in (await self.get()).text

    async def token(self) -> str:
        """What each form of the page carries."""
        found = re.search(r'name="token" value="([^"]+)"', (await self.get()).text)
        assert found is not None
        return found.group(1)

    async def send(self, path: str, **data: str) -> httpx.Response:
        """Send a form of the page."""
        return await self.post(path, None, token=await self.token(), **data)


async def visiting(
    side: Side, person_id: str, holder: str = "young_person", **more: Any
) -> Browser:
    """A browser in which a code was typed."""
    browser = Browser(side)
    answer = await browser.type(handed_over(side, person_id, holder, **more).code)
    assert answer.status_code == SEE, answer.text
    return browser
