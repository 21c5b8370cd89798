"""The supervisor: starts every process of a federation in order, and starts again what dies.

One thread, no event loop: it forks its children (see `processes`). It says what runs in a status
file, ends everything on SIGTERM or Ctrl-C, and, when tied, also when whoever started it ends.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.kernel.errors import Unavailable
from services.chassis.tls import write_private
from services.federation.ports import answers
from services.federation.processes import Program, exit_of, spawn

BACKOFF_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a process that died is started again; the last one repeats."""
STEADY_S: Final = 30.0
"""A process that lived that long starts again from the shortest delay."""

_START_S: Final = 60.0
_STOP_S: Final = 8.0
_TURN_S: Final = 0.5
_STARTING_TURN_S: Final = 0.02
_TRIES: Final = 3


@dataclass(slots=True)
class Child:
    """A program and the process that runs it now; pid None while it waits to be started again."""

    program: Program
    pid: int | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    failures: int = 0
    restarts: int = 0
    last_exit: int | None = None

    @property
    def status(self) -> dict[str, Any]:
        """What the status file says of it."""
        return {
            "pid": self.pid,
            "port": self.program.port,
            "restarts": self.restarts,
            "last_exit": self.last_exit,
        }


class Supervisor:
    """Runs programs until told to stop.

    status_file: where it says what runs. tied: descriptor that ends when its owner does, or None.
    """

    def __init__(self, programs: Sequence[Program], status_file: Path, tied: int | None) -> None:
        self._children = [Child(program) for program in programs]
        self._status_file = status_file
        self._tied = tied
        self._state = "starting"
        self._error: str | None = None
        self._stopping = False
        self._awake, self._waker = socket.socketpair()

    def run(self) -> None:
        """Start everything, keep it running, stop it all in the end.

        Raises Unavailable when a program does not start; everything is stopped then too.
        """
        self._listen()
        gc.freeze()  # pages that no collector touches stay shared with the children
        try:
            self._check_ports()
            for stage in sorted({child.program.stage for child in self._children}):
                if not self._stopping:
                    self._start_stage(stage)
            if not self._stopping:
                self._say("running")
            while not self._stopping:
                self._turn(_TURN_S)
        except Unavailable as error:
            self._error = error.sentence
            raise
        finally:
            self._say("stopping")
            self._stop_all()
            self._say("stopped" if self._error is None else "failed")

    def _listen(self) -> None:
        self._awake.setblocking(False)  # noqa: FBT003 -- the standard library's own signature
        self._waker.setblocking(False)  # noqa: FBT003 -- the standard library's own signature
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler, so that it wakes the loop

    def _told_to_stop(self, *_: object) -> None:
        self._stopping = True

    def _check_ports(self) -> None:
        for child in self._children:
            if answers(child.program.port):
                raise Unavailable(
                    f"Le port {child.program.port} de {child.program.name} est déjà occupé : "
                    "arrêtez ce qui l'occupe, ou supprimez ports.json pour en choisir d'autres.",
                    code="port_taken",
                )

    def _start_stage(self, stage: int) -> None:
        waiting = [child for child in self._children if child.program.stage == stage]
        for child in waiting:
            self._start(child)
        self._say("starting")
        deadline = time.monotonic() + _START_S
        while waiting and not self._stopping:
            self._turn(_STARTING_TURN_S)
            waiting = [one for one in waiting if one.pid is None or not answers(one.program.port)]
            failed = next((one for one in waiting if one.failures >= _TRIES), None)
            if time.monotonic() > deadline:
                failed = failed or waiting[0]
            if failed is not None:
                raise Unavailable(
                    f"{failed.program.name} ne démarre pas : voir {failed.program.errors}.",
                    code="not_started",
                )

    def _start(self, child: Child) -> None:
        inherited = (self._awake.fileno(), self._waker.fileno())
        child.pid = spawn(child.program.run, child.program.errors, inherited)
        child.started_at = time.monotonic()

    def _turn(self, wait_s: float) -> None:
        """Wait for a signal or the next restart, reap what ended, start what is due."""
        now = time.monotonic()
        due = [child.due_at - now for child in self._children if child.pid is None and child.due_at]
        heard: list[socket.socket | int] = (
            [self._awake] if self._tied is None else [self._awake, self._tied]
        )
        ready, _, _ = select.select(heard, [], [], max(0.0, min([wait_s, *due])))
        if self._awake in ready:
            with suppress(BlockingIOError):
                self._awake.recv(4096)
        if self._tied in ready:
            self._stopping = True
        if self._reap() | self._restart():
            self._say(self._state)

    def _reap(self) -> bool:
        ended = False
        for child in self._children:
            if child.pid is None or (code := _ended(child.pid)) is None:
                continue
            ended, now = True, time.monotonic()
            if now - child.started_at > STEADY_S:
                child.failures = 0
            child.due_at = now + BACKOFF_S[min(child.failures, len(BACKOFF_S) - 1)]
            child.pid, child.last_exit = None, code
            child.failures += 1
        return ended

    def _restart(self) -> bool:
        now, started = time.monotonic(), False
        for child in self._children:
            if child.pid is None and 0 < child.due_at <= now and not self._stopping:
                started, child.due_at = True, 0.0
                child.restarts += 1
                self._start(child)
        return started

    def _stop_all(self) -> None:
        """Stop what started last first: nodes say goodbye while their servers still answer."""
        for stage in sorted({child.program.stage for child in self._children}, reverse=True):
            alive = [c for c in self._children if c.program.stage == stage and c.pid is not None]
            _signal(alive, signal.SIGTERM)
            if not self._wait(alive, _STOP_S):
                _signal(alive, signal.SIGKILL)
                self._wait(alive, _STOP_S)

    def _wait(self, children: Sequence[Child], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while any(child.pid is not None for child in children):
            if time.monotonic() > deadline:
                return False
            self._reap()
            time.sleep(_STARTING_TURN_S)
        return True

    def _say(self, state: str) -> None:
        self._state = state
        status = {
            "pid": os.getpid(),
            "state": state,
            "error": self._error,
            "processes": {child.program.name: child.status for child in self._children},
        }
        write_private(self._status_file, json.dumps(status, indent=2))


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return exit_of(status) if found else None


def _signal(children: Sequence[Child], number: signal.Signals) -> None:
    for child in children:
        if child.pid is not None:
            os.kill(child.pid, number)  # ours and not reaped yet: the id cannot be another's
