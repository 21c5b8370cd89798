"""Remembers which files the tests passed with, so that they need not run before each look again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tests.mutation.runner import Plan

ROOT = Path(__file__).parents[2]
FILE = ROOT / "build" / "mutation-passed.json"
_FOLDERS = ("contracts", "services", "tests")
_KINDS = {".py", ".json", ".yaml", ".csv"}


def passed(plan: Plan, root: Path = ROOT, file: Path = FILE) -> int | None:
    """How many tests passed with every file as it is now; None where that was never seen."""
    if not file.exists():
        return None
    found: dict[str, int] = json.loads(file.read_text("utf-8"))
    return found.get(_digest(plan, root))


def keep_passed(plan: Plan, ran: int, root: Path = ROOT, file: Path = FILE) -> None:
    """They passed, in a process like those that meet the mutants."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({_digest(plan, root): ran}), "utf-8")


def _digest(plan: Plan, root: Path) -> str:
    found = hashlib.sha256(repr(asdict(plan)).encode())
    for path in _files(root):
        found.update(f"{path.relative_to(root)} ".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    """Whatever a test reads or runs: our own, and what is installed."""
    yield from (path for name in ("pyproject.toml", "uv.lock") if (path := root / name).exists())
    for folder in _FOLDERS:
        yield from sorted(one for one in (root / folder).rglob("*") if one.suffix in _KINDS)
