"""Builds what the gate is told from the cases of convention C, which three parties signed.

As in `world`: the instrument's facts come from a real `SignedConvention` and the agreement's end
from the real rule, so that a case about a day proves the whole way from a signature to a decision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from contracts.gate import Rules, compile_flow
from contracts.kernel.agreement import expiry
from contracts.kernel.checks import Giver, Side
from contracts.kernel.facts import AgreementFacts, Facts, InstrumentFacts
from contracts.kernel.instrument import Convention, Flow
from contracts.kernel.organisation import Kind, Suite
from contracts.kernel.paris import day_of, midnight
from contracts.kernel.signed import Act, ActKind, Party, Signed, SignedConvention, Terms, assemble
from contracts.registry import load
from tests.contracts.world import EVIDENCE, Key, asked, bounds, document, instant, merged

CODE = "c_employment_city_ccas"
LINES = document(CODE)
KINDS = {org: Kind(kind) for org, kind in LINES["parties"].items()}


@dataclass(frozen=True)
class Case:
    """One line of the cases, on one side of one flow; expect: None when allowed."""

    name: str
    flow: Flow
    side: Side
    at: datetime
    facts: Facts
    expect: tuple[tuple[str, str], ...] | None

    @property
    def rules(self) -> Rules:
        return compile_flow(convention(), self.flow, self.side)

    def __str__(self) -> str:
        return f"{self.flow.type}, {self.side.value}: {self.name}"


def convention() -> Convention:
    return load().convention(CODE)


FLOWS = {flow.code: flow for flow in convention().flows}
KEYS: list[Key] = [(code, side) for code in FLOWS for side in (Side.SENDER, Side.RECEIVER)]


def cases(code: str, side: Side) -> list[Case]:
    """Every case that is about that side of that flow."""
    flow = FLOWS[code]
    lines = [*LINES["everywhere"], *LINES["only"]]
    return [_case(line, flow, side) for line in lines if _about(line, flow, side)]


def allowed(code: str, side: Side) -> Case:
    """The base of one side of a flow: everything holds."""
    return _case({"name": "base", "change": {}, "expect": "allowed"}, FLOWS[code], side)


def _about(line: dict[str, Any], flow: Flow, side: Side) -> bool:
    return (
        line.get("flow", flow.type) in {flow.type, flow.code}
        and line.get("side", side) == side
        and line.get("asks", flow.purpose) in {flow.purpose, *asked(flow, side)}
    )


def _case(line: dict[str, Any], flow: Flow, side: Side) -> Case:
    expect = None
    if line["expect"] != "allowed":
        told = (_expected(flow, side, *one) for one in line["expect"])
        expect = tuple(one for one in told if one is not None)
    world = merged(_base(flow, side), line["change"])
    return Case(line["name"], flow, side, instant(world["at"]), facts_of(world), expect)


def _expected(flow: Flow, side: Side, article: str, code: str) -> tuple[str, str] | None:
    """One reason as this flow gives it; None where it does not ask for that at all."""
    checks = asked(flow, side)
    kind = "Agreement" if "agreement" in code else "NoticeGiven" if code == "no_notice" else None
    if kind is not None and kind not in checks:
        return None
    named = {"of_flow": flow.article, "of_purpose": convention().purposes[flow.purpose]}
    if "NoticeGiven" in checks:
        named["of_notice"] = checks["NoticeGiven"].article
    return named.get(article, article), code


def counts_of(own: dict[str, Any], side: Side) -> dict[str, Any]:
    """Quantities that a flow's cases start from, on one side of it."""
    return {**own.get("counts", {}), **own.get(f"{side.value}_counts", {})}


def _base(flow: Flow, side: Side) -> dict[str, Any]:
    own = LINES["flows"][flow.code]
    told = {
        "side": side.value,
        "flow": flow.type,
        "sender": own["sender"],
        "receiver": own["receiver"],
        "sender_kind": KINDS[own["sender"]].value,
        "receiver_kind": KINDS[own["receiver"]].value,
    }
    more = {
        "facts": told,
        "records": own["records"][side.value],
        "counts": counts_of(own, side),
        "signatures": own.get("signatures", {}),
    }
    return dict(merged(merged(LINES["base"], own["also"]), more))


def _when(text: str | None) -> datetime | None:
    return None if text is None else instant(text)


def _instants(said: dict[str, Any]) -> dict[str, datetime]:
    return {name: instant(at) for name, at in said.items() if at is not None}


