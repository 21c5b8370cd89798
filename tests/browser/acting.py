"""What an agent does from pages, each act by the page that offers it, as the API would answer."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from services.chassis.partner import ANEW
from services.chassis.tokens import Role
from tests.browser.filling import NoPage
from tests.browser.sitting import ID, Sitting

_PATIENCE_S: Final = 15.0
"""Seconds to wait for what a partner signed."""


class PageDesk(Sitting):
    """One agent's acts."""

    def act(self, path: str, content: dict[str, Any]) -> httpx.Response:
        """Do from a page what a POST asks. Raises NoPage, LookupError."""
        return self.at_browser(lambda: self._act(path, content))

    def _act(self, path: str, content: dict[str, Any]) -> httpx.Response:
        for pattern, done in _ACTS:
            found = re.fullmatch(pattern, path)
            if found is not None:
                answer: httpx.Response = done(self, content, *found.groups())
                return answer
        return self._procedure(path, content)

    def accept_charter(self, content: dict[str, Any]) -> httpx.Response:
        """Sign in; the charter comes before anything else."""
        self.go("/pages/today")
        return httpx.Response(201, json=content)

    # -- messages --------------------------------------------------------------------------------

    def send(self, content: dict[str, Any]) -> httpx.Response:
        """Send a message from the page of its case, or from what an agreement opens."""
        type_, to = content["type"], content["to"]
        if case_id := content.get("case_id"):
            if refused := self.see(f"/pages/situations/{case_id}"):
                return refused
            self._follow(f"/pages/situations/{case_id}/send/{type_}")
        else:
            given = {"agreement": content.get("agreement_id"), "notice": content.get("notice_id")}
            query = "&".join(f"{name}={value}" for name, value in given.items() if value)
            query = f"?{query}" if query else ""
            self.go(f"/pages/situations/new{query}")
            here = f"a[href^='/pages/situations/new/{to}/'][href$='/{type_}{query}']"
            self._click(here, "link")
        extra = (
            {"without_agreement": content["derogation_id"]} if "derogation_id" in content else {}
        )
        before = self._latest(type_)
        data = content["data"]
        given = data.get("offer_id", "")
        if new := self._offers("offer_id", ANEW) and not self._offers("offer_id", given):
            data = {**data, "offer_id": ANEW}
        refused = self.submit({**data, **extra})
        if refused is not None:
            return refused
        if new:
            offers = self._api.get("/api/v1/pec-offers").json()
            self.fed.numbers[given] = offers[0]["offer_id"]
        sent = self._latest(type_)
        assert sent is not None
        assert sent != before
        told = {"message_id": sent["message_id"], "state": "queued", "case_id": sent["case_id"]}
        return httpx.Response(202, json=told)

    def _latest(self, type_: str | None = None) -> dict[str, Any] | None:
        """The last message sent from here, of a type or of any."""
        wanted = {} if type_ is None else {"type": type_}
        found = self._api.get("/api/v1/messages", params={**wanted, "limit": 1}).json()
        return found[0] if found else None

    def read(self, _content: dict[str, Any], message_id: str) -> httpx.Response:
        """Say that an alert was read, from the page of its case."""
        return self._about(message_id, "reading", 201)

    def look(self, _content: dict[str, Any], message_id: str) -> httpx.Response:
        """Ask to see again what is kept nowhere here."""
        return self._about(message_id, "view", 202)

    def _about(self, message_id: str, word: str, status: int) -> httpx.Response:
        """Press a button beside a message, on the page of its case."""
        with self.answering_for() as manager:
            arrivals = manager.get("/api/v1/arrivals").json()
        case = next((one["case_id"] for one in arrivals if one["message_id"] == message_id), None)
        if case is None:
            raise NoPage("message")
        refused = self.see(f"/pages/situations/{case}") or self._press(f"{word}/{message_id}")
        return refused or httpx.Response(status, json={"message_id": message_id})

    # -- persons and agreements ------------------------------------------------------------------

    def register(self, content: dict[str, Any]) -> httpx.Response:
        """Register a person; who resembles is somebody else, since stories register anew."""
        self.go("/pages/agreements")
        self._follow("/pages/people/new")
        named = dict(zip(("first", "second"), content.get("representatives", ()), strict=False))
        refused = self.submit({"identity": content["identity"], **named})
        if refused is not None:
            return refused
        other = "form[action='/pages/people/new'] button:not([name])"
        if self._page.locator(other).count():
            self._click(other, "button")
        return httpx.Response(201, json={"person_id": self._page.url.rpartition("/")[2]})

    def agree(self, content: dict[str, Any]) -> httpx.Response:
        """Record an agreement or a refusal from the person's page.

        Messages that name nobody need no agreement, and the page offers none of them.
        """
        person_id = content["person_id"]
        self.go(f"/pages/people/{person_id}")
        self._follow(f"/pages/people/{person_id}/agreement")
        if self._page.locator("form.asking [name='to']").count():
            self.submit({"to": content["recipients"]})
        elif not all(self._offers("recipients", one) for one in content["recipients"]):
            raise NoPage("choice recipients")
        left = {"person_id", "recipients", "flows"}
        fields = {name: value for name, value in content.items() if name not in left}
        fields["flows"] = [one for one in content["flows"] if self._offers("flows", one)]
        refused = self.submit(fields)
        if refused is not None:
            return refused
        return httpx.Response(201, json={"agreement_id": self._page.url.rpartition("/")[2]})

    def withdraw(self, _content: dict[str, Any], agreement_id: str) -> httpx.Response:
        """Withdraw an agreement from its page, in two steps."""
        self.go(f"/pages/agreements/{agreement_id}")
        self._follow(f"/pages/agreements/{agreement_id}/withdrawal")
        refused = self._press(f"{agreement_id}/withdrawal")
        held = self._api.get(f"/api/v1/agreements/{agreement_id}").json()
        told = [one["org"] for one in held["withdrawal"]]
        return refused or httpx.Response(200, json={"told": told})

    def say(self, content: dict[str, Any], agreement_id: str, word: str) -> httpx.Response:
        """Hear the young person, object, or answer an objection, from the agreement's page."""
        self.go(f"/pages/agreements/{agreement_id}")
        self._follow(f"/pages/agreements/{agreement_id}/{word.replace('/', '-')}")
        return self.submit(content) or httpx.Response(200, json={})

    def notice(self, content: dict[str, Any]) -> httpx.Response:
        """Record that somebody was told of a duty of the law, from the person's page.

        The notice's version is that of the day, which the page fills by itself.
        """
        person_id = content["person_id"]
        self.go(f"/pages/people/{person_id}")
        self._follow(f"/pages/people/{person_id}/notice")
        left = {"person_id", "version"}
        refused = self.submit({name: one for name, one in content.items() if name not in left})
        if refused is not None:
            return refused
        given = self._page.locator("a[href*='/pages/situations/new?notice=']").last
        number = given.get_attribute("href").rpartition("=")[2]
        return httpx.Response(201, json={"notice_id": number})

    # -- cases -----------------------------------------------------------------------------------

    def record_act(self, content: dict[str, Any], case_id: str, act: str) -> httpx.Response:
        """Record an act from the page of its case."""
        if refused := self.see(f"/pages/situations/{case_id}"):
            return refused
        self._follow(f"/pages/situations/{case_id}/acts/{act}")
        done = {"act": act, "case_id": case_id}
        return self.submit(content) or httpx.Response(201, json=done)

    def erase(self, _content: dict[str, Any], case_id: str) -> httpx.Response:
        """Have a case erased from its page."""
        self.go(f"/pages/situations/{case_id}")
        self._follow(f"/pages/situations/{case_id}/erasure")
        return self.submit({}) or httpx.Response(202, json={})

    def ask_without(self, content: dict[str, Any]) -> httpx.Response:
        """Ask to send without agreement, from the page of the case."""
        case_id, type_ = content["case_id"], content["type"]
        self.go(f"/pages/situations/{case_id}")
        self._follow(f"/pages/situations/{case_id}/without-agreement/{type_}")
        left = {"case_id", "type", "to"}
        refused = self.submit({name: one for name, one in content.items() if name not in left})
        if refused is not None:
            return refused
        with self.answering_for() as manager:
            newest = manager.get("/api/v1/derogations").json()[0]
        return httpx.Response(201, json={"derogation_id": newest["derogation_id"]})

    def step_without(self, content: dict[str, Any], number: str, step: str) -> httpx.Response:
        """Confirm, tell or review a decision to act without agreement."""
        self.go("/pages/without-agreement")
        if step == "confirmation":
            return self._press(f"{number}/{step}") or httpx.Response(200, json={})
        self._follow(f"/pages/without-agreement/{number}/{step}")
        return self.submit(content) or httpx.Response(200, json={})

    # -- conventions -----------------------------------------------------------------------------

    def sign(self, content: dict[str, Any]) -> httpx.Response:
        """Sign the text that another party proposed, once it is here."""
        terms = content["terms"]
        here = f"/pages/conventions/{terms['id']}"
        form = f"form[action='{here}/versions/{terms['version']}']"
        deadline = time.monotonic() + _PATIENCE_S
        self.go(f"{here}/amendment")
        if not self._proposed(terms):
            raise NoPage("form for an invented text")
        while self._page.locator(form).count() == 0 and time.monotonic() < deadline:
            self.go(f"{here}/amendment")
        asked = {"signed_on": content["signed_on"], "sure": "yes"}
        return self.submit(asked, form) or httpx.Response(201, json={})

    def _proposed(self, terms: dict[str, Any]) -> bool:
        """Whether another party has signed this very version already."""
        for party in terms["parties"]:
            with self.fed.plain(party["org"], Role.MANAGER, "manager-1") as manager:
                held = manager.get("/api/v1/conventions").json()
            versions = {one["convention_id"]: one["version"] for one in held}
            if versions[terms["id"]] == terms["version"]:
                return True
        return False

    def review(self, content: dict[str, Any], convention_id: str) -> httpx.Response:
        """Record that the parties met, from the convention's page."""
        here = f"/pages/conventions/{convention_id}"
        self.go(here)
        self._follow(f"{here}/acting")
        refused = self.submit(content, f"form[action='{here}/acting/review']")
        held = self._api.get("/api/v1/conventions").json()
        found = next(one for one in held if one["convention_id"] == convention_id)
        return refused or httpx.Response(200, json=found)

    def publish(self, content: dict[str, Any], convention_id: str) -> httpx.Response:
        """Have a year counted, from the page of all reports."""
        self.go("/pages/reports")
        year = f"input[name='year'][value='{content['year']}']"
        self._click(
            f"form[action='/pages/reports/{convention_id}']:has({year}) button", "year that is over"
        )
        return self._refusal() or httpx.Response(201, json=content)

    def _procedure(self, path: str, content: dict[str, Any]) -> httpx.Response:
        """What a convention asks to record beside cases, by its link among the procedures."""
        parts = [part for part in path.split("/") if part and not re.fullmatch(ID, part)]
        named = f"-post-{'-'.join(parts)}"
        if person := content.get("person_id"):
            self.go(f"/pages/people/{person}")
            self._click(f"a[href$='{named}?person={person}']", "link")
        else:
            self.go("/pages/procedures")
            self._click(f"a[href$='{named}']", "link")
        about = re.search(ID, path)
        fields = {name: value for name, value in content.items() if name != "person_id"}
        before = self._latest()
        refused = self.submit({**({"message_id": about[0]} if about else {}), **fields})
        sent = self._latest()
        told = {} if sent is None or sent == before else {"message_id": sent["message_id"]}
        return refused or httpx.Response(201, json=told)


_ACTS: Final[list[tuple[str, Callable[..., httpx.Response]]]] = [
    ("/charter", PageDesk.accept_charter),
    ("/messages", PageDesk.send),
    ("/persons", PageDesk.register),
    ("/agreements", PageDesk.agree),
    ("/notices", PageDesk.notice),
    (rf"/agreements/({ID})/withdrawal", PageDesk.withdraw),
    (rf"/agreements/({ID})/(hearing|objection|objection/answer)", PageDesk.say),
    (rf"/cases/({ID})/acts/(\w+)", PageDesk.record_act),
    (rf"/cases/({ID})/erasure", PageDesk.erase),
    (rf"/received/({ID})/reading", PageDesk.read),
    (rf"/received/({ID})/view", PageDesk.look),
    ("/derogations", PageDesk.ask_without),
    (rf"/derogations/({ID})/(confirmation|telling|review)", PageDesk.step_without),
    ("/conventions", PageDesk.sign),
    ("/conventions/([^/]+)/reviews", PageDesk.review),
    ("/conventions/([^/]+)/reports", PageDesk.publish),
]
