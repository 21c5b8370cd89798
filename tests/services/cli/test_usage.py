"""Help, wrong usages, and what is said where there is no federation."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.app import application
from tests.federations import SCHOOL
from tests.services.cli.calling import Captured, refused, told


def test_help_is_in_french_and_lists_every_command(capsys: Captured) -> None:
    said = told(capsys, "--help")
    assert said == told(capsys)
    for name in ("up", "down", "status", "demo", "doctor", "matrix", "explain", "convention"):
        assert f"\n  {name} " in said
    assert "Commandes :" in said
    assert "Options :" in said
    assert "Show this" not in said
    assert "\n  node " not in said


def _paths() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    app = application()
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        found.append((name,))
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found += [
            (str(group.name), str(command.name))
            for command in group.typer_instance.registered_commands
        ]
    return found


@pytest.mark.parametrize("path", _paths(), ids=" ".join)
def test_every_command_has_a_help_page(path: tuple[str, ...], capsys: Captured) -> None:
    said = told(capsys, *path, "--help")
    assert "Affiche cette aide." in said
    assert "Usage:" not in said


def test_every_reading_command_answers_in_json(capsys: Captured) -> None:
    others = {("node",), ("bench",), ("journal", "export")}
    for path in _paths():
        assert ("--json" in told(capsys, *path, "--help")) is (path not in others), path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tokn",), "« tokn » n'existe pas"),
        (("convention", "sing"), "« sing » n'existe pas"),
        (("token",), "Il manque ORG"),
        (("token", "x"), "Il manque --role"),
        (("token", "x", "--role", "king"), "--role ne convient pas. Choix : 'agent'"),
        (("up", "--colour"), "« --colour » n'existe pas"),
        (("up", "--config"), "« --config » attend une valeur"),
        (("status", "now"), "ne prend pas ces arguments"),
        (("convention", "notice", "x", "--org", "y"), "--received-on ou --sent-on"),
        (("convention", "notice", "x", "--org", "y", "--sent-on", "hier"), "AAAA-MM-JJ"),
    ],
)
def test_a_wrong_usage_is_one_french_line(
    arguments: tuple[str, ...], said: str, capsys: Captured, nowhere: Path
) -> None:
    code, line = refused(capsys, *arguments)
    assert said in line
    assert code == 2
    assert not nowhere.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("down",),
        ("token", SCHOOL, "--role", "agent"),
        ("url", SCHOOL),
        ("trace", "m"),
        ("explain", "m"),
        ("purge",),
        ("journal", "verify"),
        ("convention", "list"),
    ],
)
def test_without_a_federation_each_command_says_what_to_do(
    arguments: tuple[str, ...], capsys: Captured, nowhere: Path
) -> None:
    code, line = refused(capsys, *arguments)
    assert code == 1
    assert "relais up" in line
    assert str(nowhere) in line
