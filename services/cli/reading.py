"""Commands that read: the matrix, a decision, a trace, the journals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from contracts import registry
from contracts.gate import instrument_checks
from contracts.kernel.errors import InvalidDocument, Unavailable, UnknownName
from contracts.kernel.instrument import Flow, Instrument
from services.chassis.journal import Head, Report, from_json_lines, verify_lines
from services.chassis.tokens import Role
from services.cli.output import AsJson, Command, federation, group, say, show, table
from services.federation.calls import CallRefused, call
from services.federation.federation import Federation
from services.federation.layout import OBSERVER, TRACES
from services.observer.page import render_text
from services.observer.store import Store

MessageId = Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="Numéro du message.")]

_JOURNAL: Final = "/api/v1/journal"
_WORDS: Final = {
    "allowed": "autorisé",
    "refused": "refusé",
    "received": "reçu",
    "same": "identique",
    "different": "différent",
    "inputs erased": "entrées effacées",
    "rules gone": "règles disparues",
}
_NOT_FOUND: Final = frozenset(("unknown", "http_404"))


def add(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (matrix, explain, trace):
        app.command(cls=Command)(command)
    journal = group("Exporte et vérifie les journaux.")
    journal.command("verify", cls=Command)(verify)
    journal.command("export", cls=Command)(export)
    app.add_typer(journal, name="journal")


def matrix(*, as_json: AsJson = False) -> None:
    """Dit qui peut dire quoi à qui, et par quel article."""
    rows = [_permission(instrument, flow) for instrument, flow in registry.load().flows()]
    if as_json:
        show(rows)
        return
    for row in rows:
        say(f"{row['from']} → {row['to']} : {row['label']} ({row['type']})")
        say(f"    {row['instrument']}, article {row['article']}, base légale {row['legal_basis']}")
        say(f"    contrôles : {', '.join(row['gates'])}")


def _permission(instrument: Instrument, flow: Flow) -> dict[str, Any]:
    checks = (*instrument_checks(instrument, flow), *flow.checks)
    return {
        "instrument": instrument.code,
        "type": flow.type,
        "label": flow.label,
        "from": flow.sender.value,
        "to": flow.receiver.value,
        "article": flow.article,
        "purpose": flow.purpose,
        "legal_basis": flow.legal_basis.value,
        "gates": [f"{type(check).__name__} {check.article}" for check in checks],
    }


@contextmanager
def readers(running: Federation) -> Iterator[dict[str, httpx.Client]]:
    """Clients of every node, in the role that may read its journal. Raises Unavailable."""
    if not running.running:
        raise Unavailable("La fédération ne tourne pas : lancez « relais up ».", code="not_up")
    with ExitStack() as opened:
        yield {
            org: opened.enter_context(running.client(org, Role.DPO, "cli"))
            for org in running.layout.orgs
        }


def explain(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Rejoue les décisions prises sur un message."""
    found: dict[str, list[dict[str, Any]]] = {}
    with readers(federation()) as clients:
        for org, client in clients.items():
            try:
                found[org] = call(client, "GET", f"/api/v1/messages/{message_id}/decision")
            except CallRefused as error:
                if error.code not in _NOT_FOUND:
                    raise
    if not found:
        raise UnknownName(f"Aucun nœud de cette fédération n'a jugé le message {message_id}.")
    if as_json:
        show(found)
        return
    for org, decisions in found.items():
        for one in decisions:
            _explain(org, one)


def _explain(org: str, decision: dict[str, Any]) -> None:
    articles = ", ".join(decision["articles"])
    refused = f" par {articles}" if articles else ""
    say(f"{org}, {decision['at']} : {decision['event']}, {_word(decision['outcome'])}{refused}")
    if "replay" in decision:
        say(f"    règles {decision['rules']}, rejeu : {_word(decision['replay'])}")
    for reason in decision.get("reasons", ()):
        say(f"    {reason['article']} : {reason['sentence']}")


def _word(code: str) -> str:
    return _WORDS.get(code, code)


