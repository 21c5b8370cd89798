"""Closing and opening letters: padded JWS inside HPKE to the receiver (RFC 9180).

The subject and the message id are bound into the encryption (HPKE's `info`), so a letter cannot be
moved to another subject or given another id. Keys and primitives come from `cryptography`.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import Suite as HpkeSuite
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from contracts.kernel.documents import KeyFinder, sign, verify
from contracts.kernel.envelope import pad
from contracts.kernel.errors import InvalidDocument, Unverified
from contracts.kernel.organisation import EncryptionKey, Suite

PublicKey = X25519PublicKey | MLKEM768X25519PublicKey
PrivateKey = X25519PrivateKey | MLKEM768X25519PrivateKey

_MLKEM_PUBLIC = 1184
"""Bytes of an ML-KEM-768 public key (FIPS 203); the X25519 half follows it, as in X-Wing."""

_SUITES = {
    Suite.X25519: HpkeSuite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
    Suite.XWING: HpkeSuite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
}

_STRENGTH = list(Suite)


def dump_public(x25519: X25519PublicKey, mlkem: MLKEM768PublicKey | None = None) -> str:
    """Raw public key as a directory entry carries it; with both halves it is the hybrid one."""
    halves = (b"" if mlkem is None else mlkem.public_bytes_raw()) + x25519.public_bytes_raw()
    return urlsafe_b64encode(halves).decode()


@lru_cache(maxsize=4096)
def load_public(suite: Suite, public: str) -> PublicKey:
    """Public key of a directory entry; raises InvalidDocument when it is not one."""
    try:
        raw = urlsafe_b64decode(public.encode())
        if suite is Suite.X25519:
            return X25519PublicKey.from_public_bytes(raw)
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC:]),
        )
    except ValueError as error:
        raise InvalidDocument("An encryption key of the directory is not one.") from error


def choose_key(keys: tuple[EncryptionKey, ...], floor: Suite) -> EncryptionKey | None:
    """Strongest key at or above a floor; None when there is none, and then nothing is sent."""
    fit = [key for key in keys if _STRENGTH.index(key.suite) >= _STRENGTH.index(floor)]
    return max(fit, key=lambda key: (_STRENGTH.index(key.suite), key.not_after), default=None)


def _bound_to(subject: str, message_id: str) -> bytes:
    return f"relais/1 {subject} {message_id}".encode()


def seal(
    content: bytes, *, signer: OKPKey, kid: str, to: EncryptionKey, subject: str, message_id: str
) -> bytes:
    """Sign the content and close it for the receiver; kid names the signer's key."""
    token = pad(sign(content, signer, kid=kid).encode())
    public = load_public(to.suite, to.public)
    return _SUITES[to.suite].encrypt(token, public, info=_bound_to(subject, message_id))


def unseal(
    body: bytes, *, suite: Suite, private: PrivateKey, subject: str, message_id: str
) -> bytes:
    """Open a letter: the signed JWS inside, still to be verified. Raises Unverified."""
    try:
        opened = _SUITES[suite].decrypt(body, private, info=_bound_to(subject, message_id))
    except (InvalidTag, ValueError) as error:
        raise Unverified("The letter does not open with this key, subject and id.") from error
    return opened.rstrip(b" ")


def close_for(content: bytes, public: str, bound_to: str) -> bytes:
    """Close a content to a key that lives for one request. Raises InvalidDocument for no key."""
    key = load_public.__wrapped__(Suite.X25519, public)
    return _SUITES[Suite.X25519].encrypt(pad(content), key, info=bound_to.encode())


def open_closed(body: bytes, private: X25519PrivateKey, bound_to: str) -> bytes:
    """Open what `close_for` closed to that very key and purpose. Raises Unverified."""
    try:
        opened = _SUITES[Suite.X25519].decrypt(body, private, info=bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise Unverified("The content does not open with this key and request.") from error
    return opened.rstrip(b" ")


def verified(token: bytes, find: KeyFinder) -> bytes:
    """Content of an opened letter once its signature holds; raises Unverified."""
    try:
        return verify(token, find)
    except InvalidDocument as error:
        raise Unverified(error.sentence, code=error.code) from error
