"""Running a command in this process, and reading what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.cli.app import main

Captured = pytest.CaptureFixture[str]


def told(capsys: Captured, *arguments: str) -> str:
    capsys.readouterr()
    code = main(arguments)
    found = capsys.readouterr()
    assert (code, found.err) == (0, "")
    return found.out


def read(capsys: Captured, *arguments: str) -> Any:
    return json.loads(told(capsys, *arguments, "--json"))


def refused(capsys: Captured, *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(arguments)
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("relais : ")
    assert found.err.count("\n") == 1
    return code, found.err
