"""Many rows at once: the same rows, and the same refusals, as one insert at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import MetaData

from services.chassis import bulk, keystore, schema, tables
from services.chassis.bulk import WORTH_IT, among
from services.chassis.database import Database, Tx
from services.chassis.engines import Conflict
from services.chassis.schema import Codes, UtcDateTime, new_metadata
from services.city.models import metadata as city
from services.conventions.a_city_school.models import metadata as convention
from services.school.models import metadata as school
from tests.servers import PostgresServer

AT = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)

_metadata = new_metadata()
kinds = Table(
    "kinds",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("text", Text),
    Column("bytes", LargeBinary),
    Column("at", UtcDateTime),
    Column("codes", Codes),
    Column("small", Integer),
    Column("large", BigInteger),
    Column("yes", Boolean),
)
follower = Table(
    "follower",
    _metadata,
    Column("id", String(32), ForeignKey(kinds.c.id), primary_key=True),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    _metadata.create_all(made._writer)
    made.start()
    yield made
    made.close()


def row(number: int, **more: Any) -> dict[str, Any]:
    said = {
        "id": f"id-{number}",
        "text": "Zoé\t«\\N»\n" if number % 2 else None,
        "bytes": bytes(range(256)) if number % 3 else b"",
        "at": AT if number % 2 else None,
        "codes": ("A-1.1", "a,b") if number % 2 else (),
        "small": -number,
        "large": 2**40 + number,
        "yes": number % 2 == 0,
    }
    return said | more


def held(connection: Connection) -> list[dict[str, Any]]:
    rows = connection.execute(select(kinds)).all()
    return sorted((dict(one._mapping) for one in rows), key=lambda one: one["small"], reverse=True)


def inserting(*rows: dict[str, Any], into: Table = kinds) -> Callable[[Tx], None]:
    def unit(tx: Tx) -> None:
        for one in rows:
            tx.insert(into, one)

    return unit


@pytest.mark.parametrize("count", [WORTH_IT - 1, WORTH_IT, 300])
async def test_every_kind_of_value_comes_back_whatever_the_number(
    database: Database, count: int
) -> None:
    rows = [row(number) for number in range(count)]
    await database.write(inserting(*rows))
    assert database.read_now(held) == rows


async def test_a_row_that_exists_is_a_conflict_and_writes_none(database: Database) -> None:
    await database.write(inserting(row(0)))
    with pytest.raises(Conflict) as caught:
        await database.write(inserting(*(row(number) for number in range(10))))
    assert "id-0" not in caught.value.sentence
    with pytest.raises(Conflict):
        await database.write(inserting(*({"id": f"no-{n}"} for n in range(10)), into=follower))
    assert len(database.read_now(held)) == 1
    await database.write(inserting(*(row(number) for number in range(1, 11))))
    assert len(database.read_now(held)) == 11


async def test_a_value_of_another_type_is_refused_without_being_told(database: Database) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        await database.write(inserting(*(row(number, at="Zoé Exemplaire") for number in range(10))))
    assert "Exemplaire" not in str(caught.value)
    assert database.read_now(held) == []


async def test_among_finds_the_same_rows_on_both_databases(database: Database) -> None:
    await database.write(inserting(*(row(number) for number in range(50))))

    def found(*keys: str) -> set[str]:
        statement = select(kinds.c.id).where(among(kinds.c.id, keys))
        return set(database.read_now(lambda c: c.execute(statement).scalars().all()))

    assert found() == set()
    assert found("id-7") == {"id-7"}
    assert found("id-7", "id-7", "nobody", "it's {},\"", "id-49") == {"id-7", "id-49"}
    assert len(found(*(f"id-{number}" for number in range(5000)))) == 50


@pytest.mark.parametrize(
    "metadata", [schema.metadata, city, school, convention, keystore._metadata]
)
def test_every_table_of_a_node_can_be_copied(metadata: MetaData) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own
    for table in metadata.tables.values():
        plan = bulk._plan(table, tuple(column.name for column in table.columns), dialect)
        assert len(plan.types) == len(table.columns)
    assert tables.outbox.name in schema.metadata.tables


def test_postgresql_plans_each_statement_by_what_the_tables_hold_by_then(
    postgres_server: PostgresServer,
) -> None:
    """A plan kept from the first days reads the whole table for each batch."""
    database, asked = Database(postgres_server.url("postgres")), text("SHOW plan_cache_mode")
    database.start()
    assert database.write_now(lambda tx: tx.execute(asked).scalar()) == "force_custom_plan"
    assert database.read_now(lambda c: c.execute(asked).scalar()) == "force_custom_plan"
    database.close()
