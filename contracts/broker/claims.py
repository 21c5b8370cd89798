"""What each NATS JWT of the federation claims, and how it is signed.

Who signs what is the whole security of the bus:

    operator's identity key (offline) ─ signs ─ operator: lists its signing keys
    operator's signing key (registrar) ─ signs ─ accounts: one per organisation
    account's signing key (in the node) ─ signs ─ leaf user: how the node links
                                        └ signs ─ activations: what others may send it

Every limit left out of an account means 0, that is forbidden; none is left out by accident here.
Instants are arguments, and each one is aware.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from contracts.broker.nkey import KeyKind, KeyPair, raw_public
from contracts.broker.subjects import check_code, incoming, outgoing, parse_subject
from contracts.broker.tokens import Claims, InvalidToken, seconds, sign

MAX_PAYLOAD: Final = 1024 * 1024
"""Bytes an organisation may pass in one message; a leaf that exceeds it loses its whole link."""
MAX_SUBSCRIPTIONS: Final = 50_000
"""Subscriptions one organisation may hold on the hub, so that a hostile leaf cannot fill it."""
CLAIMS_UPDATE: Final = "$SYS.REQ.CLAIMS.UPDATE"
CLAIMS_DELETE: Final = "$SYS.REQ.CLAIMS.DELETE"
CLAIMS_LIST: Final = "$SYS.REQ.CLAIMS.LIST"
CLAIMS_LOOKUP: Final = "$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP"

_UNLIMITED: Final = -1
_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Account:
    """An organisation as the broker knows it.

    code: its code in subjects. key: public key of its account. signing_keys: public keys with
    which its node signs activations and leaf users. revoked_activations: by subject, the instant
    up to which activations issued for it are void, kept here so that an older claim pushed again
    opens nothing. revoked_users: by user key, likewise; a revoked user's link is cut.
    leafs: links it may hold at once, two of them so that one can replace the other.
    """

    code: str
    key: str
    signing_keys: tuple[str, ...]
    revoked_activations: Mapping[str, datetime] = field(default_factory=dict)
    revoked_users: Mapping[str, datetime] = field(default_factory=dict)
    leafs: int = 2

    def __post_init__(self) -> None:
        """Refuse a code or a key that is not one. Raises InvalidSubject, InvalidKey."""
        check_code(self.code)
        for key in (self.key, *self.signing_keys):
            raw_public(key, KeyKind.ACCOUNT)


class Export(NamedTuple):
    """A subject on which the organisation receives, and the one account that may use it."""

    subject: str
    sender_key: str


class Import(NamedTuple):
    """A subject on which the organisation sends, and the receiver's activation for it."""

    subject: str
    receiver_key: str
    token: str


def operator_token(
    operator: KeyPair, *, signing_keys: Iterable[str], system_account: str, issued_at: datetime
) -> str:
    """Operator's JWT, signed by its identity key, which may then go offline for good.

    signing_keys: public operator keys that alone may sign accounts. system_account: its public key.
    """
    nats = {
        "signing_keys": sorted(signing_keys),
        "system_account": system_account,
        "strict_signing_key_usage": True,
        "type": "operator",
        "version": _VERSION,
    }
    return sign({"name": "relais", "sub": operator.public, "nats": nats}, operator, issued_at)


def system_account_token(
    key: str,
    *,
    signing_keys: Iterable[str],
    signer: KeyPair,
    issued_at: datetime,
    expires_at: datetime,
) -> str:
    """System account's JWT, which must lie in the resolver's folder before the hub first starts.

    It takes clients and no leaf. signer: an operator signing key. expires_at: the registrar can no
    longer push from then on, so it is renewed well before.
    """
    nats = {
        "signing_keys": sorted(signing_keys),
        "limits": _limits(payload=_UNLIMITED, connections=_UNLIMITED, leafs=0),
        "default_permissions": {"pub": {}, "sub": {}},
        "type": "account",
        "version": _VERSION,
    }
    claims = {"exp": seconds(expires_at), "name": "SYS", "sub": key, "nats": nats}
    return sign(claims, signer, issued_at)


def account_claims(
    account: Account,
    *,
    exports: Sequence[Export],
    imports: Sequence[Import],
    expires_at: datetime,
) -> Claims:
    """Unsigned claims of one organisation's account; equal inputs in any order give equal claims.

    Each export is one literal service that only an activation opens. No JetStream limit: the hub
    could not store for it even if it had a disk. expires_at: the account closes if the registrar
    does not renew it by then.
    """
    nats = {
        "imports": [_import(i) for i in sorted(imports)],
        "exports": [_export(e, account.revoked_activations) for e in sorted(exports)],
        "limits": _limits(payload=MAX_PAYLOAD, connections=account.leafs, leafs=account.leafs),
        "signing_keys": sorted(account.signing_keys),
        "revocations": _instants(account.revoked_users),
        "default_permissions": {"pub": {}, "sub": {}},
        "type": "account",
        "version": _VERSION,
    }
    return {"exp": seconds(expires_at), "name": account.code, "sub": account.key, "nats": nats}


