"""The observer on a real loopback port, and telemetry of two nodes that export to it."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from services.chassis.telemetry import Telemetry
from services.observer.receiver import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Observer:
    """A running observer: its URL, its database and a client."""

    url: str
    path: Path
    client: httpx.Client


@pytest.fixture
def observer(tmp_path: Path) -> Iterator[Observer]:
    path = tmp_path / "traces.db"
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(create_app(path), log_config=None))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        with httpx.Client(base_url=url, trust_env=False) as client:
            yield Observer(url, path, client)
        server.should_exit = True
        thread.join()


@pytest.fixture
def node(observer: Observer) -> Iterator[Callable[..., Telemetry]]:
    """Make a node's telemetry that exports to the observer; all are stopped at the end."""
    made: list[Telemetry] = []

    def make(code: str, ratio: float = 1.0, *, strict: bool = True) -> Telemetry:
        made.append(Telemetry(f"relais-{code}", code, observer.url, ratio, strict=strict))
        return made[-1]

    yield make
    for telemetry in made:
        assert telemetry.shutdown()
