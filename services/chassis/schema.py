"""Column types, naming of constraints and the tables that every node shares.

Types are portable: the same code and the same values on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    literal_column,
    type_coerce,
)
from sqlalchemy.exc import DontWrapMixin

from services.chassis.engines import check_text

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

HASH_LENGTH = 64
"""Characters of a SHA-256 in lower-case hexadecimal, as hashes are stored everywhere."""


def new_metadata() -> MetaData:
    """Return an empty collection of tables whose constraints all get a predictable name.

    A partner makes one of its own; its tables refer to the chassis by column, not by name
    (``ForeignKey(schema.journal.c.seq)``), since names are looked up inside one collection.
    """
    return MetaData(naming_convention=_NAMING)


class Chars(TypeDecorator[str]):
    """A text of at most so many characters, the same limit on both databases.

    SQLite keeps any length and a NUL as well. Raises UnfitText.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length  # in the cache key of statements, under the argument's own name

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Check it."""
        if value is not None:
            check_text(value, self.length)
        return value


class ZonelessError(ValueError, DontWrapMixin):
    """An instant without time zone, told alike by whatever way it was to be written."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware, in UTC, to the microsecond.

    PostgreSQL keeps a timestamptz, SQLite a text of fixed width which sorts like the instants.
    Raises ZonelessError for a datetime without time zone: nobody may guess which one was meant.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Check the zone and go to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ZonelessError("an instant needs a time zone")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Come back aware, in UTC whatever the session's zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


_MANY = 1024
"""Lists of codes remembered: few are in use, and each line of the journal holds one."""

_encoded = json.JSONEncoder(ensure_ascii=False).encode


@lru_cache(maxsize=_MANY)
def _as_json(codes: tuple[str, ...]) -> str:
    return _encoded(codes)


@lru_cache(maxsize=_MANY)
def _from_json(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class Codes(TypeDecorator[tuple[str, ...]]):
    """A tuple of codes or article ids, kept as a JSON list in a text column."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Write the list."""
        return None if value is None else _as_json(tuple(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Read the list back as a tuple."""
        return None if value is None else _from_json(value)


metadata = new_metadata()
"""Tables of the chassis: migrated by the branch `chassis`."""

journal = Table(
    "journal",
    metadata,
    Column("chain", Chars(100), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", Chars(100), nullable=False),
    Column("message_id", Chars(100)),
    Column("flow", Chars(100)),
    Column("outcome", Chars(100), nullable=False),
    Column("articles", Codes, nullable=False),
    Column("rules_version", Chars(100), nullable=False),
    Column("commitment", Chars(HASH_LENGTH)),
    Column("prev", Chars(HASH_LENGTH), nullable=False),
    Column("hash", Chars(HASH_LENGTH), nullable=False),
    # What follows is beside the hash, so that it can be removed and the chain still verify.
    Column("scope", Chars(200)),
    Column("case_id", Chars(100)),
    Column("agent_id", Chars(200)),
    Column("facts_sealed", LargeBinary),
    Index(None, "message_id"),
    Index(None, "scope"),
    Index(None, "at", "seq"),
    Index(None, "event", "at", "seq"),
    Index(None, "outcome", "at", "seq"),
)
"""Every decision of this node (see journal.py)."""

CITES: ColumnElement[bool] = type_coerce(journal.c.articles, Text) != literal_column("'[]'")
"""Condition: a line of the journal names an article. Literal, so that its index is recognised."""

Index(
    "ix_journal_cited",
    journal.c.at,
    journal.c.seq,
    journal.c.articles,
    journal.c.outcome,
    postgresql_where=CITES,
    sqlite_where=CITES,
)

witnessed_heads = Table(
    "witnessed_heads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("org", Chars(100), nullable=False),
    Column("chain", Chars(100), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Chars(HASH_LENGTH), nullable=False),
    Column("proof", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "org", "chain", "seq"),
)
"""Journal heads that partners signed and sent: what shows that one of them rewrote its journal."""
