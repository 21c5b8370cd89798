"""The decisions that each convention writes down as data, each beside the same call allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest

from contracts.gate import Allowed, Refused, decide
from contracts.kernel.checks import Limit, Recorded, Side
from contracts.kernel.facts import NOWHERE, from_json, to_json
from contracts.registry import load
from tests.contracts.signing import FOLDER, convention, document
from tests.contracts.world import Case, allowed, asked, cases, counts_of, flow_of, flows, keys

AGREEMENT_CODES = {
    "no_agreement",
    "agreement_later",
    "agreement_expired",
    "agreement_withdrawn",
    "agreement_suspended",
    "agreement_scope",
    "agreement_giver",
    "agreement_recipient",
}
CONVENTIONS = sorted(load().conventions)
EVERY = [(of, *key) for of in CONVENTIONS for key in keys(of)]


def yes_of(case: Case) -> Allowed:
    return Allowed(case.instrument.rules_version)


def wrong(found: Iterable[Case]) -> list[tuple[str, object]]:
    """Cases whose decision is not the one written down, and what it is."""
    told: list[tuple[str, object]] = []
    for case in found:
        decision = decide(case.rules, case.facts, case.at)
        reasons = decision.reasons if isinstance(decision, Refused) else ()
        said = tuple((reason.article, reason.code) for reason in reasons)
        yes = decision == yes_of(case)
        if said != (case.expect or ()) or yes is not (case.expect is None):
            told.append((str(case), said))
        if not all(reason.sentence.endswith(".") for reason in reasons):
            told.append((str(case), reasons))
    return told


@pytest.mark.parametrize(("of", "code", "side"), EVERY)
def test_decisions(of: str, code: str, side: Side) -> None:
    base = allowed(code, side, of)
    assert decide(base.rules, base.facts, base.at) == yes_of(base)
    assert wrong(cases(code, side, of)) == []


def test_a_wrong_line_is_told() -> None:
    (case, *_) = [one for one in cases("m1", Side.SENDER) if one.expect is not None]
    lie = Case(case.name, case.flow, case.side, case.at, case.facts, None)
    assert wrong([lie]) == [(str(case), case.expect)]


@pytest.mark.parametrize(("of", "code", "side"), EVERY)
def test_a_recorded_decision_replays_word_for_word(of: str, code: str, side: Side) -> None:
    for case in cases(code, side, of):
        decision = decide(case.rules, case.facts, case.at)
        assert decide(case.rules, from_json(to_json(case.facts)), case.at) == decision, str(case)


@pytest.mark.parametrize(("of", "code", "side"), EVERY)
def test_each_check_refuses_alone_somewhere_and_lets_pass_elsewhere(
    of: str, code: str, side: Side
) -> None:
    """A check whose removal turns nothing red is not proven."""
    mine = cases(code, side, of)
    tests = mine[0].rules.tests[True, True]
    alone: dict[int, int] = defaultdict(int)
    passing: dict[int, int] = defaultdict(int)
    for case in mine:
        it = case.facts.instrument or NOWHERE
        refusing = [n for n, test in enumerate(tests) if test(case.facts, it, case.at)]
        for n in range(len(tests)):
            passing[n] += n not in refusing
        if len(refusing) == 1:
            alone[refusing[0]] += 1
    everything = set(range(len(tests)))
    assert {n for n, count in alone.items() if count} == everything
    assert {n for n, count in passing.items() if count} == everything


@pytest.mark.parametrize(("of", "code", "side"), EVERY)
def test_what_is_left_out_where_no_decision_is_named_would_change_nothing(
    of: str, code: str, side: Side
) -> None:
    """Of acting without agreement: those who name none are not asked about it, nor let off."""
    for case in cases(code, side, of):
        it, decision = case.facts.instrument, decide(case.rules, case.facts, case.at)
        asked_all = case.rules.tests[it is not None, True]
        told = [test(case.facts, it or NOWHERE, case.at) for test in asked_all]
        reasons = decision.reasons if isinstance(decision, Refused) else ()
        assert tuple(one for one in told if one is not None) == reasons, str(case)


@pytest.mark.parametrize(("of", "code", "side"), EVERY)
def test_a_flow_asks_for_all_that_its_cases_start_from(of: str, code: str, side: Side) -> None:
    """A-1.3, A-5.2: a check that is taken out of a flow takes its cases along, unnoticed."""
    own = document(of)["flows"][code]
    wanted = {*own["records"][side.value], *counts_of(own, side)}
    found = asked(flow_of(code, of), side)
    kinds = (Recorded, Limit)
    assert {one.name for one in found.values() if isinstance(one, kinds)} == wanted
    assert ("Signatures" in found) == ("signatures" in own)


@pytest.mark.parametrize(("of", "code", "side"), EVERY)
def test_each_way_an_agreement_fails_has_its_case(of: str, code: str, side: Side) -> None:
    codes = {
        reason
        for case in cases(code, side, of)
        for _, reason in case.expect or ()
        if "agreement" in reason
    }
    wanted = "Agreement" in asked(flow_of(code, of), side)
    assert codes == (AGREEMENT_CODES if wanted else set())


@pytest.mark.parametrize("of", CONVENTIONS)
def test_every_flow_of_a_convention_has_cases_and_every_case_is_about_one(of: str) -> None:
    assert document(of)["convention"] == of
    assert set(document(of)["flows"]) == set(flows(of))
    assert {flow.code for flow in convention(of).flows} <= set(flows(of))
    lines = [*document(of)["everywhere"], *document(of)["only"]]
    assert len({line["name"] for line in lines}) == len(lines)
    lines += document(of).get("law", ())
    used = {case.name for code, side in keys(of) for case in cases(code, side, of)}
    assert used == {line["name"] for line in lines}


def test_each_folder_of_a_convention_has_its_cases() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/convention.py")}
    assert {path.parent.name for path in FOLDER.glob("*/cases.yaml")} == folders
