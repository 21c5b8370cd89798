"""Convention C as it was signed by three: its clauses, its flows, and who may know what."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.broker.compile import grants_of
from contracts.broker.grants import GrantKind
from contracts.conventions.c_employment_city_ccas import messages
from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.checks import Check, Giver, Side
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.fields import node_fields
from contracts.kernel.instrument import Cardinality, Flow, LegalBasis, NoticeStarts, Urgency
from contracts.kernel.obligation import Nature
from contracts.kernel.organisation import DirectoryEntry, Kind
from contracts.kernel.paris import PARIS, midnight
from contracts.kernel.signed import State, assemble
from contracts.kernel.terms import Signed
from tests.contracts.signing import signed_convention, terms
from tests.parties import Organisation

AGENCY, CITY, CCAS = Kind.EMPLOYMENT_AGENCY, Kind.CITY, Kind.CCAS
CODE = CONVENTION.code
FLOWS = CONVENTION.flows
THREE = {"agence": AGENCY, "ville": CITY, "ccas": CCAS}
SIGNED: dict[str, Any] = {
    "employment_agency_signed_on": "2024-02-01",
    "city_signed_on": "2024-03-01",
    "ccas_signed_on": "2024-03-04",
}


def code(flow: Flow) -> str:
    return flow.code


def named(flow: Flow) -> dict[str, Check]:
    """Checks of a flow by their kind, or by the name of their fact."""
    return {getattr(one, "name", type(one).__name__): one for one in flow.checks}


def test_its_clauses() -> None:
    """C-0.1, C-6.5, C-7.1, C-7.4, C-8.1, C-8.3, C-9.1."""
    assert (CONVENTION.letter, CONVENTION.rules_version) == ("C", "c_employment_city_ccas/1")
    assert set(CONVENTION.parties) == {AGENCY, CITY, CCAS}
    assert (CONVENTION.parties_article, CONVENTION.evidence_article) == ("C-0.1", "C-9.1")
    assert (CONVENTION.term.until, CONVENTION.term.article) == (date(2026, 1, 1), "C-8.1")
    assert (CONVENTION.review_months, CONVENTION.review_article) == (12, "C-7.1")
    assert (CONVENTION.purge_months, CONVENTION.purge_article) == (2, "C-6.5")
    assert (CONVENTION.amendment_article, CONVENTION.dispute_article) == ("C-7.4", "C-6.5")
    assert CONVENTION.minimisation_article == "C-4.1"
    notice = CONVENTION.termination
    assert (notice.months, notice.starts, notice.article) == (3, NoticeStarts.RECEIPT, "C-8.3")
    assert CONVENTION.new_case_during_notice
    assert len(CONVENTION.obligations) == 79


def test_three_sign_and_no_fewer() -> None:
    """C-0.1, C-9.1: two of the three are not the parties of the text."""
    text = terms(of=CODE)
    assert assemble(CONVENTION, [Signed(text, {})], []).orgs == set(THREE)
    two = text.model_copy(update={"parties": text.parties[:2]})
    with pytest.raises(InvalidDocument):
        assemble(CONVENTION, [Signed(two, {})], [])


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (datetime(2024, 3, 3, 23, 59, tzinfo=PARIS), State.SIGNED),
        (datetime(2024, 3, 4, tzinfo=PARIS), State.IN_FORCE),
        (datetime(2025, 12, 31, 23, 59, tzinfo=PARIS), State.IN_FORCE),
        (datetime(2026, 1, 1, tzinfo=PARIS), State.ENDED),
        (datetime(2026, 1, 2, tzinfo=PARIS), State.PURGING),
        (datetime(2026, 2, 28, 23, 59, tzinfo=PARIS), State.PURGING),
        (datetime(2026, 3, 1, tzinfo=PARIS), State.PURGED),
    ],
)
def test_it_ended_with_2025_and_all_was_destroyed_by_the_end_of_february(
    at: datetime, state: State
) -> None:
    """C-8.1, C-6.5: two months after its last day, both sides of each bound."""
    assert signed_convention(SIGNED, CODE).state(at) is state


def test_a_notice_ends_it_three_months_after_its_receipt() -> None:
    """C-8.3: the yearly date is not written down, so the notice is not rounded up to one."""
    ended = signed_convention({**SIGNED, "notices": {"ccas": "2025-03-10"}}, CODE)
    assert ended.ends_on == date(2025, 6, 10)
    assert ended.open_at(midnight(date(2025, 6, 10)) - timedelta(microseconds=1))
    assert not ended.open_at(midnight(date(2025, 6, 10)))


def granted(at: datetime) -> dict[tuple[str, str], set[GrantKind]]:
    """Kinds of grants by sender and receiver, of the three at an instant."""
    entries = {org: Organisation(org, kind, org).described() for org, kind in THREE.items()}
    found: dict[tuple[str, str], set[GrantKind]] = {}
    for one in grants_of(signed_convention(SIGNED, CODE), entries, at):
        found.setdefault((one.sender, one.receiver), set()).add(one.kind)
    return found


def test_the_broker_lets_city_and_ccas_tell_each_other_acts_and_nothing_else() -> None:
    """C-0.1, C-5.2: control joins any two of the three, a message only the agency and one other."""
    every = {GrantKind.FLOW, GrantKind.CONTROL, GrantKind.RECEIPT}
    pairs = {(one, other) for one in THREE for other in THREE if one != other}
    apart = {("ville", "ccas"), ("ccas", "ville")}
    quiet = every - {GrantKind.FLOW}
    assert granted(datetime(2025, 11, 12, tzinfo=PARIS)) == {
        pair: quiet if pair in apart else every for pair in pairs
    }
    assert granted(datetime(2026, 1, 1, tzinfo=PARIS)) == dict.fromkeys(pairs, quiet)


TO_CITY, FROM_CITY = (AGENCY, CITY), (CITY, AGENCY)
TO_CCAS, FROM_CCAS = (AGENCY, CCAS), (CCAS, AGENCY)

WAYS = {
    "pec.offer_published": {FROM_CITY: "C-3a.11"},
    "pec.candidate_proposed": {TO_CITY: "C-3a.13"},
    "pec.candidate_outcome": {FROM_CITY: "C-3a.12"},
    "pec.commitment_agreed": {FROM_CITY: "C-3a.20"},
    "pec.booklet_due": {TO_CITY: "C-3a.23"},
    "pec.booklet_filled": {FROM_CITY: "C-3a.21", TO_CITY: "C-3a.21"},
    "pec.exit_interview": {TO_CITY: "C-3a.26"},
    "pec.attestation": {FROM_CITY: "C-3a.28"},
    "immersion_trades.published": {FROM_CITY: "C-3b.4"},
    "immersion.requested": {TO_CITY: "C-3b.1"},
    "immersion.status": {FROM_CITY: "C-3b.1", TO_CITY: "C-3b.1"},
    "clause.opportunity": {TO_CITY: "C-3d.2", FROM_CITY: "C-3d.2"},
    "clause.eligibility_asked": {FROM_CITY: "C-3d.4"},
    "clause.eligibility_answered": {TO_CITY: "C-3d.4"},
    "campaign.requested": {FROM_CITY: "C-3e.4", FROM_CCAS: "C-3e.4"},
    "campaign.sent": {TO_CITY: "C-3e.4", TO_CCAS: "C-3e.4"},
    "census.aggregate": {FROM_CITY: "C-3e.3", TO_CITY: "C-3e.3"},
    "volunteer.skills_offered": {TO_CITY: "C-3e.5"},
    "referents.published": {TO_CITY: "C-3a.14"},
    "antenna_referents.published": {TO_CCAS: "C-3f.3", FROM_CCAS: "C-3f.3"},
    "communication.announced": {
        **dict.fromkeys((TO_CITY, TO_CCAS), "C-5.4"),
        **dict.fromkeys((FROM_CITY, FROM_CCAS), "C-5.4"),
    },
}
"""Who may tell whom what, and on which article."""


def test_who_may_tell_whom_what() -> None:
    """C-3a.11, C-3a.28, C-3d.1, C-3d.2, C-5.4: and city and CCAS tell each other nothing."""
    found: dict[str, dict[tuple[Kind, Kind], str]] = {}
    for flow in FLOWS:
        found.setdefault(flow.type, {})[flow.sender, flow.receiver] = flow.article
    assert found == WAYS
    assert len(FLOWS) == sum(map(len, WAYS.values()))


def test_a_type_that_one_side_sends_to_two_is_two_flows() -> None:
    """Each is found by its type and both its ends."""
    for flow in FLOWS:
        assert CONVENTION.flow(flow.type, flow.sender, flow.receiver) is flow


OPENING = {
    "pec.candidate_proposed": AGENCY,
    "immersion.requested": AGENCY,
    "clause.eligibility_asked": CITY,
    "volunteer.skills_offered": AGENCY,
}
PURPOSES = {
    "recruitment": "C-1.1",
    "zero_long_term_unemployment": "C-1.1",
    "social_and_work_inclusion": "C-1.1",
    "convention_follow_up": "C-6.1",
}


def test_each_axis_has_its_own_purpose_and_its_own_cases() -> None:
    """C-1.1, C-6.1: three axes; what is known of colleagues is no fourth, and opens no case."""
    assert CONVENTION.purposes == PURPOSES
    opening = {flow.type: flow.sender for flow in FLOWS if flow.case is Cardinality.OPENS}
    assert opening == OPENING
    axes = {flow.purpose for flow in FLOWS if flow.case is Cardinality.OPENS}
    assert axes == {name for name, article in PURPOSES.items() if article == "C-1.1"}
    for flow in FLOWS:
        prefix = {
            **dict.fromkeys(("pec", "immersion", "immersion_trades"), "recruitment"),
            "clause": "social_and_work_inclusion",
        }
        assert flow.purpose == prefix.get(flow.type.split(".")[0], flow.purpose)
        assert (flow.case is Cardinality.NONE) or flow.purpose != "convention_follow_up"


CASES = [flow for flow in FLOWS if flow.case is not Cardinality.NONE]
NAMING = [
    flow
    for flow in FLOWS
    if "identity" in node_fields(flow.payload).values() and flow.code != "m30"
]
"""Flows that name somebody; a host's answer has the field, and its node nobody to fill it with."""

