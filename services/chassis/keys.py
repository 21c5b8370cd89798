"""An organisation's private keys: made once in its node, kept in one file, never anywhere else.

Ed25519 signs what it says; HPKE pairs receive what is said to it, for a month each; NATS keys
stand for it on the bus. One file of mode 0600, replaced in one step, so that a rotation is whole
or has not happened.
"""

from __future__ import annotations

import hashlib
import os
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from joserfc.jwk import OKPKey
from pydantic import AwareDatetime, Field

from contracts.broker import nkey
from contracts.broker.claims import credentials, leaf_user_token
from contracts.broker.nkey import KeyKind, KeyPair
from contracts.kernel.documents import Document, kid_of, new_key, public_key, sign
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.keyring import ENTRY, OVERLAP, ROTATION, signing_key
from contracts.kernel.organisation import (
    BrokerKeys,
    DirectoryEntry,
    EncryptionKey,
    OrgId,
    RotationStatement,
    SigningKey,
    Suite,
)
from services.chassis.private_files import create_once, read_private
from services.chassis.sealing import PrivateKey, dump_public
from services.chassis.settings import BadSettings, NodeSettings
from services.chassis.tls import write_private

PERIOD: Final = timedelta(days=30)
"""An encryption key is replaced after that long (design: monthly)."""
LIFE: Final = timedelta(days=37)
"""Partners may still encrypt to it for that long: a week's grace to a node that was down."""

Draw = Callable[[int], bytes]
"""Gives that many random bytes (`os.urandom`)."""

_MLKEM_SEED: Final = 64
_STRENGTH: Final = {suite: rank for rank, suite in enumerate(Suite)}


class _Private(Document):
    """A private key as the file holds it: the JWK ``d`` beside the public half."""

    public: SigningKey
    d: str = Field(repr=False)


class _Retired(Document):
    public: SigningKey
    retired_at: AwareDatetime


class _Pair(Document):
    """One HPKE pair; private: raw, X-Wing as ML-KEM seed then X25519, base64url."""

    public: EncryptionKey
    private: str = Field(repr=False)
    replace_at: AwareDatetime
    destroy_at: AwareDatetime


class _Seeds(Document):
    account: str = Field(repr=False)
    signing: str = Field(repr=False)
    leaf: str = Field(repr=False)


class _State(Document):
    version: Literal[1] = 1
    org: OrgId
    signing: _Private
    retired: tuple[_Retired, ...] = ()
    rotations: tuple[str, ...] = ()
    encryption: tuple[_Pair, ...]
    broker: _Seeds


@dataclass(frozen=True, slots=True)
class _Live:
    """The state's keys ready for use: reading them from text at each letter would cost more."""

    signing: OKPKey
    kid: str
    halves: Mapping[str, tuple[Suite, PrivateKey]]

    @classmethod
    def of(cls, state: _State) -> _Live:
        signing = _key(state.signing)
        halves = {pair.public.kid: _half(pair) for pair in state.encryption}
        return cls(signing, kid_of(signing), halves)


