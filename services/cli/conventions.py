"""Commands on signed conventions: list, show, sign, amend, give notice, suspend, resume."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from contracts.kernel.errors import InvalidDocument, UnknownName
from contracts.kernel.terms import ActKind, Terms
from services.cli import holds, reviews
from services.cli.acting import Name, Org, manager, read_day
from services.cli.output import (
    AsJson,
    BadUsage,
    Command,
    group,
    pairs,
    running_federation,
    say,
    show,
    table,
)
from services.federation.calls import call
from services.federation.federation import Federation

_CONVENTIONS: Final = "/api/v1/conventions"
_STATES: Final = {
    "draft": "projet",
    "signed": "signée",
    "in_force": "en vigueur",
    "notice_given": "préavis en cours",
    "suspended": "suspendue",
    "ended": "terminée",
    "purging": "destruction en cours",
    "purged": "détruite",
}
_HEADS: Final = {
    "convention_id": "Convention",
    "state": "État",
    "version": "Version",
    "signed_on": "Signée le",
    "ends_on": "Fin",
    "parties": "Parties",
}
_LABELS: Final = {
    **_HEADS,
    "convention": "Texte",
    "title": "Titre",
    "invented": "Inventée pour une démonstration",
    "next_review": "Prochain bilan",
    "purged_on": "Destruction au plus tard le",
    "purge": "Destruction prouvée",
    "act_id": "Acte",
}


def add(app: typer.Typer) -> None:
    """Add these commands."""
    conventions = group("Montre les conventions signées, les signe et les fait vivre.")
    conventions.command("list", cls=Command)(list_)
    for command in (show_, sign, amend, notice, suspend, resume):
        conventions.command(command.__name__.rstrip("_"), cls=Command)(command)
    reviews.add(conventions)
    holds.add(conventions)
    app.add_typer(conventions, name="convention")


def list_(*, as_json: AsJson = False) -> None:
    """Liste les conventions signées et leur état, calculé de leurs dates."""
    running = running_federation()
    found = list(_held(running).values())
    if as_json:
        show(found)
    elif found:
        table(list(_HEADS.values()), [[_words(one)[name] for name in _HEADS] for one in found])
        for one in found:
            gone = [org for org in one["parties"] if org not in running.layout.orgs]
            if gone:
                say(f"{one['convention_id']} : {', '.join(gone)} n'est plus dans la fédération.")
    else:
        say("Aucune convention signée. Celles du fichier de la fédération : relais convention sign")


def show_(name: Name, *, as_json: AsJson = False) -> None:
    """Montre une convention signée : dates, parties, empreintes de l'annexe."""
    running = running_federation()
    found = _held(running).get(name)
    if found is None:
        raise UnknownName(f"Aucun nœud ne tient la convention {name} : relais convention list")
    versions = [one.model_dump(mode="json") for one in running.texts(name)]
    if as_json:
        show({**found, "versions": versions})
        return
    _say_all(found)
    for version in versions:
        say()
        say(f"Version {version['version']}, preuve {version['evidence']}")
        for party in version["parties"]:
            say(f"    {party['org']} : {party['signatory']}, {party['decision']}")
            say(f"        empreinte {party['signing_key']}")


