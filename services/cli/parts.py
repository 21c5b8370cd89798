"""Hidden commands that run one part alone, in the foreground: what each container does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.clock import SystemClock
from services.cli.output import Command, home, say
from services.cli.running import default_config
from services.federation import containers
from services.federation.config import installed, read_federation

# `programs` brings the web framework and the broker's client: two seconds that no other command
# should wait. Hence its imports inside the commands that need it.

Settings = Annotated[Path, typer.Option(help="Réglages (YAML ou JSON).")]
Clock = Annotated[
    Path | None,
    typer.Option(help="Secondes dont avancer l'horloge : démonstrations seulement."),
]


def add(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (node, registrar, observer, setup):
        app.command(cls=Command, hidden=True)(command)


def node(settings: Settings, clock: Clock = None) -> None:
    """Fait tourner le nœud d'un seul organisme."""
    from services.federation.programs import run_node  # noqa: PLC0415 -- see above

    run_node(settings, clock, sys.stdout)


def registrar(settings: Settings, clock: Clock = None) -> None:
    """Fait tourner le registraire."""
    from services.federation.programs import run_registrar  # noqa: PLC0415 -- see above

    run_registrar(settings, clock, sys.stdout)


def observer(
    store: Annotated[Path, typer.Option(help="Fichier SQLite des traces.")],
    host: Annotated[str, typer.Option(help="Adresse écoutée.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port écouté.")] = containers.HTTP_PORT,
) -> None:
    """Fait tourner la page des traces."""
    from services.federation.programs import run_observer  # noqa: PLC0415 -- see above

    run_observer(store, host, port, sys.stdout)


def setup(
    config: Annotated[
        Path | None, typer.Option(help="Fichier de la fédération [deploy/federation.yaml].")
    ] = None,
    *,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="Donne d'abord les volumes à qui s'en servira.")
    ] = False,
) -> None:
    """Prépare les volumes d'une fédération en conteneurs, sans rien changer à ce qui y est."""
    federation = read_federation(config or default_config(), installed())
    if hand_over:
        containers.hand_over(home(), federation)
    layout = containers.lay_out(home(), federation, SystemClock().now())
    say(f"Volumes prêts : {len(layout.orgs)} organismes.")
