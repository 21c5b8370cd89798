"""Canonical JSON (RFC 8785) and the SHA-256 of it: what gets signed, chained or compared."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """Serialise a JSON value so that equal values give equal bytes (RFC 8785)."""
    return rfc8785.dumps(value)


def digest(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    """Hexadecimal SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()
