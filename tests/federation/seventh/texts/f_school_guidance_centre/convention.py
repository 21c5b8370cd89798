"""Convention F as data: what convention E says, to a guidance centre."""

from __future__ import annotations

from dataclasses import replace

from contracts.kernel.organisation import Kind
from tests.federation.fifth.e_school_mission_locale.convention import CONVENTION as FIFTH

CENTRE = Kind("guidance_centre")

PROPOSED, ANSWERED = FIFTH.flows

CONVENTION = replace(
    FIFTH,
    code="f_school_guidance_centre",
    letter="F",
    title="Découverte des métiers avec le CIO",
    parties=(Kind.SCHOOL, CENTRE),
    flows=(replace(PROPOSED, receiver=CENTRE), replace(ANSWERED, sender=CENTRE)),
)
