"""A department and a Mission Locale at work on convention D through their APIs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final

from contracts.conventions.d_department_mission_locale.convention import CONVENTION, DUTIES
from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years
from tests.federation.cast import Cast, Seat
from tests.federation.examples import Case, Content, Script
from tests.federation.examples_d import DUTY, FLOWS, SCRIPT

SIDES: Final = (Kind.DEPARTMENT, Kind.MISSION_LOCALE)
FOUNDATIONS: Final = {"local-implementations": "manager", "impact-assessments": "dpo"}
"""What opens the frame at a side, and the role that records it."""
DESIGNATED: Final = ("agent", "obligation-1")
"""Who alone may open what the law has the department told."""


class Actors(Cast):
    """A referent and an adviser, those who answer for each side, and whoever else asks."""

    script: ClassVar[Script] = SCRIPT
    seats: ClassVar[Mapping[Kind, Seat]] = {
        Kind.DEPARTMENT: ("referent", "referente-1"),
        Kind.MISSION_LOCALE: ("referent", "conseillere-1"),
    }

    def prepare(self, first_day: date, last_day: date) -> None:
        """Each side records its two foundations, and the department whom it designates."""
        _ = last_day
        for kind in SIDES:
            for path in FOUNDATIONS:
                self.found(kind, path, first_day)
        self.designate(first_day)

    def signed(self, org: str) -> list[str]:
        """Ids of the conventions D of an organisation."""
        held = self.client(org).get("/api/v1/conventions").raise_for_status().json()
        return [one["convention_id"] for one in held if one["convention"] == CONVENTION.code]

    def found(self, kind: Kind, path: str, decided_on: date) -> None:
        """One side records one foundation, for every convention that it signed."""
        org, role = self.orgs[kind], FOUNDATIONS[path]
        client = self.client(org, role, f"{role}-1")
        for signed in self.signed(org):
            body = {
                "convention_id": signed,
                "decided_on": decided_on.isoformat(),
                "evidence": "e" * 64,
            }
            self.post(client, path, body)

    def designate(self, first_day: date) -> None:
        """The department designates who is told of a breach."""
        body = {
            "agent_id": DESIGNATED[1],
            "first_day": first_day.isoformat(),
            "decision": "arrêté inventé",
        }
        self.post(self.client(self.orgs[Kind.DEPARTMENT]), "designations", body)

    def reader(self, code: str) -> Seat:
        """Who looks at the receiver; of a breach, the designated agent alone."""
        return DESIGNATED if code in DUTY else super().reader(code)

    # -- what a message rests on ---------------------------------------------------------------

    def young(self, kind: Kind, birth: date) -> str:
        """A young person in one side's register."""
        holder = {
            "family_name": "Exemplaire",
            "first_name": "Dominique",
            "channel": {"kind": "email", "value": "dominique@famille.example"},
        }
        identity = {
            "family_name": "Exemplaire",
            "first_name": "Sacha",
            "birth_date": birth.isoformat(),
            "channel": {"kind": "phone", "value": "01 99 00 12 34"},
        }
        body = {"identity": identity, "representatives": [holder]}
        return str(self.post(self.client(self.orgs[kind]), "persons", body)["person_id"])

    def inform(self, person_id: str) -> None:
        """The holder of a minor's parental authority is told; nothing is asked of them."""
        org = self.orgs[Kind.DEPARTMENT]
        body = {"person_id": person_id, **self._told(org, "letter")}
        self.post(self.client(org), "holder-notices", body)

    def notify(self, person_id: str) -> str:
        """The Mission Locale tells of what the law has it transmit; the notice's id."""
        org = self.orgs[Kind.MISSION_LOCALE]
        body = {"person_id": person_id, "instrument": DUTIES[0].code, **self._told(org, "letter")}
        return str(self.post(self.client(org), "notices", body)["notice_id"])

    def agree(self, person_id: str, **changes: Any) -> str:
        """The young person agrees to every message of the convention."""
        org = self.orgs[Kind.DEPARTMENT]
        told = self._told(org, "meeting")
        given = changes.pop("given_at", told["given_at"])
        body = {
            "person_id": person_id,
            "recipients": [self.orgs[Kind.MISSION_LOCALE]],
            "flows": sorted({flow.type for flow in CONVENTION.flows}),
            "giver": "young_person",
            "means": "in_person",
            "granted": True,
            "assent": "yes",
            "notice": {**told, "given_at": given},
            "given_at": given,
            **changes,
        }
        return str(self.post(self.client(org), "agreements", body)["agreement_id"])

    def _told(self, org: str, channel: str) -> dict[str, str]:
        return {"version": "1", "channel": channel, "language": "fr", "given_at": self.ago(org)}

    def case(self, today: date, first_day: date, code: str = "", **more: Any) -> Case:
        """Somebody of sixteen who agreed; of a breach, who was told of it."""
        opener = FLOWS[SCRIPT.opener(code or "m1")]
        birth = more.pop("birth", None) or add_years(today, -16)
        if opener.case is Cardinality.NONE:
            return Case(today, first_day, **more)
        person = self.young(opener.sender, birth)
        if opener.code in DUTY:
            return Case(today, first_day, notice_id=self.notify(person), **more)
        self.inform(person)
        return Case(today, first_day, agreement_id=self.agree(person), **more)

    def uncased(self, code: str) -> Content:
        """The yearly sheets that the receiver reads, of all its conventions; nobody is in them."""
        org = self.receiver(code)
        found = list[Any]()
        for signed in self.signed(org):
            path = f"/api/v1/yearly-indicators?convention_id={signed}"
            found += self.client(org).get(path).raise_for_status().json()
        return {"sheets": found}
