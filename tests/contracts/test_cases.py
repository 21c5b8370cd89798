"""The decisions that convention A writes down as data, each beside the same call allowed."""

from __future__ import annotations

from collections import defaultdict

import pytest

from contracts.gate import Allowed, Refused, decide
from contracts.kernel.checks import Agreement, Side
from contracts.kernel.facts import from_json, to_json
from tests.contracts.world import FOLDER, Case, allowed, cases, convention, document

CASES = cases()
SIDES = [(flow.type, side) for flow in convention().flows for side in (Side.SENDER, Side.RECEIVER)]
AGREEMENT_CODES = {
    "no_agreement",
    "agreement_later",
    "agreement_expired",
    "agreement_withdrawn",
    "agreement_scope",
    "agreement_giver",
    "agreement_recipient",
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_decision(case: Case) -> None:
    assert decide(case.rules, *case.base) == Allowed("a_city_school/1")
    decision = decide(case.rules, case.facts, case.at)
    if case.expect is None:
        assert decision == Allowed("a_city_school/1")
        return
    assert isinstance(decision, Refused)
    assert tuple((reason.article, reason.code) for reason in decision.reasons) == case.expect
    assert all(reason.sentence.endswith(".") for reason in decision.reasons)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_recorded_decision_replays_word_for_word(case: Case) -> None:
    decision = decide(case.rules, case.facts, case.at)
    assert decide(case.rules, from_json(to_json(case.facts)), case.at) == decision


@pytest.mark.parametrize(("flow", "side"), SIDES)
def test_each_check_refuses_alone_somewhere_and_lets_pass_elsewhere(flow: str, side: Side) -> None:
    """A check whose removal turns nothing red is not proven."""
    mine = [case for case in CASES if case.flow.type == flow and case.side is side]
    rules = mine[0].rules
    alone: dict[int, int] = defaultdict(int)
    passing: dict[int, int] = defaultdict(int)
    for case in mine:
        refusing = [n for n, test in enumerate(rules.tests) if test(case.facts, case.at)]
        for n in range(len(rules.tests)):
            passing[n] += n not in refusing
        if len(refusing) == 1:
            alone[refusing[0]] += 1
    everything = set(range(len(rules.tests)))
    assert {n for n, count in alone.items() if count} == everything
    assert {n for n, count in passing.items() if count} == everything


@pytest.mark.parametrize(("flow", "side"), SIDES)
def test_each_way_an_agreement_fails_has_its_case(flow: str, side: Side) -> None:
    mine = [case for case in CASES if case.flow.type == flow and case.side is side]
    codes = {code for case in mine for _, code in case.expect or () if "agreement" in code}
    assert codes == AGREEMENT_CODES
    assert any(isinstance(check, Agreement) for check in mine[0].flow.checks)


def test_every_flow_of_the_convention_has_cases_and_every_case_is_about_one() -> None:
    types = {flow.type for flow in convention().flows}
    assert set(document()["flows"]) == types
    assert {line["flow"] for line in document()["only"] if "flow" in line} <= types
    lines = [*document()["everywhere"], *document()["only"]]
    assert {case.name for case in CASES} == {line["name"] for line in lines}
    assert len({line["name"] for line in lines}) == len(lines)


def test_each_folder_of_a_convention_has_its_cases() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/convention.py")}
    assert {path.parent.name for path in FOLDER.glob("*/cases.yaml")} == folders


def test_the_base_is_allowed_on_its_own() -> None:
    for flow, side in SIDES:
        base = allowed(flow, side)
        assert decide(base.rules, base.facts, base.at) == Allowed("a_city_school/1")
