"""Runs the tests of a mutant in a forked process, and says whether any of them noticed.

The working copy is never touched: the mutant's source is what the child imports in place of the
file. The parent has already imported everything but what is tested, so that a child starts at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import pytest

from tests.mutation.mutants import Mutant

_OURS = ("contracts", "services", "tests.contracts", "tests.parties")
_SURVIVED, _KILLED = 0, 1
_REWRITE = "-Wignore::pytest.PytestAssertRewriteWarning"
"""Everything is imported already, by the run without any mutant."""


@dataclass(frozen=True)
class Plan:
    """Which tests are run.

    nearest: those that most often notice a change of a module, files or single tests, by the
    beginning of its path; stages: of any module. tests: the whole folder. longest_seconds: of the
    processor, since those of the clock would make a busy machine notice.
    """

    nearest: Mapping[str, Sequence[str]]
    stages: Sequence[Sequence[str]]
    tests: str
    without: Sequence[str]
    longest_seconds: int
    stable: Sequence[str]

    def arguments(self, *paths: str) -> list[str]:
        """What pytest is called with: the same order and the same examples every time."""
        plugins = ("randomly", "xdist", "cacheprovider", "cov")
        quiet = ["-q", "-x", "--no-header", "--tb=no", "--hypothesis-profile=mutation", _REWRITE]
        left_out = [f"--deselect={one}" for one in self.without]
        return [*paths, *quiet, *left_out, *(f"-pno:{name}" for name in plugins)]

    @property
    def likeliest(self) -> list[str]:
        """Every file that is tried before the whole folder, once."""
        named = [path for paths in (*self.nearest.values(), *self.stages) for path in paths]
        return list(dict.fromkeys(named))

    def rounds(self, module: str) -> Iterator[list[str]]:
        """What pytest is called with for a mutant of a module, one round after the other.

        Each file is run once, the likeliest to notice first.
        """
        done = list[str]()
        near = [paths for start, paths in self.nearest.items() if module.startswith(start)]
        for paths in (*near, *self.stages):
            left = [path for path in paths if path not in done]
            done += left
            if left:
                yield self.arguments(*left)
        if self.tests:
            files = [path for path in done if "::" not in path]
            yield self.arguments(self.tests, *(f"--ignore={path}" for path in files))


@dataclass(eq=False)
class _Outcome:
    """Plugin that keeps the first test that failed, and how many ran.

    near: a word of the tests to run first, of those that many conventions have each.
    """

    near: str = ""
    ran: int = 0
    failed: str = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.near not in item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call"
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


@dataclass(frozen=True)
class Result:
    """killed_by: the test that noticed; empty when none did, of those that ran."""

    mutant: Mutant
    killed_by: str
    ran: int = 0


class _Mutated(SourceFileLoader):
    """Loads one module from a text instead of its file."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 -- the loader's own signature
        return compile(self._source, self.path, "exec", dont_inherit=True)


@dataclass(frozen=True)
class _Finder:
    """Stands before all other finders, for one module."""

    name: str
    path: str
    source: str

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.name:
            return None
        loader = _Mutated(name, self.path, self.source)
        return importlib.util.spec_from_file_location(name, self.path, loader=loader)


def warm_up(plan: Plan) -> None:
    """Import once what all children share. Raises RuntimeError where a test cannot be read."""
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    outcome = _Outcome()
    paths = [plan.tests] if plan.tests else plan.likeliest
    with redirect_stdout(io.StringIO()):
        code = pytest.main([*plan.arguments(*paths), "--collect-only"], plugins=[outcome])
    if code != 0:
        raise RuntimeError(f"{outcome.failed or plan.tests} cannot be read")
    for name in list(sys.modules):
        if name.startswith(_OURS) and name not in plan.stable:
            del sys.modules[name]


def unchanged(plan: Plan, path: str, *, root: Path) -> int:
    """Try a mutant that changes nothing; how many tests passed.

    Raises RuntimeError where one fails, as it would for every mutant: then nothing would survive.
    """
    same = Mutant(path, "nothing", "", "", (root / path).read_text("utf-8"), "none")
    (result,) = run([same], plan, root=root, workers=1)
    if result.killed_by:
        raise RuntimeError(f"{result.killed_by} notices a module that is unchanged")
    return result.ran


def run(mutants: Sequence[Mutant], plan: Plan, *, root: Path, workers: int) -> Iterator[Result]:
    """Try every mutant, a few at a time, in no particular order."""
    waiting = list(reversed(mutants))
    running: dict[int, _Child] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            child = _start(waiting.pop(), plan, root)
            running[child.pid] = child
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            child = running.pop(pid)
            yield _verdict(child, status)
        elif pid == 0:
            time.sleep(0.01)


@dataclass
class _Child:
    pid: int
    mutant: Mutant
    said: int


def _start(mutant: Mutant, plan: Plan, root: Path) -> _Child:
    sys.stdout.flush()
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(said)
        code = _KILLED
        try:
            code = _try(mutant, plan, root, say)
        finally:
            os._exit(code)
    os.close(say)
    return _Child(pid, mutant, said)


def _try(mutant: Mutant, plan: Plan, root: Path, say: int) -> int:
    """In the child: whether a test notices, and which."""
    resource.setrlimit(resource.RLIMIT_CPU, (plan.longest_seconds, plan.longest_seconds + 1))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    name = mutant.module.removesuffix(".py").replace("/", ".")
    sys.meta_path.insert(0, _Finder(name, str(root / mutant.module), mutant.source))
    try:
        importlib.import_module("contracts.registry").load()
        importlib.import_module("contracts.gate")
    except Exception:  # noqa: BLE001 -- whatever it is, every test would meet it
        os.write(say, b"import")
        return _KILLED
    ran = 0
    for arguments in plan.rounds(mutant.module):
        outcome = _Outcome(near=Path(mutant.module).parent.name)
        if pytest.main(arguments, plugins=[outcome]) != 0:
            os.write(say, outcome.failed.encode())
            return _KILLED
        ran += outcome.ran
    os.write(say, str(ran).encode())
    return _SURVIVED


def _verdict(child: _Child, status: int) -> Result:
    """Which test noticed, or how many did not; a mutant that runs on for ever is noticed too.

    Raises RuntimeError for a child that ended badly without a word: no test noticed that mutant.
    """
    with os.fdopen(child.said, "rb") as told:
        name = told.read().decode()
    if status == 0:
        return Result(child.mutant, "", int(name))
    if not name and not os.WIFSIGNALED(status):
        raise RuntimeError(f"the run of a mutant broke down: {child.mutant}")
    return Result(child.mutant, name or "too long")
