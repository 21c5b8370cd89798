"""A peer as the harness sees it: two applications, one broker, one PostgreSQL server of its own."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import nats
import psycopg

from tests.bench.processes import postmaster, start_module, start_nats, stop_process, wait_for_port
from tests.servers import PostgresServer, free_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

    from tests.bench.load import Request


class Peer(ABC):
    """Sender and receiver, each an application with its own database, and what they need.

    The two databases live on one PostgreSQL server and the two applications share one broker on
    loopback without TLS: cheaper than what two organisations would run, in the peer's favour.
    """

    name: str
    module: str
    streams: Sequence[tuple[str, str]]
    effects_sql: bytes
    done_sql: bytes
    done_at: str

    def __init__(self, *, sync_always: bool = False) -> None:
        self.today = datetime.now(UTC).date()
        self.folder = Path()
        self._sync_always = sync_always
        self._stack = ExitStack()
        self._pids: dict[str, Sequence[int]] = {}
        self._databases: dict[str, psycopg.Connection[tuple[int]]] = {}
        self.sender = ""

    @abstractmethod
    def prepare(self, sender: str, receiver: str) -> Mapping[str, str]:
        """Create the tables of both databases; return what else either application is told."""

    @abstractmethod
    def request(self, index: int) -> Request:
        """Return the request that sends message `index`."""

    def provide(self, count: int) -> None:  # noqa: B027 -- nothing is missing, see below
        """Do nothing: what a peer's messages rest on stands in its tables from the start."""

    def start(self) -> None:
        """Start database server and broker, then both applications."""
        self.folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="bench-")))
        postgres = self._stack.enter_context(PostgresServer(fsync=True))
        broker = start_nats(sync_always=self._sync_always)
        self._stack.callback(broker.stop)
        asyncio.run(_create_streams(broker.url, self.streams))
        self._pids = {"postgres": [postmaster(postgres)], "nats": [broker.process.pid]}
        urls = {role: postgres.url(postgres.create()) for role in ("sender", "receiver")}
        told = self.prepare(urls["sender"], urls["receiver"])
        started = [
            self._start_application(role, url, broker.url, told.get(role, ""))
            for role, url in urls.items()
        ]
        for port, process in started:
            wait_for_port(port, process)
        self.sender = f"http://127.0.0.1:{started[0][0]}"

    def _start_application(
        self, role: str, database: str, broker: str, told: str
    ) -> tuple[int, subprocess.Popen[bytes]]:
        connection = psycopg.connect(database.replace("+psycopg", ""), autocommit=True)
        self._databases[role] = self._stack.enter_context(connection)
        port = free_port()
        process = start_module(self.module, role, str(port), database, broker, told)
        self._stack.callback(stop_process, process)
        self._pids[role] = [process.pid]
        return port, process

    def effects(self) -> int:
        """Count what stands in the receiver's database."""
        return self._count("receiver", self.effects_sql)

    def done(self) -> int:
        """Count what owes nothing more."""
        return self._count(self.done_at, self.done_sql)

    def processes(self) -> Mapping[str, Sequence[int]]:
        """Return database server, broker and the two applications."""
        return self._pids

    def stop(self) -> None:
        """End what was started, last first."""
        self._stack.close()

    def _count(self, role: str, sql: bytes) -> int:
        row = self._databases[role].execute(sql).fetchone()
        return row[0] if row else 0


async def _create_streams(url: str, streams: Sequence[tuple[str, str]]) -> None:
    client = await nats.connect(url)
    for name, subjects in streams:
        await client.jetstream().add_stream(name=name, subjects=[subjects])
    await client.close()


def quiet_logger() -> logging.Logger:
    """Return a logger for FastStream that keeps silent unless something fails.

    By default FastStream writes two lines a message, which no peer should pay for.
    """
    logger = logging.getLogger("bench")
    logger.setLevel(logging.WARNING)
    return logger
