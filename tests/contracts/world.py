"""Builds what the gate is told from a convention's cases: days and dates in, facts out.

The instrument's facts come from a real `SignedConvention` and the agreement's end from the real
rule, so that a case about a day proves the whole way from a signature to a decision.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from contracts.gate import Rules, compile_flow
from contracts.kernel.agreement import expiry
from contracts.kernel.binding import DutyBetween
from contracts.kernel.checks import ADULT, MINOR, Age, Assent, Check, Giver, Side, age_bound
from contracts.kernel.derogation import DerogationFacts, Ground
from contracts.kernel.facts import AgreementFacts, Facts, InstrumentFacts
from contracts.kernel.immersion import Period, used_at_host
from contracts.kernel.instrument import Flow, Instrument, LegalDuty
from contracts.kernel.paris import day_of, reached
from contracts.kernel.signed import SignedConvention
from contracts.registry import load
from tests.contracts.signing import (
    FIRST,
    convention,
    day_in,
    document,
    instant,
    kinds,
    signed_convention,
)


@dataclass(frozen=True)
class Case:
    """One line of a cases file, on one side of one flow; expect: None when allowed.

    of: code of the convention.
    """

    name: str
    flow: Flow
    side: Side
    at: datetime
    facts: Facts
    expect: tuple[tuple[str, str], ...] | None
    of: str = FIRST

    @property
    def instrument(self) -> Instrument:
        return flows(self.of)[self.flow.code][0]

    @property
    def rules(self) -> Rules:
        return rules_of(self.of, self.flow.code, self.side)

    def __str__(self) -> str:
        return f"{self.flow.type}, {self.side.value}: {self.name}"


def merged(base: Any, change: Any) -> Any:
    """A copy of `base` with `change` laid over it, mapping by mapping."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return deepcopy(change)
    return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}


Key = tuple[str, Side]
"""One side of one flow, by the flow's code: a type may go both ways."""


@cache
def flows(of: str) -> dict[str, tuple[Instrument, Flow]]:
    """Flows of a convention by code, with those of the duties beside it if its cases have a law."""
    text = convention(of)
    duties = load().duties.values() if "law" in document(of) else ()
    instruments: list[Instrument] = [text, *(one for one in duties if one.letter == text.letter)]
    return {flow.code: (one, flow) for one in instruments for flow in one.flows}


def keys(of: str) -> list[Key]:
    """Both sides of every flow of a convention and of the duties that its cases tell of."""
    return [(code, side) for code in flows(of) for side in (Side.SENDER, Side.RECEIVER)]


KEYS: list[Key] = keys(FIRST)


@cache
def rules_of(of: str, code: str, side: Side) -> Rules:
    """What the gate asks on one side of a flow."""
    return compile_flow(*flows(of)[code], side)


def flow_of(code: str, of: str = FIRST) -> Flow:
    return flows(of)[code][1]


def asked(flow: Flow, side: Side) -> dict[str, Check]:
    """Checks of one side of a flow, by their kind and by their name or age bracket."""
    found: dict[str, Check] = {}
    for check in flow.checks:
        if check.side in {side, Side.BOTH}:
            kind = type(check).__name__
            found[kind] = check
            found[check.bound if isinstance(check, Age) else getattr(check, "name", kind)] = check
    return found


@cache
def cases(code: str, side: Side, of: str = FIRST) -> tuple[Case, ...]:
    """Every case of a convention that is about that side of that flow."""
    instrument, flow = flows(of)[code]
    everywhere = "law" if isinstance(instrument, LegalDuty) else "everywhere"
    lines = (*document(of)[everywhere], *document(of)["only"])
    base = _base(flow, side, of)
    return tuple(_case(line, flow, side, base, of) for line in lines if _about(line, flow, side))


def _about(line: dict[str, Any], flow: Flow, side: Side) -> bool:
    names = {flow.purpose, *asked(flow, side), *(["derogation"] if flow.derogations else ())}
    return (
        line.get("flow", flow.type) in {flow.type, flow.code}
        and line.get("side", side) == side
        and line.get("asks", flow.purpose) in names
        and line.get("but") not in names
    )


