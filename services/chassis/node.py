"""The composition root: one organisation's node, put together from its settings.

Everything a part needs is given to it here; nothing else in the project opens a database, a
connection or a clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import httpx
from sqlalchemy import make_url

from contracts.broker.compile import activations_for
from contracts.kernel.errors import RelaisError, Unavailable
from contracts.kernel.paris import day_of
from contracts.registry import Registry
from services.chassis import migrate, resemblance, restored, retention
from services.chassis.arrivals import Arrivals
from services.chassis.bus import Bus, BusSettings
from services.chassis.clock import Clock
from services.chassis.core import Answered, Core, Policy
from services.chassis.database import Database
from services.chassis.destroyed import DestroyedList
from services.chassis.directory import Directory, DirectoryKeeper
from services.chassis.journal import Entry, Journal
from services.chassis.keys import NodeKeys
from services.chassis.keystore import KeyStore
from services.chassis.letterbox import LetterboxLimits
from services.chassis.letters import Ready
from services.chassis.metrics import Metrics
from services.chassis.partner import Partner
from services.chassis.relay import Relay
from services.chassis.scheduler import Scheduler
from services.chassis.scopes import REGISTER_SCOPE, STANDING_SCOPES
from services.chassis.secret import NodeSecret
from services.chassis.settings import NodeSettings
from services.chassis.telemetry import Telemetry
from services.chassis.tls import public_authorities
from services.chassis.tokens import Tokens

HOUSEKEEPING_EVERY = 3600.0
"""Seconds between two rounds of retention and key rotation."""

_log = logging.getLogger("relais.node")

SYNC_EVERY = 1.0
"""Seconds between two questions to the registrar; unchanged documents cost one 304."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a node is given from outside, by the command line or a test."""

    settings: NodeSettings
    partner: Partner
    registry: Registry
    clock: Clock
    new_id: Callable[[], str]
    policy: Policy = field(default_factory=Policy)
    limits: LetterboxLimits = field(default_factory=LetterboxLimits)


