"""Contents of which nothing is written here (C-5.1), while somebody looks: in memory, for minutes.

A request's key and what it opens live here and nowhere else; a restart forgets them, and whoever
needs to see asks again. With several processes of one node, the one that was asked must be the one
that answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

SHOWN_FOR: Final = timedelta(minutes=10)
"""How long a request and its answer live, in transit and in memory; a proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """One request of one agent to see one content.

    key: opens the answer. answered: the sender has decided. content: what it showed; None where it
    did not.
    """

    request_id: str
    message_id: str
    agent_id: str
    partner: str
    until: datetime
    key: X25519PrivateKey = field(repr=False)
    answered: bool = False
    content: Mapping[str, Any] | None = field(default=None, repr=False)


class Memory:
    """The glimpses of one node; the latest of an agent on a message counts."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Glimpse] = {}

    def __len__(self) -> int:
        """How many requests are remembered."""
        return len(self._known)

    def ask(self, glimpse: Glimpse) -> None:
        """Remember a request, in the place of a former one of the same agent."""
        self._known[glimpse.message_id, glimpse.agent_id] = glimpse

    def waiting(self, request_id: str, partner: str) -> Glimpse | None:
        """The request that a partner answers, if it still waits."""
        for one in list(self._known.values()):
            if (one.request_id, one.partner, one.answered) == (request_id, partner, False):
                return one
        return None

    def answer(self, glimpse: Glimpse, content: Mapping[str, Any] | None) -> None:
        """Put what the sender showed, or that it did not, where the agent looks."""
        if self._known.get((glimpse.message_id, glimpse.agent_id)) == glimpse:
            self.ask(replace(glimpse, answered=True, content=content))

    def look(self, message_id: str, agent_id: str, at: datetime) -> Glimpse | None:
        """What an agent may see at an instant; None where nothing was asked, or it is over."""
        self.forget(at)
        return self._known.get((message_id, agent_id))

    def forget(self, at: datetime) -> None:
        """Drop whatever is over."""
        for key, one in list(self._known.items()):
            if one.until <= at:
                self._known.pop(key, None)
