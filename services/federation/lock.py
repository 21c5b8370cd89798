"""One supervisor a state folder: two would fight over its ports and rows.

A POSIX lock: children do not inherit it, and the system lets go of it with the process.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contracts.kernel.errors import Unavailable

_WAIT_S: Final = 2.0
_POLL_S: Final = 0.02


@contextmanager
def alone(lock_file: Path) -> Iterator[None]:
    """Hold the lock of a state folder. Raises Unavailable when another process does."""
    with lock_file.open("a") as lock:
        deadline = time.monotonic() + _WAIT_S  # whoever asks `runs` holds it for an instant
        while not _try_lock(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise already_up(lock_file.parent)
            time.sleep(_POLL_S)
        yield


def runs(lock_file: Path) -> bool:
    """Whether a supervisor holds the lock; never to be asked by that supervisor itself."""
    if not lock_file.exists():
        return False
    with lock_file.open("r") as lock:
        return not _try_lock(lock.fileno(), fcntl.LOCK_SH)


def already_up(home: Path) -> Unavailable:
    """The refusal to start a second time."""
    return Unavailable(
        f"Une fédération tourne déjà dans {home} : « relais down » d'abord.", code="already_up"
    )


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
