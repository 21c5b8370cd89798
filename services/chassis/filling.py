"""What a node itself writes into a message: identity from its register, and what the clock says.

Callers type codes and dates, and never identity: an agreement given for one person must not be able
to send another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from contracts.kernel.checks import MINOR
from contracts.kernel.errors import InvalidPayload
from contracts.kernel.facts import Facts
from contracts.kernel.fields import Payload, node_fields
from contracts.kernel.messages import identity_block
from services.chassis.core import Core
from services.chassis.routing import Route, fields_at_fault
from services.chassis.standing import KnownPerson


def fill(
    core: Core, route: Route, data: Payload, person: KnownPerson | None, facts: Facts, at: datetime
) -> Payload:
    """Add to what the caller typed what only the node may say.

    Raises InvalidPayload where the register lacks it: a minor's representative above all.
    """
    flow, side = route.flow, core.partner.side(route.instrument.code)
    wanted = node_fields(flow.payload)
    minor = MINOR in facts.bounds
    first = person.representatives[0] if person is not None and person.representatives else None
    if "representative" in wanted.values() and minor and first is None:
        raise InvalidPayload(
            "Le registre ne tient aucun représentant légal de cette personne mineure.",
            fields=(("representative", "missing"),),
        )
    own = core.directory.entry(core.org)
    filled: dict[str, Any] = {
        "representative": first if minor else None,
        "uai": None if own is None else own.uai,
        "responsible": side.responsible(core, flow.purpose, at),
    }
    typed = {name: getattr(data, name) for name in type(data).model_fields}
    try:
        filled["identity"] = None if person is None else _narrowed(person.identity, flow.payload)
        ours = {name: filled[what] for name, what in wanted.items() if what in filled}
        return flow.payload.model_validate({**typed, **ours})
    except ValidationError as error:
        raise InvalidPayload(
            "Le registre de cet organisme ne tient pas tout ce que ce message exige.",
            fields=fields_at_fault(error),
        ) from None


def filled_by(payload: Payload, kind: str) -> Any:  # noqa: ANN401 -- the field's own type
    """Value of the field that the sender's node filled from that part of its register."""
    for name, filled in node_fields(type(payload)).items():
        if filled == kind:
            return getattr(payload, name)
    return None


def identity_of(payload: Payload) -> Payload | None:
    """What a content says of who the person is: an identity, or a smaller block of it."""
    found: Payload | None = filled_by(payload, "identity")
    return found


def _narrowed(identity: Payload, payload: type[Payload]) -> Payload | None:
    """As much of an identity as a content has room for. Raises ValidationError where it lacks."""
    block = identity_block(payload)
    if block is None or isinstance(identity, block):
        return identity if block is not None else None
    return block.model_validate({name: getattr(identity, name) for name in block.model_fields})
