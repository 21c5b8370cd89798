"""The list of destroyed keys, a file beside both databases: what is restored forgets again.

A key store restored from a backup has keys that were destroyed since; so has its database the rows
that they sealed. This list is neither's: it only grows, it holds names of scopes (random ids) and
instants, and it is read at each start (see `restored`). Copy it away as often as may be.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from services.chassis.engines import StorageUnavailable

_MODE = 0o600


class DestroyedList:
    """Scopes whose keys were destroyed, one a line, each on disk before its key is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, scopes: Mapping[str, datetime]) -> None:
        """Add scopes with the instants of their destruction. Raises StorageUnavailable."""
        lines = "".join(f"\n{one} {at.astimezone(UTC).isoformat()}" for one, at in scopes.items())
        try:
            self._append(lines.encode())
        except OSError as error:
            raise StorageUnavailable(f"The list cannot be written ({error.errno}).") from None

    def _append(self, lines: bytes) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE)
        try:
            os.write(file, lines)
            os.fsync(file)
        finally:
            os.close(file)

    def read(self) -> dict[str, datetime]:
        """Every scope with its first instant; a line that a crash cut short says nothing."""
        found: dict[str, datetime] = {}
        with suppress(FileNotFoundError):
            for line in self._path.read_text(encoding="utf-8").splitlines():
                scope, _, instant = line.partition(" ")
                with suppress(ValueError):
                    at = datetime.fromisoformat(instant)
                    if at.tzinfo is not None:
                        found.setdefault(scope, at)
        return found
