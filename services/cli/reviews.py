"""Commands on the yearly life of a convention: the meeting, the insurance, the year in numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from services.chassis import words
from services.chassis.pages.rendering import ROOT, standalone
from services.chassis.pages.reviews import AWAITED
from services.chassis.spreadsheet import HIDDEN, why_hidden
from services.cli.acting import Name, Org, manager, read_day
from services.cli.output import (
    AsJson,
    BadUsage,
    Command,
    running_federation,
    say,
    show,
    table,
)
from services.federation.calls import call, fetch
from services.federation.config import installed

_CONVENTIONS: Final = "/api/v1/conventions"

PageFile = Annotated[
    Path | None, typer.Option("--page", help="Écrit une page à ouvrir dans un navigateur.")
]


def add(conventions: typer.Typer) -> None:
    """Add these commands to those on conventions."""
    for command in (review, insure, publish, report, indicators):
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


def publish(
    name: Name,
    org: Org,
    year: Annotated[int, typer.Option(help="Année où commence celle qui est finie.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Arrête le bilan d'une année finie : elle est comptée une fois pour toutes."""
    said = _post(name, org, "reports", {"year": year})
    if as_json:
        show(said)
    else:
        say(f"Bilan arrêté, du {said['first_day']} au {said['last_day']} ; il ne change plus.")


def report(
    name: Name,
    org: Org,
    year: Annotated[
        int | None, typer.Option(help="Année où commence celle du bilan ; sinon, la dernière.")
    ] = None,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Pour d'autres que les parties : plus est caché.")
    ] = False,
    page: PageFile = None,
    csv: Annotated[bool, typer.Option("--csv", help="Répond pour un tableur.")] = False,
    as_json: AsJson = False,
) -> None:
    """Montre le bilan arrêté d'une année, sans qu'un petit nombre désigne quelqu'un."""
    asked = {"audience": "public" if public else "parties"}
    if year is not None:
        asked["year"] = str(year)
    path = f"{_CONVENTIONS}/{name}/report"
    with manager(running_federation(), org) as client:
        if page is not None:
            _save(client, f"{ROOT}/conventions/{name}/report", page, asked)
            return
        if csv:
            sys.stdout.buffer.write(fetch(client, f"{path}.csv", params=asked))
            return
        found = call(client, "GET", path, params=asked)
    if as_json:
        show(found)
        return
    say(f"{found['title']} : du {found['first_day']} au {found['last_day']} ({found['article']})")
    say(f"{HIDDEN} : {why_hidden(found)}")
    say()
    table(["Article", "Indicateur", "Nombre"], list(_rows(found["tables"])))


def indicators(name: Name, org: Org, *, page: PageFile = None, as_json: AsJson = False) -> None:
    """Montre les six indicateurs de la convention D, de chaque année transmise."""
    with manager(running_federation(), org) as client:
        if page is not None:
            _save(client, f"{ROOT}/conventions/{name}/yearly-indicators", page, {})
            return
        asked = {"convention_id": name}
        years = call(client, "GET", "/api/v1/yearly-indicators", params=asked)
    if as_json:
        show(years)
        return
    titles = words.titles(installed())
    for year in years:
        say(f"Au {year['counted_on']}")
        rows = [[titles[what], _cell(cell)] for what, cell in year["cells"].items()]
        table(["Indicateur", "Nombre"], rows)


def _save(client: httpx.Client, path: str, file: Path, asked: dict[str, str]) -> None:
    """Write a page of a node to a file that a browser opens by itself. Raises BadUsage."""
    content = standalone(fetch(client, path, params=asked).decode())
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise BadUsage(f"Le fichier {file} ne s'écrit pas ({error.strerror}).") from None
    say(f"Page écrite : {file}")


def _cell(cell: int | str | None) -> str:
    if cell is None:
        return AWAITED
    return HIDDEN if cell == "hidden" else str(cell)


def _rows(tables: list[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for one in tables:
        rows.append([one["article"], one["label"], _number(one["total"])])
        rows += [["", f"  {cell['label']}", _number(cell["number"])] for cell in one["cells"]]
    return rows


def _number(value: int | None) -> str:
    return HIDDEN if value is None else str(value)


def _post(name: str, org: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    with manager(running_federation(), org) as client:
        said: dict[str, Any] = call(client, "POST", f"{_CONVENTIONS}/{name}/{what}", json=body)
    return said
