"""Keys are read whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.broker.nkey import InvalidKey, KeyKind, from_seed, key_pair, raw_public, verify
from tests.contracts.broker.samples import key

LETTERS = {KeyKind.OPERATOR: "O", KeyKind.ACCOUNT: "A", KeyKind.USER: "U"}


@pytest.mark.parametrize("kind", KeyKind)
@given(entropy=st.binary(min_size=32, max_size=32))
def test_a_key_reads_back_from_its_seed_and_verifies_its_own_signature(
    kind: KeyKind, entropy: bytes
) -> None:
    made = key_pair(kind, entropy)
    assert (made.public[0], made.seed[:2]) == (LETTERS[kind], f"S{LETTERS[kind]}")
    assert from_seed(made.seed) == made
    assert verify(made.public, b"text", made.sign(b"text"))
    assert not verify(made.public, b"other", made.sign(b"text"))
    assert not verify(key("stranger").public, b"text", made.sign(b"text"))


def test_the_seed_does_not_show() -> None:
    assert key("a").seed not in repr(key("a"))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_takes_exactly_32_bytes(size: int) -> None:
    assert key_pair(KeyKind.USER, bytes(32)).public
    with pytest.raises(InvalidKey):
        key_pair(KeyKind.USER, bytes(size))


@pytest.mark.parametrize("seed", ["", "SU", key("a").public, "not base32!", "SX" + "A" * 56])
def test_what_is_no_seed_is_refused(seed: str) -> None:
    assert from_seed(key("a").seed)
    with pytest.raises(InvalidKey):
        from_seed(seed)


def test_an_altered_public_key_is_refused() -> None:
    public = key("a").public
    assert raw_public(public, KeyKind.ACCOUNT)
    altered = public[:20] + ("B" if public[20] != "B" else "C") + public[21:]
    for bad in (altered, public[:-8], "", "é" * 56, public.lower(), public + "A" * 8):
        with pytest.raises(InvalidKey):
            raw_public(bad)


def test_a_key_of_another_kind_is_refused() -> None:
    assert raw_public(key("a", KeyKind.USER).public, KeyKind.USER)
    with pytest.raises(InvalidKey):
        raw_public(key("a", KeyKind.USER).public, KeyKind.ACCOUNT)
