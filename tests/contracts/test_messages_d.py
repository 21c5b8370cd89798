"""Messages of convention D, its yearly sheet and its clocks: both sides of every bound."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.d_department_mission_locale import messages
from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.conventions.d_department_mission_locale.deadlines import days_outside, interview_due
from contracts.conventions.d_department_mission_locale.discreet import Colleague
from contracts.kernel.fields import Payload, node_fields
from contracts.kernel.instrument import Cardinality, LegalBasis
from tests.contracts.test_convention_d import FLOWS, words_of

SOMEBODY = {"name": "Camille Petit", "phone": None, "email": "camille.petit@haute-brume.example"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Service ASE"),
        ("name", "Protection de l'Enfance"),
        ("email", "ase.nord@haute-brume.example"),
        ("email", "camille@protection-enfance.example"),
        ("email", "placement@haute-brume.example"),
        ("role", "éducatrice"),
        ("name", None),
    ],
)
def test_a_colleague_is_named_without_a_word_that_tells(field: str, value: Any) -> None:
    """D-0.2: a surname or a mailbox that only looks alike passes."""
    good = {"name": "Camille Phase", "email": "c.basedow@haute-brume.example"}
    assert Colleague.model_validate({**SOMEBODY, **good})
    assert Colleague.model_validate(SOMEBODY)
    with pytest.raises(ValidationError):
        Colleague.model_validate({**SOMEBODY, field: value})


def read(payload: type[Payload], document: Any) -> Payload:
    return payload.model_validate_json(json.dumps(document))


CLOSED: list[tuple[type[Payload], dict[str, Any], dict[str, Any]]] = [
    (messages.YouthContactAnswered, {"outcome": "declined", "adviser": None}, {"reason": "x"}),
    (messages.YouthContactAnswered, {"outcome": "met", "adviser": SOMEBODY}, {"outcome": "late"}),
    (messages.EnrolmentOutcome, {"outcome": "declined", "on": "2026-11-12"}, {"reason": "x"}),
    (
        messages.OrientationDiagnosisDone,
        {"done_on": "2026-11-12", "handed_over": True},
        {"diagnosis": "x"},
    ),
    (messages.InterviewAnswered, {"attends": False, "adviser": None}, {"reason": "x"}),
    (messages.InterviewHeld, {"held_on": "2026-11-12", "together": True}, {"minutes": "x"}),
    (messages.YouthContractOutcome, {"outcome": "declined", "on": "2026-11-12"}, {"reason": "x"}),
    (
        messages.YouthContractOutcome,
        {"outcome": "not_eligible", "on": "2026-11-12"},
        {"outcome": "at_fault"},
    ),
    (
        messages.InterviewInvited,
        {"at": "2026-11-12T10:00:00+01:00", "place": "department", "contact": SOMEBODY},
        {"place": "12 rue des Saules"},
    ),
]


@pytest.mark.parametrize(("payload", "document", "wrong"), CLOSED)
def test_an_answer_says_no_more_than_its_code(
    payload: type[Payload], document: dict[str, Any], wrong: dict[str, Any]
) -> None:
    """D-1.3, D-1.5, D-1.6, D-1.8, D-1.9: no reason, no content, no fault, no address."""
    assert read(payload, document)
    with pytest.raises(ValidationError):
        read(payload, {**document, **wrong})


def test_the_project_takes_work_and_training_alone() -> None:
    """D-1.7: codes and days; the other headings have no code."""
    good = {"actions": ["employment_search"], "starts_on": "2026-11-12", "ends_on": None}
    actions = {
        word for place, word in words_of(messages.AutonomyProjectContribution) if "_" in word
    }
    codes = {word for word in actions if word.startswith(("employment_", "training_"))}
    assert actions - codes == {"starts_on", "ends_on"}
    assert read(messages.AutonomyProjectContribution, good)
    for wrong in ([], ["housing_search"], ["training_entry", "training_entry"], "training_entry"):
        with pytest.raises(ValidationError):
            read(messages.AutonomyProjectContribution, {**good, "actions": wrong})


@pytest.mark.parametrize(
    ("view", "count"), [("asked", 0), ("agrees", 0), ("undecided", 0), ("against", 1)]
)
def test_nothing_is_decided_against_the_young_person(view: str, count: int) -> None:
    """D-1.4: the gate's limit is none."""
    document = {"mode": "handover", "since": "2026-11-12", "view": view, "contact": SOMEBODY}
    found = read(messages.CosupportDecided, document)
    assert isinstance(found, messages.CosupportDecided)
    assert found.against == count
    with pytest.raises(ValidationError):
        read(messages.CosupportDecided, {**document, "view": "calm"})


def test_the_department_fills_the_identity_from_its_own_register() -> None:
    """D-1.2, D-8.1: no caller types it, and the family is not in the first contact."""
    assert node_fields(messages.YouthContactRequested) == {"young_person": "identity"}
    opening = [flow.payload for flow in FLOWS if node_fields(flow.payload)]
    assert opening == [messages.YouthContactRequested, messages.TrainingObligationBreach]


# --- the yearly sheet