def facts_of(world: dict[str, Any]) -> Facts:
    """The fact vector of a world."""
    at = instant(world["at"])
    born = None if world["born"] is None else date.fromisoformat(world["born"])
    signed = None if world["convention"] is None else signed_convention(world["convention"])
    told = dict(world["facts"])
    if world.get("reversed"):
        told["sender"], told["receiver"] = told["receiver"], told["sender"]
        told["sender_kind"], told["receiver_kind"] = told["receiver_kind"], told["sender_kind"]
    return Facts(
        **{**told, "side": Side(told["side"])},
        instrument=None if signed is None else _instrument(signed, at, world),
        bounds=bounds(born, at),
        agreement=_agreement(world, born, signed),
        notice_at=_when(world["notice_at"]),
        records=_instants(world["records"]),
        signatures=_instants(world["signatures"]),
        counts={name: count for name, count in world["counts"].items() if count is not None},
    )


def _instrument(signed: SignedConvention, at: datetime, world: dict[str, Any]) -> InstrumentFacts:
    forced: dict[str, Any] = {
        key: value if isinstance(value, bool) else _when(value)
        for key, value in world.get("instrument", {}).items()
    }
    return replace(signed.facts(at, world["version_there"]), **forced)


def _agreement(
    world: dict[str, Any], born: date | None, signed: SignedConvention | None
) -> AgreementFacts | None:
    said = world["agreement"]
    if said is None:
        return None
    given, giver = instant(said["given_at"]), Giver(said["giver"])
    if said["expires_at"] == "computed":
        ends = None if signed is None else signed.ends_on
        assert born is not None
        expires = expiry(day_of(given), birth=born, giver=giver, convention_ends_on=ends)
    else:
        expires = instant(said["expires_at"])
    return AgreementFacts(
        reference="a" * 32,
        giver=giver,
        flows=frozenset(said["flows"]),
        recipients=frozenset(said["recipients"]),
        given_at=given,
        expires_at=expires,
        withdrawn_at=_when(said.get("withdrawn_at")),
    )


def signed_convention(said: dict[str, Any]) -> SignedConvention:
    """A signed convention C from the days and acts of a case.

    *_signed_on: day of each party's signature. evidence: whether the proof of it is recorded.
    amended_on, until: day and new end of an amendment. notices: days on which letters were
    received, by party. suspended_at, resumed_at: instants of acts of the CCAS.
    """
    signed_on = {org: said[f"{kind.value}_signed_on"] for org, kind in KINDS.items()}
    days = {org: date.fromisoformat(day) for org, day in signed_on.items() if day is not None}
    versions = [Signed(terms(evidence=said.get("evidence", True)), days)]
    if said.get("amended_on") is not None:
        until = said.get("until")
        second = terms(2, until=None if until is None else date.fromisoformat(until))
        amended = date.fromisoformat(said["amended_on"])
        versions.append(Signed(second, dict.fromkeys(KINDS, amended)))
    return assemble(convention(), versions, _acts(said))


def terms(version: int = 1, *, evidence: bool = True, until: date | None = None) -> Terms:
    """One version of the text between the three, invented, as every text of C is today."""
    parties = tuple(
        Party(
            org=org,
            kind=kind,
            signing_key="k" * 43,
            floor=Suite.XWING,
            signatory="signataire",
            decision="deliberation",
        )
        for org, kind in KINDS.items()
    )
    return Terms(
        id="conv-c-1",
        convention=CODE,
        version=version,
        parties=parties,
        evidence=EVIDENCE if evidence else None,
        until=until,
        invented=True,
    )


def _acts(said: dict[str, Any]) -> list[Act]:
    found = []
    for org, day in said.get("notices", {}).items():
        received = date.fromisoformat(day)
        found.append(_act(ActKind.TERMINATION_NOTICE, midnight(received), org, received))
    for key, kind in (("suspended_at", "suspension"), ("resumed_at", "resumption")):
        if said.get(key) is not None:
            found.append(_act(ActKind(kind), instant(said[key]), "ccas", None))
    return found


def _act(kind: ActKind, at: datetime, org: str, received_on: date | None) -> Act:
    return Act(
        id=f"{kind.value.replace('_', '-')}-{org}",
        convention_id="conv-c-1",
        kind=kind,
        org=org,
        at=at,
        received_on=received_on,
    )