class NodeKeys:
    """The keys of one organisation. Made by `open`; each change is on disk before it is used.

    Calls may come from several threads of one process; a second process must open them anew to
    see a rotation.
    """

    def __init__(self, path: Path, state: _State) -> None:
        self._path = path
        self._state = state
        self._live = _Live.of(state)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, node_dir: Path, org: str, at: datetime, draw: Draw = os.urandom) -> NodeKeys:
        """Read the keys under ``node_dir/keys``, or make them if this is the first start.

        Two processes that start together end with the same keys. Raises BadSettings when the file
        is another organisation's, is damaged, or can be read by others.
        """
        path = node_dir / "keys" / "keys.json"
        if not path.exists():
            create_once(path, _new_state(org, at, draw).model_dump_json())
        return cls(path, _read(path, org))

    @property
    def org(self) -> str:
        """The organisation they belong to."""
        return self._state.org

    @property
    def signing(self) -> OKPKey:
        """Ed25519 key that signs today."""
        return self._live.signing

    @property
    def kid(self) -> str:
        """Name of the key that signs today."""
        return self._live.kid

    @property
    def public_keys(self) -> Mapping[str, OKPKey]:
        """Every public signing key it ever had, by thumbprint; retired ones are kept for ever."""
        state = self._state
        listed = [state.signing.public, *(one.public for one in state.retired)]
        return {kid_of(key): key for key in (public_key(one.x) for one in listed)}

    @property
    def rotations(self) -> tuple[str, ...]:
        """Signed rotation statements, oldest first, all of them published for ever."""
        return self._state.rotations

    @property
    def signing_since(self) -> datetime | None:
        """When the present signing key took the place of the former; None for the first one."""
        retired = self._state.retired
        return max(one.retired_at for one in retired) if retired else None

    @property
    def encryption_until(self) -> datetime:
        """Instant from which partners may no longer encrypt to the present keys."""
        return max(pair.public.not_after for pair in self._state.encryption)

    @property
    def account(self) -> KeyPair:
        """NATS identity key of the account."""
        return nkey.from_seed(self._state.broker.account)

    @property
    def account_signing(self) -> KeyPair:
        """NATS key that signs activations and the leaf user."""
        return nkey.from_seed(self._state.broker.signing)

    def leaf_credentials(self, code: str, at: datetime) -> str:
        """Text of the .creds file (mode 0600) by which the node's leaf links to the hub."""
        leaf = nkey.from_seed(self._state.broker.leaf)
        token = leaf_user_token(code, self.account.public, leaf.public, self.account_signing, at)
        return credentials(token, leaf)

    def private(self, kid: str) -> tuple[Suite, PrivateKey] | None:
        """Suite and private half of an encryption key; None when it is not here, or destroyed."""
        return self._live.halves.get(kid)

    def encryption_due(self, at: datetime) -> bool:
        """Whether the month of the present encryption keys is over."""
        return at >= max(pair.replace_at for pair in self._state.encryption)

    def rotate_encryption(self, at: datetime) -> None:
        """Make new encryption keys and destroy the private halves that nothing can need any more.

        The former ones still open what partners who had not seen the new entry encrypted to them:
        their last letters expire 31 days from now at the earliest, however long this node slept.
        A new directory entry must follow.
        """
        self._change(
            lambda state: state.model_copy(
                update={"encryption": (*_outlasting(_kept(state, at), at), *_new_pairs(at))}
            )
        )

    def destroy_expired(self, at: datetime) -> tuple[str, ...]:
        """Destroy private halves whose last letter has expired; returns their key ids.

        A partner may encrypt to a key until its `not_after`, and a letter lives 31 days at most.
        """
        kept = {pair.public.kid for pair in _kept(self._state, at)}
        gone = tuple(
            pair.public.kid for pair in self._state.encryption if pair.public.kid not in kept
        )
        if gone:
            self._change(lambda state: state.model_copy(update={"encryption": _kept(state, at)}))
        return gone

    def rotate_signing(self, at: datetime) -> str:
        """Replace the signing key; returns the statement in which the former one names the new one.

        The former private half is destroyed, so it can name no other. A new directory entry,
        signed by the new key, must follow the statement.
        """
        self._change(lambda state: _with_successor(state, new_key(), at))
        return self._state.rotations[-1]

    def directory_entry(
        self,
        settings: NodeSettings,
        sequence: int,
        issued_at: datetime,
        schemas: Mapping[str, tuple[int, ...]],
    ) -> str:
        """Sign what the organisation says of itself.

        sequence: higher than any former one. schemas: accepted versions by message type. Only the
        present encryption keys whose suite reaches the floor are published.
        """
        entry = DirectoryEntry(
            org=self.org,
            kind=settings.kind,
            name=settings.name,
            code=settings.code,
            siret=settings.siret,
            uai=settings.uai,
            dpo=settings.dpo,
            sequence=sequence,
            issued_at=issued_at,
            signing_key=self._state.signing.public,
            encryption_keys=self._published(settings.floor),
            floor=settings.floor,
            schemas=dict(schemas),
            broker=BrokerKeys(account=self.account.public, signing=self.account_signing.public),
        )
        return sign(entry.to_bytes(), self.signing, typ=ENTRY)

    def _published(self, floor: Suite) -> tuple[EncryptionKey, ...]:
        pairs = self._state.encryption
        newest = max(pair.replace_at for pair in pairs)
        return tuple(
            pair.public
            for pair in pairs
            if pair.replace_at == newest and _STRENGTH[pair.public.suite] >= _STRENGTH[floor]
        )

    def _change(self, change: Callable[[_State], _State]) -> None:
        with self._lock:
            state = change(self._state)
            write_private(self._path, state.model_dump_json())
            self._state, self._live = state, _Live.of(state)


