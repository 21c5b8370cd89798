"""Every register of an organisation, in the order in which they are read."""

from __future__ import annotations

from contracts.registry import Registry
from services.chassis.registers.blocks import Paper
from services.chassis.registers.dpia import dpia
from services.chassis.registers.facts import Holder
from services.chassis.registers.joint import joint
from services.chassis.registers.notice import notices
from services.chassis.registers.record import record


def papers(registry: Registry, holder: Holder) -> list[Paper]:
    """Record, impact assessment, joint control, then a notice for each instrument."""
    return [
        record(registry, holder),
        dpia(registry, holder),
        joint(registry, holder),
        *notices(registry, holder),
    ]
