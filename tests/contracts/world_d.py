"""Builds what the gate is told from the cases of convention D, its flows and its legal duty.

As in `world`: the instrument's facts come from a real signed convention, or from the duty itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from contracts.conventions.d_department_mission_locale.convention import CONVENTION, DUTIES
from contracts.gate import Rules, compile_flow
from contracts.kernel.agreement import expiry
from contracts.kernel.binding import DutyBetween
from contracts.kernel.checks import ADULT, MINOR, Age, Check, Giver, Side, age_bound
from contracts.kernel.facts import AgreementFacts, Facts, InstrumentFacts
from contracts.kernel.instrument import Flow, Instrument
from contracts.kernel.organisation import Kind, Suite
from contracts.kernel.paris import day_of, reached
from contracts.kernel.signed import Act, ActKind, Party, Signed, SignedConvention, Terms, assemble
from tests.contracts.world import document, instant, merged

(DUTY,) = DUTIES
KINDS = {"departement": Kind.DEPARTMENT, "mission": Kind.MISSION_LOCALE}
FLOWS: dict[str, tuple[Instrument, Flow]] = {
    flow.code: (one, flow) for one in (CONVENTION, DUTY) for flow in one.flows
}
KEYS = [(code, side) for code in FLOWS for side in (Side.SENDER, Side.RECEIVER)]


@dataclass(frozen=True)
class Case:
    """One line of the cases, on one side of one flow; expect: None when allowed."""

    name: str
    flow: Flow
    rules: Rules
    at: datetime
    facts: Facts
    expect: tuple[tuple[str, str], ...] | None

    def __str__(self) -> str:
        return f"{self.flow.code}, {self.facts.side.value}: {self.name}"


def cases_document() -> dict[str, Any]:
    return document(CONVENTION.code)


def asked(flow: Flow, side: Side) -> dict[str, Check]:
    """Checks of one side of a flow, by their kind and by their name or age bracket."""
    found: dict[str, Check] = {}
    for check in flow.checks:
        if check.side in {side, Side.BOTH}:
            found[type(check).__name__] = check
            name = check.bound if isinstance(check, Age) else getattr(check, "name", None)
            found[name or type(check).__name__] = check
    return found


def cases(code: str, side: Side) -> list[Case]:
    """Every case about that side of that flow."""
    instrument, _ = FLOWS[code]
    told = cases_document()
    lines = (*told["law" if instrument is DUTY else "everywhere"], *told["only"])
    return [_case(line, code, side) for line in lines if _about(line, code, side)]


def allowed(code: str, side: Side = Side.SENDER) -> Case:
    """The base of one side of a flow: everything holds."""
    return _case({"name": "base", "change": {}, "expect": "allowed"}, code, side)


def _about(line: dict[str, Any], code: str, side: Side) -> bool:
    _, flow = FLOWS[code]
    names = {None, *asked(flow, side)}
    return (
        line.get("side", side) == side
        and line.get("asks") in names
        and line.get("but") not in names - {None}
    )


def _case(line: dict[str, Any], code: str, side: Side) -> Case:
    instrument, flow = FLOWS[code]
    own = cases_document()["flows"][code]
    sender, receiver = own["from"], own["to"]
    base = merged(cases_document()["base"], own.get("also", {}))
    base["facts"] = {
        "side": side.value,
        "flow": flow.type,
        "sender": sender,
        "receiver": receiver,
        "sender_kind": KINDS[sender].value,
        "receiver_kind": KINDS[receiver].value,
        "purpose": flow.purpose,
    }
    base["records"] = own["records"][side.value]
    base["counts"] = own.get("counts", {}).get(side.value, {})
    world = merged(base, line["change"])
    told = () if line["expect"] == "allowed" else line["expect"]
    expect = tuple(one for one in (_expected(flow, side, *pair) for pair in told) if one)
    at = instant(world["at"])
    rules = compile_flow(instrument, flow, side)
    return Case(
        line["name"], flow, rules, at, facts_of(world, instrument, flow, at), expect or None
    )


def _expected(flow: Flow, side: Side, article: str, code: str) -> tuple[str, str] | None:
    """One reason as this flow gives it; None where it does not ask for that at all."""
    checks = asked(flow, side)
    agreed = checks.get("Agreement")
    if "agreement" in code and agreed is None:
        return None
    if code == "no_notice" and "NoticeGiven" not in checks:
        return None
    if code == "age" and article not in {
        one.article for one in checks.values() if isinstance(one, Age)
    }:
        return None
    named = {
        "of_flow": flow.article,
        "of_purpose": CONVENTION.purposes.get(flow.purpose, flow.article),
        "of_agreement": "" if agreed is None else agreed.article,
    }
    return named.get(article, article), code


def facts_of(world: dict[str, Any], instrument: Instrument, flow: Flow, at: datetime) -> Facts:
    """The fact vector of a world."""
    born = _day(world["born"])
    told = dict(world["facts"])
    if world.get("reversed"):
        told["sender"], told["receiver"] = told["receiver"], told["sender"]
        told["sender_kind"], told["receiver_kind"] = told["receiver_kind"], told["sender_kind"]
    signed = None if world["convention"] is None else signed_convention(world["convention"])
    law = DutyBetween(DUTY, tuple(KINDS.items()))
    binding = law if instrument is DUTY and signed is not None else signed
    return Facts(
        **{**told, "side": Side(told["side"])},
        instrument=None if binding is None else _instrument(binding, at, world),
        bounds=bounds(flow, born, at),
        agreement=_agreement(world, flow, born, signed),
        notice_at=_when(world["notice_at"]),
        records={name: instant(on) for name, on in world["records"].items() if on is not None},
        counts={name: count for name, count in world["counts"].items() if count is not None},
    )


def _when(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def bounds(flow: Flow, born: date | None, at: datetime) -> frozenset[str]:
    """Age brackets that hold on the legal day, as a node derives them."""
    if born is None:
        return frozenset()
    brackets = {(None, 18), (18, None)}
    brackets |= {(one.at_least, one.below) for one in flow.checks if isinstance(one, Age)}
    day = day_of(at)
    found = {
        age_bound(low, high)
        for low, high in brackets
        if (low is None or reached(born, low, day)) and not (high and reached(born, high, day))
    }
    assert found & {MINOR, ADULT}
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
    world: dict[str, Any], flow: Flow, born: date | None, signed: SignedConvention | None
) -> AgreementFacts | None:
    said = world["agreement"]
    if said is None:
        return None
    given, giver = instant(said["given_at"]), Giver(said["giver"])
    if said["expires_at"] == "computed":
        ends = None if signed is None else signed.ends_on
        assert born is not None
        last = ends or CONVENTION.term.until
        expires = expiry(day_of(given), birth=born, giver=giver, convention_ends_on=last)
    else:
        expires = instant(said["expires_at"])
    return AgreementFacts(
        reference="a" * 32,
        giver=giver,
        flows=frozenset(flow.type if one == "of_flow" else one for one in said["flows"]),
        recipients=frozenset(said["recipients"]),
        given_at=given,
        expires_at=expires,
        withdrawn_at=_when(said.get("withdrawn_at")),
    )


def terms(version: int = 1, *, evidence: bool = True, until: date | None = None) -> Terms:
    return Terms(
        id="conv-d-1",
        convention=CONVENTION.code,
        version=version,
        parties=tuple(
            Party(
                org=org,
                kind=kind,
                signing_key="k" * 43,
                floor=Suite.XWING,
                signatory="présidence",
                decision="délibération",
            )
            for org, kind in KINDS.items()
        ),
        evidence="e" * 64 if evidence else None,
        until=until,
    )


def act(kind: ActKind, at: datetime, **days: date | None) -> Act:
    return Act(
        id=f"{kind.value.replace('_', '-')}-{int(at.timestamp())}",
        convention_id="conv-d-1",
        kind=kind,
        org="mission",
        at=at,
        **days,
    )


def signed_convention(said: dict[str, Any]) -> SignedConvention:
    """A signed convention D from the days and acts of a case."""
    days = {org: _day(said[f"{org}_signed_on"]) for org in KINDS}
    signed_on = {org: day for org, day in days.items() if day is not None}
    versions = [Signed(terms(evidence=said.get("evidence", True)), signed_on)]
    amended = _day(said.get("amended_on"))
    if amended is not None:
        second = terms(2, until=_day(said.get("until")))
        versions.append(Signed(second, dict.fromkeys(days, amended)))
    acts: list[Act] = []
    sent, received = _day(said.get("notice_sent_on")), _day(said.get("notice_received_on"))
    if sent is not None or received is not None:
        at = instant("2026-09-14T10:00:00+02:00")
        acts.append(act(ActKind.TERMINATION_NOTICE, at, sent_on=sent, received_on=received))
    for key, kind in (("suspended_at", "suspension"), ("resumed_at", "resumption")):
        if said.get(key) is not None:
            acts.append(act(ActKind(kind), instant(said[key])))
    return assemble(CONVENTION, versions, acts)
