"""NATS keys: Ed25519 keys written in base32 with one letter for what they are (O, A, U).

Source: the nkeys format (prefix byte, 32 bytes of key, CRC-16, base32). The `nkeys` library signs
and writes seeds; it cannot read a public key alone, so verification is done here.
"""

from __future__ import annotations

import binascii
from base64 import b32decode
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, cast

import nkeys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.kernel.errors import InvalidDocument

SEED_BYTES: Final = 32
_PUBLIC_LENGTH: Final = 56
_CHECKSUM_BYTES: Final = 2


class InvalidKey(InvalidDocument):
    """A text that is not a NATS key of the expected kind."""

    code = "invalid_nkey"


class KeyKind(Enum):
    """What a key stands for; the value is the nkeys prefix byte."""

    OPERATOR = nkeys.PREFIX_BYTE_OPERATOR
    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    USER = nkeys.PREFIX_BYTE_USER


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its two written forms; the seed never shows in a repr.

    public: what others pin (``A…``). seed: what a file of mode 0600 or a vault holds (``SA…``).
    """

    kind: KeyKind
    public: str
    seed: str = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Sign with Ed25519 (RFC 8032): 64 bytes."""
        return cast("bytes", nkeys.from_seed(self.seed.encode()).sign(data))


def key_pair(kind: KeyKind, entropy: bytes) -> KeyPair:
    """Make a key from 32 random bytes, which the caller draws. Raises InvalidKey."""
    if len(entropy) != SEED_BYTES:
        raise InvalidKey("Une clé se tire de 32 octets aléatoires.")
    return from_seed(nkeys.encode_seed(entropy, kind.value).decode())


def from_seed(seed: str) -> KeyPair:
    """Read a key back from its seed (``SO…``, ``SA…``, ``SU…``). Raises InvalidKey."""
    try:
        prefix, _ = nkeys.decode_seed(seed.encode())
        public = nkeys.from_seed(seed.encode()).public_key.decode()
        return KeyPair(KeyKind(prefix), public, seed)
    except (nkeys.NkeysError, ValueError) as error:
        raise InvalidKey("Cette graine n'est pas celle d'une clé NATS.") from error


def raw_public(public: str, kind: KeyKind | None = None) -> bytes:
    """Check a public key's checksum, and its kind where one is expected; return its 32 bytes.

    Raises InvalidKey.
    """
    try:
        data = b32decode(public)
    except (binascii.Error, ValueError) as error:
        raise InvalidKey("Cette clé publique NATS est illisible.") from error
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if len(public) != _PUBLIC_LENGTH or nkeys.crc16_checksum(body) != checksum:
        raise InvalidKey("Cette clé publique NATS est tronquée ou altérée.")
    if kind is not None and body[0] != kind.value:
        raise InvalidKey(f"Clé NATS d'une autre nature que {kind.name.lower()}.")
    return body[1:]


def verify(public: str, data: bytes, signature: bytes) -> bool:
    """Whether that key signed those bytes; an unreadable key signed nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(raw_public(public)).verify(signature, data)
    except (InvalidKey, InvalidSignature):
        return False
    return True
