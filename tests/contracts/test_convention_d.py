"""Convention D: its clauses, its flows, what each field rests on, and what none can say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from contracts.conventions.d_department_mission_locale.convention import CONVENTION, DUTIES
from contracts.conventions.d_department_mission_locale.deadlines import (
    attention_due,
)
from contracts.export import REGISTER, blocks, export_all
from contracts.kernel.checks import Age, Agreement, Giver, Limit, NoticeGiven, Recorded, Side
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Cardinality, LegalBasis, NoticeStarts
from contracts.kernel.organisation import Kind
from contracts.registry import build, load
from tests.contracts.leaves import leaves_of

(DUTY,) = DUTIES
(BREACH,) = DUTY.flows
FLOWS = (*CONVENTION.flows, BREACH)
NAMING = [flow for flow in CONVENTION.flows if flow.type != "indicator.yearly"]
TO_ML, TO_DEPT = (Kind.DEPARTMENT, Kind.MISSION_LOCALE), (Kind.MISSION_LOCALE, Kind.DEPARTMENT)


def code(flow: Any) -> str:
    return str(flow.code)


def test_its_clauses() -> None:
    """D-0.1, D-5.3, D-5.5, D-7.1, D-7.2, D-9.1."""
    assert (CONVENTION.letter, CONVENTION.rules_version) == ("D", "d_department_mission_locale/1")
    assert set(CONVENTION.parties) == {Kind.DEPARTMENT, Kind.MISSION_LOCALE}
    assert (CONVENTION.parties_article, CONVENTION.evidence_article) == ("D-0.1", "D-9.1")
    assert (CONVENTION.term.until, CONVENTION.term.article) == (date(2027, 10, 8), "D-7.1")
    assert CONVENTION.term.years is None
    assert (CONVENTION.review_months, CONVENTION.review_article) == (12, "D-5.5")
    assert (CONVENTION.amendment_article, CONVENTION.dispute_article) == ("D-7.1", "D-8.1")
    assert (CONVENTION.purge_months, CONVENTION.purge_article) == (3, "D-8.1")
    assert (CONVENTION.minimisation_article, CONVENTION.year_begins) == ("D-8.1", 1)
    notice = CONVENTION.termination
    assert (notice.months, notice.starts, notice.article) == (2, NoticeStarts.SENDING, "D-7.2")
    assert CONVENTION.purposes == {"access_to_autonomy": "D-8.1", "evaluation": "D-5.4"}


WAYS = {
    "youth.contact_requested": {TO_ML: "D-1.2"},
    "youth.contact_answered": {TO_DEPT: "D-1.2"},
    "enrolment.proposed": {TO_ML: "D-1.3"},
    "enrolment.outcome": {TO_DEPT: "D-1.3"},
    "orientation_diagnosis.requested": {TO_ML: "D-1.5"},
    "orientation_diagnosis.done": {TO_DEPT: "D-1.5"},
    "interview17.invited": {TO_ML: "D-1.6"},
    "interview17.answered": {TO_DEPT: "D-1.6"},
    "interview17.held": {TO_ML: "D-1.6"},
    "autonomy_project.contribution": {TO_DEPT: "D-1.7"},
    "youth_contract.proposed": {TO_ML: "D-1.9", TO_DEPT: "D-1.9"},
    "youth_contract.outcome": {TO_DEPT: "D-1.9"},
    "cosupport.decided": {TO_ML: "D-1.4", TO_DEPT: "D-1.4"},
    "youth.referent_changed": {TO_ML: "D-1.4", TO_DEPT: "D-1.4"},
    "indicator.yearly": {TO_ML: "D-5.7a", TO_DEPT: "D-5.7a"},
}
"""Who may tell whom what, and on which article."""


def test_who_may_tell_whom_what() -> None:
    found: dict[str, dict[tuple[Kind, Kind], str]] = {}
    for flow in CONVENTION.flows:
        found.setdefault(flow.type, {})[flow.sender, flow.receiver] = flow.article
    assert found == WAYS
    assert len(CONVENTION.flows) == sum(map(len, WAYS.values()))


def test_it_joins_nobody_else() -> None:
    """D-0.1: no edge but between the two; it stands without any other convention."""
    for flow in FLOWS:
        assert {flow.sender, flow.receiver} == {Kind.DEPARTMENT, Kind.MISSION_LOCALE}
    assert set(build([CONVENTION, DUTY]).conventions) == {CONVENTION.code}


def test_only_the_department_opens_a_case_and_of_one_kind() -> None:
    """D-1.2: the Mission Locale cannot ask for names."""
    (opening,) = [flow for flow in CONVENTION.flows if flow.case is Cardinality.OPENS]
    assert (opening.type, opening.sender) == ("youth.contact_requested", Kind.DEPARTMENT)
    assert {flow.purpose for flow in NAMING} == {"access_to_autonomy"}


@pytest.mark.parametrize("flow", CONVENTION.flows, ids=code)
def test_the_national_frame_opens_nothing_by_itself(flow: Any) -> None:
    """D-5.1, D-8.1: each side's gate asks for its own implementation and its own assessment."""
    asked = {one.name: one for one in flow.checks if isinstance(one, Recorded)}
    local, dpia, charter = asked["local_implementation"], asked["dpia"], asked["charter"]
    assert (local.article, local.side) == ("D-5.1", Side.BOTH)
    assert (dpia.article, dpia.side) == ("D-8.1", Side.BOTH)
    assert (charter.article, charter.side) == ("D-8.1", Side.SENDER)


