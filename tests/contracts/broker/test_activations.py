"""An activation opens one grant for one sender, or says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.broker.activations import (
    ActivationRefused,
    activation_token,
    check_activation,
    read_activation,
    refusal,
)
from contracts.broker.claims import Account
from contracts.broker.tokens import decode_and_verify, sign
from tests.contracts.broker.samples import END, NOW, account, flow, key, token

GRANT = flow()
SENDER = key("a").public


def refused(text: str | None, receiver: Account | None = None, *, late: bool = False) -> str:
    at = END if late else NOW
    with pytest.raises(ActivationRefused) as caught:
        check_activation(text, GRANT, receiver or account("b"), SENDER, at)
    assert caught.value.sentence
    return caught.value.code


def test_the_receivers_activation_opens_the_grant() -> None:
    activation = check_activation(token(GRANT), GRANT, account("b"), SENDER, NOW)
    assert (activation.subject, activation.sender_key) == (GRANT.subject, SENDER)
    assert (activation.issued_at, activation.expires_at) == (NOW, END)


def test_a_missing_activation_opens_nothing() -> None:
    assert refused(None) == "activation_missing"


def test_an_activation_signed_by_anyone_but_the_receiver_opens_nothing() -> None:
    for stranger in ("a signing", "a", "b", "c signing"):
        assert refused(token(GRANT, signer=key(stranger))) == "activation_issuer"


def test_an_activation_in_the_name_of_another_account_opens_nothing() -> None:
    text = activation_token(
        GRANT,
        sender_key=SENDER,
        receiver_key=key("c").public,
        signer=key("b signing"),
        issued_at=NOW,
    )
    assert refused(text) == "activation_issuer"


def test_an_activation_for_another_subject_or_sender_opens_nothing() -> None:
    assert refused(token(flow(message="other"))) == "activation_subject"
    assert refused(token(GRANT, sender="c")) == "activation_sender"


def test_an_activation_closes_at_its_end_and_never_after_the_grant() -> None:
    last = check_activation(token(GRANT), GRANT, account("b"), SENDER, END - timedelta(seconds=1))
    assert last.expires_at == END
    assert refused(token(GRANT), late=True) == "activation_expired"
    longer = replace(GRANT, expires_at=END + timedelta(seconds=1))
    assert refused(token(longer)) == "activation_too_long"


def test_a_revoked_activation_opens_nothing_and_a_later_one_does() -> None:
    before = {GRANT.subject: NOW - timedelta(seconds=1)}
    check_activation(
        token(GRANT), GRANT, replace(account("b"), revoked_activations=before), SENDER, NOW
    )
    until = replace(account("b"), revoked_activations={GRANT.subject: NOW})
    assert refused(token(GRANT), until) == "activation_revoked"


def test_a_key_that_the_receiver_retired_opens_nothing() -> None:
    retired = replace(account("b"), signing_keys=(key("b new").public,))
    assert refused(token(GRANT), retired) == "activation_issuer"


def test_an_altered_activation_opens_nothing() -> None:
    text = token(GRANT)
    assert refused(text[:-4] + "AAAA") == "token_signature"
    assert refused("nothing") == "token_shape"


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("nats", "type", "user"),
        ("nats", "kind", "stream"),
        ("nats", "version", 1),
        ("nats", "subject", None),
        ("nats", "issuer_account", None),
        ("claims", "exp", None),
        ("claims", "exp", "tomorrow"),
        ("claims", "exp", 10**30),
        ("claims", "sub", None),
    ],
)
def test_an_activation_of_another_shape_opens_nothing(
    place: str, name: str, value: str | int | None
) -> None:
    claims = decode_and_verify(token(GRANT))
    del claims["jti"]
    target = claims["nats"] if place == "nats" else claims
    if value is None:
        del target[name]
    else:
        target[name] = value
    text = sign(claims, key("b signing"), NOW)
    with pytest.raises(ActivationRefused) as caught:
        read_activation(text)
    assert caught.value.code == "activation_unreadable"


def test_every_reason_has_its_sentence() -> None:
    assert refusal("account_unknown").code == "account_unknown"
    assert refusal("grant_expired").sentence
