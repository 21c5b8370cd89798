"""The registry: conventions are found by listing a folder, and each is checked as it is found."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import contracts.conventions
from contracts.broker.compile import grants_of
from contracts.broker.grants import GrantKind
from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.conventions.a_city_school.messages import ReferralAnswered
from contracts.export import export_all
from contracts.gate import compile_flow
from contracts.kernel.checks import Side
from contracts.kernel.errors import InvalidDocument, UnknownName
from contracts.kernel.instrument import (
    Cardinality,
    Convention,
    Flow,
    Instrument,
    Retention,
    TermRule,
)
from contracts.kernel.organisation import Kind
from contracts.kernel.signed import assemble
from contracts.kernel.terms import Signed
from contracts.registry import build, load
from tests.contracts.instruments import convention_of, duty_of, flow
from tests.parties import AT, SIGNED_ON, Organisation, text

FIFTH = '''
"""A fifth convention: this folder, and no other line."""
from contracts.conventions.a_city_school.convention import CONVENTION as A
from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from dataclasses import replace
FLOW = replace(A.flows[0], sender=Kind.CCAS, receiver=Kind.DEPARTMENT, type="census.sent")
CONVENTION = replace(
    A, code="e_ccas_department", letter="E", parties=(Kind.CCAS, Kind.DEPARTMENT), flows=(FLOW,)
)
PAST = (replace(CONVENTION, version=0),)
'''


@pytest.fixture
def five(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The real conventions beside a made-up one, in a package of their own."""
    package = tmp_path / "five_conventions"
    for name, content in {
        "e_ccas_department": FIFTH,
        "a_city_school": "from contracts.conventions.a_city_school.convention import CONVENTION",
    }.items():
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("", encoding="utf-8")
        (package / name / "convention.py").write_text(content, encoding="utf-8")
    (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("five_conventions")
    for name in [name for name in sys.modules if name.startswith("five_conventions")]:
        del sys.modules[name]


def test_every_folder_of_a_convention_is_found() -> None:
    folders = Path(contracts.conventions.__path__[0])
    assert set(load().conventions) == {path.parent.name for path in folders.glob("*/convention.py")}


def test_another_convention_is_one_folder_and_no_other_line(five: ModuleType) -> None:
    registry = load(five)
    found = registry.convention("e_ccas_department")
    assert {one.type for _, one in registry.flows()} == {
        *(one.type for one in CONVENTION.flows),
        "census.sent",
    }
    assert [one.type for _, one in registry.flows_between(Kind.CCAS, Kind.DEPARTMENT)] == [
        "census.sent"
    ]
    for side in (Side.SENDER, Side.RECEIVER):
        assert compile_flow(found, found.flows[0], side).tests
    exported = export_all(registry)
    assert "contracts/schemas/census.sent.v1.json" in exported
    assert "census.sent" in exported["docs/generated/matrix.md"]
    one = Organisation("ccas", Kind.CCAS, "c1")
    other = Organisation("departement", Kind.DEPARTMENT, "d1")
    terms = text(one, other).model_copy(update={"convention": found.code})
    signed = assemble(found, [Signed(terms, {"ccas": SIGNED_ON, "departement": SIGNED_ON})], [])
    granted = grants_of(signed, {org.org: org.described() for org in (one, other)}, AT)
    assert [grant.sender for grant in granted if grant.kind is GrantKind.FLOW] == ["c1"]


def test_past_rules_are_found_by_their_version_and_never_replace_present_ones(
    five: ModuleType,
) -> None:
    registry = load(five)
    assert registry.rules("e_ccas_department/0").version == 0
    assert registry.rules("e_ccas_department/1") is registry.convention("e_ccas_department")
    again = build([CONVENTION], [replace(CONVENTION, title="Former")])
    assert again.rules("a_city_school/1") is CONVENTION


def test_an_unknown_name_is_said_so() -> None:
    registry = load()
    assert registry.convention("a_city_school").letter == "A"
    assert registry.rules("a_city_school/1").letter == "A"
    with pytest.raises(UnknownName):
        registry.convention("z_nobody")
    with pytest.raises(UnknownName):
        registry.rules("a_city_school/99")


def test_flows_are_listed_by_kind_and_direction() -> None:
    registry = load()

    def types(sender: Kind, receiver: Kind) -> list[str]:
        return [one.type for _, one in registry.flows_between(sender, receiver)]

    assert "referral.submitted" in types(Kind.SCHOOL, Kind.CITY)
    assert "referral.submitted" not in types(Kind.CITY, Kind.SCHOOL)
    assert types(Kind.SCHOOL, Kind.SCHOOL) == []


def test_a_legal_duty_stands_beside_the_conventions() -> None:
    one = flow(type="attendance.notice")
    registry = build([CONVENTION, duty_of(one)])
    assert set(registry.duties) == {"x_duty"}
    assert registry.rules("x_duty/1") is registry.duties["x_duty"]
    assert ("x_duty", "attendance.notice") in [(i.code, f.type) for i, f in registry.flows()]
    duty = registry.duties["x_duty"]
    assert duty.flow("attendance.notice", one.sender, one.receiver) is one
    assert duty.flow("other", one.sender, one.receiver) is None


def test_two_instruments_never_share_a_code() -> None:
    """The second of two conventions must not silently take the place of the first."""
    one = flow()
    duty = duty_of(one)
    convention = convention_of(one)
    assert build([CONVENTION, convention, duty])
    pairs: tuple[list[Instrument], ...] = (
        [convention, convention],
        [duty, duty],
        [replace(convention, code="x_duty"), duty],
    )
    for pair in pairs:
        with pytest.raises(InvalidDocument, match="Two instruments"):
            build(pair)


@pytest.mark.parametrize("code", ["m1", "k", "r"])
def test_subject_codes_are_distinct_and_leave_control_and_receipts_alone(code: str) -> None:
    first, second = flow(), flow(type="census.other", code="m2")
    assert build([convention_of(first, flows=(first, second))])
    with pytest.raises(InvalidDocument, match="subject code"):
        build([convention_of(first, flows=(first, replace(second, code=code)))])


def test_a_type_goes_to_two_kinds_by_two_flows_and_each_way_is_one_flow() -> None:
    """Of three parties the second receiver must never be served by the first one's rules."""
    one = flow(code="m1")
    other = replace(one, receiver=Kind.CCAS, code="m2")
    back = replace(one, sender=Kind.CCAS, receiver=Kind.CITY, code="m3")
    parties = (Kind.CITY, Kind.MISSION_LOCALE, Kind.CCAS)
    text_ = convention_of(one, parties=parties, flows=(one, other, back))
    assert build([text_])
    assert text_.flow(one.type, Kind.CITY, Kind.MISSION_LOCALE) is one
    assert text_.flow(one.type, Kind.CITY, Kind.CCAS) is other
    assert text_.flow(one.type, Kind.CCAS, Kind.CITY) is back
    for way in ((Kind.CCAS, Kind.MISSION_LOCALE), (Kind.CITY, None), (None, None)):
        assert text_.flow(one.type, *way) is None
    assert text_.closest(one.type, Kind.CITY, None) is one
    assert text_.closest(one.type, Kind.CCAS, None) is back
    assert text_.closest("other", Kind.CITY, Kind.CCAS) is None
    with pytest.raises(InvalidDocument, match="same way"):
        build([replace(text_, flows=(one, replace(one, code="m4")))])


@pytest.mark.parametrize("stray", [flow(sender=Kind.SCHOOL), flow(receiver=Kind.SCHOOL)])
def test_a_flow_never_leaves_the_parties(stray: Flow) -> None:
    good = flow()
    assert build([convention_of(good)])
    assert build([duty_of(good)])
    with pytest.raises(InvalidDocument, match="leaves the parties"):
        build([convention_of(good, flows=(stray,))])
    with pytest.raises(InvalidDocument, match="leaves the parties"):
        build([replace(duty_of(good), flows=(stray,))])


def test_a_term_is_in_years_or_until_a_day() -> None:
    until = date(2027, 1, 1)
    assert build([convention_of(flow(), term=TermRule(article="A-9.1", until=until))])
    for term in (TermRule(article="A-9.1"), TermRule(article="A-9.1", years=3, until=until)):
        with pytest.raises(InvalidDocument, match="term"):
            build([convention_of(flow(), term=term)])


@pytest.mark.parametrize(
    "how",
    [{"months": 2}, {"days": 30}, {"hours": 24}, {"transient": True}],
    ids=lambda one: next(iter(one)),
)
def test_what_is_received_is_kept_for_one_stated_time(how: dict[str, Any]) -> None:
    """C-5.1, C-6.5: in months, days or hours, or never written at all."""

    def kept(**said: Any) -> Convention:
        retention = Retention(event="answered", article="C-5.1", **said)
        return convention_of(replace(flow(), retention=retention, case=Cardinality.WITHIN))

    assert build([kept(**how)])
    others: list[dict[str, Any]] = [{"months": 1}, {"days": 1}, {"hours": 1}, {"transient": True}]
    both = [{**how, **one} for one in others if one.keys() != how.keys()]
    nothing: list[dict[str, Any]] = [{}, {"transient": False}, {"months": -1}]
    for wrong in (*both, *nothing):
        with pytest.raises(InvalidDocument, match="how long"):
            build([kept(**wrong)])


def test_what_is_never_written_has_a_case_under_which_it_is_seen_again() -> None:
    """C-5.1: a random id, by which whoever may read it asks for it anew."""
    transient = Retention(event="answered", article="C-5.1", transient=True)
    for case in (Cardinality.OPENS, Cardinality.WITHIN):
        assert build([convention_of(replace(flow(), retention=transient, case=case))])
    with pytest.raises(InvalidDocument, match="never be seen"):
        build([convention_of(replace(flow(), retention=transient, case=Cardinality.NONE))])


def test_one_version_of_a_type_has_one_shape() -> None:
    one = flow()
    first = convention_of(one)
    second = replace(first, code="y_test")
    assert build([first, second])
    other = replace(one, payload=ReferralAnswered)
    with pytest.raises(InvalidDocument, match="two shapes"):
        build([first, replace(second, flows=(other,))])
    assert build([first, replace(second, flows=(replace(other, version=2),))])
