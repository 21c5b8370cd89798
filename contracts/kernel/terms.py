"""What the parties sign: versions of a text, and the acts that one party can do alone.

Each document is verified against the keys that the text itself pins. What they come to together, a
signed convention and its state, is computed in `signed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from joserfc.jwk import OKPKey
from pydantic import Field, TypeAdapter, ValidationError

from contracts.kernel.documents import Document, verify, verify_many
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.fields import ConventionRef, Instant, LegalDay, ShortText
from contracts.kernel.organisation import Kind, OrgId, Suite


class Party(Document):
    """One signatory, with the fingerprint of the key it signs and receives with (annex)."""

    org: OrgId
    kind: Kind
    signing_key: str = Field(description="RFC 7638 thumbprint of the Ed25519 key")
    floor: Suite
    signatory: ShortText = Field(description="capacity in which the person signs, never a name")
    decision: ShortText = Field(description="reference of the decision that authorises it")


class Terms(Document):
    """What the parties sign: one version of one convention between named organisations.

    evidence: SHA-256 of the signed paper; None means no evidence, hence closed (A-13.1).
    effective_on: day from which this version applies; without it, and never before, the day of
    its last signature.
    invented: the text was made up for a demonstration, and says so wherever it is shown.
    """

    id: ConventionRef
    convention: str
    version: int = Field(ge=1, le=1_000_000)
    parties: tuple[Party, ...] = Field(min_length=2)
    evidence: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    effective_on: LegalDay | None = None
    until: LegalDay | None = Field(
        default=None, description="first day after the end that an amendment gives the text"
    )
    invented: bool = False


class ActKind(StrEnum):
    """What one party can do alone."""

    TERMINATION_NOTICE = "termination_notice"
    SUSPENSION = "suspension"
    RESUMPTION = "resumption"


class Act(Document):
    """A party's unilateral act, signed by it alone.

    sent_on, received_on: dates of the registered letter of a termination notice (A-10.1).
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{3,60}$")
    convention_id: ConventionRef
    kind: ActKind
    org: OrgId
    at: Instant
    sent_on: LegalDay | None = None
    received_on: LegalDay | None = None


@dataclass(frozen=True)
class Signed:
    """One verified version: its terms, and the day each party signed it."""

    terms: Terms
    signed_on: Mapping[str, date]

    @cached_property
    def complete(self) -> bool:
        """Every party signed and the evidence of it is recorded."""
        orgs = {party.org for party in self.terms.parties}
        return orgs == set(self.signed_on) and self.terms.evidence is not None

    @cached_property
    def last_signature(self) -> date | None:
        """Day of the last signature, from which the term runs (A-9.1)."""
        return max(self.signed_on.values()) if self.complete else None

    @cached_property
    def opens_on(self) -> date | None:
        """First day on which it applies: the day it names, never before the last signature."""
        signed, named = self.last_signature, self.terms.effective_on
        return signed if signed is None or named is None else max(signed, named)


TermsFinder = Callable[[str, str], OKPKey]
"""Public signing key of (organisation, key id); raises UnknownKey."""


def read_terms(token: str, find: TermsFinder) -> Signed:
    """Verify a signed version: each signature is by the key that the text itself pins.

    Raises InvalidDocument, UnknownKey.
    """
    content, said = verify_many(token, find)
    terms = Terms.parse(content)
    pinned = {party.org: party.signing_key for party in terms.parties}
    signed_on: dict[str, date] = {}
    for org, header in said.items():
        if pinned.get(org) != header["kid"]:
            raise InvalidDocument(f"{terms.id}: {org} signed with a key the annex does not name.")
        signed_on[org] = _day(header)
    return Signed(terms, signed_on)


_LEGAL_DAY: Final[TypeAdapter[date]] = TypeAdapter(LegalDay)


def _day(header: Mapping[str, Any]) -> date:
    try:
        return _LEGAL_DAY.validate_python(str(header["signed_on"]))
    except (KeyError, ValidationError):
        raise InvalidDocument("A signature states no date.") from None


def read_act(token: str, find: Callable[[str], OKPKey]) -> Act:
    """Verify a unilateral act; raises InvalidDocument, UnknownKey."""
    return Act.parse(verify(token, find, typ="act"))
