"""The one module that speaks NATS: publishes letters, reads the letterbox, erases what was handled.

FastStream carries the subscription and its lifespan; publications go through nats-py's JetStream
context on the same connection, where many acknowledgements are awaited at once. A handler that
raises is tried again with growing delays; after the last one it becomes a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nats
from faststream.middlewares import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.security import SASLPlaintext
from faststream.specification import AsyncAPI
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError
from nats.js.errors import Error as JetStreamError

from contracts.kernel.instrument import Content
from services.chassis.arrivals import Verdict
from services.chassis.letterbox import (
    DURABLE,
    STREAM,
    LetterboxLimits,
    consumer_config,
    erase_request,
    stream_config,
)
from services.chassis.opening import Letter
from services.chassis.relay import NotDelivered, Undeliverable
from services.chassis.tls import TlsFiles, client_context

ADMIN, APP = "admin", "app"
"""Local users of the node's own server: one provisions and erases, the other only carries."""

_ERASED_AT_ONCE = 64
"""Erasures under way together: the disk then waits for them together too."""

_TOO_LARGE = 10054
"""JetStream's error code for a message larger than the stream allows."""


Handle = Callable[[Letter], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class BusSettings:
    """Where the node's own server listens, and under which names it lets the node in.

    timeout: seconds to wait for a letterbox's acknowledgement. workers: lots handled together, at
    most. tls: mutual TLS, None on loopback.
    """

    url: str
    code: str
    app_password: str
    admin_password: str
    limits: LetterboxLimits
    timeout: float = 3.0
    workers: int = 32
    tls: TlsFiles | None = None


class Bus:
    """A node's connections to its own nats-server."""

    def __init__(self, settings: BusSettings, handle: Handle) -> None:
        self._settings = settings
        self._handle = handle
        self._admin: Client | None = None
        self._jetstream: JetStreamContext | None = None
        self._eraser: asyncio.Task[None] | None = None
        self._handled: asyncio.Queue[int] = asyncio.Queue()
        self.erasure_lag = 0
        self._tls = None if settings.tls is None else client_context(settings.tls)
        self.broker = NatsBroker(
            settings.url,
            security=SASLPlaintext(
                username=APP, password=settings.app_password, ssl_context=self._tls
            ),
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            allow_reconnect=True,
            apply_types=False,
            logger=None,
            graceful_timeout=5,
        )
        subscriber = self.broker.subscriber(
            f"lb.{settings.code}.>",
            stream=JStream(STREAM, declare=False),
            durable=DURABLE,
            # Asked for more, nats-py may hold what came until its request has run out.
            pull_sub=PullSub(batch_size=1, timeout=5.0),
            max_workers=settings.workers,
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_is,
            title="letterbox",
            description="Letters to this organisation, sealed; see the flows for their content.",
        )
        subscriber(self._on_message)

    async def start(self) -> None:
        """Provision the letterbox, then start to read it."""
        self._admin = await nats.connect(
            self._settings.url,
            user=ADMIN,
            password=self._settings.admin_password,
            tls=self._tls,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            error_cb=_quiet,
        )
        await self._provision(self._admin.jetstream())
        await self.broker.start()
        client: Client = await self.broker.connect()
        self._jetstream = client.jetstream(timeout=self._settings.timeout)
        self._eraser = asyncio.create_task(self._erase(), name="eraser")

    async def stop(self) -> None:
        """Stop reading, and leave."""
        await self.broker.stop()
        if self._eraser is not None:
            self._eraser.cancel()
            with suppress(asyncio.CancelledError):
                await self._eraser
        if self._admin is not None:
            await self._admin.close()

    async def publish(self, subject: str, headers: Mapping[str, str], body: bytes) -> None:
        """Publish and wait for the receiver's own letterbox.

        Raises NotDelivered when it does not answer or is full, Undeliverable when the letter is too
        large or another stream took it.
        """
        if self._jetstream is None:
            raise NotDelivered("The bus is not started.")
        try:
            ack = await self._jetstream.publish(
                subject, body, headers=dict(headers), timeout=self._settings.timeout
            )
        except MaxPayloadError:
            raise Undeliverable("The letter is too large.") from None
        except NoStreamResponseError:
            raise NotDelivered("No letterbox answers.", code="no_letterbox") from None
        except APIError as error:
            if error.err_code == _TOO_LARGE:
                raise Undeliverable("The letter is too large.") from None
            raise NotDelivered("The letterbox refuses for now.", code="letterbox_full") from None
        except (NatsError, JetStreamError, TimeoutError):
            raise NotDelivered("The letterbox does not answer.") from None
        receiver = subject.split(".")[1].upper()
        if ack.stream != STREAM or (ack.domain or "").upper() != receiver:
            raise Undeliverable("Another stream took the letter.", code="wrong_stream")

    async def ready(self) -> bool:
        """Whether the letterbox stands and its reader is attached, asked of the server itself."""
        if self._admin is None or not self._admin.is_connected:
            return False
        try:
            jetstream = self._admin.jetstream(timeout=2)
            await jetstream.consumer_info(STREAM, DURABLE)
        except (NatsError, JetStreamError, TimeoutError):
            return False
        return True

    async def probe(self, message_id: str) -> None:
        """Send a letter to one's own letterbox; it is read and dropped. Raises NotDelivered."""
        subject = f"lb.{self._settings.code}.{self._settings.code}.probe.p"
        await self.publish(subject, {"Nats-Msg-Id": message_id}, b"")

    async def _provision(self, jetstream: JetStreamContext) -> None:
        stream = StreamConfig.from_response(
            stream_config(self._settings.code, self._settings.limits)
        )
        try:
            await jetstream.stream_info(STREAM)
            await jetstream.update_stream(stream)
        except NotFoundError:
            await jetstream.add_stream(stream)
        consumer = ConsumerConfig.from_response(consumer_config(self._settings.limits))
        await jetstream.add_consumer(STREAM, consumer)

    async def _on_message(self, message: NatsMessage) -> None:
        raw = message.raw_message
        metadata = raw.metadata
        letter = Letter(raw.subject, raw.headers or {}, raw.data, metadata.num_delivered or 1)
        if letter.subject.endswith(".probe.p"):
            verdict = Verdict()
        else:
            verdict = await self._handle(letter)
        with suppress(NatsError):  # a lost ack is delivered again, and handled once all the same
            if verdict.again_after is None:
                await raw.ack()
                self._handled.put_nowait(metadata.sequence.stream)
                self.erasure_lag = self._handled.qsize()
            else:
                await raw.nak(delay=verdict.again_after)

    async def _erase(self) -> None:
        """Overwrite handled letters on disk, in the background."""
        await self._sweep()
        while True:
            batch = [await self._handled.get()]
            while len(batch) < _ERASED_AT_ONCE and not self._handled.empty():
                batch.append(self._handled.get_nowait())
            await asyncio.gather(*(self._erase_one(sequence) for sequence in batch))
            self.erasure_lag = self._handled.qsize()

    async def _erase_one(self, sequence: int) -> None:
        if self._admin is None:
            return
        request = erase_request(sequence)
        try:
            await self._admin.request(request.subject, request.body, timeout=5)
        except (NatsError, TimeoutError):
            self._handled.put_nowait(sequence)
            await asyncio.sleep(1)

    async def _sweep(self) -> None:
        """Queue what was acknowledged before a restart and not yet erased."""
        if self._admin is None:
            return
        with suppress(NatsError, JetStreamError, TimeoutError):
            jetstream = self._admin.jetstream()
            stream = await jetstream.stream_info(STREAM)
            consumer = await jetstream.consumer_info(STREAM, DURABLE)
            floor = consumer.ack_floor.stream_seq if consumer.ack_floor is not None else 0
            for sequence in range(stream.state.first_seq, floor + 1):
                self._handled.put_nowait(sequence)


@dataclass(frozen=True, slots=True)
class Channel:
    """One subject of the bus as the AsyncAPI document shows it; what travels on it is sealed."""

    subject: str
    type: str
    label: str
    content: Content
    sent: bool


def describe(title: str, channels: Sequence[Channel]) -> dict[str, Any]:
    """AsyncAPI 3 document of the subjects that are open to a node."""
    broker = NatsBroker("nats://leaf", logger=None, apply_types=False)
    for one in channels:
        name = f"{one.type} {one.subject}"
        if one.sent:
            broker.publisher(one.subject, title=name, description=one.label, schema=one.content)
        else:
            _receive(broker, one, name)
    written = AsyncAPI(broker, title=title, schema_version="3.0.0").to_specification()
    document: dict[str, Any] = written.to_jsonable()
    return document


def _receive(broker: NatsBroker, one: Channel, name: str) -> None:
    async def read(letter: object) -> None:
        """Documented only: the letterbox reads every subject through one durable consumer."""

    read.__annotations__["letter"] = one.content
    broker.subscriber(one.subject, title=name, description=one.label)(read)


async def _as_it_is(message: NatsMessage) -> NatsMessage:
    return message


async def _quiet(error: Exception) -> None:
    """Connection errors are counted by type; nats-py goes on reconnecting by itself."""
    logging.getLogger("relais.bus").warning("nats: %s", type(error).__name__)
