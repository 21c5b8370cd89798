"""Every message of convention A over the real bus: where it crosses, and where it is refused.

Eight organisations run. The clocks of all are moved through the life of one convention, once: its
eve, its first day, the second (a measure begins the day after its contract), the last day and the
day after its end. At each, every message is tried; the tests then look at what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from contracts.kernel.documents import verify
from contracts.kernel.instrument import Cardinality, Flow
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years, day_of
from contracts.kernel.receipts import parse_receipts
from services.chassis.clock import new_id
from services.federation.config import FederationFile
from services.federation.federation import Federation
from services.federation.intruder import published_entry
from tests.federation.actors_a import Actors, at_ten, side_by_side
from tests.federation.answers import signing_key
from tests.federation.examples_a import DUTY, EXAMPLES, FLOWS, Case

SCHOOL, CITY = "college-du-pont", "ville-du-pont"
OTHER = "lycee-du-pont"
"""A school that signed the same text with the same city, and knows nothing of the case."""
UNSIGNED = "college-sans-accord"
KINDS = {
    "ccas-du-pont": "ccas",
    "mission-locale-du-pont": "mission_locale",
    "agence-du-pont": "employment_agency",
    "departement-du-pont": "department",
}
STRANGERS = (UNSIGNED, *KINDS)
"""Organisations of the same federation that signed nothing with the city, of every kind."""
YEARS = 3


def file(signed_on: date) -> FederationFile:
    """Eight organisations; the city has signed with two of the three schools."""
    schools = {SCHOOL: "9990101F", OTHER: "9990102G", UNSIGNED: "9990103H"}
    signature = {"signatory": "maire", "decision": "acte 1", "signed_on": signed_on.isoformat()}
    return FederationFile.model_validate(
        {
            "organisations": [
                *({"id": one, "kind": "school", "uai": uai} for one, uai in schools.items()),
                *({"id": one, "kind": kind} for one, kind in {CITY: "city", **KINDS}.items()),
            ],
            "conventions": [
                {
                    "convention": "a_city_school",
                    "parties": {"city": "every", "school": [SCHOOL, OTHER]},
                    "evidence": "Texte de substitution",
                    "invented": True,
                    "signatures": {"city": signature, "school": signature},
                }
            ],
        }
    )


@dataclass
class Crossing:
    """A message that was allowed: as its sender holds it, and its effect before and after."""

    message: dict[str, Any]
    before: bool
    after: bool


@dataclass
class Life:
    """What came of every message, by its code."""

    fed: Federation
    eve: dict[str, httpx.Response] = field(default_factory=dict)
    first: dict[str, Crossing] = field(default_factory=dict)
    last: dict[str, Crossing] = field(default_factory=dict)
    over: dict[str, httpx.Response] = field(default_factory=dict)
    others: dict[str, dict[str, httpx.Response]] = field(default_factory=dict)
    back: dict[str, httpx.Response] = field(default_factory=dict)


class Narrator:
    """Moves the clocks, and has every message sent."""

    def __init__(self, fed: Federation, signed_on: date) -> None:
        self.actors = Actors(fed, SCHOOL, CITY)
        self.signed_on = signed_on
        self.ended_on = add_years(signed_on, YEARS)
        self.life = Life(fed)

    def tell(self) -> Life:
        """The whole life of the convention."""
        day = timedelta(days=1)
        self.on(self.signed_on - day)
        self.actors.registers(self.signed_on - day, self.ended_on + timedelta(days=30))
        self.life.eve = self.tried(self.signed_on - day, self.fresh(self.signed_on - day))
        self.on(self.signed_on)
        cases = self.ready(self.signed_on, self.signed_on + day)
        self.through(self.life.first, cases, self.signed_on, during=False)
        self.on(self.signed_on + day)
        self.through(self.life.first, cases, self.signed_on + day, during=True)
        before_last, last = self.ended_on - 2 * day, self.ended_on - day
        self.on(before_last)
        cases, left = (self.ready(before_last, last) for _ in range(2))
        self.on(last)
        for during in (False, True):
            self.through(self.life.last, cases, last, during=during, alone=True)
        self.on(self.ended_on)
        self.life.over = self.tried(self.ended_on, left)
        return self.life

    def on(self, day: date) -> None:
        """Everybody lives on that day."""
        self.actors.go(at_ten(day))
        self.actors.open_desks()

    def fresh(self, today: date) -> dict[str, Case]:
        """Cases of which nobody knows anything yet, under ids that nobody holds."""
        later = today + timedelta(days=2)
        return {code: self.actors.case(today, later, case_id=new_id()) for code in FLOWS}

    def ready(self, today: date, then: date) -> dict[str, Case]:
        """For each message a case that waits for it alone; measures that run begin that day."""

        def one(code: str) -> Case:
            example = EXAMPLES[code]
            first_day = then if example.during else then + timedelta(days=3)
            return self.actors.play(self.actors.case(today, first_day), example.after)

        return dict(zip(FLOWS, side_by_side(partial(one, code) for code in FLOWS), strict=True))

    def tried(self, today: date, cases: dict[str, Case]) -> dict[str, httpx.Response]:
        """What is answered when each is asked, allowed or not."""
        for case in cases.values():
            case.today = today
        return {code: self.actors.ask(code, cases[code]) for code in FLOWS}

    def through(
        self,
        kept: dict[str, Crossing],
        cases: dict[str, Case],
        today: date,
        *,
        during: bool,
        alone: bool = False,
    ) -> None:
        """Each is sent and accepted; before that, unless alone, everybody else tries the same."""
        codes = [code for code in FLOWS if EXAMPLES[code].during is during]
        for code in codes:
            cases[code].today = today
            if not alone:
                self.life.others[code] = self.others(code, cases[code])
                if not _both_ways(code):
                    self.life.back[code] = self.back(code, cases[code])

        def one(code: str) -> Crossing:
            case, seen = cases[code], EXAMPLES[code].seen
            before = self.actors.content(code, case)
            message = self.actors.tell(code, case)
            after = self.actors.content(code, case)
            known = bool(before) and seen(before, message["message_id"])
            return Crossing(message, known, seen(after, message["message_id"]))

        made = side_by_side(partial(one, code) for code in codes)
        kept.update(zip(codes, made, strict=True))

    def others(self, code: str, case: Case) -> dict[str, httpx.Response]:
        """The same request from every organisation that is neither of the two."""
        flow, rest = FLOWS[code], {OTHER, *STRANGERS}
        if flow.case is Cardinality.NONE:
            rest.remove(OTHER)  # it names nobody, and that school has signed for itself
        own = Case(case.today, case.first_day, case.days, case.case_id)
        to = self.actors.orgs[flow.receiver]
        body = own.body(code, to)
        return {
            org: self.actors.client(org, "manager", "autre-1").post("/api/v1/messages", json=body)
            for org in sorted(rest)
        }

    def back(self, code: str, case: Case) -> httpx.Response:
        """The same request the other way round."""
        flow = FLOWS[code]
        receiver, sender = self.actors.orgs[flow.receiver], self.actors.orgs[flow.sender]
        agent = ("referent", "referent-1") if flow.receiver is Kind.CITY else ("agent", "agent-1")
        own = Case(case.today, case.first_day, case.days, case.case_id)
        body = own.body(code, sender)
        return self.actors.client(receiver, *agent).post("/api/v1/messages", json=body)


def _both_ways(code: str) -> list[str]:
    """Codes under which the same type goes the other way."""
    flow = FLOWS[code]
    way = (flow.type, flow.receiver, flow.sender)
    return [one.code for one in FLOWS.values() if (one.type, one.sender, one.receiver) == way]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    signed_on = day_of(datetime.now(UTC))
    home = tmp_path_factory.mktemp("town-a")
    with Federation.create(home, file(signed_on)) as fed:
        narrator = Narrator(fed, signed_on)
        try:
            yield narrator.tell()
        finally:
            narrator.actors.close()


def reasons(answer: httpx.Response) -> set[tuple[str, str]]:
    """Articles and codes with which the gate refused; fails unless it did."""
    assert answer.status_code == HTTPStatus.FORBIDDEN, answer.text
    body = answer.json()
    assert (body["code"], body["type"]) == ("refused", "urn:relais:problem:refused")
    found = {(one["article"], one["code"]) for one in body["reasons"]}
    assert {article for article, _ in found} == set(body["articles"])
    return found


def articles(answer: httpx.Response) -> set[str]:
    """Articles on which the gate refused."""
    return {article for article, _ in reasons(answer)}


def test_every_message_of_the_text_has_its_example() -> None:
    """A flow that is added to convention A without an example fails here."""
    assert set(EXAMPLES) == set(FLOWS)
    for code, example in EXAMPLES.items():
        assert set(example.after) <= set(EXAMPLES), code


@pytest.mark.parametrize("code", FLOWS)
def test_it_crosses_to_its_receiver(life: Life, code: str) -> None:
    """Accepted, with the receiver's signed receipt, and an effect there that was not before."""
    made, receiver = life.first[code], _org(FLOWS[code].receiver)
    assert (made.before, made.after) == (False, True)
    receipt = made.message["receipt"]
    assert (receipt["status"], receipt["from"]) == ("received", receiver)
    entry = published_entry(life.fed.layout.node_dir(CITY), receiver)
    batch = parse_receipts(verify(receipt["signed"], signing_key(entry)))
    said = {(one.message_id, one.status) for one in batch.receipts}
    assert (made.message["message_id"], "received") in said


