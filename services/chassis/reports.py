"""Shapes of what a node reports: its journal, its failures, what is due, what it destroyed."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field, RootModel

from contracts.kernel.fields import Day
from services.chassis.answers import Answer


class JournalLine(Answer):
    """One line of the journal: what its hash covers, and nothing personal."""

    chain: str
    seq: int
    at: AwareDatetime
    event: str
    message_id: str | None
    flow: str | None
    outcome: str
    articles: list[str]
    rules_version: str
    commitment: str | None
    prev: str
    hash: str


class JournalLines(RootModel[list[JournalLine]]):
    """Lines of the journal, in their order."""


class HeadHeld(Answer):
    """The end of a chain."""

    chain: str
    seq: int
    hash: str


class HeadSigned(HeadHeld):
    """The end of this node's chain, as a JWS too."""

    signed: str


class HeadsHeld(RootModel[list[HeadHeld]]):
    """Ends of a partner's chains, as its receipts told them."""


class BadLine(Answer):
    """A line that does not hold."""

    chain: str
    seq: int
    code: str


class Verification(Answer):
    """Result of checking the journal."""

    ok: bool
    lines: int
    checked: int
    erased: int
    problems: list[BadLine]


class DeadLetter(Answer):
    """A letter that failed for good."""

    id: str
    sender: str
    message_id: str
    reason: str
    articles: list[str]
    failed_at: AwareDatetime
    can_retry: bool


class DeadLetters(RootModel[list[DeadLetter]]):
    """Letters that failed for good, newest first."""


class Retried(Answer):
    """What became of a dead letter."""

    outcome: str


class KeyReplaced(Answer):
    """Thumbprint of the new signing key."""

    kid: str


class Destroyed(Answer):
    """What retention destroys: ids of cases, and rows by table."""

    cases: list[str]
    rows: dict[str, int]
    held: list[str] = Field(description="cases that a dispute keeps beyond their day")
    total: int


class Planned(Answer):
    """What one rule would destroy now. delay: after which event and how long, in French.

    held: how many a dispute keeps beyond their day. next_at: when the rule strikes next.
    """

    table: str
    article: str
    delay: str
    due: int
    held: int
    next_at: AwareDatetime | None


class Due(Destroyed):
    """What retention would destroy now, and rule by rule."""

    rules: list[Planned]


class Deadline(Answer):
    """What is due, on which article, until when. level: how often it was escalated.

    subject: what it is about; null where it belongs to no case and is not this role's to know.
    """

    kind: str
    label: str
    article: str
    subject: str | None
    case_id: str | None
    due_at: AwareDatetime
    state: str
    level: int


class Deadlines(RootModel[list[Deadline]]):
    """What runs and what is late, soonest first."""


class ReviewHeld(Answer):
    """The day by which the parties meet again."""

    convention_id: str
    next_review: Day


class Insured(Answer):
    """The last day of the policy that was recorded."""

    convention_id: str
    last_day: Day


class HoldChanged(Answer):
    """The hold that was placed or released."""

    hold_id: str
    convention_id: str


class HoldPlaced(Answer):
    """What a dispute keeps: one case, or without one all of the convention."""

    hold_id: str
    case_id: str | None
    ground: Literal["amicable", "court"]
    placed_at: AwareDatetime
    released_at: AwareDatetime | None


class Holds(RootModel[list[HoldPlaced]]):
    """Holds of a convention, oldest first."""


class DerogationAsked(Answer):
    """A decision to act without agreement; expires_at: None until a second person confirmed."""

    derogation_id: str
    expires_at: AwareDatetime | None


class DerogationChanged(Answer):
    """The decision that was told, or reviewed."""

    derogation_id: str


class DerogationHeld(Answer):
    """One decision to act without agreement, ours or a partner's."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    derogation_id: str
    case_id: str
    type: str
    sender: str = Field(alias="from")
    to: str
    ground: str
    asked_at: AwareDatetime
    confirmed_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    sealed_until: Day | None
    message_id: str | None
    told_on: Day | None
    outcome: Literal["justified", "unjustified"] | None


class Derogations(RootModel[list[DerogationHeld]]):
    """Decisions to act without agreement, newest first."""


class AuthorisationNamed(Answer):
    """The authorisation that was given, or ended."""

    authorisation_id: str


class AuthorisationHeld(Answer):
    """Who may do what here, in which role, from when to when; never who it is elsewhere."""

    authorisation_id: str
    agent_id: str
    role: str
    first_day: Day
    last_day: Day | None
    ended_at: AwareDatetime | None


class Authorisations(RootModel[list[AuthorisationHeld]]):
    """Authorisations, newest first."""


class Cell(Answer):
    """One count; null where it is small, or would give a small one away."""

    code: str
    label: str
    number: int | None


class Count(Answer):
    """One indicator: its parts and their total; null where hidden.

    persons: whether each one counted is about a person; of other things nothing is hidden.
    """

    what: str
    article: str
    label: str
    persons: bool
    cells: list[Cell]
    total: int | None


class Report(Answer):
    """A year of a convention in numbers. threshold: the smallest that is shown to that audience.

    invented: the text was made up for a demonstration. parties: names of the organisations. zeros:
    smallest population of which a zero is shown.
    """

    convention_id: str
    title: str
    invented: bool
    parties: list[str]
    article: str
    first_day: Day
    last_day: Day
    published_at: AwareDatetime
    audience: str
    threshold: int
    zeros: int
    tables: list[Count]


class ReportPublished(Answer):
    """The year that was counted, and when: from then on its report stays as it is."""

    convention_id: str
    first_day: Day
    last_day: Day
    published_at: AwareDatetime