def _half(pair: _Pair) -> tuple[Suite, PrivateKey]:
    suite, raw = pair.public.suite, _raw(pair.private)
    if suite is Suite.X25519:
        return suite, X25519PrivateKey.from_private_bytes(raw)
    seed, x25519 = raw[:_MLKEM_SEED], raw[_MLKEM_SEED:]
    return suite, MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(seed), X25519PrivateKey.from_private_bytes(x25519)
    )


def _new_pairs(at: datetime) -> tuple[_Pair, ...]:
    return tuple(_new_pair(suite, at) for suite in Suite)


def _new_pair(suite: Suite, at: datetime) -> _Pair:
    x25519 = X25519PrivateKey.generate()
    private, public = x25519.private_bytes_raw(), dump_public(x25519.public_key())
    if suite is Suite.XWING:
        mlkem = MLKEM768PrivateKey.generate()
        private = mlkem.private_bytes_raw() + private
        public = dump_public(x25519.public_key(), mlkem.public_key())
    not_after = at + LIFE
    return _Pair(
        public=EncryptionKey(
            kid=_text(hashlib.sha256(public.encode()).digest()[:16]),
            suite=suite,
            public=public,
            not_after=not_after,
        ),
        private=_text(private),
        replace_at=at + PERIOD,
        destroy_at=not_after + OVERLAP,
    )


def _kept(state: _State, at: datetime) -> tuple[_Pair, ...]:
    """Pairs still needed: those whose letters live, and the newest, which partners encrypt to."""
    newest = max(pair.replace_at for pair in state.encryption)
    return tuple(
        pair for pair in state.encryption if at < pair.destroy_at or pair.replace_at == newest
    )


def _outlasting(pairs: tuple[_Pair, ...], at: datetime) -> tuple[_Pair, ...]:
    """The same pairs, kept until the letters sealed to them until now have expired."""
    until = at + OVERLAP
    return tuple(
        pair.model_copy(update={"destroy_at": max(pair.destroy_at, until)}) for pair in pairs
    )


def _new_state(org: str, at: datetime, draw: Draw) -> _State:
    account, signing, leaf = (
        nkey.key_pair(kind, draw(nkey.SEED_BYTES)).seed
        for kind in (KeyKind.ACCOUNT, KeyKind.ACCOUNT, KeyKind.USER)
    )
    return _State(
        org=org,
        signing=_as_private(new_key()),
        encryption=_new_pairs(at),
        broker=_Seeds(account=account, signing=signing, leaf=leaf),
    )


def _with_successor(state: _State, successor: OKPKey, at: datetime) -> _State:
    content = RotationStatement(org=state.org, successor=signing_key(successor), at=at)
    statement = sign(content.to_bytes(), _key(state.signing), typ=ROTATION)
    return state.model_copy(
        update={
            "signing": _as_private(successor),
            "retired": (*state.retired, _Retired(public=state.signing.public, retired_at=at)),
            "rotations": (*state.rotations, statement),
        }
    )


def _key(private: _Private) -> OKPKey:
    return OKPKey.import_key({**private.public.model_dump(), "d": private.d})


def _as_private(key: OKPKey) -> _Private:
    return _Private(public=signing_key(key), d=str(key.as_dict(private=True)["d"]))


def _read(path: Path, org: str) -> _State:
    try:
        state = _State.parse(read_private(path))
    except InvalidDocument:
        raise BadSettings(
            f"Le fichier de clés {path} est abîmé : reprenez-le d'une sauvegarde."
        ) from None
    if state.org != org:
        raise BadSettings(
            f"Le fichier de clés {path} est celui de {state.org} : vérifiez RELAIS_NODE_DIR."
        )
    return state


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
