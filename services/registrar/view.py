"""What the published documents amount to, verified against the first key of each organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.broker.activations import Activation, read_activation
from contracts.broker.claims import Account
from contracts.broker.subjects import parse_subject
from contracts.kernel.documents import kid_of, public_key, unverified_content
from contracts.kernel.keyring import Keyring, build_keyring
from contracts.kernel.organisation import DirectoryEntry, RotationStatement
from contracts.kernel.signed import SignedConvention
from services.chassis.bundle import Bundle
from services.chassis.settings import Admitted
from services.chassis.verified import Reader
from services.registrar.store import Documents, Kind, Name

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class View:
    """A verified snapshot; immutable, replaced as a whole. Made by `read`.

    bundle: what nodes are handed. keyring: of every key, those whose entry is still to come
    included. entries: present one of each admitted organisation. activations: by subject.
    revision: of the bundle; activations are not part of it.
    """

    bundle: Bundle
    revision: str
    keyring: Keyring
    entries: Mapping[str, DirectoryEntry]
    conventions: Mapping[str, SignedConvention]
    activations: Mapping[str, Activation]
    act_instants: tuple[datetime, ...] = field(repr=False)

    @classmethod
    def read(cls, held: Documents, admitted: Mapping[str, Admitted], reader: Reader) -> View:
        """Verify everything that is held. reader: remembers what it verified before."""
        tokens, statements = _bodies(held, Kind.ENTRY), _bodies(held, Kind.ROTATION)
        keyring = build_keyring(pins(held), tokens, statements)
        reading = reader.read(_bodies(held, Kind.TERMS), _bodies(held, Kind.ACT), keyring.find)
        bundle = Bundle(
            entries=tokens,
            rotations=_complete(held),
            terms=_bodies(held, Kind.TERMS),
            acts=_bodies(held, Kind.ACT),
        )
        present = {**_latest(tokens), **keyring.entries}
        found = {name.of: read_activation(body) for name, body in _of(held, Kind.ACTIVATION)}
        return cls(
            bundle=bundle,
            revision=bundle.revision,
            keyring=keyring,
            entries={o: e for o, e in present.items() if is_admitted(e, admitted)},
            conventions=reading.conventions,
            activations=found,
            act_instants=tuple(a.at for c in reading.conventions.values() for a in c.acts),
        )

    def accounts(self) -> list[Account]:
        """Accounts of the admitted organisations, as the hub shall hold them.

        In each export, whatever was issued before the present activation is void: an older claim
        of the sender, pushed again by hand, then opens nothing.
        """
        void: dict[str, dict[str, datetime]] = {entry.code: {} for entry in self.entries.values()}
        for subject, one in self.activations.items():
            receiver = parse_subject(subject).receiver
            if receiver in void:
                void[receiver][subject] = one.issued_at - _SECOND
        return [
            Account(
                entry.code,
                entry.broker.account,
                (entry.broker.signing,),
                revoked_activations=void[entry.code],
            )
            for entry in self.entries.values()
        ]


def is_admitted(entry: DirectoryEntry, admitted: Mapping[str, Admitted]) -> bool:
    """Whether the organisation is listed, under that kind and that code."""
    one = admitted.get(entry.org)
    return one is not None and (one.kind, one.code) == (entry.kind, entry.code)


def _complete(held: Documents) -> tuple[str, ...]:
    """Rotations to hand out: those that lead to a key whose entry has come.

    Between a rotation and the new entry an organisation has no entry: its letters would be those
    of a stranger, and its account would be cut. So a rotation waits here for its entry.
    """
    kids = set(held.get(Kind.ENTRY, {}))
    waiting: dict[str, list[str]] = {}
    complete: list[str] = []
    for name, token in _of(held, Kind.ROTATION):
        successor = RotationStatement.parse(unverified_content(token)).successor
        waiting.setdefault(name.of, []).append(token)
        if Name(name.of, kid_of(public_key(successor.x))) in kids:
            complete += waiting.pop(name.of)
    return tuple(complete)


def _latest(tokens: Iterable[str]) -> dict[str, DirectoryEntry]:
    """Highest entry of each organisation, whichever key signed it; all were verified once."""
    read = [DirectoryEntry.parse(unverified_content(token)) for token in tokens]
    return {entry.org: entry for entry in sorted(read, key=lambda entry: entry.sequence)}


def pins(held: Documents) -> dict[str, list[str]]:
    """First key of each organisation, by its thumbprint."""
    return {name.of: [kid] for name, kid in _of(held, Kind.PIN)}


def _of(held: Documents, kind: Kind) -> Iterable[tuple[Name, str]]:
    return held.get(kind, {}).items()


def _bodies(held: Documents, kind: Kind) -> tuple[str, ...]:
    return tuple(held.get(kind, {}).values())
