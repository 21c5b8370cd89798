"""A subject is literal, opaque and readable back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.broker.subjects import (
    CONTROL,
    RECEIPT,
    InvalidSubject,
    incoming,
    letter_subject,
    outgoing,
    parse_subject,
)

codes = st.from_regex(r"[a-z0-9]{1,16}", fullmatch=True)


@given(codes, codes, codes, codes)
def test_a_subject_reads_back_into_its_codes(r: str, s: str, c: str, m: str) -> None:
    assert parse_subject(letter_subject(r, s, c, m)) == (r, s, c, m)


def test_the_receiver_comes_first() -> None:
    assert letter_subject("b", "a", "cv", CONTROL) == "lb.b.a.cv.k"
    assert letter_subject("b", "a", "cv", RECEIPT) == "lb.b.a.cv.r"


@pytest.mark.parametrize(
    "code", ["", "*", ">", "a.b", "A", "é", "a b", "a\n", "x" * 17, "a-b", "$JS", "١"]
)
def test_a_code_that_is_not_short_and_plain_is_refused(code: str) -> None:
    assert letter_subject("x" * 16, "a", "c1", "m").startswith("lb.")
    for position in range(4):
        parts = ["b", "a", "cv", "m"]
        parts[position] = code
        with pytest.raises(InvalidSubject):
            letter_subject(*parts)


@pytest.mark.parametrize(
    "subject", ["lb.b.a.cv", "lb.b.a.cv.m.x", "xx.b.a.cv.m", "lb.b.a.cv.>", "lb.*.a.cv.m", ""]
)
def test_only_a_whole_literal_subject_reads(subject: str) -> None:
    assert parse_subject("lb.b.a.cv.m").message == "m"
    with pytest.raises(InvalidSubject):
        parse_subject(subject)


def test_wildcards_name_the_organisation_alone() -> None:
    assert (incoming("b"), outgoing("b")) == ("lb.b.>", "lb.*.b.>")
    for wildcard in (incoming, outgoing):
        with pytest.raises(InvalidSubject):
            wildcard("*")
