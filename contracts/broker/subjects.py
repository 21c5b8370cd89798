"""The subject of a letter: one literal name, the same in the four places that must agree on it.

    lb.<receiver>.<sender>.<convention>.<message>

The publisher, the import, the export and the letterbox all use these very words. The receiver
comes first, or the sender's own letterbox would capture what it sends. The four codes are short
and opaque: a subject is the only thing the hub's operator reads, and it says nothing of a person.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.kernel.errors import InvalidDocument

ROOT: Final = "lb"
CONTROL: Final = "k"
"""Message code of what must pass even when no convention is open: withdrawals, erasures, states."""
RECEIPT: Final = "r"
"""Message code of signed receipts."""

_CODE = re.compile(r"[a-z0-9]{1,16}")


class InvalidSubject(InvalidDocument):
    """A code or a subject that is not made of lower case letters and digits, 1 to 16 of them."""

    code = "invalid_subject"


class LetterAddress(NamedTuple):
    """The four codes of a subject, in the order in which they stand in it."""

    receiver: str
    sender: str
    convention: str
    message: str


def check_code(code: str) -> str:
    """Return a code that fits: 1 to 16 lower case letters or digits, so never a wildcard.

    Raises InvalidSubject otherwise.
    """
    if not _CODE.fullmatch(code):
        raise InvalidSubject("Un code de sujet compte 1 à 16 minuscules ou chiffres.")
    return code


@lru_cache(maxsize=4096)
def letter_subject(receiver: str, sender: str, convention: str, message: str) -> str:
    """Compose the subject on which one organisation writes one kind of message to another.

    receiver, sender: organisations' codes. convention: code of the signed convention.
    message: code of the flow, or CONTROL, or RECEIPT. Raises InvalidSubject.
    """
    codes = (receiver, sender, convention, message)
    return ".".join((ROOT, *map(check_code, codes)))


def parse_subject(subject: str) -> LetterAddress:
    """Read the four codes back from a literal subject; raises InvalidSubject for anything else."""
    root, *codes = subject.split(".")
    if root != ROOT or len(codes) != len(LetterAddress._fields):
        raise InvalidSubject("Sujet attendu : lb.<destinataire>.<émetteur>.<convention>.<message>.")
    return LetterAddress(*map(check_code, codes))


def incoming(code: str) -> str:
    """Wildcard of every letter to an organisation: what its letterbox stores."""
    return f"{ROOT}.{check_code(code)}.>"


def outgoing(code: str) -> str:
    """Wildcard of every letter an organisation may sign as sender: what its node may publish."""
    return f"{ROOT}.*.{check_code(code)}.>"
