"""Signed texts and acts as they travel: the keys of the annex sign, and nothing else does."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64encode

from contracts.kernel.documents import add_signature, new_key, sign
from contracts.kernel.errors import InvalidDocument, RelaisError, UnknownKey
from contracts.kernel.terms import Act, ActKind, read_act, read_terms
from tests.parties import AT, SIGNED_ON, Organisation, city, school, signed, text

Find = Any


def finder(*orgs: Organisation) -> Find:
    keys = {(one.org, one.kid): one.key for one in orgs}

    def find(org: str, kid: str) -> OKPKey:
        if (org, kid) not in keys:
            raise UnknownKey("No convention pins this key.")
        return keys[org, kid]

    return find


def test_a_text_signed_by_all_is_complete() -> None:
    one, other = city(), school()
    found = read_terms(signed(text(one, other), one, other), finder(one, other))
    assert found.complete
    assert found.signed_on == {"ville": SIGNED_ON, "college": SIGNED_ON}
    assert found.last_signature == SIGNED_ON
    assert not found.terms.invented


def test_a_text_signed_by_one_is_not() -> None:
    one, other = city(), school()
    found = read_terms(signed(text(one, other), one), finder(one, other))
    assert not found.complete
    assert found.last_signature is None


def test_a_key_the_annex_does_not_name_is_refused_even_when_it_is_known() -> None:
    """A rotated key is known, yet the text that all signed names the former one."""
    one, other, thief = city(), school(), city()
    terms = text(one, other)
    assert read_terms(signed(terms, one, other), finder(one, other)).complete
    with pytest.raises(InvalidDocument, match="annex does not name"):
        read_terms(signed(terms, thief, other), finder(one, other, thief))
    with pytest.raises(UnknownKey):
        read_terms(signed(terms, thief, other), finder(one, other))


def test_a_stranger_cannot_add_itself() -> None:
    one, other = city(), school()
    stranger = school()
    stranger.org = "lycee"
    with pytest.raises(InvalidDocument, match="annex does not name"):
        read_terms(signed(text(one, other), one, other, stranger), finder(one, other, stranger))


@pytest.mark.parametrize("part", ["payload", "signature", "protected"])
def test_a_text_altered_anywhere_is_refused(part: str) -> None:
    one, other = city(), school()
    token = signed(text(one, other), one, other)
    assert read_terms(token, finder(one, other)).complete
    whole = json.loads(token)
    altered = text(one, other, until=date(2040, 1, 1)).to_bytes()
    header = {"alg": "Ed25519", "kid": one.kid, "typ": "joint", "org": "ville"}
    header["signed_on"] = "2020-01-01"
    if part == "payload":
        whole["payload"] = urlsafe_b64encode(altered).decode()
    elif part == "signature":
        whole["signatures"][0]["signature"] = whole["signatures"][1]["signature"]
    else:
        whole["signatures"][0]["protected"] = urlsafe_b64encode(
            json.dumps(header).encode()
        ).decode()
    with pytest.raises(InvalidDocument):
        read_terms(json.dumps(whole), finder(one, other))


def test_two_signatures_of_one_party_are_refused() -> None:
    """Otherwise whoever keeps the documents could choose among two dates of signature."""
    one, other = city(), school()
    terms = text(one, other)
    first = signed(terms, one, other)
    second = json.loads(signed(terms, one, on=date(2020, 1, 1)))
    whole = json.loads(first)
    assert read_terms(first, finder(one, other))
    whole["signatures"] += second["signatures"]
    with pytest.raises(InvalidDocument, match="too many"):
        read_terms(json.dumps(whole), finder(one, other))


def test_signing_again_replaces_ones_own_signature() -> None:
    one, other = city(), school()
    terms = text(one, other)
    token = signed(terms, one, other)
    said = {"signed_on": "2026-02-01"}
    again = add_signature(token, terms.to_bytes(), one.org, one.key, said)
    found = read_terms(again, finder(one, other))
    assert found.signed_on == {"ville": date(2026, 2, 1), "college": SIGNED_ON}


def test_a_signature_says_who_and_what_itself_whatever_it_is_given() -> None:
    one, other = city(), school()
    terms = text(one, other)
    said = {"signed_on": SIGNED_ON.isoformat(), "org": "college", "kid": other.kid, "typ": "act"}
    found = read_terms(
        add_signature(None, terms.to_bytes(), one.org, one.key, said), finder(one, other)
    )
    assert set(found.signed_on) == {"ville"}


def test_nobody_adds_a_signature_to_another_text() -> None:
    one, other = city(), school()
    token = signed(text(one, other), one)
    assert add_signature(token, text(one, other).to_bytes(), "college", other.key, {})
    with pytest.raises(InvalidDocument, match="another text"):
        add_signature(token, text(one, other, version=2).to_bytes(), "college", other.key, {})


@pytest.mark.parametrize("said", [{}, {"signed_on": "hier"}, {"signed_on": "2026-02-30"}])
def test_a_signature_without_a_date_is_refused(said: dict[str, str]) -> None:
    one, other = city(), school()
    terms = text(one, other)
    token = add_signature(None, terms.to_bytes(), one.org, one.key, {"signed_on": "2026-02-28"})
    assert read_terms(token, finder(one, other)).signed_on == {"ville": date(2026, 2, 28)}
    token = add_signature(None, terms.to_bytes(), one.org, one.key, said)
    with pytest.raises(InvalidDocument, match="no date"):
        read_terms(token, finder(one, other))


JUNK = [
    "",
    "[]",
    "1",
    "é",
    "{}",
    "[" * 100_000,
    '{"signatures": null, "payload": "e30"}',
    '{"signatures": [1], "payload": "e30"}',
    '{"signatures": [{"protected": 1}], "payload": "e30"}',
    '{"signatures": [{"protected": "W10"}], "payload": "e30"}',
    '{"signatures": [{"protected": "e30", "signature": ""}], "payload": "e30"}',
    '{"signatures": [], "payload": 1}',
    '{"signatures": [], "payload": "e30"}',
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_is_refused_and_never_crashes(junk: str) -> None:
    one, other = city(), school()
    terms = text(one, other)
    assert read_terms(signed(terms, one), finder(one))
    with pytest.raises(InvalidDocument):
        read_terms(junk, finder(one))
    with pytest.raises(RelaisError):
        add_signature(junk, terms.to_bytes(), one.org, one.key, {})


def test_an_act_is_signed_by_its_author_as_an_act() -> None:
    one = city()
    token = one.act(ActKind.SUSPENSION, "conv-a")
    found = read_act(token, lambda _kid: one.key)
    assert (found.org, found.kind, found.at) == ("ville", ActKind.SUSPENSION, AT)
    with pytest.raises(InvalidDocument):
        read_act(token, lambda _kid: new_key())
    with pytest.raises(InvalidDocument, match="not for a act"):
        read_act(sign(found.to_bytes(), one.key), lambda _kid: one.key)


def test_an_act_has_a_closed_shape() -> None:
    one = city()
    content = Act.parse(
        read_act(one.act(ActKind.SUSPENSION, "conv-a"), lambda _: one.key).to_bytes()
    )
    assert content.received_on is None
    with pytest.raises(InvalidDocument, match="reason: extra_forbidden"):
        Act.parse(json.dumps({**content.model_dump(mode="json"), "reason": "x"}))
