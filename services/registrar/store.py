"""Where the registrar keeps what was published: signed strings by kind and name, in a database.

No personal data, no private key. The order in which documents first came is kept, since of two
that contradict each other the first one holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint, select, update

from services.chassis.database import Database, Tx
from services.chassis.engines import make_engine
from services.chassis.schema import new_metadata


class Kind(StrEnum):
    """What a row holds, and what its name is made of."""

    PIN = "pin"
    """Thumbprint of an organisation's first signing key; by organisation."""
    ENTRY = "entry"
    """Directory entry; by organisation and signing key."""
    ROTATION = "rotation"
    """Rotation statement; by organisation and former key."""
    TERMS = "terms"
    """Signed text; by convention id and version."""
    ACT = "act"
    """Unilateral act; by convention id, organisation and act id."""
    ACTIVATION = "activation"
    """Activation signed by a receiver; by subject."""


class Name(NamedTuple):
    """Name of a document within its kind: who or what it is about, then what tells it apart."""

    of: str
    what: str = ""


class Row(NamedTuple):
    """One document to keep under its name."""

    kind: Kind
    name: Name
    body: str


Documents = Mapping[Kind, Mapping[Name, str]]
"""Everything that is held, in the order in which it first came."""

_metadata: Final = new_metadata()

_documents: Final = Table(
    "registrar_documents",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("of", String(120), nullable=False),
    Column("what", String(240), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("kind", "of", "what"),
)


class DocumentStore:
    """The registrar's own database. url: of a SQLite file or of PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database = Database(url)

    def open(self) -> Documents:
        """Make the table if need be, and read everything. Raises StorageUnavailable."""
        engine = make_engine(self._url)
        _metadata.create_all(engine)
        engine.dispose()
        self._database.start()
        held: dict[Kind, dict[Name, str]] = defaultdict(dict)
        query = select(_documents).order_by(_documents.c.id)
        for row in self._database.read_now(lambda connection: connection.execute(query).all()):
            held[Kind(row.kind)][Name(row.of, row.what)] = row.body
        return held

    async def keep(self, rows: Iterable[Row]) -> None:
        """Write documents, each in the place of the one of the same name, in one transaction."""
        listed = list(rows)
        await self._database.write(lambda tx: _keep(tx, listed))

    def close(self) -> None:
        """Leave the database."""
        self._database.close()


def _keep(tx: Tx, rows: Iterable[Row]) -> None:
    table = _documents
    for kind, name, body in rows:
        key = {"kind": kind.value, "of": name.of, "what": name.what}
        same = (table.c.kind == kind.value, table.c.of == name.of, table.c.what == name.what)
        if tx.execute(update(table).where(*same).values(body=body)).rowcount == 0:
            tx.insert(table, {**key, "body": body})
