"""A federation whose agents act from their pages alone: what a story posts, a browser types.

A story is written against the API. Here each of its POSTs is done as a person would: the page that
offers it is opened by its link, its form filled and sent, and what the page then says is the
answer. What no page offers falls through to the API and is kept in `fallen`, so that a test can say
that nothing but what is meant to did.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx

from services.chassis.sign_in.relying_party import subject_of
from services.chassis.tokens import Role
from services.federation import agents
from services.federation.federation import Federation
from services.federation.layout import Layout
from tests.browser.browsers import Browsers
from tests.browser.filling import AtForms, NoPage

_ID: Final = "[0-9a-f]{32}"


class PagedFederation(Federation):
    """The same federation; whoever its clients act for sits at a browser."""

    def __init__(self, layout: Layout, browsers: Browsers) -> None:
        super().__init__(layout)
        self.browsers = browsers
        self.fallen: list[str] = []
        self.done: list[str] = []

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
            transport=_Transport(desk, made),
        )

    def plain(self, org: str, role: Role | str, agent_id: str) -> httpx.Client:
        """A client of the API alone."""
        return Federation.client(self, org, role, agent_id)


class _Transport(httpx.BaseTransport):
    """Sends what acts to a page, and what reads to the API."""

    def __init__(self, desk: PageDesk, api: httpx.Client) -> None:
        self._desk = desk
        self._api = api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        request.read()
        if request.method == "POST":
            path = request.url.path.removeprefix("/api/v1")
            content = json.loads(request.content) if request.content else {}
            try:
                answer = self._desk.act(path, content)
            except NoPage as missing:
                self._desk.fed.fallen.append(f"{re.sub(_ID, '…', path)} ({missing})")
            else:
                self._desk.fed.done.append(re.sub(_ID, "…", path))
                return answer
        answer = self._api.send(request)
        answer.read()
        return httpx.Response(
            answer.status_code,
            headers={"content-type": answer.headers.get("content-type", "")},
            content=answer.content,
        )

    def close(self) -> None:
        """Leave both."""
        self._desk.leave()
        self._api.close()


class PageDesk(AtForms):
    """One agent of one organisation at a browser."""

    def __init__(
        self, fed: PagedFederation, org: str, role: Role, agent_id: str, api: httpx.Client
    ) -> None:
        self.fed = fed
        self.org, self.role, self.agent_id = org, role, agent_id
        self._api = api
        self._page: Any = None

    # -- at the door -----------------------------------------------------------------------------

    def leave(self) -> None:
        """Close the browser."""
        if self._page is not None:
            self.fed.browsers.do(self._page.context.close)
            self._page = None

    def _see(self, path: str) -> httpx.Response | None:
        """Open a page; what it says, where it is refused."""
        self._go(path)
        return self._refusal()

    def _go(self, path: str) -> None:
        """Open a page, through the door if need be."""
        page = self._page
        page.goto(self.fed.url(self.org) + path)
        if "/pages/sign-in" in page.url:
            self._sign_in()
            page.goto(self.fed.url(self.org) + path)

    def _sign_in(self) -> None:
        page = self._page
        page.click("text=S'identifier")
        page.click(f"text={agents.NAMES[self.role]}")
        page.wait_for_url(f"{self.fed.url(self.org)}/pages/**")
        page.goto(self.fed.url(self.org) + "/pages/role")
        mine = page.locator(f"button:has-text('({self.agent_id})')")
        mine.first.click()
        page.wait_for_load_state()
        if page.url.endswith("/pages/charter"):
            page.click("text=J'accepte cette charte")
            page.wait_for_load_state()

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

    # -- what it does ----------------------------------------------------------------------------

    def act(self, path: str, content: dict[str, Any]) -> httpx.Response:
        """Do from a page what a POST asks. Raises NoPage."""
        if self._page is None:
            self._authorise()
            self._page = self.fed.browsers.do(self.fed.browsers.page)
        return self.fed.browsers.do(lambda: self._act(path, content))

    def _act(self, path: str, content: dict[str, Any]) -> httpx.Response:
        for pattern, done in _ACTS:
            found = re.fullmatch(pattern, path)
            if found is not None:
                answer: httpx.Response = done(self, content, *found.groups())
                return answer
        return self._procedure(path, content)

    def accept_charter(self, content: dict[str, Any]) -> httpx.Response:
        """Sign in; the charter comes before anything else."""
        self._go("/pages/today")
        return httpx.Response(201, json=content)

    def send(self, content: dict[str, Any]) -> httpx.Response:
        """Send a message from the page of its case, or from what an agreement opens."""
        type_, to = content["type"], content["to"]
        if case_id := content.get("case_id"):
            if refused := self._see(f"/pages/situations/{case_id}"):
                return refused
            here = f"/pages/situations/{case_id}/send/{type_}"
        else:
            given = {"agreement": content.get("agreement_id"), "notice": content.get("notice_id")}
            query = "&".join(f"{name}={value}" for name, value in given.items() if value)
            self._go("/pages/situations/new" + (f"?{query}" if query else ""))
            here = f"/pages/situations/new/{to}/"
            link = f"a[href^='{here}'][href*='/{type_}']"
            if self._page.locator(link).count() == 0:
                raise NoPage(type_)
            here = self._page.locator(link).first.get_attribute("href")
        self._follow(here)
        extra = (
            {"without_agreement": content["derogation_id"]} if "derogation_id" in content else {}
        )
        before = self._latest(type_)
        refused = self._submit({**content["data"], **extra})
        if refused is not None:
            return refused
        sent = self._latest(type_)
        assert sent is not None
        assert sent != before
        told = {"message_id": sent["message_id"], "state": "queued", "case_id": sent["case_id"]}
        return httpx.Response(202, json=told)

    def _latest(self, type_: str) -> dict[str, Any] | None:
        found = self._api.get("/api/v1/messages", params={"type": type_, "limit": 1}).json()
        return found[0] if found else None

    def register(self, content: dict[str, Any]) -> httpx.Response:
        """Register a person; who resembles is somebody else, since stories register anew."""
        self._go("/pages/agreements")
        self._follow("/pages/people/new")
        named = dict(zip(("first", "second"), content.get("representatives", ()), strict=False))
        refused = self._submit({"identity": content["identity"], **named})
        if refused is not None:
            return refused
        other = self._page.locator("form[action='/pages/people/new'] button:not([name])")
        if other.count():
            with self._page.expect_navigation():
                other.first.click()
        return httpx.Response(201, json={"person_id": self._page.url.rpartition("/")[2]})

    def agree(self, content: dict[str, Any]) -> httpx.Response:
        """Record an agreement or a refusal from the person's page."""
        person_id = content["person_id"]
        self._go(f"/pages/people/{person_id}")
        self._follow(f"/pages/people/{person_id}/agreement")
        offered = self._page.locator("form.asking [name='to']")
        if offered.count():
            for org in content["recipients"]:
                self._type("to", org)
            with self._page.expect_navigation():
                self._page.locator("form.asking button[type=submit]").click()
        left = {"person_id", "recipients"}
        fields = {name: value for name, value in content.items() if name not in left}
        refused = self._submit(fields)
        if refused is not None:
            return refused
        return httpx.Response(201, json={"agreement_id": self._page.url.rpartition("/")[2]})

    def withdraw(self, _content: dict[str, Any], agreement_id: str) -> httpx.Response:
        """Withdraw an agreement from its page, in two steps."""
        self._go(f"/pages/agreements/{agreement_id}")
        self._follow(f"/pages/agreements/{agreement_id}/withdrawal")
        with self._page.expect_navigation():
            self._page.locator("form[action$='/withdrawal'] button").click()
        held = self._api.get(f"/api/v1/agreements/{agreement_id}").json()
        told = [one["org"] for one in held["withdrawal"]]
        return self._refusal() or httpx.Response(200, json={"told": told})

    def say(self, content: dict[str, Any], agreement_id: str, word: str) -> httpx.Response:
        """Hear the young person, object, or answer an objection, from the agreement's page."""
        self._go(f"/pages/agreements/{agreement_id}")
        self._follow(f"/pages/agreements/{agreement_id}/{word.replace('/', '-')}")
        return self._submit(content) or httpx.Response(200, json={})

    def record_act(self, content: dict[str, Any], case_id: str, act: str) -> httpx.Response:
        """Record an act from the page of its case."""
        if refused := self._see(f"/pages/situations/{case_id}"):
            return refused
        self._follow(f"/pages/situations/{case_id}/acts/{act}")
        done = {"act": act, "case_id": case_id}
        return self._submit(content) or httpx.Response(201, json=done)

    def erase(self, _content: dict[str, Any], case_id: str) -> httpx.Response:
        """Have a case erased from its page."""
        self._go(f"/pages/situations/{case_id}")
        self._follow(f"/pages/situations/{case_id}/erasure")
        return self._submit({}) or httpx.Response(202, json={})

    def read(self, _content: dict[str, Any], message_id: str) -> httpx.Response:
        """Say that an alert was read, from the page of its case."""
        return self._press(f"reading/{message_id}", message_id)

    def look(self, _content: dict[str, Any], message_id: str) -> httpx.Response:
        """Ask to see again what is kept nowhere here."""
        return self._press(f"view/{message_id}", message_id, 202)

    def _press(self, action: str, message_id: str, status: int = 201) -> httpx.Response:
        arrivals = self._api.get("/api/v1/arrivals").json()
        case = next((one["case_id"] for one in arrivals if one["message_id"] == message_id), None)
        if case is None:
            raise NoPage(action)
        self._go(f"/pages/situations/{case}")
        button = self._page.locator(f"form[action$='{action}'] button")
        if button.count() == 0:
            raise NoPage(action)
        with self._page.expect_navigation():
            button.click()
        return self._refusal() or httpx.Response(status, json={"message_id": message_id})

    def ask_without(self, content: dict[str, Any]) -> httpx.Response:
        """Ask to send without agreement, from the page of the case."""
        case_id, type_ = content["case_id"], content["type"]
        self._go(f"/pages/situations/{case_id}")
        self._follow(f"/pages/situations/{case_id}/without-agreement/{type_}")
        fields = {
            name: value for name, value in content.items() if name not in {"case_id", "type", "to"}
        }
        refused = self._submit(fields)
        if refused is not None:
            return refused
        with self.fed.plain(self.org, Role.MANAGER, "manager-1") as manager:
            newest = manager.get("/api/v1/derogations").json()[0]
        return httpx.Response(201, json={"derogation_id": newest["derogation_id"]})

    def step_without(self, content: dict[str, Any], number: str, step: str) -> httpx.Response:
        """Confirm, tell or review a decision to act without agreement."""
        self._go("/pages/without-agreement")
        if step == "confirmation":
            button = self._page.locator(f"form[action$='{number}/confirmation'] button")
            if button.count() == 0:
                raise NoPage(step)
            with self._page.expect_navigation():
                button.click()
            return self._refusal() or httpx.Response(200, json={})
        self._follow(f"/pages/without-agreement/{number}/{step}")
        return self._submit(content) or httpx.Response(200, json={})

    def _procedure(self, path: str, content: dict[str, Any]) -> httpx.Response:
        """What a convention asks to record beside cases, by its link among the procedures."""
        parts = [part for part in path.split("/") if part and not re.fullmatch(_ID, part)]
        self._go("/pages/procedures")
        links = self._page.locator(f"a[href$='-post-{'-'.join(parts)}']")
        if links.count() == 0:
            raise NoPage(path)
        where = links.first.get_attribute("href")
        if person := content.get("person_id"):
            self._go(f"{where}?person={person}")
        else:
            self._follow(where)
        about = re.search(_ID, path)
        named = {"message_id": about[0]} if about else {}
        fields = {name: value for name, value in content.items() if name != "person_id"}
        return self._submit({**named, **fields}) or httpx.Response(201, json={})


_ACTS: Final[list[tuple[str, Callable[..., httpx.Response]]]] = [
    ("/charter", PageDesk.accept_charter),
    ("/messages", PageDesk.send),
    ("/persons", PageDesk.register),
    ("/agreements", PageDesk.agree),
    (rf"/agreements/({_ID})/withdrawal", PageDesk.withdraw),
    (rf"/agreements/({_ID})/(hearing|objection|objection/answer)", PageDesk.say),
    (rf"/cases/({_ID})/acts/(\w+)", PageDesk.record_act),
    (rf"/cases/({_ID})/erasure", PageDesk.erase),
    (rf"/received/({_ID})/reading", PageDesk.read),
    (rf"/received/({_ID})/view", PageDesk.look),
    ("/derogations", PageDesk.ask_without),
    (rf"/derogations/({_ID})/(confirmation|telling|review)", PageDesk.step_without),
]


@contextmanager
def paged(home: Path, config: Any, browsers: Browsers) -> Iterator[PagedFederation]:
    """A federation created in a folder, run, its agents authorised."""
    made = Federation.create(home, config)
    fed = PagedFederation(made.layout, browsers)
    with fed:
        fed.wait_ready()
        fed.authorise_agents()
        fed.fallen.clear()
        yield fed
