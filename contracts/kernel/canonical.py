"""Canonical JSON (RFC 8785) and the SHA-256 of it: what gets signed, chained or compared."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson


def canonical(value: Any) -> bytes:  # noqa: ANN401 -- a plain JSON value
    """Serialise a plain value so that equal values give equal bytes (RFC 8785).

    Plain: text, integers below 2^53, booleans, None, lists, and objects whose keys are ASCII. No
    floats and no other keys, on which orjson and the RFC may differ; a property test holds orjson
    to the RFC's own implementation on everything else.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:  # noqa: ANN401 -- a plain JSON value
    """Hexadecimal SHA-256 of the canonical form of a plain value."""
    return hashlib.sha256(canonical(value)).hexdigest()
