"""The operator's keys: what lets the registrar write on the hub which account may do what.

They open nothing by themselves: an import passes only with the receiver's own activation. The
identity key signs the operator once, in a file of its own, and is then taken offline.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import Field

from contracts.broker import nkey
from contracts.broker.claims import (
    credentials,
    operator_token,
    registrar_user_token,
    system_account_token,
)
from contracts.broker.nkey import KeyKind, KeyPair
from contracts.kernel.documents import Document
from contracts.kernel.errors import InvalidDocument
from services.chassis.keys import Draw
from services.chassis.private_files import create_once, read_private
from services.chassis.settings import BadSettings, HubSettings
from services.chassis.tls import TlsFiles
from services.registrar.hub import HubConfig, write_hub

SYSTEM_LIFE: Final = timedelta(days=5 * 365)
"""Life of the system account's claims, written anew each time the hub is prepared."""


class _State(Document):
    operator_token: str
    system_account: str
    signing: str = Field(repr=False)
    system_signing: str = Field(repr=False)
    user: str = Field(repr=False)


class OperatorKeys:
    """What the registrar holds of the operator. Made by `open`."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self.signing: KeyPair = nkey.from_seed(state.signing)
        self.system_account: str = state.system_account

    @classmethod
    def open(cls, registrar_dir: Path, at: datetime, draw: Draw = os.urandom) -> OperatorKeys:
        """Read the keys under ``registrar_dir/keys``, or make them at the first start.

        ``operator-identity.seed`` there is never read again: take it offline. Raises BadSettings
        when the file is damaged or can be read by others.
        """
        folder = registrar_dir / "keys"
        path = folder / "operator.json"
        if not path.exists():
            _create(folder, path, at, draw)
        try:
            return cls(_State.parse(read_private(path)))
        except InvalidDocument:
            raise BadSettings(
                f"Le fichier de clés {path} est abîmé : reprenez-le d'une sauvegarde."
            ) from None

    def credentials(self, at: datetime) -> str:
        """Text of the .creds by which the registrar connects to the hub."""
        user, signer = nkey.from_seed(self._state.user), nkey.from_seed(self._state.system_signing)
        return credentials(registrar_user_token(self.system_account, user.public, signer, at), user)

    def hub_config(self, hub: HubSettings, at: datetime) -> HubConfig:
        """Configuration of a hub that obeys this operator."""
        system_signing = nkey.from_seed(self._state.system_signing).public
        return HubConfig(
            name=hub.name,
            directory=hub.directory,
            operator=self._state.operator_token,
            system_account=system_account_token(
                self.system_account,
                signing_keys=[system_signing],
                signer=self.signing,
                issued_at=at,
                expires_at=at + SYSTEM_LIFE,
            ),
            host=hub.host,
            port=hub.port,
            leaf_host=hub.leaf_host,
            leaf_port=hub.leaf_port,
            tls=TlsFiles(hub.ca, hub.certificate, hub.key),
            http_port=hub.http_port,
        )


def prepare_hub(keys: OperatorKeys, hub: HubSettings, at: datetime) -> Path:
    """Write the hub's configuration and the system account's claims, before its first start.

    at: real time. Returns the path of the configuration. Doing it again keeps what the hub holds
    of the organisations and renews the system account's claims.
    """
    return write_hub(keys.hub_config(hub, at))


def _create(folder: Path, path: Path, at: datetime, draw: Draw) -> None:
    identity, signing = (nkey.key_pair(KeyKind.OPERATOR, draw(nkey.SEED_BYTES)) for _ in range(2))
    system, system_signing = (
        nkey.key_pair(KeyKind.ACCOUNT, draw(nkey.SEED_BYTES)) for _ in range(2)
    )
    user = nkey.key_pair(KeyKind.USER, draw(nkey.SEED_BYTES))
    token = operator_token(
        identity, signing_keys=[signing.public], system_account=system.public, issued_at=at
    )
    state = _State(
        operator_token=token,
        system_account=system.public,
        signing=signing.seed,
        system_signing=system_signing.seed,
        user=user.seed,
    )
    create_once(path, state.model_dump_json())
    create_once(folder / "operator-identity.seed", identity.seed)
