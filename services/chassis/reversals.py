"""What a message changed at its sender is taken back where its receiver refuses it.

A handler records at once what leaves, so that no step is taken twice and no former referent reads
on. Should the receiver then refuse, both sides would differ for good: hence each change is kept
beside the letter, under the key of its case, until the receipt. What somebody changed since stays.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Delete,
    Executable,
    Insert,
    LargeBinary,
    Row,
    Table,
    Update,
    and_,
    delete,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from contracts.kernel.errors import UnknownName
from services.chassis import deadlines, standing, tables, tally
from services.chassis.bulk import among_given
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.keystore import KeyDestroyed
from services.chassis.schema import Codes, UtcDateTime
from services.chassis.scopes import OUTBOX_SCOPE, case_scope

Values = Mapping[str, Any]
"""A row: values by column."""


@dataclass(frozen=True, slots=True)
class _Change:
    """One row that changed. before, after: None where there was none yet, or is none any more."""

    table: Table
    before: Values | None
    after: Values | None


@dataclass(slots=True)
class _Watch:
    """Rows as they were before the first statement that touches them.

    opens: what was added goes with the case, and is not looked at.
    """

    tx: Tx
    known: Mapping[str, Table]
    opens: bool
    former: dict[tuple[str, tuple[Any, ...]], Values | None] = field(default_factory=dict)

    def executes(self, statement: Executable) -> None:
        """Look at what a statement is about to change."""
        if isinstance(statement, Insert):
            if not self.opens:
                self.inserts(statement.table, statement.compile().params)
        elif isinstance(statement, (Update, Delete)):
            self.changing(statement.table, statement.whereclause)

    def changing(self, table: Any, where: ColumnElement[bool] | None) -> None:  # noqa: ANN401 -- a table
        """Remember the rows that are about to be changed or taken away."""
        if table.name in self.known:
            query = select(table) if where is None else select(table).where(where)
            for row in self.tx.execute(query).mappings():
                self.former.setdefault(_key(table, row), dict(row))

    def inserts(self, table: Any, row: Mapping[str, Any]) -> None:  # noqa: ANN401 -- a table
        """Remember that a row was not there."""
        if table.name in self.known:
            self.former.setdefault(_key(self.known[table.name], row), None)

    def changes(self) -> list[_Change]:
        """What is different now."""
        found = []
        for (name, key), before in self.former.items():
            if before is None and self.opens:
                continue
            after = _row(self.tx, self.known[name], key)
            if before != after:
                found.append(_Change(self.known[name], before, after))
        return found


def _key(table: Table, row: Mapping[Any, Any]) -> tuple[str, tuple[Any, ...]]:
    return table.name, tuple([row[name] for name in _key_names(table)])


@cache
def _key_names(table: Table) -> tuple[str, ...]:
    """Columns of the primary key: SQLAlchemy makes a list of them at each look."""
    return tuple(column.name for column in table.primary_key)


def _is(table: Table, key: Collection[Any]) -> ColumnElement[bool]:
    return and_(*(column == one for column, one in zip(table.primary_key, key, strict=True)))


def _row(tx: Tx, table: Table, key: Collection[Any]) -> Values | None:
    row = tx.execute(select(table).where(_is(table, key))).mappings().first()
    return None if row is None else dict(row)


def _known(core: Core) -> Mapping[str, Table]:
    """Tables whose rows are taken back: those of conventions, and what the chassis keeps a case in.

    Neither the journal nor the outbox: they say what happened.
    """
    own = (tables.cases, tables.deadlines, tables.withheld)
    return {**core.partner.tables, **{table.name: table for table in own}}


@contextmanager
def kept(
    tx: Tx, core: Core, message_id: str, case_id: str | None, at: datetime, *, opens: bool
) -> Iterator[None]:
    """Keep what a handler changes for a message that leaves.

    opens: it opens the case, which stops with it (see `agreements.unopened`); what was added for it
    need not be kept, and hardly any such message changes anything else.
    """
    watch, before = _Watch(tx, _known(core), opens), tally.pending(tx)
    with tx.watched(watch.executes, watch.inserts):
        yield
    changes = watch.changes()
    counted = ((key, number - before.get(key, 0)) for key, number in tally.pending(tx).items())
    counts = [(*key, number) for key, number in counted if number]
    if not changes and not counts:
        return
    case = None if case_id is None else tx.get(standing.CASES, case_id)
    if case is not None and case.state == standing.ERASED:
        return  # nothing is left of it that could be as it was
    record = {"changes": [_written(one) for one in changes], "counts": _plain(counts)}
    values = {"message_id": message_id, "case_id": case_id, "kept_at": at}
    sealed = _sealed(core, message_id, case_id, record)
    tx.insert(tables.reversals, {**values, "sealed": sealed})


def forget(tx: Tx, message_ids: Collection[str]) -> None:
    """These, which a former batch sent, were accepted: what they changed stays."""
    if message_ids:
        tx.amend(_FORGET, {"ids": list(message_ids)})


_FORGET: Final = delete(tables.reversals).where(among_given(tables.reversals.c.message_id, "ids"))


def reverse(tx: Tx, core: Core, message_id: str) -> None:
    """Take back what a message changed here; of one that changed nothing there is nothing to."""
    table = tables.reversals
    mine = table.c.message_id == message_id
    row = tx.execute(delete(table).where(mine).returning(*table.c)).first()
    record = None if row is None else _opened(core, row)
    if row is None or record is None:
        return
    for one in reversed(_changes(core, record)):
        _restore(tx, one)
    for convention_id, month, what, code, number in record["counts"]:
        tally.uncount(tx, (convention_id, date.fromisoformat(month), what, code), number)
    tx.forget(standing.CASES)
    if row.case_id is not None:
        _pass_on(tx, core, row, _changes(core, record))


def _restore(tx: Tx, one: _Change) -> None:
    """A row as it was, but for what has changed since."""
    table, known = one.table, one.after if one.before is None else one.before
    key = _key(table, known or {})[1]
    now = _row(tx, table, key)
    if one.before is None:
        if now == one.after:
            tx.execute(delete(table).where(_is(table, key)))
        elif table is tables.deadlines:
            deadlines.unset(tx, key[0])
    elif one.after is None:
        if now is None:
            tx.execute(table.insert().values(**one.before))
    elif now is not None:
        moved = {name for name, value in one.before.items() if value != one.after[name]}
        back = {name: one.before[name] for name in moved if now[name] == one.after[name]}
        if back:
            tx.execute(update(table).where(_is(table, key)).values(**back))


def _pass_on(tx: Tx, core: Core, gone: Row[Any], undone: Sequence[_Change]) -> None:
    """What later messages of the case would go back to is what this one had found.

    Else a second refusal would bring back what the first one took away.
    """
    table = tables.reversals
    later = (table.c.case_id == gone.case_id) & (table.c.kept_at >= gone.kept_at)
    for row in tx.execute(select(table).where(later)).all():
        record = _opened(core, row)
        if record is None:
            continue
        changes = [_based(one, undone) for one in _changes(core, record)]
        record = {**record, "changes": [_written(one) for one in changes]}
        sealed = _sealed(core, row.message_id, row.case_id, record)
        mine = table.c.message_id == row.message_id
        tx.execute(update(table).where(mine).values(sealed=sealed))


def _based(one: _Change, undone: Sequence[_Change]) -> _Change:
    """A later change, which started from what is no more."""
    for former in undone:
        before, found, left = one.before, former.before, former.after
        if before is None or left is None or former.table is not one.table:
            continue
        if _key(one.table, before) == _key(one.table, left):
            if found is None:
                return _Change(one.table, None, one.after)
            back = {name: found[name] for name in before if before[name] == left[name]}
            return _Change(one.table, {**before, **back}, one.after)
    return one


# --- as it is kept


def _sealed(core: Core, message_id: str, case_id: str | None, record: Mapping[str, Any]) -> bytes:
    content = json.dumps(record).encode()
    return core.keystore.seal(_scope(case_id), content, f"reversal:{message_id}".encode())


def _opened(core: Core, row: Row[Any]) -> dict[str, Any] | None:
    """What is kept of a message; None where its case was destroyed meanwhile."""
    try:
        place = f"reversal:{row.message_id}".encode()
        content = core.keystore.open(_scope(row.case_id), row.sealed, place)
    except (KeyDestroyed, UnknownName):
        return None
    found: dict[str, Any] = json.loads(content)
    return found


def _scope(case_id: str | None) -> str:
    return OUTBOX_SCOPE if case_id is None else case_scope(case_id)


def _written(one: _Change) -> dict[str, Any]:
    return {
        "table": one.table.name,
        "before": None if one.before is None else _plain(one.before),
        "after": None if one.after is None else _plain(one.after),
    }


def _changes(core: Core, record: Mapping[str, Any]) -> list[_Change]:
    """Changes as they were written; those of a table that is here no more are left out."""
    known = _known(core)
    return [
        _Change(table, _values(table, one["before"]), _values(table, one["after"]))
        for one in record["changes"]
        if (table := known.get(one["table"])) is not None
    ]


def _plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a column holds
    """A value as JSON knows it."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def _values(table: Table, plain: Mapping[str, Any] | None) -> Values | None:
    if plain is None:
        return None
    return {name: _value(table.c[name].type, one) for name, one in plain.items()}


def _value(kind: TypeEngine[Any], plain: Any) -> Any:  # noqa: ANN401 -- whatever a column holds
    if plain is None:
        return None
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(plain)
    if isinstance(kind, Date):
        return date.fromisoformat(plain)
    if isinstance(kind, Codes):
        return tuple(plain)
    return b64decode(plain) if isinstance(kind, LargeBinary) else plain
