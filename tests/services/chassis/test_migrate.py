"""Migrations lead to the tables of the code, on both databases, for the chassis and a partner."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    Column,
    Engine,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)

from contracts.kernel.errors import UnknownName
from services.chassis import migrate, schema
from services.chassis.engines import StorageUnavailable, make_engine
from services.chassis.migrate import CHASSIS, Branch, NotMigrated
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import MetaData


LINE = {
    "chain": "c",
    "seq": 1,
    "at": datetime(2026, 11, 22, tzinfo=UTC),
    "event": "e",
    "outcome": "o",
    "articles": (),
    "rules_version": "v",
    "prev": "p",
    "hash": "h",
}


def partner_tables(*extra: Column[str]) -> MetaData:
    metadata = schema.new_metadata()
    Table(
        "visit",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("chain", String(100), nullable=False),
        Column("seq", Integer, nullable=False),
        Column("seen_at", schema.UtcDateTime),
        *extra,
        ForeignKeyConstraint(["chain", "seq"], [schema.journal.c.chain, schema.journal.c.seq]),
    )
    return metadata


@pytest.fixture
def partner(tmp_path: Path) -> Branch:
    """A partner's branch, with its first revision written."""
    branch = Branch("city", tmp_path / "100% city" / "versions", partner_tables())
    migrate.revise(branch, "Visits", (CHASSIS,))
    return branch


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def with_extra_column(branch: Branch) -> Branch:
    return Branch(branch.name, branch.versions, partner_tables(Column("note", String(10))))


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_chassis_migrations_lead_to_its_tables(database_url: str, engine: Engine) -> None:
    migrate.upgrade(database_url)

    assert tables(engine) == set(schema.metadata.tables)
    assert migrate.drift(database_url) == []


def test_upgrading_again_changes_nothing(database_url: str, engine: Engine) -> None:
    migrate.upgrade(database_url)
    with engine.begin() as connection:
        connection.execute(insert(schema.journal), LINE)

    migrate.upgrade(database_url)

    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.journal)) == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("DROP TABLE witnessed_heads", "add_table"),
        ("CREATE TABLE stranger (id INTEGER)", "remove_table"),
        ("ALTER TABLE journal DROP COLUMN rules_version", "add_column"),
        ("ALTER TABLE journal ADD COLUMN more TEXT", "remove_column"),
        ("DROP INDEX ix_journal_scope", "add_index"),
    ],
)
def test_a_drift_is_named(database_url: str, engine: Engine, change: str, word: str) -> None:
    migrate.upgrade(database_url)
    with engine.begin() as connection:
        connection.execute(text(change))

    found = migrate.drift(database_url)

    assert found
    assert any(word in difference for difference in found)


def test_a_partner_stands_beside_the_chassis(
    database_url: str, engine: Engine, partner: Branch
) -> None:
    migrate.upgrade(database_url, (CHASSIS, partner))

    assert tables(engine) == {*schema.metadata.tables, "visit"}
    assert migrate.drift(database_url, (CHASSIS, partner)) == []


def test_a_partner_comes_after_the_chassis_whatever_the_order(
    database_url: str, engine: Engine, partner: Branch
) -> None:
    migrate.upgrade(database_url, (partner, CHASSIS))

    assert "visit" in tables(engine)


def test_a_node_without_the_partner_has_none_of_its_tables(
    database_url: str, engine: Engine, partner: Branch
) -> None:
    migrate.upgrade(database_url)
    assert "visit" not in tables(engine)

    migrate.upgrade(database_url, (CHASSIS, partner))  # joined later
    assert "visit" in tables(engine)


def test_a_second_revision_keeps_the_rows(
    database_url: str, engine: Engine, partner: Branch
) -> None:
    migrate.upgrade(database_url, (CHASSIS, partner))
    with engine.begin() as connection:
        connection.execute(insert(schema.journal), LINE)
        visit = {"id": 1, "chain": "c", "seq": 1}
        connection.execute(insert(partner.metadata.tables["visit"]), visit)

    grown = with_extra_column(partner)
    assert any("note" in found for found in migrate.drift(database_url, (CHASSIS, grown)))
    second = migrate.revise(grown, "Notes", (CHASSIS,))
    migrate.upgrade(database_url, (CHASSIS, grown))

    assert second.name == "city_0002_notes.py"
    assert migrate.drift(database_url, (CHASSIS, grown)) == []
    with engine.connect() as connection:
        visit_table = grown.metadata.tables["visit"]
        assert tuple(connection.execute(select(visit_table)).one()) == (1, "c", 1, None, None)


