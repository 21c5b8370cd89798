"""The envelope around a message: CloudEvents 1.0 attributes and Relais extensions.

Envelopes travel in lots: what waits for one partner on one subject leaves under one signature and
one encryption. In clear travel only the ids, the encryption suite and the key id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.kernel.derogation import Derogation
from contracts.kernel.documents import wrong_fields
from contracts.kernel.errors import Unverified
from contracts.kernel.fields import Instant
from contracts.kernel.organisation import OrgId

MessageId = str
"""Random, 128 bits in hexadecimal: a guessed one could make another sender's letter vanish."""

PAD = 512
"""Plaintexts are padded to a multiple of this many bytes, so that sizes say little."""

LOT_LETTERS = 64
"""Envelopes in one lot, at most."""

LOT_BYTES = 128 * 1024
"""Envelopes of one lot, at most: as many letters as a lot may hold, of two kilobytes each."""


class Envelope(BaseModel):
    """One message as it is signed.

    instrument, version: signed convention and its version, or the legal duty. seq: order within
    (case, sender). agreement: reference of the agreement it rests on; proof: the proof's text, in
    the message that opens the case; its lot lists it. informedat: when the person was informed of
    what the law asks for whatever anybody agrees. derogation: what lets it pass without agreement.
    expiresat: after that instant it must not be
    read. traceparent: W3C trace context of the step that sent it (CloudEvents distributed
    tracing extension).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    type: str = Field(max_length=60)
    source: OrgId
    to: OrgId
    time: Instant
    expiresat: Instant
    schemaversion: int = 1
    instrument: str = Field(max_length=80)
    version: int | None = None
    purpose: str | None = None
    caseid: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    seq: int = 0
    agreement: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    proof: str | None = None
    informedat: Instant | None = None
    derogation: Derogation | None = None
    traceparent: str | None = Field(default=None, max_length=64)
    data: dict[str, Any]

    def to_plaintext(self) -> bytes:
        """JSON bytes, ready to be signed."""
        return self.model_dump_json(exclude_none=True).encode()


class Lot(BaseModel):
    """Envelopes that travel together: of one sender, to one receiver, on one subject.

    proofs: the signed list of the proofs in them (`agreement.ProofList`), so that one signature
    proves them all, and stays with each after the others are erased.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    letters: tuple[Envelope, ...] = Field(min_length=1, max_length=LOT_LETTERS)
    proofs: str | None = None


def bind(plaintexts: Iterable[bytes], proofs: str | None = None) -> bytes:
    """JSON bytes of the lot of these envelopes, ready to be signed; proofs: the list's JWS."""
    listed = b"" if proofs is None else b',"proofs":"' + proofs.encode() + b'"'
    return b'{"letters":[' + b",".join(plaintexts) + b"]" + listed + b"}"


def parse_lot(content: bytes) -> Lot:
    """Read a verified plaintext; raises Unverified with the fields at fault."""
    try:
        return Lot.model_validate_json(content)
    except ValidationError as error:
        raise Unverified(f"The letter's envelope is not one: {wrong_fields(error)}") from None


def pad(content: bytes) -> bytes:
    """Pad with spaces to the next multiple of PAD; a JWS or JSON ends before them."""
    return content + b" " * (-len(content) % PAD)
