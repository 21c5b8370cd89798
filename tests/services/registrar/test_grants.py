"""What a grant opens on real servers, and what stays shut beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import NoStreamResponseError

from services.chassis import letterbox
from services.chassis.nats_server import NatsServer, tls_block, write_config
from services.chassis.tls import Authority, write_private
from services.registrar.reconcile import Difference
from tests.servers import free_port
from tests.services.registrar.conftest import (
    AT_ONCE_S,
    LINK_S,
    Bench,
    connected,
    now,
    passes,
    pull,
    send,
    shut,
    until,
)


async def test_a_granted_letter_gets_the_receivers_own_pub_ack(bench: Bench) -> None:
    made = bench.sign("a", "b")
    await bench.push()
    async with bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        ack = await send(client, made.subject)
        assert (ack.stream, ack.domain) == (letterbox.STREAM, "b")
        other = made.subject.replace(".m", ".n")
        with pytest.raises(NoStreamResponseError):
            await send(client, other)
    assert await bench.organisations["b"].held(made.subject) == 2
    assert await bench.organisations["b"].held(other) == 0


async def test_a_grant_opens_one_direction_one_sender_one_message(bench: Bench) -> None:
    made = bench.sign("a", "b")
    receipts = bench.sign("b", "a", message="r")
    await bench.push()
    convention = made.subject.split(".")[3]
    refused = {
        "a": [f"lb.b.a.{convention}.k", f"lb.b.a.{convention}.r", f"lb.c.a.{convention}.m"],
        "b": [f"lb.a.b.{convention}.m"],
        "c": [f"lb.b.c.{convention}.m", made.subject],
    }
    async with bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
    async with bench.organisations["b"].client("app") as client:
        await until(partial(passes, client, receipts.subject), AT_ONCE_S)
    for code, subjects in refused.items():
        async with bench.organisations[code].client("app") as client:
            assert not [s for s in subjects if await passes(client, s)]
    assert await bench.organisations["b"].held(made.subject) == 1


@pytest.mark.parametrize("as_hub", [False, True])
async def test_a_rogue_leaf_with_true_credentials_reads_nothing_and_sends_its_own_only(
    bench: Bench, *, as_hub: bool
) -> None:
    granted, others, own = bench.sign("c", "b"), bench.sign("a", "b"), bench.sign("a", "c")
    await bench.push()
    receiver = bench.organisations["b"]
    async with rogue(bench, "c", as_hub=as_hub) as client:
        heard: set[bytes] = set()

        async def hear(message: Msg) -> None:
            heard.add(message.data)

        async def arrived() -> bool:
            await client.publish(granted.subject, b"granted")
            return await receiver.held(granted.subject) > 0

        await client.subscribe(">", cb=hear)
        await client.subscribe("lb.b.>", cb=hear)
        await until(arrived, LINK_S)
        async with bench.organisations["a"].client("app") as honest:
            await until(partial(passes, honest, others.subject), AT_ONCE_S)
            await send(honest, others.subject, b"for b")
            await honest.publish(own.subject, b"for c")
        beside = [others.subject, granted.subject.replace(".m", ".k"), "lb.b.c.none.m"]
        for subject in (*beside, f"$JS.b.API.STREAM.INFO.{letterbox.STREAM}"):
            assert not await passes(client, subject)
        await until(arrived, LINK_S)
    assert b"for b" not in heard
    # Its own letters it may hear: that is what the stolen credentials are for. They are sealed.
    assert as_hub or b"for c" in heard
    assert [await receiver.held(subject) for subject in beside] == [2, 0, 0]


@asynccontextmanager
async def rogue(
    bench: Bench, code: str, authority: Authority | None = None, *, as_hub: bool = False
) -> AsyncIterator[Client]:
    """Link to the hub with an organisation's true credentials and none of its local rules."""
    port, directory = free_port(), bench.root / f"rogue-{next(bench.numbers)}"
    day = timedelta(days=1)
    tls = (authority or bench.authority).issue(
        directory, "rogue", ["127.0.0.1"], now() - day, now() + day
    )
    credentials = bench.organisations[code].credentials(now())
    remote = {
        "urls": [f"tls://127.0.0.1:{bench.hub_config.leaf_port}"],
        "credentials": str(write_private(directory / "stolen.creds", credentials)),
        "tls": {**tls_block(tls), "ca_file": str(bench.authority.path)},
        "hub": as_hub,
    }
    path = write_config(
        directory, {"host": "127.0.0.1", "port": port, "leafnodes": {"remotes": [remote]}}
    )
    server = NatsServer(bench.binary, path, "127.0.0.1", port, directory / "nats.log")
    server.start()
    try:
        await asyncio.to_thread(server.wait_ready)
        async with connected(port) as client:
            yield client
    finally:
        server.kill()


