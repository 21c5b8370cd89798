"""The registrar at work on a real hub with two real leafs: what it opens, cuts and mends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
import yaml
from nats.aio.client import Client

from contracts import registry
from contracts.broker.claims import account_claims
from contracts.broker.compile import activations_for
from contracts.broker.nkey import KeyKind
from contracts.broker.tokens import decode_and_verify
from contracts.broker.tokens import sign as sign_token
from contracts.kernel.documents import add_signature, sign
from contracts.kernel.instrument import subject_token
from contracts.kernel.organisation import Kind, Suite
from contracts.kernel.paris import midnight
from contracts.kernel.signed import Act, ActKind, Party, Terms
from services.chassis import letterbox
from services.chassis.clock import SystemClock
from services.chassis.directory import DirectoryKeeper
from services.chassis.keys import NodeKeys
from services.chassis.nats_server import (
    LeafConfig,
    NatsServer,
    find_binary,
    leaf_config,
    write_config,
)
from services.chassis.settings import Admitted, HubSettings, NodeSettings, RegistrarSettings
from services.chassis.tls import Authority, TlsFiles, write_private
from services.registrar.app import create_app
from services.registrar.hub import HubLink
from services.registrar.operator import OperatorKeys, prepare_hub
from services.registrar.service import Registrar
from tests.parties import EVIDENCE
from tests.servers import free_port
from tests.services.registrar.conftest import (
    AT_ONCE_S,
    LINK_S,
    connected,
    new_key,
    now,
    passes,
    shut,
    until,
)

REGISTRY = registry.load()
TOKEN = subject_token("conv-a")
REFERRAL = f"lb.c1.s1.{TOKEN}.m1"
CONTROL = f"lb.c1.s1.{TOKEN}.k"
INTERVAL_S = 0.5
"""Seconds between two read-backs in these tests; two in production."""


class MovedClock:
    """Instant by which conventions are judged, moved by the test."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return now() + self.offset


class Node:
    """The identity of one organisation and its leaf, without its service."""

    def __init__(self, town: Town, org: str, kind: Kind, code: str) -> None:
        self.town, self.code = town, code
        folder = town.root / org
        self.settings = NodeSettings(
            org=org,
            kind=kind,
            name="Organisme",
            code=code,
            dpo="dpo@organisme.example",
            node_dir=folder,
            nats_url="nats://127.0.0.1:1",
            registrar_url="http://registrar",
            secret_file=folder / "secret",
        )
        self.keys = NodeKeys.open(folder, org, now())
        self.keeper = DirectoryKeeper(
            org, lambda: self.keys.public_keys, REGISTRY, folder / "directory.json"
        )
        self.activations: dict[tuple[str, str], str] = {}
        self.sequence = 0
        self.leaf = self._leaf(folder)

    def _leaf(self, folder: Path) -> NatsServer:
        port = free_port()
        config = LeafConfig(
            code=self.code,
            directory=folder,
            host="127.0.0.1",
            port=port,
            hub_urls=(f"tls://127.0.0.1:{self.town.hub_settings.leaf_port}",),
            tls=self.town.issue(folder, self.code),
            credentials=write_private(
                folder / "leaf.creds", self.keys.leaf_credentials(self.code, now())
            ),
            admin_password="admin-secret",  # noqa: S106 -- loopback, for the length of a test
            app_password="app-secret",  # noqa: S106 -- same
            store_key="store-secret",
        )
        path = write_config(folder, leaf_config(config))
        return NatsServer(self.town.binary, path, "127.0.0.1", port, folder / "nats.log")

    def client(self) -> AbstractAsyncContextManager[Client]:
        return connected(self.leaf.port, user="app", password="app-secret")  # noqa: S106 -- as above

    async def provision(self) -> None:
        limits = letterbox.LetterboxLimits(max_bytes=64 * 1024**2)
        async with connected(self.leaf.port, user="admin", password="admin-secret") as client:  # noqa: S106 -- as above
            await client.jetstream().add_stream(
                letterbox.stream_config(self.code, limits)  # type: ignore[arg-type] -- replaced below
            )

    async def publish(self) -> None:
        self.sequence += 1
        entry = self.keys.directory_entry(self.settings, self.sequence, now(), {})
        await self.town.put("/entries", entry)

    async def activate(self) -> None:
        """Read the directory, then sign and hand in what this node agrees to receive."""
        await self.keeper.sync(self.town.http)
        current = self.keeper.current
        self.activations = activations_for(
            self.code,
            current.conventions.values(),
            current.entries,
            self.town.clock.now(),
            self.keys.account_signing,
            self.activations,
        )
        await self.town.http.put(
            f"/activations/{self.settings.org}", json=sorted(self.activations.values())
        )

    def act(self, kind: ActKind) -> str:
        at = self.town.clock.now()
        content = Act(
            id=f"act-{int(at.timestamp() * 1000)}",
            convention_id="conv-a",
            kind=kind,
            org=self.settings.org,
            at=at,
        )
        return sign(content.to_bytes(), self.keys.signing, typ="act")
