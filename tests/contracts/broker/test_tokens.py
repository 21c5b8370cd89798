"""A token reads back only when its signature, its id, its issuer and its dates hold."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from contracts.broker.tokens import InvalidToken, decode_and_verify, seconds, sign
from tests.contracts.broker.samples import NOW, key

CLAIMS = {"exp": seconds(NOW) + 60, "sub": "S", "nats": {"type": "generic", "note": "é > «jti»"}}


def encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def parts_of(token: str) -> list[bytes]:
    return [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


def resigned(payload: bytes, header: bytes = b'{"typ":"JWT","alg":"ed25519-nkey"}') -> str:
    """Sign any payload well, so that only what is wrong in it can be refused."""
    text = f"{encode(header)}.{encode(payload)}"
    return f"{text}.{encode(key('a').sign(text.encode()))}"


def refused(
    token: str, *, at: datetime | None = None, issuers: Collection[str] | None = None
) -> str:
    with pytest.raises(InvalidToken) as caught:
        decode_and_verify(token, at=at, issuers=issuers)
    return caught.value.code


def test_a_token_reads_back_as_it_was_signed() -> None:
    token = sign(CLAIMS, key("a"), NOW)
    claims = decode_and_verify(token, at=NOW, issuers={key("a").public})
    assert {name: claims[name] for name in CLAIMS} == CLAIMS
    assert (claims["iss"], claims["iat"]) == (key("a").public, seconds(NOW))
    assert json.loads(parts_of(token)[0]) == {"typ": "JWT", "alg": "ed25519-nkey"}


def test_the_same_arguments_give_the_same_token() -> None:
    assert sign(CLAIMS, key("a"), NOW) == sign(CLAIMS, key("a"), NOW)
    assert sign(CLAIMS, key("a"), NOW) != sign(CLAIMS, key("a"), NOW + timedelta(seconds=1))


def test_an_altered_token_is_refused() -> None:
    token = sign(CLAIMS, key("a"), NOW)
    header, payload, signature = token.split(".")
    altered = encode(parts_of(token)[1].replace(b"generic", b"account"))
    assert refused(f"{header}.{altered}.{signature}") == "token_signature"
    stranger = encode(key("b").sign(f"{header}.{payload}".encode()))
    assert refused(f"{header}.{payload}.{stranger}") == "token_signature"


@pytest.mark.parametrize("change", [(b'"jti":"', b'"jti":"AAAA'), (b'"jti"', b'"jtx"')])
def test_an_id_that_does_not_follow_the_content_is_refused(change: tuple[bytes, bytes]) -> None:
    payload = parts_of(sign(CLAIMS, key("a"), NOW))[1]
    assert decode_and_verify(resigned(payload))
    assert refused(resigned(payload.replace(*change))) == "token_id"
    assert refused(resigned(payload.replace(b"generic", b"account"))) == "token_id"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c",
        "é.é.é",
        resigned(b"not json"),
        resigned(b"[]"),
        resigned(b"[" * 100_000),
        resigned(b'{"nats":{}}'),
        resigned(b'{"iss":"A","nats":[]}'),
        resigned(b'{"iss":"A","nats":{}}', b'{"typ":"JWT","alg":"none"}'),
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert refused(token) == "token_shape"


def test_an_unreadable_issuer_is_refused() -> None:
    assert refused(resigned(b'{"iss":"A","nats":{}}')) == "token_signature"


def test_another_issuer_than_expected_is_refused() -> None:
    token = sign(CLAIMS, key("a"), NOW)
    assert decode_and_verify(token, issuers=[key("b").public, key("a").public])
    assert refused(token, issuers=[key("b").public]) == "token_issuer"
    assert refused(token, issuers=[]) == "token_issuer"


def test_a_token_holds_until_its_end_excluded() -> None:
    token = sign(CLAIMS, key("a"), NOW)
    assert decode_and_verify(token, at=NOW + timedelta(seconds=59))
    assert refused(token, at=NOW + timedelta(seconds=60)) == "token_expired"


def test_a_token_holds_from_its_start_included() -> None:
    later = sign({**CLAIMS, "nbf": seconds(NOW) + 1}, key("a"), NOW)
    assert decode_and_verify(later, at=NOW + timedelta(seconds=1))
    assert refused(later, at=NOW) == "token_early"


@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_a_date_that_is_no_number_is_refused(claim: str) -> None:
    token = sign({**CLAIMS, claim: "tomorrow"}, key("a"), NOW)
    assert decode_and_verify(token)[claim] == "tomorrow"
    assert refused(token, at=NOW) == "token_shape"


def test_an_instant_carries_its_zone_and_is_rounded_down() -> None:
    assert seconds(NOW + timedelta(milliseconds=999)) == seconds(NOW)
    with pytest.raises(ValueError, match="zone"):
        seconds(NOW.replace(tzinfo=None))
