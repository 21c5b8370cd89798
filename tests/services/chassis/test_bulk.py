"""Many rows at once: the same rows, and the same refusals, as one insert at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.schema import MetaData

from services.chassis import keystore, schema
from services.chassis.bulk import among
from services.chassis.database import Database, Tx
from services.chassis.engines import Conflict, UnfitText
from services.chassis.schema import Chars, Codes, UtcDateTime, new_metadata
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
    Column("day", Date),
    Column("short", Chars(12)),
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
        "day": AT.date() if number % 2 else None,
        "short": '1\\n"é\u2028🙂' if number % 2 else None,
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


@pytest.mark.parametrize("count", [1, 2, 300])
async def test_every_kind_of_value_comes_back_whatever_the_number(
    database: Database, count: int
) -> None:
    rows = [row(number) for number in range(count)]
    await database.write(inserting(*rows))
    assert database.read_now(held) == rows


async def test_an_instant_of_another_zone_stays_the_same_instant(database: Database) -> None:
    """Beside one in UTC, and under the names that the table itself has for its columns."""
    there = AT.astimezone(ZoneInfo("America/Cayenne"))
    named = {column.name: None for column in kinds.columns}
    rows = [row(1), row(2, at=there), row(3, at=AT.astimezone(timezone(timedelta(hours=2))))]
    await database.write(inserting(*(named | one for one in rows)))
    assert [one["at"] for one in database.read_now(held)] == [AT] * 3


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


@pytest.mark.parametrize("column", ["at", "day", "bytes", "short"])
async def test_a_value_of_another_type_is_refused_without_being_told(
    database: Database, column: str
) -> None:
    wrong = {column: "Zoé Exemplaire"}
    with pytest.raises(Exception, match=r".") as caught:
        await database.write(inserting(*(row(number, **wrong) for number in range(10))))
    assert "Exemplaire" not in str(caught.value)
    assert database.read_now(held) == []


@pytest.mark.parametrize("unfit", ["treize lettre", "a\0b"])
async def test_a_text_that_does_not_fit_is_refused_alike(database: Database, unfit: str) -> None:
    with pytest.raises(UnfitText):
        await database.write(inserting(row(0), row(1, short=unfit)))
    assert database.read_now(held) == []


async def test_rows_of_several_tables_go_together_or_not_at_all(database: Database) -> None:
    rows = [row(number) for number in range(5)]

    def both(followed: str) -> Callable[[Tx], None]:
        def unit(tx: Tx) -> None:
            inserting(*rows)(tx)
            tx.insert(kinds, {"id": "bare"})  # its columns are not those of the others
            tx.insert(follower, {"id": followed})

        return unit

    def counted(connection: Connection) -> list[int | None]:
        return [
            connection.scalar(select(func.count()).select_from(one)) for one in (kinds, follower)
        ]

    with pytest.raises(Conflict):
        await database.write(both("nobody"))
    assert database.read_now(counted) == [0, 0]
    await database.write(both("id-3"))
    assert database.read_now(counted) == [6, 1]


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
def test_every_kind_of_value_that_a_node_keeps_is_among_those_tried(metadata: MetaData) -> None:
    tried = {type(column.type) for column in kinds.columns}
    kept = {type(column.type) for table in metadata.tables.values() for column in table.columns}
    assert metadata.tables
    assert kept <= tried


def test_postgresql_plans_each_statement_by_what_the_tables_hold_by_then(
    postgres_server: PostgresServer,
) -> None:
    """A plan kept from the first days reads the whole table for each batch."""
    database, asked = Database(postgres_server.url("postgres")), text("SHOW plan_cache_mode")
    database.start()
    assert database.write_now(lambda tx: tx.execute(asked).scalar()) == "force_custom_plan"
    assert database.read_now(lambda c: c.execute(asked).scalar()) == "force_custom_plan"
    database.close()
