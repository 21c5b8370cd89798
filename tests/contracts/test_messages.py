"""Messages of convention A and control types: the strictly necessary, and nothing else (A-5.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.a_city_school.messages import ReferralAnswered, ReferralSubmitted
from contracts.kernel.control import CONTROL_TYPES, AgreementChanged, ConventionStateChanged
from contracts.kernel.fields import Payload, caller_model, node_fields
from contracts.kernel.signed import State

REFERRAL: dict[str, Any] = {
    "pupil": {
        "family_name": "Durand",
        "first_name": "Zoé",
        "birth_date": "2012-06-01",
        "channel": {"kind": "email", "value": "zoe@exemple.fr"},
    },
    "representative": {
        "family_name": "Durand",
        "first_name": "Claude",
        "channel": {"kind": "phone", "value": "06 39 98 12 34"},
    },
    "uai": "0760001A",
    "level": "6e",
    "concerns": ["absences", "motivation"],
    "hoped_help": "support",
}
ANSWER: dict[str, Any] = {
    "decision": "accepted",
    "referent": {"name": "Camille Petit", "role": "éducatrice", "phone": None, "email": None},
    "next_date": "2026-11-20",
}


def read(payload: type[Payload], document: Any) -> Payload:
    return payload.model_validate_json(json.dumps(document))


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    return {**document, name: changed(document[name], rest, value) if rest else value}


def test_a_referral_comes_back_as_it_left() -> None:
    found = read(ReferralSubmitted, REFERRAL)
    assert ReferralSubmitted.model_validate_json(found.model_dump_json()) == found
    assert isinstance(found, ReferralSubmitted)
    assert found.concerns == ("absences", "motivation")
    assert found.representative is not None
    assert found.representative.channel.value == "+33639981234"


def test_an_adult_has_no_representative_and_may_have_no_channel() -> None:
    for path in ("representative", "pupil.channel"):
        assert read(ReferralSubmitted, changed(REFERRAL, path, None))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("concerns", []),
        ("concerns", ["absences", "motivation", "climate", "orientation"]),
        ("concerns", ["absences", "absences"]),
        ("concerns", ["violence"]),
        ("concerns", "absences"),
        ("level", "6e B"),
        ("level", None),
        ("hoped_help", "sanction"),
        ("uai", None),
        ("pupil.birth_date", "01/06/2012"),
        ("pupil.birth_date", 2012),
        ("pupil.family_name", None),
        ("pupil.channel", "zoe@exemple.fr"),
        ("pupil.channel", {"kind": "phone", "value": "zoe@exemple.fr"}),
        ("pupil.channel", {"kind": "email", "value": "0639981234"}),
        ("pupil.channel", {"kind": "email", "value": "z@e.fr", "other": "0639981234"}),
        ("representative.channel", None),
        ("pupil.nationality", "x"),
        ("representative.profession", "x"),
        ("comment", "x"),
        ("absences", 12),
    ],
)
def test_a_referral_says_nothing_more_and_nothing_less(path: str, value: Any) -> None:
    assert read(ReferralSubmitted, REFERRAL)
    with pytest.raises(ValidationError):
        read(ReferralSubmitted, changed(REFERRAL, path, value))


@pytest.mark.parametrize("name", sorted(REFERRAL))
def test_every_field_of_a_referral_is_asked_for(name: str) -> None:
    assert read(ReferralSubmitted, REFERRAL)
    with pytest.raises(ValidationError, match="missing"):
        read(ReferralSubmitted, {key: REFERRAL[key] for key in REFERRAL if key != name})


@pytest.mark.parametrize("count", [1, 3])
def test_one_to_three_signs_pass(count: int) -> None:
    signs = ["absences", "climate", "other"][:count]
    assert read(ReferralSubmitted, changed(REFERRAL, "concerns", signs))


def test_the_node_fills_identity_and_the_caller_never_types_it() -> None:
    assert node_fields(ReferralSubmitted) == {
        "pupil": "identity",
        "representative": "representative",
        "uai": "uai",
    }
    typed = {key: REFERRAL[key] for key in ("level", "concerns", "hoped_help")}
    assert read(caller_model(ReferralSubmitted), typed)
    with pytest.raises(ValidationError, match="extra_forbidden"):
        read(caller_model(ReferralSubmitted), {**typed, "pupil": REFERRAL["pupil"]})


def test_an_answer_never_says_why() -> None:
    assert read(ReferralAnswered, ANSWER)
    assert read(ReferralAnswered, {"decision": "declined", "referent": None, "next_date": None})
    for wrong in ({"reason": "x"}, {"decision": "refused"}, {"next_date": "demain"}):
        with pytest.raises(ValidationError):
            read(ReferralAnswered, {**ANSWER, **wrong})


CHANGED = {
    "reference": "a" * 32,
    "case_ids": ["b" * 32],
    "state": "withdrawn",
    "effective_at": "2026-11-12T10:00:00+01:00",
}


def test_a_withdrawal_carries_no_reason() -> None:
    assert read(AgreementChanged, CHANGED)
    assert read(AgreementChanged, {**CHANGED, "case_ids": []})
    for wrong in ({"reason": "x"}, {"state": "given"}, {"case_ids": ["dupont"]}, {"case_ids": "b"}):
        with pytest.raises(ValidationError):
            read(AgreementChanged, {**CHANGED, **wrong})


@pytest.mark.parametrize(
    "instant",
    ["2026-11-12T10:00:00", "2026-11-12", "0639981234", 639981234, 1.5, True, None, "now"],
)
def test_an_instant_has_its_offset_and_is_no_number(instant: Any) -> None:
    """Unix time would let a phone number pass for an instant."""
    for good in ("2026-11-12T10:00:00Z", "2026-11-12 10:00+01:00", "2026-11-12T10:00:00.5-0300"):
        assert read(AgreementChanged, {**CHANGED, "effective_at": good})
    with pytest.raises(ValidationError):
        read(AgreementChanged, {**CHANGED, "effective_at": instant})


def test_a_convention_state_is_one_that_a_node_computes() -> None:
    said = {"convention_id": "conv-a-1", "version": 1, "effective_at": "2026-11-12T10:00:00Z"}
    for state in State:
        assert read(ConventionStateChanged, {**said, "state": state.value})
    with pytest.raises(ValidationError):
        read(ConventionStateChanged, {**said, "state": "open"})


@pytest.mark.parametrize("article", ["A-5.1", "C-3a.23", "R131-10-1", "L131-6", "R5134-38"])
def test_an_article_is_one(article: str) -> None:
    payload = CONTROL_TYPES["withdrawal.done"].payload
    said = {
        "reference": "a" * 32,
        "case_ids": [],
        "outcome": "kept",
        "article": article,
        "retain_until": "2027-01-01",
        "done_at": "2026-11-12T10:00:00Z",
    }
    assert read(payload, said)
    assert read(payload, {**said, "article": None, "retain_until": None})
    for wrong in ("parce que", "A-5.1 car il déménage", "A0639981234", ""):
        with pytest.raises(ValidationError):
            read(payload, {**said, "article": wrong})


def test_control_types_are_found_by_their_name() -> None:
    assert all(name == control.type for name, control in CONTROL_TYPES.items())
    assert {control.payload for control in CONTROL_TYPES.values()} >= {AgreementChanged}
