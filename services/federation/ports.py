"""Ports: chosen once on loopback, kept in a file, asked whether anybody listens."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.chassis.tls import write_private

HOST: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- for a part alone on its host, behind its networks

_LOWEST: Final = 16_000
_HIGHEST: Final = 32_000


def choose_ports(path: Path, names: Iterable[str]) -> dict[str, int]:
    """Ports by name, kept in a file; new ones are free at this instant.

    They lie below those that systems give to outgoing connections, or one of these could hold a
    port between two runs, and a probe of a silent port could end up connected to itself.
    """
    known: dict[str, int] = json.loads(path.read_text(encoding="ascii")) if path.exists() else {}
    for name in names:
        while name not in known:
            port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
            if port not in known.values() and _is_free(port):
                known[name] = port
    write_private(path, json.dumps(known, indent=2))
    return known


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int, host: str = HOST) -> bool:
    """Whether something listens on that port, of loopback unless said otherwise."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
