"""What every command shares: the state folder, tables, JSON, and help in French."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from contracts.kernel.errors import RelaisError, Unavailable
from contracts.kernel.paris import PARIS
from services.federation.federation import Federation

AsJson = Annotated[bool, typer.Option("--json", help="Répond en JSON, pour un programme.")]

_WIDTH: Final = 100
_FRENCH: Final = (
    (re.compile(r"^Usage:", re.MULTILINE), "Usage :"),
    (re.compile(r"^Options:", re.MULTILINE), "Options :"),
    (re.compile(r"^Commands:", re.MULTILINE), "Commandes :"),
    (re.compile(r"^Arguments:", re.MULTILINE), "Arguments :"),
    (re.compile(r"Show this message and exit\."), "Affiche cette aide."),
    (re.compile(r"\[required\]"), "[obligatoire]"),
    (re.compile(r"\[default: "), "[défaut : "),
    (re.compile(r"COMMAND \[ARGS\]"), "COMMANDE [ARGUMENTS]"),
    (re.compile(r"<str>"), "<texte>"),
    (re.compile(r"<path>"), "<fichier>"),
    (re.compile(r"<int( range)?>"), "<nombre>"),
    (re.compile(r"\[x>=(\d+)\]"), r"[au moins \1]"),
)


class BadUsage(RelaisError):
    """A command line that means nothing; exit code 2."""

    code = "usage"


class Command(TyperCommand):
    """A command whose help is in French."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 -- typer's own
        """Help with its headings translated."""
        return in_french(super().get_help(ctx))


class Group(TyperGroup):
    """A group of commands whose help is in French."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 -- typer's own
        """Help with its headings translated."""
        return in_french(super().get_help(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 -- typer's own
        """Find a command. Raises BadUsage, which lists those that exist."""
        if self.get_command(ctx, args[0]) is None:
            names = self.list_commands(ctx)
            known = ", ".join(name for name in names if not self.commands[name].hidden)
            raise BadUsage(f"La commande « {args[0]} » n'existe pas. Connues : {known}.")
        return super().resolve_command(ctx, args)


def in_french(text: str) -> str:
    """Translate the few words that the library puts into a help page."""
    for found, said in _FRENCH:
        text = found.sub(said, text)
    return text


def group(help_text: str, first: Callable[..., None] | None = None) -> typer.Typer:
    """A set of commands, plain and in French; first: what it does before, or without, any."""
    return typer.Typer(
        cls=Group,
        help=help_text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        callback=first or _help_alone,
        context_settings={"terminal_width": _WIDTH},
    )


def _help_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        say(context.get_help())


def home() -> Path:
    """The state folder: RELAIS_HOME, or `.relais` here."""
    return Path(os.environ.get("RELAIS_HOME") or ".relais").absolute()


def federation() -> Federation:
    """The federation of the state folder. Raises UnknownName when there is none."""
    return Federation.open(home())


def running_federation() -> Federation:
    """The same, while it runs. Raises Unavailable, which says what to do, when it does not."""
    known = federation()
    if not known.running:
        raise Unavailable("La fédération ne tourne pas : lancez « relais up ».", code="not_up")
    return known


def when(instant: str) -> str:
    """An instant of the API as people read it: day and hour of Paris."""
    return f"{datetime.fromisoformat(instant).astimezone(PARIS):%d/%m/%Y %H:%M:%S}"


def wrapped(text: str, indent: str = "") -> None:
    """Write a paragraph in lines that fit a terminal."""
    say("\n".join(wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}    ")))


def say(text: str = "") -> None:
    """Write a line for people."""
    typer.echo(text)


def show(data: object) -> None:
    """Write JSON."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table with aligned columns; None shows as a dash."""
    written = [heads, *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in written) for column in range(len(heads))]
    for row in written:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def pairs(values: Mapping[str, object]) -> None:
    """Write names and values, one a line."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        say(f"{name.ljust(width)}  {_cell(value)}")