BY_CONTRACT = {
    "pec.commitment_agreed",
    "pec.booklet_due",
    "pec.booklet_filled",
    "pec.exit_interview",
    "pec.attestation",
}


def answers_for(flow: Flow) -> Side:
    """Which gate answers for the person: that of whoever asked him, for the other has no age."""
    recorded_by = CITY if flow.type.startswith("clause.") else AGENCY
    return Side.SENDER if flow.sender is recorded_by else Side.RECEIVER


@pytest.mark.parametrize("flow", CASES, ids=code)
def test_nothing_about_a_person_passes_without_information_and_agreement_or_contract(
    flow: Flow,
) -> None:
    """C-4.1, C-4.2, C-5.2, C-6.2, C-3a.20."""
    asked: dict[str, Any] = named(flow)
    city_asks = flow.type.startswith("clause.")
    assert flow.legal_basis is LegalBasis.PUBLIC_TASK
    assert asked["NoticeGiven"].article == ("C-6.2" if city_asks else "C-4.2")
    assert asked["NoticeGiven"].side is answers_for(flow)
    if flow.type in BY_CONTRACT:
        signed = asked["Signatures"]
        assert (signed.article, signed.roles) == ("C-3a.20", messages.SIGNATORIES)
        assert len(signed.roles) == 3
        return
    agreed = asked["Agreement"]
    assert (agreed.article, agreed.recipient_article) == ("C-4.1", "C-5.2")
    assert (agreed.minor, agreed.adult) == (Giver.BOTH, Giver.YOUNG_PERSON)
    assert agreed.side is answers_for(flow)


