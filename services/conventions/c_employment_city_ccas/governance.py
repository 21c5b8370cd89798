"""What every message of convention C rests on: an agent who read it, a renewal that was reported.

Each agent says which version of the convention is known to them (C-5.5); from the second term on
nothing flows until the written report of the term before is recorded (C-8.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import Connection, delete, func, select

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.conventions.c_employment_city_ccas.evaluation import Element, final_report_due
from contracts.kernel.checks import Side
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.signed import SignedConvention
from contracts.kernel.suppression import Audience
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, cancel, keep_one, meet
from services.chassis.governance import own_convention
from services.chassis.partner import Acquaintance, Question
from services.chassis.publishing import read_published
from services.chassis.tokens import Right
from services.conventions.c_employment_city_ccas.territory_indicators import ELEMENTS, element_of
from services.conventions.c_employment_city_ccas.territory_models import (
    desks,
    final_reports,
    readings,
)
from services.conventions.c_employment_city_ccas.territory_store import Body, joining, own

REPORT: Final = "convention.final_report"
"""Kind of deadline: the written report of a term (C-7.2)."""

ConventionId = Annotated[str, Field(max_length=64)]


class Reading(Body):
    """Body of ``POST /convention-readings`` (C-5.5): the agent who calls knows this version."""

    convention_id: ConventionId = Field(title="Convention")
    version: Annotated[int, Field(ge=1, le=1_000_000)] = Field(title="Version")


class FinalReport(Body):
    """Body of ``POST /final-reports`` (C-7.2): the report that the signatories wrote on a term.

    term_ends_on: first day on which that term holds no more. evidence: SHA-256 of the paper, in
    hexadecimal.
    """

    convention_id: ConventionId = Field(title="Convention")
    term_ends_on: LegalDay = Field(title="Fin du terme")
    written_on: LegalDay = Field(title="Écrit le")
    evidence: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        title="Empreinte SHA-256 du document"
    )


# --- the terms of a convention


@dataclass(frozen=True, slots=True)
class Term:
    """One term: the first by the text, each later one by the amendment that renewed it (C-8.2)."""

    starts_on: date
    ends_on: date


def terms_of(signed: SignedConvention) -> list[Term]:
    """Terms in order; an amendment that moves no end renews nothing (C-7.4)."""
    opens = signed.opens_on
    found: list[Term] = []
    if opens is None:
        return found
    first = signed.versions[0].terms.until or signed.convention.term.until
    ends = [first, *(one.terms.until for one in signed.versions[1:] if one.complete)]
    starts = opens
    for end in ends:
        if end is not None and end > starts:
            found.append(Term(starts, end))
            starts = end
    last = signed.ends_on
    if last is None:
        return []
    return [Term(one.starts_on, min(one.ends_on, last)) for one in found if one.starts_on < last]


def _running(terms: list[Term], at: datetime) -> int:
    """Index of the term that runs, or of the last one where all are over."""
    over = sum(midnight(one.ends_on) <= at for one in terms)
    return min(over, len(terms) - 1)


# --- the two facts


def facts(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    """Whether the agent knows the convention (C-5.5), and a renewal was reported (C-8.2).

    Where several conventions join the two, what holds of all of them; the unknown is left out.
    """
    signed = [] if asked.partner is None else joining(core, asked.partner.org, asked.at)
    found: dict[str, datetime] = {}
    if not signed:
        return found
    renewed = [_renewed(tx, one, asked.at) for one in signed]
    if known := _all(renewed):
        found["renewed_on_report"] = known
    if asked.side is Side.SENDER and asked.agent_id is not None:
        read = [_read(tx, one, asked.agent_id, asked.at) for one in signed]
        if known := _all(read):
            found["staff_informed"] = known
    return found


def _all(instants: list[datetime | None]) -> datetime | None:
    """The last of them; None where one is unknown."""
    known = [one for one in instants if one is not None]
    return max(known) if len(known) == len(instants) else None


def _read(tx: Tx, signed: SignedConvention, agent_id: str, at: datetime) -> datetime | None:
    table = readings
    this = (table.c.convention_id == signed.id) & (table.c.version == signed.version_at(at))
    query = select(table.c.read_at).where(this & (table.c.agent_id == agent_id))
    found: datetime | None = tx.execute(query).scalar()
    return found


def _renewed(tx: Tx, signed: SignedConvention, at: datetime) -> datetime | None:
    """Held during the first term; from the next one on, since the report on the one before."""
    terms = terms_of(signed)
    if not terms:
        return None
    index = _running(terms, at)
    if index == 0:
        return midnight(terms[0].starts_on)
    before = terms[index - 1].ends_on
    table = final_reports
    this = (table.c.convention_id == signed.id) & (table.c.term_ends_on == before)
    found: datetime | None = tx.execute(select(table.c.recorded_at).where(this)).scalar()
    return found


# --- who knows the convention


def acknowledge(tx: Tx, core: Core, body: Reading, agent_id: str, at: datetime) -> None:
    """Record that an agent knows a version; the first time counts (C-5.5).

    Raises UnknownName for a convention or a version that this organisation did not sign.
    """
    signed = _own(core, body.convention_id)
    if body.version not in {one.terms.version for one in signed.versions if one.complete}:
        raise UnknownName("Cette version n'a pas été signée.", code="unknown_version")
    table, row = readings, {**body.model_dump(), "agent_id": agent_id}
    same = [table.c[name] == value for name, value in row.items()]
    if tx.execute(select(table.c.read_at).where(*same)).first() is None:
        tx.execute(table.insert().values(read_at=at, **row))
    core.journal.note(tx, "convention.read", agent_id, at, articles=("C-5.5",))


ACQUAINTANCE: Final = Acquaintance(
    article="C-5.5",
    path="/convention-readings",
    known=lambda tx, signed, agent_id, at: _read(tx, signed, agent_id, at) is not None,
)
"""No case of the convention opens to an agent who does not know its present version."""


def unread(connection: Connection, core: Core, at: datetime) -> list[dict[str, Any]]:
    """Of each convention, which agents of one's own know its present version and which do not.

    Its own agents are those who accepted the charter or have a desk.
    """
    agents = set(connection.execute(select(tables.charters.c.agent_id)).scalars())
    agents |= set(connection.execute(select(desks.c.agent_id)).scalars())
    found = []
    for signed in own(core):
        version, table = signed.version_at(at), readings
        this = (table.c.convention_id == signed.id) & (table.c.version == version)
        read = {row.agent_id: row.read_at for row in connection.execute(select(table).where(this))}
        found.append(
            {
                "convention_id": signed.id,
                "version": version,
                "read": [
                    {"agent_id": one, "read_at": at_.isoformat()}
                    for one, at_ in sorted(read.items())
                ],
                "unread": sorted(agents - read.keys()),
            }
        )
    return found


def _own(core: Core, convention_id: str) -> SignedConvention:
    signed = own_convention(core, convention_id)
    if signed.convention.code != CONVENTION.code:
        raise UnknownName("Cette convention ne demande rien de tel.", code="unknown_convention")
    return signed


# --- the written report


def record_report(tx: Tx, core: Core, body: FinalReport, agent_id: str, at: datetime) -> None:
    """Record the report on a term (C-7.2). Raises UnknownName; InvalidPayload for its dates.

    Recorded again it takes the place of the former paper; the first recording still counts.
    """
    signed = _own(core, body.convention_id)
    term = next((one for one in terms_of(signed) if one.ends_on == body.term_ends_on), None)
    if term is None:
        raise InvalidPayload(
            "Aucune période de la convention ne finit ce jour.",
            fields=(("term_ends_on", "unknown"),),
        )
    if not term.starts_on <= body.written_on <= day_of(at):
        raise InvalidPayload(
            "Un bilan est écrit pendant la période qu'il couvre ou après, jamais d'avance.",
            fields=(("written_on", "out_of_range"),),
        )
    table = final_reports
    same = (table.c.convention_id == signed.id) & (table.c.term_ends_on == term.ends_on)
    before = tx.execute(select(func.min(table.c.recorded_at)).where(same)).scalar()
    tx.execute(delete(table).where(same))
    row = {"recorded_at": before or at, "agent_id": agent_id, **body.model_dump()}
    tx.execute(table.insert().values(**row))
    meet(tx, REPORT, signed.id, at)
    core.journal.note(tx, "final_report.recorded", agent_id, at, articles=("C-7.2",))
    daily(tx, core, at)


CLOCKS: Final = {
    REPORT: Clock(
        kind=REPORT, article="C-7.2", label="Bilan écrit de la convention", told_to={Right.READ}
    ),
}


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """The earliest term without its report: due by its last day, and owed until written (C-7.2)."""
    for signed in own(core):
        table = final_reports
        query = select(table.c.term_ends_on).where(table.c.convention_id == signed.id)
        written = set(tx.execute(query).scalars())
        owed = [one.ends_on for one in terms_of(signed) if one.ends_on not in written]
        if not owed:
            cancel(tx, REPORT, signed.id, at)
            continue
        due_at = midnight(final_report_due(owed[0]) + timedelta(days=1))
        keep_one(tx, core, Due(kind=REPORT, subject=signed.id, due_at=due_at), at)


def template(
    connection: Connection, core: Core, convention_id: str, at: datetime
) -> dict[str, Any]:
    """The report to be written: counts of each year under the three elements, words left blank.

    Of each year that was published, as it was: small numbers are hidden, as in every review
    (C-7.3). Raises UnknownName.
    """
    signed = _own(core, convention_id)
    terms = terms_of(signed)
    running = terms[_running(terms, at)] if terms else None
    years = [] if running is None else list(_years(signed, running, at))
    found = {one: read_published(connection, signed.id, Audience.PARTIES, one) for one in years}
    reports = [one for one in found.values() if one is not None]
    return {
        "convention_id": signed.id,
        "title": signed.convention.title,
        "articles": ["C-7.2", "C-7.3"],
        "term_ends_on": None if running is None else running.ends_on.isoformat(),
        "elements": [
            {
                "element": element.value,
                "label": label,
                "years": [
                    {
                        "first_day": one["first_day"],
                        "last_day": one["last_day"],
                        "tables": _under(element, one["tables"]),
                    }
                    for one in reports
                ],
                "comment": "",
            }
            for element, label in ELEMENTS.items()
        ],
        "not_published": [day.isoformat() for day, one in found.items() if one is None],
    }


def _under(element: Element, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if element_of(one["article"]) is element]


def _years(signed: SignedConvention, term: Term, at: datetime) -> Iterator[date]:
    """First days of the years that the term touches and that have begun, as the review counts."""
    year, last = term.starts_on.year - 1, min(term.ends_on - timedelta(days=1), day_of(at))
    while (first := date(year, signed.convention.year_begins, 1)) <= last:
        if add_months(first, 12) > term.starts_on:
            yield first
        year += 1
