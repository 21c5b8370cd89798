"""What a field of a message may hold, and the guard against what it must never hide (A-5.1).

A message carries codes, dates and the few texts its type declares. Numbers that identify a person
(NIR, INE), addresses to reach one (e-mail, phone) and links are refused wherever they are not the
very purpose of the field, also when they are tucked inside another text.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Annotated, Any, Final, Literal, cast

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from stdnum.fr import nir, siret

REGION: Final = "FR"

_NIR_LIKE: Final = re.compile(r"[1-478](?:[ .\-/_]?[0-9AB]){14}", re.IGNORECASE)
_NIR_NO_KEY: Final = re.compile(
    r"(?<!\d)[12]\d\d(?:0[1-9]|1[0-2])(?:\d\d|2[AB])\d{6}(?!\d)", re.IGNORECASE
)
_INE_LIKE: Final = re.compile(
    r"(?<![0-9A-Z])\d{9}[ .\-]?[0-9A-Z][ .\-]?[A-Z](?![0-9A-Z])", re.IGNORECASE
)
_EMAIL_LIKE: Final = re.compile(r"[^\s@]+\s?(?:@|\(at\)|\[at\])\s?[^\s@]+", re.IGNORECASE)
_LINK_LIKE: Final = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*://|www\.|[a-z0-9\-]{2,}\.(?:fr|com|org|net|eu|io|info)\b)",
    re.IGNORECASE,
)


_SHORTEST_NUMBER: Final = 9
"""Fewer digits than this identify or reach nobody."""


def hidden_identifier(text: str) -> str | None:
    """Say what a text hides, or None.

    Returns ``nir``, ``ine``, ``email``, ``phone`` or ``link``. The check digits of a NIR are
    verified by python-stdnum, phone numbers by phonenumbers; a NIR without its key and an INE have
    no public checksum, so their shape is enough to refuse.
    """
    if ("@" in text or "at" in text.lower()) and _EMAIL_LIKE.search(text):
        return "email"
    if ("." in text or ":" in text) and _LINK_LIKE.search(text):
        return "link"
    if sum(character.isdigit() for character in text) < _SHORTEST_NUMBER:
        return None
    return _hidden_number(text)


def _hidden_number(text: str) -> str | None:
    for match in _NIR_LIKE.finditer(text):
        if nir.is_valid(re.sub(r"[ .\-/_]", "", match.group())):
            return "nir"
    if _NIR_NO_KEY.search(re.sub(r"[ .\-/_]", "", text)):
        return "nir"
    if _INE_LIKE.search(text):
        return "ine"
    if any(phonenumbers.PhoneNumberMatcher(text, REGION)):
        return "phone"
    return None


def _nothing_hidden(text: str) -> str:
    found = hidden_identifier(text)
    if found is not None:
        raise PydanticCustomError("hidden_identifier", "holds a {found}", {"found": found})
    return text


def _letters(text: str) -> str:
    if re.search(r"[\d<>{}\[\]\\]", text):
        raise PydanticCustomError("person_name", "holds a digit or a bracket")
    return text


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise PydanticCustomError("phone", "is not a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(text: str) -> str:
    if not re.fullmatch(r"[^\s@]{1,64}@[^\s@]+\.[^\s@]{2,}", text):
        raise PydanticCustomError("email", "is not an e-mail address")
    return text


def _siret(text: str) -> str:
    if not siret.is_valid(text):
        raise PydanticCustomError("siret", "is not a SIRET")
    return siret.compact(text)


def _iso_date(value: Any) -> Any:  # noqa: ANN401 -- whatever the caller typed
    """Accept a date or its ISO form; JSON has no dates and the models are strict."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


PersonName = Annotated[
    str,
    Field(min_length=1, max_length=80),
    AfterValidator(_nothing_hidden),
    AfterValidator(_letters),
]
"""Family or first name: letters, spaces, apostrophes, hyphens; no digit."""

ShortText = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_nothing_hidden)]
"""A name of a service, a place or a role; never a sentence about a person."""

Email = Annotated[str, Field(max_length=120), AfterValidator(_email)]
"""E-mail address, only in the field made for it."""

Phone = Annotated[str, Field(max_length=24), AfterValidator(_phone)]
"""Phone number, kept in E.164, only in the field made for it."""

Siret = Annotated[str, AfterValidator(_siret)]
"""SIRET of an organisation, Luhn checked by python-stdnum."""

Uai = Annotated[str, Field(pattern=r"^\d{7}[A-Z]$")]
"""Code of a school (unité administrative immatriculée): seven digits and a letter."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
"""A word of a closed list."""

Day = Annotated[date, BeforeValidator(_iso_date)]
"""A legal day in Paris, ISO 8601."""


class Payload(BaseModel):
    """Content of one message type: closed, frozen, strict, each field with its reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


Filled = Literal["caller", "identity", "representative", "uai"]
"""Who fills a field: the caller, or the node from its own register."""


def said(label: str, *, why: str, source: str, filled: Filled = "caller") -> Any:  # noqa: ANN401
    """Declare a field: what people call it, why it is strictly necessary, where that is written.

    label: French name shown on forms. why: one French sentence. source: obligation id.
    filled: where the node itself fills the field, from what; such a field is never typed by a
    caller, since an agreement given for one person must not be able to send another.
    """
    return Field(
        title=label, description=why, json_schema_extra={"source": source, _FILLED: filled}
    )


_FILLED: Final = "filledBy"


def node_fields(payload: type[Payload]) -> dict[str, Filled]:
    """Fields that the node fills, and from what."""
    found = {name: _filled(info) for name, info in payload.model_fields.items()}
    return {name: filled for name, filled in found.items() if filled != "caller"}


def _filled(info: FieldInfo) -> Filled:
    extra = info.json_schema_extra
    return cast("Filled", extra.get(_FILLED, "caller")) if isinstance(extra, dict) else "caller"


@cache
def caller_model(payload: type[Payload]) -> type[Payload]:
    """The same type without what the node fills: what a caller may type, and nothing else."""
    kept: dict[str, Any] = {
        name: (info.annotation, info)
        for name, info in payload.model_fields.items()
        if _filled(info) == "caller"
    }
    return create_model(
        payload.__name__, __base__=Payload, __doc__=payload.__doc__, __module__=__name__, **kept
    )