def allowed(code: str = "m1", side: Side = Side.SENDER, of: str = FIRST) -> Case:
    """The base of one side of a flow: everything holds."""
    flow = flow_of(code, of)
    line = {"name": "base", "change": {}, "expect": "allowed"}
    return _case(line, flow, side, _base(flow, side, of), of)


def counts_of(own: dict[str, Any], side: Side) -> dict[str, Any]:
    """Quantities that a flow's cases start from, on one side of it."""
    return {**own.get("counts", {}), **own.get(f"{side.value}_counts", {})}


def _base(flow: Flow, side: Side, of: str) -> dict[str, Any]:
    own = document(of)["flows"][flow.code]
    told = {
        "side": side.value,
        "flow": flow.type,
        "sender": own["sender"],
        "receiver": own["receiver"],
        "sender_kind": kinds(of)[own["sender"]].value,
        "receiver_kind": kinds(of)[own["receiver"]].value,
    }
    more = {
        "flow": flow,
        "facts": told,
        "records": own["records"][side.value],
        "counts": counts_of(own, side),
        "signatures": own.get("signatures", {}),
        "content": own.get("content"),
        "before": own.get("before", []),
    }
    return dict(merged(merged(document(of)["base"], own.get("also", {})), more))


def _case(line: dict[str, Any], flow: Flow, side: Side, base: dict[str, Any], of: str) -> Case:
    expect = None
    if line["expect"] != "allowed":
        told = (_expected(flow, side, of, *one) for one in line["expect"])
        expect = tuple(one for one in told if one is not None)
    world = merged(base, line["change"])
    if not {"content", "before"}.isdisjoint(line["change"]):
        world["counts"] = {**world["counts"], **_counted(world, asked(flow, side))}
    return Case(line["name"], flow, side, instant(world["at"]), facts_of(world, of), expect, of)


def _counted(world: dict[str, Any], wanted: dict[str, Check]) -> dict[str, int]:
    """Quantities of a content, and of the immersions before it, that a side asks for."""
    content = world["flow"].payload.model_validate_json(json.dumps(world["content"]))
    days = date.fromisoformat
    periods = [Period(of, days(first), days(last)) for of, first, last in world["before"]]
    asked_for = Period(content.object, content.first_day, content.last_day)
    used = used_at_host(periods, asked_for, renewal=content.renewal)
    return {name: used.get(name, getattr(content, name, 0)) for name in COUNTED & wanted.keys()}


COUNTED = {
    "misplaced_offers",
    "days_beyond_month",
    "renewals",
    "misnamed_renewals",
    "host_agreements",
    "host_days",
}
"""Quantities of an immersion that its content and the immersions before it tell."""

_OF_KIND = {"no_notice": "NoticeGiven", "no_assent": "Assent", "age": "Age"}
"""Kind of check that alone gives a reason of that code."""


def _expected(flow: Flow, side: Side, of: str, article: str, code: str) -> tuple[str, str] | None:
    """One reason as this flow gives it; None where it does not ask for that at all."""
    checks = asked(flow, side)
    agreed = checks.get("Agreement")
    if code in _OF_KIND and _OF_KIND[code] not in checks:
        return None
    ages = {one.article for one in checks.values() if isinstance(one, Age)}
    if code == "age" and article not in ages:
        return None
    if "agreement" in code and agreed is None:
        return None
    named = {
        "of_flow": flow.article,
        "of_purpose": convention(of).purposes.get(flow.purpose, flow.article),
        "of_agreement": "" if agreed is None else agreed.article,
        "of_notice": checks["NoticeGiven"].article if "NoticeGiven" in checks else "",
    }
    return named.get(article, article), code


