"""Three organisations with fixed keys, and instants to judge them by."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from contracts.broker.activations import Activation, activation_token, read_activation
from contracts.broker.claims import Account
from contracts.broker.grants import Grant, grant
from contracts.broker.nkey import KeyKind, KeyPair, key_pair

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
END = datetime(2029, 4, 29, 22, 0, tzinfo=UTC)
RENEWAL = NOW + timedelta(days=30)


def key(name: str, kind: KeyKind = KeyKind.ACCOUNT) -> KeyPair:
    return key_pair(kind, hashlib.sha256(f"{kind.name} {name}".encode()).digest())


OPERATOR = key("operator", KeyKind.OPERATOR)
OPERATOR_SIGNING = key("operator signing", KeyKind.OPERATOR)


def account(code: str) -> Account:
    return Account(code, key(code).public, (key(f"{code} signing").public,))


def flow(
    sender: str = "a", receiver: str = "b", message: str = "m", convention: str = "cv"
) -> Grant:
    return grant(
        sender=sender, receiver=receiver, convention=convention, message=message, expires_at=END
    )


def token(made: Grant, *, sender: str | None = None, signer: KeyPair | None = None) -> str:
    return activation_token(
        made,
        sender_key=key(sender or made.sender).public,
        receiver_key=key(made.receiver).public,
        signer=signer or key(f"{made.receiver} signing"),
        issued_at=NOW,
    )


def activated(*grants: Grant) -> dict[str, Activation]:
    return {made.subject: read_activation(token(made)) for made in grants}
