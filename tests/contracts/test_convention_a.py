"""Convention A as it was signed: its clauses, its flows, and what each field rests on."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.kernel import checks
from contracts.kernel.checks import Check, Giver, Side
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Cardinality, LegalBasis, NoticeStarts
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


def test_only_the_school_opens_a_referral_and_the_city_answers_it() -> None:
    """A-0.2: the city cannot ask for names."""
    submitted, answered = (
        CONVENTION.flow("referral.submitted"),
        CONVENTION.flow("referral.answered"),
    )
    assert submitted is not None
    assert answered is not None
    assert (submitted.sender, submitted.receiver) == (Kind.SCHOOL, Kind.CITY)
    assert (answered.sender, answered.receiver) == (Kind.CITY, Kind.SCHOOL)
    assert (submitted.article, answered.article) == ("A-4.3", "A-2.5")
    assert (submitted.case, answered.case) == (Cardinality.OPENS, Cardinality.WITHIN)
    assert CONVENTION.flow("census.aggregate") is None
    opening = [flow for flow in CONVENTION.flows if flow.case is Cardinality.OPENS]
    assert {flow.sender for flow in opening} == {Kind.SCHOOL}


@pytest.mark.parametrize("flow", CONVENTION.flows, ids=lambda one: one.type)
def test_every_flow_serves_the_one_purpose_and_keeps_three_months(flow: Any) -> None:
    assert flow.purpose == "school_perseverance"
    assert flow.legal_basis is LegalBasis.PUBLIC_TASK
    assert (flow.retention.event, flow.retention.months) == ("pathway_closed", 3)
    assert flow.lifetime_days == 30


@pytest.mark.parametrize("flow", CONVENTION.flows, ids=lambda one: one.type)
def test_every_flow_that_names_a_person_asks_information_and_agreement(flow: Any) -> None:
    asked: dict[type[Check], Any] = {type(check): check for check in flow.checks}
    agreed, informed = asked[checks.Agreement], asked[checks.NoticeGiven]
    assert (informed.article, informed.side) == ("A-2.10", Side.BOTH)
    assert (agreed.article, agreed.recipient_article, agreed.side) == ("A-2.11", "A-4.1", Side.BOTH)
    assert (agreed.minor, agreed.adult) == (Giver.REPRESENTATIVE, Giver.YOUNG_PERSON)
    assert checks.Assent not in asked


def sources(payload: type[Payload]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, info in payload.model_fields.items():
        assert isinstance(info.json_schema_extra, dict)
        found[name] = info.json_schema_extra["source"]
    return found


def test_what_each_field_rests_on() -> None:
    submitted, answered = CONVENTION.flows
    assert sources(submitted.payload) == {
        "pupil": "A-4.3",
        "representative": "A-2.12",
        "uai": "A-1.2",
        "level": "A-4.3",
        "concerns": "A-0.2",
        "hoped_help": "A-2.6",
    }
    assert sources(answered.payload) == {
        "decision": "A-4.2",
        "referent": "A-2.5",
        "next_date": "A-2.4",
    }
