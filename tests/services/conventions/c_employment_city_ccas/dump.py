"""Everything that a node holds, read through: databases, key store, files, in clear or sealed."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from sqlalchemy import MetaData, create_engine, make_url, select

from contracts.kernel.errors import UnknownName
from services.chassis import tables
from services.chassis.keystore import KeyDestroyed, SealBroken
from services.chassis.schema import journal
from tests.pair import Side
from tests.services.conventions.c_employment_city_ccas.support import SECRETS

Scopes = Sequence[tuple[str, list[bytes]]]
"""Scopes that a node has keys for, each with the places that what lies there may be bound to."""


def dumped(side: Side) -> Iterator[tuple[str, bytes]]:
    """Every value of every table of a node's database and key store, and each of its files."""
    settings = side.node.settings
    for url in (settings.database_url, settings.keystore_url):
        engine = create_engine(make_url(url))
        with engine.connect() as connection:
            found = MetaData()
            found.reflect(connection)
            for table in found.sorted_tables:
                for row in connection.execute(select(table)).mappings():
                    for name, value in row.items():
                        raw = value if isinstance(value, bytes) else str(value).encode()
                        yield f"{table.name}.{name}", raw
        engine.dispose()
        database = make_url(url).database
        if url.startswith("sqlite") and database:
            for suffix in ("", "-wal", "-journal"):
                try:
                    with open(f"{database}{suffix}", "rb") as file:  # noqa: PTH123 -- a dump
                        yield f"{database}{suffix}", file.read()
                except FileNotFoundError:
                    continue
    for path in settings.node_dir.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def leaks(side: Side) -> set[str]:
    """Where a secret is found at a node: in clear, in base64, or in what its own keys open."""
    found, scopes = set(), scopes_of(side)
    for where, raw in dumped(side):
        for text in (raw, *opened(side, raw, scopes)):
            if any(secret.encode() in text for secret in SECRETS):
                found.add(where)
            if any(base64.b64encode(secret.encode())[:-4] in text for secret in SECRETS):
                found.add(where)
    return found


def opened(side: Side, sealed: bytes, scopes: Scopes) -> Iterator[bytes]:
    """A sealed column with every key that the node holds and every place that it seals to."""
    if len(sealed) < 28 or sealed.isascii():
        return
    for scope, places in scopes:
        for place in places:
            try:
                yield side.node.keystore.open(scope, sealed, place)
            except (KeyDestroyed, SealBroken, UnknownName):
                continue


def scopes_of(side: Side) -> Scopes:
    """Scopes that the node has keys for, with the places that what lies there is bound to."""
    ids = {row.message_id for row in side.rows(tables.outbox)}
    ids |= {row.message_id for row in side.rows(tables.inbox)}
    ids |= {row.id for row in side.rows(tables.dead_letters)}
    places = [b"person", b"immersion.requested", b"immersion.tutor"]
    places += [one.encode() for one in ids] + [f"withheld:{one}".encode() for one in ids]
    places += [f"{row.chain}:{row.seq}".encode() for row in side.rows(journal)]
    cases = [f"case:{row.case_id}" for row in side.rows(tables.cases)]
    persons = [f"person:{row.person_id}" for row in side.rows(tables.persons)]
    standing = ["class:refusals", "class:register", "class:outbox"]
    return [(scope, places) for scope in (*cases, *persons, *standing)]
