"""A signed convention: a text bound to named organisations by the keys of all of them.

Its state is computed from dates and acts, never set by hand. Every node verifies the documents
itself, so whoever keeps them can withhold them but never open a flow.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import count
from typing import Final, Literal

from contracts.kernel.errors import InvalidDocument
from contracts.kernel.facts import InstrumentFacts
from contracts.kernel.instrument import Convention, Instrument, NoticeEnds, NoticeStarts
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, add_years, day_of, midnight
from contracts.kernel.terms import Act, ActKind, Party, Signed

ConventionId = str


class State(StrEnum):
    """Life of a signed convention; open means in force or under notice.

    ended: the day it ends. purging: from the next day, while what was received is being destroyed.
    """

    DRAFT = "draft"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    NOTICE_GIVEN = "notice_given"
    SUSPENDED = "suspended"
    ENDED = "ended"
    PURGING = "purging"
    PURGED = "purged"


OPEN_STATES = frozenset({State.IN_FORCE, State.NOTICE_GIVEN})


NOTICE_DAYS: Final = 31
"""A notice counts from its letter, and from no earlier than so many days before its act: what a
party learns of only now must not have ended before now."""

NoticeFault = Literal["before_signature", "stale"]
"""Why a termination notice counts for nothing: its letter is older than the first signature, or
than a year when the act was done."""


@dataclass(frozen=True)
class SignedConvention:
    """All versions and acts of one signed convention, in order."""

    id: ConventionId
    convention: Convention
    versions: tuple[Signed, ...]
    acts: tuple[Act, ...] = ()

    @property
    def instrument(self) -> Instrument:
        """The convention itself."""
        return self.convention

    @cached_property
    def orgs(self) -> frozenset[str]:
        """The organisations it binds."""
        return frozenset(party.org for party in self.versions[0].terms.parties)

    def party(self, org: str) -> Party | None:
        """The annex entry of an organisation, in its latest complete version."""
        return self._parties.get(org)

    @cached_property
    def _parties(self) -> Mapping[str, Party]:
        complete = [one for one in self.versions if one.complete] or list(self.versions)
        return {party.org: party for party in complete[-1].terms.parties}

    def kind_of(self, org: str) -> Kind | None:
        """As what an organisation signed; None when it did not."""
        party = self.party(org)
        return None if party is None else party.kind

    @property
    def purge_months(self) -> int:
        """Months until what it brought here must be destroyed."""
        return self.convention.purge_months

    @property
    def purge_article(self) -> str:
        """On which article."""
        return self.convention.purge_article

    def org_of(self, kind: Kind) -> str | None:
        """The party of that kind."""
        return next((p.org for p in self.versions[0].terms.parties if p.kind is kind), None)

    def version_at(self, at: datetime) -> int | None:
        """Version that applies at an instant: the last complete one already effective."""
        found = None
        for one in self.versions:
            if one.opens_on is not None and midnight(one.opens_on) <= at:
                found = one.terms.version
        return found

    @cached_property
    def _turns(self) -> Sequence[datetime]:
        """Instants at which what applies may change: a version takes effect, an act is done."""
        days = (one.opens_on for one in self.versions)
        opened = (midnight(day) for day in days if day is not None)
        return sorted({*opened, *(act.at for act in self.acts)})

    @cached_property
    def opens_on(self) -> date | None:
        """Day of entry into force: the last signature of the first version, or a later day."""
        return self.versions[0].opens_on

    @cached_property
    def term_ends_on(self) -> date | None:
        """First day after the term, from the text or its latest amendment."""
        return self._term_end(self.versions)

    def term_ends_at(self, at: datetime) -> date | None:
        """The same as the versions have it that apply by an instant: an amendment reopens nothing.

        Signed, and yet to take effect, it leaves a text that is over as it is until its own day.
        """
        first, *later = self.versions
        applied = [one for one in later if one.opens_on and midnight(one.opens_on) <= at]
        return self._term_end((first, *applied))

    def _term_end(self, versions: Sequence[Signed]) -> date | None:
        amended = [one.terms.until for one in versions if one.complete and one.terms.until]
        if amended:
            return amended[-1]
        if self.convention.term.until is not None:
            return self.convention.term.until
        signed = self.versions[0].last_signature
        if signed is None or self.convention.term.years is None:
            return None
        return add_years(signed, self.convention.term.years)

    @cached_property
    def _notice_day(self) -> date | None:
        """Day that starts the earliest notice; a letter not yet received starts nothing."""
        receipt = self.convention.termination.starts is NoticeStarts.RECEIPT
        days = [
            max(day, day_of(act.at) - timedelta(days=NOTICE_DAYS))
            for act in self.acts
            if act.kind is ActKind.TERMINATION_NOTICE
            and self.notice_fault(act) is None
            and (day := act.received_on if receipt else act.sent_on) is not None
        ]
        return min(days, default=None)

    def notice_fault(self, act: Act) -> NoticeFault | None:
        """Why a termination notice counts for nothing, if it does (A-10.1).

        Else one document with an old date would end, and have destroyed, everything at once.
        """
        letter = [day for day in (act.sent_on, act.received_on) if day is not None]
        signed = self.versions[0].signed_on.values()
        if letter and signed and min(letter) < min(signed):
            return "before_signature"
        if letter and min(letter) < add_years(day_of(act.at), -1):
            return "stale"
        return None

    @cached_property
    def notice_ends_on(self) -> date | None:
        """First day after the termination notice has run (A-10.1, C-8.3), if one was given."""
        day, rule = self._notice_day, self.convention.termination
        if day is None:
            return None
        if rule.ends is NoticeEnds.AFTER_NOTICE:
            return add_months(day, rule.months)
        return next(one for one in self._anniversaries() if add_months(one, -rule.months) >= day)

    def _anniversaries(self) -> Iterator[date]:
        """Yearly dates of the text: each anniversary of its last signature."""
        signed = self.versions[0].last_signature
        return (add_years(signed, years) for years in count(1)) if signed else iter(())

    @cached_property
    def ends_on(self) -> date | None:
        """First day on which nothing may flow any more."""
        days = [day for day in (self.term_ends_on, self.notice_ends_on) if day is not None]
        return min(days, default=None)

    def ends_at(self, at: datetime) -> date | None:
        """First day on which nothing may flow, as an instant knows it: see `term_ends_at`."""
        days = [day for day in (self.term_ends_at(at), self.notice_ends_on) if day is not None]
        return min(days, default=None)

    @cached_property
    def purged_on(self) -> date | None:
        """Day by which what was received under it must be destroyed."""
        end = self.ends_on
        return None if end is None else add_months(end, self.convention.purge_months)

    def suspended(self, at: datetime) -> bool:
        """Whether a party's suspension holds at the instant."""
        held: set[str] = set()
        for act in self._acts:
            if act.at > at:
                break
            if act.kind is ActKind.SUSPENSION:
                held.add(act.org)
            elif act.kind is ActKind.RESUMPTION:
                held.discard(act.org)
        return bool(held)

    @cached_property
    def _acts(self) -> Sequence[Act]:
        return sorted(self.acts, key=_in_order)

    def state(self, at: datetime) -> State:
        """State at an instant, from dates and acts alone."""
        opens, ends = self.opens_on, self.ends_at(at)
        if opens is None or ends is None:
            return State.DRAFT
        if at >= midnight(add_months(ends, self.convention.purge_months)):
            return State.PURGED
        if at >= midnight(ends):
            return State.ENDED if day_of(at) == ends else State.PURGING
        if at < midnight(opens):
            return State.SIGNED
        if self.suspended(at):
            return State.SUSPENDED
        day = self._notice_day
        return State.NOTICE_GIVEN if day is not None and midnight(day) <= at else State.IN_FORCE

    def open_at(self, at: datetime) -> bool:
        """Whether messages may flow at that instant."""
        return self.state(at) in OPEN_STATES

    def facts(
        self, at: datetime, version_there: int | None, sent_at: datetime | None = None
    ) -> InstrumentFacts:
        """What the gate is told about it at an instant; sent_at: when the version had to apply.

        Nothing of it changes between two turns, so it is put together once for all of them.
        """
        sent_at = sent_at or at
        then = bisect_right(self._turns, at), bisect_right(self._turns, sent_at)
        known = self._told.get(then)
        if known is None:
            known = self._told[then] = self._facts(at, version_there, sent_at)
        if known.version_there == version_there:
            return known
        return replace(known, version_there=version_there)

    @cached_property
    def _told(self) -> dict[tuple[int, int], InstrumentFacts]:
        return {}

    def _facts(self, at: datetime, version_there: int | None, sent_at: datetime) -> InstrumentFacts:
        opens, ends, day = self.opens_on, self.term_ends_at(at), self._notice_day
        notice_ends = self.notice_ends_on
        return InstrumentFacts(
            id=self.id,
            parties=self.orgs,
            evidence=opens is not None,
            version_here=self.version_at(sent_at),
            version_there=version_there,
            opens_at=None if opens is None else midnight(opens),
            closes_at=None if ends is None else midnight(ends),
            notice_at=None if day is None else midnight(day),
            notice_ends_at=None if notice_ends is None else midnight(notice_ends),
            suspended=self.suspended(at),
        )


