"""What tests ask of an answer: is it a problem, and whose signature does it bear."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx

from contracts.kernel.documents import public_key
from contracts.kernel.organisation import DirectoryEntry
from tests.federation.town import Town


def is_problem(answer: httpx.Response) -> dict[str, Any]:
    """Check the shape of RFC 9457, with our members; returns it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:relais:problem:{body['code']}"
    assert body["status"] == answer.status_code
    assert body["title"]
    assert re.search(r"[.!…]$", body["detail"]), body["detail"]
    assert all(re.fullmatch(r"[A-D]-\d+\.\d+", one) for one in body["articles"])
    return body


def key_of(town: Town, org: str) -> Callable[[str], Any]:
    """Find the public key that an organisation publishes in the directory."""
    return signing_key(town.entry(org))


def signing_key(entry: DirectoryEntry) -> Callable[[str], Any]:
    """The same, of an entry at hand."""
    key = public_key(entry.signing_key.x)
    return lambda _kid: key
