"""Where a node's time and random ids come from: always arguments, never looked up in passing."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

REREAD_S: Final = 0.05
"""A moved clock's file is read again after this many seconds at most."""


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Present instant, aware, in UTC."""


class SystemClock:
    """The machine's own clock, which NATS also lives by."""

    def now(self) -> datetime:
        """Present instant, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ShiftedClock:
    """The machine's clock moved by a fixed offset: a year that passes in an afternoon."""

    offset: timedelta

    def now(self) -> datetime:
        """Present instant, aware, in UTC."""
        return datetime.now(UTC) + self.offset


class FileClock:
    """The machine's clock moved by the seconds a file holds, read again every 50 ms at most.

    So a running node's time can be moved from outside. No file: no offset. Raises ValueError when
    the file holds anything but a number.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = timedelta(0)
        self._read_at = float("-inf")

    def now(self) -> datetime:
        """Present instant, aware, in UTC."""
        present = time.monotonic()
        if present - self._read_at >= REREAD_S:
            self._offset = timedelta(seconds=self._seconds())
            self._read_at = present
        return datetime.now(UTC) + self._offset

    def _seconds(self) -> float:
        try:
            return float(self.path.read_bytes())
        except FileNotFoundError:
            return 0.0


def new_id() -> str:
    """Make a random id: 32 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(16)