def _import(entry: Import) -> Claims:
    # No local_subject: a renamed import keeps flowing after its activation expired.
    return {
        "name": entry.subject,
        "subject": entry.subject,
        "account": entry.receiver_key,
        "token": entry.token,
        "type": "service",
    }


def _export(entry: Export, revoked: Mapping[str, datetime]) -> Claims:
    # No account_token_position: it silently disables token_req.
    export: Claims = {
        "name": entry.subject,
        "subject": entry.subject,
        "type": "service",
        "token_req": True,
        "response_type": "Singleton",
    }
    if entry.subject in revoked:
        export["revocations"] = _instants({entry.sender_key: revoked[entry.subject]})
    return export


def _limits(*, payload: int, connections: int, leafs: int) -> Claims:
    # Leafs count among connections when claims change: fewer of these cut running links.
    return {
        "subs": MAX_SUBSCRIPTIONS,
        "data": _UNLIMITED,
        "payload": payload,
        "imports": _UNLIMITED,
        "exports": _UNLIMITED,
        "wildcards": False,
        "conn": connections,
        "leaf": leafs,
    }


def _instants(by_key: Mapping[str, datetime]) -> dict[str, int]:
    return {key: seconds(by_key[key]) for key in sorted(by_key)}


def check_account_claims(claims: Mapping[str, Any], at: datetime) -> None:
    """Refuse account claims that the hub would take and that would open or break something.

    The hub answers 200 to almost anything; these are its known holes: no end, a wildcard, an
    export open without activation, a renamed import. Raises InvalidToken or InvalidSubject.
    """
    nats = claims["nats"]
    if nats.get("type") != "account" or claims.get("exp", 0) <= seconds(at):
        raise InvalidToken("Ce ne sont pas les droits d'un compte, ou ils sont sans fin ou échus.")
    if nats["limits"].get("wildcards") is not False:
        raise InvalidToken("Un compte de la fédération ne partage aucun sujet générique.")
    for export in nats["exports"]:
        _check_shared(export, forbidden="account_token_position", required="token_req")
    for entry in nats["imports"]:
        _check_shared(entry, forbidden="local_subject", required="token")


def _check_shared(entry: Mapping[str, Any], *, forbidden: str, required: str) -> None:
    parse_subject(entry["subject"])
    if forbidden in entry or not entry.get(required) or entry["type"] != "service":
        raise InvalidToken(f"Partage sans activation : {entry['subject']}.")


def deletion_request(accounts: Iterable[str], signer: KeyPair, issued_at: datetime) -> str:
    """Request by which the hub forgets accounts, for CLAIMS_DELETE.

    accounts: public keys. signer: the operator's signing key.
    """
    nats = {"accounts": sorted(accounts), "type": "generic", "version": _VERSION}
    return sign({"sub": signer.public, "nats": nats}, signer, issued_at)


def leaf_user_token(
    code: str, account_key: str, user_key: str, signer: KeyPair, issued_at: datetime
) -> str:
    """JWT with which an organisation's own server links to the hub, and nothing else.

    It may pass letters it sends and answers, and hear letters to it and answers. signer: one of the
    account's signing keys. It has no end of its own: the account's, or a revocation, ends it.
    """
    nats = {
        "issuer_account": account_key,
        "allowed_connection_types": ["LEAFNODE"],
        "pub": {"allow": [outgoing(code), "_R_.>"]},
        "sub": {"allow": [incoming(code), "_INBOX.>"]},
        **_USER,
    }
    return sign({"name": f"leaf-{code}", "sub": user_key, "nats": nats}, signer, issued_at)


def registrar_user_token(
    account_key: str, user_key: str, signer: KeyPair, issued_at: datetime
) -> str:
    """JWT of the registrar: in the system account, limited to reading and writing account claims.

    signer: one of the system account's signing keys.
    """
    subjects = [CLAIMS_UPDATE, CLAIMS_DELETE, CLAIMS_LIST, CLAIMS_LOOKUP.format("*")]
    nats = {
        "issuer_account": account_key,
        "allowed_connection_types": ["STANDARD"],
        "pub": {"allow": sorted(subjects)},
        "sub": {"allow": ["_INBOX.>"]},
        **_USER,
    }
    return sign({"name": "registrar", "sub": user_key, "nats": nats}, signer, issued_at)


_USER: Final = {
    "subs": _UNLIMITED,
    "data": _UNLIMITED,
    "payload": _UNLIMITED,
    "type": "user",
    "version": _VERSION,
}


def credentials(token: str, user: KeyPair) -> str:
    """Text of a .creds file (mode 0600): a user's JWT and the seed that proves it."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
