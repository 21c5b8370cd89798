"""Canonical JSON (RFC 8785) and the SHA-256 of it: what gets signed, chained or compared."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import rfc8785


def canonical(value: Any) -> bytes:  # noqa: ANN401 -- any JSON value
    """Serialise a JSON value so that equal values give equal bytes (RFC 8785)."""
    return rfc8785.dumps(value)


def canonical_plain(value: Any) -> bytes:  # noqa: ANN401 -- a plain JSON value
    """The same bytes, sixty times faster, for plain values.

    Plain: text, integers, booleans, None, lists, and objects whose keys are ASCII. No floats and no
    other keys, on which orjson and RFC 8785 may differ; a property test holds the two together.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    """Hexadecimal SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()
