"""The registrar at work: takes documents, compiles what they grant, and keeps the hub at that.

At each change and every two seconds the whole is compiled from conventions in force, compared with
what the hub holds, and pushed where it differs. It can withhold or cut; it opens nothing, since
each activation is signed inside the receiver's node.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.broker.accounts import compile_accounts, withheld
from contracts.broker.compile import compile_grants
from contracts.broker.grants import Grant
from contracts.broker.tokens import Claims
from contracts.kernel.errors import RelaisError, Unavailable
from contracts.kernel.paris import day_of
from contracts.registry import Registry
from services.chassis.clock import Clock
from services.chassis.settings import RegistrarSettings
from services.chassis.tls import client_context
from services.chassis.verified import Reader
from services.registrar.admission import Admission
from services.registrar.hub import HubLink
from services.registrar.metrics import RegistrarMetrics
from services.registrar.operator import OperatorKeys
from services.registrar.reconcile import Mended, reconcile
from services.registrar.store import Documents, DocumentStore, Kind, Name, Row
from services.registrar.view import View

ACCOUNT_LIFE: Final = timedelta(days=30)
"""An account closes if the registrar has been gone for that long."""
RENEW_BEFORE: Final = timedelta(days=15)
HUB_TIMEOUT_S: Final = 2.0
_CANCEL_S: Final = 0.2

_log = logging.getLogger("relais.registrar")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the hub shall hold. claims: by code. withheld: reason by subject left out.

    generation: counts the changes of what is held; revision: that of the bundle.
    """

    generation: int
    revision: str
    claims: Mapping[str, Claims]
    withheld: Mapping[str, str]

    @property
    def open(self) -> list[str]:
        """Subjects let through."""
        shared = (one["subject"] for c in self.claims.values() for one in c["nats"]["exports"])
        return sorted(shared)


@dataclass(frozen=True, slots=True)
class Pass:
    """Last comparison with the hub. failure: code of what went wrong, None when all is equal.

    equal_at: instant of the last one after which all was equal.
    """

    compiled: Compiled | None = None
    equal_at: datetime | None = None
    failure: str | None = "not_yet"
    mended: tuple[Mended, ...] = ()
    mended_total: int = 0


@dataclass(slots=True)
class _Grants:
    """Grants compiled before: they change with documents, at Paris midnight and at acts only."""

    key: tuple[object, ...] = ()
    grants: list[Grant] = field(default_factory=list)


