"""Convention B as it was signed: its clauses, its flows, and what each field rests on."""

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
    ServicePublished,
)
from contracts.export import REGISTER, blocks, export_all
from contracts.kernel import checks
from contracts.kernel.checks import Check, Giver, Side
from contracts.kernel.fields import Payload, caller_model, node_fields
from contracts.kernel.instrument import Cardinality, Flow, LegalBasis, NoticeStarts, Urgency
from contracts.kernel.messages import Identity, ImmersionRequested, ImmersionStatus
from contracts.kernel.organisation import Kind
from contracts.registry import load


def test_its_clauses() -> None:
    """B-0.1, B-4.1 (twice a year), B-5.1, B-6.1, B-7.1, B-8.1, B-9.1; silent on keeping: B-3.1."""
    assert (CONVENTION.letter, CONVENTION.rules_version) == ("B", "b_city_mission_locale/1")
    assert set(CONVENTION.parties) == {Kind.CITY, Kind.MISSION_LOCALE}
    assert (CONVENTION.parties_article, CONVENTION.evidence_article) == ("B-0.1", "B-9.1")
    assert (CONVENTION.term.years, CONVENTION.term.until) == (3, None)
    assert CONVENTION.term.article == "B-5.1"
    assert (CONVENTION.review_months, CONVENTION.review_article) == (6, "B-4.1")
    assert (CONVENTION.amendment_article, CONVENTION.dispute_article) == ("B-7.1", "B-8.1")
    assert (CONVENTION.purge_months, CONVENTION.purge_article) == (3, "B-3.1")
    assert (CONVENTION.minimisation_article, CONVENTION.insurance_article) == ("B-3.1", None)
    notice = CONVENTION.termination
    assert (notice.months, notice.starts, notice.article) == (6, NoticeStarts.RECEIPT, "B-6.1")
    assert CONVENTION.new_case_during_notice


TO_CITY = (Kind.MISSION_LOCALE, Kind.CITY)
TO_MISSION = (Kind.CITY, Kind.MISSION_LOCALE)


def both_ways(article: str) -> dict[tuple[Kind, Kind], str]:
    return {TO_MISSION: article, TO_CITY: article}


WAYS = {
    "orientation.requested": both_ways("B-2.10"),
    "orientation.answered": both_ways("B-2.10"),
    "cosupport.opened": both_ways("B-2.11"),
    "cosupport.referent_changed": both_ways("B-2.13"),
    "cosupport.checkpoint": both_ways("B-2.14"),
    "cosupport.closed": both_ways("B-2.11"),
    "immersion.requested": {TO_CITY: "B-2.9"},
    "immersion.status": both_ways("B-2.9"),
    "psad.offer": {TO_MISSION: "B-2.1"},
    "service_catalogue.published": both_ways("B-2.3"),
}
"""Who may tell whom what, and on which article."""


def test_who_may_tell_whom_what() -> None:
    found: dict[str, dict[tuple[Kind, Kind], str]] = {}
    for flow in CONVENTION.flows:
        found.setdefault(flow.type, {})[flow.sender, flow.receiver] = flow.article
    assert found == WAYS
    assert len(CONVENTION.flows) == sum(map(len, WAYS.values()))


def of(type_: str, way: tuple[Kind, Kind]) -> Flow:
    """The flow of that type in that direction."""
    flow = CONVENTION.flow(type_, way[0])
    assert flow is not None
    return flow


def test_a_case_is_an_orientation_a_cosupport_or_an_immersion() -> None:
    """B-2.9, B-2.10, B-2.11: nothing else opens one."""
    opening = {flow.type for flow in CONVENTION.flows if flow.case is Cardinality.OPENS}
    assert opening == {"orientation.requested", "cosupport.opened", "immersion.requested"}


NOBODY = {"psad.offer", "service_catalogue.published"}
FLOWS = pytest.mark.parametrize("flow", CONVENTION.flows, ids=lambda one: one.code)


@FLOWS
def test_perseverance_and_inclusion_are_purposes_apart(flow: Flow) -> None:
    """B-1.1: the text names two, and no third."""
    assert CONVENTION.purposes == {
        "school_perseverance": "B-1.1",
        "social_and_work_inclusion": "B-1.1",
    }
    perseverance = flow.type == "psad.offer"
    assert flow.purpose == ("school_perseverance" if perseverance else "social_and_work_inclusion")


ENDS = {
    "orientation": "orientation_answered",
    "cosupport": "cosupport_closed",
    "immersion": "immersion_ended",
    "psad": "offer_ended",
    "service_catalogue": "offer_ended",
}


@FLOWS
def test_how_long_each_is_kept(flow: Flow) -> None:
    """B-3.1: the text sets no delay; three months after the end of what the message is about."""
    kept = flow.retention
    assert (kept.months, kept.article) == (3, "B-3.1")
    assert kept.event == ENDS[flow.type.split(".")[0]]
    assert (flow.lifetime_days, flow.urgency) == (30, Urgency.ORDINARY)


