"""Docker Compose as a person types it, on a project of its own beside whatever else runs."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from typing import Any, Final

import httpx
import yaml

from tests.architecture.repository import ROOT

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
LASTING: Final = sorted(
    name
    for name, one in COMPOSE["services"].items()
    if one["restart"] != "no" and "profiles" not in one
)
"""Services that run until they are told to stop."""
PATIENCE_S: Final = 120.0
"""On a machine that has much else to do."""

_POLL_S: Final = 0.5


def docker(*arguments: str, timeout_s: float = 120) -> str:
    """Run a docker command; returns what it says. Raises AssertionError with its errors."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def answers() -> bool:
    """Whether a Docker Engine can be reached from here."""
    try:
        docker("info")
    except (OSError, AssertionError, subprocess.TimeoutExpired):
        return False
    return True


@dataclass(frozen=True)
class Container:
    """One container, as the engine sees it. health: empty where it has no check."""

    id: str
    service: str
    state: str
    health: str
    exit_code: int
    started_at: str


class Project:
    """The federation of docker-compose.yml, under a project name that nobody else uses."""

    def __init__(self) -> None:
        self.name = f"relais-test-{os.getpid()}"

    def compose(self, *arguments: str, timeout_s: float = 600) -> str:
        """Run ``docker compose``; returns what it says on standard output."""
        return docker("compose", "--project-name", self.name, *arguments, timeout_s=timeout_s)

    def containers(self) -> dict[str, Container]:
        """Every container by its service, the one-shot ones that ended included."""
        listed = self.compose("ps", "--all", "--quiet").split()
        found = {}
        for one in json.loads(docker("inspect", *listed)):
            service = one["Config"]["Labels"]["com.docker.compose.service"]
            state = one["State"]
            found[service] = Container(
                one["Id"],
                service,
                state["Status"],
                state.get("Health", {}).get("Status", ""),
                state["ExitCode"],
                state["StartedAt"],
            )
        return found

    def container(self, service: str) -> Container:
        return self.containers()[service]

    def relais(self, *arguments: str) -> str:
        """Run a command of `relais` where the people of the demonstration sit."""
        return self.compose("run", "--rm", "--no-deps", "-T", "demo", *arguments)

    def wait_healthy(self, *services: str) -> None:
        """Return once these are healthy. Raises AssertionError with what the last check said."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = self.containers()
            sick = [name for name in services if found[name].health != "healthy"]
            if not sick:
                return
            if time.monotonic() > deadline:
                logs = self.compose("logs", "--tail", "20", *sick)
                raise AssertionError(f"not healthy: {sick}\n{logs}")
            time.sleep(_POLL_S)

    def kill(self, service: str) -> None:
        """End a container at once, as the out-of-memory killer would."""
        docker("kill", self.container(service).id)

    def bring_back(self, service: str) -> None:
        """Start a killed container again, unless its restart policy did.

        Engines take `docker kill` for a wish of the operator's and leave it to him; a process that
        ends by itself comes back by itself.
        """
        found = self.container(service)
        if found.state != "running":
            docker("start", found.id)

    def address(self, org: str) -> str:
        """Where an organisation's API is published now: the port changes with each start."""
        return f"http://{self.compose('port', org, '8080').strip()}"

    def rows(self, org: str, statement: str) -> list[tuple[str, ...]]:
        """Ask an organisation's database, inside its own container."""
        said = self.compose(
            *("exec", "-T", f"{org}-database", "psql", "-U", "postgres", "-d", "relais"),
            *("--no-align", "--tuples-only", "--command", statement),
        )
        return [tuple(line.split("|")) for line in said.splitlines()]


class Caller:
    """A program of an organisation, at its API, that tries again until it has an answer."""

    def __init__(self, project: Project, org: str, role: str, agent_id: str) -> None:
        self._project = project
        self._org = org
        token = project.relais("token", org, "--role", role, "--agent", agent_id).strip()
        self._headers = {"Authorization": f"Bearer {token}"}
        self._address = project.address(org)

    def once(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Call one path. Raises httpx.TransportError."""
        headers = {**self._headers, **content.pop("headers", {})}
        url = f"{self._address}/api/v1/{path}"
        return httpx.request(method, url, headers=headers, timeout=10, **content)

    def call(self, method: str, path: str, **content: Any) -> Any:
        """Call one path until it answers with a success; refusals are failures at once."""
        deadline = time.monotonic() + PATIENCE_S
        said: object = None
        while time.monotonic() < deadline:
            try:
                answer = self.once(method, path, **content)
            except httpx.TransportError as error:
                said = error
                self._find_again()
            else:
                if answer.is_success:
                    return answer.json()
                assert answer.is_server_error, answer.text
                said = answer.text
            time.sleep(0.2)
        raise AssertionError(f"{method} {path}: no answer, last {said!r}")

    def _find_again(self) -> None:
        if self._project.container(self._org).state == "running":
            self._address = self._project.address(self._org)
