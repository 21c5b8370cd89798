"""The command `relais`: its commands put together, and its errors on one line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import typer

from contracts.kernel.errors import RelaisError
from services.cli import conventions, parts, reading, running, upkeep
from services.cli.output import BadUsage, group

USAGE: Final = 2
INTERRUPTED: Final = 130

_HELP: Final = "Relais : les conventions de partenariat rendues exécutables, nœud par nœud."
_SEE: Final = "Voir : relais --help"


def application() -> typer.Typer:
    """Every command."""
    app = group(_HELP)
    for commands in (running, parts, reading, conventions, upkeep):
        commands.add(app)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns its exit code: 0, 1 when it fails, 2 for a wrong usage."""
    try:
        code = application()(args=arguments, prog_name="relais", standalone_mode=False)
    except RelaisError as error:
        return _fail(error.sentence, USAGE if isinstance(error, BadUsage) else 1)
    except typer.TyperException as error:
        return _fail(_usage(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us (`head`) has enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _fail(sentence: str, code: int) -> int:
    sys.stderr.write(f"relais : {sentence}\n")
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
    return f"{sentence} Choix : {choices[1]}." if choices else f"{sentence} {_SEE}"


def _name_of(parameter: Any) -> str:  # noqa: ANN401 -- the library's own
    if parameter is None:
        return "un argument"
    option = next((name for name in parameter.opts if name.startswith("-")), None)
    return str(option or parameter.metavar or parameter.name)
