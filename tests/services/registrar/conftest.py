"""A hub and three leafs, real processes over TLS, and the registrar that pushes to them."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig, PubAck, StreamConfig

from contracts.broker import claims
from contracts.broker.accounts import compile_accounts
from contracts.broker.activations import Activation, activation_token, read_activation
from contracts.broker.grants import Grant, grant
from contracts.broker.nkey import KeyKind, KeyPair, key_pair
from contracts.broker.tokens import Claims
from services.chassis import letterbox
from services.chassis.nats_server import (
    LeafConfig,
    NatsServer,
    find_binary,
    leaf_config,
    write_config,
)
from services.chassis.tls import Authority, TlsFiles, write_private
from services.registrar.hub import HubConfig, HubLink, write_hub
from services.registrar.reconcile import Mended, reconcile
from tests.servers import free_port

PATIENCE_S = 0.3
"""How long a publication that must fail is given; an allowed one takes some 2 ms."""
LINK_S = 10.0
LINK_TIMEOUT_S = 1.0
PULL_S = 0.5
AT_ONCE_S = 1.0
"""Within this time a change pushed to the hub is felt at the leafs."""
ORGANISATIONS = ("a", "b", "c")


def new_key(kind: KeyKind) -> KeyPair:
    return key_pair(kind, os.urandom(32))


@asynccontextmanager
async def connected(port: int, **options: str) -> AsyncIterator[Client]:
    client = await nats.connect(f"nats://127.0.0.1:{port}", error_cb=_quiet, **options)
    try:
        yield client
    finally:
        await client.close()


async def _quiet(_: Exception) -> None:
    """Refusals are what these tests look for: nats-py need not print them."""


@dataclass
class Organisation:
    code: str
    server: NatsServer
    tls: TlsFiles
    directory: Path
    account: KeyPair = field(default_factory=lambda: new_key(KeyKind.ACCOUNT))
    signing: KeyPair = field(default_factory=lambda: new_key(KeyKind.ACCOUNT))
    user: KeyPair = field(default_factory=lambda: new_key(KeyKind.USER))
    revoked_users: dict[str, datetime] = field(default_factory=dict)
    revoked_activations: dict[str, datetime] = field(default_factory=dict)

    def entry(self) -> claims.Account:
        return claims.Account(
            self.code,
            self.account.public,
            (self.signing.public,),
            revoked_activations=self.revoked_activations,
            revoked_users=self.revoked_users,
        )

    def credentials(self, at: datetime) -> str:
        token = claims.leaf_user_token(
            self.code, self.account.public, self.user.public, self.signing, at
        )
        return claims.credentials(token, self.user)

    def client(self, user: str) -> AbstractAsyncContextManager[Client]:
        return connected(self.server.port, user=user, password=f"{user}-secret")

    async def provision(self) -> None:
        limits = letterbox.LetterboxLimits(max_bytes=64 * 1024**2)
        async with self.client("admin") as client:
            js = client.jetstream()
            stream = StreamConfig.from_response(letterbox.stream_config(self.code, limits))
            await js.add_stream(stream)
            consumer = ConsumerConfig.from_response(letterbox.consumer_config(limits))
            await js.add_consumer(letterbox.STREAM, consumer)

    async def held(self, subject: str) -> int:
        """Count the letters of one subject in this letterbox."""
        async with self.client("admin") as client:
            body = json.dumps({"subjects_filter": subject}).encode()
            name = f"$JS.API.STREAM.INFO.{letterbox.STREAM}"
            reply = json.loads((await client.request(name, body, timeout=2)).data)
            return int((reply["state"].get("subjects") or {}).get(subject, 0))


@dataclass
class Bench:
    """The federation under test: what the registrar knows, and the processes."""

    root: Path
    binary: Path
    authority: Authority
    operator: KeyPair
    operator_signing: KeyPair
    system: KeyPair
    system_signing: KeyPair
    registrar: KeyPair
    hub: NatsServer
    hub_config: HubConfig
    organisations: dict[str, Organisation] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    activations: dict[str, Activation] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    def sign(
        self,
        sender: str,
        receiver: str,
        *,
        message: str = "m",
        lasts: timedelta = timedelta(hours=1),
        signer: KeyPair | None = None,
    ) -> Grant:
        """Sign one more convention's grant, and the receiver's activation for it."""
        made = grant(
            sender=sender,
            receiver=receiver,
            convention=f"cv{next(self.numbers)}",
            message=message,
            expires_at=now() + lasts,
        )
        self.grants[made.subject] = made
        token = self.activate(made, signer=signer)
        self.activations[made.subject] = read_activation(token)
        return made

    def activate(self, made: Grant, *, signer: KeyPair | None = None) -> str:
        receiver = self.organisations[made.receiver]
        return activation_token(
            made,
            sender_key=self.organisations[made.sender].account.public,
            receiver_key=receiver.account.public,
            signer=signer or receiver.signing,
            issued_at=now(),
        )

    def compiled(self) -> dict[str, Claims]:
        entries = [organisation.entry() for organisation in self.organisations.values()]
        return compile_accounts(
            entries,
            self.grants.values(),
            self.activations,
            now(),
            now() + timedelta(days=30),
        )

    @asynccontextmanager
    async def link(self) -> AsyncIterator[HubLink]:
        token = claims.registrar_user_token(
            self.system.public, self.registrar.public, self.system_signing, now()
        )
        link = await HubLink.connect(
            f"nats://127.0.0.1:{self.hub.port}",
            claims.credentials(token, self.registrar),
            timeout_s=LINK_TIMEOUT_S,
        )
        try:
            yield link
        finally:
            await link.close()

    async def push(self) -> tuple[Mended, ...]:
        async with self.link() as link:
            return await reconcile(
                link,
                self.compiled().values(),
                self.operator_signing,
                system_account=self.system.public,
                at=now(),
                renew_before=now() + timedelta(days=15),
            )

    def leaf(self, code: str, **changes: object) -> NatsServer:
        """Write the configuration of a leaf with an organisation's credentials; not started."""
        organisation = self.organisations[code]
        directory = organisation.directory
        credentials = write_private(directory / "leaf.creds", organisation.credentials(now()))
        config = LeafConfig(
            code=code,
            directory=directory,
            host="127.0.0.1",
            port=organisation.server.port,
            hub_urls=(f"tls://127.0.0.1:{self.hub_config.leaf_port}",),
            tls=organisation.tls,
            credentials=credentials,
            admin_password="admin-secret",  # noqa: S106 -- loopback, for the length of a test
            app_password="app-secret",  # noqa: S106 -- same
            store_key="store-secret",
        )
        write_config(directory, {**leaf_config(config), **changes})
        return organisation.server


