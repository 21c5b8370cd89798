"""What binds two organisations: a convention they signed, or a duty the law lays between them.

Both answer the same questions of the gate, the outbox and the inbox, so that nothing there knows
which of the two it carries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from contracts.kernel.facts import InstrumentFacts
from contracts.kernel.instrument import Instrument, LegalDuty
from contracts.kernel.organisation import DirectoryEntry, Kind
from contracts.kernel.paris import midnight
from contracts.kernel.signed import SignedConvention


@dataclass(frozen=True)
class DutyBetween:
    """A legal duty between two organisations; no signature opens it, and no notice ends it."""

    duty: LegalDuty
    kinds: tuple[tuple[str, Kind], ...]

    @property
    def id(self) -> str:
        """The duty's code: it is one and the same between all."""
        return self.duty.code

    @property
    def instrument(self) -> Instrument:
        """The duty itself."""
        return self.duty

    @cached_property
    def orgs(self) -> frozenset[str]:
        """The organisations it joins."""
        return frozenset(org for org, _ in self.kinds)

    def kind_of(self, org: str) -> Kind | None:
        """As what an organisation is bound; None when it is not."""
        return dict(self.kinds).get(org)

    def org_of(self, kind: Kind) -> str | None:
        """The organisation of that kind."""
        return next((org for org, one in self.kinds if one is kind), None)

    @property
    def purge_months(self) -> int:
        """No delay beside the retention that the duty itself sets."""
        return 0

    @property
    def purge_article(self) -> str:
        """The duty's own article."""
        return self.duty.article

    def version_at(self, _at: datetime) -> int | None:
        """Version of the rules; the law's own versions are other duties."""
        return self.duty.version

    @property
    def ends_on(self) -> date | None:
        """Day of its repeal, if one is known."""
        return self.duty.repealed_on

    def open_at(self, at: datetime) -> bool:
        """Whether the law is in force at that instant."""
        ends = self.duty.repealed_on
        return midnight(self.duty.starts_on) <= at and (ends is None or at < midnight(ends))

    def facts(
        self, _at: datetime, version_there: int | None, _sent_at: datetime | None = None
    ) -> InstrumentFacts:
        """What the gate is told about it."""
        ends = self.duty.repealed_on
        return InstrumentFacts(
            id=self.id,
            parties=self.orgs,
            evidence=True,
            version_here=self.duty.version,
            version_there=version_there,
            opens_at=midnight(self.duty.starts_on),
            closes_at=None if ends is None else midnight(ends),
        )


Binding = SignedConvention | DutyBetween


def duty_between(duty: LegalDuty, *entries: DirectoryEntry) -> DutyBetween | None:
    """The duty between two organisations; None unless they are of the kinds it binds."""
    kinds = tuple((one.org, one.kind) for one in entries)
    if sorted(kind for _, kind in kinds) != sorted((duty.sender, duty.receiver)):
        return None
    return DutyBetween(duty, kinds)
