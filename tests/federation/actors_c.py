"""The employment agency, the city and the CCAS at work on convention C through their APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar, Final

import httpx

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years, day_of
from services.conventions.c_employment_city_ccas.seekers import COMMUNE
from tests.federation.cast import Cast, Seat
from tests.federation.examples import Case, Content, Script
from tests.federation.examples_c import CONTACT, FLOWS, LAST, SCRIPT, SECOND, number

PARTIES: Final = (Kind.EMPLOYMENT_AGENCY, Kind.CITY, Kind.CCAS)
COUNSELLOR: Final = "conseillere-1"
DESKS: Final[Mapping[Kind, Mapping[str, str | None]]] = {
    Kind.EMPLOYMENT_AGENCY: {
        "employer": "beauvoisine",
        "social_clauses": "aubette",
        "zero_unemployment": "saint_sever",
    },
    Kind.CITY: {"human_resources": None, "social_clauses": None},
    Kind.CCAS: {},
}
"""What the one agent of each party deals with, and for which local agency."""
LISTS: Final = {
    "pec.offer_published": "pec-offers",
    "clause.opportunity": "clause-opportunities",
    "campaign.requested": "campaigns",
    "campaign.sent": "campaigns",
    "census.aggregate": "censuses",
    "referents.published": "referents",
    "antenna_referents.published": "antennas",
    "communication.announced": "announcements",
    "immersion_trades.published": "arrivals",
}
"""Where a party's agents see what belongs to no case; of a list of trades, that it came."""
FAMILIES: Final = {Kind.EMPLOYMENT_AGENCY: "Imaginaire", Kind.CITY: "Fabuleuse"}
"""Family name of the persons whom each side registers, so that none is taken for the other's."""
ENDED_ON: Final = CONVENTION.term.until
"""First day after the text's own term, on which a final report is written."""


