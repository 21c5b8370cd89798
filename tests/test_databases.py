"""A migrated database that a test is given is one that nobody has used."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import make_url

from services.chassis import migrate
from tests.databases import migrated
from tests.servers import PostgresServer

BRANCHES = migrate.branches_of("city")


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    address = make_url(url).set(drivername="postgresql").render_as_string()
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def test_it_is_what_a_migration_makes(new_database_url: Callable[[], str]) -> None:
    url = new_database_url()
    migrated(url, BRANCHES)
    assert migrate.drift(url, BRANCHES) == []
    migrated(url, BRANCHES)  # and one that has been given already stays as it is
    assert migrate.drift(url, BRANCHES) == []


@pytest.fixture
def server(postgres_server: PostgresServer) -> PostgresServer:
    """The run's own, where the database that is given back last is the next to be had."""
    return postgres_server


def given(server: PostgresServer, *statements: str) -> tuple[object, ...]:
    """Migrate a database, do something there and give it back; returns what its tables were."""
    name = server.create()
    url = server.url(name)
    assert ask(url, TABLES) == [(None,)]  # whoever wants an empty database has one
    migrated(url, BRANCHES)
    assert migrate.drift(url, BRANCHES) == []
    assert ask(url, "SELECT * FROM charters") == []
    (found,) = ask(url, TABLES)
    for statement in statements:
        ask(url, statement)
    server.drop(name)
    return found


TABLES = (
    "SELECT array_agg(oid ORDER BY oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
)
WRITTEN = "INSERT INTO charters VALUES ('agent-1', '1', now())"


def test_the_next_test_has_the_same_tables_without_a_row(server: PostgresServer) -> None:
    assert given(server, WRITTEN) == given(server, WRITTEN) == given(server)


@pytest.mark.parametrize(
    "altered",
    [
        ("ALTER TABLE charters ADD COLUMN more TEXT", "ALTER TABLE charters DROP COLUMN more"),
        ("ALTER TABLE charters ALTER COLUMN accepted_at DROP NOT NULL",),
        ("DROP INDEX ix_journal_scope",),
        ("CREATE TABLE stranger (id INTEGER)",),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER t BEFORE INSERT ON charters EXECUTE FUNCTION f()",
        ),
    ],
)
def test_what_a_test_altered_is_not_given_again(
    server: PostgresServer, altered: tuple[str, ...]
) -> None:
    assert given(server, *altered) != given(server)
