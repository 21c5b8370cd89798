"""The supervisor alone, with small programs: what dies comes back, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from contracts.kernel.errors import Unavailable
from services.federation.federation import wait_for
from services.federation.lock import alone, runs
from services.federation.ports import choose_ports

_PROGRAM = """
import sys, socket, time
from functools import partial
from pathlib import Path
from contracts.kernel.errors import Unavailable
from services.federation.lock import alone
from services.federation.processes import Program
from services.federation.supervisor import Supervisor

home, ports, fails, tied = Path(sys.argv[1]), eval(sys.argv[2]), sys.argv[3], sys.argv[4]

def listen(name, port):
    if name == fails:
        raise Unavailable("broken on purpose")
    with socket.create_server(("127.0.0.1", port)):
        time.sleep(600)

programs = [
    Program(name, port, stage, partial(listen, name, port), home / f"{name}.err")
    for stage, (name, port) in enumerate(ports.items())
]
with alone(home / "lock"):
    try:
        Supervisor(programs, home / "status.json", 0 if tied == "tied" else None).run()
    except Unavailable:
        sys.exit(1)
"""


@dataclass
class Supervised:
    home: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes]

    def status(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.home / "status.json").read_text())
        except FileNotFoundError:
            return {"state": "none", "processes": {}}
        return found

    def pids(self) -> dict[str, int]:
        return {name: one["pid"] for name, one in self.status()["processes"].items()}

    def wait_state(self, state: str) -> None:
        wait_for(lambda: self.status()["state"] == state, 30, f"never {state}: {self.status()}")


@contextmanager
def supervised(home: Path, fails: str = "", tied: str = "") -> Iterator[Supervised]:
    ports = choose_ports(home / "ports.json", ["first", "second"])
    command = [sys.executable, "-c", _PROGRAM, str(home), repr(ports), fails, tied]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield Supervised(home, ports, process)
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdin is not None
        process.stdin.close()


def alive(pids: dict[str, int]) -> list[str]:
    return [name for name, pid in pids.items() if psutil.pid_exists(pid)]


def test_programs_start_in_order_and_stop_with_their_supervisor(tmp_path: Path) -> None:
    with supervised(tmp_path) as one:
        one.wait_state("running")
        pids = one.pids()
        assert alive(pids) == ["first", "second"]
        started = [psutil.Process(pids[name]).create_time() for name in ("first", "second")]
        assert started == sorted(started)
        assert runs(tmp_path / "lock")
        one.process.terminate()
        one.wait_state("stopped")
        assert alive(pids) == []


def test_what_dies_is_started_again_on_its_port(tmp_path: Path) -> None:
    with supervised(tmp_path) as one:
        one.wait_state("running")
        before = one.pids()
        os.kill(before["second"], signal.SIGKILL)

        def back() -> bool:
            now = one.status()["processes"]["second"]
            return now["restarts"] == 1 and now["pid"] not in {None, before["second"]}

        wait_for(back, 10, "never back")
        found = one.status()["processes"]["second"]
        assert found["last_exit"] == -signal.SIGKILL
        assert one.pids()["first"] == before["first"]


def test_each_death_delays_the_next_start(tmp_path: Path) -> None:
    with supervised(tmp_path) as one:
        one.wait_state("running")
        waited = []
        for restarts in (1, 2):
            began = time.monotonic()
            os.kill(one.pids()["first"], signal.SIGKILL)

            def back(restarts: int = restarts) -> bool:
                now = one.status()["processes"]["first"]
                return bool(now["restarts"] == restarts and now["pid"])

            wait_for(back, 10, "never back")
            waited.append(time.monotonic() - began)
        assert waited[1] >= 0.5, waited


def test_children_do_not_outlive_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path) as one:
        one.wait_state("running")
        pids = one.pids()
        one.process.kill()
        wait_for(lambda: not alive(pids), 5, f"left behind: {pids}")
        assert not runs(tmp_path / "lock")


def test_a_tied_supervisor_ends_with_its_owner(tmp_path: Path) -> None:
    with supervised(tmp_path, tied="tied") as one:
        one.wait_state("running")
        pids = one.pids()
        assert one.process.stdin is not None
        one.process.stdin.close()
        one.wait_state("stopped")
        assert alive(pids) == []


def test_a_detached_supervisor_does_not(tmp_path: Path) -> None:
    with supervised(tmp_path) as one:
        one.wait_state("running")
        assert one.process.stdin is not None
        one.process.stdin.close()
        time.sleep(1)
        assert one.status()["state"] == "running"


def test_a_program_that_does_not_start_stops_the_others_and_is_named(tmp_path: Path) -> None:
    with supervised(tmp_path, fails="second") as one:
        one.wait_state("failed")
        assert one.process.wait(10) == 1
        assert "second ne démarre pas" in one.status()["error"]
        assert set(one.pids().values()) == {None}
    assert "broken on purpose" in (tmp_path / "second.err").read_text()


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with supervised(tmp_path) as one:
        one.wait_state("running")
        other = tmp_path / "other"
        other.mkdir()
        (other / "ports.json").write_text((tmp_path / "ports.json").read_text())
        with supervised(other) as second:
            second.wait_state("failed")
            error = second.status()["error"]
        assert str(one.ports["first"]) in error
        assert "déjà occupé" in error


def test_a_state_folder_has_one_supervisor(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert not runs(lock)
    with supervised(tmp_path) as one:
        one.wait_state("running")
        assert runs(lock)
        with pytest.raises(Unavailable, match="relais down"), alone(lock):
            pass
    wait_for(lambda: not runs(lock), 5, "still held")
    with alone(lock):
        assert lock.exists()
