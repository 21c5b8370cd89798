"""Reads `survivors.yaml`: the mutants that no test notices, each with why none should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

Key = tuple[str, str, str, str]
"""Module, definition, line before, line after."""

FILE = Path(__file__).with_name("survivors.yaml")


def justified() -> dict[Key, str]:
    """Why each is let live."""
    groups: list[dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8")) or []
    return {
        (group["module"], one["in"], one["before"], one["after"]): group["why"]
        for group in groups
        for one in group["mutants"]
    }
