"""Whose key is whose: keys pinned by signed conventions, followed through rotation statements.

An organisation's key counts because a convention that our own organisation signed carries its
fingerprint; a later key counts because the former one named it. The directory only transports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc.jwk import OKPKey

from contracts.kernel.documents import (
    header_of,
    kid_of,
    public_key,
    unverified_content,
    verify,
    x_of,
)
from contracts.kernel.errors import InvalidDocument, UnknownKey
from contracts.kernel.organisation import DirectoryEntry, RotationStatement, SigningKey

OVERLAP = timedelta(days=31)
"""A retired key still verifies letters that were under way: the longest life of a letter."""

ENTRY = "directory-entry"
ROTATION = "rotation"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A signing key, and the instant at which its successor replaced it."""

    key: OKPKey
    retired_at: datetime | None = None


class Keyring:
    """Verified entries and keys of the organisations a node deals with.

    keys: by (organisation, thumbprint). entries: the highest verified entry of each organisation.
    """

    def __init__(
        self,
        keys: Mapping[tuple[str, str], KnownKey],
        entries: Mapping[str, DirectoryEntry],
    ) -> None:
        self._keys = keys
        self.entries = entries

    def find(self, org: str, kid: str, at: datetime | None = None) -> OKPKey:
        """Public key of an organisation; raises UnknownKey when unknown or retired at `at`."""
        known = self._keys.get((org, kid))
        if known is None:
            raise UnknownKey(f"No convention pins this key of {org}.")
        if at is not None and known.retired_at is not None and at >= known.retired_at + OVERLAP:
            raise UnknownKey(f"This key of {org} is retired.")
        return known.key

    def entry(self, org: str) -> DirectoryEntry | None:
        """What the organisation says of itself, or None when nothing verified is known."""
        return self.entries.get(org)


def read_entry(token: str) -> DirectoryEntry:
    """Verify that an entry is signed by the key it names; raises InvalidDocument.

    This proves that it is whole, not whose it is: the keyring decides that.
    """
    claimed = DirectoryEntry.parse(unverified_content(token))
    key = public_key(claimed.signing_key.x)
    return DirectoryEntry.parse(verify(token, lambda _kid: key, typ=ENTRY))


def build_keyring(
    pinned: Mapping[str, Iterable[str]],
    entries: Iterable[str],
    rotations: Iterable[str],
) -> Keyring:
    """Follow each organisation from its pinned fingerprints to its present key.

    pinned: thumbprints by organisation, from conventions and from one's own organisation.
    entries, rotations: signed documents from the directory; what does not verify is left out,
    since a directory that tells lies must not stop those who tell the truth.
    """
    read = [entry for token in entries if (entry := _try_entry(token)) is not None]
    keys = _pinned_keys(pinned, read)
    pending = list(rotations)
    while pending:
        left = [token for token in pending if not _follow(token, keys)]
        if len(left) == len(pending):
            break
        pending = left
    highest: dict[str, DirectoryEntry] = {}
    for entry in read:
        kid = kid_of(public_key(entry.signing_key.x))
        known = keys.get((entry.org, kid))
        if known is None or known.retired_at is not None:
            continue
        if entry.org not in highest or highest[entry.org].sequence < entry.sequence:
            highest[entry.org] = entry
    return Keyring(keys, highest)


def _try_entry(token: str) -> DirectoryEntry | None:
    try:
        return read_entry(token)
    except InvalidDocument:
        return None


def _pinned_keys(
    pinned: Mapping[str, Iterable[str]], entries: Iterable[DirectoryEntry]
) -> dict[tuple[str, str], KnownKey]:
    wanted = {(org, kid) for org, kids in pinned.items() for kid in kids}
    keys: dict[tuple[str, str], KnownKey] = {}
    for entry in entries:
        key = public_key(entry.signing_key.x)
        name = (entry.org, kid_of(key))
        if name in wanted:
            keys[name] = KnownKey(key)
    return keys


def _follow(token: str, keys: dict[tuple[str, str], KnownKey]) -> bool:
    """Apply a rotation whose signer is known; False while it is not (yet)."""
    try:
        kid = str(header_of(token).get("kid", ""))
        signer = next((name for name in keys if name[1] == kid), None)
        if signer is None or keys[signer].retired_at is not None:
            return False  # a retired key names no second successor: it may be stolen by now
        statement = RotationStatement.parse(verify(token, lambda _: keys[signer].key, typ=ROTATION))
    except InvalidDocument:
        return False
    if statement.org != signer[0]:
        return False
    successor = public_key(statement.successor.x)
    keys[signer] = KnownKey(keys[signer].key, statement.at)
    keys.setdefault((statement.org, kid_of(successor)), KnownKey(successor))
    return True


def signing_key(key: OKPKey) -> SigningKey:
    """Public half of a key pair as it appears in a directory entry."""
    return SigningKey(x=x_of(key))
