"""Help, wrong usages, and what is said where there is no federation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.cli.app import application, main
from services.federation.demo import STORIES
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
    for name in ("node", "registrar", "observer", "setup"):
        assert f"\n  {name} " not in said


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
    others = {("node",), ("registrar",), ("observer",), ("setup",), ("journal", "export")}
    for path in _paths():
        assert ("--json" in told(capsys, *path, "--help")) is (path not in others), path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tokn",), "« tokn » n'existe pas"),
        (("convention", "sing"), "« sing » n'existe pas"),
        (("token",), "Il manque ORG. Voir : relais token --help"),
        (("bench", "--rounds", "0"), "--rounds ne convient pas"),
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


def test_help_has_no_english_word_of_the_library(capsys: Captured) -> None:
    for path in [(), *_paths()]:
        said = told(capsys, *path, "--help")
        for word in ("COMMAND ", "<str>", "<path>", "<int", "default", "required"):
            assert word not in said, path


def test_a_version_is_told(capsys: Captured) -> None:
    assert told(capsys, "--version").startswith("relais 0.")


@pytest.mark.usefixtures("nowhere")
def test_a_program_is_told_in_json_what_went_wrong(capsys: Captured) -> None:
    assert main(["status", "--json"]) == 1
    found = capsys.readouterr()
    assert found.out == ""
    assert json.loads(found.err)["error"]["code"] == "no_federation"


def test_one_that_is_stopped_is_told_alike_by_all(capsys: Captured, stopped: Path) -> None:
    assert stopped.exists()
    for arguments in (
        ("convention", "list"),
        ("convention", "suspend", "x", "--org", SCHOOL),
        ("journal", "export", SCHOOL),
        ("journal", "verify"),
        ("rotate", SCHOOL),
        ("explain", "m"),
        ("purge",),
    ):
        code, line = refused(capsys, *arguments)
        assert (code, "ne tourne pas : lancez" in line) == (1, True), arguments
    assert "arrêtée" in told(capsys, "status")
    main(["doctor"])
    assert "arrêtée" in capsys.readouterr().out


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


def test_a_demonstration_of_no_convention_names_those_that_there_are(capsys: Captured) -> None:
    code, why = refused(capsys, "demo", "--convention", "z")
    known = ", ".join(sorted(STORIES))
    assert (code, why) == (1, f"relais : Aucune histoire de la convention z. Connues : {known}.\n")
