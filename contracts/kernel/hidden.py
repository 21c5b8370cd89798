"""Finds what a text must not hide (A-5.1): numbers that identify a person, ways to reach one.

A message carries codes, dates and a few short texts. A NIR, an INE, an address, a phone number or
a link has no place in those, even spelt with dots, spaces, wide digits or the letter O. What is
found refuses the message: a false alarm asks for other words, a miss would send the number.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

import phonenumbers
from stdnum.fr import nir

REGION: Final = "FR"

Hidden = Literal["nir", "ine", "email", "phone", "link"]

_GAP: Final = r"[\W_]{0,3}"
_NIR_WITH_KEY: Final = re.compile(rf"(?=([1-478](?:{_GAP}[0-9AB]){{14}}))", re.IGNORECASE)
_NIR_GROUPED: Final = re.compile(
    rf"(?<!\d)[12]{_GAP}\d\d{_GAP}(?:0[1-9]|1[0-2]){_GAP}(?:\d\d|2[AB]){_GAP}\d{{3}}{_GAP}\d{{3}}"
    rf"(?:{_GAP}\d\d)?(?!\d)",
    re.IGNORECASE,
)
_NIR_SPELT: Final = re.compile(r"(?<!\d)[12](?:[\W_]{1,3}\d){12}(?!\d)")
_INE_TIGHT: Final = re.compile(r"(?<!\d)\d{9}[0-9A-Z][A-Z](?![0-9A-Z])", re.IGNORECASE)
_INE_GROUPED: Final = re.compile(
    r"(?<!\d)\d{3} ?\d{3} ?\d{3}[ .\-]?[0-9A-Z][ .\-]?[A-Z](?![0-9A-Za-z])"
)
_INE_SPELT: Final = re.compile(
    r"(?<!\d)\d(?:[\W_]\d){8}[\W_][0-9A-Z][\W_][A-Z](?![0-9A-Z])", re.IGNORECASE
)
# One and the same gap throughout: « 03/10/2024, 18-27 » is a date and a number, not a phone.
_PHONE_PAIRS: Final = re.compile(
    r"(?<!\d)(?:(?:\+|00)33[\W_]{0,3}(?:\(0\)[\W_]{0,3})?|0)[1-9]([\W_]{0,3})\d\d(?:\1\d\d){3}(?!\d)"
)
_PHONE_SPELT: Final = re.compile(r"(?<!\d)0([\W_]{1,3})[1-9](?:\1\d){8}(?!\d)")
_EMAIL: Final = re.compile(
    r"@|[(\[]\s?(?:at|arobase)\s?[)\]]|\S\s(?:arobase|at)\s\S+(?:\s?\.|\s(?:dot|point)\s)\s?\S",
    re.IGNORECASE,
)
_LINK: Final = re.compile(
    r"[a-z][a-z0-9+.\-]*://|\bwww\.|\bmailto:|[a-z0-9\-]\.[a-z]{2,}/\S"
    r"|[a-z0-9\-]\.(?:fr|com|org|net|eu|io|info|bzh|paris)\b",
    re.IGNORECASE,
)

# Days, with their hour and up to their end, when no further digit follows: they look like numbers.
_YEAR: Final = r"(?:19|20)\d\d"
_DATE: Final = (
    rf"(?:(?:0?[1-9]|[12]\d|3[01])[/.\-](?:0?[1-9]|1[0-2])[/.\-]{_YEAR}|{_YEAR}-\d\d-\d\d)"
)
_HOUR: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_WHEN: Final = re.compile(
    rf"(?<!\d)(?<!\d[\W_]){_DATE}(?:\s?[\-–/,]\s?{_DATE})?(?:,?\s(?:à\s)?{_HOUR}(?:\s?[\-–]\s?{_HOUR})?)?"
    r"(?![\W_]{0,3}\d)"
)

_LOOKALIKES: Final = str.maketrans("OoIl", "0011")

_LATIN: Final = "[A-Za-zÀ-ÖØ-öø-ÿŒœŸ]+"  # letters that stay letters in their plainest form
_WORD: Final = re.compile(rf"{_LATIN}(?:['’-]{_LATIN})*")
_NOT_LOOKALIKE: Final = re.compile(r"[^OoIl]+")
_NOT_DIGIT: Final = re.compile(r"\D")
_SHORTEST_NUMBER: Final = 9
"""Fewer digits than this identify or reach nobody."""


def hidden_identifier(text: str) -> Hidden | None:
    """Say what a text hides, or None.

    The key of a NIR is verified by python-stdnum, phone numbers by phonenumbers; a NIR without its
    key and an INE have no public checksum, so their shape is enough to refuse.
    """
    if is_word(text):  # by far the usual case
        return None
    plain = _plain(text)
    if _EMAIL.search(plain):
        return "email"
    if _LINK.search(plain):
        return "link"
    return _hidden_number(plain)


def is_word(text: str) -> bool:
    """Whether a text is nothing but Latin letters, hyphens and apostrophes, and no number spelt."""
    if _WORD.fullmatch(text) is None:
        return False
    return len(text) < _SHORTEST_NUMBER or len(_NOT_LOOKALIKE.sub("", text)) < _SHORTEST_NUMBER


def hidden_number(text: str) -> Hidden | None:
    """Say which number a text hides that identifies or reaches a person, or None."""
    return _hidden_number(_plain(text))


def _hidden_number(plain: str) -> Hidden | None:
    if len(plain) < _SHORTEST_NUMBER:
        return None
    if len(_NOT_DIGIT.sub("", plain.translate(_LOOKALIKES))) < _SHORTEST_NUMBER:
        return None
    numbers = _WHEN.sub(" ", plain)
    return _number(numbers) or _number(numbers.translate(_LOOKALIKES))


def _number(text: str) -> Hidden | None:
    if len(_NOT_DIGIT.sub("", text)) < _SHORTEST_NUMBER:
        return None
    if holds_nir(text):
        return "nir"
    if any(shape.search(text) for shape in (_PHONE_PAIRS, _PHONE_SPELT)):
        return "phone"
    if any(shape.search(text) for shape in (_INE_TIGHT, _INE_GROUPED, _INE_SPELT)):
        return "ine"
    return "phone" if any(phonenumbers.PhoneNumberMatcher(text, REGION)) else None


def holds_nir(text: str) -> bool:
    """Whether a text holds a NIR, with its key or without."""
    if _NIR_GROUPED.search(text) or _NIR_SPELT.search(text):
        return True
    return any(
        nir.is_valid(re.sub(r"[\W_]", "", found.group(1))) for found in _NIR_WITH_KEY.finditer(text)
    )


def invisible(text: str) -> bool:
    """Whether a text holds characters nobody sees: controls, line breaks, zero-width, bidi."""
    if text.isprintable():  # by far the usual case, settled at once
        return False
    return any(unicodedata.category(character) in _INVISIBLE for character in text)


_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _plain(text: str) -> str:
    """Same text in its plainest letters and digits, without what nobody sees."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.digit(one, one))
        for one in unicodedata.normalize("NFKC", text)
        if not invisible(one)
    )
