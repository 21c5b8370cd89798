"""A federation whose agents act from their pages alone: what a story posts, a browser types.

A story is written against the API. Here each of its POSTs is done as a person would: the page that
offers it is opened by its link, its form filled and sent, and what the page then says is the
answer. What no page offers falls through to the API and is kept in `fallen`, so that a test can say
that nothing but what is meant to did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from services.chassis.tokens import Role
from services.federation import agents
from services.federation.config import FederationFile
from services.federation.federation import Federation
from services.federation.layout import Layout
from services.federation.telling import Teller
from tests.browser.acting import PageDesk
from tests.browser.browsers import Album, Browsers
from tests.browser.filling import NoPage
from tests.browser.looking import Looking
from tests.browser.sitting import general


class PagedFederation(Federation):
    """The same federation; whoever its clients act for sits at a browser.

    fallen: what no page offered, and which link or field was not there. done: what pages did.
    broken: what a browser said of a page that was not as expected. numbers: those that a story
    gave, and those that a page gave in their place. looking: what looks at each kind of page that
    somebody comes to, where something does.
    """

    def __init__(
        self, layout: Layout, browsers: Browsers, album: Album, looking: Looking | None = None
    ) -> None:
        super().__init__(layout)
        self.browsers = browsers
        self.album = album
        self.fallen: set[str] = set()
        self.done: list[str] = []
        self.broken: list[str] = []
        self.numbers: dict[str, str] = {}
        self.looking = looking
        self.last: PageDesk | None = None

    def client(
        self, org: str, role: Role | str = Role.AGENT, agent_id: str = "agent-1"
    ) -> httpx.Client:
        """A client that reads through the API, and acts from pages."""
        made = super().client(org, role, agent_id)
        if Role(role) not in agents.NAMES:
            return made
        desk = PageDesk(self, org, Role(role), agent_id, made)
        return httpx.Client(
            base_url=made.base_url,
            headers=made.headers,
            timeout=made.timeout,
            transport=_Transport(self, desk, made),
        )

    def plain(self, org: str, role: Role | str, agent_id: str) -> httpx.Client:
        """A client of the API alone."""
        return Federation.client(self, org, role, agent_id)

    def picture(self, title: str) -> None:
        """Keep the page on which something was done last."""
        if self.last is not None and self.last.seated:
            desk, self.last = self.last, None
            self.browsers.do(lambda: desk.picture(title))


class _Transport(httpx.BaseTransport):
    """Sends what acts to a page, and what reads to the API."""

    def __init__(self, fed: PagedFederation, desk: PageDesk, api: httpx.Client) -> None:
        self._fed, self._desk, self._api = fed, desk, api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        if request.method == "POST":
            path = request.url.path.removeprefix("/api/v1")
            content = json.loads(self._as_given(request.content) or b"{}")
            said = f"{general(path)} {content.get('type', '')}".strip()
            try:
                answer = self._desk.act(path, content)
            except NoPage as missing:
                self._fed.fallen.add(f"{said}, no {missing}")
            else:
                self._fed.done.append(said)
                self._fed.last = self._desk
                return answer
        answer = self._api.send(request)
        content = answer.read()
        for told, given in self._fed.numbers.items():
            content = content.replace(given.encode(), told.encode())
        kind = answer.headers.get("content-type", "")
        return httpx.Response(answer.status_code, headers={"content-type": kind}, content=content)

    def _as_given(self, content: bytes) -> bytes:
        """The same with the numbers that pages gave."""
        for told, given in self._fed.numbers.items():
            content = content.replace(told.encode(), given.encode())
        return content

    def close(self) -> None:
        """Leave both."""
        self._desk.leave()
        self._api.close()


class Photographing(Teller):
    """Tells a story and keeps, of each step, the page on which it ended."""

    def __init__(self, fed: PagedFederation) -> None:
        super().__init__(None)
        self._fed = fed

    def step(self, title: str) -> None:
        """Begin a step."""
        self.end()
        super().step(title)

    def check(self, holds: bool, sentence: str, *articles: str, code: str = "") -> None:  # noqa: FBT001 -- as told
        """Say what was expected; what is not so is looked at where it happened."""
        super().check(holds, sentence, *articles, code=code)
        if not holds:
            self._fed.picture(f"{len(self.steps)} autrement que prévu")

    def end(self) -> None:
        """Keep the page of the step that ends."""
        if self.steps:
            self._fed.picture(f"{len(self.steps)} {self.steps[-1].title}")


@contextmanager
def paged(
    home: Path,
    config: Path | FederationFile,
    browsers: Browsers,
    album: Album,
    database_base_url: str | None = None,
    looking: Looking | None = None,
) -> Iterator[PagedFederation]:
    """A federation created in a folder, run, its agents authorised."""
    made = Federation.create(home, config, database_base_url)
    made.start()
    try:
        made.authorise_agents()
        yield PagedFederation(made.layout, browsers, album, looking)
    finally:
        made.stop()
