"""Where each obligation of a convention is kept, and which tests name it: found by reading both.

Nothing of this is typed by hand: a rule cites the obligation it serves, and a test says which one
it proves. What tells a story of the conventions keeps none of them, and is left out.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.export import REGISTER
from contracts.kernel.instrument import Convention
from contracts.kernel.obligation import Nature, Obligation

_ID: Final = re.compile(r"\b[A-D]-\d+[a-z]?\.\d+[a-z]?\b")
_KEEP: Final = ("contracts", "services")
_TELL: Final = ("services/cli/", "services/federation/", "services/observer/")
_LIST: Final = "obligations.py"
_CASES: Final = "cases.yaml"

NATURES: Final = {
    Nature.GATE: "contrôle",
    Nature.MESSAGE: "message",
    Nature.DEADLINE: "échéance",
    Nature.RECORD: "registre",
    Nature.INDICATOR: "indicateur",
    Nature.ORGANISATIONAL: "organisation",
}
"""What an obligation becomes, in words."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One obligation, and what was found of it.

    homes: modules, with the definitions that cite it. tests: None where none are installed, as on a
    node that only runs.
    """

    obligation: Obligation
    homes: tuple[str, ...]
    tests: tuple[str, ...] | None

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        one = self.obligation
        return {
            "id": one.id,
            "article": one.article,
            "kinds": [nature.value for nature in one.natures],
            "asks": one.asks,
            "homes": list(self.homes),
            "tests": None if self.tests is None else list(self.tests),
        }


def kept(conventions: Iterable[Convention], root: Path) -> list[Kept]:
    """Every obligation of these conventions, in their order.

    root: the folder that holds `contracts` and `services`; its files are read once for all of them.
    """
    homes, tests = _homes(root), _tests(root)
    found: list[Kept] = []
    for one in (one for convention in conventions for one in convention.obligations):
        here = (REGISTER,) if one.organisational else tuple(homes.get(one.id, ()))
        named = None if tests is None else tuple(tests.get(one.id, ()))
        found.append(Kept(one, here, named))
    return found


def _homes(root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in _files(root, _KEEP, "*.py"):
        name = path.relative_to(root).as_posix()
        if name.startswith(_TELL) or path.name == _LIST:
            continue
        for cited, where in _cited(path.read_text("utf-8")).items():
            found[cited].append(f"{name} ({', '.join(where)})" if where else name)
    return found


def _cited(text: str) -> dict[str, list[str]]:
    """Ids in a module, each with the definitions at its top that cite it."""
    found: dict[str, list[str]] = {name: [] for name in _ID.findall(text)}
    lines = text.splitlines()
    for node in ast.parse(text).body if found else ():
        for name in dict.fromkeys(_ID.findall(_segment(lines, node))):
            found[name] += [one for one in _names(node) if one not in found[name]]
    return found


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (one.id for one in targets if isinstance(one, ast.Name))


def _segment(lines: list[str], node: ast.stmt) -> str:
    """Source of a statement, with its decorators."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return "\n".join(lines[first - 1 : node.end_lineno])


def _tests(root: Path) -> dict[str, list[str]] | None:
    """Ids that a test's own text names, and those of the cases that a test runs one by one."""
    runs_cases = root / "tests" / "contracts" / "test_cases.py"
    if not runs_cases.is_file():
        return None
    found: dict[str, list[str]] = defaultdict(list)
    for path in _files(root, ("tests",), "test_*.py"):
        text = path.read_text("utf-8")
        lines, name = text.splitlines(), path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_test(node):
                for cited in dict.fromkeys(_ID.findall(_segment(lines, node))):
                    found[cited].append(f"{name}::{node.name}")
    for path in _files(root, ("contracts",), _CASES):
        name = path.relative_to(root).as_posix()
        for cited in dict.fromkeys(_ID.findall(_expected(path.read_text("utf-8")))):
            found[cited].append(f"{name} (tests/contracts/test_cases.py::test_decisions)")
    return found


def _is_test(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.name.startswith("test_")


def _expected(text: str) -> str:
    """The refusals that cases expect: a comment proves nothing."""
    return "\n".join(line for line in text.splitlines() if line.strip().startswith("expect:"))


def _files(root: Path, folders: Iterable[str], pattern: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).rglob(pattern))
