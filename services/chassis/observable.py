"""What may be observed of a node: the closed list of keys for spans, logs and the trace page.

One vocabulary, checked where a span or a line is written and again where a span is stored. It
holds ids, codes, counts and durations. No key is meant for a person, and the shape of values
keeps out what a mistake would bring: a full name, an accent, an address, a sentence do not fit.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from contracts.kernel.errors import RelaisError

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = str | int | float | bool

_TOKEN: Final = re.compile(r"[A-Za-z0-9._:/-]{0,128}")  # no space: a full name does not fit
_ROUTE: Final = re.compile(r"[A-Za-z0-9._:/{} -]{0,128}")
_ARTICLES: Final = re.compile(r"[A-Za-z0-9._ -]{0,512}")  # ids of obligations, space-separated
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_NAME_LENGTH: Final = 64

_TEXTS: Final = {
    **dict.fromkeys(
        (
            *("message_id", "case_id", "agreement_id", "convention_id", "certificate_id"),
            *("event_id", "receipt_id", "request_id", "webhook_id", "key_id", "job_id"),
            *("org", "node", "sender", "receiver", "peer", "service"),
            *("flow", "type", "kind", "state", "previous_state", "decision", "role", "action"),
            *("code", "reason", "error_type", "key_refused", "value_refused"),
            *("suite", "version", "schema_version", "stream", "consumer", "subject", "server"),
            *("writer", "chain", "table", "method", "path", "logger", "source"),
        ),
        _TOKEN,
    ),
    "route": _ROUTE,
    "articles": _ARTICLES,
}
_COUNTS: Final = frozenset(
    ("status", "count", "batch", "attempt", "seq", "rows", "size_bytes", "port", "pid", "remaining")
)
_DURATIONS: Final = frozenset(("duration_ms", "delay_s", "lag_s", "age_s", "timeout_s"))
_FLAGS: Final = frozenset(("keep", "duplicate", "replayed", "dry_run"))

ALLOWED: Final = frozenset(_TEXTS) | _COUNTS | _DURATIONS | _FLAGS
"""Keys that a span or a log line may carry."""


class FieldError(RelaisError):
    """A key outside the list, or a value whose shape is not that key's, reached a span or a log.

    Raised in development only; in production the value is dropped and the key's name stays.
    """

    code = "field_refused"


def is_allowed(key: str, value: object) -> bool:
    """Tell whether a span or a log line may carry this value under this key.

    Ids and codes: at most 128 of ``A-Z a-z 0-9 . _ : / -``; counts: int; durations: finite
    int or float; flags: bool. Everything else, unknown keys first, is refused.
    """
    pattern = _TEXTS.get(key)
    if pattern is not None:
        return isinstance(value, str) and pattern.fullmatch(value) is not None
    if key in _FLAGS:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if key in _COUNTS:
        return isinstance(value, int)
    return key in _DURATIONS and isinstance(value, (int, float)) and math.isfinite(value)


def is_code(name: str) -> bool:
    """Tell whether a name is a code in dotted lower case (``relay.publish``), 64 at most."""
    return len(name) <= _NAME_LENGTH and _NAME.fullmatch(name) is not None


def clean(fields: Mapping[str, object], *, strict: bool) -> dict[str, Value]:
    """Keep the fields that are allowed.

    Of a refused one stays the key's name, under ``key_refused`` (unknown key) or
    ``value_refused`` (known key, wrong shape).
    strict: raise FieldError instead (development and tests).
    """
    kept: dict[str, Value] = {}
    for key, value in fields.items():
        if is_allowed(key, value):
            kept[key] = value  # type: ignore[assignment]  # is_allowed admits Value only
        elif strict:
            raise FieldError(f"Spans and logs may not carry this under {_safe(key)!r}.")
        else:
            kept["value_refused" if key in ALLOWED else "key_refused"] = _safe(key)
    return kept


def error_fields(error: BaseException) -> dict[str, Value]:
    """Say of an error its type, its code and its articles; never its words."""
    fields: dict[str, object] = {"error_type": type(error).__name__}
    if isinstance(error, RelaisError):
        fields["code"] = error.code
        if error.articles:
            fields["articles"] = " ".join(error.articles)
    return clean(fields, strict=False)


def _safe(key: str) -> str:
    """Repeat a key that looks like one; keys made from data must not leak either."""
    return key if "." not in key and is_code(key) else "unnamed"
