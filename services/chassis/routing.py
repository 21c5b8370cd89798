"""What a request resolves to: which flow, which instrument, which partner.

Nothing is guessed: several open conventions that could carry a message are listed to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from contracts.kernel.binding import Binding
from contracts.kernel.errors import Ambiguous, InvalidPayload, UnknownName
from contracts.kernel.fields import Payload, caller_model
from contracts.kernel.instrument import Flow, Instrument
from contracts.kernel.organisation import DirectoryEntry
from services.chassis.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an agent asks to send.

    data: already checked against `caller_model` of the type. message_id, new_case_id: random ids.
    agent_id, agent_role: who asks, in which role. notice_id: the information given to the person,
    where a duty of the law asks for no agreement.
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
    convention_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Flow, instrument and partner that a request resolves to; nothing binds the two: closed."""

    flow: Flow
    instrument: Instrument
    binding: Binding | None
    to: DirectoryEntry | None


def find_flow(core: Core, message_type: str) -> tuple[Instrument, Flow]:
    """The flow of a type, ours to send if one is; raises UnknownName for an unknown type."""
    found = core.flows.get(message_type)
    if found is None:
        raise UnknownName("Aucune convention ne connaît ce type de message.", code="unknown_type")
    return found


def read_data(core: Core, message_type: str, data: Mapping[str, Any]) -> Payload:
    """Check what the caller typed against the type, without the fields the node fills itself.

    Raises UnknownName, and InvalidPayload with the paths at fault, never their values.
    """
    instrument, flow = find_flow(core, message_type)
    try:
        return caller_model(flow.payload).model_validate_json(to_json(data))
    except ValidationError as error:
        raise InvalidPayload(
            "Le contenu ne correspond pas aux champs strictement nécessaires de ce message.",
            fields=fields_at_fault(error),
            articles=(instrument.minimisation_article,),
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


def resolve(core: Core, request: Request, at: datetime) -> Route:
    """Find which instrument carries the request.

    Raises UnknownName for an unknown type, Ambiguous when several open conventions could carry it
    and the caller named none.
    """
    instrument, flow = find_flow(core, request.type)
    to = core.directory.entry(request.to)
    candidates = core.once(
        ("carriers", request.type, request.to), lambda _: _carriers(core, request.type, request.to)
    )
    if request.convention_id is not None:
        candidates = [one for one in candidates if one.id == request.convention_id]
    opened = [binding for binding in candidates if binding.open_at(at)]
    if len(opened) > 1:
        names = ", ".join(sorted(binding.id for binding in opened))
        raise Ambiguous(f"Plusieurs conventions peuvent porter ce message : {names}.")
    if not candidates:
        return Route(flow, instrument, None, to)
    chosen = (opened or candidates)[-1]
    return Route(
        chosen.instrument.flow(request.type, core.kind) or flow, chosen.instrument, chosen, to
    )


def _carriers(core: Core, message_type: str, to: str) -> list[Binding]:
    """What joins us to a partner and knows the type as ours to send."""
    return [
        binding
        for binding in core.bindings(to)
        if binding.instrument.flow(message_type, core.kind) is not None
    ]
