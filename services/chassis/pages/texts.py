"""A signed convention as its page says it: where it stands, what is due, who signed and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from contracts.kernel.instrument import Convention
from contracts.kernel.obligation import Obligation
from contracts.kernel.paris import day_of, midnight
from contracts.kernel.signed import OPEN_STATES, SignedConvention, State
from contracts.kernel.terms import Act, ActKind, Signed
from services.chassis import convention_tables, deadlines, tables
from services.chassis.core import Core
from services.chassis.pages.content import name_of
from services.chassis.pages.rendering import day_in_words, instant_in_words
from services.chassis.purges import last_purges

_DAY: Final = timedelta(days=1)
_ACTS: Final = {
    ActKind.TERMINATION_NOTICE: "préavis de résiliation",
    ActKind.SUSPENSION: "suspension",
    ActKind.RESUMPTION: "reprise",
}
GROUNDS: Final = {"amicable": "règlement amiable en cours", "court": "tribunal saisi"}
"""Why a dispute keeps something, in words."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a convention stands. word: its state; when: the days that make it so.

    mark: `open`, `waits` or `over`, for whoever lists them.
    """

    word: str
    when: str
    mark: str


@dataclass(frozen=True, slots=True)
class Held:
    """A convention in a list. invented: the text, or an amendment of it, was made up."""

    convention_id: str
    title: str
    partners: str
    standing: Standing
    invented: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the text: from when it applies, until when it lets it run, who signed."""

    number: int
    applies: str
    until: str
    signatures: Sequence[tuple[str, str]]
    missing: Sequence[str]
    evidence: str | None
    invented: bool


def held(core: Core, at: datetime) -> list[Held]:
    """Every convention that this organisation signed, those in force first."""
    mine = [one for one in core.directory.conventions.values() if core.org in one.orgs]
    found = [_held(core, one, at) for one in mine]
    order = {"open": 0, "waits": 1, "over": 2}
    return sorted(found, key=lambda one: (order[one.standing.mark], one.title, one.partners))


def _held(core: Core, signed: SignedConvention, at: datetime) -> Held:
    return Held(
        signed.id,
        signed.convention.title,
        partners(core, signed),
        standing(core, signed, at),
        invented(signed),
    )


def invented(signed: SignedConvention) -> str:
    """What of the text was made up for a demonstration, in words; nothing where it is real."""
    first, *later = signed.versions
    if first.terms.invented:
        return "texte inventé"
    return "avenant inventé" if any(one.terms.invented for one in later) else ""


def standing(core: Core, signed: SignedConvention, at: datetime) -> Standing:
    """State at an instant, with its days in words."""
    state, opens, ends = signed.state(at), signed.opens_on, signed.ends_at(at)
    if opens is None or ends is None:
        return Standing("pas encore attestée", _missing(core, signed), "waits")
    last = day_in_words(ends - _DAY)
    if state is State.PURGED:
        return Standing("finie, tout est détruit", f"depuis le {last}", "over")
    if state in {State.ENDED, State.PURGING}:
        purged = signed.purged_on
        by = "" if purged is None else f" ; tout est détruit au plus tard le {day_in_words(purged)}"
        return Standing("finie", f"depuis le {last}{by}", "over")
    if state is State.SUSPENDED:
        who = " et ".join(sorted(name_of(core, org) for org in _suspended_by(signed, at)))
        return Standing("suspendue", f"par {who} ; court jusqu'au {last}", "waits")
    word, when, mark = _RUNNING[state]
    return Standing(word, when.format(first=day_in_words(opens), last=last), mark)


_RUNNING: Final = {
    State.SIGNED: ("signée", "s'ouvre le {first}, jusqu'au {last}", "waits"),
    State.IN_FORCE: ("en vigueur", "depuis le {first}, jusqu'au {last}", "open"),
    State.NOTICE_GIVEN: ("sous préavis", "en vigueur depuis le {first}, finit le {last}", "open"),
}


def _missing(core: Core, signed: SignedConvention) -> str:
    first = signed.versions[0]
    absent = sorted(name_of(core, org) for org in signed.orgs - set(first.signed_on))
    if absent:
        return f"attend la signature de {' et de '.join(absent)}"
    return "signée, mais la preuve des signatures n'est pas enregistrée"


def _suspended_by(signed: SignedConvention, at: datetime) -> set[str]:
    found: set[str] = set()
    for act in sorted(signed.acts, key=lambda one: (one.at, one.kind is ActKind.SUSPENSION)):
        if act.at <= at and act.kind is ActKind.SUSPENSION:
            found.add(act.org)
        elif act.at <= at and act.kind is ActKind.RESUMPTION:
            found.discard(act.org)
    return found


def suspended_by_us(core: Core, signed: SignedConvention, at: datetime) -> bool:
    """Whether it is this organisation that suspends it."""
    return core.org in _suspended_by(signed, at)


