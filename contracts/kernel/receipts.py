"""Receipts: proof of delivery that neither side can deny.

They are terminal (no receipt of a receipt), batched per pair, padded alike, and say no article:
towards the partner "no agreement", "no case" and "closed" look the same. Each
batch carries the head of the signer's journal, so that rewriting one's own journal shows.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.kernel.documents import wrong_fields
from contracts.kernel.errors import Unverified
from contracts.kernel.fields import LAST_NUMBER, Instant
from contracts.kernel.organisation import OrgId

Status = Literal["received", "read", "not_open", "invalid", "unverified", "expired"]
"""What a receipt may say; `received` and `read` are good news, the others are final refusals."""

ACCEPTED: frozenset[str] = frozenset({"received", "read"})


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Receipt(_Closed):
    """What became of one message."""

    message_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    status: Status
    at: Instant


class Head(_Closed):
    """Last line of one chain of the signer's journal."""

    chain: str = Field(pattern=r"^[ -~]{1,100}$")
    seq: int = Field(ge=0, le=LAST_NUMBER)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class ReceiptBatch(_Closed):
    """Receipts of one organisation to another, signed and encrypted like a letter."""

    source: OrgId
    to: OrgId
    at: Instant
    receipts: tuple[Receipt, ...]
    heads: tuple[Head, ...]


def parse_receipts(content: bytes) -> ReceiptBatch:
    """Read a verified batch; raises Unverified with the fields at fault."""
    try:
        return ReceiptBatch.model_validate_json(content)
    except ValidationError as error:
        raise Unverified(f"The receipts are not: {wrong_fields(error)}") from None
