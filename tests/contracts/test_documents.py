"""Signed documents: what is signed is what is read, as what it was signed for, by whom it says."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from pydantic import Field

from contracts.kernel.documents import (
    Document,
    header_of,
    kid_of,
    new_key,
    public_key,
    sign,
    unverified_content,
    verify,
    x_of,
)
from contracts.kernel.errors import InvalidDocument, UnknownKey

KEY = new_key()


def find(_kid: str) -> OKPKey:
    return KEY


def part(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_signature(key: OKPKey, start: str) -> bytes:
    private = key.private_key
    assert isinstance(private, Ed25519PrivateKey)
    return private.sign(start.encode())


def forged(header: object, content: bytes = b"x") -> str:
    """A token truly signed with KEY, whatever its header."""
    start = f"{part(header)}.{part(content)}"
    return f"{start}.{part(raw_signature(KEY, start))}"


def test_what_is_signed_comes_back() -> None:
    token = sign(b"content", KEY)
    assert verify(token, find) == verify(token.encode(), find) == b"content"
    assert unverified_content(token) == b"content"
    assert header_of(token) == {"alg": "Ed25519", "kid": kid_of(KEY)}
    assert header_of(sign(b"", KEY, kid="other", typ="act")) == {
        "alg": "Ed25519",
        "kid": "other",
        "typ": "act",
    }


@pytest.mark.parametrize("signed_for", [None, "act", "agreement-proof", "rotation"])
def test_a_document_passes_only_for_what_it_was_signed_for(signed_for: str | None) -> None:
    token = sign(b"content", KEY, typ=signed_for)
    assert verify(token, find, typ=signed_for) == b"content"
    for other in {None, "act", "agreement-proof", "rotation"} - {signed_for}:
        with pytest.raises(InvalidDocument, match="not for a"):
            verify(token, find, typ=other)


def test_another_key_is_refused() -> None:
    with pytest.raises(InvalidDocument):
        verify(sign(b"content", KEY), lambda _kid: new_key())


def test_an_unknown_key_stays_unknown() -> None:
    def nobody(_kid: str) -> OKPKey:
        raise UnknownKey("No convention pins this key.")

    with pytest.raises(UnknownKey):
        verify(sign(b"content", KEY), nobody)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_token_altered_anywhere_is_refused(position: int) -> None:
    parts = sign(b"content", KEY).split(".")
    assert verify(".".join(parts), find) == b"content"
    other = sign(b"context", KEY, kid="other").split(".")
    parts[position] = other[position]
    with pytest.raises(InvalidDocument):
        verify(".".join(parts), find)


@pytest.mark.parametrize(
    "alg", ["none", "None", "EdDSA", "HS256", "ES256", "", None, 1, ["Ed25519"]]
)
def test_only_one_algorithm_is_known(alg: Any) -> None:
    assert verify(forged({"alg": "Ed25519"}), find) == b"x"
    with pytest.raises(InvalidDocument):
        verify(forged({"alg": alg}), find)


def test_a_token_without_signature_is_refused() -> None:
    with pytest.raises(InvalidDocument):
        verify(f"{part({'alg': 'none'})}.{part(b'x')}.", find)
    with pytest.raises(InvalidDocument):
        verify(f"{part({'alg': 'Ed25519'})}.{part(b'x')}.", find)


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"crit": ["exp"], "exp": 1},
        {"b64": True},
    ],
)
def test_no_extension_is_understood(more: dict[str, Any]) -> None:
    """With RFC 7797 one signature would cover two readings of its content."""
    assert verify(forged({"alg": "Ed25519", "kid": "a"}), find) == b"x"
    with pytest.raises(InvalidDocument):
        verify(forged({"alg": "Ed25519", "kid": "a", **more}), find)


def test_a_key_inside_the_token_is_not_believed() -> None:
    thief = new_key()
    inside = {"alg": "Ed25519", "jwk": thief.as_dict(private=False)}
    token = f"{part(inside)}.{part(b'x')}"
    with pytest.raises(InvalidDocument):
        verify(f"{token}.{part(raw_signature(thief, token))}", find)


JUNK = ["", ".", "..", "a.b.c", "é.é.é", "W10.W10.AA", f"{part(b'[' * 100_000)}.AA.AA", "{}"]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_is_refused_and_never_crashes(junk: str) -> None:
    for read in (header_of, unverified_content):
        with pytest.raises(InvalidDocument):
            read(junk)
    with pytest.raises(InvalidDocument):
        verify(junk, find)


def test_a_public_key_comes_from_its_jwk_member() -> None:
    assert kid_of(public_key(x_of(KEY))) == kid_of(KEY)
    assert not public_key(x_of(KEY)).is_private
    for wrong in ("", "AA", "é" * 43, "A" * 44):
        with pytest.raises(InvalidDocument):
            public_key(wrong)


class Sample(Document):
    """A document of this test."""

    age: int = Field(ge=0)
    name: str = "x"


def test_a_document_has_canonical_bytes_and_a_closed_shape() -> None:
    assert Sample(age=3).to_bytes() == b'{"age":3,"name":"x"}'
    assert Sample.parse('{"name": "x", "age": 3}') == Sample(age=3)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"age": -1}', "Sample: age: greater_than_equal"),
        ('{"age": 1, "secret": "Dupont"}', "Sample: secret: extra_forbidden"),
        ('{"age": "Dupont"}', "Sample: age: int_parsing"),
        ("Dupont", "Sample: (document): json_invalid"),
        (b"\xff", "Sample: (document): json_invalid"),
        ("[" * 100_000, "Sample: (document): json_invalid"),
    ],
)
def test_an_error_names_the_field_and_never_the_value(content: str | bytes, fault: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        Sample.parse(content)
    assert caught.value.sentence == fault
    assert caught.value.__suppress_context__