class Actors(Cast):
    """One agent with all the desks of each party, whoever answers for it, and whoever else asks."""

    script: ClassVar[Script] = SCRIPT
    seats: ClassVar[Mapping[Kind, Seat]] = {
        Kind.EMPLOYMENT_AGENCY: ("referent", COUNSELLOR),
        Kind.CITY: ("agent", "rh-1"),
        Kind.CCAS: ("agent", "sociale-1"),
    }

    def reader(self, code: str) -> Seat:
        """The agent whose desk it is."""
        return self.seats[FLOWS[code].receiver]

    def tutor(self, case: Case) -> httpx.Client:
        """The workplace tutor of a case."""
        client = self.client(self.orgs[Kind.CITY], "agent", tutor_of(case))
        self.read(Kind.CITY, client)
        return client

    # -- what every message rests on -----------------------------------------------------------

    def open_desks(self) -> None:
        """Everybody reads the text as it then is; each day on which it is in force all sit down."""
        super().open_desks()
        for kind in PARTIES:
            self.read_here(kind)
        if any(one["state"] == "in_force" for one in self.held(Kind.CITY)):
            for kind in PARTIES:
                self.sit_down(kind)
            self.interview(day_of(self.fed.now(self.orgs[Kind.CITY])))

    def sit_down(self, kind: Kind) -> None:
        """The agent of a party takes its desks, once the text is read; its colleagues are told."""
        self.read_here(kind)
        for one in (CONTACT, SECOND):
            self.tell_staff(kind, str(one["name"]))
        for task in DESKS[kind]:
            self.desk(kind, task)

    def prepare(self, first_day: date, last_day: date) -> None:
        """The report on the text's own term, at each party."""
        _ = first_day, last_day
        for kind in PARTIES:
            self.report(kind)

    def held(self, kind: Kind) -> list[dict[str, Any]]:
        """The conventions C of a party, as its node holds them."""
        found = self.client(self.orgs[kind]).get("/api/v1/conventions").raise_for_status().json()
        return [one for one in found if one["convention"] == CONVENTION.code]

    def read_here(self, kind: Kind) -> None:
        """The agent of a party, and who answers for it, know the text."""
        for client in (self.seated(kind), self.client(self.orgs[kind])):
            self.read(kind, client)

    def read(self, kind: Kind, client: httpx.Client | None = None) -> None:
        """An agent knows the present version of what the party has signed (C-5.5)."""
        for one in self.held(kind):
            if one["version"] is None:
                continue  # nothing applies yet
            body = {"convention_id": one["convention_id"], "version": one["version"]}
            self.post(client or self.seated(kind), "convention-readings", body)

    def tell_staff(self, kind: Kind, name: str) -> None:
        """A colleague at a party knows that the professional contact is passed on (C-6.2)."""
        org = self.orgs[kind]
        self.post(self.client(org), "staff-notices", {"name": name, "told_at": self.ago(org)})

    def desk(self, kind: Kind, task: str, agent: str = "", *, closed: bool = False) -> None:
        """An agent of a party takes a task, or leaves it."""
        body = {"task": task, "agency": DESKS[kind][task], "agent_id": agent or self.seats[kind][1]}
        self.post(self.client(self.orgs[kind]), "desks/closed" if closed else "desks", body)

    def report(self, kind: Kind) -> None:
        """A party records the final report on the text's own term (C-8.2)."""
        written = day_of(self.fed.now(self.orgs[kind])).isoformat()
        for one in self.held(kind):
            body = {
                "convention_id": one["convention_id"],
                "term_ends_on": None if ENDED_ON is None else ENDED_ON.isoformat(),
                "written_on": written,
                "evidence": "e" * 64,
            }
            self.post(self.client(self.orgs[kind]), "final-reports", body)

    def interview(self, held_on: date) -> None:
        """The employer's diagnostic interview with the agency (C-3a.1)."""
        body = {"held_on": held_on.isoformat()}
        self.post(self.seated(Kind.CITY), "employer-interviews", body)

    # -- persons -------------------------------------------------------------------------------

    def person(self, kind: Kind, birth: date) -> str:
        """A job seeker in one side's register."""
        identity = {
            "family_name": FAMILIES[kind],
            "first_name": "Maxence",
            "birth_date": birth.isoformat(),
            "channel": {"kind": "phone", "value": "01 99 00 56 78"},
        }
        body = {"identity": identity, "representatives": []}
        return str(self.post(self.seated(kind), "persons", body)["person_id"])

    def seeker(self, person_id: str, **changes: Any) -> None:
        """What the agency's file says of a person, as yes or no."""
        known = {
            "person_id": person_id,
            "counsellor": COUNSELLOR,
            "commune": COMMUNE,
            **dict.fromkeys(("eligible", "explained", "questioning"), True),
        }
        self.post(self.seated(Kind.EMPLOYMENT_AGENCY), "job-seekers", {**known, **changes})

    def volunteer(self, person_id: str) -> None:
        """A person asks the agency to make own skills known (C-3e.5)."""
        body = {"person_id": person_id, "asked_at": self.ago(self.orgs[Kind.EMPLOYMENT_AGENCY])}
        self.post(self.seated(Kind.EMPLOYMENT_AGENCY), "volunteers", body)

    def agree(self, kind: Kind, person_id: str, **changes: Any) -> str:
        """The person agrees to every message between the agency and the city, where it is asked."""
        given = changes.pop("given_at", self.ago(self.orgs[kind]))
        body = {**self.record(kind, person_id, given), **changes}
        return str(self.post(self.seated(kind), "agreements", body)["agreement_id"])

    def record(self, kind: Kind, person_id: str, given: str) -> dict[str, Any]:
        """What is posted there: an agreement with the information before it."""
        (other,) = {Kind.EMPLOYMENT_AGENCY, Kind.CITY} - {kind}
        return {
            "person_id": person_id,
            "recipients": [self.orgs[other]],
            "flows": sorted({flow.type for flow in FLOWS.values()}),
            "giver": "young_person",
            "means": "in_person",
            "granted": True,
            "assent": "yes",
            "notice": {"version": "1", "channel": "meeting", "language": "fr", "given_at": given},
            "given_at": given,
        }

    def case(self, today: date, first_day: date, code: str = "", **more: Any) -> Case:
        """Somebody of thirty who agreed, at the side that opens the case of that message."""
        opener = FLOWS[SCRIPT.opener(code or "m1")]
        birth = more.pop("birth", None) or add_years(today, -30)
        if opener.case is Cardinality.NONE:
            return Case(today, first_day, **more)
        person = self.person(opener.sender, birth)
        if opener.sender is Kind.EMPLOYMENT_AGENCY:
            self.seeker(person)
        if opener.type == "volunteer.skills_offered":
            self.volunteer(person)
        agreement = self.agree(opener.sender, person)
        return Case(today, first_day, agreement_id=agreement, **more)

    # -- acts about a case ---------------------------------------------------------------------

    def act(self, client: httpx.Client, case: Case, name: str, **content: Any) -> None:
        """Record an act about a case."""
        self.post(client, f"cases/{case.case_id}/acts/{name}", content)

    def lead_up(self, code: str, case: Case) -> None:
        """What each message from the contract on, and the answer on the clauses, waits for."""
        agency = self.seated(Kind.EMPLOYMENT_AGENCY)
        told_at = self.ago(self.orgs[Kind.EMPLOYMENT_AGENCY])
        acts: dict[str, Callable[[], None]] = {
            "m4": partial(self.name_tutor, case),
            "m6": lambda: self.act(self.tutor(case), case, "booklet_filled", step=LAST),
            "m7": partial(self.act, agency, case, "booklet_filled", step=LAST),
            "m8": partial(self.act, agency, case, "booklet_read", step=LAST, prospects=False),
            "m13": partial(self.act, agency, case, "person_told", at=told_at),
        }
        if code in acts:
            acts[code]()

    def name_tutor(self, case: Case, staff_id: str = "", **changes: Any) -> None:
        """A tutor of the case's own, whom every rule allows but for the changes, and named."""
        day = (case.today - timedelta(days=10)).isoformat()
        tutor = {
            "staff_id": staff_id or tutor_of(case),
            "volunteered_on": day,
            "qualified_on": day,
            "working_since": add_years(case.today, -10).isoformat(),
            "supported": False,
            **changes,
        }
        city = self.seated(Kind.CITY)
        self.post(city, "tutors", tutor)
        self.act(city, case, "tutor_named", staff_id=tutor["staff_id"])

    # -- what is seen --------------------------------------------------------------------------

    def content(self, code: str, case: Case) -> Content:
        """As for every convention; beside a list, what tells this case's line from the others."""
        found = super().content(code, case)
        if FLOWS[code].case is Cardinality.NONE:
            found |= {
                "mark": case.mark,
                "number": number(case),
                "today": case.today.isoformat(),
                "sender": self.orgs[FLOWS[code].sender],
            }
        return found

    def uncased(self, code: str) -> Content:
        """The list in which the receiver's agents see it."""
        client = self.client(self.receiver(code), *self.reader(code))
        path = f"/api/v1/{LISTS[FLOWS[code].type]}"
        return {"rows": client.get(path).raise_for_status().json()}


def tutor_of(case: Case) -> str:
    """Staff id of the tutor of a case."""
    return f"tutrice-{case.mark[:8]}"
