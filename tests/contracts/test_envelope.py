"""Envelopes, padding and receipts: what lies inside the signature, and nothing more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.kernel.canonical import canonical, digest
from contracts.kernel.envelope import LOT_LETTERS, PAD, Envelope, bind, pad, parse_lot
from contracts.kernel.errors import Unverified
from contracts.kernel.receipts import ACCEPTED, Head, Receipt, ReceiptBatch, parse_receipts

AT = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)


def envelope(**more: Any) -> Envelope:
    said: dict[str, Any] = {
        "id": "a" * 32,
        "type": "referral.submitted",
        "source": "college",
        "to": "ville",
        "time": AT,
        "expiresat": AT + timedelta(days=30),
        "instrument": "conv-a-1",
        "data": {"level": "6e"},
    }
    return Envelope(**{**said, **more})


def parse_envelope(content: bytes) -> Envelope:
    (found,) = parse_lot(bind([content])).letters
    return found


def test_a_lot_holds_envelopes_in_their_order_and_nothing_else() -> None:
    many = [envelope(id=f"{number:032x}") for number in range(LOT_LETTERS)]
    assert parse_lot(pad(bind(one.to_plaintext() for one in many))).letters == tuple(many)
    texts = [one.to_plaintext() for one in many]
    for wrong in (bind([]), bind([*texts, texts[0]]), bind(texts)[:-1] + b',"more":1}'):
        with pytest.raises(Unverified, match=r"letters|more"):
            parse_lot(wrong)


def test_a_lot_may_carry_the_list_of_its_proofs() -> None:
    texts = [envelope().to_plaintext()]
    assert parse_lot(bind(texts)).proofs is None
    assert parse_lot(bind(texts, "x.y.z")).proofs == "x.y.z"


def test_an_envelope_comes_back_as_it_left() -> None:
    for one in (envelope(), envelope(caseid="b" * 32, agreement="c" * 32, proof="x.y.z", seq=3)):
        assert parse_envelope(one.to_plaintext()) == one
        assert parse_envelope(pad(one.to_plaintext())) == one


def test_what_is_not_said_does_not_travel() -> None:
    assert {"caseid", "proof", "agreement", "purpose"}.isdisjoint(
        json.loads(envelope().to_plaintext())
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "1"},
        {"id": "A" * 32},
        {"source": "Collège"},
        {"specversion": "0.3"},
        {"caseid": "dupont"},
        {"agreement": "dupont"},
        {"time": "2026-11-12T09:00:00"},
        {"type": "x" * 61},
        {"traceparent": "x" * 65},
        {"note": "free text"},
        {"data": "free text"},
    ],
)
def test_an_envelope_has_a_closed_shape_and_its_error_tells_no_value(wrong: dict[str, Any]) -> None:
    good = json.loads(envelope().to_plaintext())
    assert parse_envelope(json.dumps(good).encode()) == envelope()
    with pytest.raises(Unverified) as caught:
        parse_envelope(json.dumps({**good, **wrong}).encode())
    (name, value) = next(iter(wrong.items()))
    assert name in caught.value.sentence
    assert str(value) not in caught.value.sentence
    assert caught.value.code == "unverified"


@given(st.binary(max_size=3 * PAD))
def test_padding_hides_the_size_and_ends_in_spaces(content: bytes) -> None:
    padded = pad(content)
    assert len(padded) % PAD == 0
    assert len(padded) - len(content) < PAD
    assert padded[: len(content)] == content
    assert set(padded[len(content) :]) <= {0x20}


@pytest.mark.parametrize(
    ("size", "padded"), [(0, 0), (1, PAD), (PAD - 1, PAD), (PAD, PAD), (PAD + 1, 2 * PAD)]
)
def test_both_sides_of_a_padding_step(size: int, padded: int) -> None:
    assert len(pad(b"x" * size)) == padded


def batch(**more: Any) -> dict[str, Any]:
    said = ReceiptBatch(
        source="ville",
        to="college",
        at=AT,
        receipts=(Receipt(message_id="a" * 32, status="received", at=AT),),
        heads=(Head(chain="node", seq=3, hash="f" * 64),),
    )
    return {**said.model_dump(mode="json"), **more}


def test_receipts_come_back_as_they_left() -> None:
    found = parse_receipts(json.dumps(batch()).encode())
    assert found.receipts[0].status in ACCEPTED
    assert found.heads[0].seq == 3
    assert {"received", "read"} == ACCEPTED


@pytest.mark.parametrize(
    "receipt",
    [
        {"message_id": "a" * 32, "status": "refused A-2.11", "at": AT.isoformat()},
        {"message_id": "a", "status": "received", "at": AT.isoformat()},
        {"message_id": "a" * 32, "status": "not_open", "at": AT.isoformat(), "article": "A-2.11"},
    ],
)
def test_a_receipt_cannot_say_why(receipt: dict[str, str]) -> None:
    plain = {"message_id": "a" * 32, "status": "not_open", "at": AT.isoformat()}
    assert parse_receipts(json.dumps(batch(receipts=[plain])).encode())
    with pytest.raises(Unverified, match=r"receipts\.0"):
        parse_receipts(json.dumps(batch(receipts=[receipt])).encode())


def test_equal_values_have_equal_digests_whatever_their_order() -> None:
    assert canonical({"b": 1, "a": [True, None]}) == b'{"a":[true,null],"b":1}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert digest({"a": 1}) != digest({"a": 2})