class Registrar:
    """The registrar's state and its loop.

    clock: instant by which conventions are judged. wall: real time, by which the broker lives.
    """

    def __init__(
        self,
        settings: RegistrarSettings,
        operator: OperatorKeys,
        registry: Registry,
        *,
        clock: Clock,
        wall: Clock,
    ) -> None:
        self.metrics = RegistrarMetrics()
        self._settings = settings
        self._operator = operator
        self._registry = registry
        self._clock = clock
        self._wall = wall
        self._admitted = {one.id: one for one in settings.organisations}
        self._store = DocumentStore(settings.database)
        self._reader = Reader(registry)
        self._held: Documents = {}
        self._view = View.read({}, self._admitted, self._reader)
        self._content = b""
        self._generation = 0
        self._pass = Pass()
        self._grants = _Grants()
        self._link: HubLink | None = None
        self._turn = asyncio.Lock()
        self._hub_turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is held and start to follow the hub, which may still be away."""
        self._take(await asyncio.to_thread(self._store.open))
        self._task = asyncio.create_task(self._follow(), name="registrar")

    async def stop(self) -> None:
        """Leave in order; what was pushed stays on the hub."""
        # Again and again: Python 3.11's wait_for, inside nats-py, loses a cancellation that meets
        # a refused connection.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CANCEL_S)
        if self._link is not None:
            await self._link.close()
        await asyncio.to_thread(self._store.close)

    # -- documents -------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """What is held, verified."""
        return self._view

    @property
    def content(self) -> bytes:
        """The bundle as nodes are handed it."""
        return self._content

    async def publish_entry(self, token: str) -> None:
        """Take a directory entry. Raises what `Admission.entry` does."""
        await self._publish(lambda rules: rules.entry(token))

    async def publish_rotation(self, token: str) -> None:
        """Take a rotation statement. Raises what `Admission.rotation` does."""
        await self._publish(lambda rules: rules.rotation(token))

    async def publish_terms(self, token: str) -> None:
        """Take signatures of a text. Raises what `Admission.terms` does."""
        await self._publish(lambda rules: rules.terms(token))

    async def publish_act(self, token: str) -> None:
        """Take a party's act. Raises what `Admission.act` does."""
        await self._publish(lambda rules: rules.act(token))

    async def publish_activations(self, org: str, tokens: Iterable[str]) -> None:
        """Take an organisation's activations. Raises what `Admission.activations` does."""
        at = self._wall.now()
        await self._publish(lambda rules: rules.activations(org, tokens, at))

    async def _publish(self, admit: Callable[[Admission], list[Row]]) -> None:
        async with self._turn:
            rules = Admission(
                self._held,
                self._view,
                self._admitted,
                self._registry,
                self._operator.system_account,
            )
            rows = admit(rules)
            if rows:
                await self._store.keep(rows)
                self._take(_with(self._held, rows))
        if rows:
            self._wake.set()

    def _take(self, held: Documents) -> None:
        self._held = held
        self._view = View.read(held, self._admitted, self._reader)
        self._content = self._view.bundle.model_dump_json().encode()
        self._generation += 1

    # -- hub -------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            self._wake.clear()
            started = time.monotonic()
            await self._try_pass()
            # A pass that takes long leaves as long for the rest.
            pause = max(self._settings.interval_s, time.monotonic() - started)
            with suppress(TimeoutError):  # wait_for of 3.11 may swallow the cancellation of `stop`
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _try_pass(self) -> None:
        try:
            await self.run_pass()
        except RelaisError as error:
            self._missed(error.code)
        except Exception as error:  # noqa: BLE001 -- the loop must outlive a defect, which shows
            self._missed(type(error).__name__)

    def _missed(self, code: str) -> None:
        self.metrics.failed()
        if self._pass.failure != code:
            _log.warning("registrar.pass_failed: %s", code)
        self._pass = replace(self._pass, failure=code, mended=())

    async def run_pass(self) -> None:
        """Compile, compare, push and read back, once. Raises Unavailable when the hub is away."""
        async with self._hub_turn:
            compiled = self.compile()
            at = self._wall.now()
            link = await self._linked(at)
            mended: tuple[Mended, ...] = ()
            if compiled.claims:
                mended = await reconcile(
                    link,
                    list(compiled.claims.values()),
                    self._operator.signing,
                    system_account=self._operator.system_account,
                    at=at,
                    renew_before=at + RENEW_BEFORE,
                )
            self._done(compiled, mended, at)

    def _done(self, compiled: Compiled, mended: tuple[Mended, ...], at: datetime) -> None:
        failure = next((entry.failure for entry in mended if entry.failure is not None), None)
        self._pass = Pass(
            compiled,
            at if failure is None else self._pass.equal_at,
            failure,
            mended,
            self._pass.mended_total + len(mended),
        )
        self.metrics.compiled(len(compiled.claims), len(compiled.open), compiled.withheld)
        self.metrics.mended(mended)
        if failure is None:
            self.metrics.equal(at)

    async def _linked(self, at: datetime) -> HubLink:
        if self._link is None:
            tls = self._settings.hub_tls
            self._link = await HubLink.connect(
                self._settings.hub_url,
                self._operator.credentials(at),
                tls=None if tls is None else client_context(tls),
                timeout_s=HUB_TIMEOUT_S,
            )
        return self._link

    def compile(self) -> Compiled:
        """Compile what the hub shall hold at this instant, from what is held here."""
        view, at = self._view, self._wall.now()
        grants, accounts = self._granted(view), view.accounts()
        claims = compile_accounts(accounts, grants, view.activations, at, at + ACCOUNT_LIFE)
        left_out = withheld(accounts, grants, view.activations, at)
        return Compiled(self._generation, view.revision, claims, left_out)

    def _granted(self, view: View) -> list[Grant]:
        now = self._clock.now()
        past_acts = sum(instant <= now for instant in view.act_instants)
        key = (view.revision, day_of(now), past_acts)
        if self._grants.key != key:
            duties = self._registry.duties.values()
            grants = compile_grants(view.conventions.values(), duties, view.entries, now)
            self._grants = _Grants(key, grants)
        return self._grants.grants

    # -- probes ----------------------------------------------------------------------------

    async def ready(self) -> None:
        """Ask the hub which accounts it holds, and judge the last read-back.

        Raises Unavailable, with the code of what is not as it should be.
        """
        last = self._pass
        if last.failure is not None or last.compiled is None or self._link is None:
            raise _unready(last.failure or "not_yet")
        if last.compiled.generation != self._generation:
            raise _unready("not_pushed")
        wanted = {str(claims["sub"]) for claims in last.compiled.claims.values()}
        held = set(await self._link.accounts()) - {self._operator.system_account}
        if held != wanted:
            raise _unready("hub_differs")

    def state(self) -> dict[str, Any]:
        """What is pushed, mended and withheld; codes, subjects and instants only."""
        last = self._pass
        compiled = last.compiled or Compiled(0, "", {}, {})
        by_key = {str(claims["sub"]): code for code, claims in compiled.claims.items()}
        return {
            "revision": self._view.revision,
            "pushed_revision": compiled.revision,
            "organisations": sorted(compiled.claims),
            "open": compiled.open,
            "withheld": dict(sorted(compiled.withheld.items())),
            "mended": [
                {
                    "account": by_key.get(entry.account, entry.account),
                    "difference": entry.difference.value,
                    "failure": entry.failure,
                }
                for entry in last.mended
            ],
            "mended_total": last.mended_total,
            "reconciled_at": None if last.equal_at is None else last.equal_at.isoformat(),
            "failure": last.failure,
        }


def _with(held: Documents, rows: Iterable[Row]) -> Documents:
    changed: dict[Kind, dict[Name, str]] = {kind: dict(named) for kind, named in held.items()}
    for row in rows:
        changed.setdefault(row.kind, {})[row.name] = row.body
    return changed


def _unready(code: str) -> Unavailable:
    return Unavailable("Le hub ne tient pas encore ce qui est déposé ici.", code=code)
