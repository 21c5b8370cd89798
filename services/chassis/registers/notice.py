"""What persons are told before anything is sent about them (GDPR 13, 14), by instrument."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.kernel.instrument import Instrument, LegalBasis, LegalDuty
from contracts.registry import Registry
from services.chassis.registers.blocks import Block, Bullets, Open, Paper, Part, Text
from services.chassis.registers.facts import Activity, Holder, activities
from services.chassis.registers.questions import NOTICE, questions


def notices(registry: Registry, holder: Holder) -> Iterator[Paper]:
    """One for each instrument under which the organisation handles personal data."""
    found = list(activities(registry, holder.kind))
    for code in dict.fromkeys(one.instrument.code for one in found):
        mine = [one for one in found if one.instrument.code == code]
        yield _notice(mine, holder)


def _notice(mine: list[Activity], holder: Holder) -> Paper:
    instrument = mine[0].instrument
    open_ = [
        Open(one.asks) for one in questions(NOTICE, holder.kind, frozenset((instrument.code,)))
    ]
    return Paper(
        name=f"notice-{instrument.code.replace('_', '-')}",
        title=f"Vos données : {instrument.title}",
        source="RGPD 13 et 14",
        lead="À remettre à la personne, et à son représentant si elle est mineure, avant le premier"
        " message.",
        parts=[
            Part(title="Qui utilise vos données", blocks=_who(holder)),
            Part(title="Pourquoi, et de quel droit", blocks=_why(mine)),
            Part(title="Quelles données", blocks=[Bullets([t for one in mine for t in one.data])]),
            Part(title="D'où elles viennent", blocks=_from(mine)),
            Part(title="Qui les reçoit", blocks=_to(mine)),
            Part(title="Combien de temps", blocks=_long(mine)),
            Part(title="Vos droits", blocks=_rights(instrument, holder)),
            *(
                [Part(title="À trancher avant de remettre cette notice", blocks=open_)]
                if open_
                else []
            ),
        ],
    )


def _who(holder: Holder) -> list[Block]:
    return [
        Text(f"Responsable de ce traitement : {holder.name}."),
        Text(f"Le délégué à la protection des données répond à vos questions : {holder.dpo}."),
        Open("Adresse postale et téléphone de l'organisme : à compléter."),
    ]


def _why(mine: list[Activity]) -> list[Block]:
    said = [f"{one.title} : {', '.join(one.bases)}. Source : {one.source}." for one in mine]
    agreed = Text(
        "Une convention peut demander aussi votre accord, ou celui de votre représentant. Le"
        " refuser ou le retirer ne vous prive d'aucun droit ; il n'y a pas de motif à donner."
    )
    return [Bullets(said), *([agreed] if not _only_law(mine) else [])]


def _only_law(mine: list[Activity]) -> bool:
    bases = {flow.legal_basis for one in mine for flow in one.flows}
    return bases == {LegalBasis.LEGAL_OBLIGATION}


def _from(mine: list[Activity]) -> list[Block]:
    received = [line for one in mine for line in one.received]
    yours: list[Block] = [Text("De vous, ou de votre représentant, au moment de l'entretien.")]
    theirs: list[Block] = [Text("D'un partenaire, qui les tient de vous :"), Bullets(received)]
    asks = any(one.sent for one in mine)
    return [*(yours if asks else []), *(theirs if received else [])]


def _to(mine: list[Activity]) -> list[Block]:
    sent = [line for one in mine for line in one.sent]
    inside = Text(
        "Les seuls agents habilités qui vous suivent. Rien n'est transmis hors de l'Union"
        " européenne, et aucune décision n'est prise par une machine seule."
    )
    outside: list[Block] = [Text("Et un partenaire, selon le cas :"), Bullets(sent)]
    return [inside, *(outside if sent else [])]


def _long(mine: list[Activity]) -> list[Block]:
    return [
        Bullets(list(dict.fromkeys(line for one in mine for line in one.kept))),
        Text("Ensuite, vos données sont détruites, et la preuve gardée ne vous nomme pas."),
    ]


def _rights(instrument: Instrument, holder: Holder) -> list[Block]:
    rights = [
        "voir ce qui est écrit sur vous, et savoir qui l'a reçu ;",
        "faire corriger ce qui est faux ;",
        "demander l'effacement, ou la limitation ;",
    ]
    if isinstance(instrument, LegalDuty):
        rights.append("la loi impose cette transmission : il n'y a pas de droit d'opposition.")
    else:
        rights.append("vous opposer, et retirer à tout moment un accord donné.")
    return [
        Text(f"Vous pouvez, en écrivant au délégué ({holder.dpo}) :"),
        Bullets(rights),
        Text(
            "Réponse dans le mois. Si elle ne vous convient pas : CNIL, 3 place de Fontenoy,"
            " 75007 Paris, www.cnil.fr."
        ),
    ]