def trace(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Montre le chemin d'un message à travers les organismes."""
    known = federation()
    store = Store(known.layout.folder(OBSERVER) / TRACES)
    try:
        found = store.by_message(message_id)
    finally:
        store.close()
    if not found:
        raise UnknownName(
            f"Aucune trace ne porte le message {message_id} : elle met quelques secondes à "
            f"arriver, puis se lit aussi sur {known.url(OBSERVER)}/."
        )
    if as_json:
        show([one.as_json() for one in found])
        return
    for one in found:
        say(render_text(one))
        say(f"Page : {known.url(OBSERVER)}/traces/{one.trace_id}")


def export(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organisme.")],
) -> None:
    """Écrit le journal d'un organisme, une ligne JSON par écriture ; rien de personnel."""
    with federation().client(org, Role.DPO, "cli") as client:
        after = 0
        while lines := call(client, "GET", _JOURNAL, params={"since": after}):
            for line in lines:
                say(json.dumps(line, ensure_ascii=False, sort_keys=True))
            after = lines[-1]["seq"]


def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Journal exporté (JSON Lines).")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Vérifie un journal exporté, ou ceux des nœuds.

    Chaque nœud vérifie le sien ; ce que ses partenaires en tiennent doit s'y retrouver.
    Sort avec le code 1 si une ligne ne tient pas.
    """
    reports = {str(file): _verify_file(file)} if file is not None else _verify_nodes(federation())
    if as_json:
        show(reports)
    else:
        _tell(reports)
    if not all(report["ok"] for report in reports.values()):
        raise typer.Exit(1)


def _tell(reports: dict[str, dict[str, Any]]) -> None:
    rows = [(n, r["ok"], r["lines"], r["witnessed"]) for n, r in reports.items()]
    table(("Journal", "Tient", "Lignes", "Têtes tenues ailleurs"), rows)
    for name, report in reports.items():
        for problem in report["problems"]:
            say(f"{name} : {problem['chain']} ligne {problem['seq']}, {problem['code']}")


def _verify_file(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as lines:
            report = verify_lines(from_json_lines(lines))
    except OSError as error:
        raise UnknownName(f"Le fichier {path} ne se lit pas ({error.strerror}).") from None
    except (InvalidDocument, UnicodeDecodeError):
        raise InvalidDocument(
            f"{path} n'est pas un journal exporté : une ligne JSON par écriture est attendue."
        ) from None
    return _reported(report)


def _reported(report: Report) -> dict[str, Any]:
    problems = [{"chain": p.chain, "seq": p.seq, "code": p.code} for p in report.problems]
    return {"ok": report.ok, "lines": report.lines, "witnessed": 0, "problems": problems}


def _verify_nodes(running: Federation) -> dict[str, dict[str, Any]]:
    """Each node verifies its own chain; then every head a partner holds must still be in it."""
    reports: dict[str, dict[str, Any]] = {}
    with readers(running) as clients:
        for org, client in clients.items():
            own = call(client, "GET", f"{_JOURNAL}/verification")
            held = _witnessed(org, clients)
            rewritten = [
                {"chain": head.chain, "seq": head.seq, "code": "rewritten"}
                for head in held
                if not _still_there(client, head)
            ]
            reports[org] = {
                "ok": own["ok"] and not rewritten,
                "lines": own["lines"],
                "witnessed": len(held),
                "problems": [*own["problems"], *rewritten],
            }
    return reports


def _witnessed(org: str, clients: dict[str, httpx.Client]) -> set[Head]:
    found: set[Head] = set()
    for other, client in clients.items():
        if other != org:
            said = call(client, "GET", f"{_JOURNAL}/witnessed/{org}")
            found |= {Head(one["chain"], one["seq"], one["hash"]) for one in said}
    return found


def _still_there(client: httpx.Client, head: Head) -> bool:
    if head.seq == 0:
        return True
    lines = call(client, "GET", _JOURNAL, params={"since": head.seq - 1})
    return any(
        (one["chain"], one["seq"], one["hash"]) == (head.chain, head.seq, head.hash)
        for one in lines
    )
