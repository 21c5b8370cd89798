"""Commands that look after an installation: doctor, compile, purge, rotate."""

from __future__ import annotations

import difflib
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from contracts import registry
from contracts.kernel.errors import RelaisError
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import day_of
from services.chassis.nats_server import find_binary
from services.chassis.settings import read_secret
from services.cli.output import (
    AsJson,
    Command,
    federation,
    home,
    running_federation,
    say,
    show,
    table,
)
from services.cli.reading import readers
from services.federation import compose
from services.federation.calls import call
from services.federation.config import read_federation
from services.federation.layout import REGISTRAR, Layout
from services.federation.ports import answers

_PYTHON: Final = (3, 11)
_DISK: Final = 1024**3
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. advice: what to do when it fails."""

    name: str
    ok: bool
    detail: str
    advice: str


def add(app: typer.Typer) -> None:
    """Add these commands."""
    app.command(cls=Command)(doctor)
    app.command("compile", cls=Command)(compile_)
    app.command(cls=Command)(purge)
    app.command(cls=Command)(rotate)


def doctor(*, as_json: AsJson = False) -> None:
    """Examine la machine et le dossier ; dit quoi réparer."""
    findings = list(_findings())
    if as_json:
        show([asdict(one) for one in findings])
    else:
        rows = [(one.name, one.ok, one.detail) for one in findings]
        table(("Point", "Va", "Constat"), rows)
        for one in findings:
            if not one.ok:
                say(f"{one.name} : {one.advice}")
    if not all(one.ok for one in findings):
        raise typer.Exit(1)


def _findings() -> Iterator[Finding]:
    yield Finding(
        "python",
        sys.version_info >= _PYTHON,
        platform.python_version(),
        "installez Python 3.11 ou plus récent",
    )
    yield _nats_server()
    yield _disk(home())
    if not (home() / "federation.json").exists():
        return
    layout = Layout.load(home())
    running = federation().running
    state = "en marche" if running else "arrêtée : relais up la démarre"
    yield Finding("fédération", ok=True, detail=state, advice="")
    yield from _ports(layout, running=running)
    yield _clocks(layout)
    yield from _private_files(layout)


def _nats_server() -> Finding:
    try:
        binary = find_binary(os.environ)
    except RelaisError as error:
        return Finding("nats-server", ok=False, detail="introuvable", advice=error.sentence)
    return Finding("nats-server", ok=True, detail=str(binary), advice="")


def _disk(folder: Path) -> Finding:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    advice = "libérez au moins 1 Gio, ou placez RELAIS_HOME sur un autre disque"
    return Finding(
        "disque", free >= _DISK, f"{free / _DISK:.1f} Gio libres".replace(".", ","), advice
    )


def _ports(layout: Layout, *, running: bool) -> Iterator[Finding]:
    """Each port answers while the federation runs, and none while it does not."""
    wrong = [f"{name} {port}" for name, port in layout.ports.items() if answers(port) != running]
    if running:
        advice = "voyez « relais status » et le dossier logs/"
        detail = f"muets : {', '.join(wrong)}"
    else:
        advice = "arrêtez ce qui les occupe, ou supprimez ports.json pour en choisir d'autres"
        detail = f"déjà occupés : {', '.join(wrong)}"
    yield Finding("ports", not wrong, detail if wrong else f"{len(layout.ports)} ports", advice)


def _clocks(layout: Layout) -> Finding:
    """The machine's clock did not go back, and nobody left a node's clock moved."""
    newest = max(path.stat().st_mtime for path in layout.home.iterdir())
    ahead = datetime.fromtimestamp(newest, UTC) - datetime.now(UTC)
    if ahead > timedelta(minutes=2):
        advice = "réglez l'heure de cette machine (NTP) : elle a reculé"
        return Finding("horloge", ok=False, detail=f"{ahead} de retard", advice=advice)
    moved = [part for part in (REGISTRAR, *layout.orgs) if _moved(layout.clock_file(part))]
    detail = f"avancée à la main : {', '.join(moved)}" if moved else "celle de la machine"
    advice = "supprimez les fichiers « clock » de ces dossiers pour revenir à l'heure réelle"
    return Finding("horloge", not moved, detail, advice)


def _moved(clock_file: Path) -> bool:
    try:
        return float(clock_file.read_text(encoding="ascii")) != 0
    except FileNotFoundError:
        return False
    except ValueError:
        return True


def _private_files(layout: Layout) -> Iterator[Finding]:
    for org in layout.orgs:
        try:
            read_secret(layout.secret_file(org))
        except RelaisError as error:
            yield Finding(f"secret {org}", ok=False, detail=error.code, advice=error.sentence)
    files = [path for path in layout.home.rglob("*") if _is_private(path)]
    opened = [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]
    detail = ", ".join(map(str, opened)) if opened else f"{len(files)} fichiers fermés aux autres"
    yield Finding("fichiers privés", not opened, detail, "chmod 600 sur chacun de ces fichiers")


def _is_private(path: Path) -> bool:
    names = ("secret", "keys.json", "operator.json", "nats.json", "leaf.creds", "settings.yaml")
    return path.name in names or path.name.endswith("-key.pem")


def compile_(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="N'écrit rien ; code 1 si un fichier diffère.")
    ] = False,
    registers: Annotated[
        Path | None,
        typer.Option("--registers", help="Dossier où écrire les registres, en ODT, par organisme."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Écrit ce qui se déduit des conventions et du fichier de la fédération."""
    if registers is not None:
        _registers(registers, as_json=as_json)
        return
    wanted = {_ROOT / path: text for path, text in _exported().items()}
    stale = [path for path, text in wanted.items() if _content(path) != text]
    named = [str(path.relative_to(_ROOT)) for path in stale]
    if as_json:
        show({"files": len(wanted), "stale": named, "written": not check})
    elif check:
        for path in stale:
            _diff(path, wanted[path])
    if check:
        if stale:
            if not as_json:
                say("Ces fichiers ne suivent plus ce dont ils se déduisent : relais compile")
            raise typer.Exit(1)
        return
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    if not as_json:
        say(f"{len(stale)} fichiers écrits sur {len(wanted)}.")


