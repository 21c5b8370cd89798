"""Which activations the registrar takes over HTTP; the hub is away throughout."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.broker.activations import activation_token
from contracts.broker.grants import Grant, grant
from contracts.broker.nkey import KeyPair
from tests.parties import Organisation, account_key, city, school
from tests.services.registrar.calling import Client, make_registrar, now, published, put, serving


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(tmp_path) as client:
        yield client


# -- activations ---------------------------------------------------------------------------


def one_grant(receiver: Organisation, sender: Organisation, days: int = 30) -> Grant:
    return grant(
        sender=sender.code,
        receiver=receiver.code,
        convention="cv",
        message="m1",
        expires_at=(now() + timedelta(days=days)).replace(microsecond=0),
    )


def token(
    made: Grant,
    receiver: Organisation,
    sender: Organisation,
    signer: KeyPair | None = None,
    age: timedelta = timedelta(),
) -> str:
    return activation_token(
        made,
        sender_key=sender.account.public,
        receiver_key=receiver.account.public,
        signer=signer or receiver.account_signing,
        issued_at=now() - age,
    )


async def activate(client: Client, org: str, *tokens: str) -> str:
    return await put(client, f"/activations/{org}", json.dumps(tokens))


async def test_activations_are_signed_by_the_receivers_account(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    made = one_grant(one, other)
    assert await activate(client, "ville", token(made, one, other)) == "ok"
    for false in (
        token(made, one, other, signer=other.account_signing),
        token(made, one, other, signer=account_key()),
        token(one_grant(other, one), one, other),
        token(made, other, other, signer=other.account_signing),
    ):
        assert await activate(client, "ville", false) == "activation_issuer"
    assert await activate(client, "college", token(made, one, other)) == "activation_issuer"
    assert await activate(client, "ville", "junk") == "token_shape"
    assert await activate(client, "nobody", token(made, one, other)) == "unknown"
    for junk in ('{"a": 1}', "[", "[1]"):
        assert await put(client, "/activations/ville", junk) == "invalid_document"


async def test_an_older_activation_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    one, other = city(), school()
    made = one_grant(one, other)
    old = token(made, one, other, age=timedelta(hours=1))
    new = token(replace(made, expires_at=made.expires_at - timedelta(days=1)), one, other)
    expired = token(one_grant(one, other, days=-1), one, other)
    registrar = make_registrar(tmp_path)
    await registrar.start()
    try:
        for each in (one, other):
            await registrar.publish_entry(each.entry())
        held = []
        for given in (old, new, old, expired):
            await registrar.publish_activations("ville", [given])
            held.append(registrar.view.activations[made.subject].token)
        assert held == [old, new, new, new]
        ahead = token(made, one, other, age=-timedelta(days=1800))
        for given in (ahead, new):  # a clock that was far ahead, then set right
            await registrar.publish_activations("ville", [given])
            assert registrar.view.activations[made.subject].token == given
        one.account_signing = account_key()
        await registrar.publish_entry(one.entry())
        moved = token(made, one, other, age=timedelta(hours=2))
        await registrar.publish_activations("ville", [moved])
        assert registrar.view.activations[made.subject].token == moved
    finally:
        await registrar.stop()
