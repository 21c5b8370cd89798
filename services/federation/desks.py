"""The people at their desks in the demonstration: what they type, and what they wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx

from services.chassis.secret import NodeSecret
from services.federation.config import installed
from services.federation.federation import Federation
from services.federation.intruder import Intruder
from services.federation.layout import leaf_of
from services.federation.telling import Teller
from services.observer import words

REFERRAL = {"level": "4e", "concerns": ["absences", "motivation"], "hoped_help": "support"}
"""What the head of the school types: codes only."""

_PATIENCE = 20.0
"""Seconds to wait for what takes milliseconds on a quiet machine."""


class Desks:
    """A head teacher and the city's youth worker, with the DPO of each organisation."""

    def __init__(self, federation: Federation, teller: Teller) -> None:
        self.fed = federation
        self.teller = teller
        members = {one.id: one.kind.value for one in federation.layout.federation.organisations}
        schools = [org for org, kind in members.items() if kind == "school"]
        self.school, self.other_school = schools[0], schools[1]
        self.city = next(org for org, kind in members.items() if kind == "city")
        self.mission = next(org for org, kind in members.items() if kind == "mission_locale")
        self.agreement = self.case = self.message = self.refused = self.told = ""
        self.names = {one.id: one.name for one in federation.layout.federation.organisations}
        self.registry = installed()
        self.titles = words.titles(self.registry)
        self.sit("referent-1")

    def sit(self, referent: str) -> None:
        """Open everybody's client, with tokens as of now. referent: the youth worker's local id."""
        self.referent = referent
        self.head = self.fed.client(self.school, "manager", "cheffe-1")
        self.youth = self.fed.client(self.city, "referent", referent)
        self.dpo = {org: self.fed.client(org, "dpo", "dpo-1") for org in self.names}
        for client in (self.head, self.youth, *self.dpo.values()):
            client.post("/api/v1/charter", json={"version": "1"}).raise_for_status()

    @property
    def at_school(self) -> str:
        """What people call the school."""
        return self.names[self.school]

    @property
    def at_city(self) -> str:
        """What people call the city."""
        return self.names[self.city]

    def close(self) -> None:
        """Close the clients."""
        for client in (self.head, self.youth, *self.dpo.values()):
            client.close()

    def pupil(self, birth: date = date(2012, 3, 9)) -> str:
        """Register an invented pupil born on that day; returns the local id."""
        body = {
            "identity": {
                "family_name": "Exemplaire",
                "first_name": "Zoé",
                "birth_date": birth.isoformat(),
                "channel": None,
            },
            "representatives": [
                {
                    "family_name": "Exemplaire",
                    "first_name": "Dominique",
                    "channel": {"kind": "email", "value": "dominique@famille.example"},
                }
            ],
        }
        return str(self.head.post("/api/v1/persons", json=body).json()["person_id"])

    def agree(self, person_id: str, **changes: Any) -> str:  # noqa: ANN401 -- JSON values
        """Record an agreement, five minutes old unless said otherwise; returns its id."""
        now = (self.fed.now(self.school) - timedelta(minutes=5)).isoformat()
        given = changes.pop("given_at", now)
        body = {
            "person_id": person_id,
            "recipients": [self.city],
            "flows": ["referral.submitted", "referral.answered"],
            "giver": "representative",
            "means": "in_person",
            "granted": True,
            "assent": "not_asked",
            "notice": {
                "version": "2026-1",
                "channel": "meeting",
                "language": "fr",
                "given_at": given,
            },
            "given_at": given,
            **changes,
        }
        answer = self.head.post("/api/v1/agreements", json=body)
        return str(answer.raise_for_status().json()["agreement_id"])

    def attempt(
        self,
        agreement_id: str | None,
        data: dict[str, Any] | None = None,
        client: httpx.Client | None = None,
    ) -> httpx.Response:
        """Ask to send a referral, whatever comes of it."""
        body: dict[str, Any] = {
            "type": "referral.submitted",
            "to": self.city,
            "data": data or REFERRAL,
        }
        if agreement_id is not None:
            body["agreement_id"] = agreement_id
        return (client or self.head).post("/api/v1/messages", json=body)

    def post(
        self,
        client: httpx.Client,
        message_type: str,
        to: str,
        data: dict[str, Any],
        **about: str,
    ) -> httpx.Response:
        """Ask to send a message, whatever comes of it. about: a case, an agreement or a notice."""
        body = {"type": message_type, "to": to, "data": data, **about}
        return client.post("/api/v1/messages", json=body)

    def tell(
        self,
        client: httpx.Client,
        message_type: str,
        to: str,
        data: dict[str, Any],
        **about: str,
    ) -> dict[str, Any]:
        """Send a message that must be allowed; returns it once accepted."""
        answer = self.post(client, message_type, to, data, **about).raise_for_status()
        return self.until(client, answer.json()["message_id"], "accepted")

    def flows(self, purpose: str) -> list[str]:
        """Types of the messages that serve a purpose, both ways."""
        open_ = self.head.get("/api/v1/flows").json()
        found = (*open_["send"], *open_["receive"])
        return sorted({one["type"] for one in found if one["purpose"] == purpose})

    def due(self, client: httpx.Client, kind: str, subject: str) -> list[dict[str, Any]]:
        """What waits of a kind, about a subject."""
        waiting = client.get("/api/v1/deadlines").json()
        return [one for one in waiting if (one["kind"], one["subject"]) == (kind, subject)]

    def refer(self, agreement_id: str) -> dict[str, Any]:
        """Send a referral that must be allowed."""
        answer: dict[str, Any] = self.attempt(agreement_id).raise_for_status().json()
        return answer

    def reply(self, role: str) -> httpx.Response:
        """Answer the open referral, naming a referent in that role."""
        contact = {"name": "Camille Fictive", "role": role, "phone": None, "email": None}
        data = {"decision": "accepted", "referent": contact, "next_date": "2026-12-15"}
        return self.youth.post(
            "/api/v1/messages",
            json={
                "type": "referral.answered",
                "to": self.school,
                "case_id": self.case,
                "data": data,
            },
        )

    def expect_refusal(
        self,
        answer: httpx.Response,
        article: str,
        status: int = httpx.codes.FORBIDDEN,
        *,
        who: str = "",
    ) -> None:
        """Check that the answer refuses, with that article. who: who tried what, if it is said."""
        body = answer.json()
        named = body.get("articles", ())
        refused = answer.status_code == status and article in named
        said = body.get("detail", "")
        for one in body.get("fields", ()):
            field = one["path"].rpartition(".")[2]
            title = self.titles.get(field, field)
            said = f"{said.removesuffix('.')} : « {title} », {words.reason(one['code'])}."
        outcome = f"refusé par {', '.join(named)}" if refused else "aucun refus de cet article"
        sentence = f"{who} : {outcome}" if who else outcome[0].upper() + outcome[1:]
        codes = [str(answer.status_code), *(one["code"] for one in body.get("fields", ()))]
        self.teller.check(refused, f"{sentence}. {said}", article, code=" ".join(codes))

    def until(self, client: httpx.Client, message_id: str, state: str) -> dict[str, Any]:
        """Wait until a message reaches a state; returns it as it then is."""
        found: dict[str, Any] = self.wait(
            lambda: client.get(f"/api/v1/messages/{message_id}").json(),
            lambda found: found.get("state") == state,
        )
        return found

    def wait(self, look: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:  # noqa: ANN401
        """Look again until it is enough, or patience ends; returns what was last seen."""
        deadline = time.monotonic() + _PATIENCE
        while not enough(found := look()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def dead(self, message_id: str) -> str | None:
        """Reason for which the city buried a letter, if it did."""
        with self.fed.client(self.city, "operator", "operateur-1") as operator:
            found = operator.get("/api/v1/dead-letters").json()
        return next((one["reason"] for one in found if one["message_id"] == message_id), None)

    def label(self, message_type: str) -> str:
        """What people call a type of message."""
        return words.message(message_type, self.registry)

    def code(self, org: str) -> str:
        """Code of an organisation in subjects."""
        return self.fed.layout.federation.member(org).code

    def convention(self, org: str) -> str:
        """Id of the first convention that binds an organisation."""
        held = self.dpo[org].get("/api/v1/conventions").json()
        return str(held[0]["convention_id"])

    def intruder(self, org: str) -> Intruder:
        """A bare client with the true credentials of an organisation."""
        layout = self.fed.layout
        password = NodeSecret.load(layout.secret_file(org)).nats_password("app")
        return Intruder(layout.nats_url(leaf_of(org)), password, layout.nats_tls(org))