def test_a_revision_holds_what_its_branch_lacks_and_nothing_of_the_other(
    partner: Branch,
) -> None:
    (first,) = partner.versions.glob("city_0001_*.py")
    written = first.read_text()

    assert first.name == "city_0001_visits.py"
    assert "from services.chassis import schema" in written
    assert "schema.UtcDateTime()" in written
    assert '"visit"' in written
    assert "witnessed_heads" not in written
    with pytest.raises(NotMigrated, match="city lacks nothing"):
        migrate.revise(partner, "Nothing", (CHASSIS,))
    assert list(partner.versions.glob("*.py")) == [first]


def test_a_revision_has_the_number_after_the_last_though_one_is_missing(partner: Branch) -> None:
    """Two of one number would be two heads."""
    (first,) = partner.versions.glob("city_0001_*.py")
    later = first.with_name("city_0003_visits.py")
    later.write_text(first.read_text().replace("city_0001", "city_0003"))
    first.unlink()
    second = migrate.revise(with_extra_column(partner), "Notes", (CHASSIS,))
    assert second.name == "city_0004_notes.py"


ORPHAN = """
from alembic import op
revision = "city_0002"
down_revision = "city_0001"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("INSERT INTO visit (id, chain, seq) VALUES (1, 'none', 1)")
"""


def test_a_revision_that_orphans_rows_is_undone(
    database_url: str, engine: Engine, partner: Branch
) -> None:
    migrate.upgrade(database_url, (CHASSIS, partner))
    (partner.versions / "city_0002_orphan.py").write_text(ORPHAN)

    # SQLite checks afterwards, PostgreSQL by itself at once.
    with pytest.raises(Exception, match=r"without their parent|breaks a constraint"):
        migrate.upgrade(database_url, (CHASSIS, partner))

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM visit")) == 0
        versions = set(connection.scalars(text("SELECT version_num FROM alembic_version")))
    assert "city_0001" in versions
    assert "city_0002" not in versions


def test_two_replicas_may_start_together(database_url: str, engine: Engine) -> None:
    code = f"from services.chassis.migrate import upgrade; upgrade({database_url!r})"
    replicas = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]

    assert [replica.wait(60) for replica in replicas] == [0, 0]
    assert tables(engine) == set(schema.metadata.tables)


def test_nodes_of_one_process_may_start_together(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / f'{number}.sqlite'}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, urls))

    assert [migrate.drift(url) for url in urls] == [[]] * 4


def test_a_database_that_is_away_is_an_outage() -> None:
    with pytest.raises(StorageUnavailable):
        migrate.upgrade(f"postgresql://relais@127.0.0.1:{free_port()}/nowhere")


@pytest.fixture
def installed(partner: Branch, monkeypatch: pytest.MonkeyPatch) -> Branch:
    """The partner's models where a partner of that name has them."""
    models = ModuleType("services.city.models")
    models.__file__ = str(partner.versions.parent.parent / "models.py")
    models.metadata = partner.metadata  # type: ignore[attr-defined] # a module has what it is given
    monkeypatch.setitem(sys.modules, "services.city", ModuleType("services.city"))
    monkeypatch.setitem(sys.modules, "services.city.models", models)
    return Branch("city", partner.versions.parent / "migrations" / "versions", partner.metadata)


def test_a_partner_is_found_by_the_name_of_its_folder(installed: Branch) -> None:
    found = migrate.partner_branch("city")

    assert found.metadata is installed.metadata
    assert found.versions.parts[-2:] == ("migrations", "versions")
    with pytest.raises(UnknownName):
        migrate.partner_branch("nobody")


def test_the_command_line_writes_and_checks(
    installed: Branch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate.main(["check", "chassis"]) == 0
    assert migrate.main(["check", "city"]) == 1
    assert "add_table" in capsys.readouterr().out

    assert migrate.main(["revision", "city", "Visits"]) == 0
    assert "city_0001_visits.py" in capsys.readouterr().out
    assert migrate.main(["check", "city"]) == 0
    assert migrate.main(["revision", "city", "Visits"]) == 1
    assert migrate.main(["check", "nobody"]) == 1
    assert "nobody" in capsys.readouterr().err
    assert installed.name == "city"