def asked(flow: Flow) -> dict[str, Check]:
    """Checks of a flow, by their name or, without one, by their kind."""
    return {getattr(check, "name", type(check).__name__): check for check in flow.checks}


KNOWS = {
    ("immersion.requested", TO_CITY): Side.SENDER,
    ("immersion.status", TO_CITY): Side.SENDER,
    ("immersion.status", TO_MISSION): Side.RECEIVER,
}
"""The one gate that knows who is concerned, where the other is told nobody's name."""


@pytest.mark.parametrize(
    "flow", [one for one in CONVENTION.flows if one.type not in NOBODY], ids=lambda one: one.code
)
def test_whoever_is_concerned_is_of_age_informed_agrees_and_says_yes(flow: Flow) -> None:
    """B-1.2 and B-3.1: on every such flow, at both gates wherever both know the person."""
    found: dict[str, Any] = asked(flow)
    side = KNOWS.get((flow.type, (flow.sender, flow.receiver)), Side.BOTH)
    age, notice = found["Age"], found["NoticeGiven"]
    agreed, assent = found["Agreement"], found["Assent"]
    assert (age.at_least, age.below, age.article) == (16, 26, "B-1.2")
    assert notice.article == "RGPD 13"
    assert (agreed.minor, agreed.adult) == (Giver.YOUNG_PERSON, Giver.YOUNG_PERSON)
    assert (agreed.article, agreed.recipient_article) == ("B-3.1", "B-3.1")
    assert (assent.asked_from, assent.article) == (15, "B-3.1")
    assert {one.side for one in (age, notice, agreed, assent)} == {side}
    assert flow.legal_basis is LegalBasis.PUBLIC_TASK


def test_what_only_people_can_do_stands_in_the_register() -> None:
    """B-1.3, B-2.3, B-2.5, B-2.8: to meet, to present, to make known; no rule can."""
    people = {one.id for one in CONVENTION.obligations if one.organisational}
    assert people == {"B-1.3", "B-2.3", "B-2.5", "B-2.8"}
    register = export_all(load())[REGISTER]
    assert all(f"\n| {one} | " in register for one in people)


@FLOWS
def test_every_agent_is_bound_to_confidentiality(flow: Flow) -> None:
    """B-3.1."""
    charter = asked(flow)["charter"]
    assert (charter.article, charter.side) == ("B-3.1", Side.SENDER)


@FLOWS
def test_a_representative_is_informed_when_a_case_opens_and_never_decides(flow: Flow) -> None:
    """RGPD 13: a notice, at the side that opens; nobody's agreement but the young person's."""
    informed = asked(flow).get("representative_informed")
    assert (informed is not None) == (flow.case is Cardinality.OPENS)
    assert informed is None or (informed.article, informed.side) == ("RGPD 13", Side.SENDER)


@FLOWS
def test_what_follows_an_opening_needs_its_open_case(flow: Flow) -> None:
    """B-3.1: nothing is told of somebody for whom nothing is open."""
    assert ("open_case" in asked(flow)) == (flow.case is Cardinality.WITHIN)


@FLOWS
def test_a_checkpoint_alone_is_follow_up_and_needs_both_referents(flow: Flow) -> None:
    """B-2.13: the pair is recorded before any follow-up; what names a referent comes before it."""
    found = asked(flow)
    assert ("referents" in found) == (flow.type == "cosupport.checkpoint")
    written = flow.type in {"cosupport.checkpoint", "cosupport.closed"}
    assert ("by_referent" in found) == written
    within = flow.type.startswith("cosupport.") and flow.case is Cardinality.WITHIN
    assert ("cosupport" in found) == within


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


def test_the_platform_is_closed_until_the_city_signed_its_charter() -> None:
    """B-2.1: at both gates; and the platform is told of places, never of anybody."""
    flow = of("psad.offer", TO_MISSION)
    charter = asked(flow)["psad_charter"]
    assert (charter.article, charter.side) == ("B-2.1", Side.BOTH)
    assert (flow.legal_basis, flow.case) == (LegalBasis.NO_PERSONAL_DATA, Cardinality.NONE)
    assert not node_fields(flow.payload)


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


def test_what_the_mission_locale_keeps_to_itself_has_no_code() -> None:
    """B-0.2: money, housing, listening: no service of these can be asked for or presented."""
    for payload in (OrientationRequested, PsadOffer, ServicePublished):
        themes = payload.model_json_schema()["properties"]["theme"]["enum"]
        assert len(themes) == len(set(themes)) > 10
        assert not [one for one in themes if re.match("difficultes|logement|sante|famille", one)]
    kinds = ServicePublished.model_json_schema()["properties"]["kind"]["enum"]
    assert not [one for one in kinds if "aide" in one]


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


LIMITS = {"days_beyond_month": 0, "renewals": 1, "host_days": 60, "misplaced_offers": 0}


def test_the_law_bounds_an_immersion() -> None:
    """B-2.9: a month, one renewal, 60 days in twelve months at one host (D5135-3)."""
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
