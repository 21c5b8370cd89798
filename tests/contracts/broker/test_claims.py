"""What each token of the federation claims, and what none may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts.broker import claims
from contracts.broker.nkey import InvalidKey, KeyKind
from contracts.broker.subjects import InvalidSubject
from contracts.broker.tokens import InvalidToken, decode_and_verify, seconds
from tests.contracts.broker.samples import (
    NOW,
    OPERATOR,
    OPERATOR_SIGNING,
    RENEWAL,
    account,
    flow,
    key,
    token,
)

SUBJECT = flow().subject


def compiled() -> dict[str, Any]:
    return claims.account_claims(
        account("b"),
        exports=[claims.Export(SUBJECT, key("a").public)],
        imports=[claims.Import("lb.a.b.cv.r", key("a").public, token(flow("b", "a", "r")))],
        expires_at=RENEWAL,
    )


def test_the_operator_lists_signing_keys_that_alone_may_sign() -> None:
    made = claims.operator_token(
        OPERATOR,
        signing_keys=[OPERATOR_SIGNING.public],
        system_account=key("sys").public,
        issued_at=NOW,
    )
    read = decode_and_verify(made, issuers=[OPERATOR.public])
    assert (read["sub"], read["nats"]["strict_signing_key_usage"]) == (OPERATOR.public, True)
    assert read["nats"]["signing_keys"] == [OPERATOR_SIGNING.public]


def test_the_system_account_takes_no_leaf_and_ends() -> None:
    made = claims.system_account_token(
        key("sys").public,
        signing_keys=[key("sys signing").public],
        signer=OPERATOR_SIGNING,
        issued_at=NOW,
        expires_at=RENEWAL,
    )
    read = decode_and_verify(made, at=NOW, issuers=[OPERATOR_SIGNING.public])
    assert (read["exp"], read["nats"]["limits"]["leaf"]) == (seconds(RENEWAL), 0)


def test_an_account_exports_literal_services_that_need_an_activation() -> None:
    made = compiled()
    assert made["exp"] == seconds(RENEWAL)
    assert made["nats"]["exports"] == [
        {
            "name": SUBJECT,
            "subject": SUBJECT,
            "type": "service",
            "token_req": True,
            "response_type": "Singleton",
        }
    ]
    assert made["nats"]["imports"][0]["subject"] == "lb.a.b.cv.r"
    assert not [name for name in made["nats"]["limits"] if "storage" in name]


def test_revocations_stay_in_the_receivers_export() -> None:
    revoked = replace(
        account("b"),
        revoked_activations={SUBJECT: NOW, "lb.b.a.old.m": NOW},
        revoked_users={"U2": NOW, "U1": NOW},
    )
    made = claims.account_claims(
        revoked,
        exports=[claims.Export(SUBJECT, key("a").public)],
        imports=[],
        expires_at=RENEWAL,
    )
    assert made["nats"]["exports"][0]["revocations"] == {key("a").public: seconds(NOW)}
    assert list(made["nats"]["revocations"]) == ["U1", "U2"]


def test_an_account_has_a_code_and_account_keys() -> None:
    good = account("b")
    with pytest.raises(InvalidSubject):
        replace(good, code="*")
    with pytest.raises(InvalidKey):
        replace(good, key=key("b", KeyKind.USER).public)
    with pytest.raises(InvalidKey):
        replace(good, signing_keys=(key("b", KeyKind.OPERATOR).public,))


def test_compiled_claims_pass_the_check_before_the_push() -> None:
    claims.check_account_claims(compiled(), NOW)


def break_export(made: dict[str, Any], **changes: object) -> None:
    made["nats"]["exports"][0].update(changes)


def break_import(made: dict[str, Any], **changes: object) -> None:
    made["nats"]["imports"][0].update(changes)


@pytest.mark.parametrize(
    "breakage",
    [
        lambda made: made.pop("exp"),
        lambda made: made.update(exp=seconds(NOW)),
        lambda made: made["nats"].update(type="user"),
        lambda made: made["nats"]["limits"].update(wildcards=True),
        lambda made: made["nats"]["limits"].pop("wildcards"),
        lambda made: break_export(made, token_req=False),
        lambda made: break_export(made, account_token_position=3),
        lambda made: break_export(made, type="stream"),
        lambda made: break_export(made, subject="lb.b.*.cv.m"),
        lambda made: break_import(made, local_subject="x"),
        lambda made: break_import(made, token=""),
        lambda made: break_import(made, subject="lb.>"),
    ],
)
def test_claims_with_a_known_hole_are_refused(breakage: Callable[[dict[str, Any]], object]) -> None:
    made = compiled()
    breakage(made)
    with pytest.raises((InvalidToken, InvalidSubject)):
        claims.check_account_claims(made, NOW)


def test_a_leaf_user_passes_its_own_letters_and_answers_only() -> None:
    made = claims.leaf_user_token("b", key("b").public, "UX", key("b signing"), NOW)
    nats = decode_and_verify(made, issuers=account("b").signing_keys)["nats"]
    assert nats["pub"] == {"allow": ["lb.*.b.>", "_R_.>"]}
    assert nats["sub"] == {"allow": ["lb.b.>", "_INBOX.>"]}
    assert nats["allowed_connection_types"] == ["LEAFNODE"]


def test_the_registrar_reaches_claims_and_nothing_else() -> None:
    made = claims.registrar_user_token(key("sys").public, "UX", key("sys signing"), NOW)
    allowed = decode_and_verify(made)["nats"]["pub"]["allow"]
    assert len(allowed) == 4
    assert all("CLAIMS" in subject for subject in allowed)


def test_a_deletion_names_accounts_and_is_signed_by_the_operators_signing_key() -> None:
    made = claims.deletion_request(["B", "A"], OPERATOR_SIGNING, NOW)
    read = decode_and_verify(made, issuers=[OPERATOR_SIGNING.public])
    assert (read["nats"]["type"], read["nats"]["accounts"]) == ("generic", ["A", "B"])


def test_credentials_hold_the_token_and_the_seed() -> None:
    user = key("u", KeyKind.USER)
    lines = claims.credentials("the.jwt.text", user).splitlines()
    assert (lines[1], lines[5]) == ("the.jwt.text", user.seed)
