"""What a signed convention lets one organisation send to another, as the broker understands it.

A grant is one literal subject for one sender until one instant. Never a wildcard, which would
grant what nobody signed; never a rename, which keeps flowing after its activation has expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.broker.subjects import (
    CONTROL,
    RECEIPT,
    InvalidSubject,
    letter_subject,
    parse_subject,
)


class GrantKind(StrEnum):
    """Why the subject is open; the last two outlive the convention."""

    FLOW = "flow"
    """A message of the convention: closed by the broker itself at the convention's end."""
    CONTROL = "control"
    """Withdrawals, erasures, rights, changes of state."""
    RECEIPT = "receipt"
    """Signed receipts."""


_KIND_OF: Final = {CONTROL: GrantKind.CONTROL, RECEIPT: GrantKind.RECEIPT}


@dataclass(frozen=True, slots=True)
class Grant:
    """One literal subject, open to one sender until an instant.

    sender, receiver: organisations' codes, those of the subject. kind: that of the subject's
    message code. expires_at: aware instant from which the broker refuses (half-open interval).
    Raises InvalidSubject when the parts disagree or the instant is naive.
    """

    sender: str
    receiver: str
    subject: str
    kind: GrantKind
    expires_at: datetime

    def __post_init__(self) -> None:
        """Refuse a grant whose parts contradict its subject."""
        address = parse_subject(self.subject)
        if (address.receiver, address.sender) != (self.receiver, self.sender):
            raise InvalidSubject("Le sujet ne nomme pas l'émetteur et le destinataire du droit.")
        if self.sender == self.receiver:
            raise InvalidSubject("Une organisation n'a pas besoin de droit envers elle-même.")
        if _KIND_OF.get(address.message, GrantKind.FLOW) is not self.kind:
            raise InvalidSubject("Le code du message ne correspond pas à la nature du droit.")
        if self.expires_at.utcoffset() != timedelta(0):
            raise InvalidSubject("La fin d'un droit est un instant en temps universel.")


def grant(
    *, sender: str, receiver: str, convention: str, message: str, expires_at: datetime
) -> Grant:
    """Make the grant of one message of one signed convention, its kind read from the code.

    expires_at: aware UTC instant. Raises InvalidSubject.
    """
    subject = letter_subject(receiver, sender, convention, message)
    kind = _KIND_OF.get(message, GrantKind.FLOW)
    return Grant(sender, receiver, subject, kind, expires_at)
