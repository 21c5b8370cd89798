"""The plain peer's rules: one straightforward function, run at sender, relay and receiver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

PARIS = ZoneInfo("Europe/Paris")
YOUNGEST, OLDEST = 11, 17


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision rests on. Dates are days in Paris."""

    flow: str
    sender: str
    receiver: str
    purpose: str
    version: int
    convention_sender: str
    convention_receiver: str
    convention_version: int
    convention_purposes: Sequence[str]
    opens_on: date
    closes_on: date
    birth_date: date
    giver: str
    agreed_flows: Sequence[str]
    agreed_receivers: Sequence[str]
    given_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    notice_at: datetime
    charter_at: datetime
    enrolled: bool


def reasons_against(facts: Facts, at: datetime) -> list[str]:
    """Return every reason why the message may not go; an empty list lets it go."""
    today = at.astimezone(PARIS).date()
    parties = (facts.sender, facts.receiver)
    checks = {
        "parties": parties == (facts.convention_sender, facts.convention_receiver),
        "term": facts.opens_on <= today < facts.closes_on,
        "version": facts.version == facts.convention_version,
        "purpose": facts.purpose in facts.convention_purposes,
        "age": YOUNGEST <= age_on(facts.birth_date, today) <= OLDEST,
        "flow": facts.flow in facts.agreed_flows,
        "receiver": facts.receiver in facts.agreed_receivers,
        "withdrawn": facts.withdrawn_at is None,
        "agreement term": facts.given_at <= at < facts.expires_at,
        "giver": facts.giver == "representative",
        "notice": facts.notice_at <= facts.given_at,
        "charter": facts.charter_at <= at,
        "enrolment": facts.enrolled,
    }
    return [name for name, holds in checks.items() if not holds]


def age_on(birth_date: date, day: date) -> int:
    """Return the age in whole years on a day."""
    birthday_to_come = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - birthday_to_come
