"""``python -m services.federation.probe URL``: does this part do its work? The exit code says so.

What a container's health check runs every few seconds: hence a socket and nothing else, since an
HTTP library would take longer to import than the answer takes.
"""

from __future__ import annotations

import socket
import sys
from typing import Final
from urllib.parse import urlsplit

_TIMEOUT_S: Final = 4.0


def holds(url: str) -> bool:
    """Whether a GET of that address answers 200."""
    parts = urlsplit(url)
    request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
    try:
        address = (parts.hostname or "", parts.port or 80)
        with socket.create_connection(address, timeout=_TIMEOUT_S) as connection:
            connection.sendall(request.encode("ascii"))
            with connection.makefile("rb") as answer:
                return answer.readline().split()[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if holds(sys.argv[1]) else 1)
