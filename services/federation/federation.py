"""A federation in the hands of a caller: the command line, the demonstration, or a test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Self

import httpx

from contracts.kernel.errors import Unavailable, UnknownName
from contracts.kernel.paris import day_of
from contracts.kernel.terms import Terms
from services.chassis.clock import REREAD_S, FileClock
from services.chassis.keys import NodeKeys
from services.chassis.secret import NodeSecret
from services.chassis.tls import public_authorities, write_private
from services.chassis.tokens import Role, Tokens
from services.federation import agents
from services.federation.ceremony import amended, sign, sign_missing, texts
from services.federation.config import FederationFile, installed, read_federation
from services.federation.layout import LEAF, REGISTRAR, SERVICE, Layout, lay_out, leaf_of
from services.federation.lock import already_up, runs
from services.federation.ports import answers

Part = Literal["service", "leaf"]

_READY_S: Final = 60.0
_STOP_S: Final = 30.0
_POLL_S: Final = 0.05
_HTTP_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Status:
    """What runs now. state: starting, running, stopping, stopped or failed.

    processes: by name, with pid, port, restarts and last exit.
    """

    state: str
    pid: int | None = None
    error: str | None = None
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)


class Federation:
    """One state folder and the processes that run on it. Made by `create` or `open`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, Tokens] = {}

    @classmethod
    def create(
        cls, home: Path, config: Path | FederationFile, database_base_url: str | None = None
    ) -> Self:
        """Lay out a state folder, or bring one up to date with its file; nothing is started.

        database_base_url: a PostgreSQL server; SQLite files by default.
        Raises BadFederation, BadSettings, Unavailable; Unavailable too while it runs.
        """
        source = config if isinstance(config, Path) else None
        if isinstance(config, Path):
            config = read_federation(config, installed())
        if runs(home / "supervisor.lock"):
            raise already_up(home)
        made = cls(lay_out(home, config, datetime.now(UTC), database_base_url))
        if source is not None:
            write_private(made.layout.source_file, str(source.absolute()))
        return made

    @classmethod
    def open(cls, home: Path) -> Self:
        """Take up a state folder, whether it runs or not. Raises UnknownName."""
        return cls(Layout.load(home))

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def source(self) -> Path | None:
        """The file it was last laid out from, where it is still there."""
        try:
            named = Path(self.layout.source_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return named if named.exists() else None

    # -- life ----------------------------------------------------------------------------------

    def start(self, *, tied: bool = True, timeout_s: float = _READY_S) -> list[str]:
        """Start every process, wait until all are ready, and sign what is not signed yet.

        tied: stop with the caller's own process; else it goes on after it. Returns the ids of the
        conventions signed now. Raises Unavailable; nothing is left running then.
        """
        self._runs_here()
        self.layout.status_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "services.federation", str(self.layout.home)]
        with self.layout.log_file("supervisor").with_suffix(".err").open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 -- this very program
                [*command, "--tied"] if tied else command,
                stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        try:
            self._wait_started(timeout_s)
            self.wait_ready(timeout_s)
            return self.sign()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every process, in order; nothing to do when none runs. Raises Unavailable."""
        self._runs_here()
        with suppress(ProcessLookupError):
            if self.running and (pid := self.status().pid) is not None:
                os.kill(pid, signal.SIGTERM)
        self._release()
        wait_for(
            lambda: not self.running,
            _STOP_S,
            f"Le superviseur de {self.layout.home} ne s'arrête pas.",
        )

    def _runs_here(self) -> None:
        if self.layout.hosts:
            raise Unavailable(
                "Cette fédération vit en conteneurs : docker compose up, docker compose down.",
                code="in_containers",
            )

    def _release(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()  # its children are tied to it
            process.wait()

    def _wait_started(self, timeout_s: float) -> None:
        def started() -> bool:
            dead = self._process is not None and self._process.poll() is not None
            if dead and self.status().state != "running":
                errors = self.layout.log_file("supervisor").with_suffix(".err")
                raise Unavailable(
                    self.status().error or f"Le superviseur s'est arrêté : voir {errors}.",
                    code="not_started",
                )
            return self.status().state == "running"

        wait_for(started, timeout_s, "La fédération tarde à démarrer : voir « relais status ».")

    @property
    def running(self) -> bool:
        """Whether a supervisor runs on this folder; in containers, whether the registrar does."""
        if self.layout.hosts:
            return answers(self.layout.ports[REGISTRAR], self.layout.host(REGISTRAR))
        return runs(self.layout.lock_file)

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Return once the registrar and every node say they can do their work. Raises Unavailable.

        Readiness performs the function: a node writes to its database and to its letterbox, the
        registrar compares the hub with what the nodes published.
        """
        deadline = time.monotonic() + timeout_s
        with httpx.Client(timeout=_HTTP_S, verify=public_authorities()) as client:
            for part in (*self.layout.orgs, REGISTRAR):
                url = f"{self.layout.url(part)}/readyz"
                wait_for(
                    partial(_is_ready, client, url),
                    max(0.0, deadline - time.monotonic()),
                    f"{part} n'est pas prêt : voir {self.layout.log_file(part)}.",
                )

    def status(self) -> Status:
        """What runs now; a supervisor that was killed counts as stopped."""
        try:
            said = json.loads(self.layout.status_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Status("stopped")
        status = Status(**said)
        if self.running:
            return status
        if status.state == "failed":
            return replace(status, pid=None)
        return Status("stopped")

    def pid(self, org: str, part: Part = SERVICE) -> int | None:
        """Process id of an organisation's service or leaf; None while it is down."""
        self.layout.federation.member(org)
        name = leaf_of(org) if part == LEAF else f"{org}.{SERVICE}"
        found: int | None = self.status().processes.get(name, {}).get("pid")
        return found

    def kill(self, org: str, part: Part = SERVICE) -> int:
        """End a process at once, as a power cut would (SIGKILL); returns the id it had.

        The supervisor starts it again. Raises UnknownName when it does not run.
        """
        pid = self.pid(org, part)
        if pid is None:
            raise UnknownName(f"{org} ({part}) ne tourne pas.")
        os.kill(pid, signal.SIGKILL)
        return pid

    # -- calls ---------------------------------------------------------------------------------

    def url(self, org: str) -> str:
        """HTTP address of an organisation's service, or of `registrar` or `observer`."""
        if org not in self.layout.ports:
            self.layout.federation.member(org)
        return self.layout.url(org)

    def now(self, org: str) -> datetime:
        """Present instant on the clock of an organisation, or of `registrar`."""
        return FileClock(self.layout.clock_file(org)).now()

    @property
    def today(self) -> date:
        """Legal day on the registrar's clock, from which days given as a number are counted."""
        return day_of(self.now(REGISTRAR))

    def move_clock(self, offset: timedelta, *parts: str) -> None:
        """Move clocks to that far from real time: of all parts, or of the given ones.

        parts: organisations, or `registrar`, which compiles the broker's grants. Returns once all
        of them live by it.
        """
        for part in parts or (REGISTRAR, *self.layout.orgs):
            write_private(self.layout.clock_file(part), str(offset.total_seconds()))
        time.sleep(2 * REREAD_S)

    def token(
        self,
        org: str,
        role: Role | str = Role.AGENT,
        agent_id: str = "agent-1",
        lifetime: timedelta = timedelta(hours=12),
    ) -> str:
        """Make a bearer token of an organisation's API, from its node's own secret.

        Raises UnknownName for an organisation or a role that does not exist.
        """
        if role not in list(Role):
            raise UnknownName(f"Le rôle {role} n'existe pas. Connus : {', '.join(Role)}.")
        tokens = self._tokens.get(org)
        if tokens is None:
            secret = NodeSecret.load(self.layout.secret_file(org))
            tokens = self._tokens[org] = Tokens(org, secret.bearer_key)
        return tokens.make(agent_id, Role(role), self.now(org), lifetime)

    def client(
        self, org: str, role: Role | str = Role.AGENT, agent_id: str = "agent-1"
    ) -> httpx.Client:
        """Make a client of an organisation's API; the caller closes it."""
        headers = {"Authorization": f"Bearer {self.token(org, role, agent_id)}"}
        return httpx.Client(
            base_url=self.url(org), headers=headers, timeout=_HTTP_S, verify=public_authorities()
        )

    def logs(self, org: str) -> Path:
        """JSON log of an organisation's service."""
        return self.layout.log_file(self.layout.federation.member(org).id)

    # -- conventions ---------------------------------------------------------------------------

    def fingerprint(self, org: str) -> str:
        """Thumbprint of an organisation's present signing key, as its partners pin it."""
        return NodeKeys.open(self.layout.node_dir(org), org, datetime.now(UTC)).kid

    def sign(self) -> list[str]:
        """Sign the conventions of the file that are not signed yet; returns their ids."""
        wanted = self.layout.federation.to_sign(installed())
        orgs = sorted({party.org for one in wanted for party in one.parties})
        clients = {org: self.client(org, Role.MANAGER, "manager-1") for org in orgs}
        try:
            fingerprints = {org: self.fingerprint(org) for org in orgs}
            return sign_missing(wanted, fingerprints, clients.__getitem__, self.today)
        finally:
            for client in clients.values():
                client.close()

    def authorise_agents(self) -> None:
        """Let the invented agents of every organisation sign in at its pages.

        Raises CallRefused.
        """
        if agents.PROVIDER not in self.layout.ports:
            return
        for org in self.layout.orgs:
            with self.client(org, Role.MANAGER, "manager-1") as manager:
                agents.authorise(self.layout, org, agents.NAMES, manager)

    def texts(self, convention_id: str) -> list[Terms]:
        """Versions of a convention, oldest first; none where the registrar holds none."""
        with httpx.Client(
            base_url=self.url(REGISTRAR), timeout=_HTTP_S, verify=public_authorities()
        ) as registrar:
            return texts(registrar, convention_id)

    def planned(self, convention_id: str) -> dict[str, Any] | None:
        """What is signed today of the amendment that the file keeps ready for a convention."""
        wanted = self.layout.federation.to_sign(installed())
        found = next((one.amendment for one in wanted if one.id == convention_id), None)
        return None if found is None else found.signing(self.today)

    def amend(
        self,
        convention_id: str,
        *,
        evidence: str,
        signed_on: date,
        effective_on: date,
        until: date | None = None,
        invented: bool | None = None,
        by: Sequence[str] = (),
    ) -> Terms:
        """Have an amendment signed, each party in its own node; returns it.

        evidence: SHA-256 of the signed paper. until, invented: as in the last version where None.
        by: the parties that sign, all of them where none is named; signing twice is signing once.
        Raises UnknownName, CallRefused.
        """
        versions = self.texts(convention_id)
        if not versions:
            raise UnknownName(f"Le registraire ne tient pas la convention {convention_id}.")
        parties = [one.org for one in versions[-1].parties]
        if versions[-1].evidence == evidence:
            versions.pop()  # some parties have signed this very amendment, and others not yet
        prints = {org: self.fingerprint(org) for org in parties}
        terms = amended(
            versions[-1],
            prints,
            evidence=evidence,
            effective_on=effective_on,
            until=until,
            invented=invented,
        )
        with ExitStack() as opened:
            clients = {
                org: opened.enter_context(self.client(org, Role.MANAGER, "manager-1"))
                for org in by or parties
            }
            sign(terms, dict.fromkeys(clients, signed_on), clients.__getitem__)
        return terms


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


def wait_for(holds: Callable[[], bool], timeout_s: float, sentence: str) -> None:
    """Return once it holds; raises Unavailable with the sentence when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise Unavailable(sentence, code="timeout")
        time.sleep(_POLL_S)
