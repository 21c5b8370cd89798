"""The pages of the observer, in French, and the same waterfall for a terminal.

Plain semantic HTML, no script: steps are nested lists, their attributes open by `<details>`, and
bars are SVG rectangles placed by percentages, so that the page needs no inline style either.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Final

from contracts.kernel.paris import PARIS
from services.chassis import words
from services.chassis.words import STATES, STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.observer.store import StoredSpan, Trace

_COLOURS: Final = 8  # classes n0 to n7 of the style sheet
_DEEPEST: Final = 8  # classes d0 to d8
_THINNEST: Final = 0.5  # per cent: a bar that short can still be seen
_TICKS: Final = 4
_SECOND: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_TEXT_TAIL: Final = 11
_TEXT_LEAST: Final = 16

_BAD: Final = frozenset(
    ("refused", "failed", "expired", "stopped", "invalid", "not_open", "unverified")
)
_LABELS: Final = {
    "message_id": "Message",
    "case_id": "Dossier",
    "agreement_id": "Accord",
    "convention_id": "Convention",
    "flow": "Flux",
    "type": "Type",
    "state": "État",
    "articles": "Articles",
    "code": "Code",
    "duplicate": "Doublon",
    "error_type": "Erreur",
    "sender": "Expéditeur",
    "receiver": "Destinataire",
    "attempt": "Essai",
    "count": "Nombre",
    "batch": "Lot",
    "rows": "Lignes",
    "suite": "Chiffrement",
    "route": "Adresse",
    "method": "Méthode",
    "status": "Statut HTTP",
    "keep": "Gardé d’office",
}


def list_page(traces: Sequence[Trace], message: str = "") -> str:
    """Write the list of traces, newest first; `message` is the id that was looked for."""
    if traces:
        body = _table(traces)
    elif message:
        body = _absent(message)
    else:
        body = (
            "<p>Aucune trace pour l’instant. Envoyez un message depuis un nœud : "
            "son chemin s’affiche ici quelques secondes plus tard.</p>"
        )
    sought = "Traces du message" if traces else "Message introuvable"
    title = sought if message else "Traces récentes"
    return _document(title, f"{_search(message)}{body}")


def lost_page() -> str:
    """Write the page of an address that leads nowhere."""
    sentence = '<p>Il n’y a rien à cette adresse. <a href="/">Traces récentes</a></p>'
    return _document("Page introuvable", _search() + sentence)


def missing_page() -> str:
    """Write the page of a trace that is not, or no longer, kept."""
    sentence = "<p>Cette trace n’est pas ici. Seules les plus récentes sont gardées.</p>"
    return _document("Trace introuvable", _search() + sentence)


def trace_page(trace: Trace) -> str:
    """Write the waterfall of one trace: steps nested, placed by time, coloured by organisation."""
    colours = {node: f"n{i % _COLOURS}" for i, node in enumerate(trace.nodes)}
    steps = _steps(trace, colours)
    body = f"{_facts(trace, colours)}<h2>Étapes</h2>{_axis(trace)}{steps}"
    title = "Chemin d’un message" if trace.messages else f"Trace : {_called(trace.root.name)}"
    return _document(title, _search() + body)


def render_text(trace: Trace, width: int = 100) -> str:
    """Write the waterfall for a terminal, `width` characters wide or as wide as its names need."""
    names = [f"{'  ' * min(depth, _DEEPEST)}{_called(span.name)}" for depth, span in trace.rows]
    first, second = _longest(trace.nodes), _longest(names)
    bar = max(_TEXT_LEAST, width - first - second - _TEXT_TAIL - 3)
    start = datetime.fromtimestamp(trace.start_ns / _SECOND, PARIS)
    facts = (duration(trace.duration_ns), _steps_count(trace), _outcome_with_reasons(trace))
    lines = [f"Trace {trace.trace_id}", " · ".join((f"{start:%d/%m/%Y %H:%M:%S}", *facts)), ""]
    for name, (_depth, span) in zip(names, trace.rows, strict=True):
        lines.append(
            f"{span.node:<{first}} {name:<{second}} {_text_bar(trace, span, bar)} "
            f"{duration(span.duration_ns):>{_TEXT_TAIL}}{_text_verdict(span)}"
        )
    return "\n".join(lines) + "\n"


def _called(name: str) -> str:
    """What people call a step."""
    return STEPS.get(name, name)


def _subject(trace: Trace) -> str:
    """What a trace is about: its first step, and the message where one is known."""
    flows = (str(span.fields["flow"]) for span in trace.spans if "flow" in span.fields)
    flow = next(flows, None)
    step = _called(trace.root.name)
    return step if flow is None else f"{step} : {words.message(flow)}"


def duration(nanoseconds: int) -> str:
    """Write a duration the French way: ``0,4 ms``, ``1,25 s``, ``3 min 20 s``."""
    if nanoseconds < _SECOND:
        digits = f"{nanoseconds / _MILLISECOND:.1f} ms"
    elif nanoseconds < _MINUTE:
        digits = f"{nanoseconds / _SECOND:.2f} s"
    else:
        minutes, rest = divmod(nanoseconds, _MINUTE)
        digits = f"{minutes} min {rest // _SECOND} s"
    return digits.replace(".", ",")


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Relais</title>"
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head><body>'
        '<header><a class="brand" href="/">Relais <span>traces</span></a></header>'
        f"<main><h1>{escape(title)}</h1>{body}</main>"
        "<footer><p>Une trace porte des identifiants, des codes et des durées ; "
        "jamais le contenu d’un message, ni le nom d’une personne.</p></footer></body></html>"
    )


def _search(message: str = "") -> str:
    return (
        '<form action="/" method="get" role="search"><label for="message">Identifiant d’un '
        'message</label><div class="field"><input id="message" name="message" maxlength="128" '
        f'autocomplete="off" spellcheck="false" value="{escape(message)}">'
        "<button>Suivre</button></div></form>"
    )


def _absent(message: str) -> str:
    return (
        f"<p>Aucune trace ne porte le message <code>{escape(message)}</code>. Elle peut ne pas "
        "être encore arrivée, n’avoir pas été échantillonnée, ou être trop ancienne.</p>"
    )


def _table(traces: Sequence[Trace]) -> str:
    heads = ("Début", "Première étape", "Organisations", "Services", "Étapes", "Durée", "Issue")
    columns = "".join(f'<th role="columnheader" scope="col">{h}</th>' for h in heads)
    rows = "".join(_table_row(trace, heads) for trace in traces)
    # Roles are repeated because the narrow layout changes `display`, which drops them.
    return (
        f'<table role="table"><thead role="rowgroup"><tr role="row">{columns}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table>'
    )


def _table_row(trace: Trace, heads: Sequence[str]) -> str:
    cells = (
        _instant(trace.start_ns),
        f'<a href="/traces/{trace.trace_id}">{escape(_subject(trace))}</a>',
        ", ".join(map(escape, trace.nodes)),
        ", ".join(escape(words.service(one)) for one in trace.services),
        str(len(trace.spans)),
        duration(trace.duration_ns),
        _verdict(trace),
    )
    written = (
        f'<td role="cell" data-label="{head}">{cell}</td>'
        for head, cell in zip(heads, cells, strict=True)
    )
    return f'<tr role="row">{"".join(written)}</tr>'


def _facts(trace: Trace, colours: dict[str, str]) -> str:
    nodes = " ".join(f'<span class="node {c}">{escape(n)}</span>' for n, c in colours.items())
    facts = {
        "Début": _instant(trace.start_ns),
        "Durée": duration(trace.duration_ns),
        "Étapes": str(len(trace.spans)),
        "Organisations": nodes,
        "Issue": _verdict(trace),
    }
    if trace.messages:
        facts["Message"] = "<br>".join(f"<code>{escape(m)}</code>" for m in trace.messages)
    facts["Trace"] = f'<a href="/api/traces/{trace.trace_id}"><code>{trace.trace_id}</code></a>'
    pairs = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items())
    return f'<dl class="facts">{pairs}</dl>'


def _axis(trace: Trace) -> str:
    instants = (duration(trace.duration_ns * i // _TICKS) for i in range(_TICKS + 1))
    ticks = "".join(f"<span>{instant}</span>" for instant in instants)
    return f'<div class="axis" aria-hidden="true"><div class="ticks">{ticks}</div></div>'


def _steps(trace: Trace, colours: dict[str, str]) -> str:
    """Nest the rows in lists: a list opens with each deeper row, and closes when rows come up."""
    parts = ['<ol class="steps">']
    previous = 0
    for position, (depth, span) in enumerate(trace.rows):
        if depth > previous:
            parts.append("<ol>")
        elif position:
            parts.append("</li>" + "</ol></li>" * (previous - depth))
        parts.append(f"<li>{_step(trace, span, depth, colours[span.node])}")
        previous = depth
    return "".join(parts) + "</li>" + "</ol></li>" * previous + "</ol>"


def _step(trace: Trace, span: StoredSpan, depth: int, colour: str) -> str:
    left, width = _place(trace, span)
    bad = " bad" if span.refused or span.failed else ""
    return (
        f'<details class="d{min(depth, _DEEPEST)}"><summary><span class="what">'
        f'<span class="step">{escape(_called(span.name))}</span> '
        f'<span class="node {colour}">{escape(span.node)}</span>'
        f"{_span_verdict(span)}</span>"
        f'<svg class="bar {colour}{bad}" aria-hidden="true" focusable="false">'
        f'<rect x="{left:.2f}%" y="20%" width="{width:.2f}%" height="60%" rx="2"/></svg>'
        f'<span class="took">{duration(span.duration_ns)}</span></summary>'
        f"{_attributes(trace, span)}</details>"
    )


def _attributes(trace: Trace, span: StoredSpan) -> str:
    facts: dict[str, object] = {
        "Étape": span.name,
        "Service": words.service(span.service),
        "Commence après": duration(span.start_ns - trace.start_ns),
    }
    facts |= {_LABELS.get(key, key): _value(key, value) for key, value in span.fields.items()}
    pairs = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(str(value))}</dd></div>"
        for label, value in facts.items()
    )
    return f'<dl class="facts">{pairs}</dl>'


def _value(key: str, value: object) -> object:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if key == "state":
        return STATES.get(str(value), value)
    if key == "flow":
        return words.message(str(value))
    return words.reason(value) if key == "code" and isinstance(value, str) else value


def _place(trace: Trace, span: StoredSpan) -> tuple[float, float]:
    """Give left edge and width of a bar, in per cent of the trace's duration."""
    whole = max(1, trace.duration_ns)
    width = max(_THINNEST, 100 * span.duration_ns / whole)
    left = 100 * (span.start_ns - trace.start_ns) / whole
    return min(left, 100 - width), width


