"""What a request resolves to: which flow, which instrument, which partner.

Nothing is guessed: several open conventions that could carry a message are listed to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from contracts.kernel.binding import Binding
from contracts.kernel.errors import Ambiguous, InvalidPayload, Unavailable, UnknownName
from contracts.kernel.fields import Payload, caller_model
from contracts.kernel.instrument import Flow, Instrument, closest
from contracts.kernel.organisation import DirectoryEntry, Kind
from services.chassis.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an agent asks to send.

    data: already checked against `caller_model` of the type. message_id, new_case_id: random ids.
    agent_id, agent_role: who asks, in which role. notice_id: the information given to the person,
    where a duty of the law asks for no agreement. derogation_id: the decision to do without one.
    """

    message_id: str
    new_case_id: str
    type: str
    to: str
    data: Payload
    agent_id: str
    agent_role: str = ""
    case_id: str | None = None
    agreement_id: str | None = None
    notice_id: str | None = None
    derogation_id: str | None = None
    convention_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Flow, instrument and partner that a request resolves to; nothing binds the two: closed.

    foreign: the instrument binds the two, and has the type for others: the gate refuses it.
    """

    flow: Flow
    instrument: Instrument
    binding: Binding | None
    to: DirectoryEntry | None
    foreign: bool = False


def spoken_of(
    core: Core, message_type: str, sender: Kind | None, receiver: Kind | None
) -> tuple[Instrument, Flow]:
    """The flow that a refusal speaks of where nothing binds the two: the closest of the type.

    Raises UnknownName for an unknown type.
    """
    known = core.flows.get(message_type)
    if known is None:
        raise UnknownName("Aucune convention ne connaît ce type de message.", code="unknown_type")
    best = closest((flow for _, flow in known), message_type, sender, receiver)
    return next(one for one in known if one[1] is best)


def read_data(
    core: Core,
    message_type: str,
    to: str,
    data: Mapping[str, Any],
    at: datetime,
    convention_id: str | None = None,
) -> Payload:
    """Check what the caller typed against the type, without the fields the node fills itself.

    to, convention_id: two conventions may give one type two contents. Raises UnknownName, Ambiguous
    where it may be either, and InvalidPayload with the paths at fault, never their values.
    """
    routes = _carrying(core, message_type, to, convention_id)
    if len({route.flow.payload for route in routes}) > 1:
        routes = _opened(routes, at)
    if len({route.flow.payload for route in routes}) > 1:
        raise _ambiguous(routes)
    route = routes[0]
    try:
        return caller_model(route.flow.payload).model_validate_json(to_json(data))
    except ValidationError as error:
        raise InvalidPayload(
            "Le contenu ne correspond pas aux champs strictement nécessaires de ce message.",
            fields=fields_at_fault(error),
            articles=(route.instrument.minimisation_article,),
        ) from None


def fields_at_fault(error: ValidationError) -> tuple[tuple[str, str], ...]:
    """Path and code of each fault of a validation, without the value that caused it."""
    return tuple(
        (".".join(str(part) for part in item["loc"]), _code(item))
        for item in error.errors(include_input=False, include_url=False)
    )


def _code(item: Any) -> str:  # noqa: ANN401 -- pydantic's error dictionary
    found = item.get("ctx", {}).get("found")
    return f"{item['type']}:{found}" if found else str(item["type"])


def resolve(core: Core, request: Request, at: datetime, within: str | None = None) -> Route:
    """Find which instrument carries the request.

    within: that of the case it is about, which decides where the caller named none. Raises
    UnknownName for an unknown type, Ambiguous when several open conventions could carry it, and
    Unavailable where another one does than when its content was read.
    """
    carrying = _carrying(core, request.type, request.to, request.convention_id)
    routes = _opened(carrying, at)
    if len(routes) > 1 and within is not None:
        routes = [one for one in routes if one.binding and one.binding.id == within] or routes
    if len(routes) > 1:
        raise _ambiguous(routes)
    payload = routes[0].flow.payload
    if not isinstance(request.data, (payload, caller_model(payload))):
        raise Unavailable(
            "Ce qui lie les deux organismes a changé entre-temps : réessayez.", code="route_changed"
        )
    return routes[0]


def _ambiguous(routes: Sequence[Route]) -> Ambiguous:
    names = ", ".join(sorted(route.binding.id for route in routes if route.binding is not None))
    return Ambiguous(
        f"Plusieurs conventions peuvent porter ce message, nommez-en une (convention_id) : {names}."
    )


def _opened(routes: Sequence[Route], at: datetime) -> Sequence[Route]:
    """What is open now; where nothing is, the one that a refusal speaks of."""
    if len(routes) == 1:
        return routes
    opened = [one for one in routes if one.binding is not None and one.binding.open_at(at)]
    return opened or routes[-1:]


def _carrying(core: Core, message_type: str, to: str, convention_id: str | None) -> Sequence[Route]:
    """What could carry a message, open or not; else the one thing that a refusal speaks of."""
    known: Sequence[Route] = ()
    if message_type in core.flows:  # else it is whatever the caller typed
        name = ("carriers", message_type, to)
        known = core.once(name, lambda _: _carriers(core, message_type, to))
    if convention_id is not None:
        known = [one for one in known if one.binding and one.binding.id == convention_id]
    if known:
        return known
    entry = core.directory.entry(to)
    for binding in core.bindings(to):
        if convention_id in {None, binding.id}:
            ends = core.kind, binding.kind_of(to)
            foreign = binding.instrument.closest(message_type, *ends)
            if foreign is not None:
                return [Route(foreign, binding.instrument, binding, entry, foreign=True)]
    kind = None if entry is None else entry.kind
    instrument, flow = spoken_of(core, message_type, core.kind, kind)
    return [Route(flow, instrument, None, entry)]


def _carriers(core: Core, message_type: str, to: str) -> Sequence[Route]:
    """What joins us to a partner and has the type as ours to send to its kind."""
    entry = core.directory.entry(to)
    return [
        Route(flow, binding.instrument, binding, entry)
        for binding in core.bindings(to)
        if (flow := binding.instrument.flow(message_type, core.kind, binding.kind_of(to)))
    ]
