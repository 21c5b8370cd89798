"""Many rows at once: a statement that looks for many keys, one that writes rows of many tables.

Both keep the same text whatever the number, so that neither the driver nor the server parses it
again for each batch. What a row costs PostgreSQL is little beside what a statement does, so that
the rows go there as JSON, a list for each table, all in the same one.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, Self

import orjson
import psycopg
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    insert,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from services.chassis.engines import check_text, check_texts
from services.chassis.schema import Chars, UtcDateTime


class _Texts(TypeDecorator[list[str]]):
    """Texts as one parameter: an array on PostgreSQL, a JSON list on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that carries them."""
        kind: TypeEngine[Any] = ARRAY(String()) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:  # noqa: ANN401 -- what the driver takes
        """Write the list. Raises UnfitText."""
        check_text("".join(value or ()))
        return value if value is None or dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> Self:  # noqa: ARG002 -- SQLAlchemy's signature
        """Stay bare: "(… IN …) = 1", as SQLite would be asked, finds no index."""
        return self


def among(column: Column[Any], keys: Iterable[str]) -> ColumnElement[bool]:
    """Condition: the column holds one of these texts."""
    return _Among(column, bindparam(None, list(keys), type_=_Texts()))


def among_given(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Condition: the column holds one of the texts given as a list when the statement is run.

    For a statement made once: making it costs as much as running it.
    """
    return _Among(column, bindparam(name, type_=_Texts()))


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 -- SQLAlchemy's
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({keys})"


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 -- SQLAlchemy's
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT CAST(value AS TEXT) FROM json_each({keys}))"  # noqa: S608 -- no text of ours


def named(query: Select[Any]) -> Any:  # noqa: ANN401 -- a class of named tuples
    """Make a class for rows of which much is read: ``map(named(query)._make, result)``.

    Each look at an attribute of SQLAlchemy's rows costs ten times as much.
    """
    return namedtuple("Named", query.selected_columns.keys())  # noqa: PYI024 -- names known at run time


_Prepare = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to write rows; columns: the names, and what makes of its values those to send.

    What a column's values may stay as they are is said by handing back the same list.
    """

    statement: str
    columns: tuple[tuple[str, _Prepare], ...]

    def document(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """The rows as the list that the statement takes. Raises UnfitText."""
        held = [dict(row) for row in rows]
        # A whole column at once: value by value, checking costs as much as sending.
        for name, prepare in self.columns:
            values = [row[name] for row in rows]
            if (sent := prepare(values)) is not values:
                for row, value in zip(held, sent, strict=True):
                    row[name] = value
        # Names taken from a table are texts of SQLAlchemy's own kind.
        return orjson.dumps(held, option=orjson.OPT_NON_STR_KEYS).decode()


def insert_rows(connection: Connection, *groups: tuple[Table, Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows of many tables, in one statement where the database can.

    groups: a table and rows that all have the same columns; parents before their children.
    Raises DBAPIError, UnfitText.
    """
    if connection.dialect.name == "postgresql":
        _insert_at_once(connection, groups)
        return
    for table, rows in groups:
        connection.execute(_insertion(table, tuple(rows[0])), rows)


@lru_cache(maxsize=256)
def _insertion(table: Table, _columns: tuple[str, ...]) -> Insert:
    """The statement of rows with these columns: made once, so that SQLAlchemy knows it again."""
    return insert(table)


def _insert_at_once(
    connection: Connection, groups: Iterable[tuple[Table, Sequence[Mapping[str, Any]]]]
) -> None:
    plans = [(_plan(table, tuple(rows[0]), connection.dialect), rows) for table, rows in groups]
    statement = _joined(tuple(plan.statement for plan, _ in plans))
    documents = [plan.document(rows) for plan, rows in plans]
    driver: Any = connection.connection.dbapi_connection
    try:
        with driver.cursor() as cursor:
            cursor.execute(statement, documents, prepare=True)
    except psycopg.Error as error:
        gone = bool(driver.closed)
        if gone:
            connection.invalidate()
        raise DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=connection.dialect,
        ) from None


@lru_cache(maxsize=256)
def _joined(statements: tuple[str, ...]) -> str:
    """One statement of many: the constraints of all are judged at its end."""
    *others, last = statements
    first = ", ".join(f"t{number} AS ({one})" for number, one in enumerate(others))
    return f"WITH {first} {last}" if first else last


@lru_cache(maxsize=256)
def _plan(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Plan:
    quoted = dialect.identifier_preparer
    place = quoted.format_table(table)
    listed = ", ".join(quoted.format_column(table.c[name]) for name in names)
    return _Plan(
        f"INSERT INTO {place} ({listed}) SELECT {listed}"  # noqa: S608 -- names of our tables
        f" FROM json_populate_recordset(NULL::{place}, %s::json)",
        # The names as the rows have them: those of SQLAlchemy's columns are slow keys of JSON.
        tuple((name, _preparing(table.c[name].type, dialect)) for name in names),
    )


def _preparing(kind: TypeEngine[Any], dialect: Dialect) -> _Prepare:
    if isinstance(kind, Chars):
        return partial(check_texts, most=kind.length)
    if isinstance(kind, LargeBinary):
        return lambda values: [None if value is None else f"\\x{value.hex()}" for value in values]
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return lambda values: values
    if isinstance(kind, UtcDateTime):
        return lambda values: values if _in_utc(values) else _bound(bind, values)
    return partial(_bound, bind)


def _bound(bind: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    return [None if value is None else bind(value) for value in values]


def _in_utc(values: Iterable[datetime | None]) -> bool:
    return all(value is None or value.tzinfo is UTC for value in values)
