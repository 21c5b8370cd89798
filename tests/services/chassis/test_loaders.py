"""What is looked for by key is found by an index, however many rows a node holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event

from services.chassis import idempotency, inbox, migrate, standing
from services.chassis.database import Loader

PAIR = ("one", "two")
LOADERS: list[tuple[Loader[Any, Any], Any]] = [
    (idempotency.ANSWERS, PAIR),
    (inbox.INBOX, PAIR),
    (standing.AGREEMENTS, "one"),
    (standing.CASES, "one"),
    (standing.CHARTERS, PAIR),
    (standing.PERSONS, "one"),
    (standing.PROOFS, "one"),
    (standing.REFERENCES, "one"),
    (standing.TOMBSTONES, PAIR),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    file = Path(tmp_path_factory.mktemp("loaders")) / "node.sqlite"
    migrate.upgrade(f"sqlite:///{file}", migrate.branches_of("city"))
    made = create_engine(f"sqlite:///{file}")
    yield made
    made.dispose()


@pytest.mark.parametrize(("loader", "key"), LOADERS, ids=lambda one: getattr(one, "name", ""))
def test_a_loader_scans_no_table(engine: Engine, loader: Loader[Any, Any], key: Any) -> None:
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    try:
        with engine.connect() as connection:
            assert loader.fetch(connection, [key]) == {}
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert len(asked) == 1
    with engine.connect() as connection:
        ((statement, parameters),) = asked
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        scans = [row.detail for row in plan if row.detail.startswith("SCAN")]
        assert {one.split()[1] for one in scans} <= {"json_each"}, plan
