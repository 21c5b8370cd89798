"""Commands on a dispute: keep what it needs from destruction, and let go of it."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import typer

from services.cli.acting import Name, Org, manager
from services.cli.output import AsJson, Command, running_federation, say, show, table
from services.federation.calls import call

_GROUNDS: Final = {"amicable": "règlement amiable", "court": "tribunal"}


def add(conventions: typer.Typer) -> None:
    """Add these commands to those on conventions."""
    for command in (hold, release, holds):
        conventions.command(command.__name__, cls=Command)(command)


def hold(
    name: Name,
    org: Org,
    ground: Annotated[
        Literal["amicable", "court"],
        typer.Option(help="Règlement amiable (amicable) ou tribunal (court)."),
    ],
    case: Annotated[
        str | None, typer.Option(help="Un seul dossier ; sinon, tous ceux de la convention.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Conserve ce qu'il faut à un différend : rien n'en est détruit avant sa fin."""
    body = {"ground": ground, **({} if case is None else {"case_id": case})}
    with manager(running_federation(), org) as client:
        said: dict[str, Any] = call(client, "POST", _path(name), json=body)
    if as_json:
        show(said)
    else:
        say(f"Conservation {said['hold_id']} ; pour y mettre fin : relais convention release.")


def release(
    name: Name,
    org: Org,
    hold_id: Annotated[str, typer.Option("--hold", help="Numéro de la conservation.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Met fin à une conservation : les délais reprennent, ce qui est échu sera détruit."""
    with manager(running_federation(), org) as client:
        said: dict[str, Any] = call(client, "POST", f"{_path(name)}/{hold_id}/release")
    if as_json:
        show(said)
    else:
        say("Conservation levée.")


def holds(name: Name, org: Org, *, as_json: AsJson = False) -> None:
    """Liste les conservations d'une convention."""
    with manager(running_federation(), org) as client:
        found: list[dict[str, Any]] = call(client, "GET", _path(name))
    if as_json:
        show(found)
        return
    table(
        ["Conservation", "Dossier", "Motif", "Depuis", "Levée"],
        [
            [
                one["hold_id"],
                one["case_id"] or "tous",
                _GROUNDS[one["ground"]],
                one["placed_at"][:10],
                (one["released_at"] or "")[:10],
            ]
            for one in found
        ],
    )


def _path(name: str) -> str:
    return f"/api/v1/conventions/{name}/holds"
