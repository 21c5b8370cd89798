"""The impact assessment of one organisation: what the code knows of it, and what is to be judged.

A template (GDPR 35.7 a to d): risks are described with what lowers them, and rated by people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from contracts.export import said
from contracts.gate import instrument_checks
from contracts.kernel.checks import Check
from contracts.kernel.fields import Payload
from contracts.registry import Registry
from services.chassis.registers.blocks import TO_FILL, Block, Bullets, Grid, Open, Paper, Part, Text
from services.chassis.registers.facts import (
    MEASURES,
    Activity,
    Holder,
    activities,
    instruments_of,
)
from services.chassis.registers.questions import DPIA, questions

_RIGHTS = (
    ("Information (13, 14)", "une notice par convention, donnée avant le premier message"),
    ("Accès (15)", "l'organisme extrait ce qu'il tient ; chaque envoi est dans le journal"),
    ("Rectification (16)", "à la source, au registre de l'organisme qui tient la personne"),
    (
        "Effacement (17, 19)",
        "par le délégué : clés et lignes détruites, partenaires prévenus, certificats",
    ),
    ("Opposition (21)", "elle suspend l'accord jusqu'à une réponse, dans le mois (12.3)"),
    ("Retrait de l'accord", "sans motif, aussitôt, chez chaque destinataire"),
)

_RISKS = (
    (
        "Accès illégitime à des données",
        "agent curieux, vol d'un poste, d'un serveur ou d'une sauvegarde, partenaire négligent",
        (
            "habilitation par dossier, chiffrement par dossier et par personne, journal relu, clés"
            " à part des données"
        ),
    ),
    (
        "Modification non voulue",
        "erreur de saisie, homonymie, intrusion",
        (
            "signature de chaque lettre, refus de tout champ imprévu, journal chaîné que les"
            " partenaires recoupent"
        ),
    ),
    (
        "Disparition",
        "panne, effacement par erreur, perte des clés",
        (
            "sauvegardes à part des données et des clés, lettres gardées jusqu'à l'accusé, "
            "conservation en cas de différend"
        ),
    ),
    (
        "Usage pour une autre fin",
        "croisement des conventions, fichier constitué en sous-main",
        (
            "finalité contrôlée à chaque message, dossiers séparés par convention, contenus"
            " sans fichier (C-5.1)"
        ),
    ),
    (
        "Stigmatisation d'un jeune",
        "motif d'une exclusion, statut d'aide sociale, difficulté devinée d'un nombre",
        "codes sans motif, aucun texte libre, petits nombres masqués",
    ),
)


def dpia(registry: Registry, holder: Holder) -> Paper:
    """Write the template for one organisation."""
    bound = instruments_of(registry, holder.kind)
    found = list(activities(registry, holder.kind))
    codes = frozenset(one.code for one in bound)
    return Paper(
        name="dpia",
        title="Analyse d'impact relative à la protection des données",
        source="RGPD 35.7",
        lead="Trame remplie de ce que le code sait. Elle est due pour l'accompagnement social"
        " (CNIL 2018-327) ; l'organisme la juge, la complète et la signe.",
        parts=[
            Part(
                title="a. Description des opérations et des finalités", blocks=_description(found)
            ),
            *(Part(title=_title(one), blocks=_flows(one), level=3) for one in found),
            Part(title="b. Nécessité et proportionnalité", blocks=_necessity()),
            *(Part(title=_title(one), blocks=_fields(one), level=3) for one in found),
            Part(title="b. Droits des personnes", blocks=[_grid_of_rights()]),
            Part(title="c. Risques pour les droits et libertés", blocks=_risks()),
            Part(title="d. Mesures prévues", blocks=_measures()),
            Part(title="Avis et décision", blocks=_decision(holder)),
            Part(
                title="Questions ouvertes",
                blocks=[Open(one.asks) for one in questions(DPIA, holder.kind, codes)],
            ),
        ],
    )


def _title(one: Activity) -> str:
    return f"{one.instrument.letter} — {one.title}"


def _description(found: list[Activity]) -> list[Block]:
    persons = list(dict.fromkeys(who for one in found for who in one.persons))
    return [
        Text(
            "Des organismes liés par une convention s'écrivent au sujet d'une personne, un message"
            " à la fois. Chacun garde ses données chez lui ; un point central achemine les lettres"
            " chiffrées et n'en garde aucune."
        ),
        Text(f"Personnes : {', '.join(persons)}. Beaucoup sont mineures ou vulnérables."),
        Open("Nombre de personnes par an, agents, postes et lieux : à compléter."),
    ]


def _flows(one: Activity) -> list[Block]:
    rows = [
        (
            flow.label,
            f"{flow.sender.label} → {flow.receiver.label}",
            flow.article,
            _checked(flow.checks),
        )
        for flow in one.flows
    ]
    always = _checked(instrument_checks(one.instrument, one.flows[0]))
    return [
        Text(f"Contrôles de chaque message, à l'envoi et à l'arrivée : {always}."),
        Grid(
            caption=f"Messages sous {_title(one)}, et ce que chacun demande de plus",
            head=("Message", "Sens", "Article", "Contrôles"),
            rows=rows,
            widths=(3, 3, 2, 6),
        ),
    ]


def _checked(asked: Iterable[Check]) -> str:
    found = (f"{said(one)} ({one.article})" for one in asked)
    return " ; ".join(dict.fromkeys(_CODE.sub(r"« \1 »", line) for line in found)) or "aucun"


_CODE: Final = re.compile("`([^`]*)`")
"""A code in the generated matrix; people read it between guillemets."""


def _necessity() -> list[Block]:
    return [
        Text(
            "L'accord d'une personne est une condition de la convention, jamais la base légale."
            " Tout champ qui n'est pas écrit ici est refusé, à l'envoi et à l'arrivée ; numéros"
            " nationaux, santé, motifs et textes libres n'ont pas de champ."
        ),
        Open("Dire pourquoi le même but ne peut être atteint avec moins de données."),
    ]


def _fields(one: Activity) -> list[Block]:
    rows = list(dict.fromkeys(row for flow in one.flows for row in _reasons(flow.payload)))
    caption = f"Chaque donnée sous {_title(one)}, et sa raison"
    kept = Bullets([f"Conservation : {said_}" for said_ in one.kept])
    return [
        Grid(caption=caption, head=("Donnée", "Raison", "Source"), rows=rows, widths=(4, 8, 2)),
        kept,
    ]


def _reasons(payload: type[Payload]) -> Iterator[tuple[str, str, str]]:
    for info in payload.model_fields.values():
        extra = info.json_schema_extra
        source = str(extra.get("source", "")) if isinstance(extra, dict) else ""
        yield str(info.title), str(info.description), source


def _grid_of_rights() -> Grid:
    return Grid(
        caption="Comment chaque droit s'exerce",
        head=("Droit (RGPD)", "Comment"),
        rows=_RIGHTS,
        widths=(3, 7),
    )


def _risks() -> list[Block]:
    return [
        Grid(
            caption="Risques, sources et ce qui les réduit",
            head=("Risque", "Sources", "Ce qui le réduit", "Gravité", "Vraisemblance"),
            rows=[(*one, TO_FILL, TO_FILL) for one in _RISKS],
            widths=(3, 4, 5, 2, 2),
        ),
        Open("Gravité et vraisemblance de chaque risque : à juger par l'organisme."),
    ]


def _measures() -> list[Block]:
    return [
        Bullets(MEASURES),
        Open("Mesures propres à l'organisme (locaux, postes, réseau, formation) : à compléter."),
    ]


def _decision(holder: Holder) -> list[Block]:
    return [
        Open(f"Avis du délégué à la protection des données ({holder.dpo}) : à compléter."),
        Open("Avis des personnes concernées ou de leurs représentants (35.9) : à compléter."),
        Open("Décision du responsable, date, et date de la prochaine revue : à compléter."),
    ]
