"""Signed documents: JSON signed with Ed25519 (JWS, RFC 7515 and RFC 9864), verified by every node.

The bytes that are signed are the bytes that travel: nothing is re-serialised before verification.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode
from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.kernel.canonical import canonical
from contracts.kernel.errors import InvalidDocument

ALGORITHM = "Ed25519"
"""The fully specified name of EdDSA with Curve25519 (RFC 9864)."""


class _Registry(jws.JWSRegistry):
    # In base64. The longest that is signed is a lot of letters (`envelope.LOT_BYTES`).
    max_payload_length = 192 * 1024


_REGISTRY = _Registry(algorithms=[ALGORITHM], strict_check_header=False)

KeyFinder = Callable[[str], OKPKey]
"""Gives the public key of a key id, or raises UnknownKey."""


class Document(BaseModel):
    """A frozen JSON document whose shape is closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_bytes(self) -> bytes:
        """Canonical bytes (RFC 8785)."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Read a document; raises InvalidDocument naming the field, never its value."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise InvalidDocument(f"{cls.__name__}: {wrong_fields(error)}") from None


def wrong_fields(error: ValidationError) -> str:
    """Paths and codes of a validation error, without the values that caused it."""
    return ", ".join(
        f"{'.'.join(str(part) for part in item['loc']) or '(document)'}: {item['type']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )


def new_key() -> OKPKey:
    """Make an Ed25519 key pair."""
    return OKPKey.generate_key("Ed25519")


def public_key(x: str) -> OKPKey:
    """Ed25519 public key of its JWK ``x`` member; raises InvalidDocument when it is not one."""
    try:
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    except (JoseError, ValueError) as error:
        raise InvalidDocument("The signing key is not an Ed25519 public key.") from error


def kid_of(key: OKPKey) -> str:
    """Name of a key: its RFC 7638 thumbprint."""
    return key.thumbprint()


def x_of(key: OKPKey) -> str:
    """The JWK ``x`` member of the public half."""
    return cast("str", key.as_dict(private=False)["x"])


def sign(content: bytes, key: OKPKey, *, kid: str | None = None, typ: str | None = None) -> str:
    """Sign bytes as a compact JWS.

    typ: what the bytes are, under the signature, so that no document passes for another.
    """
    header: dict[str, Any] = {"alg": ALGORITHM, "kid": kid or kid_of(key)}
    if typ is not None:
        header["typ"] = typ
    return jws.serialize_compact(header, content, key, registry=_REGISTRY)


def verify(token: str | bytes, find: KeyFinder, *, typ: str | None = None) -> bytes:
    """Bytes signed in a compact JWS.

    find: gives the key of a key id. Raises UnknownKey or InvalidDocument.
    """
    signature = _verified(token, lambda header: find(str(header.get("kid", ""))))
    if signature.headers().get("typ") != typ:
        raise InvalidDocument(f"The signature is not for a {typ or 'letter'}.")
    return signature.payload


def _verified(
    token: str | bytes, find: Callable[[Mapping[str, Any]], OKPKey]
) -> jws.CompactSignature:
    try:
        return jws.deserialize_compact(
            token, lambda guest: find(_plain(guest.headers())), registry=_REGISTRY
        )
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidDocument("The signature does not match its content.") from error


def _plain(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse extensions: with ``b64`` (RFC 7797) one signature would cover two readings."""
    if "crit" in header or "b64" in header:
        raise InvalidDocument("The signature uses an extension.")
    return header


def header_of(token: str) -> Mapping[str, Any]:
    """Unverified header of a compact JWS: good for finding a key, for nothing else."""
    return _extracted(token).headers()


def unverified_content(token: str) -> bytes:
    """Unverified content of a compact JWS: good for finding a key, for nothing else."""
    return _extracted(token).payload


def _extracted(token: str) -> jws.CompactSignature:
    try:
        return jws.extract_compact(token.encode())
    except (JoseError, ValueError) as error:
        raise InvalidDocument("The signature cannot be read.") from error


_JOINT = "joint"
"""Type of a document with several signatures: none of them passes for a letter or an act."""

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""What JSON of a stranger's making can raise: wrong shape, wrong text, depth of nesting."""


def add_signature(
    token: str | None, content: bytes, org: str, key: OKPKey, said: Mapping[str, str]
) -> str:
    """Add an organisation's signature to a document that others may have signed already.

    said: what the signer states beside it, under the signature (its legal date of signature). A
    former signature of the same organisation is replaced. Raises InvalidDocument when the document
    cannot be read, or when the others signed another text.
    """
    protected = {**said, "alg": ALGORITHM, "kid": kid_of(key), "typ": _JOINT, "org": org}
    made = jws.serialize_json([{"protected": protected}], content, key, registry=_REGISTRY)
    signatures = cast("list[Any]", cast("dict[str, Any]", made)["signatures"])
    if token is None:
        return json.dumps(made, sort_keys=True)
    try:
        whole = json.loads(token)
        same = whole["payload"] == cast("dict[str, Any]", made)["payload"]
        kept = [one for one in whole["signatures"] if _protected(one).get("org") != org]
    except _UNREADABLE as error:
        raise InvalidDocument("The signed document cannot be read.") from error
    if not same:
        raise InvalidDocument("The other parties signed another text.")
    whole["signatures"] = [*kept, *signatures]
    return json.dumps(whole, sort_keys=True)


def _protected(signature: Mapping[str, str]) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(urlsafe_b64decode(signature["protected"].encode())))


def verify_many(
    token: str, find: Callable[[str, str], OKPKey]
) -> tuple[bytes, dict[str, Mapping[str, Any]]]:
    """Content of a general JWS JSON, and what each organisation said when it signed.

    find: public key of (organisation, key id). Each signature must hold: one false signature, or
    two of one organisation, make the whole document invalid. Raises InvalidDocument, UnknownKey.
    """
    try:
        whole = json.loads(token)
        said: dict[str, Mapping[str, Any]] = {}
        for signature in whole["signatures"]:
            header = _protected(signature)
            if str(header["org"]) in said or header["typ"] != _JOINT:
                raise InvalidDocument("A signature is not one, or one too many.")
            compact = f"{signature['protected']}.{whole['payload']}.{signature['signature']}"
            _verified(compact, lambda found: find(str(found["org"]), str(found["kid"])))
            said[str(header["org"])] = header
        return urlsafe_b64decode(whole["payload"].encode()), said
    except _UNREADABLE as error:
        raise InvalidDocument("The signed document cannot be read.") from error
