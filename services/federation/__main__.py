"""``python -m services.federation HOME [--tied]``: the supervisor as a process of its own.

--tied: stop when standard input ends, that is when whoever started it does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from contracts.kernel.errors import RelaisError
from services.chassis.nats_server import find_binary
from services.federation.config import CONVENTIONS
from services.federation.layout import Layout
from services.federation.lock import alone
from services.federation.programs import programs, warm
from services.federation.supervisor import Supervisor


def supervise(home: Path, *, tied: bool = False) -> None:
    """Run the federation of a state folder until told to stop. Raises RelaisError."""
    layout = Layout.load(home)
    binary = find_binary(os.environ)
    for name in [name for name in os.environ if name.startswith("RELAIS_")]:
        if name != CONVENTIONS:
            del os.environ[name]  # it would override the settings of every node alike
    with alone(layout.lock_file):
        warm(layout)
        listed = programs(layout, binary)
        Supervisor(listed, layout.status_file, sys.stdin.fileno() if tied else None).run()


def main(arguments: list[str]) -> int:
    """Supervise; returns the exit code."""
    try:
        supervise(Path(arguments[0]), tied="--tied" in arguments[1:])
    except RelaisError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
