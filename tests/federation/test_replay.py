"""Every decision of the story, at both nodes, replays with the same answer and the same words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select

from contracts.gate import Refused, compile_flow, decide
from contracts.kernel.facts import from_json
from services.chassis.schema import journal
from tests.federation.town import CITY, KNOWN, SCHOOL, Town

DECISIONS = {"message.sent", "message.refused", "message.received"}


@pytest.fixture
def told(town: Town) -> Town:
    """The town after the story."""
    town.story()
    return town


def decided(town: Town, org: str) -> list[Row[Any]]:
    """The story's decisions in a journal, as the database holds them: with facts, or erased."""
    before, last = town.story().spans[org]
    where = journal.c.event.in_(DECISIONS) & journal.c.seq.between(before + 1, last)
    return list(town.rows(org, select(journal).where(where).order_by(journal.c.seq)))


def replayed(town: Town, org: str, message_id: str) -> dict[int, dict[str, Any]]:
    """What a node answers of one message's decisions, by line."""
    answer = town.dpo[org].get(f"/api/v1/messages/{message_id}/decision").raise_for_status()
    return {one["seq"]: one for one in answer.json()}


@pytest.mark.parametrize("org", [SCHOOL, CITY])
def test_every_line_with_facts_replays_the_same_and_erased_ones_say_so(
    told: Town, org: str
) -> None:
    seen: dict[str, int] = {}
    for line in decided(told, org):
        shown = replayed(told, org, line.message_id)[line.seq]
        if line.facts_sealed is not None:
            assert shown["replay"] == "same", shown
            assert (shown["outcome"] == "allowed") is (shown["reasons"] == [])
            again(shown)
        elif line.scope is None:
            assert shown["replay"] == "inputs erased"
            assert re.fullmatch("[0-9a-f]{32}", shown["certificate"])
            assert "facts" not in shown
        else:
            assert (line.outcome, "replay" in shown) == ("invalid", False)
        seen[shown.get("replay", "none")] = seen.get(shown.get("replay", "none"), 0) + 1
    assert seen["same"] >= (6 if org == SCHOOL else 1), seen
    assert seen.get("inputs erased", 0) > 0


def again(shown: dict[str, Any]) -> None:
    """Decide again here, from what the node shows alone; one fact less, and the answer changes."""
    facts = from_json(json.dumps(shown["facts"]).encode())
    instrument = KNOWN.rules(shown["rules"])
    flow = instrument.closest(facts.flow, *facts.ends)
    assert flow is not None
    rules, at = compile_flow(instrument, flow, facts.side), datetime.fromisoformat(shown["at"])
    decision = decide(rules, facts, at)
    reasons = decision.reasons if isinstance(decision, Refused) else ()
    said = [{"article": r.article, "code": r.code, "sentence": r.sentence} for r in reasons]
    assert said == shown["reasons"]
    without = decide(rules, replace(facts, instrument=None), at)
    assert isinstance(without, Refused)
    assert without.reasons != reasons


def test_refusals_replay_with_the_words_the_caller_was_given(told: Town) -> None:
    said = [one for one in told.story().problems if one["code"] == "refused"]
    assert len(said) >= 4
    for problem in said:
        org = CITY if replays_at(told, CITY, problem["message_id"]) else SCHOOL
        (shown,) = replayed(told, org, problem["message_id"]).values()
        assert shown["outcome"] == "refused"
        assert shown["reasons"] == problem["reasons"]
        assert shown["articles"] == problem["articles"]
        words = " ".join(dict.fromkeys(one["sentence"] for one in shown["reasons"]))
        assert words == problem["detail"]


def replays_at(town: Town, org: str, message_id: str) -> bool:
    path = f"/api/v1/messages/{message_id}/decision"
    return bool(town.dpo[org].get(path).is_success)


def test_a_replay_does_not_depend_on_the_day_it_is_asked(told: Town) -> None:
    """Years later the convention is over, the pupils are adults, and the answers are the same."""
    names = [line.message_id for line in decided(told, SCHOOL)][-20:]
    before = [replayed(told, SCHOOL, name) for name in names]
    with told.later(timedelta(days=5 * 366), SCHOOL), told.fed.client(SCHOOL, "dpo") as dpo:
        after = [dpo.get(f"/api/v1/messages/{name}/decision").json() for name in names]
        (held,) = dpo.get("/api/v1/conventions").json()
        assert held["state"] not in {"in_force", "notice_given"}
    assert [list(one.values()) for one in before] == after


def test_only_a_decision_of_this_node_replays(told: Town) -> None:
    assert replays_at(told, SCHOOL, decided(told, SCHOOL)[0].message_id)
    assert not replays_at(told, SCHOOL, "f" * 32)
