"""What the registrar hands out: signed documents, and nothing that has to be believed.

A signed text travels as one JWS with a signature per party (RFC 7515 §7.2.1). It is taken apart
here into one JWS per signature, so that a false signature added on the way spoils only itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from joserfc.util import urlsafe_b64decode

from contracts.kernel.canonical import digest
from contracts.kernel.documents import Document
from contracts.kernel.errors import InvalidDocument

# What JSON of a stranger's making can raise: wrong shape, wrong text, depth of nesting.
_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


class Bundle(Document):
    """Directory entries, rotation statements, signed texts and acts, each a signed string."""

    entries: tuple[str, ...] = ()
    rotations: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """Digest of the whole, whatever the order."""
        whole: dict[str, Any] = self.model_dump()
        return digest({name: sorted(documents) for name, documents in whole.items()})

    def then(self, other: Bundle) -> Bundle:
        """Both bundles, this one's documents first, each once."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Bundle(**{name: tuple(dict.fromkeys((*mine[name], *theirs[name]))) for name in mine})


class OneSignature(NamedTuple):
    """One party's signature of a text. org: as it says itself, not yet verified."""

    payload: str
    org: str
    token: str

    @property
    def content(self) -> bytes:
        """Unverified content. Raises InvalidDocument."""
        try:
            return urlsafe_b64decode(self.payload.encode())
        except _UNREADABLE:
            raise InvalidDocument("Le texte signé ne se lit pas.") from None


def split_terms(token: str) -> list[OneSignature]:
    """Take a text with several signatures apart; each part verifies alone (`read_terms`).

    Raises InvalidDocument when it is no such document, or bears no signature.
    """
    try:
        whole = json.loads(token)
        payload = str(whole["payload"])
        parts = [_part(payload, signature) for signature in whole["signatures"]]
    except _UNREADABLE:
        raise InvalidDocument("Le texte signé ne se lit pas.") from None
    if not parts:
        raise InvalidDocument("Ce texte n'est signé par personne.", code="unsigned")
    return parts


def _part(payload: str, signature: dict[str, str]) -> OneSignature:
    protected, value = signature["protected"], signature["signature"]
    org = str(json.loads(urlsafe_b64decode(protected.encode()))["org"])
    return OneSignature(payload, org, _whole(payload, [(protected, value)]))


def join_terms(parts: Iterable[OneSignature]) -> str:
    """Put signatures of one text together again; inverse of `split_terms`."""
    listed = sorted(parts, key=lambda part: part.org)
    signatures = [json.loads(part.token)["signatures"][0] for part in listed]
    return _whole(listed[0].payload, [(one["protected"], one["signature"]) for one in signatures])


def _whole(payload: str, signatures: list[tuple[str, str]]) -> str:
    listed = [{"protected": protected, "signature": value} for protected, value in signatures]
    return json.dumps({"payload": payload, "signatures": listed}, sort_keys=True)