def now() -> datetime:
    return datetime.now(UTC)


async def until(condition: Callable[[], Any], within_s: float) -> float:
    """Wait until an async condition holds; return the seconds it took, or fail."""
    start = time.monotonic()
    while time.monotonic() - start < within_s:
        if await condition():
            return time.monotonic() - start
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {within_s} s")


async def send(client: Client, subject: str, body: bytes = b"letter") -> PubAck:
    return await client.jetstream().publish(subject, body, timeout=PATIENCE_S)


async def passes(client: Client, subject: str) -> bool:
    """Whether the receiver's own PubAck comes back."""
    try:
        await send(client, subject)
    except (nats.errors.Error, TimeoutError):
        return False
    return True


async def shut(client: Client, subject: str) -> bool:
    return not await passes(client, subject)


async def pull(client: Client, batch: int) -> list[Msg]:
    subscription = await client.jetstream().pull_subscribe_bind(
        consumer=letterbox.DURABLE, stream=letterbox.STREAM
    )
    return await subscription.fetch(batch, timeout=PULL_S)


def make_organisation(root: Path, authority: Authority, binary: Path, code: str) -> Organisation:
    directory = root / code
    start, end = now() - timedelta(hours=1), now() + timedelta(days=1)
    tls = authority.issue(directory, code, ["127.0.0.1"], start, end)
    server = NatsServer(
        binary, directory / "nats.json", "127.0.0.1", free_port(), directory / "nats.log"
    )
    return Organisation(code, server, tls, directory)


def make_bench(root: Path) -> Bench:
    start, end = now() - timedelta(hours=1), now() + timedelta(days=1)
    authority = Authority.create(root / "ca", start, end)
    binary = find_binary(os.environ)
    operator, operator_signing = new_key(KeyKind.OPERATOR), new_key(KeyKind.OPERATOR)
    system, system_signing = new_key(KeyKind.ACCOUNT), new_key(KeyKind.ACCOUNT)
    config = HubConfig(
        name="hub",
        directory=root / "hub",
        operator=claims.operator_token(
            operator,
            signing_keys=[operator_signing.public],
            system_account=system.public,
            issued_at=now(),
        ),
        system_account=claims.system_account_token(
            system.public,
            signing_keys=[system_signing.public],
            signer=operator_signing,
            issued_at=now(),
            expires_at=end,
        ),
        host="127.0.0.1",
        port=free_port(),
        leaf_host="127.0.0.1",
        leaf_port=free_port(),
        tls=authority.issue(root / "hub", "hub", ["127.0.0.1", "localhost"], start, end),
    )
    hub = NatsServer(binary, write_hub(config), config.host, config.port, root / "hub" / "nats.log")
    return Bench(
        root=root,
        binary=binary,
        authority=authority,
        operator=operator,
        operator_signing=operator_signing,
        system=system,
        system_signing=system_signing,
        registrar=new_key(KeyKind.USER),
        hub=hub,
        hub_config=config,
    )


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = make_bench(tmp_path_factory.mktemp("bus"))
    for code in ORGANISATIONS:
        bench.organisations[code] = make_organisation(
            bench.root, bench.authority, bench.binary, code
        )
    leafs = [bench.leaf(code) for code in ORGANISATIONS]
    ring = [bench.sign("a", "b"), bench.sign("b", "c"), bench.sign("c", "a")]
    try:
        _run(bench.hub)
        # Before any leaf links: the hub makes a leaf of an unknown account wait, then cuts it.
        asyncio.run(bench.push())
        _run(*leafs)
        asyncio.run(_open(bench, ring))
        yield bench
    finally:
        for server in (*leafs, bench.hub):
            server.kill()


def _run(*servers: NatsServer) -> None:
    for server in servers:
        server.start()
    for server in servers:
        server.wait_ready()


async def _open(bench: Bench, ring: list[Grant]) -> None:
    """Provision the letterboxes and wait until every leaf carries a letter."""
    for organisation in bench.organisations.values():
        await organisation.provision()
    for made in ring:
        async with bench.organisations[made.sender].client("app") as client:
            await until(partial(passes, client, made.subject), LINK_S)
