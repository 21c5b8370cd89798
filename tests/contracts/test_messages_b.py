"""Messages of convention B: what crosses, what never does, and what each field rests on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.conventions.b_city_mission_locale.messages import (
    CosupportCheckpoint,
    CosupportOpened,
    OrientationAnswered,
    OrientationRequested,
    PsadOffer,
)
from contracts.export import blocks
from contracts.kernel import checks
from contracts.kernel.checks import Side
from contracts.kernel.fields import Payload, caller_model, node_fields
from contracts.kernel.instrument import Cardinality, Flow, LegalBasis
from contracts.kernel.messages import Identity, ImmersionRequested, ImmersionStatus
from tests.contracts.test_convention_b import NOBODY, TO_CITY, TO_MISSION, asked, of


def test_a_checkpoint_says_where_it_stands_and_when_the_next_one_is() -> None:
    """B-2.14: a stage as a code, and a day, always; never what was said."""
    told = {"stage": "engaged", "next_date": "2026-12-01"}
    rest = {"no_answer_since": None, "adaptations": None}
    assert read(CosupportCheckpoint, {**told, **rest})
    for wrong in ({"next_date": None}, {"stage": "motivated"}, {"said": "x"}):
        with pytest.raises(ValidationError):
            read(CosupportCheckpoint, {**told, **rest, **wrong})


def test_no_answer_is_told_in_an_open_cosupport_and_nowhere_else() -> None:
    """B-2.7."""
    telling = {
        flow.type for flow in CONVENTION.flows for name in names(flow) if "no_answer" in name
    }
    assert telling == {"cosupport.checkpoint"}
    for way in (TO_CITY, TO_MISSION):
        assert {"cosupport", "open_case"} <= set(asked(of("cosupport.checkpoint", way)))


def test_the_two_teams_say_how_they_adapt_as_codes() -> None:
    """B-2.12: a record of what changes, with nothing of why."""
    told = {"stage": "on_hold", "next_date": "2026-12-01", "no_answer_since": "2026-11-01"}
    for codes in (None, ["pace"], ["pace", "joint_appointments"]):
        assert read(CosupportCheckpoint, {**told, "adaptations": codes})
    for wrong in ([], ["pace", "pace"], ["fatigue"], "pace"):
        with pytest.raises(ValidationError):
            read(CosupportCheckpoint, {**told, "adaptations": wrong})


OFFER: dict[str, Any] = {
    "theme": "remobilisation--lien-social",
    "places": 8,
    "youngest": 16,
    "oldest": 17,
    "last_day": "2027-03-31",
    "contact": {"name": "Camille Petit", "role": "éducatrice", "phone": None, "email": None},
}


@pytest.mark.parametrize(
    ("youngest", "oldest", "outside"),
    [(16, 17, 0), (16, 16, 0), (17, 17, 0), (15, 17, 1), (16, 18, 1), (15, 18, 2), (17, 16, 1)],
)
def test_an_offer_to_the_platform_is_for_16_and_17(
    youngest: int, oldest: int, outside: int
) -> None:
    """B-2.2: those whom the duty to be in training binds."""
    offer = read(PsadOffer, {**OFFER, "youngest": youngest, "oldest": oldest})
    assert isinstance(offer, PsadOffer)
    assert offer.ages_outside == outside
    limit: Any = asked(of("psad.offer", TO_MISSION))["ages_outside"]
    assert (limit.at_most, limit.article) == (0, "B-2.2")


def test_what_names_nobody_has_no_person_in_it() -> None:
    """B-2.1, B-2.3: a colleague to call, and no young person at all."""
    for type_ in sorted(NOBODY):
        for flow in (one for one in CONVENTION.flows if one.type == type_):
            assert (flow.legal_basis, flow.case) == (LegalBasis.NO_PERSONAL_DATA, Cardinality.NONE)
            assert Identity not in inner(flow.payload)
            assert {"Agreement", "NoticeGiven", "Assent"}.isdisjoint(asked(flow))


def names(flow: Flow) -> set[str]:
    """Names of all fields of a flow, those of inner blocks too."""
    return {name for one in (flow.payload, *inner(flow.payload)) for name in one.model_fields}


def inner(payload: type[Payload]) -> set[type[Payload]]:
    found: set[type[Payload]] = set()
    for info in payload.model_fields.values():
        for block in blocks(info.annotation):
            found |= {block, *inner(block)}
    return found


NEVER = {
    "B-0.3": "origin|nationality|religion|birth_place|score|rank|level|priority",
    "B-2.15": "amount|price|cost|fee|euro|pay|wage|allowance",
    "B-3.1": "reason|comment|note|text|health|disab|diagnos|resource|housing|vulnerab",
}


@pytest.mark.parametrize("article", sorted(NEVER))
def test_what_no_field_is_about(article: str) -> None:
    """B-0.3: no origin, no score. B-2.15: no money. B-3.1: no reason, no health, no free text."""
    every = {name for flow in CONVENTION.flows for name in names(flow)}
    assert {"adapted_reception", "adaptations", "weekly_hours"} <= every
    assert not [name for name in every if re.search(NEVER[article], name)]


def read(payload: type[Payload], document: Any) -> Payload:
    return payload.model_validate_json(json.dumps(document))


ASKED: dict[str, Any] = {
    "theme": "se-former--trouver-sa-formation",
    "scheme": None,
    "contact_mode": "phone",
    "adapted_reception": True,
}


def test_an_adapted_reception_is_a_yes_and_no_reason() -> None:
    """B-2.4, B-2.10: the node fills who it is, the caller says which service and how to call."""
    typed = caller_model(OrientationRequested)
    assert node_fields(OrientationRequested) == {"person": "identity"}
    for scheme in (None, "youth_engagement_contract", "civic_service", "city_youth_scheme"):
        assert read(typed, {**ASKED, "scheme": scheme})
    wrong: list[dict[str, Any]] = [
        {"adapted_reception": "fatigue"},
        {"reason": "x"},
        {"scheme": "garantie_jeunes"},
        {"theme": "logement-hebergement--louer-un-logement"},
        {"contact_mode": "letter"},
        {"person": {"family_name": "Durand"}},
    ]
    for change in wrong:
        with pytest.raises(ValidationError):
            read(typed, {**ASKED, **change})


def test_an_answer_is_one_word() -> None:
    """B-2.10: whether, never why."""
    for outcome in ("received", "registered", "declined", "unreachable"):
        assert read(OrientationAnswered, {"outcome": outcome, "on": "2026-11-12"})
    for wrong in ({"outcome": "refused"}, {"why": "x"}, {"on": "demain"}):
        with pytest.raises(ValidationError):
            read(OrientationAnswered, {"outcome": "received", "on": "2026-11-12", **wrong})


def test_whoever_opens_a_cosupport_names_its_own_referent() -> None:
    """B-2.13: and the other's, where it is known."""
    typed = caller_model(CosupportOpened)
    opened = {
        "opened_on": "2026-11-12",
        "referent": OFFER["contact"],
        "other_referent": None,
        "objectives": ["training"],
        "next_date": "2026-12-01",
    }
    assert read(typed, opened)
    assert read(typed, {**opened, "other_referent": OFFER["contact"]})
    with pytest.raises(ValidationError):
        read(typed, {**opened, "referent": None})


