"""A town on real servers: three schools, the city, the Mission Locale, their hub and registrar.

The people of the demonstration sit at its desks; a test asks them to act, then looks at what the
databases hold.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import Row, Select, create_engine
from sqlalchemy.pool import NullPool

from contracts import registry
from contracts.kernel.organisation import DirectoryEntry
from services.chassis.settings import load_node_settings
from services.federation.config import FederationFile
from services.federation.federation import Federation, Part, wait_for
from services.federation.intruder import published_entry
from services.federation.layout import REGISTRAR, Layout, leaf_of
from services.federation.stories.a import tell
from services.federation.stories.a_desks import REFERRAL, SchoolDesks
from services.federation.telling import Teller
from tests.servers import free_port

SCHOOL: Final = "college-des-aulnes"
OTHER: Final = "lycee-du-quai"
LEAVING: Final = "college-du-depart"
"""The school whose convention a test ends for good."""
CITY: Final = "ville-des-aulnes"
MISSION: Final = "mission-locale-des-aulnes"

PATIENCE_S: Final = 60.0
"""What takes milliseconds on a quiet machine, and up to an acknowledgement's wait after a crash."""
_CALLERS: Final = 16
_NAMES: Final = 400
"""Values of one IN clause."""


def town_file(signed_on: date) -> FederationFile:
    """Who is there; convention A between the city and each school, signed on that day."""
    signature = {"signatory": "maire", "decision": "acte 1", "signed_on": signed_on.isoformat()}
    schools = {SCHOOL: "9990101F", OTHER: "9990102G", LEAVING: "9990103H"}
    return FederationFile.model_validate(
        {
            "organisations": [
                *({"id": i, "kind": "school", "name": i, "uai": uai} for i, uai in schools.items()),
                {"id": CITY, "kind": "city", "name": CITY},
                {"id": MISSION, "kind": "mission_locale", "name": MISSION},
            ],
            "conventions": [
                {
                    "convention": "a_city_school",
                    "parties": {"city": "every", "school": "every"},
                    "evidence": "Texte de substitution",
                    "invented": True,
                    "signatures": {"city": signature, "school": signature},
                }
            ],
        }
    )


def monitored(layout: Layout) -> dict[str, int]:
    """Open the monitoring pages of the hub and of every leaf; returns their ports."""
    ports = {}
    folders = {leaf_of(org): layout.node_dir(org) / "nats" for org in layout.orgs}
    for name, folder in {"hub": layout.folder("hub"), **folders}.items():
        path, ports[name] = folder / "nats.json", free_port()
        config = json.loads(path.read_text(encoding="utf-8"))
        config["http"] = f"127.0.0.1:{ports[name]}"
        path.write_text(json.dumps(config), encoding="utf-8")
    return ports


