"""Making the hub hold exactly what was compiled, and saying what had to be mended.

Run at every change, at each start of the hub, and periodically: the hub would keep a claim signed
by a wrong key or rolled back by hand, and answers 200 to both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from contracts.broker.claims import check_account_claims, deletion_request
from contracts.broker.nkey import KeyPair
from contracts.broker.tokens import Claims, decode_and_verify, seconds, sign
from contracts.kernel.errors import InvalidDocument, RelaisError

_AT_ONCE: Final = 64


class ClaimsStore(Protocol):
    """What `HubLink` offers: the claims that the hub holds."""

    async def push(self, token: str) -> None:
        """Store and apply an account's claims."""

    async def lookup(self, account: str) -> str | None:
        """Read an account's claims."""

    async def accounts(self) -> tuple[str, ...]:
        """List accounts."""

    async def delete(self, request: str) -> None:
        """Forget accounts."""


class Difference(StrEnum):
    """How what the hub holds differs from what was compiled."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    """Not a token, or a signature that does not hold."""
    FOREIGN_KEY = "foreign_key"
    """Signed by another key than the operator's signing key: locked out at the next start."""
    CHANGED = "changed"
    """Other rights: a convention changed here, or an older claim was pushed there."""
    ENDING = "ending"
    """Right rights, but it ends before `renew_before`, or later than it should."""
    STRANGER = "stranger"
    """An account that the directory does not know, or no longer knows."""


@dataclass(frozen=True, slots=True)
class Mended:
    """One account that differed. account: its public key. failure: code if it still differs."""

    account: str
    difference: Difference
    failure: str | None = None


def compare(
    wanted: Mapping[str, Any],
    found: str | None,
    *,
    issuer: str,
    renew_before: datetime,
) -> Difference | None:
    """Compare compiled claims with what the hub holds for the same account; None: it holds.

    issuer: public key of the operator's signing key. renew_before: claims that end earlier are
    signed anew; without it every compilation would push everything, since `exp` moves.
    """
    if found is None:
        return Difference.MISSING
    try:
        claims = decode_and_verify(found)
    except InvalidDocument:
        return Difference.UNREADABLE
    if claims["iss"] != issuer:
        return Difference.FOREIGN_KEY
    if _rights(claims) != _rights(wanted):
        return Difference.CHANGED
    if not seconds(renew_before) <= claims.get("exp", 0) <= wanted["exp"]:
        return Difference.ENDING
    return None


def _rights(claims: Mapping[str, Any]) -> Claims:
    return {name: claims.get(name) for name in ("sub", "name", "nats", "nbf", "aud")}


async def reconcile(
    store: ClaimsStore,
    wanted: Collection[Mapping[str, Any]],
    signer: KeyPair,
    *,
    system_account: str,
    at: datetime,
    renew_before: datetime,
) -> tuple[Mended, ...]:
    """Push the claims that differ, delete strangers, read back; return what had to be mended.

    wanted: the whole compiled set, unsigned. signer: the operator's signing key. system_account:
    public key that is never a stranger. An account that fails is reported with its code and does
    not hold up the others. Raises InvalidDocument when wanted is empty, since an empty directory
    would cut everyone, and Unavailable when the hub is away from the start.
    """
    if not wanted:
        raise InvalidDocument("Un annuaire vide couperait tout le monde.", code="empty_directory")
    known = {system_account, *(str(claims["sub"]) for claims in wanted)}
    strangers = sorted(set(await store.accounts()) - known)
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(claims: Mapping[str, Any]) -> Mended | None:
        async with turn:
            return await _mend(store, claims, signer, at, renew_before)

    mended = await asyncio.gather(*(one(claims) for claims in wanted))
    removed = await _remove(store, strangers, signer, at) if strangers else ()
    return (*(entry for entry in mended if entry is not None), *removed)


async def _mend(
    store: ClaimsStore,
    claims: Mapping[str, Any],
    signer: KeyPair,
    at: datetime,
    renew_before: datetime,
) -> Mended | None:
    account = str(claims["sub"])
    found = await store.lookup(account)
    difference = compare(claims, found, issuer=signer.public, renew_before=renew_before)
    if difference is None:
        return None
    try:
        check_account_claims(claims, at)
        token = sign(claims, signer, at)
        await store.push(token)
        held = await store.lookup(account)
    except RelaisError as error:
        return Mended(account, difference, error.code)
    return Mended(account, difference, None if held == token else "not_kept")


async def _remove(
    store: ClaimsStore, strangers: Iterable[str], signer: KeyPair, at: datetime
) -> tuple[Mended, ...]:
    accounts = tuple(strangers)
    try:
        await store.delete(deletion_request(accounts, signer, at))
    except RelaisError as error:
        return tuple(Mended(account, Difference.STRANGER, error.code) for account in accounts)
    held = set(await store.accounts())
    return tuple(
        Mended(account, Difference.STRANGER, "not_kept" if account in held else None)
        for account in accounts
    )
