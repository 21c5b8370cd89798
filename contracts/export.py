"""Derives what people and integrators read from what was signed: schemas, matrix, register.

Pure and deterministic: a registry in, texts by path out. The committed files are this function's
result, and a test compares them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import singledispatch
from typing import Any, Final, get_args

from pydantic import BaseModel

from contracts.gate import instrument_checks
from contracts.kernel import checks
from contracts.kernel.checks import Check, Giver, Side
from contracts.kernel.control import CONTROL_TYPES
from contracts.kernel.derogation import DerogationRule, Ground
from contracts.kernel.fields import Payload, caller_model, node_fields
from contracts.kernel.instrument import (
    Cardinality,
    Convention,
    Flow,
    Instrument,
    LegalBasis,
    LegalDuty,
    NoticeEnds,
    Retention,
    Termination,
    Urgency,
)
from contracts.registry import Registry

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Final = "contracts/schemas"
MATRIX: Final = "docs/generated/matrix.md"
_AND: Final = " ; "
REGISTER: Final = "docs/generated/processing-register.md"


def export_all(registry: Registry) -> dict[str, str]:
    """Every derived text by its path from the root of the repository."""
    return {**_schemas(registry), MATRIX: _matrix(registry), REGISTER: _register(registry)}


# --- JSON Schema 2020-12


def _schemas(registry: Registry) -> dict[str, str]:
    found: dict[str, str] = {}
    for _, flow in registry.flows():
        name = f"{flow.type}.v{flow.version}"
        typed = caller_model(flow.payload)
        if f"{SCHEMAS}/{name}.json" in found:
            continue  # another convention has this version too, and may call it otherwise
        found[f"{SCHEMAS}/{name}.json"] = schema_text(flow.payload, name, flow.label)
        found[f"{SCHEMAS}/{name}.caller.json"] = schema_text(typed, f"{name}.caller", flow.label)
    for control in CONTROL_TYPES.values():
        name = f"{control.type}.v1"
        found[f"{SCHEMAS}/{name}.json"] = schema_text(control.payload, name, control.label)
    return found


def schema_text(payload: type[Payload], name: str, label: str) -> str:
    """JSON Schema of a content, as a file.

    name: type and version, for its ``$id``. label: what people call it, in French.
    """
    schema = {
        **payload.model_json_schema(),
        "$schema": DIALECT,
        "$id": f"urn:relais:schema:{name}",
        "title": label,
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


# --- who may tell whom what


BASES: Final = {
    LegalBasis.LEGAL_OBLIGATION: "obligation légale (RGPD 6.1.c)",
    LegalBasis.PUBLIC_TASK: "mission d'intérêt public (RGPD 6.1.e)",
    LegalBasis.NO_PERSONAL_DATA: "aucune donnée personnelle",
}
"""Legal bases, in words."""

_GIVERS: Final = {
    Giver.REPRESENTATIVE: "représentant légal",
    Giver.YOUNG_PERSON: "jeune",
    Giver.BOTH: "représentant légal et jeune",
}

_SIDES: Final = {
    Side.SENDER: " (à l'émission seule)",
    Side.RECEIVER: " (à la réception seule)",
    Side.BOTH: "",
}

_GENERATED: Final = (
    "Écrit d'après les conventions par `relais compile` ; ne pas modifier à la main."
)


def _matrix(registry: Registry) -> str:
    lines = ["# Qui peut dire quoi à qui", "", _GENERATED, "", _MATRIX_NOTE]
    for instrument in instruments(registry):
        lines += ["", f"## {instrument.letter} — {instrument.title}", "", _heading(instrument)]
        for flow in instrument.flows:
            lines += ["", *_flow_lines(instrument, flow)]
    return "\n".join(lines) + "\n"


_MATRIX_NOTE: Final = (
    "Tout ce qui n'est pas écrit ici est refusé. Chaque contrôle est fait avant l'envoi et de "
    "nouveau à la réception, sauf mention contraire ; ce qui n'est pas connu refuse."
)


def instruments(registry: Registry) -> Iterator[Instrument]:
    """Conventions then legal duties, each in the order of their codes."""
    yield from (registry.conventions[code] for code in sorted(registry.conventions))
    yield from (registry.duties[code] for code in sorted(registry.duties))


GROUNDS: Final = {Ground.VITAL_INTERESTS: "intérêts vitaux (RGPD 6.1.d)"}
"""Grounds on which a message may pass without agreement, in words."""


def _derogation(rule: DerogationRule) -> str:
    return (
        f"{GROUNDS[rule.ground]}, décidé à deux, valable {rule.hours} heures pour un message ; la "
        f"famille en est informée, au plus tard {rule.sealed_days} jours après ({rule.article})"
    )


def _heading(instrument: Instrument) -> str:
    if isinstance(instrument, LegalDuty):
        end = "" if instrument.repealed_on is None else f", {_up_to(instrument.repealed_on)}"
        return f"Devoir légal ({instrument.article}), depuis le {instrument.starts_on}{end}."
    term = instrument.term
    length = f"{term.years} ans" if term.until is None else _up_to(term.until)
    return (
        f"Entre {' et '.join(kind.label for kind in instrument.parties)} "
        f"({instrument.parties_article}). Durée : {length} ({term.article}). "
        f"Préavis : {_notice(instrument.termination)} ({instrument.termination.article}). "
        f"Bilan : tous les {instrument.review_months} mois ({instrument.review_article}). "
        f"Destruction : {instrument.purge_months} mois après la fin ({instrument.purge_article})."
    )


def _notice(rule: Termination) -> str:
    yearly = " avant la date anniversaire" if rule.ends is NoticeEnds.YEARLY_DATE else ""
    return f"{rule.months} mois{yearly}"


def _up_to(first_day_after: date) -> str:
    """The last day of an interval that ends with the first day after it, as people say it."""
    return f"jusqu'au {first_day_after - timedelta(days=1)} inclus"


def _flow_lines(instrument: Instrument, flow: Flow) -> Iterator[str]:
    urgent = ", sans délai" if flow.urgency is Urgency.WITHOUT_DELAY else ""
    yield f"### `{flow.type}` : {flow.label}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| Sens | {flow.sender.label} → {flow.receiver.label}{urgent} |"
    yield f"| Article | {flow.article} |"
    yield f"| Finalité | `{flow.purpose}` |"
    yield f"| Base légale | {BASES[flow.legal_basis]} |"
    yield f"| Contrôles de l'instrument | {_checks(instrument_checks(instrument, flow))} |"
    yield f"| Contrôles du message | {_checks(flow.checks)} |"
    for rule in flow.derogations:
        yield f"| Sans accord | {_derogation(rule)} |"
    yield f"| Données | {_AND.join(data_titles(flow.payload))} |"
    yield f"| Conservation | {_kept(flow.retention)} |"
    yield f"| Lettre non lue | expire après {flow.lifetime_days} jours |"


def _checks(asked: Iterable[Check]) -> str:
    return _AND.join(f"{said(one)} ({one.article}){_SIDES[one.side]}" for one in asked) or "aucun"


def _kept(retention: Retention) -> str:
    if retention.transient:
        return f"aucune : affiché jusqu'à `{retention.event}`, jamais écrit ({retention.article})"
    lengths = {"mois": retention.months, "jours": retention.days, "heures": retention.hours}
    after = [f"{number} {unit} après" for unit, number in lengths.items() if number]
    return f"{(after or [_UNTIL])[0]} `{retention.event}` ({retention.article})"


_UNTIL: Final = "jusqu'à"


@singledispatch
def said(check: Check) -> str:
    """What a check asks, in French; a kind that only has a name says it."""
    return _PLAIN[type(check)]


_PLAIN: Final[dict[type[Check], str]] = {
    checks.Parties: "organismes liés",
    checks.Evidence: "preuve des signatures",
    checks.Term: "en vigueur",
    checks.NotTerminated: "préavis non écoulé",
    checks.NotSuspended: "non suspendue",
    checks.NewCaseAllowed: "aucun nouveau dossier pendant le préavis",
    checks.Version: "même version des deux côtés",
    checks.NoticeGiven: "information préalable",
}


@said.register
def _(check: checks.Purpose) -> str:
    return f"finalité `{check.purpose}`"


@said.register
def _(check: checks.Age) -> str:
    low = "" if check.at_least is None else f" à partir de {check.at_least} ans"
    high = "" if check.below is None else f" avant {check.below} ans"
    return f"âge{low}{high}"


@said.register
def _(check: checks.Agreement) -> str:
    minor, adult = _GIVERS[check.minor], _GIVERS[check.adult]
    each = f"par destinataire : {check.recipient_article}"
    return f"accord ({minor} avant 18 ans, {adult} ensuite ; {each})"


@said.register
def _(check: checks.Assent) -> str:
    return f"le jeune n'a pas dit non, question posée à partir de {check.asked_from} ans"


@said.register
def _(check: checks.Signatures) -> str:
    return f"signatures : {', '.join(check.roles)}"


@said.register
def _(check: checks.Limit) -> str:
    return f"`{check.name}` de {check.at_least} à {check.at_most}"


@said.register
def _(check: checks.Recorded) -> str:
    return f"`{check.name}` enregistré"


def data_titles(payload: type[Payload]) -> Iterator[str]:
    """French titles of all fields, those of an inner block in parentheses."""
    for info in payload.model_fields.values():
        inner = list(
            dict.fromkeys(t for block in blocks(info.annotation) for t in data_titles(block))
        )
        yield f"{info.title} ({', '.join(inner)})" if inner else str(info.title)


def blocks(annotation: Any) -> Iterator[type[Payload]]:  # noqa: ANN401 -- a type of any form
    """Blocks of fields in the type of a field, whatever wraps them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from (annotation,) if issubclass(annotation, Payload) else ()
        return
    for part in get_args(annotation):
        yield from blocks(part)


