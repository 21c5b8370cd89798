"""Commands on the yearly life of a convention: the meeting, the insurance, the report."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from services.cli.acting import Name, Org, manager, read_day
from services.cli.output import AsJson, Command, running_federation, say, show, table
from services.federation.calls import call

_CONVENTIONS: Final = "/api/v1/conventions"
_HIDDEN: Final = "—"
"""Stands where a number is too small to be shown."""


def add(conventions: typer.Typer) -> None:
    """Add these commands to those on conventions."""
    for command in (review, insure, report):
        conventions.command(command.__name__, cls=Command)(command)


def review(
    name: Name,
    org: Org,
    on: Annotated[str, typer.Option("--on", help="Jour de la réunion, AAAA-MM-JJ.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Enregistre la réunion annuelle d'évaluation."""
    body = {"held_on": read_day(on).isoformat()}
    said = _post(name, org, "reviews", body)
    if as_json:
        show(said)
    else:
        say(f"Réunion enregistrée ; la prochaine avant le {said['next_review']}.")


def insure(
    name: Name,
    org: Org,
    policy: Annotated[str, typer.Option(help="Numéro du contrat d'assurance.")],
    first_day: Annotated[str, typer.Option(help="Premier jour couvert, AAAA-MM-JJ.")],
    last_day: Annotated[str, typer.Option(help="Dernier jour couvert, AAAA-MM-JJ.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Enregistre l'assurance d'un organisme ; il sera prévenu avant qu'elle finisse."""
    days = {"first_day": first_day, "last_day": last_day}
    body = {"policy": policy, **{key: read_day(one).isoformat() for key, one in days.items()}}
    said = _post(name, org, "insurances", body)
    if as_json:
        show(said)
    else:
        say(f"Assurance enregistrée jusqu'au {said['last_day']}.")


def report(
    name: Name,
    org: Org,
    year: Annotated[
        int | None, typer.Option(help="Année où commence celle du bilan ; sinon, celle en cours.")
    ] = None,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Pour d'autres que les parties : plus est caché.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compte une année de convention, sans qu'un petit nombre désigne quelqu'un."""
    asked = {"audience": "public" if public else "parties"}
    if year is not None:
        asked["year"] = str(year)
    with manager(running_federation(), org) as client:
        found = call(client, "GET", f"{_CONVENTIONS}/{name}/report", params=asked)
    if as_json:
        show(found)
        return
    say(f"{found['title']} : du {found['first_day']} au {found['last_day']} ({found['article']})")
    say(f"{_HIDDEN} : moins de {found['threshold']}, ou de quoi le retrouver")
    say()
    table(["Article", "Indicateur", "Nombre"], list(_rows(found["tables"])))


def _rows(tables: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for one in tables:
        rows.append([one["article"], one["label"], _number(one["total"])])
        rows += [["", f"  {cell['label']}", _number(cell["number"])] for cell in one["cells"]]
    return rows


def _number(value: int | None) -> str:
    return _HIDDEN if value is None else str(value)


def _post(name: str, org: str, what: str, body: dict[str, str]) -> dict[str, Any]:
    with manager(running_federation(), org) as client:
        said: dict[str, Any] = call(client, "POST", f"{_CONVENTIONS}/{name}/{what}", json=body)
    return said
