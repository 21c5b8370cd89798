"""Child processes by fork: one process imports everything once, and each child starts from there.

Eight Python processes that each import a web framework, a broker's client and a cryptographic
library cost some fifteen seconds on two cores; a fork costs milliseconds. It is only sound from a
process of one thread, hence a supervisor that has no other and no event loop.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.kernel.errors import RelaisError

_PR_SET_PDEATHSIG: Final = 1
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name, the loopback port that shows it is up, and what it runs.

    stage: programs of a stage start together, once those of the former one are up. errors: file of
    its standard output and error.
    """

    name: str
    port: int
    stage: int
    run: Callable[[], None]
    errors: Path


def spawn(run: Callable[[], None], errors: Path, inherited: tuple[int, ...] = ()) -> int:
    """Run a function in a child process of its own session; returns its process id.

    errors: file that takes its standard output and error. inherited: descriptors of the parent
    that the child must not keep. The child is killed if the parent dies (Linux), so that nothing
    is ever left behind; what it does is safe against that at any instant.
    """
    if threading.active_count() > 1:
        raise RuntimeError("only a process of one thread can be copied soundly")
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _detach(parent, errors, inherited)
        run()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except RelaisError as error:
        os.write(2, f"{error.sentence}\n".encode())
    except BaseException:  # noqa: BLE001 -- a child never returns into the supervisor's code
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _detach(parent: int, errors: Path, inherited: tuple[int, ...]) -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    _die_with(parent)
    for descriptor in inherited:
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(source, target)
    for descriptor in {nothing, said} - {0, 1, 2}:
        os.close(descriptor)


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends; kept across exec."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def exit_of(status: int) -> int:
    """How a child ended: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(status)
