"""Builds what the gate is told from a convention's cases: days and dates in, facts out.

The instrument's facts come from a real `SignedConvention` and the agreement's end from the real
rule, so that a case about a day proves the whole way from a signature to a decision.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from contracts.gate import Rules, compile_flow
from contracts.kernel.agreement import expiry
from contracts.kernel.checks import ADULT, MINOR, Giver, Side
from contracts.kernel.facts import AgreementFacts, Facts, InstrumentFacts
from contracts.kernel.instrument import Convention, Flow
from contracts.kernel.organisation import Kind, Suite
from contracts.kernel.paris import day_of, reached
from contracts.kernel.signed import Act, ActKind, Party, Signed, SignedConvention, Terms, assemble
from contracts.registry import load

FOLDER = Path(__file__).parents[2] / "contracts" / "conventions"
KINDS = {"ville": Kind.CITY, "college": Kind.SCHOOL}
EVIDENCE = "e" * 64


@dataclass(frozen=True)
class Case:
    """One line of a cases file, on one side of one flow; expect: None when allowed."""

    name: str
    flow: Flow
    side: Side
    at: datetime
    facts: Facts
    expect: tuple[tuple[str, str], ...] | None
    base: tuple[Facts, datetime]

    @property
    def rules(self) -> Rules:
        return compile_flow(convention(), self.flow, self.side)

    def __str__(self) -> str:
        return f"{self.flow.type}, {self.side.value}: {self.name}"


def convention() -> Convention:
    return load().convention("a_city_school")


@cache
def document(code: str = "a_city_school") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / code / "cases.yaml").read_text("utf-8"))
    return found


def merged(base: Any, change: Any) -> Any:
    """A copy of `base` with `change` laid over it, mapping by mapping."""
    if not isinstance(base, dict) or not isinstance(change, dict):
        return deepcopy(change)
    return {**base, **{key: merged(base.get(key), value) for key, value in change.items()}}


def cases() -> list[Case]:
    """Every case of convention A, on every flow and side it is about."""
    lines = (*document()["everywhere"], *document()["only"])
    return [
        _case(line, flow, side, _base(flow, side))
        for flow in convention().flows
        for side in (Side.SENDER, Side.RECEIVER)
        for line in lines
        if line.get("flow", flow.type) == flow.type and line.get("side", side) == side
    ]


def allowed(flow_type: str = "referral.submitted", side: Side = Side.SENDER) -> Case:
    """The base of one side of a flow: everything holds."""
    flow = convention().flow(flow_type)
    assert flow is not None
    return _case({"name": "base", "change": {}, "expect": "allowed"}, flow, side, _base(flow, side))


def _base(flow: Flow, side: Side) -> dict[str, Any]:
    own = document()["flows"][flow.type]
    told = {
        "side": side.value,
        "flow": flow.type,
        "sender": own["sender"],
        "receiver": own["receiver"],
        "sender_kind": KINDS[own["sender"]].value,
        "receiver_kind": KINDS[own["receiver"]].value,
    }
    more = {"facts": told, "records": own["records"][side.value]}
    return dict(merged(document()["base"], more))


def _case(line: dict[str, Any], flow: Flow, side: Side, base: dict[str, Any]) -> Case:
    expect = None
    if line["expect"] != "allowed":
        expect = tuple(
            (flow.article if article == "of_flow" else article, code)
            for article, code in line["expect"]
        )
    world = merged(base, line["change"])
    start = (facts_of(base), instant(base["at"]))
    return Case(line["name"], flow, side, instant(world["at"]), facts_of(world), expect, start)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _when(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def facts_of(world: dict[str, Any]) -> Facts:
    """The fact vector of a world."""
    at, born = instant(world["at"]), _day(world["born"])
    signed = None if world["convention"] is None else signed_convention(world["convention"])
    told = dict(world["facts"])
    if world.get("reversed"):
        told["sender"], told["receiver"] = told["receiver"], told["sender"]
        told["sender_kind"], told["receiver_kind"] = told["receiver_kind"], told["sender_kind"]
    return Facts(
        **{**told, "side": Side(told["side"])},
        instrument=None if signed is None else _instrument(signed, at, world),
        bounds=bounds(born, at),
        agreement=_agreement(world, told["sender"], born, signed),
        notice_at=_when(world["notice_at"]),
        records={name: instant(at) for name, at in world["records"].items() if at is not None},
    )


def bounds(born: date | None, at: datetime) -> frozenset[str]:
    """Majority on the legal day, as a node derives it."""
    if born is None:
        return frozenset()
    return frozenset({ADULT if reached(born, 18, day_of(at)) else MINOR})


def _instrument(signed: SignedConvention, at: datetime, world: dict[str, Any]) -> InstrumentFacts:
    forced: dict[str, Any] = {
        key: value if isinstance(value, bool) else _when(value)
        for key, value in world.get("instrument", {}).items()
    }
    return replace(signed.facts(at, world["version_there"]), **forced)


def _agreement(
    world: dict[str, Any], sender: str, born: date | None, signed: SignedConvention | None
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
        flows=frozenset(said["flows"]),
        recipients=frozenset(sender if one == "of_sender" else one for one in said["recipients"]),
        given_at=given,
        expires_at=expires,
        withdrawn_at=_when(said.get("withdrawn_at")),
    )


def terms(version: int = 1, *, evidence: bool = True, until: date | None = None) -> Terms:
    return Terms(
        id="conv-a-1",
        convention="a_city_school",
        version=version,
        parties=tuple(
            Party(
                org=org,
                kind=kind,
                signing_key="k" * 43,
                floor=Suite.XWING,
                signatory="maire",
                decision="deliberation",
            )
            for org, kind in KINDS.items()
        ),
        evidence=EVIDENCE if evidence else None,
        until=until,
    )


def act(kind: ActKind, at: datetime, org: str = "college", **days: date | None) -> Act:
    return Act(
        id=f"{kind.value.replace('_', '-')}-{int(at.timestamp() * 1e6)}",
        convention_id="conv-a-1",
        kind=kind,
        org=org,
        at=at,
        **days,
    )


def signed_convention(said: dict[str, Any]) -> SignedConvention:
    """A signed convention A from the days and acts of a case."""
    days = {"ville": _day(said["city_signed_on"]), "college": _day(said["school_signed_on"])}
    signed_on = {org: day for org, day in days.items() if day is not None}
    versions = [Signed(terms(evidence=said.get("evidence", True)), signed_on)]
    amended = _day(said.get("amended_on"))
    if amended is not None:
        second = terms(2, until=_day(said.get("until")))
        versions.append(Signed(second, dict.fromkeys(days, amended)))
    return assemble(convention(), versions, list(_acts(said)))


def _acts(said: dict[str, Any]) -> list[Act]:
    found: list[Act] = []
    for number, kind in enumerate(("notice", "second_notice")):
        sent, received = _day(said.get(f"{kind}_sent_on")), _day(said.get(f"{kind}_received_on"))
        if sent is not None or received is not None:
            at = instant(f"2026-05-0{number + 1}T10:00:00+02:00")
            found.append(act(ActKind.TERMINATION_NOTICE, at, sent_on=sent, received_on=received))
    for key, kind_of in (("suspended_at", "suspension"), ("resumed_at", "resumption")):
        if said.get(key) is not None:
            found.append(act(ActKind(kind_of), instant(said[key])))
    return found