def _verdict(trace: Trace) -> str:
    kind = "bad" if trace.outcome in _BAD else "good"
    said = STATES.get(trace.outcome, trace.outcome)
    return _judged(kind if trace.outcome else "open", said, trace.reasons)


def _judged(kind: str, outcome: str, reasons: Sequence[str]) -> str:
    said = map(words.reason, reasons)
    named = "".join(f' <span class="whole">{escape(reason)}</span>' for reason in said)
    return f'<span class="verdict {kind}">{escape(outcome)}{named}</span>'


def _outcome_with_reasons(trace: Trace) -> str:
    outcome = STATES.get(trace.outcome, trace.outcome)
    return " ".join((outcome, *map(words.reason, trace.reasons)))


def _span_verdict(span: StoredSpan) -> str:
    said, reasons = _span_outcome(span)
    return " " + _judged("bad", said, reasons) if said else ""


def _text_verdict(span: StoredSpan) -> str:
    said, reasons = _span_outcome(span)
    return "".join(f" {word}" for word in (said, *map(words.reason, reasons)) if word)


def _span_outcome(span: StoredSpan) -> tuple[str, list[str]]:
    """Say that a step was refused or failed, and why; nothing of one that went well."""
    if not (span.refused or span.failed):
        return "", []
    return STATES["refused" if span.refused else "failed"], span.reasons


def _text_bar(trace: Trace, span: StoredSpan, width: int) -> str:
    left, length = _place(trace, span)
    filled = max(1, round(width * length / 100))
    before = min(width - filled, round(width * left / 100))
    return ("·" * before + "█" * filled).ljust(width, "·")


def _steps_count(trace: Trace) -> str:
    return f"{len(trace.spans)} étape{'s' if len(trace.spans) > 1 else ''}"


def _longest(words: Sequence[str]) -> int:
    return max(map(len, words))


def _instant(nanoseconds: int) -> str:
    instant = datetime.fromtimestamp(nanoseconds / _SECOND, PARIS)
    return f'<time datetime="{instant.isoformat()}">{instant:%d/%m/%Y %H:%M:%S}</time>'
