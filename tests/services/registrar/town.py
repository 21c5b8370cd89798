"""A hub, the registrar's service and two organisations' leafs: real processes over TLS."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from nats.aio.client import Client
from nats.js.api import StreamConfig

from contracts import registry
from contracts.broker.compile import activations_for
from contracts.kernel.documents import add_signature, sign
from contracts.kernel.instrument import subject_token
from contracts.kernel.organisation import Kind, Suite
from contracts.kernel.terms import Act, ActKind, Party, Terms
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
from services.registrar.operator import OperatorKeys, prepare_hub
from services.registrar.service import Registrar
from tests.parties import EVIDENCE
from tests.servers import free_port
from tests.services.registrar.conftest import LINK_S, connected, now, passes, until

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
            stream = StreamConfig.from_response(letterbox.stream_config(self.code, limits))
            await client.jetstream().add_stream(stream)

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
            REGISTRY.duties.values(),
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


class Town:
    """Everything that runs, and the registrar, which a test may stop and start again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.binary = find_binary(os.environ)
        self.authority = Authority.create(root / "ca", *_day())
        self.clock = MovedClock()
        tls = self.issue(root / "hub", "hub")
        self.hub_settings = HubSettings(
            directory=root / "hub",
            port=free_port(),
            leaf_port=free_port(),
            ca=tls.ca,
            certificate=tls.certificate,
            key=tls.key,
        )
        self.operator = OperatorKeys.open(root / "registrar", now())
        path = prepare_hub(self.operator, self.hub_settings, now())
        port, log = self.hub_settings.port, root / "hub" / "nats.log"
        self.hub = NatsServer(self.binary, path, "127.0.0.1", port, log)
        self.city = Node(self, "ville", Kind.CITY, "c1")
        self.school = Node(self, "college", Kind.SCHOOL, "s1")
        self.admitted = tuple(
            Admitted(id=one.settings.org, kind=one.settings.kind, code=one.code)
            for one in (self.city, self.school)
        )
        self.registrar: Registrar
        self.http: httpx.AsyncClient

    def issue(self, folder: Path, name: str) -> TlsFiles:
        return self.authority.issue(folder, name, ["127.0.0.1", "localhost"], *_day())

    @property
    def settings(self) -> RegistrarSettings:
        return RegistrarSettings(
            registrar_dir=self.root / "registrar",
            hub_url=f"nats://127.0.0.1:{self.hub_settings.port}",
            organisations=self.admitted,
            interval_s=INTERVAL_S,
        )

    async def start_registrar(self) -> None:
        """Start the service as its process would: from its folder and settings."""
        self.registrar = Registrar(
            self.settings,
            OperatorKeys.open(self.root / "registrar", now()),
            REGISTRY,
            clock=self.clock,
            wall=SystemClock(),
        )
        transport = httpx.ASGITransport(app=create_app(self.registrar))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://registrar")
        await self.registrar.start()

    async def stop_registrar(self) -> None:
        await self.http.aclose()
        await self.registrar.stop()

    async def put(self, path: str, body: str) -> None:
        method = "POST" if path in {"/terms", "/acts"} else "PUT"
        answer = await self.http.request(method, path, content=body)
        assert answer.status_code == 200, answer.text

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get("/state")).json()
        return found

    async def ready(self) -> bool:
        return (await self.http.get("/readyz")).status_code == 200

    async def start(self) -> None:
        """Run everything, up to the two entries; no convention yet."""
        self.hub.start()
        await asyncio.to_thread(self.hub.wait_ready)
        await self.start_registrar()
        for node in (self.city, self.school):
            await node.publish()
        # The hub makes a leaf of an unknown account wait, then cuts it: accounts come first.
        await until(self.ready, LINK_S)
        for node in (self.city, self.school):
            node.leaf.start()
            await asyncio.to_thread(node.leaf.wait_ready)
            await node.provision()

    async def sign(self) -> None:
        """Let both sign convention A; activations are not signed yet."""
        content = _terms(self.city, self.school).to_bytes()
        said = {"signed_on": date.today().replace(day=1).isoformat()}  # noqa: DTZ011 -- a legal day
        for node in (self.city, self.school):
            key = node.keys.signing
            await self.put("/terms", add_signature(None, content, node.settings.org, key, said))

    async def activate(self) -> None:
        for node in (self.city, self.school):
            await node.activate()

    async def stop(self) -> None:
        await self.stop_registrar()
        for server in (self.city.leaf, self.school.leaf, self.hub):
            server.kill()


def _day() -> tuple[datetime, datetime]:
    return now() - timedelta(hours=1), now() + timedelta(days=1)


def _terms(*nodes: Node) -> Terms:
    return Terms(
        id="conv-a",
        convention="a_city_school",
        version=1,
        parties=tuple(
            Party(
                org=one.settings.org,
                kind=one.settings.kind,
                signing_key=one.keys.kid,
                floor=Suite.XWING,
                signatory="maire",
                decision="deliberation 12",
            )
            for one in nodes
        ),
        evidence=EVIDENCE,
    )


@asynccontextmanager
async def running(root: Path) -> AsyncIterator[Town]:
    """Run a town with convention A signed and activated, a first letter through."""
    town = Town(root)
    try:
        await town.start()
        await town.sign()
        await town.activate()
        async with town.school.client() as client:
            await until(partial(passes, client, REFERRAL), LINK_S)
        await until(town.ready, LINK_S)
        yield town
    finally:
        await town.stop()
