"""NATS JWTs: signing a set of claims, and reading one back only when everything about it holds.

Shape (nats-io/jwt, version 2): header ``{"typ":"JWT","alg":"ed25519-nkey"}``; ``jti`` is the base32
SHA-512/256 of the claims without it; ``iss`` is the public key that signed.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives import hashes

from contracts.broker import nkey
from contracts.kernel.errors import InvalidDocument

Claims = dict[str, Any]

_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
_PARTS: Final = 3
# jti is never the last claim: iat and iss follow it, here as in the reference library.
_JTI: Final = re.compile(rb'"jti":"([A-Z2-7]{52})",')


class InvalidToken(InvalidDocument):
    """A NATS JWT that does not hold; `code` says which check failed.

    Codes: token_shape, token_signature, token_issuer, token_id, token_expired, token_early.
    """

    code = "token_shape"


def seconds(instant: datetime) -> int:
    """Whole seconds since 1970, rounded down, so that nothing outlives its instant.

    Raises ValueError for a naive datetime, which the machine's own zone would silently shift.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant of the broker carries its zone")
    return int(instant.timestamp() // 1)


def sign(claims: Mapping[str, Any], signer: nkey.KeyPair, issued_at: datetime) -> str:
    """Sign claims as of an instant; the same arguments give the same token, byte for byte."""
    body = _dump({"iat": seconds(issued_at), "iss": signer.public, **claims})
    payload = b'{"jti":"%s",%s' % (_fingerprint(body), body[1:])
    signed = b".".join((_encode(_dump(_HEADER)), _encode(payload)))
    return b".".join((signed, _encode(signer.sign(signed)))).decode()


def decode_and_verify(
    token: str, *, at: datetime | None = None, issuers: Collection[str] | None = None
) -> Claims:
    """Read a NATS JWT, checking header, signature by its `iss`, `jti` and, if asked, the rest.

    at: instant at which it must be valid (``nbf`` included, ``exp`` excluded). issuers: public keys
    one of which must have signed; without it the signature only proves that `iss` signed.
    Raises InvalidToken.
    """
    payload = _verified_payload(token)
    claims: Claims = json.loads(payload)
    if issuers is not None and claims["iss"] not in issuers:
        raise InvalidToken("Ce jeton est signé par une clé inattendue.", code="token_issuer")
    if at is not None:
        _check_period(claims, seconds(at))
    return claims


def _verified_payload(token: str) -> bytes:
    parts = token.encode("ascii", "replace").split(b".")
    if len(parts) != _PARTS:
        raise InvalidToken("Ce texte n'est pas un jeton NATS.")
    header, payload, signature = map(_decode, parts)
    issuer, found = _issuer(header, payload), _JTI.search(payload)
    if not nkey.verify(issuer, b".".join(parts[:2]), signature):
        raise InvalidToken("La signature de ce jeton est fausse.", code="token_signature")
    if found is None or found[1] != _fingerprint(_JTI.sub(b"", payload, count=1)):
        raise InvalidToken("L'identifiant de ce jeton ne suit pas son contenu.", code="token_id")
    return payload


def _issuer(header: bytes, payload: bytes) -> str:
    try:
        claims = json.loads(payload)
        if json.loads(header) != _HEADER or not isinstance(claims["nats"], dict):
            raise InvalidToken("Ce jeton n'a pas la forme d'un jeton NATS.")
        return str(claims["iss"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidToken("Ce jeton n'a pas la forme d'un jeton NATS.") from error


def _check_period(claims: Claims, at: int) -> None:
    start, end = claims.get("nbf", at), claims.get("exp", at + 1)
    if not isinstance(start, int) or not isinstance(end, int):
        raise InvalidToken("Les dates de ce jeton sont illisibles.")
    if end <= at:
        raise InvalidToken("Ce jeton est échu.", code="token_expired")
    if start > at:
        raise InvalidToken("Ce jeton n'est pas encore valable.", code="token_early")


def _fingerprint(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA512_256())
    digest.update(data)
    return b32encode(digest.finalize()).rstrip(b"=")


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(part: bytes) -> bytes:
    try:
        return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise InvalidToken("Ce jeton est mal encodé.") from error
