"""Modules of the product: small, explained, pointing one way, without a hidden clock or chance."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from contracts.kernel.organisation import Kind
from tests.architecture.repository import PRODUCT, ROOT, Module, dotted, modules

ALL = modules(*PRODUCT)
TESTS = modules("tests")
LONGEST = 400


def test_import_arrows_go_one_way() -> None:
    """import-linter's contracts stand in pyproject.toml; an arrow backwards names both ends."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " 0 broken." in run.stdout


@pytest.mark.parametrize("module", ALL, ids=lambda one: one.path)
def test_a_module_says_what_it_is_for(module: Module) -> None:
    assert ast.get_docstring(module.tree)


@pytest.mark.parametrize("module", [*ALL, *TESTS], ids=lambda one: one.path)
def test_a_module_is_read_in_one_sitting(module: Module) -> None:
    assert len(module.text.splitlines()) <= LONGEST


def test_no_folder_holds_one_module() -> None:
    """A folder for one file hides it; migrations are one file a version by their tool's habit.

    A kind of organisation has its folder, even where it shares all it does with the other parties.
    """
    inside: dict[str, set[str]] = defaultdict(set)
    for module in ALL:
        folder, _, name = module.path.rpartition("/")
        if name != "__init__.py":
            inside[folder].add(name)
        parent = folder.rpartition("/")[0]
        if parent:
            inside[parent].add(folder)
    alone = {folder for folder, names in inside.items() if len(names) == 1}
    alone = {folder for folder in alone if "/migrations" not in folder}
    waiting = {"contracts/conventions", "services/conventions"}  # one folder each, more to come
    kinds = {f"services/{kind}" for kind in Kind}
    assert alone - waiting - kinds == set()
    assert all(inside[f"services/{kind}"] >= {"partner.py"} for kind in Kind)


NATS = {
    "services/chassis/bus.py": "the node's only link to its broker",
    "services/registrar/hub.py": "pushes claims to the hub",
    "services/federation/intruder.py": "plays an attacker with true credentials and a bare client",
}


def test_the_broker_is_spoken_to_in_few_places() -> None:
    found = {module.path for module in ALL if module.imports() & {"nats", "faststream"}}
    assert found == set(NATS)


CHANCE_OR_TIME = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid4",
    "os.urandom",
    "os.getrandom",
}
MAY = {
    "services/chassis/clock.py": "where time and ids come from",
    "services/chassis/keystore.py": "keys and nonces that nobody may choose",
    "services/chassis/keys.py": "default source of a key pair, an argument",
    "services/chassis/logs.py": "default instant of a log line, an argument",
    "services/chassis/relay.py": "jitter between attempts decides nothing",
    "services/chassis/person/codes.py": "codes that nobody may choose",
    "services/chassis/person/visits.py": "cookies and tokens that nobody may choose",
    "services/chassis/sign_in/sessions.py": "cookies and tokens that nobody may choose",
    "services/cli/upkeep.py": "compares the machine's own clock with that of its files",
    "services/federation/containers.py": "makes a database's password, once",
    "services/federation/federation.py": "composition root of the embedded federation",
    "services/federation/layout.py": "makes a node's secret, once",
    "services/federation/ports.py": "draws a port to try",
    "services/federation/provider.py": "codes and tokens that nobody may choose",
    "services/registrar/operator.py": "default source of a key pair, an argument",
}
"""Modules that look at the clock or throw dice themselves, and why."""


def draws(module: Module) -> bool:
    """Whether a module asks the clock or chance by itself."""
    if module.imports() & {"random", "secrets"}:
        return True
    names = (dotted(node) for node in ast.walk(module.tree) if isinstance(node, ast.expr))
    return not CHANCE_OR_TIME.isdisjoint(names)


def test_clock_and_chance_are_arguments() -> None:
    """Else no decision replays, and no test can choose the day."""
    assert {module.path for module in ALL if draws(module)} == set(MAY)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from datetime import datetime\ndatetime.now(UTC)", True),
        ("import datetime\nx = datetime.datetime.now", False),
        ("import random\nrandom.random()", True),
        ("import os\ndef f(draw=os.urandom): ...", True),
        ("def f(clock): return clock.now()", False),
    ],
)
def test_that_check_can_fail(*, text: str, found: bool) -> None:
    assert draws(Module("x.py", text)) is found


def test_no_web_application_exports_the_messages_of_its_exceptions() -> None:
    """FastAPI's own telemetry does, and an exception's message may hold what it was about."""
    seen = 0
    for module in ALL:
        for name, call in module.calls():
            if name.split(".")[-1] == "FastAPI":
                seen += 1
                given = {one.arg: dotted(one.value) for one in call.keywords}
                assert given.get("telemetry") == "FASTAPI_OFF", module.path
    assert seen


def test_what_was_signed_never_touches_a_file_a_socket_or_a_process() -> None:
    forbidden = {"socket", "subprocess", "pathlib", "os", "io", "threading", "asyncio", "logging"}
    pure = [module for module in ALL if module.path.startswith("contracts/")]
    pure = [module for module in pure if not module.path.startswith("contracts/sdk/")]
    assert {module.path: module.imports() & forbidden for module in pure} == {
        module.path: set() for module in pure
    }
