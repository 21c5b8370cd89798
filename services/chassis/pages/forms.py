"""Forms made from the model of what they fill: its fields and no others, in its own words.

The model's JSON Schema says what a field holds; its title is the label, its description the hint,
its source the article. What is typed goes back as JSON to the API, which alone judges it; what the
API finds wrong is said beside the field, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel
from starlette.datastructures import ImmutableMultiDict

from contracts.kernel.paris import PARIS

Schema = Mapping[str, Any]
Typed = ImmutableMultiDict[str, str]
"""What came with a form: one name may come several times."""
Word = Callable[[str], str]
"""What people call a code."""

NOTHING_TYPED: Final[Typed] = ImmutableMultiDict()
YES, NO = "true", "false"


class Shape(StrEnum):
    """How a field is asked for."""

    TEXT = "text"
    LINES = "lines"
    DAY = "date"
    INSTANT = "datetime-local"
    NUMBER = "number"
    EMAIL = "email"
    PHONE = "tel"
    AGENT = "agent"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER_OR_WORD = "number_or_word"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of a closed list. word: what people call it."""

    code: str
    word: str
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form.

    name: path in the content, dots between. hint: why it is asked for. fault: what is wrong with
    what was typed. least, most: bounds of a number. longest: characters of a text. parts: fields of
    a block.
    """

    name: str
    label: str
    hint: str
    source: str
    shape: Shape
    required: bool
    nullable: bool = False
    options: tuple[Option, ...] = ()
    parts: tuple[Field, ...] = ()
    value: str = ""
    fault: str = ""
    longest: int | None = None
    least: int | None = None
    most: int | None = None

    @property
    def id(self) -> str:
        """Of the element that asks for it."""
        return f"f-{self.name.replace('.', '-')}"

    @property
    def leaves(self) -> Iterator[Field]:
        """The fields in which something is typed, its own parts among them."""
        if self.shape is not Shape.BLOCK:
            yield self
        for part in self.parts:
            yield from part.leaves


# --- from a model to its fields


def fields_of(
    model: type[BaseModel],
    word: Word = str,
    *,
    leave_out: Iterable[str] = (),
    choices: Mapping[str, Sequence[Option]] | None = None,
) -> tuple[Field, ...]:
    """The fields of a model, in its order.

    leave_out: top names that the page fills by itself. choices: by name, what is to choose among
    where the model only says that it is a text.
    """
    schema = model.model_json_schema()
    made = _parts(schema, schema.get("$defs", {}), "", word)
    chosen = choices or {}
    return tuple(
        _offered(one, chosen[one.name]) if one.name in chosen else one
        for one in made
        if one.name not in set(leave_out)
    )


def _offered(field: Field, options: Sequence[Option]) -> Field:
    shape = Shape.CHOICES if field.shape is Shape.LINES else Shape.CHOICE
    return replace(field, shape=shape, options=tuple(options))


def with_agents(fields: Iterable[Field], known: Sequence[Option]) -> tuple[Field, ...]:
    """The fields; where one asks for an agent, those that are known are offered, others typed."""
    return tuple(
        replace(one, options=tuple(known))
        if one.shape is Shape.AGENT
        else replace(one, parts=with_agents(one.parts, known))
        for one in fields
    )


def _parts(schema: Schema, defs: Schema, above: str, word: Word) -> tuple[Field, ...]:
    required = set(schema.get("required", ()))
    return tuple(
        _field(f"{above}{name}", part, defs, word, required=name in required)
        for name, part in schema.get("properties", {}).items()
    )


def _field(name: str, schema: Schema, defs: Schema, word: Word, *, required: bool) -> Field:
    found = [one for one in _alternatives(schema, defs) if one.get("type") != "null"]
    nullable = len(found) < len(_alternatives(schema, defs))
    about = Field(
        name=name,
        label=str(schema.get("title") or found[0].get("title") or name),
        hint=str(schema.get("description") or ""),
        source=str(schema.get("source") or ""),
        shape=Shape.TEXT,
        required=required and not nullable,
        nullable=nullable,
    )
    if all(one.get("type") == "object" for one in found):
        return replace(about, shape=Shape.BLOCK, parts=_block(name, found, defs, word))
    if len(found) > 1:
        codes = [code for one in found for code in one.get("enum", ())]
        return replace(about, shape=Shape.NUMBER_OR_WORD, options=_options(codes, word))
    return _simple(about, found[0], defs, word)


def _alternatives(schema: Schema, defs: Schema) -> list[Schema]:
    either = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [_resolved(one, defs) for one in either]


def _resolved(schema: Schema, defs: Schema) -> Schema:
    name = schema.get("$ref")
    return schema if name is None else defs[str(name).rpartition("/")[2]]


def _block(name: str, found: Sequence[Schema], defs: Schema, word: Word) -> tuple[Field, ...]:
    """Fields of a block; of one of several, which it is comes first."""
    if len(found) == 1:
        return _parts(found[0], defs, f"{name}.", word)
    made: dict[str, Field] = {}
    kinds: list[str] = []
    for one in found:
        for part in _parts(one, defs, f"{name}.", word):
            known = made.get(part.name)
            made[part.name] = part if known is None else _either(known, part)
        kinds += [it["const"] for it in one["properties"].values() if "const" in it]
    which = next(key for key, part in made.items() if part.name.endswith(".kind"))
    options = _options(kinds, word)
    first = str(found[0]["properties"]["kind"].get("title", ""))
    made[which] = replace(made[which], label=first, shape=Shape.CHOICE, options=options)
    rest = [replace(it, shape=Shape.TEXT) for key, it in made.items() if key != which]
    return (made[which], *rest)


def _either(one: Field, other: Field) -> Field:
    """A field in which one of two is typed: as long as the longer of them may be."""
    bounds = [it.longest for it in (one, other) if it.longest is not None]
    longest = max(bounds) if len(bounds) == 2 else None  # noqa: PLR2004 -- both have one
    return replace(other, label=f"{one.label} ou {other.label.lower()}", longest=longest)


_FORMATS: Final = {
    "date": Shape.DAY,
    "date-time": Shape.INSTANT,
    "email": Shape.EMAIL,
    "phone": Shape.PHONE,
    "agent": Shape.AGENT,
}


def _simple(about: Field, schema: Schema, defs: Schema, word: Word) -> Field:
    kind = schema.get("type")
    if "enum" in schema or "const" in schema:
        codes = schema.get("enum") or [schema["const"]]
        return replace(about, shape=Shape.CHOICE, options=_options(codes, word))
    if kind == "boolean":
        return replace(about, shape=Shape.YES_NO, options=_YES_NO)
    if kind == "integer":
        least, most = schema.get("minimum"), schema.get("maximum")
        return replace(about, shape=Shape.NUMBER, least=least, most=most)
    if kind == "array":
        item = schema.get("items", {})
        codes = [code for one in _alternatives(item, defs) for code in one.get("enum", ())]
        if codes:
            return replace(about, shape=Shape.CHOICES, options=_options(codes, word))
        return replace(about, shape=Shape.LINES)
    shape = _FORMATS.get(str(schema.get("format")), Shape.TEXT)
    return replace(about, shape=shape, longest=schema.get("maxLength"))


_YES_NO: Final = (Option(code=YES, word="Oui"), Option(code=NO, word="Non"))


def _options(codes: Iterable[str], word: Word) -> tuple[Option, ...]:
    return tuple(Option(code=code, word=word(code)) for code in codes)


# --- from what was typed to JSON


def content_of(fields: Iterable[Field], typed: Typed) -> dict[str, Any]:
    """What was typed, as the JSON that the model reads; a field left empty is absent, or null."""
    found: dict[str, Any] = {}
    for field in fields:
        name = field.name.rpartition(".")[2]
        value = _content(field, typed)
        if value is not None or field.nullable:
            found[name] = value
    return found


def _content(field: Field, typed: Typed) -> Any:  # noqa: ANN401 -- any JSON value
    if field.shape is Shape.BLOCK:
        if field.nullable and not any(typed.get(one.name) for one in field.leaves):
            return None
        return content_of(field.parts, typed)
    said = [one.strip() for one in typed.getlist(field.name) if one.strip()]
    if field.shape is Shape.LINES:
        said = [line.strip() for one in said for line in one.splitlines() if line.strip()]
    if field.shape in {Shape.CHOICES, Shape.LINES}:
        return said or (None if field.nullable or not field.required else [])
    return _value(field, said[-1]) if said else None


def _value(field: Field, text: str) -> Any:  # noqa: ANN401 -- any JSON value
    """One value; what cannot be read as it should goes on as it is, for the API to refuse."""
    if field.shape is Shape.YES_NO:
        return {YES: True, NO: False}.get(text, text)
    if field.shape in {Shape.NUMBER, Shape.NUMBER_OR_WORD}:
        words = {option.word.casefold(): option.code for option in field.options}
        return int(text) if text.isascii() and text.isdigit() else words.get(text.casefold(), text)
    if field.shape is Shape.INSTANT:
        return _instant(text)
    return text


def _instant(text: str) -> str:
    """A date and time of Paris with its offset."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if local.tzinfo is not None else local.replace(tzinfo=PARIS).isoformat()


