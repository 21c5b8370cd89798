"""What a flow hangs on: a convention, or a legal duty that holds with or without one.

A convention is written here as data: its clauses, its term, and its flows with their articles. The
gate, the broker's grants, the schemas, the clocks and the registers are all derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache

from contracts.kernel.canonical import digest
from contracts.kernel.checks import Check
from contracts.kernel.derogation import DerogationRule
from contracts.kernel.fields import Payload
from contracts.kernel.obligation import Obligation
from contracts.kernel.organisation import Kind
from contracts.kernel.suppression import SmallCells


class LegalBasis(StrEnum):
    """Article 6.1 GDPR; an agreement is a condition of a convention, never the legal basis."""

    LEGAL_OBLIGATION = "6.1.c"
    PUBLIC_TASK = "6.1.e"
    NO_PERSONAL_DATA = "none"


class Urgency(StrEnum):
    """How fast a message must be seen; ``without_delay`` carries a clock (A-3.15)."""

    ORDINARY = "ordinary"
    WITHOUT_DELAY = "without_delay"


class Cardinality(StrEnum):
    """What a flow does to its case."""

    OPENS = "opens"
    WITHIN = "within"
    NONE = "none"


class RestsOn(StrEnum):
    """By what a case goes on once it is open.

    agreement: it stops when that expires. contract: it rests on the signatures of a contract that
    may last longer, and only a withdrawal, its own end or the convention's stops it.
    """

    AGREEMENT = "agreement"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long the receiver keeps the record after a named event: months, days or hours, one only.

    Of none of them (0) it is kept until the event.

    transient: instead of any of them, nothing of the content is written there, nor any person; it
    is asked for again to be seen (C-5.1).
    """

    event: str
    article: str
    months: int | None = None
    days: int | None = None
    hours: int | None = None
    transient: bool = False

    @property
    def stated(self) -> int:
        """In how many ways it is said; one is right."""
        lengths = (self.months, self.days, self.hours)
        return sum(one is not None and one >= 0 for one in lengths) + self.transient


Content = type[Payload]
"""The class of a message's content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One permitted kind of message, in one direction.

    type: name of the message (``referral.submitted``). code: short opaque token in subjects.
    article: obligation that permits it. lifetime_days: after that an unread letter is `expired`.
    rests_on: by what the case goes on that it opens. derogations: on which grounds it may pass
    without agreement; of none, as almost everywhere, it never does.
    """

    type: str
    version: int = 1
    code: str
    label: str
    sender: Kind
    receiver: Kind
    article: str
    purpose: str
    legal_basis: LegalBasis
    payload: Content
    case: Cardinality
    checks: tuple[Check, ...]
    retention: Retention
    urgency: Urgency = Urgency.ORDINARY
    lifetime_days: int = 30
    rests_on: RestsOn = RestsOn.AGREEMENT
    derogations: tuple[DerogationRule, ...] = ()


class NoticeStarts(StrEnum):
    """What starts the clock of a termination notice: its receipt, or its sending."""

    RECEIPT = "receipt"
    SENDING = "sending"


class NoticeEnds(StrEnum):
    """When a convention under notice ends.

    after_notice: as soon as the months have run. yearly_date: on an anniversary of the last
    signature that lies at least so many months ahead; of a notice that comes later, the next one.
    """

    AFTER_NOTICE = "after_notice"
    YEARLY_DATE = "yearly_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRule:
    """How long a convention lasts: years from the last signature, or until a day.

    until: the first day on which it is no more, at whose midnight it closes (half-open): a text
    that says "until 31 December" ends on 1 January.
    """

    article: str
    years: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """Termination notice: months, what starts them, and when the convention then ends."""

    article: str
    months: int
    starts: NoticeStarts
    ends: NoticeEnds = NoticeEnds.AFTER_NOTICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One text, once, as data.

    code: name of its folder. letter: how its obligations are cited. version: of these rules; an
    amendment is a new one. purposes: each with the article that sets it; data collected for one
    serve no other. purge_months: after the end, until everything must be destroyed.
    minimisation_article: what a content with other fields is refused on.
    new_case_during_notice: the texts are silent; a reading, hence a setting (A-10.1).
    dispute_article: what is kept for a dispute is kept under it. insurance_article: where the text
    asks both parties to be insured. associated: bodies that an agreement may name beside the
    recipients, each with the article that asks for it. small_cells, year_begins:
    of the report for the review; the month in which the year it counts begins (1 to 12).
    obligations: what the text asks, line by line.
    """

    code: str
    letter: str
    version: int
    title: str
    parties: tuple[Kind, ...]
    parties_article: str
    purposes: Mapping[str, str]
    term: TermRule
    termination: Termination
    amendment_article: str
    evidence_article: str
    review_months: int
    review_article: str
    purge_months: int
    purge_article: str
    minimisation_article: str
    dispute_article: str
    flows: tuple[Flow, ...]
    new_case_during_notice: bool = True
    insurance_article: str | None = None
    associated: Mapping[str, str] = field(default_factory=dict)
    small_cells: SmallCells = field(default_factory=SmallCells)
    year_begins: int = 1
    obligations: tuple[Obligation, ...] = ()

    @property
    def rules_version(self) -> str:
        """Name under which a decision records the rules it was taken by."""
        return f"{self.code}/{self.version}"

    def flow(self, message_type: str, sender: Kind | None, receiver: Kind | None) -> Flow | None:
        """The flow of that type in that direction, if the text has one; None is no kind."""
        found = self.closest(message_type, sender, receiver)
        fits = found is not None and (found.sender, found.receiver) == (sender, receiver)
        return found if fits else None

    def closest(self, message_type: str, sender: Kind | None, receiver: Kind | None) -> Flow | None:
        """The flow that a refusal speaks of, never one to send by: see `closest`."""
        return closest(self.flows, message_type, sender, receiver)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalDuty:
    """A duty laid down by law between two kinds of organisation, whatever they signed.

    starts_on, repealed_on: half-open interval of the text's life. minimisation_article: what a
    content with other fields is refused on.
    """

    code: str
    letter: str
    version: int
    title: str
    article: str
    minimisation_article: str
    sender: Kind
    receiver: Kind
    starts_on: date
    repealed_on: date | None
    flows: tuple[Flow, ...] = field(default=())

    @property
    def rules_version(self) -> str:
        """Name under which a decision records the rules it was taken by."""
        return f"{self.code}/{self.version}"

    def flow(self, message_type: str, sender: Kind | None, receiver: Kind | None) -> Flow | None:
        """The flow of that type in that direction, if the text has one; None is no kind."""
        found = self.closest(message_type, sender, receiver)
        fits = found is not None and (found.sender, found.receiver) == (sender, receiver)
        return found if fits else None

    def closest(self, message_type: str, sender: Kind | None, receiver: Kind | None) -> Flow | None:
        """The flow that a refusal speaks of, never one to send by: see `closest`."""
        return closest(self.flows, message_type, sender, receiver)


def closest(
    flows: Iterable[Flow], message_type: str, sender: Kind | None, receiver: Kind | None
) -> Flow | None:
    """Of the flows of a type, that of the direction, else the first from that sender, else any.

    None for a type that is not there.
    """
    wanted = (flow for flow in flows if flow.type == message_type)
    return max(
        wanted, key=lambda one: (one.sender is sender, one.receiver is receiver), default=None
    )


Instrument = Convention | LegalDuty


@lru_cache(maxsize=65536)
def subject_token(instrument_id: str) -> str:
    """Short opaque token of an instrument in subjects: ten hexadecimal digits of its digest."""
    return digest(instrument_id)[:10]