# --- Article 30 register


def _register(registry: Registry) -> str:
    lines = ["# Registre des activités de traitement", "", _GENERATED, "", _REGISTER_NOTE]
    for instrument in instruments(registry):
        purposes = sorted({flow.purpose for flow in instrument.flows if is_personal(flow)})
        for purpose in purposes:
            flows = [one for one in instrument.flows if one.purpose == purpose and is_personal(one)]
            lines += ["", f"## {instrument.letter} — {instrument.title} : `{purpose}`", ""]
            lines += _activity(instrument, flows)
        lines += _kept_by_people(instrument)
    return "\n".join(lines) + "\n"


_REGISTER_NOTE: Final = (
    "Squelette pour l'article 30 du RGPD, à reprendre par chaque organisme : ce qui dépend de lui "
    "est à compléter. Une analyse d'impact est due (CNIL 2018-327)."
)

_MEASURES: Final = (
    "signature et chiffrement de bout en bout ; charte et habilitation des agents ; journal "
    "chaîné ; destruction par effacement de clé, avec certificat"
)


def _kept_by_people(instrument: Instrument) -> Iterator[str]:
    """What no rule can keep: the register recalls it to whoever answers for the organisation."""
    asked = () if isinstance(instrument, LegalDuty) else instrument.obligations
    found = [one for one in asked if one.organisational]
    if found:
        yield from ("", f"## {instrument.letter} — {instrument.title} : organisation", "")
        yield "| Obligation | Article | Demande | Comment, et depuis quand |"
        yield "|---|---|---|---|"
    for one in found:
        yield f"| {one.id} | {one.article} | {one.asks} | à compléter |"


