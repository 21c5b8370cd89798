"""Deciding once more what was allowed, on the instrument as it stands now.

Between asking and publishing, or between receiving and showing, a text may have ended or an
agreement been withdrawn.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from contracts.gate import Decision, Reason, Refused, decide
from contracts.kernel.binding import Binding
from contracts.kernel.facts import Facts
from services.chassis.core import Core
from services.chassis.routing import spoken_of


def recheck(core: Core, facts: Facts, binding: Binding | None, at: datetime) -> Decision:
    """Decide again, at the moment of publishing or of showing, on the instrument as it stands.

    The side is the one that the facts were gathered at.
    """
    ends = facts.ends
    if binding is None:
        instrument, flow = spoken_of(core, facts.flow, *ends)
    else:
        instrument = binding.instrument
        found = instrument.flow(facts.flow, *ends)
        if found is None:
            _, flow = spoken_of(core, facts.flow, *ends)
            unknown = Reason(flow.article, "flow", "Le texte ne prévoit plus ce message.")
            return Refused(instrument.rules_version, (unknown,))
        flow, seen = found, binding.facts(at, binding.version_at(at))
        if seen != facts.instrument:
            facts = replace(facts, instrument=seen)
    agreement = facts.agreement
    if agreement is not None and agreement.reference in core.withdrawn:
        gone = core.withdrawn[agreement.reference]
        facts = replace(facts, agreement=replace(agreement, withdrawn_at=gone))
    return decide(core.rules(instrument, flow, facts.side), facts, at)