class Node:
    """A running node: database, keys, directory, bus and relay of one organisation."""

    def __init__(self, given: Given) -> None:
        self.given = given
        settings = given.settings
        for place in (settings.node_dir, *_folders(settings)):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.settings = settings
        self.clock = given.clock
        self.secret = NodeSecret.load(settings.secret_file)
        self.keys = NodeKeys.open(settings.node_dir, settings.org, given.clock.now())
        self.metrics = Metrics()
        self.telemetry = Telemetry(
            f"relais-{settings.kind.value}",
            settings.org,
            settings.otlp_endpoint,
            settings.sample_ratio,
            strict=False,
        )
        self.tokens = Tokens(settings.org, self.secret.bearer_key)
        self.keeper = DirectoryKeeper(
            settings.org,
            lambda: self.keys.public_keys,
            given.registry,
            settings.node_dir / "directory.json",
        )
        self.database = Database(settings.database_url)
        self.keystore = KeyStore(
            settings.keystore_url,
            self.secret.keystore_key,
            destroyed=DestroyedList(settings.node_dir / "destroyed"),
        )
        self.journal = Journal(f"{settings.org}/1", self.keystore)
        self.core = Core(
            org=settings.org,
            partner=given.partner,
            registry=given.registry,
            directory=lambda: self.keeper.current,
            keys=self.keys,
            keystore=self.keystore,
            journal=self.journal,
            new_id=given.new_id,
            policy=given.policy,
            outgoing=self._hand_over,
            settled=self._settled,
        )
        self.arrivals = Arrivals(
            self.core, self.database, given.clock, self.telemetry, self.metrics
        )
        self.bus = Bus(self._bus_settings(), self.arrivals.receive)
        self.relay = Relay(
            self.core,
            self.database,
            self.bus.publish,
            given.clock,
            self.telemetry,
            delivered=self.metrics.delivered,
        )
        self.scheduler = Scheduler(self.core, self.database, given.clock, self._each_look)
        self._registrar = httpx.AsyncClient(
            base_url=settings.registrar_url, timeout=5, verify=public_authorities()
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._activations: dict[tuple[str, str], str] = {}
        self._published: str | None = None
        self._signed_for: tuple[str, date] | None = None

    def _bus_settings(self) -> BusSettings:
        return BusSettings(
            url=self.settings.nats_url,
            code=self.settings.code,
            app_password=self.secret.nats_password("app"),
            admin_password=self.secret.nats_password("admin"),
            limits=self.given.limits,
            tls=self.settings.nats_tls,
        )

    def _hand_over(self, letter: Ready) -> None:
        self.relay.take(letter)

    def _settled(self, answered: Iterable[Answered]) -> None:
        letters = list(answered)
        self.relay.settled(letter.message_id for letter in letters)
        for (type_, state), count in Counter((one.type, one.state) for one in letters).items():
            self.metrics.message(type_, state, count)
        for one in letters:
            if one.traceparent is not None:
                self._show_answered(one, one.traceparent)

    def _show_answered(self, one: Answered, traceparent: str) -> None:
        """End the message's trace with what its receiver said."""
        step = self.telemetry.span(
            "receipt.take",
            parent=traceparent,
            message_id=one.message_id,
            flow=one.type,
            state=one.state,
        )
        with step:
            pass

    async def start(self) -> None:
        """Migrate, load what must be in memory, join the bus and start to move letters."""
        migrate.upgrade(self.settings.database_url, migrate.branches_of(self.settings.kind.value))
        self.keystore.create()
        self.keystore.recall()
        self.keystore.attach(self.database)
        self.database.start()
        self.journal.attach(self.database)
        self.keystore.ensure(STANDING_SCOPES)
        await self.database.write(lambda tx: resemblance.place_all(tx, self.core))
        loop = asyncio.get_running_loop()
        self.database.on_commit(lambda: loop.call_soon_threadsafe(self.relay.wake))
        await self._sync_once()
        await restored.forget_again(self.database, self.core, self.clock.now())
        await self.bus.start()
        await self.relay.start()
        await self.scheduler.start()
        self._tasks.append(asyncio.create_task(self._follow(), name="directory"))
        self._tasks.append(asyncio.create_task(self._keep_house(), name="housekeeping"))

    async def stop(self) -> None:
        """Leave in order; what waits stays in the outbox and the letterbox."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.scheduler.stop()
        await self.relay.stop()
        await self.bus.stop()
        await self._registrar.aclose()
        await asyncio.to_thread(self.database.close)
        self.keystore.close()
        await asyncio.to_thread(self.telemetry.shutdown)

    # -- directory -------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SYNC_EVERY)
            await self._sync_once()

    async def _keep_house(self) -> None:
        """Every hour: new encryption keys when their month is over, and what retention asks."""
        while True:
            for round_ in (self._renew_keys, self.purge):
                try:
                    await round_(self.clock.now())
                except Exception as error:  # noqa: BLE001 -- the next round must come
                    _log.error("housekeeping_failed: %s", type(error).__name__)
            await asyncio.sleep(HOUSEKEEPING_EVERY)

    async def _each_look(self) -> None:
        """What the node looks at by its own clock, beside deadlines."""
        self.core.memory.forget(self.clock.now())
        await self.arrivals.retry_due()

    async def _renew_keys(self, at: datetime) -> None:
        if self.keys.encryption_due(at):
            self.keys.rotate_encryption(at)
            self._published = None
        self.keys.destroy_expired(at)

    async def purge(self, at: datetime) -> retention.Purge:
        """Destroy what is due, each case by itself, then the last trace of every destroyed key."""
        done = await retention.purge(self.database, self.core, at)
        if self.keystore.unscrubbed:
            await asyncio.to_thread(self.keystore.scrub)
        return done

    async def _sync_once(self) -> None:
        """Publish what is new here, read what is new there; the registrar may be away."""
        try:
            await self._publish_entry()
            asked_at = self.clock.now()
            await self.keeper.sync(self._registrar)
            self.core.synced_at = asked_at
            await self._publish_activations()
        except (Unavailable, httpx.HTTPError, OSError):
            logging.getLogger("relais.directory").warning("registrar_away")

    async def _publish_entry(self) -> None:
        kid = self.core.keys.kid
        if self._published == kid:
            return
        for statement in self.keys.rotations:
            await self._put("/rotations", statement)
        known = self.keeper.current.entry(self.settings.org)
        at = self.clock.now()
        schemas = self.given.registry.versions()
        sequence = max(int(at.timestamp()), 0 if known is None else known.sequence + 1)
        await self._put("/entries", self.keys.directory_entry(self.settings, sequence, at, schemas))
        self._published = kid

    async def rotate_signing(self, agent_id: str) -> str:
        """Replace the signing key; returns the new one's name.

        Partners follow the statement that the former key signed. What one of them receives before
        it has read that statement is sent anew.
        """
        at = self.clock.now()
        self.keys.rotate_signing(at)
        entry = Entry(
            at=at,
            event="key.rotated",
            outcome="recorded",
            scope=REGISTER_SCOPE,
            agent_id=agent_id,
        )
        await self.database.write(lambda tx: self.journal.append(tx, entry))
        await self._sync_once()
        return self.keys.kid

    async def _put(self, path: str, content: str) -> None:
        answer = await self._registrar.put(path, content=content)
        answer.raise_for_status()

    async def _publish_activations(self) -> None:
        """Sign, here, what each verified convention lets partners send us."""
        # Documents change them, and so does the day; nothing else, and verifying them costs.
        seen = (self.keeper.current.revision, day_of(self.clock.now()))
        if seen == self._signed_for:
            return
        made = self._sign_activations(self.keeper.current)
        if made != self._activations:
            answer = await self._registrar.put(
                f"/activations/{self.settings.org}", json=sorted(made.values())
            )
            answer.raise_for_status()
            self._activations = made
        self._signed_for = seen

    def _sign_activations(self, current: Directory) -> dict[tuple[str, str], str]:
        return activations_for(
            self.settings.code,
            current.conventions.values(),
            current.entries,
            self.clock.now(),
            self.keys.account_signing,
            self._activations,
            self.given.registry.duties.values(),
        )

    async def post_document(self, path: str, content: str) -> None:
        """Hand a signed text or act to the registrar, and read the directory again.

        Raises Unavailable when the registrar is away, RelaisError when it refuses.
        """
        try:
            answer = await self._registrar.post(path, content=content)
        except httpx.HTTPError as error:
            raise Unavailable("Le registraire ne répond pas.", code="registrar_away") from error
        if answer.is_error:
            raise RelaisError(
                f"Le registraire refuse ce document ({answer.status_code}).", code="registrar_no"
            )
        await self._sync_once()


def _folders(settings: NodeSettings) -> list[Path]:
    """Folders of the SQLite files among the node's databases."""
    urls = [make_url(url) for url in (settings.database_url, settings.keystore_url)]
    return [
        Path(url.database).parent
        for url in urls
        if url.get_backend_name() == "sqlite" and url.database
    ]
