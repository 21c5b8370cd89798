"""Organisations of the tests: keys in memory, and everything they may sign with them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from joserfc.jwk import OKPKey

from contracts.broker import nkey
from contracts.broker.nkey import KeyKind, KeyPair
from contracts.kernel.documents import add_signature, kid_of, new_key, sign
from contracts.kernel.keyring import ENTRY, ROTATION, signing_key
from contracts.kernel.organisation import (
    BrokerKeys,
    DirectoryEntry,
    EncryptionKey,
    Kind,
    RotationStatement,
    Suite,
)
from contracts.kernel.terms import Act, ActKind, Party, Terms

AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
SIGNED_ON = date(2026, 1, 15)
EVIDENCE = hashlib.sha256(b"paper").hexdigest()


def account_key() -> KeyPair:
    return nkey.key_pair(KeyKind.ACCOUNT, os.urandom(32))


@dataclass
class Organisation:
    """One organisation; `key` is its present signing key."""

    org: str
    kind: Kind
    code: str
    key: OKPKey = field(default_factory=new_key)
    account: KeyPair = field(default_factory=account_key)
    account_signing: KeyPair = field(default_factory=account_key)
    sequence: int = 0

    @property
    def kid(self) -> str:
        return kid_of(self.key)

    @property
    def own(self) -> dict[str, OKPKey]:
        return {self.kid: self.key}

    def described(self) -> DirectoryEntry:
        public = EncryptionKey(kid="k" * 22, suite=Suite.XWING, public="AA", not_after=AT)
        return DirectoryEntry(
            org=self.org,
            kind=self.kind,
            name="Organisme",
            code=self.code,
            dpo="dpo@organisme.example",
            sequence=max(self.sequence, 1),
            issued_at=AT,
            signing_key=signing_key(self.key),
            encryption_keys=(public,),
            floor=Suite.XWING,
            schemas={},
            broker=BrokerKeys(account=self.account.public, signing=self.account_signing.public),
        )

    def entry(self) -> str:
        """Sign a new entry, with the next sequence."""
        self.sequence += 1
        return sign(self.described().to_bytes(), self.key, typ=ENTRY)

    def rotate(self, at: datetime = AT, successor: OKPKey | None = None) -> str:
        """Take a new key; returns the statement of the former one."""
        former, self.key = self.key, successor or new_key()
        content = RotationStatement(org=self.org, successor=signing_key(self.key), at=at)
        return sign(content.to_bytes(), former, typ=ROTATION)

    def act(self, kind: ActKind, convention_id: str, at: datetime = AT, **more: date) -> str:
        content = Act(
            id=f"{kind.value.replace('_', '-')}-{int(at.timestamp())}",
            convention_id=convention_id,
            kind=kind,
            org=self.org,
            at=at,
            sent_on=more.get("sent_on"),
            received_on=more.get("received_on"),
        )
        return sign(content.to_bytes(), self.key, typ="act")


def city(code: str = "c1") -> Organisation:
    return Organisation("ville", Kind.CITY, code)


def school(code: str = "s1") -> Organisation:
    return Organisation("college", Kind.SCHOOL, code)


def text(
    *parties: Organisation,
    name: str = "conv-a",
    version: int = 1,
    effective_on: date | None = None,
    until: date | None = None,
    evidence: str | None = EVIDENCE,
) -> Terms:
    """Terms of convention A between organisations, their present keys in the annex."""
    return Terms(
        id=name,
        convention="a_city_school",
        version=version,
        parties=tuple(
            Party(
                org=one.org,
                kind=one.kind,
                signing_key=one.kid,
                floor=Suite.XWING,
                signatory="maire",
                decision="deliberation 12",
            )
            for one in parties
        ),
        evidence=evidence,
        effective_on=effective_on,
        until=until,
    )


def signed(terms: Terms, *signers: Organisation, on: date = SIGNED_ON) -> str:
    """The text signed by these organisations."""
    token: str | None = None
    for one in signers:
        said = {"signed_on": on.isoformat()}
        token = add_signature(token, terms.to_bytes(), one.org, one.key, said)
    assert token is not None
    return token