# --- shown again, with what is wrong


def filled(
    fields: Iterable[Field], typed: Typed, faults: Mapping[str, str] | None = None
) -> tuple[Field, ...]:
    """The fields with what was typed in them, and what is wrong with it. faults: by name."""
    return tuple(_filled(field, typed, faults or {}) for field in fields)


def _filled(field: Field, typed: Typed, faults: Mapping[str, str]) -> Field:
    said = typed.getlist(field.name)
    return replace(
        field,
        value=said[-1] if said else "",
        options=tuple(replace(one, chosen=one.code in said) for one in field.options),
        parts=tuple(_filled(part, typed, faults) for part in field.parts),
        fault=faults.get(field.name, ""),
    )


def placed(
    fields: Iterable[Field], told: Iterable[Mapping[str, str]], words: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Faults that the API tells of, by the field each is about; and those of no field here.

    told: path and code of each. words: sentences by code.
    """
    known = {one.name for field in fields for one in (field, *_inner(field))}
    found: dict[str, str] = {}
    elsewhere: list[str] = []
    for one in told:
        sentence = words.get(one["code"]) or words.get(one["code"].partition(":")[0]) or _UNREAD
        name = _nearest(one["path"], known)
        if name is None:
            elsewhere.append(sentence)
        else:
            found.setdefault(name, sentence)
    return found, elsewhere


_UNREAD: Final = "n'est pas rempli comme attendu"


def _inner(field: Field) -> Iterator[Field]:
    for part in field.parts:
        yield part
        yield from _inner(part)


def _nearest(path: str, known: set[str]) -> str | None:
    """The field of a path, without the steps that name a type or a place in a list."""
    steps: list[str] = []
    for step in path.split("."):
        if ".".join((*steps, step)) in known:
            steps.append(step)
    return ".".join(steps) or None
