"""Requests as they are listed and read: ids, codes and dates, and what each partner answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, RootModel
from sqlalchemy import Connection, Row, select

from contracts.kernel.errors import UnknownName
from services.chassis import person_tables, tables
from services.chassis.answers import Answer
from services.chassis.rights import ORGANISATION

LISTED = 200
"""Requests of one answer, at most."""


class PartnerAnswer(Answer):
    """What became of a request at an organisation, about one case; null until it says so."""

    org: str
    case_id: str
    told_at: AwareDatetime
    outcome: str | None
    article: str | None
    done_at: AwareDatetime | None


class RequestHeld(Answer):
    """A right that somebody exercises. state: what comes next; late: its month is over."""

    request_id: str
    right: str
    about: list[str]
    raised_by: str
    channel: str
    origin: str | None
    asked_at: AwareDatetime
    due_at: AwareDatetime
    extended_at: AwareDatetime | None
    checked_at: AwareDatetime | None
    checked_by: str | None
    means: str | None
    sent_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    outcome: str | None
    article: str | None
    state: Literal["to_check", "to_send", "to_answer", "closed"]
    late: bool


class RequestRead(RequestHeld):
    """The same with what each partner answered."""

    answers: list[PartnerAnswer]


class RequestsHeld(RootModel[list[RequestHeld]]):
    """Requests, those that wait first, the earliest due of them on top."""


class RequestNamed(Answer):
    """Id of a request, and what comes next."""

    request_id: str
    state: Literal["to_check", "to_send", "to_answer", "closed"]


class RequestSent(RequestNamed):
    """Who was told of it."""

    told: list[str]


class RequestDue(RequestNamed):
    """Until when it is to be answered."""

    due_at: AwareDatetime


def listed(connection: Connection, at: datetime) -> list[dict[str, Any]]:
    """Requests, those that wait first."""
    table = person_tables.requests
    order = (table.c.closed_at.is_not(None), table.c.due_at, table.c.request_id)
    rows = connection.execute(select(table).order_by(*order).limit(LISTED))
    return [_held(row, at) for row in rows]


def seen_by(one: Mapping[str, Any], holder: str) -> bool:
    """Whether the person, or whoever represents them, sees a request of `of_persons`."""
    return one["raised_by"] in {holder, ORGANISATION}


def of_persons(
    connection: Connection, person_ids: Sequence[str], at: datetime
) -> list[dict[str, Any]]:
    """Requests made here about a person, the latest first."""
    table, ties = person_tables.requests, person_tables.request_persons
    mine = select(ties.c.request_id).where(ties.c.person_id.in_(person_ids))
    where = table.c.request_id.in_(mine) & table.c.origin.is_(None)
    rows = connection.execute(select(table).where(where).order_by(table.c.asked_at.desc())).all()
    return [read(connection, row.request_id, at) for row in rows]


def read(connection: Connection, request_id: str, at: datetime) -> dict[str, Any]:
    """One request with what each partner answered. Raises UnknownName."""
    table, answers = person_tables.requests, person_tables.answers
    row = connection.execute(select(table).where(table.c.request_id == request_id)).first()
    if row is None:
        raise UnknownName("Aucune demande ne porte ce numéro.", code="unknown_request")
    query = select(answers).where(answers.c.request_id == request_id)
    rows = connection.execute(query.order_by(answers.c.org, answers.c.told_at)).all()
    certified = _certificates(connection, [one.case_id for one in rows])
    return {**_held(row, at), "answers": [_answer(one, certified) for one in rows]}


def persons_of(connection: Connection, request_id: str) -> list[str]:
    """Local ids of who asks, as long as the register knows the person."""
    ties = person_tables.request_persons
    mine = select(ties.c.person_id).where(ties.c.request_id == request_id)
    return list(connection.execute(mine.order_by(ties.c.person_id)).scalars())


def state_of(row: Row[Any]) -> Literal["to_check", "to_send", "to_answer", "closed"]:
    """What comes next of a request."""
    if row.closed_at is not None:
        return "closed"
    if row.checked_at is None:
        return "to_check"
    return "to_send" if row.sent_at is None else "to_answer"


def _held(row: Row[Any], at: datetime) -> dict[str, Any]:
    return {
        "request_id": row.request_id,
        "right": row.right,
        "about": list(row.about),
        "raised_by": row.raised_by,
        "channel": row.channel,
        "origin": row.origin,
        "asked_at": row.asked_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "extended_at": _iso(row.extended_at),
        "checked_at": _iso(row.checked_at),
        "checked_by": row.checked_by,
        "means": row.means,
        "sent_at": _iso(row.sent_at),
        "closed_at": _iso(row.closed_at),
        "outcome": row.outcome,
        "article": row.article,
        "state": state_of(row),
        "late": row.closed_at is None and at >= row.due_at,
    }


def _certificates(
    connection: Connection, case_ids: Sequence[str]
) -> dict[tuple[str, str], Row[Any]]:
    """Certificates of erasure, which answer a request to erase, by organisation and case."""
    held = tables.certificates
    rows = connection.execute(select(held).where(held.c.case_id.in_(case_ids)))
    return {(row.org, row.case_id): row for row in rows}


def _answer(row: Row[Any], certified: dict[tuple[str, str], Row[Any]]) -> dict[str, Any]:
    found = row if row.outcome is not None else certified.get((row.org, row.case_id), row)
    return {
        "org": row.org,
        "case_id": row.case_id,
        "told_at": row.told_at.isoformat(),
        "outcome": found.outcome,
        "article": found.article,
        "done_at": _iso(found.done_at),
    }


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
