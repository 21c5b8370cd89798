"""Messages of convention C: what of a person and of a colleague crosses, and no more."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.c_employment_city_ccas import messages
from contracts.kernel import checks
from contracts.kernel.checks import Side
from contracts.kernel.fields import Payload, caller_model
from contracts.kernel.messages import Identity
from tests.contracts.test_convention_c import FLOWS

PERSON = Identity.model_validate_json(
    '{"family_name": "Modèle", "first_name": "Claude", "birth_date": "1990-06-01",'
    ' "channel": {"kind": "email", "value": "claude@modele.example"}}'
)


def test_a_message_takes_of_an_identity_what_it_needs() -> None:
    """C-5.1, C-3d.4: the employer learns no age, the agency no way to reach the person."""
    seen = messages.CandidateProposed.model_validate({"candidate": PERSON, "offer_id": "a" * 32})
    assert set(seen.candidate.model_dump()) == {"family_name", "first_name", "channel"}
    asked = messages.EligibilityAsked.model_validate({"person": PERSON})
    assert set(asked.person.model_dump()) == {"family_name", "first_name", "birth_date"}
    again = messages.EligibilityAsked.model_validate_json(asked.model_dump_json())
    assert again == asked
    silent = PERSON.model_copy(update={"channel": None})
    with pytest.raises(ValidationError):
        messages.CandidateProposed.model_validate({"candidate": silent, "offer_id": "a" * 32})
    assert caller_model(messages.EligibilityAsked).model_fields == {}


def test_a_second_counsellor_is_named_for_employers() -> None:
    """C-3a.14, and C-0.2, C-3e.2, C-3f.5, C-3f.6 for whom one is enough."""
    build: Any = messages.ReferentsPublished.model_construct
    one: Any = object()
    assert build(task="employer", second=None).seconds_missing == 1
    assert build(task="employer", second=one).seconds_missing == 0
    for task in ("social_clauses", "zero_unemployment", "hauts_de_rouen", "france_services"):
        assert build(task=task, second=None).seconds_missing == 0


def sources(payload: type[Payload]) -> set[str]:
    found = set()
    for info in payload.model_fields.values():
        assert isinstance(info.json_schema_extra, dict)
        found.add(str(info.json_schema_extra["source"]))
    return found


def test_what_is_agreed_to_in_a_supported_contract() -> None:
    """C-3a.2, C-3a.4, C-3a.8, C-3a.18, C-3a.19: skills, training and support, all three."""
    assert sources(messages.CommitmentAgreed) >= {"C-3a.8", "C-3a.18", "C-3a.19", "C-3a.20"}
    given: dict[str, Any] = {
        "skills": ["104362"],
        "training": ["new_skills"],
        "support": ["job_search"],
        "first_day": "2025-01-01",
        "last_day": "2025-12-31",
        **dict.fromkeys(messages.SIGNATORIES, "2024-12-20"),
    }
    agreed = messages.CommitmentAgreed.model_validate(given)
    assert agreed.signatures == dict.fromkeys(messages.SIGNATORIES, date(2024, 12, 20))
    for name in given:
        empty: list[str] | None = [] if name in {"skills", "training", "support"} else None
        with pytest.raises(ValidationError):
            messages.CommitmentAgreed.model_validate({**given, name: empty})


def test_an_offer_says_whether_it_may_last_and_that_a_tutor_is_eligible() -> None:
    """C-3a.10, C-3a.6: two bits; who the tutor is stays with the employer."""
    assert sources(messages.OfferPublished) == {"C-3a.6", "C-3a.10", "C-3a.11", "C-3a.13"}
    tutor = [one for flow in FLOWS for one in flow.checks if one.article == "C-3a.6"]
    assert len(tutor) == 5
    assert {one.side for one in tutor} == {Side.SENDER}
    (most,) = [one for one in tutor if isinstance(one, checks.Limit)]
    assert (most.at_least, most.at_most) == (1, 3)


def test_a_volunteer_offers_and_the_agency_goes_on() -> None:
    """C-3e.5, C-3e.6: nothing that could end or replace the agency's own support."""
    assert set(messages.SkillsOffered.model_fields) == {"volunteer", "skills", "needs"}
