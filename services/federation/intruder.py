"""Somebody who holds true credentials of one organisation and a bare NATS client.

The demonstration and the tests play it: what the broker refuses must be refused with no gate, no
node and no good will in between. It never runs in production.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from contracts.broker.subjects import letter_subject
from contracts.kernel.documents import kid_of
from contracts.kernel.envelope import Envelope, bind
from contracts.kernel.instrument import subject_token
from contracts.kernel.keyring import read_entry
from contracts.kernel.organisation import DirectoryEntry, Suite
from services.chassis.bundle import Bundle
from services.chassis.bus import APP
from services.chassis.keys import NodeKeys
from services.chassis.letters import ID_HEADER, KEY_HEADER, SUITE_HEADER
from services.chassis.sealing import choose_key, seal
from services.chassis.tls import TlsFiles, client_context

_PATIENCE = 1.0
"""Seconds in which an allowed publication is always acknowledged."""


class Intruder:
    """A bare client of an organisation's own nats-server, with that organisation's password.

    tls: its certificate too, where the server asks for one.
    """

    def __init__(self, url: str, password: str, tls: TlsFiles | None = None) -> None:
        self._url = url
        self._password = password
        self._tls = None if tls is None else client_context(tls)
        self._client: Client | None = None
        self.errors: list[str] = []

    async def __aenter__(self) -> Self:
        """Connect."""
        self._client = await nats.connect(
            self._url, user=APP, password=self._password, tls=self._tls, error_cb=self._note
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        if self._client is not None:
            with suppress(NatsError, OSError):
                await self._client.close()

    async def _note(self, error: Exception) -> None:
        self.errors.append(str(error).lower())

    async def publish(self, subject: str, headers: Mapping[str, str], body: bytes) -> str:
        """Try to publish; ``stored`` when a letterbox took it, else the code of the refusal."""
        if self._client is None:
            return "not_connected"
        before = len(self.errors)
        try:
            await self._client.jetstream(timeout=_PATIENCE).publish(
                subject, body, headers=dict(headers)
            )
        except (NatsError, JetStreamError, TimeoutError) as error:
            noted = [one for one in self.errors[before:] if "permissions violation" in one]
            return "permission_denied" if noted else type(error).__name__
        return "stored"

    async def listen(self, subject: str, seconds: float) -> int:
        """Try to hear a subject for a while; returns how many letters came."""
        if self._client is None:
            return 0
        heard: list[bytes] = []

        async def keep(message: object) -> None:
            heard.append(bytes(getattr(message, "data", b"")))

        await self._client.subscribe(subject, cb=keep)
        await asyncio.sleep(seconds)
        return len(heard)

    async def read_stream(self, domain: str) -> str:
        """Try to read another letterbox through JetStream; returns the code of the refusal."""
        if self._client is None:
            return "not_connected"
        before = len(self.errors)
        subject = f"$JS.{domain}.API.STREAM.MSG.GET.LETTERBOX"
        try:
            await self._client.request(subject, b'{"seq":1}', timeout=_PATIENCE)
        except (NatsError, TimeoutError) as error:
            noted = [one for one in self.errors[before:] if "permissions violation" in one]
            return "permission_denied" if noted else type(error).__name__
        return "read"


def forged_letter(
    keys: NodeKeys,
    *,
    pretends: str,
    to: DirectoryEntry,
    subject: str,
    convention_id: str,
    message_id: str,
    at: datetime,
) -> tuple[dict[str, str], bytes]:
    """A well made letter in which one organisation says it is another, signed by its own key."""
    envelope = Envelope(
        id=message_id,
        type="referral.submitted",
        source=pretends,
        to=to.org,
        time=at,
        expiresat=at + timedelta(days=1),
        instrument=convention_id,
        version=1,
        purpose="school_perseverance",
        caseid=message_id,
        seq=1,
        data={},
    )
    key = choose_key(to.encryption_keys, Suite.X25519)
    if key is None:
        raise ValueError("the receiver publishes no key")
    body = seal(
        bind([envelope.to_plaintext()]),
        signer=keys.signing,
        kid=kid_of(keys.signing),
        to=key,
        subject=subject,
        message_id=message_id,
    )
    headers = {ID_HEADER: message_id, SUITE_HEADER: key.suite.value, KEY_HEADER: key.kid}
    return headers, body


def published_entry(node_dir: Path, org: str) -> DirectoryEntry:
    """What an organisation publishes of itself, from the directory that a node keeps."""
    bundle = Bundle.parse((node_dir / "directory.json").read_bytes())
    found = [entry for token in bundle.entries if (entry := read_entry(token)).org == org]
    return max(found, key=lambda entry: entry.sequence)


def subject_of(receiver: str, sender: str, convention_id: str, flow_code: str) -> str:
    """The literal subject of a flow of a signed convention."""
    return letter_subject(receiver, sender, subject_token(convention_id), flow_code)