@pytest.mark.parametrize("code", [code for code in FLOWS if not _both_ways(code)])
def test_it_is_refused_the_other_way_round(life: Life, code: str) -> None:
    assert (FLOWS[code].article, "flow") in reasons(life.back[code])
    assert life.first[code].message["state"] == "accepted"


def test_a_type_that_goes_both_ways_is_two_messages() -> None:
    """Each has its own code, article and checks, and crosses above; there is no way back to try."""
    pairs = [("m4", "m5"), ("m10", "m11"), ("m14", "m15"), ("m16", "m17"), ("m19", "m20")]
    both = {code: _both_ways(code) for code in FLOWS if _both_ways(code)}
    assert both == {one: [other] for pair in pairs for one, other in (pair, pair[::-1])}


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_from_every_other_organisation(life: Life, code: str) -> None:
    """Strangers are bound by nothing; the other school has the text, and not the case."""
    flow = FLOWS[code]
    nothing = {("L131-6" if code in DUTY else "A-0.1", "unbound"), (flow.article, "flow")}
    for org in STRANGERS:
        assert nothing <= reasons(life.others[code][org]), org
    if flow.case is not Cardinality.NONE:
        wanted = {"A-1.3"} if flow.case is Cardinality.WITHIN else {_agreed(flow)}
        assert wanted <= articles(life.others[code][OTHER])
    assert life.first[code].message["state"] == "accepted"


