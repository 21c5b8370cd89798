"""Convention A as it was signed: its clauses, its flows, and what each field rests on."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.a_city_school.convention import CONVENTION, DUTIES
from contracts.kernel import checks
from contracts.kernel.checks import Check, Giver, Side
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Cardinality, LegalBasis, NoticeStarts, Urgency
from contracts.kernel.organisation import Kind


def test_its_clauses() -> None:
    assert (CONVENTION.letter, CONVENTION.rules_version) == ("A", "a_city_school/1")
    assert set(CONVENTION.parties) == {Kind.CITY, Kind.SCHOOL}
    assert (CONVENTION.parties_article, CONVENTION.evidence_article) == ("A-0.1", "A-13.1")
    assert (CONVENTION.term.years, CONVENTION.term.article) == (3, "A-9.1")
    assert (CONVENTION.review_months, CONVENTION.review_article) == (12, "A-8.1")
    assert (CONVENTION.amendment_article, CONVENTION.purge_article) == ("A-11.1", "A-5.1")
    notice = CONVENTION.termination
    assert (notice.months, notice.starts, notice.article) == (6, NoticeStarts.RECEIPT, "A-10.1")
    assert CONVENTION.new_case_during_notice
    assert CONVENTION.minimisation_article == "A-5.1"
    assert (CONVENTION.insurance_article, CONVENTION.dispute_article) == ("A-7.3", "A-12.1")
    assert CONVENTION.year_begins == date(2026, 9, 1).month  # its report counts a school year


TO_CITY, TO_SCHOOL = (Kind.SCHOOL, Kind.CITY), (Kind.CITY, Kind.SCHOOL)

WAYS = {
    "referral.submitted": {TO_CITY: "A-4.3"},
    "referral.answered": {TO_SCHOOL: "A-2.5"},
    "watch_cell.convened": {TO_CITY: "A-2.2"},
    "pathway.opened": {TO_SCHOOL: "A-2.4", TO_CITY: "A-2.4"},
    "pathway.progress": {TO_SCHOOL: "A-2.7"},
    "pathway.new_element": {TO_CITY: "A-2.8"},
    "meeting.called": {TO_SCHOOL: "A-2.9"},
    "referent.changed": {TO_SCHOOL: "A-2.5"},
    "pathway.closed": {TO_SCHOOL: "A-2.4", TO_CITY: "A-2.4"},
    "alternative.requested": {TO_CITY: "A-3.1"},
    "alternative.answered": {TO_SCHOOL: "A-3.3"},
    "alternative.contract_status": {TO_SCHOOL: "A-3.6", TO_CITY: "A-3.6"},
    "alternative.status": {TO_SCHOOL: "A-3.13", TO_CITY: "A-3.13"},
    "alternative.alert": {TO_SCHOOL: "A-3.15"},
    "alternative.ended": {TO_CITY: "A-3.14", TO_SCHOOL: "A-3.14"},
}
"""Who may tell whom what, and on which article."""


def test_who_may_tell_whom_what() -> None:
    found: dict[str, dict[tuple[Kind, Kind], str]] = {}
    for flow in CONVENTION.flows:
        found.setdefault(flow.type, {})[flow.sender, flow.receiver] = flow.article
    assert found == WAYS
    assert len(CONVENTION.flows) == sum(map(len, WAYS.values()))
    assert CONVENTION.closest("census.aggregate", None, None) is None


def test_only_a_school_opens_a_case() -> None:
    """A-0.2: the city cannot ask for names. A-1.3: there are two kinds of case, no third."""
    opening = [flow for flow in CONVENTION.flows if flow.case is Cardinality.OPENS]
    assert {flow.sender for flow in opening} == {Kind.SCHOOL}
    assert {flow.purpose for flow in opening} == {"school_perseverance", "exclusion_alternative"}
    assert len(opening) == len({flow.purpose for flow in opening})
    others = {flow.type: flow.case for flow in CONVENTION.flows if flow not in opening}
    assert others.pop("watch_cell.convened") is Cardinality.NONE
    assert set(others.values()) == {Cardinality.WITHIN}


def test_the_prevention_association_is_no_party() -> None:
    """A-3.2: it helps to design the measure; nothing is sent to it, and it sends nothing."""
    ends = {kind for flow in CONVENTION.flows for kind in (flow.sender, flow.receiver)}
    assert ends == set(CONVENTION.parties) == {Kind.CITY, Kind.SCHOOL}
    assert not [kind for kind in Kind if "association" in kind.value]


@pytest.mark.parametrize("flow", CONVENTION.flows, ids=lambda one: one.code)
def test_support_and_alternative_are_purposes_apart(flow: Any) -> None:
    """A-1.1, A-3.3: what was told for one serves not the other."""
    alternative = flow.type.startswith("alternative.")
    assert flow.purpose == ("exclusion_alternative" if alternative else "school_perseverance")
    assert CONVENTION.purposes == {"school_perseverance": "A-1.1", "exclusion_alternative": "A-3.3"}


KEPT = {
    "watch_cell.convened": ("meeting_held", 1),
    "alternative.contract_status": ("school_year_ended", 0),
    "alternative.ended": ("school_year_ended", 0),
    "alternative.alert": ("measure_ended", 1),
    "alternative.requested": ("measure_ended", 3),
    "alternative.answered": ("measure_ended", 3),
    "alternative.status": ("measure_ended", 3),
}


@pytest.mark.parametrize("flow", CONVENTION.flows, ids=lambda one: one.code)
def test_how_long_each_is_kept(flow: Any) -> None:
    kept = (flow.retention.event, flow.retention.months)
    assert kept == KEPT.get(flow.type, ("pathway_closed", 3))
    assert flow.lifetime_days == (8 if flow.type == "alternative.alert" else 30)


def test_only_the_alert_is_without_delay() -> None:
    """A-3.15, A-3.16."""
    urgent = {flow.type for flow in CONVENTION.flows if flow.urgency is Urgency.WITHOUT_DELAY}
    assert urgent == {"alternative.alert"}


NAMING = [flow for flow in CONVENTION.flows if flow.type != "watch_cell.convened"]


@pytest.mark.parametrize("flow", NAMING, ids=lambda one: one.code)
def test_every_flow_that_names_a_person_asks_information_and_agreement(flow: Any) -> None:
    """A-2.11 for support; for the alternative, of pupil and representative both (A-4.4)."""
    asked: dict[type[Check], Any] = {type(check): check for check in flow.checks}
    agreed, informed = asked[checks.Agreement], asked[checks.NoticeGiven]
    alternative = flow.purpose == "exclusion_alternative"
    assert flow.legal_basis is LegalBasis.PUBLIC_TASK
    assert (informed.article, informed.side) == ("A-2.10", Side.BOTH)
    assert agreed.article == ("A-4.4" if alternative else "A-2.11")
    assert (agreed.recipient_article, agreed.side) == ("A-4.1", Side.BOTH)
    assert agreed.minor is (Giver.BOTH if alternative else Giver.REPRESENTATIVE)
    assert agreed.adult is Giver.YOUNG_PERSON
    assert checks.Assent not in asked


def test_a_watch_cell_is_called_without_a_name() -> None:
    """A-2.2: date, place, how many; nobody is named, so nobody must agree."""
    flow = CONVENTION.flow("watch_cell.convened", Kind.SCHOOL, Kind.CITY)
    assert flow is not None
    assert (flow.legal_basis, flow.case) == (LegalBasis.NO_PERSONAL_DATA, Cardinality.NONE)
    assert set(flow.payload.model_fields) == {"at", "place", "situations"}
    for number, fits in ((0, False), (1, True), (99, True), (100, False)):
        text = json.dumps({"at": "2026-11-12T10:00:00+01:00", "place": "B2", "situations": number})
        with nullcontext() if fits else pytest.raises(ValidationError):
            flow.payload.model_validate_json(text)


def test_no_field_of_the_convention_is_about_money() -> None:
    """A-4.6: no money changes hands, and no field could say so."""
    names = {name for flow in CONVENTION.flows for name in flow.payload.model_fields}
    assert not [name for name in names if re.search("amount|price|cost|fee|euro|pay", name)]


def test_the_mayor_is_told_by_law_and_for_nothing_else() -> None:
    """A-0.3: a duty apart, with its notice, its designated readers and no agreement at all."""
    (duty,) = DUTIES
    (flow,) = duty.flows
    asked: dict[type[Check], Any] = {type(check): check for check in flow.checks}
    assert (duty.code, duty.version, duty.minimisation_article) == (
        "mayor_attendance",
        1,
        "R131-10-2",
    )
    assert (flow.code, flow.case) == ("d1", Cardinality.OPENS)
    assert (duty.article, duty.starts_on, duty.repealed_on) == ("L131-6", date(2008, 2, 16), None)
    assert (flow.sender, flow.receiver) == TO_CITY
    assert (flow.legal_basis, flow.purpose) == (LegalBasis.LEGAL_OBLIGATION, "school_attendance")
    assert flow.purpose not in CONVENTION.purposes
    assert checks.Agreement not in asked
    assert asked[checks.NoticeGiven].article == "RGPD 13"
    designated = [one for one in flow.checks if getattr(one, "name", "") == "designated"]
    assert [one.side for one in designated] == [Side.RECEIVER]
    assert set(flow.payload.model_fields) == {"pupil", "representative", "uai", "event", "on"}


def sources(payload: type[Payload]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, info in payload.model_fields.items():
        assert isinstance(info.json_schema_extra, dict)
        found[name] = info.json_schema_extra["source"]
    return found


RESTS = {
    "ReferralSubmitted": {
        "pupil": "A-4.3",
        "representative": "A-2.12",
        "uai": "A-1.2",
        "level": "A-4.3",
        "concerns": "A-0.2",
        "hoped_help": "A-2.6",
    },
    "ReferralAnswered": {"decision": "A-4.2", "referent": "A-2.5", "next_date": "A-2.4"},
    "WatchCellConvened": {"at": "A-2.2", "place": "A-2.2", "situations": "A-2.3"},
    "PathwayOpened": {
        "opened_on": "A-2.1",
        "objectives": "A-2.4",
        "strategy": "A-2.4",
        "review_on": "A-2.4",
    },
    "PathwayProgress": {"stage": "A-2.7", "engaged": "A-2.7", "next_date": "A-2.7"},
    "PathwayNewElement": {"element": "A-2.8", "on": "A-2.8"},
    "PathwayClosed": {"closed_on": "A-5.1", "outcome": "A-2.4"},
    "ReferentChanged": {"referent": "A-2.5", "since": "A-2.5"},
    "MeetingCalled": {
        "at": "A-2.9",
        "place": "A-2.9",
        "participants": "A-2.9",
        "responsible": "A-7.1",
    },
    "AlternativeRequested": {
        "pupil": "A-3.1",
        "representative": "A-3.7",
        "uai": "A-1.2",
        "exclusion_first_day": "A-3.1",
        "exclusion_last_day": "A-3.1",
        "wanted_first_day": "A-3.1",
        "wanted_last_day": "A-3.1",
    },
    "AlternativeAnswered": {"decision": "A-3.3", "contact": "A-3.6"},
    "ContractStatus": {
        **dict.fromkeys(("head_teacher", "youth_service", "pupil", "representative"), "A-3.6"),
        "first_day": "A-3.5",
        "last_day": "A-3.1",
        "host": "A-3.9",
        "task_tutor": "A-3.10",
    },
    "AlternativeStatus": {"status": "A-3.13", "on": "A-3.13"},
    "AlternativeAlert": {
        "kind": "A-3.15",
        "at": "A-3.15",
        "call_back": "A-3.16",
        "responsible": "A-7.2",
    },
    "AlternativeEnded": {"outcome": "A-3.14", "ended_on": "A-5.1", "booklet_handed": "A-3.11"},
}


def test_what_each_field_rests_on() -> None:
    payloads = {flow.payload.__name__: flow.payload for flow in CONVENTION.flows}
    assert {name: sources(payload) for name, payload in payloads.items()} == RESTS
