"""A seventh kind of organisation is one folder and one line, in a copy of the product.

The line is a member of `Kind`, in contracts/kernel/organisation.py; the folder is
`services/guidance_centre`, of the tests' own (`seventh`), as is the convention that binds it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.kernel.organisation import Kind
from services.federation.config import CONVENTIONS
from tests.architecture.repository import ROOT
from tests.federation.seventh import exchange

LINE = '    GUIDANCE_CENTRE = "guidance_centre", "centre d\'information et d\'orientation"\n'
WHERE = Path("contracts", "kernel", "organisation.py")
BEFORE = '    SCHOOL = "school", '
FOLDER = Path("services", "guidance_centre")
TEXTS = "tests.federation.seventh.texts"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product and its checks, with a folder and a line more."""
    folder = tmp_path_factory.mktemp("seventh")
    for name in ("contracts", "services", "tests", "docs", "deploy"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "docker-compose.yml"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(folder / "tests/federation/seventh/guidance_centre", folder / FOLDER)
    text = (folder / WHERE).read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    (folder / WHERE).write_text(text.replace(BEFORE, LINE + BEFORE), encoding="utf-8")
    return folder


def run(copy: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One of the virtual environment's programs, in the copy and with its modules alone."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), **more},
        capture_output=True,
        check=False,
        text=True,
    )


def test_every_kind_says_what_people_call_it() -> None:
    assert all(kind.label for kind in Kind)


def test_the_product_does_not_know_it() -> None:
    assert "guidance_centre" not in {kind.value for kind in Kind}
    assert not (ROOT / FOLDER).exists()


def test_it_signs_a_convention_and_exchanges_messages_over_the_hub(
    copy: Path, tmp_path: Path
) -> None:
    told = run(copy, "-m", exchange.__name__, str(tmp_path / "federation"), **{CONVENTIONS: TEXTS})
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == {
        "signed": [f"f-{exchange.SCHOOL}-{exchange.CENTRE}"],
        "seen": "Noa",
        "closed": ["F-1.6"],
        "backwards": 403,
    }


def test_nothing_that_is_generated_changes(copy: Path) -> None:
    told = run(copy, "-m", "services", "compile", "--check")
    assert told.returncode == 0, told.stdout + told.stderr


def test_its_folder_stands_among_the_others_under_the_same_arrows(copy: Path) -> None:
    linter = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo")
    told = run(copy, *linter)
    assert (told.returncode, " 0 broken." in told.stdout) == (0, True), told.stdout
    stray = copy / FOLDER / "stray.py"
    stray.write_text("from services.city.partner import PARTNER\n", encoding="utf-8")
    told = run(copy, *linter)
    assert "services.guidance_centre.stray -> services.city.partner" in told.stdout
    stray.unlink()
