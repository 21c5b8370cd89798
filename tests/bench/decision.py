"""One decision, on the same facts: Cedar, a function in Python, and whoever else is handed in.

The facts are plain values, days as proleptic ordinals and instants as seconds since 1970, so that
each side may bring them into its own form before the clock starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import cedarpy

Facts = Mapping[str, Any]

_POLICY = """
permit (principal, action == Action::"referral.v1", resource)
when {
  context.sender == resource.sender && context.receiver == resource.receiver &&
  resource.opens_on <= context.today && context.today < resource.closes_on &&
  context.version == resource.version &&
  resource.purposes.contains(context.purpose) &&
  context.age >= 11 && context.age <= 17 &&
  context.agreed_flows.contains(context.flow) &&
  context.agreed_receivers.contains(context.receiver) &&
  !context.withdrawn &&
  context.given_at <= context.now && context.now < context.expires_at &&
  context.giver == "representative" &&
  context.notice_at <= context.given_at &&
  context.charter_at <= context.now &&
  context.enrolled
};
"""
CONVENTION: Facts = {
    "sender": "school",
    "receiver": "city",
    "version": 1,
    "purposes": ["help for pupils who drop out"],
    "opens_on": 739_000,
    "closes_on": 740_000,
}
ALLOWED: Facts = {
    "flow": "referral.v1",
    "sender": "school",
    "receiver": "city",
    "version": 1,
    "purpose": "help for pupils who drop out",
    "today": 739_500,
    "now": 1_770_000_000,
    "age": 15,
    "agreed_flows": ["referral.v1", "follow_up.v1"],
    "agreed_receivers": ["city"],
    "withdrawn": False,
    "given_at": 1_769_000_000,
    "expires_at": 1_790_000_000,
    "giver": "representative",
    "notice_at": 1_768_990_000,
    "charter_at": 1_760_000_000,
    "enrolled": True,
}
SPOILT: tuple[Facts, ...] = (
    {"sender": "ccas"},
    {"receiver": "department"},
    {"today": 738_999},
    {"today": 740_000},
    {"version": 2},
    {"purpose": "statistics"},
    {"age": 10},
    {"age": 18},
    {"agreed_flows": ["follow_up.v1"]},
    {"agreed_receivers": ["ccas"]},
    {"withdrawn": True},
    {"given_at": 1_770_000_001},
    {"expires_at": 1_770_000_000},
    {"giver": "person"},
    {"notice_at": 1_769_000_001},
    {"charter_at": 1_770_000_001},
    {"enrolled": False},
)
REFUSED: tuple[Facts, ...] = tuple({**ALLOWED, **spoilt} for spoilt in SPOILT)


@dataclass(frozen=True, slots=True)
class Side:
    """A way to decide: `prepare` brings facts into its own form, untimed; `decide` is timed."""

    name: str
    prepare: Callable[[Facts], Any]
    decide: Callable[[Any], bool]


class WrongDecisionError(AssertionError):
    """A side does not decide what the rule says, so its speed means nothing."""


def cedar_decider() -> Callable[[Facts], bool]:
    """Return Cedar's decision, at its best: policy and convention parsed once, facts as context."""
    policies = cedarpy.PolicySet.from_str(_POLICY)
    convention = {
        "uid": {"type": "Convention", "id": "1"},
        "attrs": dict(CONVENTION),
        "parents": [],
    }
    entities = cedarpy.Entities.from_json_str(json.dumps([convention]))

    def decide(facts: Facts) -> bool:
        request = {
            "principal": 'Organisation::"school"',
            "action": 'Action::"referral.v1"',
            "resource": 'Convention::"1"',
            "context": facts,
        }
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    return decide


def python_decider() -> Callable[[Facts], bool]:
    """Return the same rule as one expression: what nobody can be expected to beat in Python."""
    convention = CONVENTION

    def decide(facts: Facts) -> bool:
        return bool(
            facts["sender"] == convention["sender"]
            and facts["receiver"] == convention["receiver"]
            and convention["opens_on"] <= facts["today"] < convention["closes_on"]
            and facts["version"] == convention["version"]
            and facts["purpose"] in convention["purposes"]
            and 11 <= facts["age"] <= 17
            and facts["flow"] in facts["agreed_flows"]
            and facts["receiver"] in facts["agreed_receivers"]
            and not facts["withdrawn"]
            and facts["given_at"] <= facts["now"] < facts["expires_at"]
            and facts["giver"] == "representative"
            and facts["notice_at"] <= facts["given_at"]
            and facts["charter_at"] <= facts["now"]
            and facts["enrolled"]
        )

    return decide


def peers() -> list[Side]:
    """Return the sides that are always measured."""
    return [Side("cedar", dict, cedar_decider()), Side("python", dict, python_decider())]


def seconds_a_decision(
    sides: Sequence[Side], rounds: int = 9, decisions: int = 1000
) -> dict[str, float]:
    """Return each side's median seconds for one allowed decision, rounds alternated.

    Raises WrongDecisionError when a side is wrong on the allowed facts or on any spoilt ones.
    """
    for side in sides:
        _check(side)
    ready = [(side, side.prepare(ALLOWED)) for side in sides]
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side, facts in ready:
            began = perf_counter()
            for _ in range(decisions):
                side.decide(facts)
            times[side.name].append((perf_counter() - began) / decisions)
    return {name: median(taken) for name, taken in times.items()}


def _check(side: Side) -> None:
    if not side.decide(side.prepare(ALLOWED)):
        raise WrongDecisionError(f"{side.name} refuses what is allowed")
    for spoilt, facts in zip(SPOILT, REFUSED, strict=True):
        if side.decide(side.prepare(facts)):
            raise WrongDecisionError(f"{side.name} allows {spoilt}")


if __name__ == "__main__":
    for name, seconds in seconds_a_decision(peers()).items():
        sys.stdout.write(f"{name}: {seconds * 1e6:.2f} µs\n")
