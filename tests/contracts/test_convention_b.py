"""Convention B as it was signed: its clauses, its flows, and who may know what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.conventions.b_city_mission_locale.messages import (
    OrientationRequested,
    PsadOffer,
    ServicePublished,
)
from contracts.export import REGISTER, export_all
from contracts.kernel.checks import Check, Giver, Side
from contracts.kernel.fields import node_fields
from contracts.kernel.instrument import Cardinality, Flow, LegalBasis, NoticeStarts, Urgency
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
    flow = CONVENTION.flow(type_, *way)
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


def test_the_platform_is_closed_until_the_city_signed_its_charter() -> None:
    """B-2.1: at both gates; and the platform is told of places, never of anybody."""
    flow = of("psad.offer", TO_MISSION)
    charter = asked(flow)["psad_charter"]
    assert (charter.article, charter.side) == ("B-2.1", Side.BOTH)
    assert (flow.legal_basis, flow.case) == (LegalBasis.NO_PERSONAL_DATA, Cardinality.NONE)
    assert not node_fields(flow.payload)


def test_what_the_mission_locale_keeps_to_itself_has_no_code() -> None:
    """B-0.2: money, housing, listening: no service of these can be asked for or presented."""
    for payload in (OrientationRequested, PsadOffer, ServicePublished):
        themes = payload.model_json_schema()["properties"]["theme"]["enum"]
        assert len(themes) == len(set(themes)) > 10
        assert not [one for one in themes if re.match("difficultes|logement|sante|famille", one)]
    kinds = ServicePublished.model_json_schema()["properties"]["kind"]["enum"]
    assert not [one for one in kinds if "aide" in one]
