"""The employment agency, the city and the CCAS at their desks: convention C."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import day_of
from services.federation.federation import Federation
from services.federation.stories.desks import Desks
from services.federation.telling import Teller

CONTACT = {"name": "Camille Fictive", "role": "conseillère", "phone": None, "email": None}
TUTOR = "tutrice-1"
HR = "rh-1"
IDENTITY = {
    "family_name": "Imaginaire",
    "first_name": "Maxence",
    "birth_date": "1988-06-12",
    "channel": {"kind": "phone", "value": "01 99 00 56 78"},
}
ROUEN = "76540"
"""INSEE code of the only town whose job seekers the text is about (C-2.1)."""


class EmploymentDesks(Desks):
    """The agency and its two partners.

    days: by how much this story has moved the clock.
    """

    def __init__(self, federation: Federation, teller: Teller) -> None:
        super().__init__(federation, teller)
        (self.agency,) = self.orgs_of(Kind.EMPLOYMENT_AGENCY)
        (self.city,) = self.orgs_of(Kind.CITY)
        (self.ccas,) = self.orgs_of(Kind.CCAS)
        self.agreement = self.case = ""
        self.days = 0

    # -- who sits where ------------------------------------------------------------------------

    @property
    def parties(self) -> tuple[str, str, str]:
        """All three."""
        return self.agency, self.city, self.ccas

    @property
    def counsellor(self) -> httpx.Client:
        """The job seeker's counsellor, at the lead agency of employers."""
        return self.seat(self.agency, "agent", "conseillere-1")

    @property
    def clauses(self) -> httpx.Client:
        """The agency's referent of the social clauses."""
        return self.seat(self.agency, "agent", "clauses-1")

    @property
    def territory(self) -> httpx.Client:
        """Who deals with the zero-unemployment territory at the agency."""
        return self.seat(self.agency, "agent", "territoire-1")

    @property
    def hr(self) -> httpx.Client:
        """The city's human resources, for the CCAS too."""
        return self.seat(self.city, "agent", HR)

    @property
    def city_clauses(self) -> httpx.Client:
        """The city's referent of the social clauses."""
        return self.seat(self.city, "agent", "clauses-1")

    @property
    def tutor(self) -> httpx.Client:
        """The workplace tutor."""
        return self.seat(self.city, "agent", TUTOR)

    @property
    def social(self) -> httpx.Client:
        """A social worker of the CCAS."""
        return self.seat(self.ccas, "agent", "sociale-1")

    @property
    def agents(self) -> list[httpx.Client]:
        """All who send something under this convention."""
        agency = [self.counsellor, self.clauses, self.territory]
        return [*agency, self.hr, self.city_clauses, self.tutor, self.social]

    def manager(self, org: str) -> httpx.Client:
        """Who answers for an organisation's conventions."""
        return self.seat(org, "manager", "responsable-1")

    # -- time ----------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        """Paris date at the agency."""
        return day_of(self.fed.now(self.agency))

    def day(self, days: int) -> str:
        """The day so many days from now."""
        return (self.today + timedelta(days=days)).isoformat()

    def later(self, days: int) -> None:
        """Let days pass; everybody sits down again."""
        self.days += days
        self.fed.move_clock(timedelta(days=self.days))
        self.close()

    # -- what they record ----------------------------------------------------------------------

    def record(self, client: httpx.Client, path: str, **body: Any) -> httpx.Response:  # noqa: ANN401
        """Record something beside any message, whatever comes of it."""
        return client.post(f"/api/v1/{path}", json=body)

    def act(self, client: httpx.Client, name: str, **content: Any) -> httpx.Response:  # noqa: ANN401
        """Record an act about the case at work, whatever comes of it."""
        return client.post(f"/api/v1/cases/{self.case}/acts/{name}", json=content)

    def person(self, client: httpx.Client) -> str:
        """Register an invented job seeker; returns the local id."""
        body = {"identity": IDENTITY, "representatives": []}
        answer = client.post("/api/v1/persons", json=body).raise_for_status()
        return str(answer.json()["person_id"])

    def seeker(self, person_id: str, **changes: Any) -> None:  # noqa: ANN401 -- JSON values
        """What the agency's file says of a person, as yes or no."""
        known = {
            "person_id": person_id,
            "counsellor": "conseillere-1",
            "commune": ROUEN,
            "eligible": True,
            "explained": True,
            "questioning": True,
        }
        self.record(self.counsellor, "job-seekers", **{**known, **changes}).raise_for_status()

    def agree(self, client: httpx.Client, person_id: str, to: str, **changes: Any) -> str:  # noqa: ANN401
        """Record the person's own agreement; returns its id. to: the partner that will read."""
        org = self.agency if to == self.city else self.city
        before = (self.fed.now(org) - timedelta(minutes=5)).isoformat()
        notice = {"version": "2026-1", "channel": "meeting", "language": "fr", "given_at": before}
        body = {
            "person_id": person_id,
            "recipients": [to],
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

    def ready(self) -> str:
        """A job seeker of the agency's who may be proposed, and who agreed; the agreement."""
        person_id = self.person(self.counsellor)
        self.seeker(person_id)
        return self.agree(self.counsellor, person_id, self.city)

    def within(
        self, client: httpx.Client, message_type: str, to: str, data: dict[str, Any]
    ) -> bool:
        """Send within the case what must be allowed; whether it was accepted."""
        sent = self.tell(client, message_type, to, data, case_id=self.case)
        return bool(sent["state"] == "accepted")

    # -- what they see -------------------------------------------------------------------------

    def content(self, client: httpx.Client) -> Any:  # noqa: ANN401 -- JSON
        """What a side shows its agent of the case at work."""
        return client.get(f"/api/v1/cases/{self.case}").raise_for_status().json()["content"]

    def seen(self, client: httpx.Client, message_id: str) -> dict[str, Any]:
        """What the sender shows again, once asked: from memory alone; nothing where it does not."""
        path = f"/api/v1/received/{message_id}/view"
        client.post(path).raise_for_status()
        answer: httpx.Response = self.wait(
            lambda: client.get(path), lambda found: found.status_code != httpx.codes.CONFLICT
        )
        return dict(answer.json().get("data", {}))
