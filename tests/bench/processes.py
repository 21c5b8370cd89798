"""Child processes of the bench: start, stop, and the CPU time of whole process trees."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import psutil

from tests.servers import PostgresServer, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STOP_SECONDS = 10.0
_START_SECONDS = 30.0


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once something listens on the port; RuntimeError when the process ended instead."""
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.02)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, insist after ten seconds, and reap it."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start_module(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Run a module of this project with this interpreter, all it says on our own stderr."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=sys.stderr)


@dataclass(frozen=True, slots=True)
class NatsServer:
    """A running nats-server with JetStream on loopback."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Return the address that clients connect to."""
        return f"nats://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server and forget its streams."""
        stop_process(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_nats(*, sync_always: bool) -> NatsServer:
    """Start one broker with JetStream on file, everything else as nats-server has it.

    With `sync_always` a PubAck means that the letter is on disk, not only in the system's cache.
    """
    folder, port = Path(tempfile.mkdtemp(prefix="bench-nats-")), free_port()
    sync = ", sync_interval: always" if sync_always else ""
    configuration = folder / "nats.conf"
    configuration.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}"{sync} }}\n'
    )
    binary = os.environ.get("NATS_SERVER") or str(Path(sys.executable).parent / "nats-server")
    command = [binary, "-c", str(configuration)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(port, process)
    return NatsServer(port, folder, process)


def postmaster(server: PostgresServer) -> int:
    """Return the process id from which all others of a PostgreSQL server descend."""
    return int((server.folder / "postmaster.pid").read_text().split()[0])


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, of a process and of all its descendants so far.

    A descendant that ended is counted through the parent that reaped it, so differences between
    two readings never lose a backend or a worker.
    """
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_own_and_reaped(member) for member in family)


def cpu_by_name(pids: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the CPU seconds so far of each named group of process trees."""
    return {name: sum(cpu_seconds(pid) for pid in group) for name, group in pids.items()}


def _own_and_reaped(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
