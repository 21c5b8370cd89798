"""What the code knows of an organisation's processing: who, why, what, to whom, for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from contracts.export import BASES, data_titles, instruments, is_personal, persons_of
from contracts.kernel.instrument import Convention, Flow, Instrument
from contracts.kernel.organisation import Kind
from contracts.registry import Registry
from services.chassis.registers.blocks import TO_FILL
from services.chassis.words import kept

MEASURES = (
    (
        "chaque message est signé par l'émetteur et chiffré jusqu'au destinataire ; ce qui"
        " l'achemine ne le lit ni ne le garde"
    ),
    "rien ne part ni n'est reçu sans les contrôles de la convention, faits deux fois",
    "chaque agent est habilité pour un rôle, accepte la charte (A-5.2) et ne voit que ses dossiers",
    (
        "identités et contenus sont chiffrés au repos, une clé par dossier et par personne ; "
        "effacer détruit la clé, les lignes, et donne un certificat"
    ),
    "chaque décision est écrite dans un journal chaîné, que les partenaires peuvent vérifier",
    "les journaux techniques, traces et adresses ne portent aucune donnée personnelle",
    (
        "les clés sont sauvegardées à part des données ; ce qui fut effacé ne revient pas d'une"
        " sauvegarde"
    ),
)
"""GDPR 30.1.g, 32: what the product does; what the organisation does besides is its own to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose registers they are. name, dpo: as the organisation says them; else to fill in.

    signed: what it signed, one sentence each, where its node knows.
    """

    kind: Kind
    name: str = TO_FILL
    dpo: str = TO_FILL
    signed: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One purpose of one instrument, as an organisation takes part in it."""

    registry: Registry
    instrument: Instrument
    purpose: str
    kind: Kind
    flows: Sequence[Flow]

    @property
    def title(self) -> str:
        """The purpose in words."""
        return self.registry.word(self.instrument.code, self.purpose)

    @property
    def source(self) -> str:
        """What it rests on, with the article that sets the purpose."""
        if isinstance(self.instrument, Convention):
            article = self.instrument.purposes[self.purpose]
            return f"convention {self.instrument.letter}, {self.instrument.title} ({article})"
        return f"{self.instrument.title} ({self.instrument.article})"

    @property
    def bases(self) -> list[str]:
        """Legal bases."""
        return sorted({BASES[one.legal_basis] for one in self.flows})

    @property
    def persons(self) -> list[str]:
        """Categories of persons (GDPR 30.1.c)."""
        return list(dict.fromkeys(who for one in self.flows for who in persons_of(one)))

    @property
    def data(self) -> list[str]:
        """Categories of data (GDPR 30.1.c), by their titles on forms."""
        return list(dict.fromkeys(t for one in self.flows for t in data_titles(one.payload)))

    @property
    def sent(self) -> list[str]:
        """To whom what is told (GDPR 30.1.d)."""
        return [
            f"{one.receiver.label} : {one.label} ({one.article})"
            for one in self.flows
            if one.sender is self.kind
        ]

    @property
    def received(self) -> list[str]:
        """From whom what comes (GDPR 14.2.f)."""
        return [
            f"{one.sender.label} : {one.label} ({one.article})"
            for one in self.flows
            if one.receiver is self.kind
        ]

    @property
    def kept(self) -> list[str]:
        """For how long, on which article (GDPR 30.1.f)."""
        times = (one.retention for one in self.flows)
        said = (
            f"{kept(self.registry, self.instrument.code, one)} ({one.article})" for one in times
        )
        return list(dict.fromkeys(said))


def activities(registry: Registry, kind: Kind) -> Iterator[Activity]:
    """What a kind of organisation does with personal data, by instrument and purpose."""
    for instrument in instruments(registry):
        mine = [
            one
            for one in instrument.flows
            if is_personal(one) and kind in {one.sender, one.receiver}
        ]
        for purpose in sorted({one.purpose for one in mine}):
            flows = [one for one in mine if one.purpose == purpose]
            yield Activity(
                registry=registry, instrument=instrument, purpose=purpose, kind=kind, flows=flows
            )


def instruments_of(registry: Registry, kind: Kind) -> list[Instrument]:
    """Conventions and duties that bind a kind of organisation."""
    found = []
    for one in instruments(registry):
        parties = one.parties if isinstance(one, Convention) else (one.sender, one.receiver)
        if kind in parties:
            found.append(one)
    return found
