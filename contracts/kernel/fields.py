"""What a field of a message may hold, and the guard against what it must never hide (A-5.1).

A message carries codes, dates and the few texts its type declares. Numbers that identify a person
(NIR, INE), addresses to reach one (e-mail, phone) and links are refused wherever they are not the
very purpose of the field, also when they are tucked inside another text (`kernel.hidden`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, cast

import phonenumbers
from annotated_types import GroupedMetadata
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from stdnum.fr import siret

from contracts.kernel.hidden import (
    REGION,
    hidden_identifier,
    hidden_number,
    invisible,
    is_word,
)


def _nothing_hidden(text: str) -> str:
    if invisible(text):
        raise PydanticCustomError("invisible_character", "holds an invisible character")
    found = hidden_identifier(text)
    if found is not None:
        raise PydanticCustomError("hidden_identifier", "holds a {found}", {"found": found})
    return text


def _person_name(text: str) -> str:
    if is_word(text):  # by far the usual case: letters hide nothing
        return text
    _nothing_hidden(text)
    if re.search(r"[\d<>{}\[\]\\]", text):
        raise PydanticCustomError("person_name", "holds a digit or a bracket")
    return text


def _phone(text: str) -> str:
    number = _parsed(text) if re.fullmatch(r"\+?[0-9 \u00a0\u202f().\-/]+", text) else None
    if number is None or not phonenumbers.is_possible_number(number):
        raise PydanticCustomError("phone", "is not a phone number")
    if len(str(number.national_number)) > _LONGEST_NATIONAL:
        raise PydanticCustomError("phone", "is too long for a phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_LONGEST_NATIONAL: Final = 12
"""A NIR has 13 digits without its key; no subscriber's number has as many."""


def _parsed(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None


_ADDRESS: Final = re.compile(
    r"[^\s@<>()\[\]\",;:\\]{1,64}@(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.)+[^\W\d_]{2,}"
)


def _email(text: str) -> str:
    if invisible(text) or not _ADDRESS.fullmatch(text):
        raise PydanticCustomError("email", "is not an e-mail address")
    local, domain = text.rsplit("@", 1)
    if hidden_number(local) in {"nir", "ine"}:
        raise PydanticCustomError("hidden_identifier", "holds a number that identifies")
    return f"{local}@{domain.lower()}"


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


def _instant(value: Any) -> Any:  # noqa: ANN401 -- whatever came
    """Refuse bare numbers: pydantic reads them as Unix time, and a phone number is one."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC3339.fullmatch(value)):
        return value
    raise PydanticCustomError("instant", "is not an instant with its offset")


_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)", re.ASCII
)


PersonName = Annotated[
    str,
    Field(min_length=1, max_length=80),
    AfterValidator(_person_name),
]
"""Family or first name: letters, spaces, apostrophes, hyphens; no digit."""

ShortText = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_nothing_hidden)]
"""A name of a service, a place or a role; never a sentence about a person."""

NoticeVersion = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_nothing_hidden)]
"""Name of the text that a person was given, as information."""

Email = Annotated[
    str,
    Field(max_length=120),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 120}),
]
"""E-mail address, only in the field made for it; its domain is kept in lower case."""

Phone = Annotated[
    str,
    Field(max_length=24),
    AfterValidator(_phone),
    WithJsonSchema({"type": "string", "format": "phone", "maxLength": 24}),
]
"""Phone number, kept in E.164, only in the field made for it."""

Siret = Annotated[str, AfterValidator(_siret)]
"""SIRET of an organisation, Luhn checked by python-stdnum."""

Uai = Annotated[str, Field(pattern=r"^[0-9]{7}[A-Z]$")]
"""Code of a school (unité administrative immatriculée): seven digits and a letter."""

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
"""A word of a closed list."""

ConventionRef = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{3,60}$"), AfterValidator(_nothing_hidden)
]
"""Id of a signed convention, chosen once."""

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Between these a day may lie: nobody alive was born before the first, and what is counted from the
last (a term, a notice, a purge, eighteen years) stays far from the year 9999, where dates end and
where one document would stop whoever computes with it."""

Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY), BeforeValidator(_iso_date)]
"""A day in Paris, ISO 8601."""