async def test_a_leaf_without_a_certificate_of_the_federation_does_not_link(
    bench: Bench, tmp_path: Path
) -> None:
    made = bench.sign("c", "b")
    await bench.push()
    day = timedelta(days=1)
    stranger = Authority.create(tmp_path, now() - day, now() + day)
    async with rogue(bench, "c") as client:
        await until(partial(passes, client, made.subject), LINK_S)
    async with rogue(bench, "c", stranger) as client:
        await asyncio.sleep(AT_ONCE_S)
        assert not await passes(client, made.subject)


async def test_a_pushed_change_is_felt_within_a_second(bench: Bench) -> None:
    lasting = bench.sign("a", "c")
    await bench.push()
    async with bench.organisations["a"].client("app") as client:
        made = bench.sign("a", "c")
        assert not await passes(client, made.subject)
        mended = await bench.push()
        assert {entry.difference for entry in mended} == {Difference.CHANGED}
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        del bench.grants[made.subject]
        assert len(await bench.push()) == 2
        await until(partial(shut, client, made.subject), AT_ONCE_S)
        assert await passes(client, lasting.subject)


async def test_an_expired_activation_stops_by_itself(bench: Bench) -> None:
    made = bench.sign("b", "c", lasts=timedelta(seconds=2))
    lasting = bench.sign("b", "c")
    await bench.push()
    async with bench.organisations["b"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        await until(partial(shut, client, made.subject), 4)
        assert now() >= made.expires_at - timedelta(seconds=1)
        assert await passes(client, lasting.subject)


async def test_the_nodes_service_pulls_and_acks_but_neither_erases_nor_forges(bench: Bench) -> None:
    made = bench.sign("c", "a")
    await bench.push()
    async with bench.organisations["c"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
    organisation = bench.organisations["a"]
    async with organisation.client("app") as app, organisation.client("admin") as admin:
        letters = await pull(app, 1_000)
        letter = next(m for m in letters if m.subject == made.subject)
        for message in letters:
            await message.ack()
        erase = letterbox.erase_request(letter.metadata.sequence.stream)
        with pytest.raises(nats.errors.Error):
            await app.request(*erase, timeout=0.3)
        assert await organisation.held(made.subject) == 1
        assert json.loads((await admin.request(*erase, timeout=2)).data)["success"]
        assert await organisation.held(made.subject) == 0
        assert not await passes(app, made.subject)


async def test_a_letterbox_refuses_what_is_too_large_or_too_many(bench: Bench) -> None:
    made, other = bench.sign("b", "a"), bench.sign("b", "a")
    await bench.push()
    receiver = bench.organisations["a"]
    limits = letterbox.LetterboxLimits(max_bytes=64 * 1024**2, max_letters_per_subject=2)
    async with receiver.client("admin") as admin, bench.organisations["b"].client("app") as app:
        await update_stream(admin, letterbox.stream_config("a", limits))
        try:
            await until(partial(passes, app, made.subject), AT_ONCE_S)
            assert await passes(app, made.subject)
            with pytest.raises(nats.js.errors.APIError) as full:
                await send(app, made.subject)
            assert full.value.err_code == 10077
            assert await passes(app, other.subject)
            with pytest.raises(nats.js.errors.APIError) as large:
                await send(app, other.subject, b"x" * (257 * 1024))
            assert large.value.err_code == 10054
        finally:
            limits = letterbox.LetterboxLimits(max_bytes=64 * 1024**2)
            await update_stream(admin, letterbox.stream_config("a", limits))


async def update_stream(admin: Client, config: dict[str, object]) -> None:
    name = f"$JS.API.STREAM.UPDATE.{letterbox.STREAM}"
    reply = json.loads((await admin.request(name, json.dumps(config).encode(), timeout=2)).data)
    assert "error" not in reply


async def test_the_same_letter_twice_is_kept_once(bench: Bench) -> None:
    made = bench.sign("a", "c")
    await bench.push()
    async with bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        js = client.jetstream()
        headers = {"Nats-Msg-Id": "0d5e2a"}
        first = await js.publish(made.subject, b"1", headers=headers, timeout=1)
        again = await js.publish(made.subject, b"1", headers=headers, timeout=1)
    assert (first.duplicate, again.duplicate, again.seq) == (None, True, first.seq)
    assert await bench.organisations["c"].held(made.subject) == 2
