"""What somebody could read who holds all of an organisation: both its databases and its secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from services.chassis.secret import NodeSecret
from tests.federation.town import Town

_NONCE, _KEY = 12, 32
_FIRST_BLOCK = b"\0\0\0\2"
"""Counter of the first block of content in GCM (NIST SP 800-38D): what is read so needs no tag."""


def tables(url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every table, by the name of its table."""
    engine = create_engine(url, poolclass=NullPool)
    listed = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if engine.dialect.name == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    with engine.connect() as connection:
        for (table,) in connection.execute(text(listed)).all():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608 -- its own tables
                yield table, dict(row._mapping)


def keys(town: Town, org: str) -> list[bytes]:
    """Every data key that still exists."""
    wrapping = AESGCM(NodeSecret.load(town.fed.layout.secret_file(org)).keystore_key)
    found = []
    for _, row in tables(town.database_urls(org)[1]):
        if row.get("wrapped") is not None:
            nonce, wrapped = row["wrapped"][:_NONCE], row["wrapped"][_NONCE:]
            found.append(wrapping.decrypt(nonce, wrapped, row["scope"].encode())[:_KEY])
    return found


def sealed(town: Town, org: str) -> frozenset[bytes]:
    """Each cell that is not in clear, as it lies there now."""
    return frozenset(
        bytes(cell)
        for _, row in tables(town.database_urls(org)[0])
        for cell in row.values()
        if isinstance(cell, bytes | memoryview)
    )


def readable(town: Town, org: str, before: frozenset[bytes]) -> Iterator[tuple[str, bytes]]:
    """Each cell of the data in clear, and each sealed one as every key there is would open it.

    before: sealed cells that are older than what is looked for, and need not be opened; with many
    keys and cells of former tests that would be their product.
    """
    known = keys(town, org)
    for table, row in tables(town.database_urls(org)[0]):
        for cell in row.values():
            if not isinstance(cell, bytes | memoryview):
                yield table, str(cell).encode()
                continue
            body = bytes(cell)
            yield table, body
            for key in known if len(body) > _NONCE and body not in before else []:
                mode = CTR(body[:_NONCE] + _FIRST_BLOCK)
                yield table, Cipher(AES(key), mode).decryptor().update(body[_NONCE:])


def finds(
    town: Town, org: str, words: tuple[bytes, ...], before: frozenset[bytes]
) -> set[tuple[str, bytes]]:
    """Where each word can be read, by table. before: see `readable`."""
    return {
        (table, word)
        for table, content in readable(town, org, before)
        for word in words
        if word in content
    }
