"""One secret per node, from which every other one is derived by name (HKDF, RFC 5869).

The node keeps a single file; a subkey that leaks tells nothing of the secret nor of the others.
Changing the secret changes them all: the key store is wrapped again before, sessions end.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.chassis.settings import read_secret

_LENGTH: Final = 32
_SALT: Final = b"relais node secret, version 1"


@dataclass(frozen=True, slots=True)
class NodeSecret:
    """The node's secret; it never shows in a repr. master: 32 bytes or more."""

    master: bytes = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> NodeSecret:
        """Read it from its file. Raises BadSettings."""
        return cls(read_secret(path))

    def subkey(self, name: str) -> bytes:
        """Derive the 32 bytes of that name: always the same, unrelated to those of another name."""
        return HKDF(SHA256(), _LENGTH, _SALT, name.encode()).derive(self.master)

    @property
    def keystore_key(self) -> bytes:
        """Key that wraps the data keys at rest."""
        return self.subkey("keystore")

    @property
    def bearer_key(self) -> bytes:
        """Key that signs the bearer tokens of the HTTP API."""
        return self.subkey("bearer")

    @property
    def person_code_key(self) -> bytes:
        """Key of the digests of the codes that open a person's page."""
        return self.subkey("person-codes")

    @property
    def client_secret(self) -> str:
        """Secret shared with the demonstration's sign-in provider."""
        return _text(self.subkey("sign-in"))

    @property
    def jetstream_key(self) -> str:
        """Key with which the leaf encrypts its letterbox on disk."""
        return _text(self.subkey("jetstream"))

    def nats_password(self, user: Literal["admin", "app"]) -> str:
        """Password of one of the leaf's two local users."""
        return _text(self.subkey(f"nats/{user}"))


def _text(key: bytes) -> str:
    return urlsafe_b64encode(key).rstrip(b"=").decode()
