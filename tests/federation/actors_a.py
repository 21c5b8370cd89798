"""A school and the city at work on convention A through their APIs, at any instant of its life."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

import httpx

from contracts.kernel.organisation import Kind
from contracts.kernel.paris import midnight
from services.federation.federation import Federation
from tests.federation.examples_a import EXAMPLES, FLOWS, HOST, Case
from tests.federation.town import until

READER: Final = "scolarite-1"
"""The agent whom the mayor designated (R131-10-1)."""
BORN: Final = 14
"""Years of the pupils, unless a test says otherwise."""
AT_ONCE: Final = 6
"""Cases that go on side by side."""


def at_ten(day: date) -> datetime:
    """Ten o'clock in winter, eleven in summer, of a legal day."""
    return midnight(day) + timedelta(hours=10)


class Actors:
    """The head of a school, the referent and the manager of the city, and whoever else asks.

    Clients are made anew whenever the clocks move: a token is of its day.
    """

    def __init__(self, fed: Federation, school: str, city: str) -> None:
        self.fed = fed
        self.orgs = {Kind.SCHOOL: school, Kind.CITY: city}
        self._clients: dict[tuple[str, str, str], httpx.Client] = {}

    @property
    def school(self) -> str:
        """Id of the school."""
        return self.orgs[Kind.SCHOOL]

    @property
    def city(self) -> str:
        """Id of the city."""
        return self.orgs[Kind.CITY]

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

    def sender(self, code: str) -> httpx.Client:
        """Who sends a message: the head of the school, or the city's referent."""
        kind = FLOWS[code].sender
        referent = ("referent", "referent-1") if kind is Kind.CITY else ("manager", "cheffe-1")
        return self.client(self.orgs[kind], *referent)

    def open_desks(self) -> None:
        """Make every client now, so that threads find them made."""
        for code in EXAMPLES:
            self.sender(code)
        self.client(self.city)
        self.client(self.city, "agent", READER)

    # -- what a message rests on ---------------------------------------------------------------

    def registers(self, first_day: date, last_day: date) -> None:
        """The city registers an association under agreement, and a designated agent."""
        days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
        self.host(HOST, **days)
        designation = {"agent_id": READER, "decision": "arrêté 2026-12", **days}
        answer = self.client(self.city).post("/api/v1/designations", json=designation)
        answer.raise_for_status()

    def host(self, name: str, **changes: Any) -> None:
        """The city registers who receives pupils."""
        body = {"name": name, "nature": "association", "agreement": "convention 7", **changes}
        self.client(self.city).post("/api/v1/hosts", json=body).raise_for_status()

    def pupil(self, birth: date) -> str:
        """A pupil in the school's register."""
        person = {"family_name": "Exemplaire", "channel": None}
        parent = {
            "family_name": "Exemplaire",
            "first_name": "Dominique",
            "channel": {"kind": "email", "value": "dominique@famille.example"},
        }
        identity = {**person, "first_name": "Noa", "birth_date": birth.isoformat()}
        body = {"identity": identity, "representatives": [parent]}
        answer = self.client(self.school).post("/api/v1/persons", json=body).raise_for_status()
        return str(answer.json()["person_id"])

    def ago(self) -> str:
        """Five minutes ago, at the school."""
        return (self.fed.now(self.school) - timedelta(minutes=5)).isoformat()

    def agree(self, person_id: str, **changes: Any) -> str:
        """Pupil and representative agree to every message of the convention."""
        given = changes.pop("given_at", self.ago())
        body = {**self.record("agreements", person_id, given), **changes}
        answer = self.client(self.school).post("/api/v1/agreements", json=body)
        return str(answer.raise_for_status().json()["agreement_id"])

    def inform(self, person_id: str) -> str:
        """The family is informed of the notice to the mayor."""
        body = self.record("notices", person_id, self.ago())
        answer = self.client(self.school).post("/api/v1/notices", json=body)
        return str(answer.raise_for_status().json()["notice_id"])

    def record(self, path: Literal["agreements", "notices"], person_id: str, given: str) -> Any:
        """What is posted there: an agreement with the information before it, or one alone."""
        told = {"version": "1", "channel": "meeting", "language": "fr", "given_at": given}
        if path == "notices":
            return {"person_id": person_id, "instrument": "mayor_attendance", **told}
        return {
            "person_id": person_id,
            "recipients": [self.city],
            "flows": sorted({flow.type for flow in FLOWS.values()}),
            "giver": "both",
            "authority": "parental",
            "means": "signed_form",
            "granted": True,
            "assent": "yes",
            "associated": ["host_association"],
            "notice": told,
            "given_at": given,
        }

    # -- messages ------------------------------------------------------------------------------

    def case(self, today: date, first_day: date, **more: Any) -> Case:
        """A pupil of fourteen, informed and agreed, and no message yet."""
        person = self.pupil(date(today.year - BORN, 1, 15))
        agreement_id = more.pop("agreement_id", None) or self.agree(person)
        notice_id = self.inform(person)
        return Case(today, first_day, agreement_id=agreement_id, notice_id=notice_id, **more)

    def ask(self, code: str, case: Case, client: httpx.Client | None = None) -> httpx.Response:
        """Ask to send the message in this case, whatever comes of it."""
        to = self.orgs[FLOWS[code].receiver]
        return (client or self.sender(code)).post("/api/v1/messages", json=case.body(code, to))

    def tell(self, code: str, case: Case) -> dict[str, Any]:
        """Send what must be allowed, and wait until it is accepted; returns the message."""
        answer = self.ask(code, case)
        assert answer.status_code == httpx.codes.ACCEPTED, (code, answer.text)
        case.case_id = answer.json()["case_id"] or case.case_id
        return self.accepted(code, answer.json()["message_id"])

    def accepted(self, code: str, message_id: str) -> dict[str, Any]:
        """Wait until a message is accepted; returns it."""
        client, found = self.sender(code), dict[str, Any]()

        def settled() -> bool:
            found.update(client.get(f"/api/v1/messages/{message_id}").json())
            return found["state"] in {"accepted", "refused", "stopped", "expired"}

        until(settled, f"{code} is neither accepted nor refused")
        assert found["state"] == "accepted", (code, found)
        return found

    def play(self, case: Case, codes: Iterable[str]) -> Case:
        """Send some messages of a case, one after another."""
        for code in codes:
            self.tell(code, case)
        return case

    def content(self, code: str, case: Case) -> dict[str, Any]:
        """What the receiver's agents see of the case; nothing where they know of none."""
        receiver = self.orgs[FLOWS[code].receiver]
        client = self.client(receiver)
        if code == "d1":
            client = self.client(receiver, "agent", READER)
        if FLOWS[code].case.value == "none":
            due = client.get("/api/v1/deadlines").raise_for_status().json()
            return {"watch_cells": [one["subject"] for one in due if one["kind"] == "watch_cell"]}
        found = client.get(f"/api/v1/cases/{case.case_id}") if case.case_id else None
        return {} if found is None or found.is_error else dict(found.json()["content"])


def side_by_side(works: Iterable[Callable[[], Any]]) -> list[Any]:
    """Do things that do not depend on each other, some at once; their results in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [one.result() for one in [pool.submit(work) for work in works]]
