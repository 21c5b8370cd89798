"""Where each part keeps its rows: a SQLite file in its own folder, or a database of a server.

An organisation never shares a database with another, and its key store has one of its own, so that
backups of the data never hold the keys.
"""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from contracts.kernel.errors import Unavailable
from services.federation.config import BadFederation

_TIMEOUT_S: Final = 10


def base_url(text: str) -> URL:
    """Read the address of a PostgreSQL server. Raises BadFederation."""
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        raise BadFederation(
            "L'adresse de la base ne désigne pas un serveur PostgreSQL : écrivez "
            "postgresql://utilisateur@hôte:port."
        )
    return url


def database_url(base: URL, name: str) -> str:
    """Address of one database of the server."""
    return base.set(database=name).render_as_string(hide_password=False)


def node_databases(org: str) -> tuple[str, str]:
    """Names of an organisation's database and of its key store."""
    name = f"relais_{org.replace('-', '_')}"
    return name, f"{name}_keys"


def create_missing(base: URL, names: list[str]) -> None:
    """Create the databases that the server does not have yet. Raises Unavailable.

    The role of the address must be allowed to create databases.
    """
    try:
        with psycopg.connect(
            host=base.host,
            port=base.port,
            user=base.username,
            password=base.password,
            dbname=base.database or "postgres",
            connect_timeout=_TIMEOUT_S,
            autocommit=True,
        ) as connection:
            rows = connection.execute("SELECT datname FROM pg_database").fetchall()
            for name in sorted(set(names) - {row[0] for row in rows}):
                made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
                connection.execute(made.format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise Unavailable(
            f"PostgreSQL ne répond pas sur {base.host}:{base.port or 5432}, ou refuse de créer les "
            f"bases ({error.sqlstate or type(error).__name__}) : vérifiez l'adresse et les droits.",
            code="postgresql_away",
        ) from None
