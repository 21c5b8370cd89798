"""``relais``, or ``python -m services``: the command line."""

from __future__ import annotations

import sys

from services.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