def _when(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def facts_of(world: dict[str, Any], of: str) -> Facts:
    """The fact vector of a world."""
    at, born = instant(world["at"]), day_in(world["born"])
    signed = None if world["convention"] is None else signed_convention(world["convention"], of)
    told = dict(world["facts"])
    if world.get("reversed"):
        told["sender"], told["receiver"] = told["receiver"], told["sender"]
        told["sender_kind"], told["receiver_kind"] = told["receiver_kind"], told["sender_kind"]
    law, _ = flows(of)[world["flow"].code]
    between = DutyBetween(law, tuple(kinds(of).items())) if isinstance(law, LegalDuty) else signed
    binding = None if signed is None else between
    return Facts(
        **{**told, "side": Side(told["side"])},
        instrument=None if binding is None else _instrument(binding, at, world),
        bounds=bounds(born, at, world["flow"]),
        agreement=_agreement(world, told["sender"], world["flow"].type, born, signed),
        notice_at=_when(world["notice_at"]),
        derogation=_derogation(world.get("derogation"), told, at),
        records=_instants(world["records"]),
        signatures=_instants(world["signatures"]),
        counts={name: count for name, count in world["counts"].items() if count is not None},
    )


def _derogation(
    said: dict[str, Any] | None, told: dict[str, Any], at: datetime
) -> DerogationFacts | None:
    """A decision to act without agreement, about the very message unless it says otherwise."""
    if said is None:
        return None
    return DerogationFacts(
        ground=Ground(said["ground"]),
        flow=said.get("flow", told["flow"]),
        receiver=said.get("receiver", told["receiver"]),
        asked_at=instant(said["asked_at"]),
        confirmed_at=_when(said["confirmed_at"]),
        expires_at=_when(said["expires_at"]),
        used_at=instant(said["used_at"]) if "used_at" in said else at,
        sealed_days=said.get("sealed_days", 0),
    )


def _instants(said: dict[str, Any]) -> dict[str, datetime]:
    return {name: instant(at) for name, at in said.items() if at is not None}


def bounds(born: date | None, at: datetime, flow: Flow) -> frozenset[str]:
    """Majority, and the brackets that a flow asks for, on the legal day, as a node derives them."""
    if born is None:
        return frozenset()
    found = {ADULT if reached(born, 18, day_of(at)) else MINOR}
    for check in flow.checks:
        if isinstance(check, Age):
            low, high = check.at_least or 0, check.below or 200
            if reached(born, low, day_of(at)) and not reached(born, high, day_of(at)):
                found.add(check.bound)
        elif isinstance(check, Assent):
            old = reached(born, check.asked_from, day_of(at))
            limits = (check.asked_from, None) if old else (None, check.asked_from)
            found.add(age_bound(*limits))
    return frozenset(found)


def _instrument(
    binding: SignedConvention | DutyBetween, at: datetime, world: dict[str, Any]
) -> InstrumentFacts:
    forced: dict[str, Any] = {
        key: value if isinstance(value, bool) else _when(value)
        for key, value in world.get("instrument", {}).items()
    }
    return replace(binding.facts(at, world["version_there"]), **forced)


def _agreement(
    world: dict[str, Any],
    sender: str,
    flow: str,
    born: date | None,
    signed: SignedConvention | None,
) -> AgreementFacts | None:
    said = world["agreement"]
    if said is None:
        return None
    given = instant(said["given_at"])
    giver = Giver(said["giver"])
    ends = None if signed is None else signed.ends_on
    if said["expires_at"] == "computed":
        last = ends or date(2029, 4, 30)
        assert born is not None
        expires = expiry(day_of(given), birth=born, giver=giver, convention_ends_on=last)
    else:
        expires = instant(said["expires_at"])
    return AgreementFacts(
        reference="a" * 32,
        giver=giver,
        flows=frozenset(flow if one == "of_flow" else one for one in said["flows"]),
        recipients=frozenset(sender if one == "of_sender" else one for one in said["recipients"]),
        given_at=given,
        expires_at=expires,
        withdrawn_at=_when(said.get("withdrawn_at")),
        suspended_at=_when(said.get("suspended_at")),
    )