def _in_order(act: Act) -> tuple[datetime, bool]:
    """By instant; of two acts of one instant the suspension comes last, and holds."""
    return act.at, act.kind is ActKind.SUSPENSION


def assemble(
    convention: Convention, versions: Sequence[Signed], acts: Sequence[Act]
) -> SignedConvention:
    """Put versions and acts together.

    Each act must come from a party, and each version be of this convention, under one id, between
    the same organisations, or it raises InvalidDocument.
    """
    if not versions:
        raise InvalidDocument(f"A signed convention of {convention.code} needs a text.")
    ordered = tuple(sorted(versions, key=lambda one: one.terms.version))
    first = ordered[0].terms
    orgs = {party.org for party in first.parties}
    kinds = sorted(party.kind for party in first.parties)
    if kinds != sorted(convention.parties) or len(orgs) != len(kinds):
        raise InvalidDocument(f"{first.id}: the parties are not those of {convention.code}.")
    if len({one.terms.version for one in ordered}) != len(ordered):
        raise InvalidDocument(f"{first.id}: two texts claim one version.")
    for one in ordered:
        if (one.terms.id, one.terms.convention) != (first.id, convention.code):
            raise InvalidDocument(f"{first.id}: a text belongs to another convention.")
        if {party.org for party in one.terms.parties} != orgs:
            raise InvalidDocument(f"{first.id}: an amendment cannot change the parties.")
    for act in acts:
        if act.org not in orgs or act.convention_id != first.id:
            raise InvalidDocument(f"{first.id}: {act.org} is no party to it.")
    return SignedConvention(first.id, convention, ordered, tuple(acts))
