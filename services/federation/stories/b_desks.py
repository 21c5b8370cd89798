"""A counsellor of the Mission Locale and the city's youth worker at their desks: convention B."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years, day_of
from services.federation.federation import Federation
from services.federation.stories.desks import Desks
from services.federation.telling import Teller

CONTACT = {"name": "Camille Fictive", "role": "conseillère", "phone": None, "email": None}
OTHER = {"name": "Alex Inventé", "role": "éducateur", "phone": None, "email": None}


class MissionDesks(Desks):
    """The Mission Locale and the city."""

    def __init__(self, federation: Federation, teller: Teller) -> None:
        super().__init__(federation, teller)
        (self.city,) = self.orgs_of(Kind.CITY)
        (self.mission,) = self.orgs_of(Kind.MISSION_LOCALE)
        self.agreement = self.case = ""

    @property
    def counsellor(self) -> httpx.Client:
        """The counsellor of the Mission Locale."""
        return self.seat(self.mission, "referent", "conseillere-1")

    @property
    def youth(self) -> httpx.Client:
        """The city's youth worker."""
        return self.seat(self.city, "referent", "referent-1")

    @property
    def today(self) -> date:
        """Paris date at the Mission Locale."""
        return day_of(self.fed.now(self.mission))

    @property
    def at_mission(self) -> str:
        """What people call the Mission Locale."""
        return self.names[self.mission]

    @property
    def at_city(self) -> str:
        """What people call the city."""
        return self.names[self.city]

    def other(self, client: httpx.Client) -> str:
        """The organisation to which whoever sits there writes."""
        return self.city if client is self.counsellor else self.mission

    def day(self, days: int) -> str:
        """The day so many days from now."""
        return (self.today + timedelta(days=days)).isoformat()

    def young(self, client: httpx.Client, *, years: int = 17, days: int = 100) -> str:
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
        body = {"identity": identity, "representatives": []}
        answer = client.post("/api/v1/persons", json=body).raise_for_status()
        return str(answer.json()["person_id"])

    def inform(self, client: httpx.Client, person_id: str) -> None:
        """The representative of a minor is told; nothing is asked of them."""
        body = {
            "person_id": person_id,
            "version": "2026-1",
            "channel": "letter",
            "language": "fr",
            "given_at": self._before(client),
        }
        client.post("/api/v1/representative-notices", json=body).raise_for_status()

    def agree(self, client: httpx.Client, person_id: str, **changes: Any) -> str:  # noqa: ANN401
        """Record the young person's own agreement; returns its id."""
        before = self._before(client)
        notice = {"version": "2026-1", "channel": "meeting", "language": "fr", "given_at": before}
        body = {
            "person_id": person_id,
            "recipients": [self.other(client)],
            "flows": sorted({flow.type for flow in CONVENTION.flows}),
            "giver": "young_person",
            "means": "in_person",
            "granted": True,
            "assent": "yes",
            "notice": notice,
            "given_at": before,
            **changes,
        }
        answer = client.post("/api/v1/agreements", json=body).raise_for_status()
        return str(answer.json()["agreement_id"])

    def ready(self, client: httpx.Client, **age: int) -> str:
        """Somebody who agreed, and whose representative knows where one must; the agreement."""
        person_id = self.young(client, **age)
        self.inform(client, person_id)
        return self.agree(client, person_id)

    def _before(self, client: httpx.Client) -> str:
        org = self.mission if client is self.counsellor else self.city
        return (self.fed.now(org) - timedelta(minutes=5)).isoformat()

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
