"""The server process: found, started, ended, and never taken for a stranger on its port."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError

from contracts.kernel.errors import Unavailable
from services.chassis.arrivals import Verdict
from services.chassis.bus import Bus, BusSettings, Handle
from services.chassis.clock import new_id
from services.chassis.keys import NodeKeys
from services.chassis.letterbox import DURABLE, STREAM, LetterboxLimits
from services.chassis.nats_server import (
    LeafConfig,
    NatsServer,
    client_listener,
    find_binary,
    leaf_config,
    monitoring,
    write_config,
)
from services.chassis.opening import Letter
from services.chassis.tls import Authority, TlsFiles, client_context, write_private
from tests.servers import free_port

BESIDE_PYTHON = Path(sys.executable).parent / "nats-server"


def script(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho nats-server: v{version}\n")
    path.chmod(0o700)
    return path


def test_the_named_binary_wins_then_path_then_beside_python(tmp_path: Path) -> None:
    on_path = script(tmp_path / "nats-server", "2.15.0")
    named = script(tmp_path / "other", "3.0.1")
    path = {"PATH": str(tmp_path)}
    assert find_binary({**path, "NATS_SERVER": str(named)}) == named
    assert find_binary(path) == on_path
    assert find_binary({}) == BESIDE_PYTHON


def test_a_server_too_old_is_passed_over_or_refused_when_named(tmp_path: Path) -> None:
    old = script(tmp_path / "nats-server", "2.14.9")
    assert find_binary({"PATH": str(tmp_path)}) == BESIDE_PYTHON
    for named in (old, tmp_path / "absent", script(tmp_path / "mute", "?")):
        with pytest.raises(Unavailable):
            find_binary({"NATS_SERVER": str(named)})


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    start = datetime.now(UTC) - timedelta(hours=1)
    authority = Authority.create(tmp_path, start, start + timedelta(days=1))
    return authority.issue(tmp_path, "node", ["127.0.0.1"], start, start + timedelta(days=1))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    port = free_port()
    path = write_config(tmp_path / "node", {"host": "127.0.0.1", "port": port})
    server = NatsServer(
        find_binary(os.environ), path, "127.0.0.1", port, tmp_path / "node" / "nats.log"
    )
    yield server
    server.kill()


def test_a_server_stops_or_is_killed_and_starts_again(server: NatsServer) -> None:
    pids = []
    for end in (server.stop, server.kill, server.stop):
        server.start()
        server.wait_ready()
        pids.append(server.pid)
        server.start()
        assert (server.pid, server.running) == (pids[-1], True)
        end()
        assert (server.pid, server.running) == (None, False)
    assert len(set(pids)) == 3


def test_a_server_that_does_not_stop_in_time_is_killed(server: NatsServer) -> None:
    server.start()
    server.wait_ready()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    server.stop(timeout_s=0.1)
    assert not server.running


def test_ending_what_never_started_does_nothing(server: NatsServer) -> None:
    server.stop()
    server.kill()
    assert server.pid is None


def test_a_port_taken_by_a_stranger_is_said(server: NatsServer) -> None:
    with socket.create_server(("127.0.0.1", server.port)), pytest.raises(Unavailable) as caught:
        server.start()
    assert (caught.value.code, server.running) == ("port_taken", False)
    server.start()
    server.wait_ready()


def test_a_server_that_ends_at_once_or_is_slow_is_not_ready(server: NatsServer) -> None:
    good = server.config.read_text()
    server.config.write_text("{ nonsense")
    server.start()
    with pytest.raises(Unavailable, match="arrêté"):
        server.wait_ready()
    server.config.write_text(good)
    server.start()
    with pytest.raises(Unavailable, match="répond"):
        server.wait_ready(timeout_s=0)
    server.wait_ready()


async def test_a_reload_applies_the_configuration_and_keeps_the_process(
    server: NatsServer,
) -> None:
    server.start()
    server.wait_ready()
    pid = server.pid
    changed = {**json.loads(server.config.read_text()), "max_payload": 4096}
    write_config(server.config.parent, changed)
    server.reload()
    for _ in range(100):
        client = await nats.connect(f"nats://127.0.0.1:{server.port}")
        size = client.max_payload
        await client.close()
        if size == 4096:
            break
    assert (size, server.pid) == (4096, pid)


def test_the_configuration_is_private_and_no_value_leaves_its_quotes(tmp_path: Path) -> None:
    path = write_config(tmp_path / "new", {"server_name": 'a" }\n system_account: "$G é'})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"server_name": 'a" }\n system_account: "$G é'}


def leaf(tmp_path: Path, tls: TlsFiles, host: str = "127.0.0.1") -> LeafConfig:
    return LeafConfig(
        code="r1",
        directory=tmp_path,
        host=host,
        port=4222,
        hub_urls=("tls://h1:7422", "tls://h2:7422"),
        tls=tls,
        credentials=tmp_path / "leaf.creds",
        admin_password="admin-secret",  # noqa: S106 -- never leaves this test
        app_password="app-secret",  # noqa: S106 -- same
        store_key="store-secret",
    )


def test_the_service_sends_in_its_own_name_and_pulls_its_own_letterbox(
    tmp_path: Path, tls: TlsFiles
) -> None:
    users = leaf_config(leaf(tmp_path, tls))["accounts"]["NODE"]["users"]
    app = next(user for user in users if user["user"] == "app")["permissions"]
    assert app["publish"]["allow"] == [
        "lb.*.r1.>",
        "dlq.>",
        "$JS.API.CONSUMER.MSG.NEXT.LETTERBOX.>",
        "$JS.API.CONSUMER.INFO.LETTERBOX.>",
        "$JS.API.STREAM.INFO.LETTERBOX",
        "$JS.ACK.LETTERBOX.>",
        "_INBOX.>",
    ]
    assert app["subscribe"]["allow"] == ["_INBOX.>"]


def test_the_leaf_keeps_its_api_and_its_letters_from_the_hub(tmp_path: Path, tls: TlsFiles) -> None:
    config = leaf_config(leaf(tmp_path, tls))
    remote = config["leafnodes"]["remotes"][0]
    assert remote["deny_exports"] == ["$JS.>", "lb.r1.>"]
    assert "deny_imports" not in remote
    assert remote["tls"]["handshake_first"] is True
    assert config["jetstream"]["sync_interval"] == "always"
    assert config["jetstream"]["cipher"] == "chachapoly"


def test_secrets_do_not_show_in_a_repr(tmp_path: Path, tls: TlsFiles) -> None:
    assert "-secret" not in repr(leaf(tmp_path, tls)).replace(tmp_path.name, "")


def test_monitoring_is_on_loopback_or_off() -> None:
    assert monitoring(None) == {}
    assert monitoring(8222) == {"http": "127.0.0.1:8222"}


@pytest.mark.parametrize(
    ("host", "clear"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 -- what must not be in clear
        ("10.0.0.4", False),
        ("nats-a", False),
    ],
)
def test_clients_are_in_clear_on_loopback_only(tls: TlsFiles, host: str, *, clear: bool) -> None:
    listener = client_listener(host, 4222, tls)
    assert ("tls" not in listener) is clear


async def test_outside_loopback_a_client_shows_its_certificate(
    server: NatsServer, tls: TlsFiles
) -> None:
    everywhere = "0.0.0.0"  # noqa: S104 -- the address whose rule is tested
    write_config(server.config.parent, client_listener(everywhere, server.port, tls))
    server.start()
    server.wait_ready()
    url = f"nats://127.0.0.1:{server.port}"
    for first in (True, False):  # FastStream's client cannot begin with the handshake
        client = await nats.connect(url, tls=client_context(tls), tls_handshake_first=first)
        assert client.is_connected
        await client.close()
    bare = ssl.create_default_context(cafile=str(tls.ca))
    with pytest.raises((ssl.SSLError, NatsError, OSError)):
        await nats.connect(url, tls=bare, allow_reconnect=False, max_reconnect_attempts=0)


@asynccontextmanager
async def reading(folder: Path, tls: TlsFiles, handle: Handle) -> AsyncIterator[Bus]:
    """A node's bus on a leaf outside loopback, as in containers."""
    port = free_port()
    everywhere = "0.0.0.0"  # noqa: S104 -- the address whose rule is tested
    config = leaf(folder, tls, everywhere)
    now = datetime.now(UTC)
    keys = NodeKeys.open(folder / "keys", "ecole", now)
    write_private(config.credentials, keys.leaf_credentials(config.code, now))
    config = replace(
        config,
        port=port,
        hub_urls=(f"tls://127.0.0.1:{free_port()}",),
    )
    path = write_config(folder / "leaf", leaf_config(config))
    server = NatsServer(find_binary(os.environ), path, "127.0.0.1", port, folder / "log")
    settings = BusSettings(
        url=f"nats://127.0.0.1:{port}",
        code=config.code,
        app_password=config.app_password,
        admin_password=config.admin_password,
        limits=LetterboxLimits(),
        tls=tls,
    )
    bus = Bus(settings, handle)
    server.start()
    try:
        await asyncio.to_thread(server.wait_ready)
        await bus.start()
        yield bus
        await bus.stop()
    finally:
        server.stop()


