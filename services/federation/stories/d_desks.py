"""A department's referent and a Mission Locale's adviser at their desks: convention D."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years, day_of
from services.federation.federation import Federation
from services.federation.stories.desks import Desks
from services.federation.telling import Teller

REFERENT = {"name": "Camille Fictive", "phone": None, "email": None}
ADVISER = {"name": "Alex Inventé", "phone": None, "email": None}


class AutonomyDesks(Desks):
    """The department and the Mission Locale."""

    def __init__(self, federation: Federation, teller: Teller) -> None:
        super().__init__(federation, teller)
        (self.department,) = self.orgs_of(Kind.DEPARTMENT)
        (self.mission,) = self.orgs_of(Kind.MISSION_LOCALE)
        self.agreement = self.case = ""

    @property
    def referent(self) -> httpx.Client:
        """The referent of the young person at the department."""
        return self.seat(self.department, "referent", "referente-1")

    @property
    def adviser(self) -> httpx.Client:
        """The adviser of the Mission Locale."""
        return self.seat(self.mission, "referent", "conseillere-1")

    def manager(self, org: str) -> httpx.Client:
        """Who answers for an organisation's conventions."""
        return self.seat(org, "manager", "responsable-1")

    @property
    def today(self) -> date:
        """Paris date at the department."""
        return day_of(self.fed.now(self.department))

    @property
    def at_mission(self) -> str:
        """What people call the Mission Locale."""
        return self.names[self.mission]

    @property
    def at_department(self) -> str:
        """What people call the department."""
        return self.names[self.department]

    def org(self, client: httpx.Client) -> str:
        """Where whoever sits there works."""
        return self.mission if client is self.adviser else self.department

    def other(self, client: httpx.Client) -> str:
        """The organisation to which whoever sits there writes."""
        return self.department if client is self.adviser else self.mission

    def day(self, days: int) -> str:
        """The day so many days from now."""
        return (self.today + timedelta(days=days)).isoformat()

    def young(self, client: httpx.Client, *, years: int = 16, days: int = 300) -> str:
        """Register an invented young person; returns the local id.

        years, days: their age, so many days after that birthday.
        """
        birth = add_years(self.today, -years) - timedelta(days=days)
        identity = {
            "family_name": "Exemplaire",
            "first_name": "Sacha",
            "birth_date": birth.isoformat(),
            "channel": {"kind": "phone", "value": "01 99 00 12 34"},
        }
        holder = {
            "family_name": "Exemplaire",
            "first_name": "Dominique",
            "channel": {"kind": "email", "value": "dominique@famille.example.org"},
        }
        body = {"identity": identity, "representatives": [holder]}
        answer = client.post("/api/v1/persons", json=body).raise_for_status()
        return str(answer.json()["person_id"])

    def inform(self, person_id: str) -> None:
        """The holder of a minor's parental authority is told; nothing is asked of them."""
        body = {"person_id": person_id, **self._told(self.referent, "letter")}
        self.referent.post("/api/v1/holder-notices", json=body).raise_for_status()

    def notify(self, person_id: str) -> str:
        """The Mission Locale tells of the law's own duty; returns the notice's id."""
        body = {
            "person_id": person_id,
            "instrument": "training_obligation",
            **self._told(self.adviser, "letter"),
        }
        answer = self.adviser.post("/api/v1/notices", json=body).raise_for_status()
        return str(answer.json()["notice_id"])

    def agree(self, person_id: str, **changes: Any) -> str:  # noqa: ANN401 -- JSON values
        """Record the young person's own agreement; returns its id."""
        notice = self._told(self.referent, "meeting")
        body = {
            "person_id": person_id,
            "recipients": [self.mission],
            "flows": sorted({flow.type for flow in CONVENTION.flows}),
            "giver": "young_person",
            "means": "in_person",
            "granted": True,
            "assent": "yes",
            "notice": notice,
            "given_at": notice["given_at"],
            **changes,
        }
        answer = self.referent.post("/api/v1/agreements", json=body).raise_for_status()
        return str(answer.json()["agreement_id"])

    def ready(self, **age: int) -> str:
        """Somebody who agreed, and whose holder knows; the agreement."""
        person_id = self.young(self.referent, **age)
        self.inform(person_id)
        return self.agree(person_id)

    def _told(self, client: httpx.Client, channel: str) -> dict[str, str]:
        at = self.fed.now(self.org(client)) - timedelta(minutes=5)
        return {
            "version": "2026-1",
            "channel": channel,
            "language": "fr",
            "given_at": at.isoformat(),
        }

    def ask(
        self, client: httpx.Client, message_type: str, data: dict[str, Any], **about: str
    ) -> httpx.Response:
        """Ask to send to the other side, whatever comes of it."""
        return self.post(client, message_type, self.other(client), data, **about)

    def send(
        self, client: httpx.Client, message_type: str, data: dict[str, Any], **about: str
    ) -> dict[str, Any]:
        """Send to the other side what must be allowed; returns the message once accepted."""
        return self.tell(client, message_type, self.other(client), data, **about)

    def content(self, client: httpx.Client, case_id: str) -> Any:  # noqa: ANN401 -- JSON
        """What a side shows its agent of a case."""
        return client.get(f"/api/v1/cases/{case_id}").raise_for_status().json()["content"]
