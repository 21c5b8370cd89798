"""Compiling is deterministic, opens only what is activated, and stays linear."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from contracts.broker.accounts import DuplicateCode, compile_accounts, withheld
from contracts.broker.activations import read_activation
from contracts.broker.tokens import Claims
from tests.contracts.broker.samples import (
    END,
    NOW,
    RENEWAL,
    account,
    activated,
    flow,
    key,
    token,
)

ACCOUNTS = [account(code) for code in "abc"]
GRANTS = [flow(), flow("b", "a", "r"), flow("c", "b"), flow("a", "c", "k")]


def subjects(claims: Claims, side: str) -> list[str]:
    return [entry["subject"] for entry in claims["nats"][side]]


def test_each_grant_is_an_export_of_the_receiver_and_an_import_of_the_sender() -> None:
    made = compile_accounts(ACCOUNTS, GRANTS, activated(*GRANTS), NOW, RENEWAL)
    assert list(made) == ["a", "b", "c"]
    assert subjects(made["b"], "exports") == ["lb.b.a.cv.m", "lb.b.c.cv.m"]
    assert subjects(made["a"], "imports") == ["lb.b.a.cv.m", "lb.c.a.cv.k"]
    assert made["a"]["nats"]["imports"][0]["account"] == key("b").public
    assert withheld(ACCOUNTS, GRANTS, activated(*GRANTS), NOW) == {}


def test_the_order_of_the_inputs_changes_nothing() -> None:
    activations = activated(*GRANTS)
    first = compile_accounts(ACCOUNTS, GRANTS, activations, NOW, RENEWAL)
    for grants in permutations(GRANTS):
        again = compile_accounts(ACCOUNTS[::-1], grants, activations, NOW, RENEWAL)
        assert json.dumps(first) == json.dumps(again)


def test_a_grant_without_its_activation_stays_shut_and_the_others_open() -> None:
    activations = activated(*GRANTS[1:])
    activations["lb.b.c.cv.m"] = read_activation(token(GRANTS[2], signer=key("c signing")))
    made = compile_accounts(ACCOUNTS, GRANTS, activations, NOW, RENEWAL)
    assert subjects(made["b"], "exports") == []
    assert subjects(made["b"], "imports") == ["lb.a.b.cv.r"]
    assert withheld(ACCOUNTS, GRANTS, activations, NOW) == {
        "lb.b.a.cv.m": "activation_missing",
        "lb.b.c.cv.m": "activation_issuer",
    }


def test_a_grant_is_shut_from_its_end() -> None:
    activations = activated(*GRANTS)
    before = compile_accounts(
        ACCOUNTS, GRANTS, activations, END - timedelta(seconds=1), END + timedelta(days=1)
    )
    after = compile_accounts(ACCOUNTS, GRANTS, activations, END, END + timedelta(days=1))
    assert (len(subjects(before["b"], "exports")), len(subjects(after["b"], "exports"))) == (2, 0)
    assert set(withheld(ACCOUNTS, GRANTS, activations, END).values()) == {"grant_expired"}


def test_an_organisation_out_of_the_directory_takes_its_grants_with_it() -> None:
    made = compile_accounts(ACCOUNTS[:2], GRANTS, activated(*GRANTS), NOW, RENEWAL)
    assert list(made) == ["a", "b"]
    assert subjects(made["b"], "exports") == ["lb.b.a.cv.m"]
    why = withheld(ACCOUNTS[:2], GRANTS, activated(*GRANTS), NOW)
    assert why == {"lb.b.c.cv.m": "account_unknown", "lb.c.a.cv.k": "account_unknown"}


def test_no_code_key_or_subject_twice() -> None:
    activations = activated(*GRANTS)
    twin = replace(account("c"), key=key("a").public)
    for accounts, grants in (
        ([*ACCOUNTS, account("a")], GRANTS),
        ([*ACCOUNTS[:2], twin], GRANTS),
        (ACCOUNTS, [*GRANTS, GRANTS[0]]),
    ):
        with pytest.raises(DuplicateCode):
            compile_accounts(accounts, grants, activations, NOW, RENEWAL)


def test_compiling_a_region_takes_no_quadratic_time() -> None:
    """Four times the region takes about four times as long: a square would take sixteen."""
    small, large = (min(_seconds_to_compile(size) for _ in range(3)) for size in (500, 2_000))
    assert large / small < 9


def _seconds_to_compile(count: int) -> float:
    """Processor time for a region of so many organisations, with five conventions each."""
    conventions = 5 * count
    accounts = [account(f"o{number}") for number in range(count)]
    sample = read_activation(token(GRANTS[0]))
    grants = [
        flow(f"o{n % count}", f"o{(7 * n + 1) % count}", message, f"c{n}")
        for n in range(conventions)
        for message in "mkr"
    ]
    keys = {entry.code: entry for entry in accounts}
    activations = {
        made.subject: replace(
            sample,
            subject=made.subject,
            sender_key=keys[made.sender].key,
            receiver_key=keys[made.receiver].key,
            issuer=keys[made.receiver].signing_keys[0],
        )
        for made in grants
    }
    start = time.process_time()
    made = compile_accounts(accounts, grants, activations, NOW, RENEWAL)
    seconds = time.process_time() - start
    assert sum(len(subjects(claims, "imports")) for claims in made.values()) == 3 * conventions
    return seconds
