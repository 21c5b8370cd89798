"""What is derived: deterministic, valid, complete, and equal to the committed files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.export import MATRIX, REGISTER, SCHEMAS, export_all, said
from contracts.gate import instrument_checks
from contracts.kernel.checks import Check, Side
from contracts.kernel.control import CONTROL_TYPES
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import (
    Cardinality,
    LegalBasis,
    NoticeEnds,
    Retention,
    TermRule,
    Urgency,
)
from contracts.kernel.obligation import Nature
from contracts.registry import build, load
from tests.contracts.instruments import convention_of, duty_of, flow
from tests.contracts.leaves import Leaf, leaves
from tests.contracts.test_gate import EVERY_KIND

ROOT = Path(__file__).parents[2]
EXPORTED = export_all(load())


def test_the_committed_files_are_the_derived_ones() -> None:
    """After a change of a convention: write export_all()'s texts, and read the difference."""
    committed = {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for path in [*(ROOT / SCHEMAS).glob("*"), ROOT / MATRIX, ROOT / REGISTER]
    }
    assert sorted(committed) == sorted(EXPORTED)
    assert committed == EXPORTED


def test_twice_the_same() -> None:
    assert export_all(load()) == EXPORTED


@pytest.mark.parametrize("path", [path for path in EXPORTED if path.endswith(".json")])
def test_each_schema_is_one(path: str) -> None:
    schema = json.loads(EXPORTED[path])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert path == f"{SCHEMAS}/{schema['$id'].removeprefix('urn:relais:schema:')}.json"
    assert schema["additionalProperties"] is False


def test_every_type_has_its_schemas() -> None:
    names = {f"{flow.type}.v{flow.version}" for _, flow in load().flows()}
    control = {f"{name}.v1" for name in CONTROL_TYPES}
    expected = {*names, *(f"{name}.caller" for name in names), *control}
    assert {path for path in EXPORTED if path.startswith(SCHEMAS)} == {
        f"{SCHEMAS}/{name}.json" for name in expected
    }


@cache
def validator(payload: type[Payload]) -> jsonschema.Draft202012Validator:
    schema = payload.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("leaf", leaves(), ids=str)
def test_what_the_model_accepts_the_schema_accepts_too(leaf: Leaf) -> None:
    check = validator(leaf.payload)
    check.validate(leaf.document)
    with pytest.raises(jsonschema.ValidationError):
        check.validate({**leaf.document, "comment": "x"})


def test_bounds_of_a_list_are_those_of_a_list() -> None:
    """Behind a validator they were written as bounds of a text, and held nothing."""
    schema = json.loads(EXPORTED[f"{SCHEMAS}/referral.submitted.v1.caller.json"])
    good = {"level": "6e", "concerns": ["absences"], "hoped_help": "support"}
    jsonschema.validate(good, schema)
    for wrong in ([], ["absences", "absences"], ["absences", "motivation", "climate", "other"]):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**good, "concerns": wrong}, schema)


def test_the_matrix_names_each_flow_with_all_its_articles() -> None:
    text = EXPORTED[MATRIX]
    for instrument, one in load().flows():
        (chapter,) = [part for part in text.split("\n## ") if f" — {instrument.title}\n" in part]
        way = f"| Sens | {one.sender.label} → {one.receiver.label}"
        heading = f"`{one.type}` : {one.label}\n"
        (part,) = [
            each for each in chapter.split("\n### ") if each.startswith(heading) and way in each
        ]
        checks = [*instrument_checks(instrument, one), *one.checks]
        for article in [one.article, one.retention.article, *(check.article for check in checks)]:
            assert article in part


@pytest.mark.parametrize("check", EVERY_KIND, ids=lambda check: type(check).__name__)
def test_each_kind_of_check_is_said_in_french(check: Check) -> None:
    assert said(check)


def test_a_kind_that_is_not_said_is_an_error() -> None:
    with pytest.raises(KeyError):
        said(Check(article="A-1.1", sentence="Non."))


def test_what_only_people_can_keep_stands_in_the_register() -> None:
    """A-4.5: no rule can spread the word inside a school; the register recalls that it is owed."""
    register = export_all(load())[REGISTER]
    rows = [line for line in register.splitlines() if line.endswith("| à compléter |")]
    listed = {row.split(" | ")[0].removeprefix("| ") for row in rows if row.startswith("| A-")}
    assert "A-4.5" in listed
    asked = load().convention("a_city_school").obligations
    assert listed == {one.id for one in asked if one.natures == (Nature.ORGANISATIONAL,)}


def test_a_schema_is_titled_as_the_first_convention_calls_its_type() -> None:
    """It must not change when another convention takes the type up."""
    one = convention_of(flow(label="recensement"))
    other = convention_of(flow(label="comptage"), code="y_test")
    name = f"{SCHEMAS}/census.aggregate.v1.json"
    assert export_all(build([one, other]))[name] == export_all(build([one]))[name]


def test_every_shape_of_instrument_is_written() -> None:
    sent = EVERY_KIND[-1]
    one = flow(
        *EVERY_KIND,
        case=Cardinality.OPENS,
        legal_basis=LegalBasis.PUBLIC_TASK,
        urgency=Urgency.WITHOUT_DELAY,
    )
    aggregate = flow(type="census.empty", code="m2")
    kept: list[dict[str, Any]] = [
        {"event": "read", "hours": 24},
        {"event": "ended", "months": 0},
        {"event": "answered", "transient": True},
    ]
    others = [
        replace(
            aggregate,
            type=f"census.{one['event']}",
            code=f"n{number}",
            case=Cardinality.WITHIN,
            retention=Retention(article="A-5.1", **one),
        )
        for number, one in enumerate(kept)
    ]
    term = TermRule(article="A-9.1", until=date(2027, 1, 1))
    convention = convention_of(
        one,
        term=term,
        termination=replace(CONVENTION.termination, ends=NoticeEnds.YEARLY_DATE),
        flows=(one, aggregate, *others),
        new_case_during_notice=False,
    )
    ended = duty_of(aggregate, repealed_on=date(2030, 1, 1))
    texts = export_all(build([convention, ended]))
    matrix, register = texts[MATRIX], texts[REGISTER]
    assert "jusqu'au 2026-12-31 inclus (A-9.1)" in matrix
    assert "sans délai" in matrix
    assert "aucun nouveau dossier pendant le préavis" in matrix
    assert "Devoir légal (A-0.3), depuis le 2020-01-01, jusqu'au 2029-12-31 inclus." in matrix
    assert "| Contrôles du message | aucun |" in matrix
    for said_ in ("1 mois après `received`", "24 heures après `read`", "jusqu'à `ended`"):
        assert f"| Conservation | {said_} (A-5.1) |" in matrix
    assert "aucune : affiché jusqu'à `answered`, jamais écrit (A-5.1)" in matrix
    assert "Préavis : 6 mois avant la date anniversaire (A-10.1)" in matrix
    assert "personnes accompagnées" in register
    assert "x_duty" not in register
    assert sent.side is Side.BOTH
    personal = flow(legal_basis=LegalBasis.LEGAL_OBLIGATION)
    assert "Devoir (A-0.3)" in export_all(build([duty_of(personal)]))[REGISTER]
    assert "depuis le 2020-01-01." in export_all(build([duty_of(personal)]))[MATRIX]
