"""Fields: what no message may hide, in any field of any type, and what must not be refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.kernel.fields import (
    Code,
    Day,
    Email,
    Payload,
    PersonName,
    Phone,
    ShortText,
    Siret,
    Uai,
    caller_model,
    node_fields,
    said,
)
from contracts.kernel.hidden import hidden_identifier, holds_nir, invisible
from tests.contracts.disguises import BODY, HIDDEN, INVISIBLE, NAMES, NIR, TEXTS
from tests.contracts.leaves import Leaf, contents, leaves

_text: TypeAdapter[str] = TypeAdapter(ShortText)
_name: TypeAdapter[str] = TypeAdapter(PersonName)
_phone: TypeAdapter[str] = TypeAdapter(Phone)
_email: TypeAdapter[str] = TypeAdapter(Email)


def refuses(adapter: TypeAdapter[str], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize(("text", "kind"), HIDDEN)
def test_an_identifier_is_found_in_any_disguise(text: str, kind: str) -> None:
    assert hidden_identifier(text) == kind
    assert hidden_identifier(f"Durand {text}") is not None
    assert refuses(_text, text)
    assert not refuses(_text, "Durand")


LEAVES = leaves()
TEXT_LEAVES = [leaf for leaf in LEAVES if leaf.is_text]


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_the_walker_makes_valid_documents(leaf: Leaf) -> None:
    assert leaf.payload.model_validate_json(json.dumps(leaf.document))


def test_the_walker_finds_every_content_and_every_branch() -> None:
    assert {leaf.payload for leaf in LEAVES} == set(contents())
    found = {str(leaf) for leaf in LEAVES}
    assert "ReferralSubmitted.pupil.family_name" in found
    formats = {leaf.schema.get("format") for leaf in LEAVES if str(leaf).endswith("channel.value")}
    assert formats == {"email", "phone"}


@pytest.mark.parametrize("leaf", TEXT_LEAVES, ids=str)
def test_no_field_of_any_type_carries_an_identifier(leaf: Leaf) -> None:
    """Each in every disguise; an address or a number passes in the field made for it alone."""
    for text, kind in HIDDEN:
        if leaf.schema.get("format") == kind:
            continue
        with pytest.raises(ValidationError) as caught:
            leaf.payload.model_validate_json(json.dumps(leaf.holding(text)))
        assert text not in {str(error["loc"]) for error in caught.value.errors()}


@pytest.mark.parametrize("leaf", TEXT_LEAVES, ids=str)
def test_no_field_of_any_type_carries_what_nobody_sees(leaf: Leaf) -> None:
    for text in INVISIBLE:
        with pytest.raises(ValidationError):
            leaf.payload.model_validate_json(json.dumps(leaf.holding(text)))


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if not leaf.is_text], ids=str)
def test_no_number_is_large_enough_to_identify(leaf: Leaf) -> None:
    for number in (int(NIR), int(BODY), 639981234, -1):
        with pytest.raises(ValidationError):
            leaf.payload.model_validate_json(json.dumps(leaf.holding(number)))


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_a_field_more_is_refused_wherever_it_stands(leaf: Leaf) -> None:
    document = leaf.holding(None)
    spot = document
    for part in leaf.path[:-1]:
        spot = spot[part]
    if isinstance(spot, list):
        spot = document
    assert leaf.payload.model_validate_json(json.dumps(leaf.document))
    with pytest.raises(ValidationError, match="extra_forbidden"):
        leaf.payload.model_validate_json(json.dumps({**leaf.document, "comment": "x"}))
    spot[leaf.path[-1] if isinstance(leaf.path[-1], str) else "comment"] = {"comment": "x"}
    with pytest.raises(ValidationError):
        leaf.payload.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("name", NAMES.replace("\n", "|").split("|"))
def test_a_real_name_is_not_refused(name: str) -> None:
    assert hidden_identifier(name) is None
    assert _name.validate_python(name) == _text.validate_python(name) == name


@pytest.mark.parametrize("text", TEXTS)
def test_an_ordinary_text_is_not_refused(text: str) -> None:
    assert _text.validate_python(text) == text


def _days() -> Iterator[str]:
    for number in range(0, 2200, 7):
        start = date(2024, 1, 1) + timedelta(days=number)
        end = start + timedelta(days=33)
        for form in ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d"):
            first, last = start.strftime(form), end.strftime(form)
            yield from (first, f"{first} 14h", f"{first} 14h30", f"{first} 14:30", f"{first}, 3e")
            yield from (f"{first} - {last}", f"{first}-{last}", f"du {first} au {last}")
            yield from (f"{first} 14:30-15:45", f"{first} 76000 Rouen", f"{first}, 18-27")


def test_days_and_hours_are_never_taken_for_numbers() -> None:
    assert [text for text in _days() if hidden_identifier(text) is not None] == []


@given(st.text(max_size=80))
def test_any_text_gets_an_answer(text: str) -> None:
    assert hidden_identifier(text) in {None, "nir", "ine", "email", "phone", "link"}


@given(st.integers(1, 2), st.integers(0, 99), st.integers(1, 12), st.integers(0, 9_999_999))
def test_every_nir_is_found_with_its_key_or_without(
    sex: int, year: int, month: int, rest: int
) -> None:
    body = f"{sex}{year:02d}{month:02d}{10_000_000 + rest:08d}"
    key = 97 - int(body) % 97
    assert holds_nir(body)
    assert holds_nir(f"{body}{key:02d}")
    assert hidden_identifier(f"x{body}{key:02d}x") == "nir"


@pytest.mark.parametrize("name", ["Durand3", "Du<b>rand", "Dur{and", "Dur[and", "Dur\\and", ""])
def test_a_name_holds_no_digit_and_no_bracket(name: str) -> None:
    assert not refuses(_name, "Durand")
    assert refuses(_name, name)


def test_lengths_are_bounded_on_both_sides() -> None:
    for adapter in (_text, _name):
        assert not refuses(adapter, "a" * 80)
        assert refuses(adapter, "a" * 81)
    assert not refuses(_email, f"{'a' * 64}@exemple.fr")
    assert refuses(_email, f"{'a' * 65}@exemple.fr")


def test_a_name_of_many_look_alikes_hides_a_number() -> None:
    assert not refuses(_name, "Lilioollo")  # eight at most
    assert refuses(_name, "l85O578OO6O84")
    assert refuses(_name, "lOOOOOOOOOOOO1")


def test_an_address_that_is_also_a_link_still_hides_no_nir() -> None:
    assert not refuses(_email, "www.zoe@exemple.fr")
    body = f"185{57800608:010d}"
    assert refuses(_email, f"www.{body}{97 - int(body) % 97:02d}@exemple.fr")


@pytest.mark.parametrize("text", INVISIBLE)
def test_what_nobody_sees_is_refused(text: str) -> None:
    assert invisible(text)
    assert refuses(_text, text)
    assert refuses(_email, f"{text}@exemple.fr")
    assert not invisible("Éléonore d’Hérouville")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0639981234", "+33639981234"),
        ("06 39 98 12 34", "+33639981234"),
        ("06.39.98.12.34", "+33639981234"),
        ("+33 (0)6 39 98 12 34", "+33639981234"),
        ("0033639981234", "+33639981234"),
        ("02 35 00 00 00", "+33235000000"),
        ("+49 30 901820", "+4930901820"),
        ("06\u00a039\u00a098\u00a012\u00a034", "+33639981234"),
    ],
)
def test_a_phone_number_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert _phone.validate_python(typed) == kept
    assert _phone.validate_python(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "tel",
        "112",
        "0639",
        "appelez 0639981234",
        "0639981234;0639981235",
        "06 39 98 12 34 poste 5",
        "++33639981234",
        NIR,
        BODY,
        f"+{NIR}",
        f"+49{BODY}",
        "1234567890A",
        "+999639981234",
    ],
)
def test_what_is_not_one_phone_number_is_refused(typed: str) -> None:
    assert not refuses(_phone, "0639981234")
    assert refuses(_phone, typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("zoe@exemple.fr", "zoe@exemple.fr"),
        ("Zoe.Durand+ml@Exemple.FR", "Zoe.Durand+ml@exemple.fr"),
        ("0639981234@exemple.fr", "0639981234@exemple.fr"),
        ("a@ac-normandie.education", "a@ac-normandie.education"),
        ("zoé@mairie-évreux.fr", "zoé@mairie-évreux.fr"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert _email.validate_python(typed) == kept
    assert _email.validate_python(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "zoe",
        "zoe@exemple",
        "@exemple.fr",
        "zoe@.fr",
        "zoe@-x.fr",
        "zoe@x..fr",
        "a@b@exemple.fr",
        "a@exemple.fr,b@exemple.fr",
        "a@exemple.fr<script>",
        "mailto:a@exemple.fr",
        "a b@exemple.fr",
        f"{NIR}@exemple.fr",
        "1234567890A@exemple.fr",
    ],
)
def test_what_is_not_one_address_is_refused(typed: str) -> None:
    assert not refuses(_email, "zoe@exemple.fr")
    assert refuses(_email, typed)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (Siret, ["21760540100017", "217 605 401 00017"], ["21760540100018", "1", ""]),
        (Uai, ["0760001A"], ["0760001", "0760001a", "076000１A", "0760001A\n", ""]),
        (Code, ["school_perseverance"], ["School", "1a", "a b", "", "a" * 42]),
    ],
)
def test_codes_have_one_shape(annotation: Any, good: list[str], bad: list[str]) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(annotation)
    assert all(not refuses(adapter, text) for text in good)
    assert all(refuses(adapter, text) for text in bad)


def test_a_day_is_a_date_or_its_iso_form_and_never_an_hour_or_a_number() -> None:
    adapter: TypeAdapter[date] = TypeAdapter(Day, config={"strict": True})
    assert adapter.validate_python("2026-02-28") == date(2026, 2, 28)
    assert adapter.validate_json('"2026-02-28"') == date(2026, 2, 28)
    assert adapter.validate_python(date(2026, 2, 28)) == date(2026, 2, 28)
    for wrong in ("2026-02-30", "28/02/2026", "20260228", 20260228, "2026-02-28T10:00:00Z", "0"):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


class Sample(Payload):
    """A content of this test."""

    who: ShortText = said("Qui", why="Parce que.", source="A-5.1", filled="identity")
    what: ShortText = said("Quoi", why="Parce que.", source="A-5.1")


def test_a_caller_types_what_the_node_does_not_fill_and_nothing_else() -> None:
    assert node_fields(Sample) == {"who": "identity"}
    typed = caller_model(Sample)
    assert typed is caller_model(Sample)
    assert set(typed.model_fields) == {"what"}
    assert typed.model_validate({"what": " x "}).model_dump() == {"what": "x"}
    for wrong in ({"what": "x", "who": "y"}, {}, {"what": 3}, {"what": "06 39 98 12 34"}):
        with pytest.raises(ValidationError):
            typed.model_validate(wrong)


def test_a_content_is_frozen() -> None:
    one = Sample(who="x", what="y")
    with pytest.raises(ValidationError, match="frozen"):
        one.what = "z"  # type: ignore[misc] # frozen: assigning it is the point
