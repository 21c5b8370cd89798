"""The verified directory of one organisation: whose key is whose, and what it has signed.

The registrar only transports. Everything is verified here, against the keys pinned by the texts
that our own key signed, and what was once verified is kept: whoever withholds a document that we
know of, a suspension above all, changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from joserfc.jwk import OKPKey

from contracts.kernel.documents import header_of, kid_of, public_key, unverified_content, verify
from contracts.kernel.errors import InvalidDocument, Unavailable, UnknownKey
from contracts.kernel.keyring import ROTATION, Keyring, build_keyring, read_entry
from contracts.kernel.organisation import DirectoryEntry, RotationStatement
from contracts.kernel.signed import SignedConvention
from contracts.kernel.terms import read_terms
from contracts.registry import Registry
from services.chassis.bundle import Bundle, OneSignature, split_terms
from services.chassis.tls import write_private
from services.chassis.verified import Find, Reader

OwnKeys = Mapping[str, OKPKey]
"""Our own public signing keys by thumbprint, retired ones included (`NodeKeys.public_keys`)."""

MAX_BYTES: Final = 64 * 1024**2
"""A bundle above this is not read: a registrar must not be able to fill a node's memory."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What one organisation holds for true; immutable, replaced as a whole. Made by `verified`.

    conventions: those that bind us, by id, whatever their state. kept: the documents all of it
    rests on. rejected: how many documents were left out, by code. revision: changes when what is
    kept does.
    """

    org: str
    conventions: Mapping[str, SignedConvention]
    kept: Bundle
    rejected: Mapping[str, int]
    revision: str
    _keyring: Keyring
    _own: OwnKeys
    _codes: Mapping[str, DirectoryEntry] = field(default_factory=dict)

    @classmethod
    def verified(
        cls,
        bundle: Bundle,
        org: str,
        own: OwnKeys,
        registry: Registry,
        reader: Reader | None = None,
    ) -> Directory:
        """Keep of a bundle what holds for this organisation; of contradictions, the first.

        reader: one used before for the same organisation, to verify each signature once.
        Never raises for what others wrote.
        """
        rejected: Counter[str] = Counter()
        pinned = {org: set(own)}
        for party, kids in _pinned(bundle.terms, org, own).items():
            pinned.setdefault(party, set()).update(kids)
        keyring = build_keyring(pinned, bundle.entries, bundle.rotations)
        find = _finder(keyring, org, own)
        reading = (reader or Reader(registry, org)).read(bundle.terms, bundle.acts, find)
        entries = _entries(bundle.entries, pinned, find, rejected)
        followed = _followed(bundle.rotations, pinned, find, rejected)
        kept = Bundle(entries=entries, rotations=followed, terms=reading.terms, acts=reading.acts)
        return cls(
            org,
            reading.conventions,
            kept,
            dict(rejected + reading.rejected),
            kept.revision,
            keyring,
            own,
            _by_code(keyring.entries.values()),
        )

    @property
    def entries(self) -> Mapping[str, DirectoryEntry]:
        """Present entry of each organisation whose key we trust, by organisation."""
        return self._keyring.entries

    def entry(self, org: str) -> DirectoryEntry | None:
        """Present entry of an organisation, None when nothing verified is known."""
        return self._keyring.entry(org)

    def by_code(self, code: str) -> DirectoryEntry | None:
        """Entry of the organisation that bears a code in subjects; None when two claim it."""
        return self._codes.get(code)

    def between(self, one: str, other: str) -> tuple[SignedConvention, ...]:
        """Conventions that bind both organisations, by id."""
        return tuple(
            self.conventions[name]
            for name in sorted(self.conventions)
            if {one, other} <= self.conventions[name].orgs
        )

    def find_key(self, org: str, kid: str, at: datetime | None = None) -> OKPKey:
        """Public signing key of an organisation, good at an instant. Raises UnknownKey."""
        return _finder(self._keyring, self.org, self._own)(org, kid, at)


def _finder(keyring: Keyring, org: str, own: OwnKeys) -> Find:
    def find(wanted: str, kid: str, at: datetime | None) -> OKPKey:
        if wanted == org:
            return _own_key(own, kid)  # ours, whatever the registrar withholds or adds
        return keyring.find(wanted, kid, at)

    return find


def _pinned(terms: Iterable[str], org: str, own: OwnKeys) -> dict[str, set[str]]:
    """Fingerprints by organisation, from the annexes of texts that our own key signed."""
    found: dict[str, set[str]] = {}
    for token in terms:
        for part in _ours(token, org):
            try:
                signed = read_terms(part.token, lambda _org, kid: _own_key(own, kid))
            except InvalidDocument:
                continue
            for party in signed.terms.parties:
                found.setdefault(party.org, set()).add(party.signing_key)
    return found


def _ours(token: str, org: str) -> list[OneSignature]:
    try:
        return [part for part in split_terms(token) if part.org == org]
    except InvalidDocument:
        return []


def _own_key(own: OwnKeys, kid: str) -> OKPKey:
    if kid not in own:
        raise UnknownKey("Cette clé n'est pas la nôtre.")
    return own[kid]


def _followed(
    tokens: Iterable[str],
    pinned: Mapping[str, Iterable[str]],
    find: Find,
    rejected: Counter[str],
) -> tuple[str, ...]:
    """Statements that hold, the first of each signer: as `build_keyring` follows them."""
    first: dict[tuple[str, str], str] = {}
    for token in tokens:
        try:
            org = RotationStatement.parse(unverified_content(token)).org
            kid = str(header_of(token).get("kid", ""))
            if org not in pinned:
                continue  # a stranger, not a lie
            verify(token, partial(_named, find, org), typ=ROTATION)
        except InvalidDocument as error:
            rejected[error.code] += 1
            continue
        if first.setdefault((org, kid), token) != token:
            rejected["second_successor"] += 1
    return tuple(first.values())


def _named(find: Find, org: str, kid: str) -> OKPKey:
    return find(org, kid, None)


def _entries(
    tokens: Iterable[str],
    pinned: Mapping[str, Iterable[str]],
    find: Find,
    rejected: Counter[str],
) -> tuple[str, ...]:
    """Highest entry for each trusted key: later ones may rest on a former key's entry."""
    highest: dict[tuple[str, str], tuple[int, str]] = {}
    for token in tokens:
        try:
            entry = read_entry(token)
            kid = kid_of(public_key(entry.signing_key.x))
            if entry.org not in pinned:
                continue  # a stranger, not a lie
            find(entry.org, kid, None)
        except InvalidDocument as error:
            rejected[error.code] += 1
            continue
        name = (entry.org, kid)
        if name not in highest or highest[name][0] < entry.sequence:
            highest[name] = (entry.sequence, token)
    return tuple(token for _, token in highest.values())


