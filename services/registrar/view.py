"""What the published documents amount to, verified against the first key of each organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from contracts.broker.activations import Activation, read_activation
from contracts.broker.claims import Account
from contracts.broker.subjects import parse_subject
from contracts.kernel.keyring import Keyring, build_keyring
from contracts.kernel.organisation import DirectoryEntry
from contracts.kernel.signed import SignedConvention
from services.chassis.bundle import Bundle
from services.chassis.settings import Admitted
from services.chassis.verified import Reader
from services.registrar.store import Documents, Kind, Name

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class View:
    """A verified snapshot; immutable, replaced as a whole. Made by `read`.

    bundle: what nodes are handed. entries: of admitted organisations only. activations: by
    subject. revision: of the bundle; activations are not part of it.
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
        bundle = Bundle(
            entries=_bodies(held, Kind.ENTRY),
            rotations=_bodies(held, Kind.ROTATION),
            terms=_bodies(held, Kind.TERMS),
            acts=_bodies(held, Kind.ACT),
        )
        keyring = build_keyring(pins(held), bundle.entries, bundle.rotations)
        reading = reader.read(bundle.terms, bundle.acts, keyring.find)
        found = {name.of: read_activation(body) for name, body in _of(held, Kind.ACTIVATION)}
        return cls(
            bundle=bundle,
            revision=bundle.revision,
            keyring=keyring,
            entries={o: e for o, e in keyring.entries.items() if is_admitted(e, admitted)},
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


def pins(held: Documents) -> dict[str, list[str]]:
    """First key of each organisation, by its thumbprint."""
    return {name.of: [kid] for name, kid in _of(held, Kind.PIN)}


def _of(held: Documents, kind: Kind) -> Iterable[tuple[Name, str]]:
    return held.get(kind, {}).items()


def _bodies(held: Documents, kind: Kind) -> tuple[str, ...]:
    return tuple(held.get(kind, {}).values())
