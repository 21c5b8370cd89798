"""Real backups of a node's databases, taken while it runs and restored while it does not."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from tests.servers import postgres_binaries

Restore = Callable[[], None]


def backup(url: str, folder: Path) -> Restore:
    """Copy a database as an operator would; returns what puts the copy in its place."""
    place, copy = make_url(url), folder / "backup"
    return (_of_file if place.get_backend_name() == "sqlite" else _of_server)(place, copy)


def _of_file(place: URL, copy: Path) -> Restore:
    file = Path(str(place.database))
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def restore() -> None:
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.write_bytes(copy.read_bytes())

    return restore


def _of_server(place: URL, copy: Path) -> Restore:
    address = place.set(drivername="postgresql").render_as_string(hide_password=False)
    _run("pg_dump", "--format=custom", f"--file={copy}", address)

    def restore() -> None:
        _run("pg_restore", "--clean", "--if-exists", f"--dbname={address}", str(copy))

    return restore


def _run(program: str, *arguments: str) -> None:
    subprocess.run([postgres_binaries() / program, *arguments], check=True, capture_output=True)