LegalDay = Annotated[Day, Field(ge=date(2000, 1, 1))]
"""A day that a signed convention or an act states; no convention here was signed before 2000."""

Instant = Annotated[
    AwareDatetime,
    Field(
        strict=False,
        ge=datetime(FIRST_DAY.year, 1, 1, tzinfo=UTC),
        lt=datetime(LAST_DAY.year + 1, 1, 1, tzinfo=UTC),
    ),
    BeforeValidator(_instant),
]
"""An instant with its offset, RFC 3339, in the same centuries as a day."""

LAST_NUMBER: Final = 2**63 - 1
"""Largest whole number that both databases hold."""


@dataclass(frozen=True, slots=True)
class Listed(GroupedMetadata):
    """Metadata of a tuple of codes: one at least, each once, `most` at most; JSON gives a list."""

    most: int

    def __iter__(self) -> Iterator[object]:
        """What pydantic reads, in its order: the bounds first, or they would read as a text's."""
        yield Field(min_length=1, max_length=self.most, json_schema_extra={"uniqueItems": True})
        yield AfterValidator(_each_once)
        yield BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


def _each_once(codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(codes)) != len(codes):
        raise PydanticCustomError("twice", "names one of the list twice")
    return codes


class Payload(BaseModel):
    """Content of one message type: closed, frozen, strict, each field with its reason."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


Filled = Literal["caller", "identity", "representative", "uai", "responsible"]
"""Who fills a field: the caller, or the node from its own register."""


def said(
    label: str,
    *,
    why: str,
    source: str,
    filled: Filled = "caller",
    default: Any = ...,  # noqa: ANN401 -- of the field's own type
) -> Any:  # noqa: ANN401 -- as pydantic's own Field
    """Declare a field: what people call it, why it is strictly necessary, where that is written.

    label: French name shown on forms. why: one French sentence. source: obligation id.
    filled: where the node itself fills the field, from what; such a field is never typed by a
    caller, since an agreement given for one person must not be able to send another. default: where
    the field may be left out.
    """
    return Field(
        default,
        title=label,
        description=why,
        json_schema_extra={"source": source, _FILLED: filled},
    )


_FILLED: Final = "filledBy"


@cache
def node_fields(payload: type[Payload]) -> dict[str, Filled]:
    """Fields that the node fills, and from what."""
    found = {name: _filled(info) for name, info in payload.model_fields.items()}
    return {name: filled for name, filled in found.items() if filled != "caller"}


def _filled(info: FieldInfo) -> Filled:
    extra = info.json_schema_extra
    return cast("Filled", extra.get(_FILLED, "caller")) if isinstance(extra, dict) else "caller"


@cache
def caller_model(payload: type[Payload]) -> type[Payload]:
    """The same type without what the node fills: what a caller may type, and nothing else.

    Quantities that the type derives from its fields are derived from what is typed as well.
    """
    if not node_fields(payload):
        return payload
    kept: dict[str, Any] = {
        name: (info.annotation, info)
        for name, info in payload.model_fields.items()
        if _filled(info) == "caller"
    }
    made = create_model(
        payload.__name__, __base__=Payload, __doc__=payload.__doc__, __module__=__name__, **kept
    )
    for name, derived in _derived(payload):
        setattr(made, name, derived)
    return made


def _derived(payload: type[Payload]) -> Iterator[tuple[str, property]]:
    """Quantities of a type, its own and those of the types it is made from, its own last."""
    for part in reversed(payload.__mro__):
        if issubclass(part, Payload):
            yield from ((name, it) for name, it in vars(part).items() if isinstance(it, property))