def _registers(folder: Path, *, as_json: bool) -> None:
    """Write what each kind of organisation completes and signs, as office documents."""
    from services.chassis.registers.facts import Holder  # noqa: PLC0415 -- heavy, and only for this
    from services.chassis.registers.odt import odt  # noqa: PLC0415 -- likewise
    from services.chassis.registers.papers import papers  # noqa: PLC0415 -- likewise

    known, written = registry.load(), []
    for kind in Kind:
        place = folder / kind.value
        place.mkdir(parents=True, exist_ok=True)
        for paper in papers(known, Holder(kind=kind)):
            file = place / f"{paper.name}.odt"
            file.write_bytes(odt(paper, kind.label))
            written.append(str(file))
    if as_json:
        show({"files": written})
    else:
        say(f"{len(written)} registres écrits dans {folder}.")


def _exported() -> dict[str, str]:
    """Texts by path from the root of the project."""
    from contracts.export import export_all  # noqa: PLC0415 -- heavy, and only for this one

    known = registry.load()
    federation = read_federation(_ROOT / "deploy" / "federation.yaml", known)
    return {**export_all(known), **compose.files(federation)}


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _diff(path: Path, wanted: str) -> None:
    name = str(path.relative_to(_ROOT))
    before = (_content(path) or "").splitlines()
    lines = difflib.unified_diff(
        before, wanted.splitlines(), name, f"{name} (attendu)", lineterm=""
    )
    for line in lines:
        say(line)


def purge(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Dit ce qui serait détruit, sans y toucher.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Détruit ce dont le délai de conservation est passé."""
    done: dict[str, dict[str, Any]] = {}
    with readers(running_federation()) as clients:
        for org, client in clients.items():
            done[org] = call(client, "GET" if dry_run else "POST", "/api/v1/retention")
    if as_json:
        show({"dry_run": dry_run, "organisations": done})
        return
    if dry_run:
        _plan(done)
        return
    rows = [
        (org, len(one["cases"]), sum(one["rows"].values()), len(one["held"]))
        for org, one in done.items()
    ]
    table(("Organisme", "Détruits : dossiers", "lignes", "gardés (différend)"), rows)


def _plan(found: dict[str, dict[str, Any]]) -> None:
    """Rule by rule, what would go now, and when each strikes next; silent rules are left out."""
    for org, one in found.items():
        rows = [
            (rule["delay"], rule["article"], rule["due"], rule["held"], _day(rule["next_at"]))
            for rule in one["rules"]
            if rule["due"] or rule["held"] or rule["next_at"]
        ]
        say(f"{org} :")
        head = ("Règle", "Article", "À détruire", "Gardés (différend)", "Ensuite le")
        table(head, rows)
        quiet = len(one["rules"]) - len(rows)
        say(f"{quiet} autres règles n'ont rien à détruire, ni bientôt.")


def _day(instant: str | None) -> str:
    return "" if instant is None else day_of(datetime.fromisoformat(instant)).isoformat()


def rotate(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organisme.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Remplace la clé de signature d'un organisme ; ses partenaires suivent d'eux-mêmes."""
    with running_federation().client(org, "operator", "operateur-1") as client:
        done = call(client, "POST", "/api/v1/keys/rotation")
    if as_json:
        show(done)
        return
    say(f"{org} signe désormais avec la clé {done['kid']}.")
    say("L'ancienne ne signe plus rien ; elle vérifie encore les lettres en route, 31 jours.")