@pytest.mark.parametrize("flow", NAMING, ids=code)
def test_every_flow_about_a_person_asks_the_young_persons_own_agreement(flow: Any) -> None:
    """D-1.4, D-1.6, D-1.11: the young person is informed, and it is his yes at any age."""
    (agreed,) = [one for one in flow.checks if isinstance(one, Agreement)]
    (informed,) = [one for one in flow.checks if isinstance(one, NoticeGiven)]
    interview = flow.type.startswith("interview17.")
    assert agreed.article == agreed.recipient_article == ("D-1.6" if interview else "D-1.4")
    assert (agreed.minor, agreed.adult) == (Giver.YOUNG_PERSON, Giver.YOUNG_PERSON)
    assert (agreed.side, informed.side) == (Side.BOTH, Side.BOTH)
    assert flow.legal_basis is LegalBasis.PUBLIC_TASK


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_ages(flow: Any) -> None:
    """D-0.2, D-0.4: from 16 and below 26; D-0.3: whoever is of age is in on the same terms."""
    ages = [(one.article, one.at_least, one.below) for one in flow.checks if isinstance(one, Age)]
    wanted: list[tuple[str, int | None, int | None]] = [
        ("D-0.2", 16, None),
        ("D-0.4", None, 26),
    ]
    if flow.type in {"interview17.invited", "interview17.answered"}:
        wanted[1] = ("D-1.6", None, 18)
    if flow.type == "indicator.yearly":
        wanted = []
    if flow is BREACH:
        wanted = [("L114-1", 16, 18)]
    assert ages == wanted


KEPT = {
    "youth.contact_requested": ("contact_answered", 3),
    "youth.contact_answered": ("contact_answered", 3),
    "interview17.invited": ("interview_held", 3),
    "interview17.answered": ("interview_held", 3),
    "interview17.held": ("interview_held", 3),
    "autonomy_project.contribution": ("project_ended", 0),
    "youth_contract.proposed": ("youth_contract_answered", 3),
    "youth_contract.outcome": ("youth_contract_answered", 3),
    "indicator.yearly": ("convention_ended", 3),
    "training_obligation.breach": ("training_obligation_ended", 0),
}


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_how_long_each_is_kept(flow: Any) -> None:
    kept = flow.retention
    assert (kept.event, kept.months) == KEPT.get(flow.type, ("case_closed", 3))
    assert kept.article == ("R114-7" if flow is BREACH else "D-8.1")
    assert flow.lifetime_days == 30


