"""What SQLite deletes is overwritten in its file, whatever the library was built to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from services.chassis.engines import make_engine

MARKER = "Exemplaire-" * 20


@pytest.mark.parametrize("again", [False, True])
def test_a_deleted_row_leaves_no_trace_in_the_file(tmp_path: Path, *, again: bool) -> None:
    """GDPR art. 17: erased is erased, on disk too; beside the same file with the setting off.

    Some builds of SQLite overwrite by default: so it is switched off before the engine has a say.
    """
    file = tmp_path / "node.sqlite"
    engine = make_engine(f"sqlite:///{file}")

    def off(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA secure_delete=OFF")

    event.listen(engine, "connect", off, insert=not again)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("CREATE TABLE persons (name TEXT)")
        connection.exec_driver_sql(f"INSERT INTO persons VALUES ('{MARKER}'), ('x')")  # noqa: S608 -- ours
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("DELETE FROM persons WHERE name <> 'x'")
    engine.dispose()  # the last one out folds the log into the file
    assert (MARKER.encode() in file.read_bytes()) is again
