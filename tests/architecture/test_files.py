"""Files of the repository: no person's number, no path of somebody's machine."""

from __future__ import annotations

import re

import pytest

from tests.architecture.repository import files, read

_NIR = re.compile(
    r"(?<![0-9A-Za-z])[12]( ?)\d\d\1(?:0[1-9]|1[0-2])\1(?:\d\d|2[AB])\1\d{3}\1\d{3}(?:\1\d\d)?"
    r"(?![0-9A-Za-z])"
)
_MACHINE = re.compile(r"(?<![\w.~])/(?:work|root|home|Users)/\w")
_LOCKED = {"uv.lock"}
"""Digests and sizes of packages: long runs of digits, and nobody's."""


def offenders(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}"
        for path in files()
        if path not in _LOCKED
        for number, line in enumerate((read(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_holds_what_looks_like_a_nir() -> None:
    """Tests that need one put it together on the spot."""
    assert offenders(_NIR) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert offenders(_MACHINE) == []


@pytest.mark.parametrize("gap", ["", " "])
def test_these_checks_can_fail(gap: str) -> None:
    number = gap.join(["1", "85", "01", "76", "123", "456"])
    assert _NIR.search(f"x = '{number}'")
    assert _NIR.search(f"{number}{gap}79")
    assert not _NIR.search(f"f{number}")
    assert _MACHINE.search(f"see {'/ho'}me/zoe")
    assert not _MACHINE.search("~/home/zoe https://a.fr/home/zoe")