def is_personal(flow: Flow) -> bool:
    """Whether a message tells of anybody."""
    return flow.legal_basis is not LegalBasis.NO_PERSONAL_DATA


def _activity(instrument: Instrument, flows: list[Flow]) -> Iterator[str]:
    basis = sorted({BASES[flow.legal_basis] for flow in flows})
    data = dict.fromkeys(title for flow in flows for title in data_titles(flow.payload))
    kept = dict.fromkeys(_kept(flow.retention) for flow in flows)
    rows = {
        "Responsable": "à compléter (organisme, représentant)",
        "Délégué à la protection des données": "à compléter",
        "Source": _source(instrument),
        "Base légale": _AND.join(basis),
        "Personnes": _AND.join(dict.fromkeys(who for flow in flows for who in persons_of(flow))),
        "Données": _AND.join(data),
        "Destinataires": _AND.join(dict.fromkeys(_journey(flow) for flow in flows)),
        "Transferts hors de l'Union": "aucun",
        "Conservation": _AND.join(kept),
        "Sécurité": _MEASURES,
    }
    yield "| | |"
    yield "|---|---|"
    for name, value in rows.items():
        yield f"| {name} | {value} |"


def _source(instrument: Instrument) -> str:
    if isinstance(instrument, Convention):
        return f"convention {instrument.letter}, version {instrument.version}"
    return f"{instrument.title} ({instrument.article})"


def _journey(flow: Flow) -> str:
    return f"{flow.sender.label} → {flow.receiver.label} (`{flow.type}`, {flow.article})"


def persons_of(flow: Flow) -> Iterator[str]:
    """Categories of persons of whom a message tells (GDPR 30.1.c)."""
    if flow.case is not Cardinality.NONE:
        yield "personnes accompagnées"
    if "representative" in node_fields(flow.payload).values():
        yield "représentants légaux"
    yield "agents des organismes"
