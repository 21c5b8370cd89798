"""Acting without agreement: the one road on which a message passes that nobody agreed to.

It is no tick beside the agreement. A flow whose legal basis allows it names the ground; two persons
decide, for one message, within hours; the family is told, or told on a day that is set; and a
review closes it. What the two decided travels in the signed envelope, and the receiver's gate looks
at it as the sender's did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.kernel.fields import Instant, LegalDay
from contracts.kernel.paris import day_of


class Ground(StrEnum):
    """Why a message may pass that nobody agreed to.

    vital_interests: to protect somebody's life or integrity (GDPR art. 6.1.d, 9.2.c).
    """

    VITAL_INTERESTS = "vital_interests"


@dataclass(frozen=True, slots=True, kw_only=True)
class DerogationRule:
    """That a flow allows it on one ground.

    article: obligation it rests on. hours: for how long the decision serves once it is confirmed, 1
    to 72. sealed_days: for how many days at most the family may be left untold.
    """

    ground: Ground
    article: str
    hours: int
    sealed_days: int


LONGEST_HOURS = 72
"""A decision that serves for days is no emergency; a proposal, since no text sets it."""


class Derogation(BaseModel):
    """What two persons decided, as it travels: for the message in whose envelope it lies.

    askedat, confirmedat: when the first asked and the second confirmed. sealeduntil: day on which
    the family is told, where that is not at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    ground: Ground
    askedat: Instant
    confirmedat: Instant
    expiresat: Instant
    sealeduntil: LegalDay | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.askedat <= self.confirmedat < self.expiresat:
            raise PydanticCustomError("derogation_order", "is confirmed before it is asked")
        return self

    def facts(self, flow: str, receiver: str, used_at: datetime) -> DerogationFacts:
        """What the gate is told of it, about the message that carries it, written at an instant."""
        return DerogationFacts(
            ground=self.ground,
            flow=flow,
            receiver=receiver,
            asked_at=self.askedat,
            confirmed_at=self.confirmedat,
            expires_at=self.expiresat,
            used_at=used_at,
            sealed_days=0
            if self.sealeduntil is None
            else (self.sealeduntil - day_of(self.askedat)).days,
        )


@dataclass(frozen=True, slots=True)
class DerogationFacts:
    """A decision to act without agreement, as the gate needs it.

    flow, receiver: what it was decided for. confirmed_at, expires_at: None until a second person
    confirmed. used_at: when the message was written that names it; however long that is under way,
    it served then. sealed_days: from the asking to the day on which the family is told.
    """

    ground: Ground
    flow: str
    receiver: str
    asked_at: datetime
    confirmed_at: datetime | None
    expires_at: datetime | None
    used_at: datetime
    sealed_days: int = 0


FAULTS: Final = {
    "derogation_scope": "La dérogation a été décidée pour un autre message.",
    "derogation_unconfirmed": "Une seconde personne n'a pas confirmé la dérogation.",
    "derogation_expired": "La dérogation n'est plus valable à cette date.",
    "derogation_sealed": "La famille serait informée plus tard que le texte ne le permet.",
}
"""What may be wrong with a decision, by its code; in French, for the agent."""


def fault(rule: DerogationRule, it: DerogationFacts, flow: str, receiver: str) -> str | None:
    """Why a decision does not stand under a rule of its ground; None where it does.

    flow, receiver: of the message that names it.
    """
    if (it.flow, it.receiver) != (flow, receiver):
        return "derogation_scope"
    confirmed, expires = it.confirmed_at, it.expires_at
    if confirmed is None or expires is None or not it.asked_at <= confirmed <= it.used_at:
        return "derogation_unconfirmed"
    if it.used_at >= expires or expires - confirmed > timedelta(hours=rule.hours):
        return "derogation_expired"
    return None if 0 <= it.sealed_days <= rule.sealed_days else "derogation_sealed"