@pytest.mark.parametrize("flow", NAMING, ids=code)
def test_whoever_is_named_is_seen_and_not_kept(flow: Flow) -> None:
    """C-5.1: nowhere a file: nothing is due to be kept, and a node that would keep it refuses."""
    kept = named(flow)["no_file"]
    assert (kept.article, kept.side) == ("C-5.1", Side.RECEIVER)
    assert flow.retention.transient
    assert flow.lifetime_days == (1 if flow.type.startswith("clause.") else 30)


def test_only_who_must_be_named_is_and_never_to_the_ccas() -> None:
    """C-5.2, C-3.2: no name reaches a social worker's desk, nor anybody outside."""
    assert {flow.type for flow in NAMING} == OPENING.keys() - {"immersion.requested"} | {
        "immersion.status"
    }
    assert {flow.receiver for flow in CASES} == {AGENCY, CITY}
    recruiting = [flow for flow in FLOWS if flow.purpose == "recruitment"]
    assert {kind for flow in recruiting for kind in (flow.sender, flow.receiver)} == {AGENCY, CITY}


@pytest.mark.parametrize(
    "flow", [one for one in FLOWS if one.purpose != "convention_follow_up"], ids=code
)
def test_each_desk_is_asked_at_its_own_party(flow: Flow) -> None:
    """C-3.1, C-3.2, C-3d.3, C-3d.4, C-3e.1."""
    agency_side = Side.SENDER if flow.sender is AGENCY else Side.RECEIVER
    other = Side.RECEIVER if flow.sender is AGENCY else Side.SENDER
    agency, desk, article, own = {
        "recruitment": ("employer_agency", "hr_desk", "C-3.1", "C-3.2"),
        "social_and_work_inclusion": (
            "agency_referent",
            "city_referent",
            "C-3d.3",
            "C-3d.4",
        ),
        "zero_long_term_unemployment": ("territory_agency", None, "C-3e.1", None),
    }[flow.purpose]
    asked = named(flow)
    assert (asked[agency].article, asked[agency].side) == (article, agency_side)
    if desk is not None:
        assert (asked[desk].article, asked[desk].side) == (own, other)


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_every_sender_knows_the_convention_and_every_renewal_its_report(flow: Flow) -> None:
    """C-5.5, C-8.2."""
    asked = named(flow)
    assert (asked["staff_informed"].article, asked["staff_informed"].side) == ("C-5.5", Side.SENDER)
    report = asked["renewed_on_report"]
    assert (report.article, report.side) == ("C-8.2", Side.BOTH)
    assert flow.urgency is Urgency.ORDINARY


