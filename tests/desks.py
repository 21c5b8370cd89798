"""Agents at the pages of the two nodes of a pair: a desk each, signed in as the provider would.

The pages, the API behind them and the databases are the node's own; only the way through the
provider is left out, which has tests of its own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from contracts.kernel.documents import add_signature, kid_of
from contracts.kernel.terms import Party, Terms
from services.chassis.bundle import Bundle
from services.chassis.partner import Partner
from services.chassis.settings import NodeSettings
from services.chassis.sign_in.desk import cookie_name
from services.chassis.tokens import Role
from tests.pair import Pair, Side
from tests.seated import PROVIDER, seat


class DeskPair(Pair):
    """A pair whose nodes have pages."""

    def _start(self, settings: NodeSettings, partner: Partner) -> Side:
        return super()._start(settings.model_copy(update={"sign_in": PROVIDER}), partner)


def desk_pair(folder: Path, **more: Any) -> DeskPair:
    """A school and the city on SQLite."""
    urls = (f"sqlite:///{folder / 'one'}.sqlite", f"sqlite:///{folder / 'other'}.sqlite")
    return DeskPair(folder, urls, **more)


def second_school(pair: DeskPair) -> Side:
    """One more school with which the city signed the same convention; the caller closes it."""
    urls, pair.database_urls = pair.database_urls, None
    school = pair._side("lycee", "s2", pair.partners[0], 0, uai="0999998B")
    pair.database_urls = urls
    sides = (school, pair.city)
    terms = Terms(
        id="a-lycee-ville",
        convention=pair.convention,
        version=1,
        evidence="e" * 64,
        parties=tuple(
            Party(
                org=one.org,
                kind=one.node.core.kind,
                signing_key=kid_of(one.node.keys.signing),
                floor=one.node.settings.floor,
                signatory="signataire",
                decision="délibération fictive",
            )
            for one in sides
        ),
    )
    said, token = {"signed_on": pair.signed_on.isoformat()}, None
    for one in sides:
        token = add_signature(token, terms.to_bytes(), one.org, one.node.keys.signing, said)
    entry = pair._entry(school, 1)
    pair.publish(Bundle(entries=(entry,), terms=(token or "",)))
    return school


@dataclass
class Desk:
    """A browser without scripts at the pages of one node."""

    client: httpx.AsyncClient

    @classmethod
    def at(cls, side: Side, role: Role = Role.REFERENT) -> Self:
        """An agent who has just signed in."""
        transport = httpx.ASGITransport(app=side.app, raise_app_exceptions=False)
        cookies = {cookie_name(PROVIDER): seat(side, role)}
        headers = {"accept": "text/html"}
        return cls(
            httpx.AsyncClient(
                transport=transport, base_url="http://node", cookies=cookies, headers=headers
            )
        )

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path, params=params or None)

    async def send(self, page: httpx.Response, to: str, typed: Mapping[str, Any]) -> httpx.Response:
        """Send a form of a page, with its hidden fields and what was typed."""
        forms = re.findall(r"<form.*?</form>", page.text, re.DOTALL)
        own = [one for one in forms if "action=" not in one.partition(">")[0]]
        named = [one for one in forms if f'action="{to}"' in one]
        form = next(iter(named + own), None)
        assert form is not None, (to, page.text)
        hidden: dict[str, Any] = {}
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
            hidden.setdefault(name, []).append(html.unescape(value))
        return await self.client.post(to, data={**hidden, **typed})


def landed(answer: httpx.Response) -> str:
    """Where an answer leads on to."""
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    where: str = answer.headers["location"]
    return where
