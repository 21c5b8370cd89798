"""A fifth convention is one folder: it compiles, crosses the bus, and is refused out of its bounds.

The folder is of the tests' own (`fifth`), between two kinds that no text of the product joins; the
product learns of it by the name of its package, and by no other line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from itertools import permutations
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import registry
from contracts.broker.subjects import letter_subject
from contracts.kernel.documents import kid_of
from contracts.kernel.envelope import Envelope, bind
from contracts.kernel.instrument import subject_token
from contracts.kernel.organisation import Suite
from contracts.kernel.paris import add_years, day_of
from services.chassis.clock import new_id
from services.chassis.keys import NodeKeys
from services.chassis.letters import ID_HEADER, KEY_HEADER, SUITE_HEADER
from services.chassis.sealing import choose_key, seal
from services.chassis.secret import NodeSecret
from services.federation.config import CONVENTIONS, FederationFile
from services.federation.federation import Federation
from services.federation.intruder import Intruder, published_entry
from services.federation.layout import leaf_of
from services.federation.ports import HOST
from tests.federation import fifth
from tests.federation.town import until

SCHOOL, MISSION = "lycee-des-metiers", "mission-locale-du-val"
SIGNED = f"e-{SCHOOL}-{MISSION}"
PROPOSED = {"weeks": 2, "trade": "woodwork"}


def file(signed_on: date) -> FederationFile:
    signature = {"signatory": "direction", "decision": "acte 1", "signed_on": signed_on.isoformat()}
    return FederationFile.model_validate(
        {
            "organisations": [
                {"id": SCHOOL, "kind": "school", "name": "Lycée", "uai": "9990101F"},
                {"id": MISSION, "kind": "mission_locale", "name": "Mission Locale"},
            ],
            "conventions": [
                {
                    "convention": "e_school_mission_locale",
                    "parties": {"school": "every", "mission_locale": "every"},
                    "evidence": "Texte de substitution",
                    "invented": True,
                    "signatures": {"school": signature, "mission_locale": signature},
                }
            ],
        }
    )


class Two:
    """The two organisations, running."""

    def __init__(self, federation: Federation) -> None:
        self.fed = federation
        self.school = federation.client(SCHOOL, "agent", "cpe-1")
        self.mission = federation.client(MISSION, "agent", "conseiller-1")
        for client in (self.school, self.mission):
            client.post("/api/v1/charter", json={"version": "1"}).raise_for_status()

    def close(self) -> None:
        self.school.close()
        self.mission.close()

    def code(self, org: str) -> str:
        return self.fed.layout.federation.member(org).code

    def subject(self, sender: str, receiver: str, code: str) -> str:
        codes = self.code(receiver), self.code(sender)
        return letter_subject(*codes, subject_token(SIGNED), code)

    def born(self, years: int, days: int = 0) -> date:
        """Birth date of somebody who is that old today, or was, or will be, some days from now."""
        return add_years(day_of(self.fed.now(SCHOOL)), -years) - timedelta(days=days)

    def agree(self, birth: date, giver: str) -> str:
        identity = {"family_name": "Exemplaire", "first_name": "Noa", "channel": None}
        parent = {
            "family_name": "Exemplaire",
            "first_name": "Dominique",
            "channel": {"kind": "email", "value": "dominique@famille.example"},
        }
        body = {
            "identity": {**identity, "birth_date": birth.isoformat()},
            "representatives": [parent],
        }
        person = self.school.post("/api/v1/persons", json=body).raise_for_status().json()
        ago = (self.fed.now(SCHOOL) - timedelta(minutes=5)).isoformat()
        record = {
            "person_id": person["person_id"],
            "recipients": [MISSION],
            "flows": ["discovery.proposed", "discovery.answered"],
            "giver": giver,
            "authority": None if giver == "young_person" else "parental",
            "means": "in_person",
            "granted": True,
            "assent": "not_asked",
            "notice": {"version": "1", "channel": "letter", "language": "fr", "given_at": ago},
            "given_at": ago,
        }
        answer = self.school.post("/api/v1/agreements", json=record).raise_for_status()
        return str(answer.json()["agreement_id"])

    def propose(self, agreement_id: str, **changes: Any) -> httpx.Response:
        body = {"type": "discovery.proposed", "to": MISSION, "agreement_id": agreement_id}
        data = {**PROPOSED, **changes}
        return self.school.post("/api/v1/messages", json={**body, "data": data})


def accepted(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
    path = f"/api/v1/messages/{answer.json()['message_id']}"
    until(lambda: client.get(path).json()["state"] == "accepted", "not accepted")
    found: dict[str, Any] = client.get(path).json()
    return found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    home = tmp_path_factory.mktemp("fifth")
    signed_on = datetime.now(UTC).date() - timedelta(days=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONVENTIONS, fifth.__name__)
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        federation = Federation.create(home, file(signed_on))
        signed = federation.start()
    try:
        assert signed == [SIGNED]
        made = Two(federation)
        yield made
        made.close()
    finally:
        federation.stop()


def test_it_is_found_by_its_folder_and_by_nothing_else() -> None:
    assert set(registry.load(fifth).conventions) == {"e_school_mission_locale"}
    assert "e_school_mission_locale" not in registry.load().conventions


def test_it_compiles_to_the_grants_of_its_flows_and_no_more(two: Two) -> None:
    both = permutations((SCHOOL, MISSION), 2)
    wanted = {two.subject(one, other, code) for one, other in both for code in "kr"}
    wanted |= {two.subject(SCHOOL, MISSION, "m1"), two.subject(MISSION, SCHOOL, "m2")}
    state = httpx.get(f"{two.fed.url('registrar')}/state").json()
    assert set(state["open"]) == wanted
    assert (state["withheld"], state["failure"]) == ({}, None)


def test_it_crosses_the_bus_both_ways_and_is_held_on_both_sides(two: Two) -> None:
    agreement = two.agree(two.born(17), "representative")
    case_id = accepted(two.school, two.propose(agreement))["case_id"]
    there = two.mission.get(f"/api/v1/cases/{case_id}").json()
    assert there["person"]["identity"]["first_name"] == "Noa"
    assert (there["convention_id"], there["state"]) == (SIGNED, "open")
    body = {"type": "discovery.answered", "to": SCHOOL, "case_id": case_id}
    data = {"decision": "found", "starts_on": "2031-03-03"}
    answer = two.mission.post("/api/v1/messages", json={**body, "data": data})
    accepted(two.mission, answer)
    two.school.post(f"/api/v1/agreements/{agreement}/withdrawal").raise_for_status()
    until(
        lambda: two.mission.get(f"/api/v1/cases/{case_id}").json()["state"] == "stopped",
        "the withdrawal did not come",
    )
    refused = two.propose(agreement).json()
    assert refused["articles"] == ["E-1.4"]


@pytest.mark.parametrize(
    ("years", "days", "giver", "allowed"),
    [
        (16, -1, "representative", False),
        (16, 0, "representative", True),
        (26, -1, "young_person", True),
        (26, 0, "young_person", False),
    ],
)
def test_its_age_bracket_holds_to_the_day(
    two: Two, years: int, days: int, giver: str, *, allowed: bool
) -> None:
    answer = two.propose(two.agree(two.born(years, days), giver))
    if allowed:
        accepted(two.school, answer)
        return
    body = answer.json()
    assert (answer.status_code, body["articles"]) == (HTTPStatus.FORBIDDEN, ["E-1.2"])
    assert body["detail"] == "Seuls les 16-25 ans découvrent un métier."


@pytest.mark.parametrize(("weeks", "allowed"), [(0, False), (1, True), (4, True), (5, False)])
def test_its_limit_holds_on_both_sides(two: Two, weeks: int, *, allowed: bool) -> None:
    answer = two.propose(two.agree(two.born(20), "young_person"), weeks=weeks)
    if allowed:
        accepted(two.school, answer)
        return
    body = answer.json()
    assert (answer.status_code, body["articles"]) == (HTTPStatus.FORBIDDEN, ["E-2.2"])
    assert body["detail"] == "Une découverte dure de une à quatre semaines."


def test_a_needless_field_is_refused_on_its_own_article(two: Two) -> None:
    agreement_id = two.agree(two.born(20), "young_person")
    answer = two.propose(agreement_id, remark="rien")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert answer.json()["articles"] == ["E-3.2"]
    accepted(two.school, two.propose(agreement_id))


@pytest.mark.parametrize(
    ("weeks", "reason"),
    [
        (2, ("not_open", ["E-1.2", "E-1.3", "E-1.4"])),
        (5, ("not_open", ["E-1.2", "E-1.3", "E-1.4", "E-2.2"])),
        (99, ("invalid", ["schema"])),
    ],
)
async def test_the_receiver_refuses_what_a_sender_without_a_gate_writes(
    two: Two, weeks: int, reason: tuple[str, list[str]]
) -> None:
    """The school's own keys and credentials, and no gate: the receiver's holds."""
    message_id = new_id()
    headers, body = letter(two, message_id, weeks)
    password = NodeSecret.load(two.fed.layout.secret_file(SCHOOL)).nats_password("app")
    url = f"nats://{HOST}:{two.fed.layout.ports[leaf_of(SCHOOL)]}"
    async with Intruder(url, password) as intruder:
        subject = two.subject(SCHOOL, MISSION, "m1")
        assert await intruder.publish(subject, headers, body) == "stored"
    with two.fed.client(MISSION, "operator", "operateur-1") as operator:

        def dead() -> list[tuple[str, list[str]]]:
            listed = operator.get("/api/v1/dead-letters").json()
            return [(o["reason"], o["articles"]) for o in listed if o["message_id"] == message_id]

        until(lambda: bool(dead()), "nothing was refused")
        assert dead() == [reason]


def letter(two: Two, message_id: str, weeks: int) -> tuple[dict[str, str], bytes]:
    """A proposal signed and sealed as it should be, that no gate of the school allowed."""
    now, folder = two.fed.now(SCHOOL), two.fed.layout.node_dir(SCHOOL)
    keys = NodeKeys.open(folder, SCHOOL, now)
    identity = {"family_name": "Exemplaire", "first_name": "Noa", "channel": None}
    envelope = Envelope(
        id=message_id,
        type="discovery.proposed",
        source=SCHOOL,
        to=MISSION,
        time=now,
        expiresat=now + timedelta(days=1),
        instrument=SIGNED,
        version=1,
        purpose="work_discovery",
        caseid=new_id(),
        seq=1,
        data={
            "young_person": {**identity, "birth_date": two.born(15).isoformat()},
            "weeks": weeks,
            "trade": "care",
        },
    )
    key = choose_key(published_entry(folder, MISSION).encryption_keys, Suite.XWING)
    assert key is not None
    sealed = seal(
        bind([envelope.to_plaintext()]),
        signer=keys.signing,
        kid=kid_of(keys.signing),
        to=key,
        subject=two.subject(SCHOOL, MISSION, "m1"),
        message_id=message_id,
    )
    return {ID_HEADER: message_id, SUITE_HEADER: key.suite.value, KEY_HEADER: key.kid}, sealed


def test_its_dates_are_its_own(two: Two) -> None:
    """Two years from its signature, a review every six months, a month to destroy."""
    (held,) = two.school.get("/api/v1/conventions").json()
    signed_on = date.fromisoformat(held["signed_on"])
    assert held["ends_on"] == add_years(signed_on, 2).isoformat()
    assert held["title"] == "Découverte des métiers"
    (flow,) = two.school.get("/api/v1/flows").json()["send"]
    assert {gate["article"] for gate in flow["gates"]} >= {"E-1.2", "E-4.1", "E-4.2"}