async def test_a_node_reaches_a_leaf_outside_loopback(tmp_path: Path, tls: TlsFiles) -> None:
    """The letterbox provisioned and read over mutual TLS."""

    async def handle(_: Letter) -> Verdict:
        return Verdict()

    async with reading(tmp_path, tls, handle) as bus:
        await bus.probe(new_id())
        assert await bus.ready()


async def test_no_letter_waits_behind_a_request_that_was_given_up(
    tmp_path: Path, tls: TlsFiles
) -> None:
    """The server serves the oldest request: one that the reader has given up takes letters too.

    A reader that asks for many then holds each of them until its own request has run out.
    """
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def handle(letter: Letter) -> Verdict:
        arrived.put_nowait(letter.body)
        return Verdict()

    async with reading(tmp_path, tls, handle) as bus:
        (subscriber,) = bus.broker.subscribers
        client = await bus.broker.connect()
        given_up = json.dumps({"batch": 32, "expires": 60 * 10**9}).encode()
        inbox = subscriber.subscription._deliver  # type: ignore[attr-defined]  # has no public name
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}", given_up, inbox)
        for number in range(4):
            code, body = bus._settings.code, str(number).encode()
            await bus.publish(f"lb.{code}.{code}.x.y", {"Nats-Msg-Id": new_id()}, body)
            async with asyncio.timeout(4):
                assert await arrived.get() == body


def test_the_binary_of_the_environment_is_recent() -> None:
    found = find_binary(os.environ)
    assert shutil.which(found)