# --- immersion, which names nobody until a host accepts (B-2.9)

IMMERSION: dict[str, Any] = {
    "object": "discover_trade",
    "rome": "K1207",
    "first_day": "2026-11-16",
    "last_day": "2026-11-27",
    "weekly_hours": 35,
    "referent": OFFER["contact"],
    "offer": None,
    "renewal": False,
}


def immersion(**changes: Any) -> ImmersionRequested:
    found = read(ImmersionRequested, {**IMMERSION, **changes})
    assert isinstance(found, ImmersionRequested)
    return found


@pytest.mark.parametrize(
    ("first", "last", "beyond"),
    [
        ("2026-11-16", "2026-11-16", 0),
        ("2026-11-16", "2026-12-15", 0),
        ("2026-11-16", "2026-12-16", 1),
        ("2026-03-01", "2026-03-31", 0),
        ("2026-03-01", "2026-04-01", 1),
        ("2026-01-31", "2026-02-27", 0),
        ("2026-01-31", "2026-02-28", 1),
        ("2026-11-16", "2026-11-15", 1),
    ],
)
def test_an_immersion_lasts_a_month_at_most_from_date_to_date(
    first: str, last: str, beyond: int
) -> None:
    """B-2.9, D5135-3."""
    assert immersion(first_day=first, last_day=last).days_beyond_month == beyond


@pytest.mark.parametrize(
    ("aim", "offer", "misplaced"),
    [
        ("discover_trade", None, 0),
        ("confirm_project", None, 0),
        ("start_recruitment", "187XKLM", 0),
        ("start_recruitment", None, 1),
        ("discover_trade", "187XKLM", 1),
        ("confirm_project", "187XKLM", 1),
    ],
)
def test_an_offer_goes_with_a_recruitment_always_and_with_nothing_else(
    aim: str, offer: str | None, misplaced: int
) -> None:
    """B-2.9."""
    assert immersion(object=aim, offer=offer).misplaced_offers == misplaced


@pytest.mark.parametrize(
    "change",
    [
        {"object": "work"},
        {"object": ["discover_trade", "confirm_project"]},
        {"object": None},
        {"rome": "1207"},
        {"rome": "K12071"},
        {"rome": "Z1207"},
        {"rome": "k1207"},
        {"weekly_hours": 0},
        {"weekly_hours": 36},
        {"offer": "187"},
        {"offer": "187XKLMNO"},
        {"offer": "voir offre"},
        {"renewal": None},
        {"person": None},
        {"status": "rqth"},
    ],
)
def test_an_immersion_has_one_object_of_three_and_nobody_s_name(change: dict[str, Any]) -> None:
    """B-2.9: what is asked says which trade and when, and not for whom."""
    for hours in (1, 35):
        assert immersion(weekly_hours=hours)
    assert immersion(offer="187XKLMN")
    assert not node_fields(ImmersionRequested)
    with pytest.raises(ValidationError):
        immersion(**change)


