"""A person's accord to named flows and recipients, and the proof of it that travels.

None of agreement, assent and notice is the legal basis; they are conditions the conventions set
(A-2.10, A-2.11, A-4.1). The collector keeps the record; the receiver gets a proof that holds no
name, and the list in which the collector signed it.
"""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Literal, Self

from joserfc.jwk import OKPKey
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.kernel.canonical import digest
from contracts.kernel.checks import Giver
from contracts.kernel.documents import Document, KeyFinder, sign, verify
from contracts.kernel.facts import AgreementFacts
from contracts.kernel.fields import Code, Instant, NoticeVersion, Payload
from contracts.kernel.organisation import OrgId
from contracts.kernel.paris import add_months, birthday, day_of, midnight

Assent = Literal["yes", "no", "not_asked"]
"""The young person's own word: asked for from 15, recorded at any age."""

MONTHS = 12
"""An agreement lasts twelve months at most."""

LISTED = 64
"""Proofs in one list, at most: as many as a lot has letters."""

_TYPE = "agreement-proofs"


class Proof(Document):
    """Reference to an agreement, random for each pair of organisations.

    It counts where its collector signed a list that names it.

    identity: digest of the identity as the content carries it, all of it or a part, salted by the
    reference; the receiver compares it with what it was given, so a proof for one person cannot
    carry another. adult: whether the person is 18, only where the content holds no birth date, or
    nobody there could tell who may agree. A proof that would last longer than an agreement may is
    none.
    """

    reference: str = Field(pattern=r"^[0-9a-f]{32}$")
    collector: OrgId
    receiver: OrgId
    convention_id: str
    identity: str = Field(pattern=r"^[0-9a-f]{64}$")
    flows: tuple[str, ...] = Field(min_length=1)
    giver: Giver
    assent: Assent
    adult: bool | None = None
    associated: tuple[Code, ...] = ()
    notice_version: NoticeVersion
    notice_at: Instant
    given_at: Instant
    expires_at: Instant

    @model_validator(mode="after")
    def _within_a_year(self) -> Self:
        latest = midnight(add_months(day_of(self.given_at), MONTHS))
        if not self.given_at <= self.expires_at <= latest:
            raise PydanticCustomError("proof_term", "outlasts an agreement")
        return self

    def facts(
        self, withdrawn_at: datetime | None, suspended_at: datetime | None = None
    ) -> AgreementFacts:
        """What the receiver's gate is told of it."""
        return AgreementFacts(
            reference=self.reference,
            giver=self.giver,
            flows=frozenset(self.flows),
            recipients=frozenset((self.receiver, self.collector)),
            given_at=self.given_at,
            expires_at=self.expires_at,
            withdrawn_at=withdrawn_at,
            suspended_at=suspended_at,
            associated=frozenset(self.associated),
        )


def identity_digest(reference: str, identity: Payload) -> str:
    """Digest of an identity, or of a smaller block of it, under a random reference.

    Two references give unrelated digests.
    """
    return digest([reference, identity.model_dump(mode="json")])


class ProofList(Document):
    """Proofs that their collector signs together: those of one lot, to one receiver.

    proofs: SHA-256 of each proof's text. Each holds a random reference, so its digest tells nothing
    to whoever is shown the list beside another proof.
    """

    collector: OrgId
    receiver: OrgId
    proofs: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = Field(
        min_length=1, max_length=LISTED
    )


def proof_text(proof: Proof) -> str:
    """The proof as it travels and is kept; its digest is over these very characters."""
    return proof.to_bytes().decode()


def proof_digest(text: str) -> str:
    """What a list names a proof by: the hexadecimal SHA-256 of its text."""
    return sha256(text.encode()).hexdigest()


def sign_proofs(listed: ProofList, key: OKPKey, kid: str | None = None) -> str:
    """The list as a JWS of the collector; kid names the key, its thumbprint by default."""
    return sign(listed.to_bytes(), key, kid=kid, typ=_TYPE)


def read_proofs(token: str, find: KeyFinder) -> ProofList:
    """Verify a list; raises InvalidDocument, UnknownKey."""
    return ProofList.parse(verify(token, find, typ=_TYPE))


def expiry(
    given_on: date, *, birth: date, giver: Giver, convention_ends_on: date | None = None
) -> datetime:
    """Instant at which an agreement stops (half-open, Paris midnight).

    The earliest of twelve months, the end of the convention if there is one, and, where a
    representative gave it, the young person's majority.
    """
    ends = [add_months(given_on, MONTHS)]
    if convention_ends_on is not None:
        ends.append(convention_ends_on)
    if giver is not Giver.YOUNG_PERSON:
        ends.append(birthday(birth, 18))
    return midnight(min(ends))
