"""One decision on the same facts: the gate, Cedar, and the rule as one expression in Python.

The rule is the one that lets a school send a referral to the city. Facts are plain values, instants
as seconds since 1970, so that each side may bring them into its own form before the clock starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any, Final

import cedarpy

from contracts import registry
from contracts.gate import Allowed, compile_flow, decide
from contracts.kernel import facts as gate_facts
from contracts.kernel.checks import ADULT, MINOR, Giver
from contracts.kernel.checks import Side as GateSide
from contracts.kernel.organisation import Kind

Facts = Mapping[str, Any]

_POLICY: Final = """
permit (principal, action == Action::"referral.submitted", resource)
when {
  context.flow == "referral.submitted" &&
  context.sender_kind == "school" && context.receiver_kind == "city" &&
  context.sender != context.receiver &&
  resource.parties.contains(context.sender) && resource.parties.contains(context.receiver) &&
  resource.evidence && !resource.suspended &&
  resource.opens_at <= context.now && context.now < resource.closes_at &&
  context.now < resource.terminated_at &&
  context.version == resource.version &&
  resource.purpose == context.purpose &&
  context.enrolled_at <= context.now &&
  context.notice_at <= context.now &&
  !context.withdrawn &&
  context.given_at <= context.now && context.now < context.expires_at &&
  context.agreed_receivers.contains(context.receiver) &&
  context.agreed_flows.contains(context.flow) &&
  (context.giver == "both" ||
   (context.age < 18 && context.giver == "representative") ||
   (context.age >= 18 && context.giver == "young_person")) &&
  context.charter_at <= context.now
};
"""
CONVENTION: Final[Facts] = {
    "id": "a-college-ville",
    "parties": ["college", "ville"],
    "evidence": True,
    "suspended": False,
    "version": 1,
    "purpose": "school_perseverance",
    "opens_at": 1_750_000_000,
    "closes_at": 1_840_000_000,
    "terminated_at": 1_830_000_000,
}
ALLOWED: Final[Facts] = {
    "flow": "referral.submitted",
    "sender": "college",
    "receiver": "ville",
    "sender_kind": "school",
    "receiver_kind": "city",
    "version": 1,
    "purpose": "school_perseverance",
    "now": 1_770_000_000,
    "age": 15,
    "agreed_flows": ["referral.submitted", "referral.answered"],
    "agreed_receivers": ["ville"],
    "withdrawn": False,
    "given_at": 1_769_000_000,
    "expires_at": 1_790_000_000,
    "giver": "representative",
    "notice_at": 1_768_990_000,
    "charter_at": 1_760_000_000,
    "enrolled_at": 1_755_000_000,
}
SPOILT: Final[tuple[Facts, ...]] = (
    {"flow": "referral.answered"},
    {"sender": "lycee"},
    {"sender": "ville"},
    {"receiver": "departement"},
    {"sender_kind": "ccas"},
    {"receiver_kind": "department"},
    {"now": 1_749_999_999},
    {"now": 1_830_000_000, "expires_at": 1_900_000_000},
    {"now": 1_840_000_000, "expires_at": 1_900_000_000},
    {"version": 2},
    {"purpose": "statistics"},
    {"age": 18},
    {"agreed_flows": ["referral.answered"]},
    {"agreed_receivers": ["ccas"]},
    {"withdrawn": True},
    {"given_at": 1_770_000_001},
    {"expires_at": 1_770_000_000},
    {"giver": "young_person"},
    {"notice_at": 1_770_000_001},
    {"charter_at": 1_770_000_001},
    {"enrolled_at": 1_770_000_001},
)
REFUSED: Final[tuple[Facts, ...]] = tuple({**ALLOWED, **spoilt} for spoilt in SPOILT)


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
            "principal": 'Organisation::"college"',
            "action": 'Action::"referral.submitted"',
            "resource": 'Convention::"1"',
            "context": facts,
        }
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    return decide


def python_decider() -> Callable[[Facts], bool]:
    """Return the same rule as one expression: what nobody can be expected to beat in Python."""
    it = CONVENTION

    def decide(facts: Facts) -> bool:
        now, giver = facts["now"], facts["giver"]
        return bool(
            facts["flow"] == "referral.submitted"
            and facts["sender_kind"] == "school"
            and facts["receiver_kind"] == "city"
            and facts["sender"] != facts["receiver"]
            and facts["sender"] in it["parties"]
            and facts["receiver"] in it["parties"]
            and it["evidence"]
            and not it["suspended"]
            and it["opens_at"] <= now < it["closes_at"]
            and now < it["terminated_at"]
            and facts["version"] == it["version"]
            and facts["purpose"] == it["purpose"]
            and facts["enrolled_at"] <= now
            and facts["notice_at"] <= now
            and not facts["withdrawn"]
            and facts["given_at"] <= now < facts["expires_at"]
            and facts["receiver"] in facts["agreed_receivers"]
            and facts["flow"] in facts["agreed_flows"]
            and (
                giver == ("representative" if facts["age"] < 18 else "young_person")
                or giver == "both"
            )
            and facts["charter_at"] <= now
        )

    return decide


def gate_sides() -> list[Side]:
    """Return the product's gate, with its facts built before the clock starts, and after.

    The rules are those that the product itself compiles for the sender of a referral.
    """
    convention = registry.load().convention("a_city_school")
    flow = convention.flow("referral.submitted", Kind.SCHOOL, Kind.CITY)
    if flow is None:
        raise WrongDecisionError("convention A knows no referral")
    rules = compile_flow(convention, flow, GateSide.SENDER)

    def on_facts(ready: tuple[gate_facts.Facts, datetime]) -> bool:
        return isinstance(decide(rules, *ready), Allowed)

    def on_values(values: Facts) -> bool:
        return isinstance(decide(rules, to_facts(values), values["now"]), Allowed)

    def built(values: Facts) -> tuple[gate_facts.Facts, datetime]:
        typed = typed_values(values)
        return to_facts(typed), typed["now"]

    return [Side("gate", built, on_facts), Side("gate with its facts", typed_values, on_values)]


def typed_values(values: Facts) -> Facts:
    """Return the same values as a node holds them: its tables give aware instants, not numbers."""
    instants = ("now", *(name for name in values if name.endswith("_at")))
    convention = {
        name: _instant(value) if name.endswith("_at") else value
        for name, value in CONVENTION.items()
    }
    return {**values, **{name: _instant(values[name]) for name in instants}, "it": convention}


def to_facts(values: Facts) -> gate_facts.Facts:
    """Return the gate's fact vector of typed values, built anew as for each message."""
    it = values["it"]
    return gate_facts.Facts(
        side=GateSide.SENDER,
        flow=values["flow"],
        sender=values["sender"],
        receiver=values["receiver"],
        sender_kind=values["sender_kind"],
        receiver_kind=values["receiver_kind"],
        purpose=values["purpose"],
        opens_case=True,
        instrument=gate_facts.InstrumentFacts(
            id=it["id"],
            parties=frozenset(it["parties"]),
            evidence=it["evidence"],
            version_here=it["version"],
            version_there=values["version"],
            opens_at=it["opens_at"],
            closes_at=it["closes_at"],
            notice_ends_at=it["terminated_at"],
            suspended=it["suspended"],
        ),
        bounds=frozenset((MINOR if values["age"] < 18 else ADULT,)),
        agreement=gate_facts.AgreementFacts(
            reference="0" * 32,
            giver=Giver(values["giver"]),
            flows=frozenset(values["agreed_flows"]),
            recipients=frozenset(values["agreed_receivers"]),
            given_at=values["given_at"],
            expires_at=values["expires_at"],
            withdrawn_at=values["given_at"] if values["withdrawn"] else None,
        ),
        notice_at=values["notice_at"],
        records={"charter": values["charter_at"], "enrolled": values["enrolled_at"]},
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def sides() -> list[Side]:
    """Return everything that is measured."""
    return [
        *gate_sides(),
        Side("cedar", dict, cedar_decider()),
        Side("python", dict, python_decider()),
    ]


def seconds_a_decision(
    sides: Sequence[Side], rounds: int = 9, decisions: int = 1000
) -> dict[str, list[float]]:
    """Return each side's seconds for one allowed decision, round by round, rounds alternated.

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
    return times


def _check(side: Side) -> None:
    if not side.decide(side.prepare(ALLOWED)):
        raise WrongDecisionError(f"{side.name} refuses what is allowed")
    for spoilt, facts in zip(SPOILT, REFUSED, strict=True):
        if side.decide(side.prepare(facts)):
            raise WrongDecisionError(f"{side.name} allows {spoilt}")


if __name__ == "__main__":
    for name, taken in seconds_a_decision(sides()).items():
        sys.stdout.write(f"{name}: {median(taken) * 1e6:.2f} µs\n")
