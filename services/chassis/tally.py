"""Counts for a convention's review, taken as things happen: what is counted will be destroyed.

A count says how often something happened in a month under a convention, and keeps no trace of the
case; what may be shown of it is another matter (see `review`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, delete, func, select, update

from contracts.kernel.paris import day_of
from services.chassis import tables
from services.chassis.database import Tx

OPENED = "opened"
"""Indicator of the cases opened, by purpose, which needs no counting as things happen."""

_PENDING = "tallies"

Key = tuple[str, date, str, str]
"""Convention, first day of the month, what and code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one count is against a number that somebody told. of, against: their codes.

    number: of the two, the second at least 1, what is shown.
    """

    of: str
    against: str
    number: Callable[[int, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What a review counts. what: its code. labels: of each code counted apart, in French.

    of: what counts those of whom this is counted, where something does; of many, a zero is shown.
    persons: whether each one counted is about a person; of other things nothing is hidden. share:
    of what is not counted but reckoned, under its one label, and hidden with the count.
    """

    what: str
    article: str
    label: str
    labels: Mapping[str, str]
    of: str | None = None
    persons: bool = True
    share: Share | None = None


def count(tx: Tx, convention_id: str, what: str, code: str, at: datetime) -> None:
    """Count one; the counts of a batch are written together.

    at: of a message when it was sent, at both sides, lest a midnight between make them differ.
    """
    pending: Counter[Key] | None = tx.state.get(_PENDING)
    if pending is None:
        pending = tx.state[_PENDING] = Counter()
        tx.at_end(lambda: _write(tx, pending))
    pending[convention_id, day_of(at).replace(day=1), what, code] += 1


def pending(tx: Tx) -> Mapping[Key, int]:
    """What was counted so far in this batch, and is not written yet."""
    return dict(tx.state.get(_PENDING, ()))


def uncount(tx: Tx, key: Key, number: int) -> None:
    """Take back what was counted: what it counted did not happen."""
    table = tables.tallies
    names = ("convention_id", "month", "what", "code")
    same = [table.c[name] == value for name, value in zip(names, key, strict=True)]
    less = table.c.number - number
    tx.execute(delete(table).where(*same, less <= 0))
    tx.execute(update(table).where(*same).values(number=less))


def tell(tx: Tx, key: Key, number: int) -> None:
    """Keep a number that somebody knows, in the place of one told before."""
    table = tables.tallies
    values = dict(zip(("convention_id", "month", "what", "code"), key, strict=True))
    tx.execute(delete(table).where(*(table.c[name] == one for name, one in values.items())))
    tx.execute(table.insert().values(**values, number=number))


def _write(tx: Tx, pending: Counter[Key]) -> None:
    table = tables.tallies
    for (convention_id, month, what, code), number in pending.items():
        key = {"convention_id": convention_id, "month": month, "what": what, "code": code}
        same = [table.c[name] == value for name, value in key.items()]
        more = update(table).where(*same).values(number=table.c.number + number)
        if not tx.execute(more).rowcount:
            tx.execute(table.insert().values(**key, number=number))


def counted(
    connection: Connection, convention_id: str, first: date, end: date
) -> Mapping[tuple[str, str], int]:
    """Numbers by what and code, of the months from the first one up to, without it, the end."""
    table = tables.tallies
    where = (table.c.convention_id == convention_id) & (table.c.month >= first)
    query = (
        select(table.c.what, table.c.code, func.sum(table.c.number).label("number"))
        .where(where & (table.c.month < end))
        .group_by(table.c.what, table.c.code)
    )
    return {(row.what, row.code): int(row.number) for row in connection.execute(query)}
