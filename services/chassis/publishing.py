"""A year of a convention in numbers: counted once, when it is over, and given for good (ADR 23).

Of two counts of one year the difference is whom the first one forgot, and of two years that overlap
by all but a day, whom that day brought. So a report is of the convention's own year, none is given
while that runs, and what was given stays as it was, for the parties and for everybody else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from contracts.kernel.errors import InvalidPayload, RelaisError, UnknownName
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.signed import SignedConvention
from contracts.kernel.suppression import Audience, Shown, suppress
from services.chassis import convention_tables, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.governance import own_convention
from services.chassis.tally import OPENED, Indicator, Share, counted

Report = dict[str, Any]
"""One report, as JSON: see `reports.Report`."""


class AlreadyPublished(RelaisError):
    """A year is counted once: its report is there, and stays as it was given."""

    code = "already_published"
    status = 409


@dataclass(frozen=True, slots=True)
class Year:
    """A year of a convention, half-open; it ends with the convention where that ends within it."""

    first: date
    end: date

    @property
    def last(self) -> date:
        """Its last day, from which on it is counted."""
        return self.end - timedelta(days=1)


def year_of(signed: SignedConvention, year: int, at: datetime) -> Year:
    """The year of a convention that begins in a calendar year, in the month that its text sets.

    Raises InvalidPayload for one in which the convention did not run.
    """
    first = date(year, signed.convention.year_begins, 1)
    end = add_months(first, 12)
    opens, ends = signed.opens_on, signed.ends_at(at)
    if opens is None or ends is None or end <= opens or ends <= first:
        raise InvalidPayload(
            "La convention ne courait pas cette année-là.", fields=(("year", "out_of_range"),)
        )
    return Year(first, min(end, ends))


def publish(
    tx: Tx, core: Core, convention_id: str, year: int, agent_id: str, at: datetime
) -> Report:
    """Count a year and keep its reports; returns that of the parties (A-8.1).

    year: in which it begins. Raises UnknownName; InvalidPayload for a year in which the convention
    did not run, or before its last day; AlreadyPublished.
    """
    signed = own_convention(core, convention_id)
    period = year_of(signed, year, at)
    if day_of(at) < period.last:
        raise InvalidPayload(
            f"Un bilan porte sur une année finie : celle-ci s'arrête le {period.last:%d/%m/%Y}.",
            fields=(("year", "not_over"),),
            articles=(signed.convention.review_article,),
        )
    if read_published(tx.connection, convention_id, Audience.PARTIES, period.first) is not None:
        raise AlreadyPublished("Cette année est déjà arrêtée : son bilan ne change plus.")
    found = {one: counted_report(tx.connection, core, signed, period, one, at) for one in Audience}
    key = {"convention_id": convention_id, "first_day": period.first, "published_at": at}
    rows = [
        {**key, "audience": one.value, "content": json.dumps(report, ensure_ascii=False)}
        for one, report in found.items()
    ]
    tx.execute(convention_tables.reports.insert(), rows)
    core.journal.note(
        tx, "report.published", agent_id, at, articles=(signed.convention.review_article,)
    )
    return found[Audience.PARTIES]


def read_published(
    connection: Connection, convention_id: str, audience: Audience, first_day: date | None = None
) -> Report | None:
    """The report of the year that begins that day, else of the last one published; else None."""
    table = convention_tables.reports
    mine = (table.c.convention_id == convention_id) & (table.c.audience == audience.value)
    if first_day is None:
        last = select(func.max(table.c.first_day)).where(mine).scalar_subquery()
        mine &= table.c.first_day == last
    else:
        mine &= table.c.first_day == first_day
    content = connection.execute(select(table.c.content).where(mine)).scalar()
    if content is None:
        return None
    found: Report = json.loads(content)
    for one in found["tables"]:  # published before reports said so, when all were taken for persons
        one.setdefault("persons", True)
    return found


def known_report(
    connection: Connection, signed: SignedConvention, audience: Audience, year: int | None
) -> Report:
    """The same for a caller. Raises UnknownName, which says how a report comes to be."""
    first = None if year is None else date(year, signed.convention.year_begins, 1)
    found = read_published(connection, signed.id, audience, first)
    if found is None:
        raise UnknownName(
            "Ce bilan n'est pas arrêté : à partir du dernier jour de l'année, un responsable "
            "l'arrête, une fois pour toutes.",
            code="not_published",
        )
    return found


def counted_report(
    connection: Connection,
    core: Core,
    signed: SignedConvention,
    period: Year,
    audience: Audience,
    at: datetime,
) -> Report:
    """Count a year as it stands at an instant, small numbers hidden. What leaves is `publish`ed."""
    text, rule = signed.convention, signed.convention.small_cells
    return {
        "convention_id": signed.id,
        "title": text.title,
        "invented": is_invented(signed),
        "parties": names_of_parties(core, signed),
        "article": text.review_article,
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "published_at": at.isoformat(),
        "audience": audience.value,
        "threshold": rule.threshold(audience),
        "zeros": rule.zeros,
        "tables": list(_tables(connection, core, signed, period, audience)),
    }


def names_of_parties(core: Core, signed: SignedConvention) -> list[str]:
    """Organisations that signed, as the directory names them, in that order."""
    entries = core.directory.entries
    return sorted(entries[org].name if org in entries else org for org in signed.orgs)


def is_invented(signed: SignedConvention) -> bool:
    """Whether the text was made up for a demonstration, and must say so."""
    return any(one.terms.invented for one in signed.versions)


def _tables(
    connection: Connection, core: Core, signed: SignedConvention, period: Year, audience: Audience
) -> Iterator[dict[str, Any]]:
    numbers = {
        **counted(connection, signed.id, period.first, period.end),
        **_opened(connection, signed.id, period),
    }
    sums: Counter[str | None] = Counter()
    for (what, _), number in numbers.items():
        sums[what] += number
    totals: dict[str, int | None] = {}
    for one in core.partner.side(signed.convention.code).indicators:
        cells = {code: numbers.get((one.what, code), 0) for code in one.labels}
        if one.share is not None:
            if not sums[one.share.against]:
                continue  # nobody here knows it
            shown = _reckoned(one, one.share, totals, sums)
        elif one.persons:
            shown = suppress(cells, signed.convention.small_cells, audience, sums[one.of])
        else:
            shown = Shown(cells, sum(cells.values()))
        totals[one.what] = shown.total
        yield {
            "what": one.what,
            "article": one.article,
            "label": one.label,
            "persons": one.persons,
            "cells": [
                {"code": code, "label": label, "number": shown.cells[code]}
                for code, label in one.labels.items()
            ],
            "total": shown.total,
        }


def _reckoned(
    one: Indicator, share: Share, totals: Mapping[str, int | None], sums: Mapping[str | None, int]
) -> Shown:
    """A share of a count that stands above it, hidden where that is hidden."""
    counted_there = totals[share.of]
    number = None if counted_there is None else share.number(counted_there, sums[share.against])
    return Shown(dict.fromkeys(one.labels, number), number)


def _opened(connection: Connection, convention_id: str, period: Year) -> dict[tuple[str, str], int]:
    """Cases opened in the period, by purpose; a destroyed case is still counted here."""
    cases = tables.cases
    where = (cases.c.instrument == convention_id) & (cases.c.opened_at >= midnight(period.first))
    query = (
        select(cases.c.purpose, func.count().label("number"))
        .where(where & (cases.c.opened_at < midnight(period.end)))
        .group_by(cases.c.purpose)
    )
    return {(OPENED, row.purpose): int(row.number) for row in connection.execute(query)}