LIMITS = {
    "days_beyond_month": 0,
    "renewals": 1,
    "misnamed_renewals": 0,
    "host_agreements": 2,
    "host_days": 60,
    "misplaced_offers": 0,
}


def test_the_law_bounds_an_immersion() -> None:
    """B-2.9: a month, one renewal, two agreements, 60 days in twelve months at one host."""
    found: dict[str, Any] = asked(of("immersion.requested", TO_CITY))
    assert {name: found[name].at_most for name in LIMITS} == LIMITS
    assert {found[name].article for name in LIMITS} == {"D5135-3", "B-2.9"}


def status(code: str) -> ImmersionStatus:
    document = {
        "status": code,
        "on": "2026-11-12",
        "tutor": None,
        "person": None,
        "representative_signed": None,
    }
    found = read(ImmersionStatus, document)
    assert isinstance(found, ImmersionStatus)
    return found


@pytest.mark.parametrize("code", ["accepted", "declined", "confirmed", "completed", "interrupted"])
def test_the_host_speaks_as_host_and_only_the_mission_locale_confirms(code: str) -> None:
    """B-2.9: the name goes with the confirmation, which a host's acceptance precedes (B-3.1)."""
    said = status(code)
    assert (said.confirmations, said.host_steps) == ((1, 0) if code == "confirmed" else (0, 1))
    assert node_fields(ImmersionStatus) == {"person": "identity"}
    from_city: dict[str, Any] = asked(of("immersion.status", TO_MISSION))
    from_mission: dict[str, Any] = asked(of("immersion.status", TO_CITY))
    assert from_city["confirmations"].at_most == 0
    assert from_mission["host_steps"].at_most == 0
    accepted, signed = from_mission["host_accepted"], from_mission["representative_signed"]
    assert (accepted.article, accepted.side) == ("B-3.1", Side.BOTH)
    assert (signed.article, signed.side) == ("D5135-2", Side.BOTH)


def test_every_refusal_says_what_is_missing() -> None:
    """B-3.1: an agent is told a fact and a way out, in a sentence."""
    for flow in CONVENTION.flows:
        for check in flow.checks:
            assert re.fullmatch(r"[A-ZÉ].{20,}\.", check.sentence)
            assert isinstance(check, checks.Age) or re.search(r"[:;] |Seule", check.sentence)


def sources(payload: type[Payload]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, info in payload.model_fields.items():
        assert isinstance(info.json_schema_extra, dict)
        found[name] = info.json_schema_extra["source"]
    return found


RESTS = {
    "OrientationRequested": {
        **dict.fromkeys(("person", "theme", "scheme", "contact_mode"), "B-2.10"),
        "adapted_reception": "B-2.4",
    },
    "OrientationAnswered": {"outcome": "B-2.10", "on": "B-2.10"},
    "CosupportOpened": {
        **dict.fromkeys(("person", "opened_on", "objectives"), "B-2.11"),
        **dict.fromkeys(("referent", "other_referent"), "B-2.13"),
        "next_date": "B-2.14",
    },
    "CosupportReferentChanged": {"referent": "B-2.13", "since": "B-2.13"},
    "CosupportCheckpoint": {
        "stage": "B-2.14",
        "next_date": "B-2.14",
        "no_answer_since": "B-2.7",
        "adaptations": "B-2.12",
    },
    "CosupportClosed": {"closed_on": "B-3.1", "outcome": "B-2.11"},
    "ImmersionRequested": {
        **dict.fromkeys(("object", "offer"), "L5135-1"),
        **dict.fromkeys(("rome", "first_day", "last_day", "weekly_hours", "referent"), "D5135-2"),
        "renewal": "D5135-3",
    },
    "ImmersionStatus": {
        **dict.fromkeys(("status", "on"), "L5135-1"),
        **dict.fromkeys(("tutor", "person", "representative_signed"), "D5135-2"),
    },
    "PsadOffer": {
        **dict.fromkeys(("theme", "places", "contact"), "B-2.1"),
        **dict.fromkeys(("youngest", "oldest"), "B-2.2"),
        "last_day": "B-3.1",
    },
    "ServicePublished": dict.fromkeys(("name", "theme", "kind", "last_day", "contact"), "B-2.3"),
}


def test_what_each_field_rests_on() -> None:
    payloads = {flow.payload.__name__: flow.payload for flow in CONVENTION.flows}
    assert {name: sources(payload) for name, payload in payloads.items()} == RESTS
