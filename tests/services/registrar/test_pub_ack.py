"""A node's bus on real servers: only the receiver's own letterbox counts as a delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from nats.js.api import StreamConfig

from services.chassis import letterbox
from services.chassis.arrivals import Verdict
from services.chassis.bus import Bus, BusSettings
from services.chassis.clock import new_id
from services.chassis.opening import Letter
from services.chassis.relay import NotDelivered, Undeliverable
from tests.services.registrar.conftest import AT_ONCE_S, Bench, Organisation, passes, until

LIMITS = letterbox.LetterboxLimits(max_bytes=64 * 1024**2)


async def _drop(_letter: Letter) -> Verdict:
    return Verdict()


@asynccontextmanager
async def bus_of(organisation: Organisation) -> AsyncIterator[Bus]:
    """The bus of a node at its own server."""
    settings = BusSettings(
        url=f"nats://127.0.0.1:{organisation.server.port}",
        code=organisation.code,
        app_password="app-secret",  # noqa: S106 -- loopback, for the length of a test
        admin_password="admin-secret",  # noqa: S106 -- same
        limits=LIMITS,
        timeout=10.0,
    )
    bus = Bus(settings, _drop)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def publish(bus: Bus, subject: str) -> None:
    await bus.publish(subject, {"Nats-Msg-Id": new_id()}, b"letter")


async def opened(bench: Bench) -> str:
    """A subject that a may send to b."""
    made = bench.sign("a", "b")
    await bench.push()
    async with bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
    return made.subject


async def test_a_letter_that_another_stream_of_the_receiver_took_is_not_delivered(
    bench: Bench,
) -> None:
    """Design: the receiver's own letterbox holds it before the sender calls it delivered."""
    subject, receiver = await opened(bench), bench.organisations["b"]
    async with bus_of(bench.organisations["a"]) as bus, receiver.client("admin") as admin:
        await publish(bus, subject)
        js = admin.jetstream()
        await js.delete_stream(letterbox.STREAM)
        await js.add_stream(StreamConfig(name="OTHER", subjects=[subject]))
        try:
            with pytest.raises(Undeliverable) as error:
                await publish(bus, subject)
            assert error.value.code == "wrong_stream"
        finally:
            await js.delete_stream("OTHER")
            await receiver.provision()
        await publish(bus, subject)


async def many(bus: Bus, subject: str) -> None:
    """Publish often: where two streams take a letter, either may answer first."""
    for _ in range(200):
        await publish(bus, subject)


async def test_a_letter_that_a_stream_of_one_s_own_took_is_not_delivered(bench: Bench) -> None:
    """Design: a wrong setting at the sender's own server must not pass for a delivery."""
    subject, sender = await opened(bench), bench.organisations["a"]
    async with bus_of(sender) as bus, sender.client("admin") as admin:
        await publish(bus, subject)
        js = admin.jetstream()
        own = StreamConfig.from_response(letterbox.stream_config("a", LIMITS))
        await js.update_stream(own.evolve(subjects=[*(own.subjects or []), subject]))
        try:
            with pytest.raises(Undeliverable) as error:
                await many(bus, subject)
            assert error.value.code == "wrong_stream"
        finally:
            await js.update_stream(own)
        await publish(bus, subject)


async def test_a_node_is_ready_while_its_letterbox_and_its_reader_are_there(bench: Bench) -> None:
    """Design: a probe performs the function; a connection alone proves nothing."""
    organisation = bench.organisations["c"]
    async with bus_of(organisation) as bus, organisation.client("admin") as admin:
        await bus.probe(new_id())
        assert await bus.ready()
        js = admin.jetstream()
        try:
            await js.delete_consumer(letterbox.STREAM, letterbox.DURABLE)
            assert not await bus.ready()
            await js.delete_stream(letterbox.STREAM)
            with pytest.raises(NotDelivered):
                await bus.probe(new_id())
        finally:
            await organisation.provision()
        await bus.probe(new_id())
        assert await bus.ready()
