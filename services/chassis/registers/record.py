"""The record of processing activities of one organisation (GDPR 30.1)."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.kernel.instrument import Instrument, LegalDuty
from contracts.registry import Registry
from services.chassis.fates import Goes, fate_of
from services.chassis.registers.blocks import TO_FILL, Block, Bullets, Grid, Open, Paper, Part, Text
from services.chassis.registers.facts import (
    MEASURES,
    Activity,
    Holder,
    activities,
    instruments_of,
)
from services.chassis.registers.questions import RECORD, questions
from services.chassis.rules import LEFT
from services.chassis.table_fates import tables_of

_NOBODY = "personne d'autre"


def record(registry: Registry, holder: Holder) -> Paper:
    """Write it: who answers, each purpose with points a to g, what is kept and why."""
    bound = instruments_of(registry, holder.kind)
    return Paper(
        name="record",
        title="Registre des activités de traitement",
        source="RGPD 30.1",
        lead="Ce que cet organisme traite par Relais, écrit d'après les conventions et le code."
        " Ce qui dépend de l'organisme seul est marqué « à décider ».",
        parts=[
            Part(title="Responsable du traitement (30.1 a)", blocks=list(_controller(holder))),
            *(_activity(one, holder) for one in activities(registry, holder.kind)),
            Part(title="Mesures de sécurité (30.1 g)", blocks=_measures()),
            Part(title="Registre des personnes de l'organisme", blocks=list(_register())),
            Part(title="Ce qui reste après un effacement, et pourquoi", blocks=list(_kept(holder))),
            *_by_people(bound),
            Part(
                title="Questions ouvertes",
                blocks=[
                    Open(one.asks)
                    for one in questions(RECORD, holder.kind, frozenset(b.code for b in bound))
                ],
            ),
        ],
    )


def _controller(holder: Holder) -> Iterator[Block]:
    yield Grid(
        caption="Qui répond du traitement",
        head=("Rôle", "Nom et coordonnées"),
        rows=(
            ("Responsable du traitement", holder.name),
            ("Délégué à la protection des données", holder.dpo),
        ),
        widths=(4, 6),
    )
    yield Open("Représentant du responsable, adresse et téléphone : à compléter par l'organisme.")
    if holder.signed:
        yield Text("Conventions signées :")
        yield Bullets(holder.signed)


def _activity(one: Activity, holder: Holder) -> Part:
    rows = (
        ("a. Responsable", holder.name),
        ("b. Finalité", f"{one.title} ({one.source})"),
        ("b. Base légale", ", ".join(one.bases)),
        ("c. Personnes", ", ".join(one.persons)),
        ("c. Données", ", ".join(one.data)),
        ("d. Destinataires de ce qui part", " ; ".join(one.sent) or _NOBODY),
        ("d. Origine de ce qui arrive", " ; ".join(one.received) or _NOBODY),
        ("d. Dans l'organisme", "les seuls agents habilités qui suivent le dossier"),
        ("e. Transferts hors de l'Union", "aucun"),
        ("f. Durées, à l'arrivée", " ; ".join(one.kept)),
        ("g. Mesures de sécurité", "voir la partie « Mesures de sécurité »"),
    )
    caption = f"Points a à g sous {one.instrument.letter} : {one.title}"
    return Part(
        title=f"{one.instrument.letter} — {one.title}",
        blocks=[Grid(caption=caption, head=("Point", "Contenu"), rows=rows, widths=(3, 9))],
    )


def _measures() -> list[Block]:
    return [
        Bullets(MEASURES),
        Open("Mesures propres à l'organisme (locaux, postes, réseau, formation) : à compléter."),
    ]


def _register() -> Iterator[Block]:
    years = LEFT.days // 365
    yield Text(
        "Chaque organisme tient le registre de ses propres personnes, sous un numéro local qui ne"
        " circule jamais : état civil, date de naissance, un moyen de contact, représentants."
        f" Une personne partie, sans dossier en cours, y est gardée {years} ans (CNIL 2021-028)."
    )
    yield Text(
        "Les accords et refus, sans nom, et les preuves d'envoi, sans contenu, sont gardés trois"
        " ans (RGPD 5.2), le journal aussi ; sa chaîne reste ensuite, sans dossier ni agent."
    )


def _kept(holder: Holder) -> Iterator[Block]:
    fates = {table.name: fate_of(table) for table in tables_of(holder.kind.value)}
    gone = sum(one.goes in {Goes.CASE, Goes.PERSON} for one in fates.values())
    yield Text(
        f"Sur {len(fates)} tables, {gone} partent entièrement avec le dossier ou la personne. Des"
        " autres, rien ne nomme plus la personne ; voici ce qui reste, et jusqu'à quand."
    )
    until = {
        Goes.AGE: "à sa date",
        Goes.CONVENTION: "à la fin de la convention",
        Goes.NEVER: "sans limite",
    }
    yield Grid(
        caption="Ce qui reste après un effacement",
        head=("Table", "Pourquoi", "Détruit"),
        widths=(4, 7, 3),
        rows=[(name, one.why, until[one.goes]) for name, one in fates.items() if one.goes in until],
    )


def _by_people(bound: list[Instrument]) -> Iterator[Part]:
    for instrument in bound:
        asked = () if isinstance(instrument, LegalDuty) else instrument.obligations
        found = [one for one in asked if one.organisational]
        if found:
            grid = Grid(
                caption=f"Ce que la convention {instrument.letter} demande aux personnes",
                head=("Obligation", "Article", "Demande", "Comment, et depuis quand"),
                rows=[(one.id, one.article, one.asks, TO_FILL) for one in found],
                widths=(2, 2, 6, 4),
            )
            yield Part(
                title=f"{instrument.letter} — organisation",
                blocks=[grid, Open("Dire comment chacune est tenue, et depuis quand.")],
            )
