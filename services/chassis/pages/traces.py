"""One message's way as a waterfall: from the observer where it answers, else as known here.

The observer is asked for ids, codes and times; of its answer only what may be observed is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import httpx
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection, Row

from services.chassis import words
from services.chassis.core import Core
from services.chassis.observable import is_allowed, is_code
from services.chassis.pages.content import name_of
from services.chassis.pages.wording import to_the_second
from services.chassis.telemetry import PREFIX
from services.chassis.tls import public_authorities
from services.chassis.working import way

_PATIENCE_S: Final = 1.0
_TRACES: Final = "/v1/traces"
_LONGEST: Final = 1024 * 1024
_STEPS: Final = 200
_THINNEST: Final = 0.5
"""Per cent: a bar that short can still be seen."""
_DEEPEST: Final = 4
_SECOND: Final = 1000.0
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the waterfall. left, width: per cent of the whole. bad: it ended there."""

    name: str
    where: str
    depth: int
    after: str
    took: str
    left: float
    width: float
    bad: bool
    outcome: str


@dataclass(frozen=True, slots=True)
class Way:
    """All that is known of a message's way. observed: from the observer, step by step."""

    steps: Sequence[Step]
    whole: str
    observed: bool


class _Span(BaseModel):
    name: str
    node: str
    depth: int = Field(ge=0, le=1000)
    offset_ms: float = Field(allow_inf_nan=False)
    duration_ms: float = Field(ge=0, allow_inf_nan=False)
    failed: bool
    attributes: dict[str, str | int | float | bool]

    def told(self, key: str) -> str:
        """A field of the step, if it may be observed; else nothing."""
        value = self.attributes.get(PREFIX + key, "")
        return str(value) if is_allowed(key, value) else ""


class _Trace(BaseModel):
    duration_ms: float = Field(ge=0, allow_inf_nan=False)
    spans: Annotated[list[_Span], Field(max_length=10_000)]


class _Answer(BaseModel):
    traces: list[_Trace]


def milliseconds(length: float) -> str:
    """A length as French writes it: ``0,4 ms``, ``1,25 s``, ``3 min 20 s``, ``2 h 05``."""
    if length < _SECOND:
        said = f"{length:.1f} ms"
    elif length < _MINUTE:
        said = f"{length / _SECOND:.2f} s"
    elif length < _HOUR:
        said = f"{length // _MINUTE:.0f} min {length % _MINUTE // _SECOND:.0f} s"
    else:
        said = f"{length // _HOUR:.0f} h {length % _HOUR // _MINUTE:02.0f}"
    return said.replace(".", ",")


async def observed(endpoint: str | None, message_id: str, core: Core) -> Way | None:
    """What the observer kept of a message; None where there is none, or it does not answer."""
    if endpoint is None:
        return None
    url = f"{endpoint.rstrip('/').removesuffix(_TRACES)}/api/traces"
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S, verify=public_authorities()) as client:
            answer = await client.get(url, params={"message": message_id})
        if answer.status_code != httpx.codes.OK or len(answer.content) > _LONGEST:
            return None
        found = _Answer.model_validate_json(answer.content).traces
    except (httpx.HTTPError, ValidationError):
        return None
    if not found or not found[0].spans:
        return None
    trace = found[0]
    return Way(list(_rows(trace, core)), milliseconds(trace.duration_ms), observed=True)


def _rows(trace: _Trace, core: Core) -> Iterator[Step]:
    for span in trace.spans[:_STEPS]:
        name = span.name if is_code(span.name) else "unnamed"
        state = span.told("state")
        bad = span.failed or state == "refused"
        reasons = (span.told("articles") or span.told("code")).split() if bad else []
        said = [words.STATES.get(state, state), *map(words.reason, reasons)]
        yield _step(
            words.STEPS.get(name, name),
            name_of(core, span.node) if is_allowed("node", span.node) else "",
            (span.offset_ms, span.duration_ms, trace.duration_ms),
            depth=min(span.depth, _DEEPEST),
            bad=bad,
            outcome=" ".join(one for one in said if one),
        )


def _step(
    name: str,
    where: str,
    times: tuple[float, float, float],
    *,
    depth: int = 0,
    bad: bool = False,
    outcome: str = "",
) -> Step:
    """times: begins after, lasts, and the whole, in milliseconds."""
    offset, length, whole = times
    whole = max(whole, 0.001)
    width = min(100.0, max(_THINNEST, 100 * length / whole))
    left = min(max(0.0, 100 * offset / whole), 100 - width)
    return Step(
        name,
        where,
        depth,
        milliseconds(max(0.0, offset)),
        milliseconds(length),
        left,
        width,
        bad,
        outcome,
    )


def known_here(connection: Connection, core: Core, message_id: str) -> Way | None:
    """What this node's own tables say of a message's way; None where they know no such message."""
    sent, came = way(connection, core, message_id)
    marks = [] if sent is None else list(_sent(core, sent))
    if came is not None:
        said = words.STATES.get(came.status, came.status)
        marks.append((f"reçu de {name_of(core, came.sender)}", core.org, came.received_at, said))
    if not marks:
        return None
    began, ended = marks[0][2], max(at for _, _, at, _ in marks)
    whole = _ms(began, ended)
    steps = []
    for number, (name, org, at, said) in enumerate(marks):
        until = marks[number + 1][2] if number + 1 < len(marks) else at
        times = (_ms(began, at), _ms(at, max(at, until)), whole)
        steps.append(_step(name, name_of(core, org), times, outcome=said))
    said = f"{milliseconds(whole)}, depuis le {to_the_second(began)}"
    return Way(steps, said, observed=False)


def _sent(core: Core, row: Row[Any]) -> Iterator[tuple[str, str, datetime, str]]:
    """What happened to a letter sent: its name, where, when, and what was said of it."""
    other = row.receiver
    label = words.message(row.type)
    tried = f"{row.attempts} essais manqués" if row.attempts > 1 else ""
    yield f"envoi décidé : {label}", core.org, row.created_at, tried
    if row.delivered_at is not None:
        yield "déposé chez le destinataire", other, row.delivered_at, ""
    if row.closed_at is not None:
        said = words.STATES.get(row.status or row.state, row.status or row.state)
        name = "accusé de réception" if row.receipt_id is not None else "fin sans accusé"
        yield name, other if row.receipt_id is not None else core.org, row.closed_at, said


def _ms(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds() * _SECOND