@pytest.mark.parametrize("code", [code for code in FLOWS if code not in DUTY])
def test_it_is_refused_outside_the_dates_of_the_convention(life: Life, code: str) -> None:
    """The eve and the day after the end; allowed on the first day and on the last."""
    assert ("A-9.1", "term") in reasons(life.eve[code]) & reasons(life.over[code])
    if FLOWS[code].case is not Cardinality.WITHIN:
        assert articles(life.eve[code]) == {"A-9.1", "A-11.1"}
    assert life.first[code].message["state"] == life.last[code].message["state"] == "accepted"
    assert life.last[code].after


@pytest.mark.parametrize("code", DUTY)
def test_the_duty_of_the_law_holds_whatever_is_signed(life: Life, code: str) -> None:
    """The text only recalls it: neither its eve nor its end closes what the law asks (A-0.3)."""
    for answer in (life.eve[code], life.over[code]):
        assert answer.status_code == HTTPStatus.ACCEPTED, answer.text


def _org(kind: Kind) -> str:
    return {Kind.SCHOOL: SCHOOL, Kind.CITY: CITY}[kind]


def _agreed(flow: Flow) -> str:
    """Article on which an opening message is refused where nobody was asked or told."""
    asked = {"A-2.11", "A-4.4", "RGPD 13"}
    return next(check.article for check in flow.checks if check.article in asked)
