"""Those who act on a convention through their organisations' APIs, at any instant of its life.

What people of every convention do is here: move clocks, send, wait, look. Each convention adds who
sits where and what its messages rest on, in `actors_a.py` and so on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Final

import httpx

from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import midnight
from services.federation.config import installed
from services.federation.federation import Federation
from tests.federation.examples import Case, Content, Script
from tests.federation.town import until

AT_ONCE: Final = 6
"""Cases that go on side by side."""

MONDAY: Final = date(2037, 3, 9)
"""A day that tests live on: far ahead, since the broker lives on real time and a text that is over
by then is closed there whatever the nodes' clocks say."""

Seat = tuple[str, str]
"""A role, and the agent who acts in it."""


def at_ten(day: date) -> datetime:
    """Ten o'clock in winter, eleven in summer, of a legal day."""
    return midnight(day) + timedelta(hours=10)


def side_by_side(works: Iterable[Callable[[], Any]]) -> list[Any]:
    """Do things that do not depend on each other, some at once; their results in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [one.result() for one in [pool.submit(work) for work in works]]


class Cast(ABC):
    """The parties of one signed convention, and whoever else asks.

    orgs: the party of each kind. Clients are made anew whenever the clocks move: a token is of its
    day.
    """

    script: ClassVar[Script]
    seats: ClassVar[Mapping[Kind, Seat]]
    """Who sends what the convention lets each kind send."""

    def __init__(self, fed: Federation, orgs: Mapping[Kind, str]) -> None:
        self.fed = fed
        self.orgs = orgs
        self._clients: dict[tuple[str, str, str], httpx.Client] = {}

    # -- what each convention adds ---------------------------------------------------------------

    @abstractmethod
    def prepare(self, first_day: date, last_day: date) -> None:
        """Record what messages rest on beside any case, for some days."""

    @abstractmethod
    def case(self, today: date, first_day: date, code: str = "", **more: Any) -> Case:
        """Somebody informed, who agreed, and no message yet; code: of the one that it is for."""

    @abstractmethod
    def uncased(self, code: str) -> Content:
        """What the receiver's agents see of messages that belong to no case."""

    def lead_up(self, code: str, case: Case) -> None:
        """Record in a case what people do just before that message, if they do anything."""
        _ = code, case

    def reader(self, code: str) -> Seat:
        """Who looks at the receiver: whoever answers for it, unless the convention says who may."""
        _ = code
        return "manager", "cheffe-1"

    def amend(self) -> None:
        """Have the amendments that the file keeps ready signed, and wait until all hold them."""
        for one in self.fed.layout.federation.to_sign(installed()):
            if one.amendment is not None:
                signing = one.amendment.signing(self.fed.today)
                self.fed.amend(one.id, **signing)
                ends_on = signing["until"].isoformat()
                for party in one.parties:
                    self._wait_ends(party.org, one.id, ends_on)

    def _wait_ends(self, org: str, convention_id: str, ends_on: str) -> None:
        def ends() -> bool:
            held = self.client(org).get("/api/v1/conventions").raise_for_status().json()
            return (convention_id, ends_on) in {(c["convention_id"], c["ends_on"]) for c in held}

        until(ends, f"{org} does not hold the amendment of {convention_id}")

    # -- clocks and clients ----------------------------------------------------------------------

    def go(self, at: datetime) -> None:
        """Move everybody's clock to an instant."""
        self.go_by(at - datetime.now(UTC))

    def go_by(self, offset: timedelta) -> None:
        """Move everybody's clock to that far from real time."""
        self.fed.move_clock(offset)
        self.close()

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def client(self, org: str, role: str = "manager", agent: str = "cheffe-1") -> httpx.Client:
        """A client of an organisation's API, whose agent has accepted the charter."""
        key = (org, role, agent)
        if key not in self._clients:
            made = self.fed.client(org, role, agent)
            made.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
            self._clients[key] = made
        return self._clients[key]

    def seated(self, kind: Kind) -> httpx.Client:
        """Who sends for the party of that kind."""
        return self.client(self.orgs[kind], *self.seats[kind])

    def sender(self, code: str) -> httpx.Client:
        """Who sends a message."""
        return self.seated(self.script.flows[code].sender)

    def receiver(self, code: str) -> str:
        """Id of the party that receives a message."""
        return self.orgs[self.script.flows[code].receiver]

    def open_desks(self) -> None:
        """Make every client now, so that threads find them made."""
        for org in self.orgs.values():
            self.client(org)
        for code in self.script.examples:
            self.sender(code)
            self.client(self.receiver(code), *self.reader(code))

    def post(self, client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Record what must be taken; returns the answer."""
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.is_success, (path, answer.text)
        return dict(answer.json())

    def ago(self, org: str) -> str:
        """Five minutes ago, at an organisation."""
        return (self.fed.now(org) - timedelta(minutes=5)).isoformat()

    # -- messages --------------------------------------------------------------------------------

    def ask(self, code: str, case: Case, client: httpx.Client | None = None) -> httpx.Response:
        """Ask to send the message in this case, whatever comes of it."""
        body = self.script.body(code, case, self.receiver(code))
        return (client or self.sender(code)).post("/api/v1/messages", json=body)

    def tell(self, code: str, case: Case) -> dict[str, Any]:
        """Send what must be allowed, and wait until it is accepted; returns the message."""
        answer = self.ask(code, case)
        assert answer.status_code == HTTPStatus.ACCEPTED, (code, answer.text)
        case.case_id = answer.json()["case_id"] or case.case_id
        return self.accepted(code, answer.json()["message_id"])

    def settled(self, code: str, message_id: str) -> dict[str, Any]:
        """Wait until a message has come to an end; returns it."""
        client, found = self.sender(code), dict[str, Any]()

        def ended() -> bool:
            found.update(client.get(f"/api/v1/messages/{message_id}").json())
            return found["state"] in {"accepted", "refused", "stopped", "expired"}

        until(ended, f"{code} is neither accepted nor refused")
        return found

    def accepted(self, code: str, message_id: str) -> dict[str, Any]:
        """Wait until a message is accepted; returns it."""
        found = self.settled(code, message_id)
        assert found["state"] == "accepted", (code, found)
        return found

    def turned_away(self, code: str, message_id: str) -> list[str]:
        """Wait until the receiver's gate has refused a message; the articles that it kept."""
        found = self.settled(code, message_id)
        assert (found["state"], found["receipt"]["status"]) == ("refused", "not_open"), found
        operator = self.client(self.receiver(code), "operator", "operateur-1")
        dead = operator.get("/api/v1/dead-letters").raise_for_status().json()
        (why,) = (one["articles"] for one in dead if one["message_id"] == message_id)
        return list(why)

    def play(self, case: Case, codes: Iterable[str]) -> Case:
        """Send some messages of a case, one after another."""
        for code in codes:
            self.lead_up(code, case)
            self.tell(code, case)
        return case

    def content(self, code: str, case: Case) -> Content:
        """What the receiver's agents see of the case; nothing where they know of none."""
        if self.script.flows[code].case is Cardinality.NONE:
            return self.uncased(code)
        client = self.client(self.receiver(code), *self.reader(code))
        found = client.get(f"/api/v1/cases/{case.case_id}") if case.case_id else None
        return {} if found is None or found.is_error else dict(found.json()["content"])

    def shown_again(self, code: str, message_id: str) -> Content | None:
        """What the receiver's agents see once the sender shows it again; None of what is filed."""
        if not self.script.flows[code].retention.transient:
            return None
        client = self.client(self.receiver(code), *self.reader(code))
        path, found = f"/api/v1/received/{message_id}/view", dict[str, Any]()
        before = client.get(path)
        assert before.status_code == HTTPStatus.NOT_FOUND, (code, before.text)
        client.post(path).raise_for_status()

        def answered() -> bool:
            answer = client.get(path)
            if answer.status_code == HTTPStatus.CONFLICT:
                return False
            found.update(answer.raise_for_status().json()["data"])
            return True

        until(answered, f"{code} is not shown again")
        return found
