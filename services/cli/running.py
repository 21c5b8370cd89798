"""Commands that start and stop: the embedded federation, the demonstration, the bench."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from contracts.kernel.errors import UnknownName
from contracts.kernel.organisation import Kind
from services.chassis.tls import public_authorities
from services.chassis.tokens import Role
from services.cli.output import AsJson, Command, federation, home, pairs, say, show, table, wrapped
from services.federation.config import installed, read_federation
from services.federation.federation import Federation
from services.federation.layout import OBSERVER, SERVICE

_READY_S: Final = 2.0
_STATES: Final = {
    "starting": "démarre",
    "running": "en marche",
    "stopping": "s'arrête",
    "stopped": "arrêtée",
    "failed": "n'a pas démarré",
}


def add(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (up, down, status, url, token):
        app.command(cls=Command)(command)
    app.command(cls=Command)(demo)
    extra = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(cls=Command, context_settings=extra)(bench)


def up(
    config: Annotated[
        Path | None, typer.Option(help="Fichier de la fédération [deploy/federation.yaml].")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Serveur PostgreSQL (postgresql://…), retenu ; sinon SQLite."),
    ] = None,
    *,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Reste au premier plan ; Ctrl-C arrête tout.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Démarre la fédération embarquée ; ses données restent d'une fois à l'autre."""
    began = time.monotonic()
    if (home() / "federation.json").exists() and (running := federation()).running:
        if not _changed(running, config, database):
            if as_json:
                show(_overview(running))
            else:
                say("La fédération tourne déjà, et suit son fichier. Pour l'arrêter : relais down")
            return
        if not as_json:
            say("Le fichier de la fédération a changé : elle redémarre, ses données restent.")
        running.stop()
    started = Federation.create(home(), _file(config), database)
    signed = started.start(tied=foreground)
    started.authorise_agents()
    if as_json:
        show(_overview(started))
    else:
        _welcome(started, signed, time.monotonic() - began, foreground=foreground)
    if foreground:
        _until_told(started)


def _changed(running: Federation, config: Path | None, database: str | None) -> bool:
    """Whether the file, or the database that is asked for, is another than what runs now.

    Raises BadFederation for a file with which nothing may start; what runs goes on.
    """
    wanted = read_federation(_file(config), installed())
    return wanted != running.layout.federation or not running.layout.keeps(database)


def _file(config: Path | None) -> Path:
    """The federation's file: the one given, named by the environment, or the last one."""
    if config is not None or os.environ.get("RELAIS_FEDERATION"):
        return config or default_config()
    if (home() / "federation.json").exists() and (last := federation().source) is not None:
        return last
    return default_config()


def default_config() -> Path:
    """Find the federation's file: named by the environment, here, or beside this code."""
    named = os.environ.get("RELAIS_FEDERATION")
    beside = Path(__file__).parents[2] / "deploy" / "federation.yaml"
    candidates = [Path(named)] if named else [Path("deploy/federation.yaml"), beside]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise UnknownName(
        f"Aucun fichier de fédération ({', '.join(map(str, candidates))}) : donnez-en un par "
        "--config."
    )


def _welcome(started: Federation, signed: list[str], seconds: float, *, foreground: bool) -> None:
    members = started.layout.federation.organisations
    say(f"Fédération prête : {len(members)} organismes en {seconds:.1f} s.".replace(".", ",", 1))
    say()
    rows = [(one.id, one.name, one.kind.label, started.url(one.id)) for one in members]
    table(("Organisme", "Nom", "Type", "Adresse"), rows)
    say()
    if signed:
        wrapped(f"Conventions enregistrées, aux dates de leurs signatures : {', '.join(signed)}")
    say(f"Pages des agents, sous des identités inventées : {started.url(members[0].id)}/pages/")
    say(f"Traces : {started.url(OBSERVER)}/")
    say(f"Un jeton pour essayer : relais token {members[0].id} --role agent")
    say("Pour arrêter : Ctrl-C" if foreground else "Pour arrêter : relais down")


def _until_told(started: Federation) -> None:
    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
    try:
        while started.running:
            time.sleep(0.5)
    except KeyboardInterrupt:
        say("Arrêt…")
    finally:
        started.stop()