def _by_code(entries: Iterable[DirectoryEntry]) -> dict[str, DirectoryEntry]:
    listed = list(entries)
    times = Counter(entry.code for entry in listed)
    return {entry.code: entry for entry in listed if times[entry.code] == 1}


class DirectoryKeeper:
    """Keeps the present directory, and follows the registrar.

    org: our own. own_keys: gives our public keys, called at each change since they rotate. cache:
    file of the documents kept, by which a node starts while the registrar is away.
    """

    def __init__(
        self, org: str, own_keys: Callable[[], OwnKeys], registry: Registry, cache: Path
    ) -> None:
        self._org = org
        self._own_keys = own_keys
        self._registry = registry
        self._cache = cache
        self._reader = Reader(registry, org)
        self._etag: str | None = None
        self._callbacks: list[Callable[[Directory], object]] = []
        self._current = self._build(_cached(cache))
        self._written = self._current.revision

    @property
    def current(self) -> Directory:
        """The directory as of the last change."""
        return self._current

    def on_change(self, callback: Callable[[Directory], object]) -> None:
        """Call it with each new directory, in the thread that absorbs it."""
        self._callbacks.append(callback)

    async def sync(self, client: httpx.AsyncClient) -> bool:
        """Ask the registrar for what is new; True when the directory changed.

        client: its base URL is the registrar's. Raises Unavailable when it does not answer as
        a registrar does; the present directory then stays.
        """
        headers = {"If-None-Match": self._etag} if self._etag else {}
        try:
            async with client.stream("GET", "/directory", headers=headers) as answer:
                if answer.status_code == httpx.codes.NOT_MODIFIED:
                    await answer.aread()  # nothing; left unread it would cost the connection
                    return False
                answer.raise_for_status()
                bundle = Bundle.parse(await _content(answer))
        except (httpx.HTTPError, InvalidDocument) as error:
            raise Unavailable(
                "Le registraire ne répond pas : l'annuaire connu reste en vigueur.",
                code="registrar_away",
            ) from error
        changed = self.absorb(bundle)
        self._etag = answer.headers.get("ETag")
        return changed

    def absorb(self, bundle: Bundle) -> bool:
        """Add documents to those kept; True when the directory changed.

        Nothing that was verified is ever dropped for what the bundle says or leaves out. An empty
        bundle verifies everything again, which our own new key asks for.
        """
        directory = self._build(self._current.kept.then(bundle))
        changed = directory.revision != self._current.revision
        # In force before it is written: a full disk must not keep a suspension from taking effect.
        self._current = directory
        if changed:
            for callback in self._callbacks:
                callback(directory)
        self._write()
        return changed

    def _write(self) -> None:
        if self._written != self._current.revision:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._cache, self._current.kept.model_dump_json())
            self._written = self._current.revision

    def _build(self, bundle: Bundle) -> Directory:
        own = self._own_keys()
        return Directory.verified(bundle, self._org, own, self._registry, self._reader)


async def _content(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MAX_BYTES:
            raise InvalidDocument("L'annuaire reçu est trop grand.")
    return bytes(content)


def _cached(cache: Path) -> Bundle:
    """Documents kept at the last change; a damaged file counts as none, since all come again."""
    try:
        return Bundle.parse(cache.read_bytes())
    except (FileNotFoundError, InvalidDocument):
        return Bundle()