def is_open(signed: SignedConvention, at: datetime) -> bool:
    """Whether messages may flow under it."""
    return signed.state(at) in OPEN_STATES


def due(
    connection: Connection, core: Core, signed: SignedConvention, at: datetime
) -> list[dict[str, Any]]:
    """What is due under a convention, soonest first: its deadlines, its end, the destruction."""
    table = tables.deadlines
    waits = table.c.state.in_((deadlines.PENDING, deadlines.MISSED))
    query = select(table).where((table.c.subject == signed.id) & waits)
    found = [
        (day_of(row.due_at) - _DAY, core.clocks[row.kind].label, row.article)
        for row in connection.execute(query)
        if row.kind in core.clocks
    ]
    ends, purged = signed.ends_at(at), signed.purged_on
    told = {day for day, _, _ in found}
    if ends is not None and at < midnight(ends) and ends - _DAY not in told:
        found.append((ends - _DAY, "Dernier jour de la convention", signed.convention.term.article))
    if purged is not None and at < midnight(purged):
        label = "Destruction de tout ce qu'elle a apporté"
        found.append((purged - _DAY, label, signed.purge_article))
    return [
        {"day": day, "label": label, "article": article, "late": day < day_of(at)}
        for day, label, article in sorted(dict.fromkeys(found))
    ]


def versions(core: Core, signed: SignedConvention) -> Iterator[Version]:
    """Every version of the text, the first one first."""
    for one in signed.versions:
        yield Version(
            one.terms.version,
            _applies(one),
            "" if one.terms.until is None else day_in_words(one.terms.until - _DAY),
            [(name_of(core, org), day_in_words(day)) for org, day in sorted(one.signed_on.items())],
            sorted(name_of(core, org) for org in signed.orgs - set(one.signed_on)),
            one.terms.evidence,
            one.terms.invented,
        )


def _applies(one: Signed) -> str:
    if one.opens_on is None:
        return "ne s'applique pas encore"
    return f"s'applique depuis le {day_in_words(one.opens_on)}"


def acts(core: Core, signed: SignedConvention) -> list[dict[str, Any]]:
    """What parties did alone, oldest first."""
    return [
        {
            "what": _ACTS[one.kind],
            "who": name_of(core, one.org),
            "when": instant_in_words(one.at),
            "letter": _letter(one),
            "void": one.kind is ActKind.TERMINATION_NOTICE and bool(signed.notice_fault(one)),
        }
        for one in sorted(signed.acts, key=lambda one: one.at)
    ]


def _letter(act: Act) -> str:
    days: Mapping[str, date | None] = {"envoyée": act.sent_on, "reçue": act.received_on}
    said = [f"{name} le {day_in_words(day)}" for name, day in days.items() if day is not None]
    return f"lettre recommandée {', '.join(said)}" if said else ""


def partners(core: Core, signed: SignedConvention) -> str:
    """Names of the other parties."""
    return ", ".join(sorted(name_of(core, org) for org in signed.orgs - {core.org}))


def parties(core: Core, signed: SignedConvention) -> list[dict[str, str]]:
    """Who signed, as what, and on which decision; never a person."""
    found = []
    for org in sorted(signed.orgs):
        party = signed.party(org)
        if party is not None:
            found.append(
                {
                    "name": name_of(core, org),
                    "kind": party.kind.label,
                    "signatory": party.signatory,
                    "decision": party.decision,
                }
            )
    return found


def articles(text: Convention) -> list[tuple[str, list[Obligation]]]:
    """What the text asks, line by line, under each of its articles, in its order."""
    return [(name, list(lines)) for name, lines in groupby(text.obligations, lambda x: x.article)]


def holds(connection: Connection, convention_id: str) -> list[dict[str, Any]]:
    """What disputes keep, those settled last."""
    table = convention_tables.holds
    query = select(table).where(table.c.convention_id == convention_id)
    rows = connection.execute(query.order_by(table.c.placed_at)).all()
    return [
        {
            "hold_id": row.hold_id,
            "case_id": row.case_id,
            "ground": GROUNDS[row.ground],
            "placed": instant_in_words(row.placed_at),
            "released": None if row.released_at is None else instant_in_words(row.released_at),
        }
        for row in sorted(rows, key=lambda one: one.released_at is not None)
    ]


def certificate(connection: Connection, signed: SignedConvention) -> dict[str, Any] | None:
    """The proof of what the convention's end destroyed, where there is one."""
    row: Row[Any] | None = last_purges(connection).get(signed.id)
    if row is None:
        return None
    return {
        "last_day": row.ended_on - _DAY,
        "cases": row.cases,
        "kept": row.kept,
        "done": instant_in_words(row.done_at),
        "article": signed.purge_article,
    }
