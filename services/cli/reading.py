"""Commands that read: the matrix, a decision, a trace, the journals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from contracts.export import BASES
from contracts.gate import instrument_checks
from contracts.kernel.errors import InvalidDocument, UnknownName
from contracts.kernel.instrument import Flow, Instrument
from services.chassis import words
from services.chassis.chain import Head, Report, from_json_lines, verify_lines
from services.chassis.tokens import Role
from services.cli.obligations import NATURES, kept
from services.cli.output import (
    AsJson,
    Command,
    federation,
    group,
    running_federation,
    say,
    show,
    table,
    when,
    wrapped,
)
from services.federation.calls import CallRefused, call
from services.federation.config import ToSign, installed
from services.federation.federation import Federation
from services.federation.layout import OBSERVER, TRACES
from services.observer.page import render_text
from services.observer.store import Store

MessageId = Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="Numéro du message.")]

_JOURNAL: Final = "/api/v1/journal"
_INDENT: Final = "    "
_REPLAYS: Final = {
    "same": "identique",
    "different": "différent",
    "inputs erased": "entrées effacées",
    "rules gone": "règles disparues",
}
_INVALID: Final = (
    "Le contenu n'avait pas la forme de ce message, ou cachait un numéro ou une adresse. La "
    "réponse a nommé les champs en cause ; le journal n'en garde rien."
)
_FAULTS: Final = {
    "gap": "des lignes manquent avant elle",
    "broken_link": "elle ne suit pas la ligne précédente",
    "altered": "son contenu n'est plus celui qui fut scellé",
    "inputs_altered": "ce qui fonda la décision a changé",
    "rewritten": "un partenaire en tient une autre",
    "cut": "la fin du journal manque",
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


def matrix(
    *,
    obligations: Annotated[
        bool,
        typer.Option("--obligations", help="Ce que chaque texte demande, et où c'est tenu."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Dit qui peut dire quoi à qui, et par quel article."""
    if obligations:
        _obligations(as_json=as_json)
        return
    signed = _signed()
    found = [(flow, _permission(one, flow, signed)) for one, flow in installed().flows()]
    if as_json:
        show([row for _, row in found])
        return
    for flow, row in found:
        sender, receiver = flow.sender.label, flow.receiver.label
        wrapped(f"{sender} → {receiver} : {row['label']} ({row['type']})")
        wrapped(f"article {row['article']}, {BASES[flow.legal_basis]}", _INDENT)
        wrapped(f"contrôles : {', '.join(row['said'])}", _INDENT)
        pairs = " ; ".join(f"{one['from']} → {one['to']}" for one in row["between"])
        wrapped(f"dans cette fédération : {pairs or 'personne'}", _INDENT)


def _obligations(*, as_json: bool) -> None:
    found = kept(installed().conventions.values(), Path(__file__).parents[2])
    if as_json:
        show([one.as_json() for one in found])
        return
    for one in found:
        asked = one.obligation
        natures = ", ".join(NATURES[nature] for nature in asked.natures)
        wrapped(f"{asked.id} ({_article(asked.article)} ; {natures}) : {asked.asks}")
        _listed("tenue par", one.homes, "rien dans ce logiciel")
        if one.tests is not None:
            _listed("prouvée par", one.tests, "aucun test")
    if any(one.tests is None for one in found):
        say()
        say("Les tests ne sont pas installés ici : ce qui prouve chaque obligation n'est pas dit.")


def _article(name: str) -> str:
    return f"article {name}" if name.isdecimal() else name


def _listed(what: str, names: Sequence[str], nothing: str) -> None:
    """A few names, one a line: a path is never broken."""
    say(f"{_INDENT}{what} : {nothing if not names else ''}".rstrip())
    for name in names:
        say(f"{_INDENT}{_INDENT}{name}")


def _signed() -> list[ToSign]:
    """Conventions of the federation that is kept here; none where there is none."""
    try:
        return federation().layout.federation.to_sign(installed())
    except UnknownName:
        return []


def _permission(instrument: Instrument, flow: Flow, signed: Sequence[ToSign]) -> dict[str, Any]:
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
        "said": [f"{words.asked(check)} ({check.article})" for check in checks],
        "between": [
            {"from": one.org_of(flow.sender), "to": one.org_of(flow.receiver)}
            for one in signed
            if one.convention == instrument.code
        ],
    }


@contextmanager
def readers(running: Federation) -> Iterator[dict[str, httpx.Client]]:
    """Clients of every node, in the role that may read its journal."""
    with ExitStack() as opened:
        yield {
            org: opened.enter_context(running.client(org, Role.DPO, "cli"))
            for org in running.layout.orgs
        }


def explain(message_id: MessageId, *, as_json: AsJson = False) -> None:
    """Rejoue les décisions prises sur un message."""
    found: dict[str, list[dict[str, Any]]] = {}
    with readers(running_federation()) as clients:
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
    refused = f" par {articles}" if articles and decision["outcome"] != "allowed" else ""
    event = words.EVENTS.get(decision["event"], decision["event"])
    about = words.message(decision["flow"] or "", installed())
    outcome = words.STATES.get(decision["outcome"], decision["outcome"])
    wrapped(f"{org}, {when(decision['at'])} : {event} ({about}), {outcome}{refused}")
    if decision["outcome"] == "invalid" and decision["event"] == "message.refused":
        wrapped(_INVALID, _INDENT)
    if "replay" in decision:
        replay = _REPLAYS.get(decision["replay"], decision["replay"])
        wrapped(f"règles {decision['rules']}, rejeu : {replay}", _INDENT)
    for reason in decision.get("reasons", ()):
        wrapped(f"{reason['article']} : {reason['sentence']}", _INDENT)


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
            "arriver, et seules les plus récentes sont gardées."
        )
    if as_json:
        show([one.as_json() for one in found])
        return
    for one in found:
        say(render_text(one))
        if known.running:
            say(f"Page : {known.url(OBSERVER)}/traces/{one.trace_id}")


def export(
    org: Annotated[str, typer.Argument(metavar="ORG", help="Organisme.")],
) -> None:
    """Écrit le journal d'un organisme, une ligne JSON par écriture ; rien de personnel."""
    with running_federation().client(org, Role.DPO, "cli") as client:
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
    reports = (
        {str(file): _verify_file(file)} if file is not None else _verify_nodes(running_federation())
    )
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
            fault = _FAULTS.get(problem["code"], problem["code"])
            say(f"{name} : {problem['chain']} ligne {problem['seq']}, {fault}")


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
            heads = call(client, "GET", f"{_JOURNAL}/witnessed/{org}")
            found |= {Head(one["chain"], one["seq"], one["hash"]) for one in heads}
    return found


def _still_there(client: httpx.Client, head: Head) -> bool:
    if head.seq == 0:
        return True
    lines = call(client, "GET", _JOURNAL, params={"since": head.seq - 1})
    return any(
        (one["chain"], one["seq"], one["hash"]) == (head.chain, head.seq, head.hash)
        for one in lines
    )
