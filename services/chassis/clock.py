"""Where a node's time and random ids come from: always arguments, never looked up in passing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class FileClock:
    """The machine's clock moved by the seconds a file holds, read at each call.

    So a running node's time can be moved from outside. No file: no offset. Raises ValueError when
    the file holds anything but a number.
    """

    path: Path

    def now(self) -> datetime:
        """Present instant, aware, in UTC."""
        try:
            offset = float(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            offset = 0.0
        return datetime.now(UTC) + timedelta(seconds=offset)


def new_id() -> str:
    """Make a random id: 32 hexadecimal digits (UUID version 4), that nobody can guess."""
    return uuid.uuid4().hex
