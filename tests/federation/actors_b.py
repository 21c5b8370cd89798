"""The city and a Mission Locale at work on convention B through their APIs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Final

from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from tests.federation.cast import Cast, Seat
from tests.federation.examples import Case, Content, Script
from tests.federation.examples_b import FLOWS, SCRIPT

BORN: Final = 17
"""Years of the young persons, unless a test says otherwise: minors, whose representative knows."""
SIDES: Final = (Kind.CITY, Kind.MISSION_LOCALE)


class Actors(Cast):
    """A referent at each side, those who answer for each, and whoever else asks."""

    script: ClassVar[Script] = SCRIPT
    seats: ClassVar[Mapping[Kind, Seat]] = {
        Kind.CITY: ("referent", "referent-1"),
        Kind.MISSION_LOCALE: ("referent", "conseillere-1"),
    }

    def prepare(self, first_day: date, last_day: date) -> None:
        """Each side records the city's signature of the platform's charter, of the first day."""
        _ = last_day
        for kind in SIDES:
            self.sign_charter(kind, first_day)

    def sign_charter(self, kind: Kind, signed_on: date) -> None:
        """One side records that signature."""
        body = {"signed_on": signed_on.isoformat(), "evidence": "e" * 64}
        self.post(self.client(self.orgs[kind]), "psad-charters", body)

    # -- what a message rests on ---------------------------------------------------------------

    def young(self, kind: Kind, birth: date) -> str:
        """A young person in one side's register."""
        identity = {
            "family_name": "Exemplaire",
            "first_name": "Sacha",
            "birth_date": birth.isoformat(),
            "channel": {"kind": "phone", "value": "01 99 00 12 34"},
        }
        body = {"identity": identity, "representatives": []}
        return str(self.post(self.client(self.orgs[kind]), "persons", body)["person_id"])

    def inform(self, kind: Kind, person_id: str) -> None:
        """The representative of a minor is told; nobody asks for their agreement."""
        org = self.orgs[kind]
        told = {"version": "1", "channel": "letter", "language": "fr", "given_at": self.ago(org)}
        body = {"person_id": person_id, **told}
        self.post(self.client(org), "representative-notices", body)

    def agree(self, kind: Kind, person_id: str, **changes: Any) -> str:
        """The young person agrees to every message of the convention, at the side that asks."""
        org = self.orgs[kind]
        given = changes.pop("given_at", self.ago(org))
        body = {**self.record(kind, person_id, given), **changes}
        return str(self.post(self.client(org), "agreements", body)["agreement_id"])

    def record(self, kind: Kind, person_id: str, given: str) -> dict[str, Any]:
        """What is posted there: an agreement with the information before it."""
        (other,) = (one for one in SIDES if one is not kind)
        return {
            "person_id": person_id,
            "recipients": [self.orgs[other]],
            "flows": sorted({flow.type for flow in FLOWS.values()}),
            "giver": "young_person",
            "means": "signed_form",
            "granted": True,
            "assent": "yes",
            "notice": {"version": "1", "channel": "meeting", "language": "fr", "given_at": given},
            "given_at": given,
        }

    def case(self, today: date, first_day: date, code: str = "", **more: Any) -> Case:
        """Somebody of seventeen who agreed, at the side that opens the case of that message."""
        opener = FLOWS[SCRIPT.opener(code)]
        if opener.case is Cardinality.NONE:
            return Case(today, first_day, **more)
        person = self.young(opener.sender, date(today.year - BORN, 1, 15))
        self.inform(opener.sender, person)
        agreement_id = more.pop("agreement_id", None) or self.agree(opener.sender, person)
        return Case(today, first_day, agreement_id=agreement_id, **more)

    def uncased(self, code: str) -> Content:
        """What the other side offers, which names nobody."""
        shown = self.client(self.receiver(code)).get("/api/v1/offers").raise_for_status().json()
        return {"offers": [one["message_id"] for one in shown if not one["sent_here"]]}
