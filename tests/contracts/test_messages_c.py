"""Messages of convention C: what of a person and of a colleague crosses, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.c_employment_city_ccas import messages
from contracts.kernel.fields import caller_model
from contracts.kernel.messages import Identity

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