def test_what_no_field_may_say() -> None:
    """C-4.1, C-3a.3, C-3a.15, C-3a.27: no category, reason, diagnosis, score or comment."""
    words = ("reason", "category", "score", "diagnosis", "duration", "comment", "subject_of")
    found = {
        name
        for flow in FLOWS
        for name in flow.payload.model_fields
        for word in words
        if word in name
    }
    assert found == set()
    assert set(messages.ExitInterview.model_fields) == {"at"}
    assert set(messages.Candidate.model_fields) == {"family_name", "first_name", "channel"}


def test_the_booklet_says_one_bit_for_the_side_that_sends_it() -> None:
    """C-3a.22, C-3a.5, C-3a.17, C-3a.24, C-3a.25: no answer, no talk and no proposal crosses."""
    assert set(messages.BookletFilled.model_fields) == {"step", "filled"}
    asked = [named(flow) for flow in FLOWS if flow.type == "pec.booklet_filled"]
    assert [(one["filled_alone"].article, one["filled_alone"].side) for one in asked] == [
        ("C-3a.22", Side.SENDER)
    ] * 2
    for answer in ({"answers": "x"}, {"filled": "oui"}):
        with pytest.raises(ValidationError):
            messages.BookletFilled.model_validate({"step": "middle", "filled": True, **answer})


