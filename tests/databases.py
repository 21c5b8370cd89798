"""Databases at their last revisions, made once a run: migrating one takes longer than most tests.

On SQLite each test has a copy of the file. On PostgreSQL the schema that a test leaves is set aside
in the same database, its tables empty and its catalogue as it was migrated, for the next test that
wants the same branches.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy import make_url

from services.chassis import migrate

if TYPE_CHECKING:
    from services.chassis.migrate import Branch

_SHAPE: Final = """
SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
    SELECT concat_ws(':', oid, xmin) FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', oid, xmin) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', part.oid, part.xmin) FROM pg_trigger part
        JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(':', attrelid, attnum, part.xmin) FROM pg_attribute part
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
) AS catalogue (line)
"""
"""Every row of the catalogue about the schema, and which transaction wrote it: what a test alters
there, and takes back, shows."""

_TABLES: Final = "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace LIMIT 1"

SET_ASIDE: Final = f"""
DO $$
DECLARE
    kept text := obj_description('public'::regnamespace, 'pg_namespace');
    one record;
BEGIN
    IF kept IS NULL OR split_part(kept, ' ', 2) <> ({_SHAPE}) THEN
        DROP SCHEMA public CASCADE;
    ELSE
        SET LOCAL session_replication_role = replica;  -- no order among foreign keys
        FOR one IN SELECT oid::regclass AS name FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0  -- ever written to
        LOOP
            EXECUTE format('DELETE FROM %s', one.name);
        END LOOP;
        PERFORM setval(oid, 1, false) FROM pg_class
            WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
        EXECUTE format('ALTER SCHEMA public RENAME TO %I', split_part(kept, ' ', 1));
    END IF;
    CREATE SCHEMA public;
END $$
"""  # noqa: S608 -- our own query within our own


def migrated(url: str, branches: tuple[Branch, ...]) -> None:
    """Do to an empty database what `migrate.upgrade` does; one with anything in it is upgraded."""
    place = make_url(url)
    if place.get_backend_name() == "postgresql":
        _take_up(url, branches)
    elif (file := Path(str(place.database))).exists():
        migrate.upgrade(url, branches)
    else:
        file.write_bytes(_migrated_file(branches))


def set_aside(connection: psycopg.Connection) -> None:
    """Empty a PostgreSQL database that nobody else uses; what was migrated in it stays within."""
    connection.execute(SET_ASIDE.encode())


@cache
def _migrated_file(branches: tuple[Branch, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "migrated.sqlite"
        migrate.upgrade(f"sqlite:///{file}", branches)
        return file.read_bytes()


def _take_up(url: str, branches: tuple[Branch, ...]) -> None:
    """Put the schema set aside for these branches in its place, or migrate and mark one."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute(_TABLES).fetchone():
            return migrate.upgrade(url, branches)
        name = _name(branches)
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name]).fetchone():
            connection.execute(f"DROP SCHEMA public; ALTER SCHEMA {name} RENAME TO public".encode())
            return None
        migrate.upgrade(url, branches)
        shape = connection.execute(_SHAPE.encode()).fetchone()
        connection.execute(f"COMMENT ON SCHEMA public IS '{name} {shape and shape[0]}'".encode())
        return None


def _name(branches: tuple[Branch, ...]) -> str:
    folders = " ".join(str(branch.versions) for branch in branches)
    return f"migrated_{hashlib.sha256(folders.encode()).hexdigest()[:16]}"
