"""The command `relais`: its commands put together, and its errors on one line."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, Any, Final

import typer

from contracts.kernel.errors import RelaisError
from services.cli import conventions, parts, reading, running, upkeep
from services.cli.output import BadUsage, group, say

USAGE: Final = 2
INTERRUPTED: Final = 130

_HELP: Final = "Relais : les conventions de partenariat rendues exécutables, nœud par nœud."


def application() -> typer.Typer:
    """Every command."""
    app = group(_HELP, _first)
    for commands in (running, parts, reading, conventions, upkeep):
        commands.add(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit code: 0, 1 when it fails, 2 for a wrong usage.

    With --json, what went wrong is one line of JSON on standard error.
    """
    fail = _fail_json if "--json" in (sys.argv if arguments is None else arguments) else _fail
    try:
        code = application()(args=arguments, prog_name="relais", standalone_mode=False)
    except RelaisError as error:
        return fail(error, USAGE if isinstance(error, BadUsage) else 1)
    except typer.TyperException as error:
        return fail(BadUsage(_usage(error)), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us (`head`) has enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _first(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Dit la version, et rien d'autre.")] = (
        False
    ),
) -> None:
    if version:
        say(f"relais {metadata.version('relais')}")
    elif context.invoked_subcommand is None:
        say(context.get_help())


def _fail(error: RelaisError, code: int) -> int:
    sys.stderr.write(f"relais : {error.sentence}\n")
    return code


def _fail_json(error: RelaisError, code: int) -> int:
    told = {"code": error.code, "sentence": error.sentence, "articles": list(error.articles)}
    sys.stderr.write(json.dumps({"error": told}, ensure_ascii=False) + "\n")
    return code


def _usage(error: typer.TyperException) -> str:
    """Say in French what the library says in English."""
    what = getattr(error, "option_name", None) or _name_of(getattr(error, "param", None))
    choices = re.search(r"not one of (.+?)\.?$", error.message)
    said = {
        "NoSuchOption": f"L'option « {what} » n'existe pas.",
        "MissingParameter": f"Il manque {what}.",
        "BadParameter": f"La valeur donnée à {what} ne convient pas.",
        "BadOptionUsage": f"L'option « {what} » attend une valeur.",
        "UsageError": "Cette commande ne prend pas ces arguments.",
    }
    sentence = said.get(type(error).__name__, error.format_message())
    return f"{sentence} Choix : {choices[1]}." if choices else f"{sentence} {_see(error)}"


def _see(error: typer.TyperException) -> str:
    """Where the right usage is told: on the page of that very command."""
    context = getattr(error, "ctx", None)
    return f"Voir : {'relais' if context is None else context.command_path} --help"


def _name_of(parameter: Any) -> str:  # noqa: ANN401 -- the library's own
    if parameter is None:
        return "un argument"
    option = next((name for name in parameter.opts if name.startswith("-")), None)
    return str(option or parameter.metavar or parameter.name)
