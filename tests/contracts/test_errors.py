"""Errors form one small tree; each has a code for machines and a sentence for people."""

from __future__ import annotations

import pytest

from contracts.kernel import errors
from contracts.kernel.errors import InvalidPayload, RelaisError, UnknownKey

TREE = [
    one
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, RelaisError) and one is not RelaisError
]


def test_each_error_has_a_code_of_its_own_and_a_status_to_answer_with() -> None:
    codes = [one.code for one in TREE]
    assert len(set(codes)) == len(codes) > 5
    assert "error" not in codes
    assert {one.status for one in TREE} <= {403, 404, 422, 503}


def test_the_tree_is_drawn_at_the_top_of_its_file() -> None:
    assert errors.__doc__ is not None
    assert all(one.__name__ in errors.__doc__ for one in TREE)


@pytest.mark.parametrize("error", TREE, ids=lambda one: one.__name__)
def test_an_error_says_its_sentence_and_its_articles(error: type[RelaisError]) -> None:
    plain = error("Une phrase.")
    assert (str(plain), plain.sentence, plain.code, plain.articles) == (
        "Une phrase.",
        "Une phrase.",
        error.code,
        (),
    )
    named = error("Une phrase.", code="other", articles=("A-2.11",))
    assert (named.code, named.articles) == ("other", ("A-2.11",))


def test_an_unknown_key_is_an_invalid_document() -> None:
    assert issubclass(UnknownKey, errors.InvalidDocument)


def test_a_wrong_payload_names_its_fields() -> None:
    assert InvalidPayload("Non.").fields == ()
    found = InvalidPayload("Non.", fields=(("pupil.uai", "missing"),), articles=("A-5.1",))
    assert found.fields == (("pupil.uai", "missing"),)
    assert (found.code, found.articles) == ("invalid_payload", ("A-5.1",))
