"""The journal looked through: lines by day, event, outcome, article, message or case, newest first.

Pages are cut by the place of their last line, never by a count of lines to skip, so that the last
page costs no more than the first; each criterion has its index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, Row, Text, func, select, tuple_, type_coerce

from contracts.kernel.fields import LAST_NUMBER, Day
from contracts.kernel.paris import midnight
from services.chassis.schema import CITES, journal
from services.chassis.scopes import case_scope

PAGE: Final = 50
"""Lines of one page."""

REFUSALS: Final = ("refused", "invalid", "not_open", "stopped", "unverified", "expired")
"""Outcomes under which a message went no further."""

_ID: Final = r"^[0-9a-f]{32}$"
_CODE: Final = r"^[a-z0-9_.]{1,100}$"
_SHOWN: Final = (
    *(journal.c.seq, journal.c.at, journal.c.event, journal.c.flow, journal.c.outcome),
    *(journal.c.articles, journal.c.message_id),
)
"""Facts are left where they are: a page of lines is read without them."""


class LineFilter(BaseModel):
    """Query of the journal's page: ids, codes and days, nothing that names anybody.

    before: number of a line; those that came before it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: Day | None = None
    event: str | None = Field(default=None, pattern=_CODE)
    outcome: str | None = Field(default=None, pattern=_CODE)
    article: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.\- ]{1,40}$")
    message: str | None = Field(default=None, pattern=_ID)
    case: str | None = Field(default=None, pattern=_ID)
    before: int | None = Field(default=None, ge=1, le=LAST_NUMBER)


def search(connection: Connection, chain: str, wanted: LineFilter) -> list[Row[Any]]:
    """Lines that fit, newest first: one more than a page holds where more follow.

    chain: of this node, whose numbers `before` counts in.
    """
    query = select(*_SHOWN).where(*_conditions(wanted))
    if wanted.before is not None:
        this = (journal.c.chain == chain) & (journal.c.seq == wanted.before)
        at: datetime | None = connection.execute(select(journal.c.at).where(this)).scalar()
        if at is None:
            return []
        query = query.where(
            journal.c.at <= at, tuple_(journal.c.at, journal.c.seq) < tuple_(at, wanted.before)
        )
    newest = query.order_by(journal.c.at.desc(), journal.c.seq.desc())
    return list(connection.execute(newest.limit(PAGE + 1)))


def _conditions(wanted: LineFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.day is not None:
        yield journal.c.at >= midnight(wanted.day)
        yield journal.c.at < midnight(wanted.day + timedelta(days=1))
    if wanted.event is not None:
        yield journal.c.event == wanted.event
    if wanted.outcome is not None:
        yield journal.c.outcome == wanted.outcome
    if wanted.article is not None:
        yield CITES
        articles = type_coerce(journal.c.articles, Text)
        yield articles.contains(f'"{wanted.article}"', autoescape=True)
    if wanted.message is not None:
        yield journal.c.message_id == wanted.message
    if wanted.case is not None:
        yield journal.c.scope == case_scope(wanted.case)


def refusals(connection: Connection, since: date | None) -> list[tuple[str, int]]:
    """How many lines say that a message went no further, by article, the most frequent first.

    since: first day counted; None for the whole journal. A line that cites several articles counts
    for each.
    """
    where = CITES & journal.c.outcome.in_(REFUSALS)
    if since is not None:
        where &= journal.c.at >= midnight(since)
    query = select(journal.c.articles, func.count().label("number")).where(where)
    found: Counter[str] = Counter()
    for row in connection.execute(query.group_by(journal.c.articles)):
        for article in row.articles:
            found[article] += row.number
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))