SHEET: dict[str, Any] = {
    "counted_on": "2026-12-31",
    "requested": 40,
    "interviews": 12,
    "diagnoses": "not_counted",
    "enrolled": "not_counted",
    "projects": "hidden",
    "youth_contracts": "not_counted",
}


def sheet(**changed: Any) -> messages.IndicatorYearly:
    found = read(messages.IndicatorYearly, {**SHEET, **changed})
    assert isinstance(found, messages.IndicatorYearly)
    return found


@pytest.mark.parametrize(
    ("changed", "small"),
    [
        ({}, 0),
        ({"projects": 5}, 0),
        ({"projects": 4}, 1),
        ({"projects": 4, "interviews": 1}, 2),
        ({"projects": 0}, 0),
        ({"projects": 0, "requested": 11}, 0),
        ({"projects": 0, "requested": 10}, 1),
        ({"projects": 0, "requested": "not_counted"}, 1),
        ({"projects": 0, "requested": "hidden"}, 1),
        ({"requested": 0}, 1),
        ({"requested": 4}, 1),
        ({"requested": 5}, 0),
    ],
)
def test_a_count_too_small_is_hidden_and_marked(changed: dict[str, Any], small: int) -> None:
    """D-4.3, D-5.4: 5 between the two, and a zero of 11 at least; the gate lets none through."""
    assert sheet(**changed).small_cells == small


@pytest.mark.parametrize(
    ("day", "off"),
    [("2026-12-31", 0), ("2026-12-30", 1), ("2027-01-01", 1), ("2026-10-31", 1)],
)
def test_the_sheet_counts_at_the_end_of_the_year(day: str, off: int) -> None:
    """D-5.7a: at 31 December of each year."""
    assert sheet(counted_on=day).off_year_end == off


@pytest.mark.parametrize("value", [None, -1, 100_000, "few", "12", 1.5, True])
def test_a_cell_is_a_count_or_says_why_it_is_none(value: Any) -> None:
    """D-5.4: an empty cell would leave open whether it is hidden."""
    assert sheet(projects=99_999)
    with pytest.raises(ValidationError):
        sheet(projects=value)


def test_the_sheet_names_nobody() -> None:
    """D-4.3: no case, no person, no territory but the two that signed."""
    yearly = [flow for flow in CONVENTION.flows if flow.purpose == "evaluation"]
    assert {flow.type for flow in yearly} == {"indicator.yearly"}
    for flow in yearly:
        assert (flow.legal_basis, flow.case) == (LegalBasis.NO_PERSONAL_DATA, Cardinality.NONE)


# --- clocks


@pytest.mark.parametrize(
    ("birth", "taken_in_on", "due"),
    [
        (date(2009, 6, 15), date(2020, 1, 1), date(2026, 6, 15)),
        (date(2009, 6, 15), date(2026, 6, 14), date(2026, 6, 15)),
        (date(2009, 6, 15), date(2026, 6, 15), date(2026, 6, 15)),
        (date(2009, 6, 15), date(2026, 6, 16), date(2026, 6, 16)),
        (date(2009, 6, 15), date(2027, 6, 14), date(2027, 6, 14)),
        (date(2008, 2, 29), date(2020, 1, 1), date(2025, 2, 28)),
    ],
)
def test_the_interview_is_held_a_year_before_majority_or_at_once(
    birth: date, taken_in_on: date, due: date
) -> None:
    """D-1.6: a clock of the department; a late interview is still one, so no gate refuses it."""
    assert interview_due(birth, taken_in_on) == due


@pytest.mark.parametrize(
    ("convened_on", "day", "outside"),
    [
        (date(2026, 9, 12), date(2026, 9, 11), 1),
        (date(2026, 9, 12), date(2026, 9, 12), 0),
        (date(2026, 9, 12), date(2026, 10, 12), 0),
        (date(2026, 9, 12), date(2026, 11, 12), 0),
        (date(2026, 9, 12), date(2026, 11, 13), 1),
        (date(2026, 9, 12), date(2026, 11, 22), 10),
        (date(2026, 12, 31), date(2027, 2, 28), 0),
        (date(2026, 12, 31), date(2027, 3, 1), 1),
    ],
)
def test_a_breach_is_told_within_two_months_of_the_convening(
    convened_on: date, day: date, outside: int
) -> None:
    """D-2.4, R114-7: of the finding in the message, and of the day on which it leaves."""
    assert days_outside(convened_on, day) == outside
    document = {
        "young_person": {
            "family_name": "Durand",
            "first_name": "Zoé",
            "birth_date": "2010-06-01",
            "channel": None,
        },
        "representative": None,
        "convened_on": convened_on.isoformat(),
        "ground": "no_answer",
        "not_met_on": day.isoformat(),
    }
    found = read(messages.TrainingObligationBreach, document)
    assert isinstance(found, messages.TrainingObligationBreach)
    assert found.days_outside == outside
    for wrong in ({"ground": "lazy"}, {"comment": "x"}, {"interviews": 3}):
        with pytest.raises(ValidationError):
            read(messages.TrainingObligationBreach, {**document, **wrong})
