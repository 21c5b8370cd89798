"""The decisions written down for convention D and its duty, each beside the same call allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import pytest

from contracts.gate import Allowed, Refused, decide
from contracts.kernel.checks import Limit, Recorded, Side
from contracts.kernel.facts import from_json, to_json
from tests.contracts.test_cases import AGREEMENT_CODES
from tests.contracts.world_d import FLOWS, KEYS, Case, allowed, asked, cases, cases_document


def wrong(found: Iterable[Case]) -> list[tuple[str, object]]:
    """Cases whose decision is not the one written down, and what it is."""
    told: list[tuple[str, object]] = []
    for case in found:
        decision = decide(case.rules, case.facts, case.at)
        reasons = decision.reasons if isinstance(decision, Refused) else ()
        said = tuple((reason.article, reason.code) for reason in reasons) or None
        if said != case.expect or not all(one.sentence.endswith(".") for one in reasons):
            told.append((str(case), said))
    return told


@pytest.mark.parametrize(("code", "side"), KEYS)
def test_decisions(code: str, side: Side) -> None:
    base = allowed(code, side)
    yes = Allowed(FLOWS[code][0].rules_version)
    assert decide(base.rules, base.facts, base.at) == yes
    assert wrong(cases(code, side)) == []


def test_a_wrong_line_is_told() -> None:
    (case, *_) = [one for one in cases("m1", Side.SENDER) if one.expect is not None]
    lie = Case(case.name, case.flow, case.rules, case.at, case.facts, None)
    assert wrong([lie]) == [(str(case), case.expect)]


@pytest.mark.parametrize(("code", "side"), KEYS)
def test_a_recorded_decision_replays_word_for_word(code: str, side: Side) -> None:
    for case in cases(code, side):
        decision = decide(case.rules, case.facts, case.at)
        assert decide(case.rules, from_json(to_json(case.facts)), case.at) == decision, str(case)


@pytest.mark.parametrize(("code", "side"), KEYS)
def test_each_check_refuses_alone_somewhere_and_lets_pass_elsewhere(code: str, side: Side) -> None:
    """A check whose removal turns nothing red is not proven."""
    alone: dict[int, int] = defaultdict(int)
    passing: dict[int, int] = defaultdict(int)
    mine = cases(code, side)
    tests = mine[0].rules.tests
    for case in mine:
        refusing = [n for n, test in enumerate(tests) if test(case.facts, case.at)]
        for n in range(len(tests)):
            passing[n] += n not in refusing
        if len(refusing) == 1:
            alone[refusing[0]] += 1
    everything = set(range(len(tests)))
    assert {n for n, count in alone.items() if count} == everything
    assert {n for n, count in passing.items() if count} == everything


@pytest.mark.parametrize(("code", "side"), KEYS)
def test_a_flow_asks_for_all_that_its_cases_start_from(code: str, side: Side) -> None:
    """A check that is taken out of a flow takes its cases along, unnoticed."""
    own = cases_document()["flows"][code]
    wanted = {*own["records"][side.value], *own.get("counts", {}).get(side.value, {})}
    found = asked(FLOWS[code][1], side).values()
    assert {one.name for one in found if isinstance(one, Recorded | Limit)} == wanted


@pytest.mark.parametrize(("code", "side"), KEYS)
def test_each_way_an_agreement_fails_has_its_case(code: str, side: Side) -> None:
    reasons = [reason for case in cases(code, side) for _, reason in case.expect or ()]
    wanted = "Agreement" in asked(FLOWS[code][1], side)
    found = {reason for reason in reasons if "agreement" in reason}
    assert found == (AGREEMENT_CODES if wanted else set())


def test_every_flow_has_cases_and_every_case_is_about_one() -> None:
    told = cases_document()
    assert set(told["flows"]) == set(FLOWS)
    lines = [line["name"] for part in ("everywhere", "only") for line in told[part]]
    assert len(set(lines)) == len(lines)
    used = {case.name for code, side in KEYS for case in cases(code, side)}
    assert used == {*lines, *(line["name"] for line in told["law"])}
