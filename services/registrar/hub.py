"""The neutral hub: a NATS server that routes between organisations and can store nothing.

It runs in operator mode, with a resolver that keeps one file of claims per organisation and no
JetStream. The registrar alone connects to it, as a user of the system account limited to claims.

Traps: the hub answers 200 to claims signed by the wrong key, writes them, and locks the
organisation out at its next start; it also takes an older claim, a termination rolled back.
Hence `reconcile`: check before pushing, read back, and compare everything now and then.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nats
import nats.errors
from nats.aio.client import Client, RawCredentials

from contracts.broker.claims import CLAIMS_DELETE, CLAIMS_LIST, CLAIMS_LOOKUP, CLAIMS_UPDATE
from contracts.broker.nkey import KeyKind, raw_public
from contracts.broker.tokens import decode_and_verify
from contracts.kernel.errors import RelaisError, Unavailable
from services.chassis.nats_server import (
    PING,
    client_listener,
    monitoring,
    tls_block,
    write_config,
)
from services.chassis.tls import TlsFiles, write_private

MAX_PAYLOAD: Final = 8 * 1024**2
"""Bytes of one message on the hub: 1.1 KiB of claims per grant, so some 7,000 grants a sender.

Organisations stay bound by the limit of their own account, far lower.
"""


class HubRefused(RelaisError):
    """The hub answered that it does not take a request on claims."""

    code = "hub_refused"
    status = 502


@dataclass(frozen=True, slots=True)
class HubConfig:
    """What the hub needs.

    directory: holds configuration and claims. operator: operator's JWT. system_account: the system
    account's JWT. host, port: where the registrar connects (loopback where it can). leaf_host,
    leaf_port: where organisations link. http_port: monitoring on loopback, none by default.
    """

    name: str
    directory: Path
    operator: str
    system_account: str
    host: str
    port: int
    leaf_host: str
    leaf_port: int
    tls: TlsFiles
    http_port: int | None = None

    @property
    def resolver(self) -> Path:
        """Folder of the claims, one file per account: all that the hub keeps on disk."""
        return self.directory / "claims"


def hub_config(config: HubConfig) -> dict[str, Any]:
    """Configuration of the hub, as nats-server reads it; no JetStream block, on purpose."""
    return {
        "server_name": config.name,
        **client_listener(config.host, config.port, config.tls),
        **monitoring(config.http_port),
        **PING,
        "max_payload": MAX_PAYLOAD,
        "operator": config.operator,
        "system_account": _subject_of(config.system_account),
        "resolver": {
            "type": "full",
            "dir": str(config.resolver),
            "allow_delete": True,
            "interval": "2m",
            # How long a leaf whose account was not pushed yet waits for other hubs to know it.
            "timeout": "200ms",
        },
        "leafnodes": {
            "host": config.leaf_host,
            "port": config.leaf_port,
            "tls": {**tls_block(config.tls), "verify": True, "timeout": 5},
        },
    }


def write_hub(config: HubConfig) -> Path:
    """Write the hub's configuration, and the system account's claims where it looks for them.

    Without that file the hub would not know the account through which all others are pushed.
    """
    config.resolver.mkdir(parents=True, exist_ok=True)
    name = f"{_subject_of(config.system_account)}.jwt"
    write_private(config.resolver / name, config.system_account)
    return write_config(config.directory, hub_config(config))


def _subject_of(token: str) -> str:
    return str(decode_and_verify(token)["sub"])


class HubLink:
    """The registrar's connection to the hub; every call raises Unavailable while it is away."""

    def __init__(self, client: Client, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    @classmethod
    async def connect(
        cls,
        url: str,
        credentials: str,
        *,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 5.0,
    ) -> HubLink:
        """Connect as the registrar. url: ``nats://host:port``. credentials: text of its .creds.

        Raises Unavailable when the hub does not answer in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                client = await nats.connect(
                    url,
                    user_credentials=RawCredentials(credentials),
                    tls=tls,
                    tls_handshake_first=tls is not None,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    error_cb=_ignore,
                )
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise _away() from error
        return cls(client, timeout_s)

    async def push(self, token: str) -> None:
        """Make the hub use an account's claims, running links included. Raises HubRefused."""
        await self._claims(CLAIMS_UPDATE, token)

    async def lookup(self, account: str) -> str | None:
        """Claims that the hub holds for an account's public key, unverified, or None.

        Raises InvalidKey for what is not such a key: the hub would not answer at all.
        """
        raw_public(account, KeyKind.ACCOUNT)
        data = await self._ask(CLAIMS_LOOKUP.format(account), b"")
        return data.decode() or None

    async def accounts(self) -> tuple[str, ...]:
        """Public keys of all accounts that the hub holds, the system account's included."""
        return tuple(await self._claims(CLAIMS_LIST, "") or ())

    async def delete(self, request: str) -> None:
        """Forget the accounts of a signed `deletion_request` and cut their links.

        Raises HubRefused.
        """
        await self._claims(CLAIMS_DELETE, request)

    async def close(self) -> None:
        """Close the connection; one that the hub already dropped counts as closed."""
        with suppress(OSError, nats.errors.Error):
            await self._client.close()

    async def _claims(self, subject: str, body: str) -> Any:  # noqa: ANN401 -- the hub's JSON
        answer = json.loads(await self._ask(subject, body.encode()))
        if "error" in answer:
            raise HubRefused(f"Le hub refuse : {answer['error'].get('description', '?')}.")
        return answer.get("data")

    async def _ask(self, subject: str, body: bytes) -> bytes:
        if len(body) > self._client.max_payload:
            raise HubRefused("Ces droits dépassent la taille que le hub accepte.")
        try:
            reply = await self._client.request(subject, body, timeout=self._timeout_s)
        except (TimeoutError, nats.errors.Error) as error:
            raise _away() from error
        return reply.data


async def _ignore(_: Exception) -> None:
    """Silence nats-py's own log of lost connections: the caller sees Unavailable."""


def _away() -> Unavailable:
    return Unavailable("Le hub ne répond pas : rien n'a été changé, réessayez.", code="hub_away")
