"""One agent of one organisation at a browser: let in, signed in, and accepted the charter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx

from services.chassis.sign_in.relying_party import subject_of
from services.chassis.tokens import Role
from services.federation import agents
from services.federation.layout import Layout
from tests.browser.browsers import Album, Browsers
from tests.browser.filling import AtForms
from tests.browser.looking import Looking

ID: Final = "[0-9a-f]{32}"


class Building(Protocol):
    """The federation in which somebody sits."""

    layout: Layout
    browsers: Browsers
    album: Album
    broken: list[str]
    numbers: dict[str, str]
    looking: Looking | None

    def url(self, org: str) -> str:
        """Address of an organisation's pages."""

    def plain(self, org: str, role: Role | str, agent_id: str) -> httpx.Client:
        """A client of the API alone."""


class Sitting(AtForms):
    """Somebody at a browser, who sits down when first needed."""

    def __init__(
        self, fed: Building, org: str, role: Role, agent_id: str, api: httpx.Client
    ) -> None:
        self.fed = fed
        self.org, self.role, self.agent_id = org, role, agent_id
        self._api = api
        self._page: Any = None

    def at_browser(self, work: Callable[[], httpx.Response]) -> httpx.Response:
        """Do something at the browser. Raises NoPage; LookupError where a page is not as it was."""
        if self._page is None:
            self._authorise()
            self._page = self.fed.browsers.do(self.fed.browsers.page)
        return self.fed.browsers.do(lambda: self._watched(work))

    def _arrived(self) -> None:
        """Look at a page of a kind that nobody in this role has come to yet, as it stands."""
        looking, page = self.fed.looking, self._page
        here = urlsplit(page.url)
        if looking is None or not here.path.startswith("/pages/"):
            return
        said = "refus" if page.locator("main .refusal#refusal, main .faults").count() else ""
        headings = page.locator("main h2").all_inner_texts()
        states = sorted({re.sub(r"\d+", "", one) for one in headings})
        named = f"{self.role.value} {general(here.path)} {said}".strip()
        if (kind := f"{named} {states}") not in looking.seen:
            looking.seen.add(kind)
            try:
                looking.at(page, named, keys=page.locator("[hx-get]").count() == 0)
            except AssertionError as fault:
                self.fed.broken.append(str(fault))

    def _watched(self, work: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            answer = work()
        except (self.fed.browsers.fault, LookupError) as error:
            self.picture("un geste impossible")
            self.fed.broken.append(str(error))
            raise LookupError(str(error)) from error
        if answer.is_error:
            self.picture("un refus")
        return answer

    def picture(self, title: str) -> None:
        """Keep the page as it looks now, in the browser's thread."""
        self.fed.album.take(self._page, f"{self.org} {self.role.value} {title}")

    @property
    def page(self) -> Any:
        """The page before which they sit, for the browser's thread."""
        return self._page

    @property
    def seated(self) -> bool:
        """Whether a browser is open."""
        return self._page is not None

    def leave(self) -> None:
        """Close the browser."""
        if self._page is not None:
            self.fed.browsers.do(self._page.context.close)
            self._page = None

    def see(self, path: str) -> httpx.Response | None:
        """Open a page; what it says, where it is refused."""
        self.go(path)
        return self._refusal()

    def go(self, path: str) -> None:
        """Open a page, through the door if need be."""
        where = self.fed.url(self.org) + path
        self._open(where)
        if "/pages/sign-in" in self._page.url:
            self._sign_in()
            self._open(where)
        if self._page.url.endswith("/pages/charter"):
            self._click('button:has-text("J\'accepte cette charte")', "button")
            self._open(where)

    def _sign_in(self) -> None:
        """Choose the invented person of this role, then this agent of theirs."""
        page = self._page
        with self._leading_on():
            page.click("text=S'identifier")
        with self._leading_on():
            page.click(f"text={agents.NAMES[self.role]}")
        page.wait_for_url(f"{self.fed.url(self.org)}/pages/**", wait_until="domcontentloaded")
        if self.agent_id not in page.locator(".who").all_inner_texts()[0].split(", "):
            self._open(f"{self.fed.url(self.org)}/pages/role")
            with self._leading_on():
                page.locator(f"button:has-text('({self.agent_id})')").first.click()

    def _authorise(self) -> None:
        """Give this agent's id and role to the invented person of that role."""
        with self.fed.plain(self.org, Role.MANAGER, "manager-1") as manager:
            known = manager.get("/api/v1/authorisations").json()
            if not any(
                (one["agent_id"], one["role"]) == (self.agent_id, self.role.value) for one in known
            ):
                url = self.fed.layout.url(agents.PROVIDER)
                body = {
                    "subject": subject_of(url, agents.sub(self.org, self.role)),
                    "agent_id": self.agent_id,
                    "role": self.role.value,
                    "first_day": date(2025, 1, 1).isoformat(),
                }
                manager.post("/api/v1/authorisations", json=body).raise_for_status()

    @contextmanager
    def answering_for(self) -> Iterator[httpx.Client]:
        """The API for whoever answers for the organisation, where this agent may not look."""
        with self.fed.plain(self.org, Role.MANAGER, "manager-1") as manager:
            yield manager


def general(path: str) -> str:
    """A path of the API without the numbers and names in it."""
    return re.sub(r"/conventions/[^/]+", "/conventions/…", re.sub(ID, "…", path))