def test_rights_are_exercised_with_an_officer_whom_each_party_names() -> None:
    """C-6.3, C-6.4: of the three, the CCAS above all, whose address the text leaves out."""
    assert DirectoryEntry.model_fields["dpo"].is_required()


def test_what_is_known_of_colleagues_ends_with_their_task() -> None:
    """C-6.1, C-6.2, C-3f.1, C-3f.3."""
    staff = [flow for flow in FLOWS if flow.type.endswith("referents.published")]
    assert len(staff) == 3
    for flow in staff:
        kept = (flow.retention.event, flow.retention.months, flow.retention.article)
        assert kept == ("referent_replaced", 0, "C-6.1")
        told = named(flow)["staff_told"]
        assert (told.article, told.side) == ("C-6.2", Side.SENDER)


KEPT = {
    "pec.candidate_outcome": ("candidacy_decided", 2),
    **dict.fromkeys(BY_CONTRACT, ("contract_ended", 2)),
    "pec.candidate_proposed": ("candidacy_decided", None),
    "volunteer.skills_offered": ("volunteer_answered", None),
    "clause.eligibility_asked": ("eligibility_answered", None),
    "clause.eligibility_answered": ("eligibility_answered", None),
    "m29": ("immersion_ended", 2),
    "m30": ("immersion_ended", 2),
    "m31": ("immersion_ended", None),
}


@pytest.mark.parametrize("flow", CASES, ids=code)
def test_how_long_each_is_kept(flow: Flow) -> None:
    """C-6.5: as soon as it is useless, at the latest two months after."""
    kept = KEPT.get(flow.code) or KEPT[flow.type]
    assert (flow.retention.event, flow.retention.months) == kept
    assert flow.retention.transient is (flow.retention.months is None)
    assert flow.retention.article == ("C-5.1" if flow.retention.transient else "C-6.5")


USED_UP = {
    "pec.offer_published": "offer_closed",
    "immersion_trades.published": "trades_replaced",
    "clause.opportunity": "opportunity_closed",
    "campaign.requested": "campaign_ended",
    "campaign.sent": "campaign_ended",
    "census.aggregate": "table_replaced",
    "communication.announced": "communication_published",
}
BESIDE = [flow for flow in FLOWS if flow not in CASES]


@pytest.mark.parametrize("flow", BESIDE, ids=code)
def test_what_names_no_job_seeker_goes_as_soon_as_it_is_used_up(flow: Flow) -> None:
    """C-6.5, C-6.1: of colleagues once another is named, all else with what it announced."""
    event = USED_UP.get(flow.type, "referent_replaced")
    article = "C-6.1" if event == "referent_replaced" else "C-6.5"
    kept = flow.retention
    assert (kept.event, kept.months, kept.article) == (event, 0, article)
    assert not kept.transient


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_a_message_waits_thirty_days_and_a_question_one(flow: Flow) -> None:
    """C-3d.4: what nobody may keep longer than a day is not delivered later either."""
    assert flow.lifetime_days == (1 if flow.type.startswith("clause.eligibility") else 30)


def test_what_only_people_can_keep_has_no_rule() -> None:
    """C-0.3, C-3c.2, C-3d.5, C-3f.2, C-3f.4."""
    people = {one.id for one in CONVENTION.obligations if one.organisational}
    assert people == {"C-0.3", "C-3c.2", "C-3d.5", "C-3f.2", "C-3f.4"}
    cited = {one.article for flow in FLOWS for one in flow.checks} | {one.article for one in FLOWS}
    assert not people & cited
    gates = {one.id for one in CONVENTION.obligations if Nature.GATE in one.natures}
    assert {"C-5.1", "C-5.2", "C-8.2"} <= gates