def test_leaving_is_a_reminder_at_home_and_no_message() -> None:
    """D-1.12: whoever left gets no new case, and nothing is sent about it."""
    assert not [flow for flow in FLOWS if re.search("leav|left|remind", flow.type)]
    (opening,) = [flow for flow in CONVENTION.flows if flow.case is Cardinality.OPENS]
    (followed,) = [one for one in opening.checks if getattr(one, "name", "") == "enrolled"]
    assert (followed.article, followed.side) == ("D-0.2", Side.SENDER)
    assert attention_due(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert attention_due(date(2026, 11, 12), 6) == date(2027, 5, 12)


# --- what each field rests on, and what none can say


def sources(payload: type[Payload]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, info in payload.model_fields.items():
        assert isinstance(info.json_schema_extra, dict)
        found[name] = info.json_schema_extra["source"]
    return found


RESTS = {
    "YouthContactRequested": {
        "young_person": "D-1.2",
        "place": "D-1.2",
        "priority": "D-1.1",
        "referent": "D-1.4",
    },
    "YouthContactAnswered": {"outcome": "D-1.2", "adviser": "D-1.4"},
    "EnrolmentProposed": {"proposed_on": "D-1.3"},
    "EnrolmentOutcome": {"outcome": "D-1.3", "on": "D-1.3"},
    "OrientationDiagnosisRequested": {"review_on": "D-1.5"},
    "OrientationDiagnosisDone": {"done_on": "D-1.5", "handed_over": "D-1.5"},
    "InterviewInvited": {"at": "D-1.6", "place": "D-1.6", "contact": "D-1.6"},
    "InterviewAnswered": {"attends": "D-1.6", "adviser": "D-1.6"},
    "InterviewHeld": {"held_on": "D-1.6", "together": "D-5.7b"},
    "AutonomyProjectContribution": dict.fromkeys(("actions", "starts_on", "ends_on"), "D-1.7"),
    "YouthContractProposed": {"proposed_on": "D-1.9"},
    "YouthContractOutcome": {"outcome": "D-1.9", "on": "D-1.9"},
    "CosupportDecided": dict.fromkeys(("mode", "since", "view", "contact"), "D-1.4"),
    "YouthReferentChanged": {"referent": "D-1.4", "since": "D-1.4"},
    "IndicatorYearly": {
        "counted_on": "D-5.7a",
        "requested": "D-5.7a",
        "interviews": "D-5.7b",
        "diagnoses": "D-5.7c",
        "enrolled": "D-5.7d",
        "projects": "D-5.7e",
        "youth_contracts": "D-5.7f",
    },
    "TrainingObligationBreach": {
        "young_person": "R114-7",
        "representative": "R114-7",
        "convened_on": "R114-7",
        "ground": "R114-7",
        "not_met_on": "D-2.4",
    },
}


def test_what_each_field_rests_on() -> None:
    """D-1.1, D-5.7a, D-5.7b, D-5.7c, D-5.7d, D-5.7e, D-5.7f: and there is no other field."""
    payloads = {flow.payload.__name__: flow.payload for flow in FLOWS}
    assert {name: sources(payload) for name, payload in payloads.items()} == RESTS


def of_the_folder() -> list[type[Payload]]:
    """Every content that the folder's flows carry, and every block inside one."""
    found: dict[type[Payload], None] = dict.fromkeys(flow.payload for flow in FLOWS)
    waiting = list(found)
    while waiting:
        for info in waiting.pop().model_fields.values():
            inner = [one for one in blocks(info.annotation) if one not in found]
            found.update(dict.fromkeys(inner))
            waiting += inner
    return list(found)


def words_of(payload: type[Payload]) -> Iterator[tuple[str, str]]:
    """Names of fields and codes of a content, each with the place where it stands."""
    for leaf in leaves_of(payload):
        place = ".".join(str(part) for part in leaf.path if isinstance(part, str))
        yield place, place
        for value in (*leaf.schema.get("enum", ()), leaf.schema.get("const")):
            if value is not None:
                yield place, str(value)


CRITERIA = re.compile(
    r"mobil|transport|vehicle|licen[cs]e|hous|hom|lodg|\brent|addres|health|care|medic|sick|body"
    r"|famil|parent|sibling|income|benefit|resource|minim|wage|debt|citizen|national|origin"
    r"|scor|level|rating|frag|vulnerab|risk|difficult|barrier|brake|need|assess|evaluat|criteri"
    r"|school|grade|skill|train"
)
"""What the text lists as frailties, and how somebody would appraise them."""

SPARED = {
    ("young_person.family_name", "young_person.family_name"),
    ("representative.family_name", "representative.family_name"),
    *(("actions", one) for one in ("training_search", "training_entry", "training_apprenticeship")),
}
"""A surname; and the Mission Locale's own training actions, which say what will be done (D-1.7)."""


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_no_criterion_of_frailty_is_a_field_or_a_code(flow: Any) -> None:
    """D-2.1: nothing assesses a young person, in no message of the folder."""
    found = {pair for pair in words_of(flow.payload) if CRITERIA.search(pair[1])}
    assert found <= SPARED


SHAPES = {
    ("string", "date"),
    ("string", "date-time"),
    ("string", "email"),
    ("string", "phone"),
    ("boolean", ""),
    ("integer", ""),
    ("string", "code"),
    ("string", "name"),
}


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_no_field_is_free_enough_to_hold_an_appraisal(flow: Any) -> None:
    """D-2.1, D-8.1: days, codes, yes or no, six counts, and the names of two colleagues."""
    for leaf in leaves_of(flow.payload):
        shape = str(leaf.schema.get("format", ""))
        if "enum" in leaf.schema or "const" in leaf.schema:
            shape = "code"
        elif str(leaf.path[-1]).endswith("name"):
            shape = "name"
        assert (leaf.schema["type"], shape) in SHAPES, leaf
        assert (leaf.schema["type"] == "integer") <= (flow.type == "indicator.yearly"), leaf


def test_those_two_checks_can_fail() -> None:
    """D-2.1: a field or a code of that kind would be seen."""
    for word in ("housing_need", "mobility", "health", "parents_minimum_income", "fragility_score"):
        assert CRITERIA.search(word)


TELLING = re.compile(
    r"\base\b|\bcare\b|aide.sociale|enfance|child|protect|foster|plac(?:ed|ement)|place[ée]\b"
    r"|judg|juge|judic|court|tribunal|\bmeasure|\bmesure|handicap|disab|hospital|offen[cs]e"
)
"""Words that would tell under what protection a young person stands."""


@pytest.mark.parametrize("flow", FLOWS, ids=code)
def test_no_word_tells_why_a_young_person_is_supported(flow: Any) -> None:
    """D-0.2, D-1.1: in no type, code, field, value, fact, purpose, label or reason of a field."""
    facts = [one.name for one in flow.checks if isinstance(one, Recorded | Limit)]
    texts = [flow.type, flow.label, flow.purpose, flow.retention.event, *facts]
    texts += [word for pair in words_of(flow.payload) for word in pair]
    schema = json.dumps(flow.payload.model_json_schema(), ensure_ascii=False)
    assert [text for text in (*texts, schema) if TELLING.search(text.casefold())] == []
    assert TELLING.search("child_protection")
    assert TELLING.search("référente ase")


def test_no_field_is_about_money() -> None:
    """D-1.9, D-8.1: no allowance, no resources."""
    names = {name for payload in of_the_folder() for name in payload.model_fields}
    assert not [name for name in names if re.search("amount|price|cost|fee|euro|pay|allow", name)]


def test_a_breach_is_told_by_law_and_for_nothing_else() -> None:
    """D-2.3, D-2.4: a duty apart, with its notice, its designated readers and no agreement."""
    checks: dict[str, Any] = {
        getattr(one, "name", type(one).__name__): one for one in BREACH.checks
    }
    assert (DUTY.code, DUTY.version, DUTY.article) == ("training_obligation", 1, "R114-7")
    assert (DUTY.starts_on, DUTY.repealed_on) == (date(2020, 9, 1), None)
    assert (BREACH.sender, BREACH.receiver) == TO_DEPT
    assert BREACH.legal_basis is LegalBasis.LEGAL_OBLIGATION
    assert (BREACH.purpose, BREACH.article) == ("training_obligation", "D-2.4")
    assert BREACH.purpose not in CONVENTION.purposes
    assert "Agreement" not in checks
    assert "local_implementation" not in checks
    assert checks["NoticeGiven"].article == "RGPD 13"
    assert checks["designated"].side is Side.RECEIVER
    assert (checks["days_outside"].side, checks["sent_outside"].side) == (Side.BOTH, Side.SENDER)
    assert BREACH.type not in {flow.type for flow in CONVENTION.flows}


@pytest.mark.parametrize(
    "name",
    [
        *("D-0.5", "D-1.10", "D-1.13", "D-2.2", "D-3.1", "D-3.2"),
        *("D-4.1", "D-4.2", "D-5.2", "D-5.6", "D-6.1"),
    ],
)
def test_what_only_people_can_keep_stands_in_the_register_and_in_no_rule(name: str) -> None:
    (one,) = [one for one in CONVENTION.obligations if one.id == name]
    assert one.organisational
    rows = [row for row in export_all(load())[REGISTER].splitlines() if f"| {name} |" in row]
    assert rows == [f"| {name} | {one.article} | {one.asks} | à compléter |"]
    asked = {check.article for flow in FLOWS for check in flow.checks}
    assert name not in asked | {
        str(rest) for flow in FLOWS for rest in sources(flow.payload).values()
    }


def test_the_list_of_what_only_people_can_keep_is_whole() -> None:
    found = [one.id for one in CONVENTION.obligations if one.organisational]
    assert len(found) == 11
