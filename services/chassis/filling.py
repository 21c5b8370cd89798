"""What a node itself writes into a message: identity from its register, and what the clock says.

Callers type codes and dates, and never identity: an agreement given for one person must not be able
to send another.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from contracts.kernel.checks import MINOR
from contracts.kernel.errors import InvalidPayload
from contracts.kernel.facts import Facts
from contracts.kernel.fields import Payload, node_fields
from services.chassis.core import Core
from services.chassis.routing import Route, fields_at_fault
from services.chassis.standing import Person


def fill(
    core: Core, route: Route, data: Payload, person: Person | None, facts: Facts, at: datetime
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
    filled = {
        "identity": None if person is None else person.identity,
        "representative": first if minor else None,
        "uai": None if own is None else own.uai,
        "responsible": side.responsible(core, flow.purpose, at),
    }
    typed = {name: getattr(data, name) for name in type(data).model_fields}
    ours = {name: filled[what] for name, what in wanted.items() if what in filled}
    try:
        return flow.payload.model_validate({**typed, **ours})
    except ValidationError as error:
        raise InvalidPayload(
            "Le registre de cet organisme ne tient pas tout ce que ce message exige.",
            fields=fields_at_fault(error),
        ) from None
