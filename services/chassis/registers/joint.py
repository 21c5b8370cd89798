"""The note on who answers for what between the parties (GDPR 26)."""

from __future__ import annotations

from contracts.kernel.instrument import Convention, Instrument
from contracts.registry import Registry
from services.chassis.registers.blocks import Block, Grid, Open, Paper, Part, Text
from services.chassis.registers.facts import Holder, instruments_of
from services.chassis.registers.questions import JOINT, questions

_SHARES = (
    ("Informer les personnes (13, 14)", "celui qui recueille l'accord, avant le premier message"),
    ("Recueillir et retirer l'accord", "le même ; il prévient aussitôt chaque destinataire"),
    (
        "Répondre aux demandes (15 à 21)",
        "celui à qui la personne s'adresse ; il saisit l'autre, qui répond pour ce qu'il tient",
    ),
    ("Exactitude (5.1 d)", "l'émetteur, pour ce qu'il envoie"),
    ("Durée et destruction (5.1 e)", "le destinataire, qui calcule la date et certifie"),
    ("Sécurité (32)", "chacun chez soi ; la lettre est chiffrée de l'un à l'autre"),
    (
        "Violation de données (33, 34)",
        "celui chez qui elle a lieu ; il prévient l'autre sans délai",
    ),
    ("Preuve (5.2)", "chacun tient son journal, et les accusés signés de l'autre"),
)


def joint(registry: Registry, holder: Holder) -> Paper:
    """Write the note for an organisation, convention by convention."""
    bound = [one for one in instruments_of(registry, holder.kind) if isinstance(one, Convention)]
    every: list[Instrument] = list(instruments_of(registry, holder.kind))
    codes = frozenset(one.code for one in every)
    return Paper(
        name="joint-control",
        title="Qui répond de quoi entre les parties",
        source="RGPD 26",
        lead="Ce que le fonctionnement répartit de lui-même. Il ne décide pas si les parties sont"
        " responsables conjointes : cela reste à trancher.",
        parts=[
            Part(
                title="Ce qui reste à trancher",
                blocks=[Open(one.asks) for one in questions(JOINT, holder.kind, codes)],
            ),
            *(Part(title=f"{one.letter} — {one.title}", blocks=_shares(one)) for one in bound),
            Part(
                title="Point de contact des personnes",
                blocks=[
                    Text(f"Délégué à la protection des données : {holder.dpo}."),
                    Open("Point de contact commun, s'il en faut un (26.1) : à décider."),
                ],
            ),
        ],
    )


def _shares(one: Convention) -> list[Block]:
    parties = ", ".join(kind.label for kind in one.parties)
    return [
        Text(f"Parties : {parties} ({one.parties_article})."),
        Grid(
            caption=f"Répartition sous la convention {one.letter}",
            head=("Obligation (RGPD)", "Qui en répond"),
            rows=_SHARES,
            widths=(4, 6),
        ),
    ]