def down(*, as_json: AsJson = False) -> None:
    """Arrête la fédération embarquée ; ses données restent."""
    running = federation()
    was_running = running.running
    running.stop()
    if as_json:
        show({"home": str(home()), "stopped": was_running})
    elif was_running:
        say(f"Fédération arrêtée ; ses données restent dans {home()}.")
    else:
        say("La fédération ne tourne pas.")


def status(*, as_json: AsJson = False) -> None:
    """Dit ce qui tourne : processus, adresses, redémarrages."""
    seen = _overview(federation())
    if as_json:
        show(seen)
        return
    state = _STATES.get(seen["state"], seen["state"])
    traces = seen["observer"] if seen["state"] == "running" else None
    pairs({"État": state, "Dossier": seen["home"], "Traces": traces})
    if seen["error"]:
        say(str(seen["error"]))
    processes = seen["processes"]
    if processes:
        say()
        rows = [(name, p["pid"], p["port"], p["restarts"]) for name, p in processes.items()]
        table(("Processus", "Pid", "Port", "Redémarrages"), rows)
    say()
    organisations = seen["organisations"]
    rows = [(one["id"], Kind(one["kind"]).label, one["url"], one["ready"]) for one in organisations]
    table(("Organisme", "Type", "API", "Prêt"), rows)


def _overview(running: Federation) -> dict[str, Any]:
    now = running.status()
    return {
        "state": now.state,
        "error": now.error,
        "home": str(running.layout.home),
        "pid": now.pid,
        "observer": running.url(OBSERVER),
        "organisations": [
            {
                "id": one.id,
                "kind": one.kind.value,
                "name": one.name,
                "url": running.url(one.id),
                "ready": now.state == "running" and _ready(running.url(one.id)),
                "pid": now.processes.get(f"{one.id}.{SERVICE}", {}).get("pid"),
            }
            for one in running.layout.federation.organisations
        ],
        "processes": now.processes,
    }


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=_READY_S, verify=public_authorities()).is_success
    except httpx.HTTPError:
        return False


def url(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organisme.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Donne l'adresse de l'API d'un organisme."""
    found = federation().url(org)
    if as_json:
        show({"org": org, "url": found})
    else:
        say(found)


def token(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organisme.")],
    role: Annotated[Role, typer.Option(help="Rôle de la personne ou du programme.")],
    agent: Annotated[str, typer.Option(help="Numéro local de l'agent, jamais un nom.")] = "agent-1",
    *,
    as_json: AsJson = False,
) -> None:
    """Donne un jeton (12 heures) pour l'API d'un organisme."""
    known = federation()
    made = known.token(org, role, agent)
    if as_json:
        show({"org": org, "role": role, "agent": agent, "url": known.url(org), "token": made})
    else:
        say(made)


def demo(
    *,
    running: Annotated[
        bool, typer.Option("--running", help="Sur la fédération du dossier, qui tourne déjà.")
    ] = False,
    convention: Annotated[
        str | None,
        typer.Option(metavar="LETTRE", help="Convention dont l'histoire est jouée ; sinon toutes."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Joue l'histoire complète des conventions, ou d'une, sur une fédération à part."""
    story = importlib.import_module("services.federation.demo")  # heavy, and only for this one
    raise typer.Exit(story.run(home() if running else None, convention=convention, as_json=as_json))


def bench(
    context: typer.Context,
    rounds: Annotated[int | None, typer.Option(min=1, help="Passes par système.")] = None,
    messages: Annotated[int | None, typer.Option(min=1, help="Messages par passe.")] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Voit seulement si tout marche ; aucun chiffre.")
    ] = False,
    sync_always: Annotated[
        bool, typer.Option("--sync-always", help="Les pairs attendent le disque, comme Relais.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Mesure la route entière face à ses pairs.

    Les options sont celles de python -m tests.bench.
    """
    given = {"--rounds": rounds, "--messages": messages}
    numbers = [f"{name}={value}" for name, value in given.items() if value is not None]
    flags = {"--quick": quick, "--sync-always": sync_always, "--json": as_json}
    chosen = [name for name, on in flags.items() if on]
    command = [sys.executable, "-m", "tests.bench", *numbers, *chosen, *context.args]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 -- this very program
