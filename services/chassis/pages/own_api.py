"""The node's own API as its pages use it: what a page does is refused and journaled as any call.

A page never acts by itself: it hands what a form says to the API, under a token of the agent who
sits there, good for that one call. So nothing can be done from a page that the API refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from starlette.types import ASGIApp

from services.chassis.node import Node
from services.chassis.tokens import Agent

_LIFETIME: Final = timedelta(minutes=1)
_KEY: Final = re.compile(r"[0-9a-f]{32}")
"""A key as pages write one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: its status, and its JSON (a problem of RFC 9457 where it refused)."""

    status: int
    content: Any

    @property
    def done(self) -> bool:
        """Whether it did what it was asked."""
        return self.status < 400  # noqa: PLR2004 -- HTTP's refusals begin there


class OwnApi:
    """Calls the API of the node it is in. app: the node's application."""

    def __init__(self, node: Node, app: ASGIApp) -> None:
        self._node = node
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://here")

    async def call(
        self,
        agent: Agent,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer:
        """One call as an agent. path: under ``/api/v1``. key: of a form, so that it counts once.

        A key that no page wrote counts for none.
        """
        at = self._node.clock.now()
        token = self._node.tokens.make(agent.agent_id, agent.role, at, _LIFETIME)
        headers = {"Authorization": f"Bearer {token}"}
        if key is not None and _KEY.fullmatch(key):
            headers["Idempotency-Key"] = key
        answer = await self._client.request(method, f"/api/v1{path}", json=body, headers=headers)
        return Answer(answer.status_code, answer.json() if answer.content else None)