def sign(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Texte à signer (JSON) ; sinon ceux du fichier."),
    ] = None,
    org: Annotated[str | None, typer.Option("--org", help="Organisme qui signe FILE.")] = None,
    on: Annotated[str | None, typer.Option("--on", help="Date de signature de FILE.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Signe un texte avec la clé d'un organisme, ou toutes les conventions du fichier."""
    running = running_federation()
    if file is None:
        signed = running.sign()
    elif org is None or on is None:
        raise BadUsage(
            "Un texte se signe pour un organisme, à une date : --org ORG --on AAAA-MM-JJ"
        )
    else:
        body = {"terms": _text(file).model_dump(mode="json"), "signed_on": read_day(on).isoformat()}
        with manager(running, org) as client:
            signed = [str(call(client, "POST", _CONVENTIONS, json=body)["convention_id"])]
    if as_json:
        show({"signed": signed})
    else:
        say(f"Signé : {', '.join(signed)}." if signed else "Rien à signer : tout l'est déjà.")


def amend(
    name: Name,
    effective_on: Annotated[
        str | None, typer.Option(help="Jour d'effet, AAAA-MM-JJ ; sinon celui de la signature.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="Avenant signé sur papier (son condensat).")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="Date de signature, AAAA-MM-JJ.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Premier jour où le texte ne vaut plus, AAAA-MM-JJ.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Fait signer un avenant par toutes les parties, chacune dans son nœud.

    Sans option : l'avenant que le fichier de la fédération tient prêt.
    """
    running = running_federation()
    if (evidence, on, until, effective_on) == (None, None, None, None):
        terms = _planned(running, name)
    elif evidence is None or on is None:
        raise BadUsage("Un avenant porte sa preuve et sa date : --evidence FILE --on AAAA-MM-JJ")
    elif not evidence.is_file():
        raise UnknownName(f"Le fichier {evidence} n'existe pas : donnez l'avenant signé.")
    else:
        terms = running.amend(
            name,
            evidence=sha256(evidence.read_bytes()).hexdigest(),
            signed_on=read_day(on),
            effective_on=read_day(effective_on or on),
            until=None if until is None else read_day(until),
        )
    _said({"convention_id": name, "version": terms.version}, as_json=as_json)


def _planned(running: Federation, name: str) -> Terms:
    amendment = running.planned(name)
    if amendment is None:
        raise UnknownName(
            f"Le fichier de la fédération ne tient prêt aucun avenant à {name} : donnez-en un par "
            "--evidence FILE --on AAAA-MM-JJ"
        )
    return running.amend(name, **amendment)


def notice(
    name: Name,
    org: Org,
    received_on: Annotated[str | None, typer.Option(help="Réception de la lettre.")] = None,
    sent_on: Annotated[str | None, typer.Option(help="Envoi de la lettre.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Enregistre un préavis de résiliation, daté de sa lettre recommandée."""
    days = {"received_on": received_on, "sent_on": sent_on}
    dated = {key: read_day(value).isoformat() for key, value in days.items() if value is not None}
    if not dated:
        raise BadUsage("Un préavis porte la date de sa lettre : --received-on ou --sent-on.")
    _act(name, org, ActKind.TERMINATION_NOTICE, dated, as_json=as_json)


def suspend(name: Name, org: Org, *, as_json: AsJson = False) -> None:
    """Suspend une convention au nom d'un organisme ; plus rien n'y circule."""
    _act(name, org, ActKind.SUSPENSION, {}, as_json=as_json)


def resume(name: Name, org: Org, *, as_json: AsJson = False) -> None:
    """Lève la suspension qu'un organisme a posée."""
    _act(name, org, ActKind.RESUMPTION, {}, as_json=as_json)


def _act(name: str, org: str, kind: ActKind, dated: dict[str, str], *, as_json: bool) -> None:
    with manager(running_federation(), org) as client:
        body = {"kind": kind.value, **dated}
        _said(call(client, "POST", f"{_CONVENTIONS}/{name}/acts", json=body), as_json=as_json)


def _said(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show(answer)
    else:
        _say_all(answer)


def _say_all(values: dict[str, Any]) -> None:
    pairs({_LABELS.get(name, name): value for name, value in _words(values).items()})


def _words(values: dict[str, Any]) -> dict[str, Any]:
    """The same values, the state in French; where parties differ, that of each."""
    if "state" not in values:
        return values
    by_org = values.get("states", {})
    words = {org: _STATES.get(state, state) for org, state in by_org.items()}
    said = _STATES.get(values["state"], values["state"])
    if proof := values.get("purge"):
        counted = f"dossiers détruits : {proof['cases']}, conservés : {proof['kept']}"
        values = {**values, "purge": f"fin du {proof['ended_on']} ({counted}, {proof['article']})"}
    if len(set(words.values())) > 1:
        said = ", ".join(f"{word} ({org})" for org, word in words.items())
    return {**{name: value for name, value in values.items() if name != "states"}, "state": said}


def _held(running: Federation) -> dict[str, dict[str, Any]]:
    """Every convention that some node holds, with its state at each party.

    The rest is as the first party sees it: nodes learn of a change within a second of each other.
    """
    found: dict[str, dict[str, Any]] = {}
    for org in running.layout.orgs:
        with manager(running, org) as client:
            for one in call(client, "GET", _CONVENTIONS):
                known = found.setdefault(one["convention_id"], {**one, "states": {}})
                known["states"][org] = one["state"]
    return found


def _text(path: Path) -> Terms:
    try:
        return Terms.parse(path.read_bytes())
    except OSError as error:
        raise UnknownName(f"Le fichier {path} ne se lit pas ({error.strerror}).") from None
    except InvalidDocument as error:
        raise InvalidDocument(f"{path} n'est pas un texte à signer. {error.sentence}") from None
