"""Signed conventions as a case tells them: who signed when, and what was done alone."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from contracts.kernel.instrument import Convention
from contracts.kernel.organisation import Kind, Suite
from contracts.kernel.paris import midnight
from contracts.kernel.signed import SignedConvention, assemble
from contracts.kernel.terms import Act, ActKind, Party, Signed, Terms
from contracts.registry import load

FOLDER = Path(__file__).parents[2] / "contracts" / "conventions"
FIRST = "a_city_school"
"""The convention that is meant where none is named."""

EVIDENCE = "e" * 64


@cache
def convention(of: str = FIRST) -> Convention:
    return load().convention(of)


@cache
def document(of: str = FIRST) -> dict[str, Any]:
    text = (FOLDER / of / "cases.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


def kinds(of: str = FIRST) -> dict[str, Kind]:
    """Kinds of the organisations of a convention's cases."""
    return {org: Kind(kind) for org, kind in document(of)["parties"].items()}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day_in(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def terms(
    version: int = 1, *, evidence: bool = True, until: date | None = None, of: str = FIRST
) -> Terms:
    return Terms(
        id=f"conv-{of[0]}-1",
        convention=of,
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
            for org, kind in kinds(of).items()
        ),
        evidence=EVIDENCE if evidence else None,
        until=until,
    )


def act(
    kind: ActKind, at: datetime, org: str = "college", of: str = FIRST, /, **days: date | None
) -> Act:
    return Act(
        id=f"{kind.value.replace('_', '-')}-{int(at.timestamp() * 1e6)}",
        convention_id=f"conv-{of[0]}-1",
        kind=kind,
        org=org,
        at=at,
        **days,
    )


def signed_convention(said: dict[str, Any], of: str = FIRST) -> SignedConvention:
    """A signed convention from the days and acts of a case.

    notices: days on which letters were received, by the party that sent each.
    """
    days = {org: day_in(said[f"{kind.value}_signed_on"]) for org, kind in kinds(of).items()}
    signed_on = {org: day for org, day in days.items() if day is not None}
    versions = [Signed(terms(evidence=said.get("evidence", True), of=of), signed_on)]
    amended = day_in(said.get("amended_on"))
    if amended is not None:
        second = terms(2, until=day_in(said.get("until")), of=of)
        versions.append(Signed(second, dict.fromkeys(days, amended)))
    return assemble(convention(of), versions, list(_acts(said, of)))


def _acts(said: dict[str, Any], of: str) -> list[Act]:
    *_, org = kinds(of)
    found: list[Act] = []
    for number, kind in enumerate(("notice", "second_notice")):
        sent, received = (
            day_in(said.get(f"{kind}_sent_on")),
            day_in(said.get(f"{kind}_received_on")),
        )
        if sent is not None or received is not None:
            at = instant(f"2026-05-0{number + 1}T10:00:00+02:00")
            days = {"sent_on": sent, "received_on": received}
            found.append(act(ActKind.TERMINATION_NOTICE, at, org, of, **days))
    for by, day in said.get("notices", {}).items():
        received = date.fromisoformat(day)
        found.append(
            act(ActKind.TERMINATION_NOTICE, midnight(received), by, of, received_on=received)
        )
    for key, kind_of in (("suspended_at", "suspension"), ("resumed_at", "resumption")):
        if said.get(key) is not None:
            found.append(act(ActKind(kind_of), instant(said[key]), org, of))
    return found
