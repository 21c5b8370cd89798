"""A form holds the fields of what it fills and no others; nothing typed is lost or bent."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from starlette.datastructures import ImmutableMultiDict

from contracts.conventions.a_city_school.messages import ReferralAnswered, WatchCellConvened
from contracts.conventions.d_department_mission_locale.messages import IndicatorYearly
from contracts.kernel.fields import caller_model
from contracts.kernel.messages import Identity
from contracts.kernel.organisation import Kind
from contracts.kernel.words import COMMON
from contracts.registry import load
from services.chassis.derogations import DerogationBody, DerogationReview, TellingBody
from services.chassis.minors import Hearing, Objection, ObjectionAnswer
from services.chassis.pages import forms
from services.chassis.pages.forms import (
    NOTHING_TYPED,
    Field,
    Option,
    Shape,
    content_of,
    fields_of,
    filled,
    placed,
)
from services.chassis.partner import Partner
from services.chassis.register import AgreementRecord
from services.chassis.words import CODES
from tests.federation import examples_a, examples_b, examples_c, examples_d
from tests.federation.examples import Case, Script

REGISTRY = load()
SCRIPTS = [one.SCRIPT for one in (examples_a, examples_b, examples_c, examples_d)]
FLOWS = [
    pytest.param(script, code, id=f"{script.text.letter}-{code}")
    for script in SCRIPTS
    for code in script.flows
]
BARE = {"6e", "5e", "4e", "3e"}
"""Codes that are their own words."""


def partner(kind: Kind) -> Partner:
    found: Partner = importlib.import_module(f"services.{kind.value}.partner").PARTNER
    return found


def bodies() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every content that an agent may type, with the instrument it belongs to."""
    for instrument, flow in REGISTRY.flows():
        yield instrument.code, flow.payload
    for kind in Kind:
        for code, side in partner(kind).sides.items():
            yield from ((code, act.payload) for act in side.acts.values())
            yield from ((code, one.body) for one in side.calls.values() if one.body is not None)
    for model in (AgreementRecord, DerogationBody, TellingBody, DerogationReview):
        yield "", model
    for said in (Hearing, Objection, ObjectionAnswer):
        yield "", said


def leaves(model: type[BaseModel]) -> list[Field]:
    return [leaf for field in fields_of(model) for leaf in field.leaves]


def typed(content: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """A content as a browser would send it."""
    found: list[tuple[str, str]] = []
    for name, value in content.items():
        if isinstance(value, dict):
            found += typed(value, f"{above}{name}.")
        elif isinstance(value, list):
            found += [(above + name, str(one)) for one in value]
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            found.append((above + name, text))
    return found


@pytest.mark.parametrize(("script", "code"), FLOWS)
def test_a_form_has_the_fields_of_the_flow_that_a_caller_may_type_and_no_others(
    script: Script, code: str
) -> None:
    """A-5.1: what the node fills from its register is never typed."""
    model = caller_model(script.flows[code].payload)
    assert [one.name for one in fields_of(model)] == list(model.model_fields)


@pytest.mark.parametrize(("script", "code"), FLOWS)
def test_what_a_form_sends_is_what_was_typed(script: Script, code: str) -> None:
    """An example of each message, typed into its form, comes out as it was."""
    model = caller_model(script.flows[code].payload)
    said = script.examples[code].data(Case(date(2026, 9, 14), date(2026, 10, 5)))
    sent = content_of(fields_of(model), ImmutableMultiDict(typed(said)))
    assert model.model_validate_json(json.dumps(sent)) == (
        model.model_validate_json(json.dumps(said))
    )


def test_every_code_that_an_agent_meets_has_a_french_word() -> None:
    seen: set[str] = set()
    for instrument, model in bodies():
        for leaf in leaves(model):
            if leaf.shape is Shape.YES_NO:
                continue
            for option in leaf.options:
                seen.add(option.code)
                word = REGISTRY.word(instrument, option.code)
                assert word != option.code or word in BARE, (instrument, leaf.name, option.code)
    for instrument_, flow in REGISTRY.flows():
        for code in (flow.purpose, flow.retention.event):
            seen.add(code)
            assert REGISTRY.word(instrument_.code, code) != code, (flow.type, code)
    unused = {code for words in REGISTRY.words.values() for code in words} - seen
    assert not unused | (set(COMMON) - seen)


def test_a_block_left_empty_is_null_and_one_begun_is_not() -> None:
    fields = fields_of(ReferralAnswered)
    empty = content_of(fields, ImmutableMultiDict([("decision", "declined")]))
    assert empty == {"decision": "declined", "referent": None, "next_date": None}
    begun = content_of(fields, ImmutableMultiDict([("referent.name", "Camille Fictive")]))
    assert begun["referent"] == {"name": "Camille Fictive", "phone": None, "email": None}
    with pytest.raises(ValidationError):
        ReferralAnswered.model_validate(begun)


def test_a_field_for_an_address_or_a_number_has_room_for_either() -> None:
    (channel,) = (one for one in fields_of(Identity) if one.name == "channel")
    (value,) = (one for one in channel.leaves if one.name == "channel.value")
    longest = [
        schema["properties"]["value"]["maxLength"]
        for schema in Identity.model_json_schema()["$defs"].values()
        if "value" in schema.get("properties", {})
    ]
    assert value.longest == max(longest) > min(longest)


def test_one_of_several_blocks_is_chosen_by_its_kind() -> None:
    typed_ = [("channel.kind", "phone"), ("channel.value", "01 99 00 12 34")]
    content = content_of(fields_of(Identity), ImmutableMultiDict(typed_))
    assert content["channel"] == {"kind": "phone", "value": "01 99 00 12 34"}
    assert content_of(fields_of(Identity), NOTHING_TYPED)["channel"] is None


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-07-01T09:30", "2026-07-01T09:30:00+02:00"),
        ("2026-12-01T09:30", "2026-12-01T09:30:00+01:00"),
        ("demain", "demain"),
    ],
)
def test_an_instant_is_typed_as_paris_reads_it(local: str, instant: str) -> None:
    content = content_of(fields_of(WatchCellConvened), ImmutableMultiDict([("at", local)]))
    assert content["at"] == instant