class Watched(Federation):
    """The same running federation, seen by clients whose every problem is kept."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.problems: list[dict[str, Any]] = []
        self.bodies: list[str] = []

    def client(self, org: str, role: str = "agent", agent_id: str = "agent-1") -> httpx.Client:
        """Make a client; the problems it meets are kept."""
        client = super().client(org, role, agent_id)
        client.event_hooks = {"response": [self._keep]}
        return client

    def _keep(self, response: httpx.Response) -> None:
        if response.headers.get("content-type") == "application/problem+json":
            response.read()
            self.bodies.append(response.text)
            self.problems.append(response.json())


@dataclass
class Told:
    """What the demonstration's story left behind: its steps, and every problem it met.

    case_id: a case that a test opened after it, and where it goes on. spans: its lines in each
    journal, from the one before its first to its last.
    """

    teller: Teller = field(default_factory=lambda: Teller(None))
    problems: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    case_id: str = ""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)


class Town(SchoolDesks):
    """The desks of a running town, and what a test sees behind them."""

    def __init__(self, federation: Federation, monitoring: dict[str, int]) -> None:
        super().__init__(federation, Teller(None))
        self.monitoring = monitoring
        self._told: Told | None = None
        self.seated = (self.head, self.youth, *self.dpo.values())  # of today, whatever clocks do

    def story(self) -> Told:
        """Tell the demonstration's story here, once for all tests."""
        if self._told is None:
            told, watched = Told(), Watched.open(self.fed.layout.home)
            before = self.heads()
            tell(watched, told.teller)
            told.spans = {org: (before[org], last) for org, last in self.heads().items()}
            told.problems, told.bodies = watched.problems, watched.bodies
            self._told = told
        return self._told

    def heads(self) -> dict[str, int]:
        """Number of the last line of each journal."""
        path = "/api/v1/journal/head"
        return {org: dpo.get(path).json()["seq"] for org, dpo in self.dpo.items()}

    # -- acts ----------------------------------------------------------------------------------

    def accepted(self, agreement_id: str | None = None) -> dict[str, Any]:
        """Send a referral and wait until its receipt is home; returns the message."""
        sent = self.refer(agreement_id or self.agree(self.pupil()))
        found = self.until(self.head, sent["message_id"], "accepted")
        assert found["state"] == "accepted", found
        return found

    def answer(self, case_id: str, role: str = "référente de parcours") -> httpx.Response:
        """The city answers a case."""
        self.case = case_id
        return self.reply(role)

    def act(self, org: str, convention_id: str, **body: str) -> str:
        """A party's unilateral act, by its manager; returns the state it leaves."""
        with self.fed.client(org, "manager", "manager-1") as manager:
            answer = manager.post(f"/api/v1/conventions/{convention_id}/acts", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["state"])

    @contextmanager
    def later(self, offset: timedelta, *parts: str) -> Any:
        """Move clocks, and back."""
        self.fed.move_clock(offset, *parts)
        try:
            yield
        finally:
            self.fed.move_clock(timedelta(0), *parts)

    # -- many messages -------------------------------------------------------------------------

    @asynccontextmanager
    async def caller(self, org: str, role: str, agent: str) -> AsyncIterator[httpx.AsyncClient]:
        """A program that calls an API many times at once."""
        headers = {"Authorization": f"Bearer {self.fed.token(org, role, agent)}"}
        limits = httpx.Limits(max_connections=_CALLERS, max_keepalive_connections=_CALLERS)
        async with httpx.AsyncClient(
            base_url=self.fed.url(org), headers=headers, limits=limits, timeout=60
        ) as client:
            yield client

    async def send_many(self, agreement_id: str, count: int, midway: Callable[[], None]) -> Sent:
        """Send referrals concurrently; midway through the answers something happens.

        Each caller repeats, under one Idempotency-Key, what got no answer.
        """
        body = {
            "type": "referral.submitted",
            "to": self.city,
            "agreement_id": agreement_id,
            "data": REFERRAL,
        }
        sent = Sent()
        turn = asyncio.Semaphore(_CALLERS)

        async def one(client: httpx.AsyncClient, number: int) -> None:
            async with turn:
                headers = {"Idempotency-Key": f"{agreement_id}-{number}"}
                answer = await _insist(client, "/api/v1/messages", body, headers)
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            sent.messages.append(answer.json()["message_id"])
            sent.cases.append(answer.json()["case_id"])
            if len(sent.messages) == count // 2:
                await asyncio.to_thread(midway)

        async with self.caller(self.school, "manager", "cheffe-1") as client:
            await asyncio.gather(*(one(client, number) for number in range(count)))
        return sent

    # -- what the databases hold ---------------------------------------------------------------

    def database_urls(self, org: str) -> tuple[str, str]:
        """Addresses of an organisation's database and of its key store."""
        settings = load_node_settings(self.fed.layout.settings_file(org))
        return settings.database_url, settings.keystore_url

    def rows(self, org: str, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Rows of an organisation's own database, read from outside."""
        engine = create_engine(self.database_urls(org)[0], poolclass=NullPool)
        with engine.connect() as connection:
            return connection.execute(statement).all()

    def rows_in(
        self, org: str, statement: Select[Any], column: Any, names: Iterable[str]
    ) -> list[Row[Any]]:
        """Rows whose column is among many names."""
        listed = list(names)
        found: list[Row[Any]] = []
        for first in range(0, len(listed), _NAMES):
            found += self.rows(org, statement.where(column.in_(listed[first : first + _NAMES])))
        return found

    def entry(self, org: str) -> DirectoryEntry:
        """What an organisation publishes of itself, as its partner holds it."""
        return published_entry(self.fed.layout.node_dir(self.city), org)

    def registrar(self) -> dict[str, Any]:
        """What the registrar says it pushed, mended and withholds."""
        found: dict[str, Any] = httpx.get(f"{self.fed.url(REGISTRAR)}/state").json()
        return found

    def settle(self) -> None:
        """Return once every node is ready, and the broker opens all that conventions grant."""
        self.fed.wait_ready()
        try:
            until(lambda: _settled(self.registrar()), "the registrar still withholds or mends")
        except BaseException as error:
            error.add_note(f"registrar: {self.registrar()}")
            raise

    # -- processes -----------------------------------------------------------------------------

    def process(self, org: str, part: Part = "service") -> int:
        """Process id of a part that runs."""
        pid = self.fed.pid(org, part)
        assert pid is not None
        return pid

    @property
    def hub(self) -> int:
        """Process id of the hub."""
        return int(self.fed.status().processes["hub"]["pid"])


@dataclass
class Sent:
    """Ids of what many callers sent, and since when."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    messages: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)


async def _insist(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str]
) -> httpx.Response:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await client.post(path, json=body, headers=headers)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


def _settled(state: dict[str, Any]) -> bool:
    pushed = state["revision"] == state["pushed_revision"]
    return pushed and not state["withheld"] and not state["mended"] and state["failure"] is None


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Return once it holds; fails, saying what, when the time is over."""
    wait_for(holds, seconds, what)


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Return once it holds; raises TimeoutError when the time is over."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.05)


def build(home: Path, database_base_url: str | None = None) -> tuple[Federation, dict[str, int]]:
    """Lay out a town; nothing runs yet."""
    signed_on = datetime.now(UTC).date() - timedelta(days=400)
    federation = Federation.create(home, town_file(signed_on), database_base_url)
    return federation, monitored(federation.layout)


KNOWN: Final = registry.load()
"""The conventions of this installation."""
