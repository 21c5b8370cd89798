"""The plain peer's letters: typed, signed (JWS, Ed25519), encrypted (HPKE, hybrid X-Wing)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey
from pydantic import BaseModel, ConfigDict

from tests.bench.peers.referral import Referral

if TYPE_CHECKING:
    from pathlib import Path

_ALGORITHM = "Ed25519"  # RFC 9864's name for what used to be called EdDSA
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Strict(BaseModel):
    """A shape that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Posting(Strict):
    """What an agent's software posts."""

    to: str
    version: int
    purpose: str
    agreement_id: UUID
    data: Referral


class Proof(Strict):
    """The agreement as the receiver may know it: no name."""

    reference: UUID
    giver: str
    flows: list[str]
    receivers: list[str]
    given_at: datetime
    expires_at: datetime
    notice_at: datetime
    charter_at: datetime
    enrolled: bool


class Letter(Strict):
    """What travels from the sender to the receiver."""

    id: UUID
    flow: str
    sender: str
    receiver: str
    version: int
    purpose: str
    expires_at: datetime
    proof: Proof
    data: Referral


class Receipt(Strict):
    """What travels back: neither side can deny it afterwards."""

    id: UUID
    state: str
    at: datetime
    audit_head: str


@dataclass(frozen=True, slots=True)
class Keys:
    """An organisation's private keys, its partner's public ones, and the key of its own tokens."""

    tokens: OctKey
    signing: OKPKey
    opening: MLKEM768X25519PrivateKey
    partner_verifying: OKPKey
    partner_sealing: MLKEM768X25519PublicKey

    def seal(self, letter: BaseModel, message_id: str, subject: str) -> bytes:
        """Sign, then encrypt for the partner under this subject and message id only."""
        signed = jws.serialize_compact(
            {"alg": _ALGORITHM}, letter.model_dump_json(), self.signing, algorithms=[_ALGORITHM]
        )
        return _SUITE.encrypt(signed.encode(), self.partner_sealing, _bound_to(subject, message_id))

    def unseal(self, sealed: bytes, message_id: str, subject: str) -> bytes:
        """Decrypt and verify; InvalidTag or BadSignatureError when it is not the partner's."""
        signed = _SUITE.decrypt(sealed, self.opening, _bound_to(subject, message_id))
        return jws.deserialize_compact(
            signed, self.partner_verifying, algorithms=[_ALGORITHM]
        ).payload

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write_key_pairs` left for one side."""
        told = json.loads(path.read_text())
        kem, curve = (bytes.fromhex(told["opening"][part]) for part in ("mlkem", "x25519"))
        partner_kem, partner_curve = (
            bytes.fromhex(told["partner_sealing"][part]) for part in ("mlkem", "x25519")
        )
        return cls(
            OctKey.import_key(told["tokens"]),
            OKPKey.import_key(told["signing"]),
            MLKEM768X25519PrivateKey(
                MLKEM768PrivateKey.from_seed_bytes(kem), X25519PrivateKey.from_private_bytes(curve)
            ),
            OKPKey.import_key(told["partner_verifying"]),
            MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(partner_kem),
                X25519PublicKey.from_public_bytes(partner_curve),
            ),
        )


def write_key_pairs(one: Path, other: Path) -> None:
    """Make the keys of two partners and leave each its own file."""
    private, public = zip(_key_pair(), _key_pair(), strict=True)
    one.write_text(json.dumps(private[0] | public[1]))
    other.write_text(json.dumps(private[1] | public[0]))


def _key_pair() -> tuple[dict[str, object], dict[str, object]]:
    signing = OKPKey.generate_key("Ed25519")
    kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    private: dict[str, object] = {
        "tokens": OctKey.generate_key(256).as_dict(private=True),
        "signing": signing.as_dict(private=True),
        "opening": {
            "mlkem": kem.private_bytes_raw().hex(),
            "x25519": curve.private_bytes_raw().hex(),
        },
    }
    public: dict[str, object] = {
        "partner_verifying": signing.as_dict(private=False),
        "partner_sealing": {
            "mlkem": kem.public_key().public_bytes_raw().hex(),
            "x25519": curve.public_key().public_bytes_raw().hex(),
        },
    }
    return private, public


def _bound_to(subject: str, message_id: str) -> bytes:
    return f"{subject} {message_id}".encode()
