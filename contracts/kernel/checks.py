"""The kinds of check a flow can ask for: parameters and the article, no behaviour.

The gate knows these kinds and nothing of any convention; a convention chooses among them and gives
their parameters. Each carries the obligation it serves and the French sentence of its refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Where a check runs: at the sender's gate, the receiver's, or both."""

    SENDER = "sender"
    RECEIVER = "receiver"
    BOTH = "both"


class Giver(StrEnum):
    """Who gives an agreement."""

    REPRESENTATIVE = "representative"
    YOUNG_PERSON = "young_person"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question with one article; unknown counts as no.

    article: obligation id. sentence: what the agent reads when it refuses, in French.
    """

    article: str
    sentence: str
    side: Side = Side.BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class OfInstrument(Check):
    """A question about what binds the two organisations; where nothing does, it is answered no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties(OfInstrument):
    """Sender and receiver are the organisations that the instrument binds, in that direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(OfInstrument):
    """The evidence of every signature is recorded; without it the instrument is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(OfInstrument):
    """The instant lies within the instrument's term: from its signature, to its computed end.

    endless: a law in force without a repeal date; anywhere else an unknown end refuses.
    """

    endless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTerminated(OfInstrument):
    """No termination notice has run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSuspended(OfInstrument):
    """No party has suspended the instrument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCaseAllowed(OfInstrument):
    """A case may still be opened while a termination notice runs, if the convention says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(OfInstrument):
    """Both sides hold the same version of the signed text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose(Check):
    """The message serves the purpose the flow was written for, and no other."""

    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Age(Check):
    """Age on the legal day: ``at_least`` ≤ age < ``below``, in years, either side optional."""

    at_least: int | None = None
    below: int | None = None

    @property
    def bound(self) -> str:
        """Name under which the outcome is kept; the birth date itself never is."""
        return age_bound(self.at_least, self.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(Check):
    """A live agreement of the right person, for this flow and this recipient.

    minor, adult: who gives it below 18 and from 18; an agreement of both always does.
    recipient_article: what refuses an agreement that names other recipients.
    """

    minor: Giver
    adult: Giver
    recipient_article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assent(Check):
    """The young person did not say no; asked from the given age, in years."""

    asked_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGiven(Check):
    """The persons concerned were informed before the message is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures(Check):
    """Everyone the contract names has signed, before the instant."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Check):
    """A quantity of the content stays within its bounds, both included.

    name: field of the content, a whole number or a list whose length counts; unknown is refused.
    """

    name: str
    at_least: int = 0
    at_most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Check):
    """A fact was recorded, at the latest at the instant of the decision."""

    name: str


def age_bound(at_least: int | None, below: int | None) -> str:
    """Stable name of an age bracket."""
    return f"age_{at_least if at_least is not None else ''}_{below if below is not None else ''}"


MINOR = age_bound(None, 18)
ADULT = age_bound(18, None)
