"""A head teacher and the city's youth worker at their desks: convention A."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from contracts.kernel.organisation import Kind
from services.federation.federation import Federation
from services.federation.stories.desks import Desks
from services.federation.telling import Teller

REFERRAL = {"level": "4e", "concerns": ["absences", "motivation"], "hoped_help": "support"}
"""What the head of the school types: codes only."""


class SchoolDesks(Desks):
    """A school and the city, with a second school beside them."""

    def __init__(self, federation: Federation, teller: Teller) -> None:
        super().__init__(federation, teller)
        self.school, self.other_school = self.orgs_of(Kind.SCHOOL)[:2]
        (self.city,) = self.orgs_of(Kind.CITY)
        (self.mission,) = self.orgs_of(Kind.MISSION_LOCALE)
        self.agreement = self.case = self.message = self.refused = self.told = ""
        self.referent = "referent-1"

    def sit(self, referent: str) -> None:
        """Another youth worker sits down, and everybody has a new token. referent: a local id."""
        self.close()
        self.referent = referent

    @property
    def head(self) -> httpx.Client:
        """The head of the school."""
        return self.seat(self.school, "manager", "cheffe-1")

    @property
    def youth(self) -> httpx.Client:
        """The city's youth worker."""
        return self.seat(self.city, "referent", self.referent)

    @property
    def at_school(self) -> str:
        """What people call the school."""
        return self.names[self.school]

    @property
    def at_city(self) -> str:
        """What people call the city."""
        return self.names[self.city]

    def pupil(self, birth: date = date(2012, 3, 9), client: httpx.Client | None = None) -> str:
        """Register an invented pupil born on that day; returns the local id. client: who does."""
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
        answer = (client or self.head).post("/api/v1/persons", json=body)
        return str(answer.raise_for_status().json()["person_id"])

    def agree(
        self,
        person_id: str,
        client: httpx.Client | None = None,
        **changes: Any,  # noqa: ANN401 -- JSON values
    ) -> str:
        """Record an agreement, five minutes old unless said otherwise; returns its id."""
        now = (self.fed.now(self.school) - timedelta(minutes=5)).isoformat()
        given = changes.pop("given_at", now)
        body = {
            "person_id": person_id,
            "recipients": [self.city],
            "flows": ["referral.submitted", "referral.answered"],
            "giver": "representative",
            "authority": "parental",
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
        answer = (client or self.head).post("/api/v1/agreements", json=body)
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

    def flows(self, purpose: str) -> list[str]:
        """Types of the messages that serve a purpose, both ways."""
        open_ = self.head.get("/api/v1/flows").json()
        found = (*open_["send"], *open_["receive"])
        return sorted({one["type"] for one in found if one["purpose"] == purpose})

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
