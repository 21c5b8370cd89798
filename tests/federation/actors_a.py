"""A school and the city at work on convention A through their APIs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final, Literal

from contracts.kernel.organisation import Kind
from services.federation.federation import Federation
from tests.federation.cast import Cast, Seat
from tests.federation.examples import Case, Content, Script
from tests.federation.examples_a import FLOWS, HOST, SCRIPT

READER: Final = "scolarite-1"
"""The agent whom the mayor designated (R131-10-1)."""
BORN: Final = 14
"""Years of the pupils, unless a test says otherwise."""


class Actors(Cast):
    """The head of a school, the referent and the manager of the city, and whoever else asks."""

    script: ClassVar[Script] = SCRIPT
    seats: ClassVar[Mapping[Kind, Seat]] = {
        Kind.SCHOOL: ("manager", "cheffe-1"),
        Kind.CITY: ("referent", "referent-1"),
    }

    @classmethod
    def of(cls, fed: Federation, school: str, city: str) -> Actors:
        """The actors of one school and its city."""
        return cls(fed, {Kind.SCHOOL: school, Kind.CITY: city})

    @property
    def school(self) -> str:
        """Id of the school."""
        return self.orgs[Kind.SCHOOL]

    @property
    def city(self) -> str:
        """Id of the city."""
        return self.orgs[Kind.CITY]

    def reader(self, code: str) -> Seat:
        """A notice to the mayor is read by the designated agent alone."""
        return ("agent", READER) if code == "d1" else super().reader(code)

    # -- what a message rests on ---------------------------------------------------------------

    def prepare(self, first_day: date, last_day: date) -> None:
        """The city registers an association under agreement, and a designated agent."""
        days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
        self.host(HOST, **days)
        designation = {"agent_id": READER, "decision": "arrêté 2026-12", **days}
        self.post(self.client(self.city), "designations", designation)

    def host(self, name: str, **changes: Any) -> None:
        """The city registers who receives pupils."""
        body = {"name": name, "nature": "association", "agreement": "convention 7", **changes}
        self.post(self.client(self.city), "hosts", body)

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
        return str(self.post(self.client(self.school), "persons", body)["person_id"])

    def agree(self, person_id: str, **changes: Any) -> str:
        """Pupil and representative agree to every message of the convention."""
        given = changes.pop("given_at", self.ago(self.school))
        body = {**self.record("agreements", person_id, given), **changes}
        return str(self.post(self.client(self.school), "agreements", body)["agreement_id"])

    def inform(self, person_id: str) -> str:
        """The family is informed of the notice to the mayor."""
        body = self.record("notices", person_id, self.ago(self.school))
        return str(self.post(self.client(self.school), "notices", body)["notice_id"])

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

    def case(self, today: date, first_day: date, code: str = "", **more: Any) -> Case:
        """A pupil of fourteen, informed and agreed, and no message yet; whichever it is for."""
        _ = code
        person = self.pupil(date(today.year - BORN, 1, 15))
        agreement_id = more.pop("agreement_id", None) or self.agree(person)
        notice_id = self.inform(person)
        return Case(today, first_day, agreement_id=agreement_id, notice_id=notice_id, **more)

    def uncased(self, code: str) -> Content:
        """Meetings of the watch cell, which name nobody."""
        due = self.client(self.receiver(code)).get("/api/v1/deadlines").raise_for_status().json()
        return {"watch_cells": [one["subject"] for one in due if one["kind"] == "watch_cell"]}