def test_a_number_or_a_word_is_either() -> None:
    words = REGISTRY.words["d_department_mission_locale"]
    fields = fields_of(IndicatorYearly, words.__getitem__)
    content = content_of(
        fields, ImmutableMultiDict([("requested", "12"), ("projects", "compté par l'autre partie")])
    )
    assert (content["requested"], content["projects"]) == (12, "not_counted")


def test_what_is_no_number_goes_on_for_the_api_to_refuse() -> None:
    fields = fields_of(WatchCellConvened)
    for text in ("douze", "-1", "²", "1e3"):
        content = content_of(fields, ImmutableMultiDict([("situations", text)]))
        assert content["situations"] == text


def test_what_was_typed_and_what_is_wrong_come_back_in_their_place() -> None:
    form = ImmutableMultiDict([("decision", "accepted"), ("referent.role", "x" * 90)])
    told = [
        {"path": "referent.ProfessionalContact.role", "code": "string_too_long"},
        {"path": "referent.name", "code": "missing"},
        {"path": "absences_count", "code": "extra_forbidden"},
    ]
    faults, elsewhere = placed(fields_of(ReferralAnswered), told, CODES)
    shown = {
        one.name: one
        for field in filled(fields_of(ReferralAnswered), form, faults)
        for one in field.leaves
    }
    assert shown["referent.role"].value == "x" * 90
    assert shown["referent.role"].fault == "est trop long"
    assert shown["referent.name"].fault == "ce champ manque"
    assert [one.chosen for one in shown["decision"].options] == [True, False, False]
    assert elsewhere == ["ce champ n'existe pas dans ce message"]


def test_what_a_page_fills_by_itself_is_not_asked_and_a_text_may_become_a_choice() -> None:
    choices = {"recipients": [Option(code="ville-1", word="Ville")]}
    fields = fields_of(AgreementRecord, leave_out=["person_id"], choices=choices)
    by_name = {one.name: one for one in fields}
    assert "person_id" not in by_name
    assert by_name["recipients"].shape is Shape.CHOICES
    form = ImmutableMultiDict([("recipients", "ville-1")])
    assert content_of([by_name["recipients"]], form) == {"recipients": ["ville-1"]}


def test_every_call_that_records_something_beside_a_case_is_offered_in_words() -> None:
    """Each has a label and an article, and each of its fields a label of its own."""
    for kind in Kind:
        for side in partner(kind).sides.values():
            for (method, path), call in side.calls.items():
                if call.body is None:
                    continue
                assert call.label, (method, path)
                assert call.article, (method, path)
                for field in call.body.model_fields:
                    assert call.body.model_fields[field].title, (path, field)


def test_no_browser_judges_what_is_typed_before_the_api_does() -> None:
    """What is wrong is said once, in our words, at its top and beside the field."""
    templates = Path(forms.__file__).parent / "templates"
    asked = [
        (path.name, tag)
        for path in templates.glob("*.html")
        for tag in re.findall(r'<form class="asking[^>]*>', path.read_text("utf-8"))
    ]
    assert len(asked) > 5
    assert [name for name, tag in asked if "novalidate" not in tag] == []
