"""*Exploitation*: letters on their way, dead letters, partners' reachability, keys and traces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.chassis import words
from services.chassis.core import Core
from services.chassis.node import Node
from services.chassis.pages.content import name_of
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.rendering import ROOT, instant_in_words, render
from services.chassis.pages.traces import Way, known_here, observed
from services.chassis.pages.wording import Faults, faults_of, length_in_words
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import Right
from services.chassis.working import Working, certificates, working

PLACE: Final = f"{ROOT}/operation"
SOON: Final = timedelta(days=7)
"""How long before its end a key or a certificate is said to near it."""

_LATE: Final = timedelta(minutes=5)
"""After that long without the registrar, the directory may be behind."""
_ID: Final = re.compile(r"[0-9a-f]{32}")
_FAILED: Final = "failed:"
_CERTIFICATES: Final = {
    "own": "Certificat du lien avec le serveur de messages",
    "authority": "Autorité qui signe ce certificat",
}
_NEVER: Final = "jamais"


@dataclass(frozen=True, slots=True)
class Ending:
    """A key or a certificate, and when it ends. soon: in words, where somebody must act."""

    name: str
    until: str
    soon: str


def reason_in_words(reason: str) -> str:
    """Why a letter is dead, as people read it."""
    if reason.startswith(_FAILED):
        code = reason.removeprefix(_FAILED)
        return f"le traitement a échoué ({words.CODES.get(code, code)})"
    return words.STATES.get(reason) or words.CODES.get(reason, reason)


def endings(node: Node, at: datetime) -> list[Ending]:
    """What ends one day: own keys, those of partners as their entries say, certificates."""
    found: list[tuple[str, datetime | None]] = [
        ("Clé de chiffrement, remplacée chaque mois par le nœud", node.keys.encryption_until)
    ]
    found += [(_CERTIFICATES[name], until) for name, until in certificates(node.settings)]
    return [_ending(name, until, at) for name, until in found]


def _ending(name: str, until: datetime | None, at: datetime) -> Ending:
    if until is None:
        return Ending(name, "illisible", "à vérifier")
    return Ending(name, instant_in_words(until), _nearness(until, at))


def _nearness(until: datetime | None, at: datetime) -> str:
    if until is None or until > at + SOON:
        return ""
    return "finie" if until <= at else f"plus que {length_in_words(until - at)}"


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of the operator."""
    if node.settings.sign_in is None:
        return []
    pages = _Pages(node, api)
    return [
        Route("/operation", pages.first),
        Route("/operation/state", pages.state),
        Route("/operation/message", pages.message),
        Route("/operation/dead-letters/{dead_id}/retry", pages.retry, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api

    async def first(self, request: Request) -> Response:
        """The whole page."""
        session = await at_desk(self._node, request, Right.OPERATE)
        said = request.query_params.get("retried", "").split(",")
        retried = [words.STATES[one] for one in said if one in words.STATES and one]
        return await self._shown(session, retried=retried, faults=None)

    async def state(self, request: Request) -> Response:
        """The part that follows by itself; nothing while it is unchanged."""
        session = await at_desk(self._node, request, Right.OPERATE, somebody=False)
        inner, seen = await self._inner(session)
        if request.query_params.get("seen") == seen:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return HTMLResponse(render("parts/operation_live.html", inner=inner, seen=seen))

    async def retry(self, request: Request) -> Response:
        """Handle a dead letter again, as the API does."""
        session = await at_desk(self._node, request, Right.OPERATE)
        await form_of(request, session)
        dead_id = request.path_params["dead_id"]
        path = f"/dead-letters/{dead_id if _ID.fullmatch(dead_id) else 'none'}/retry"
        answer = await self._api.call(session.agent, "POST", path)
        if answer.done:
            told = answer.content["outcome"]
            return RedirectResponse(f"{PLACE}?retried={told}", HTTPStatus.SEE_OTHER)
        page = await self._shown(session, retried=[], faults=faults_of(answer))
        page.status_code = answer.status
        return page

    async def message(self, request: Request) -> Response:
        """One message's way."""
        session = await at_desk(self._node, request, Right.OPERATE)
        asked = request.query_params.get("number", "").strip().lower()
        core, faults, found = self._node.core, None, None
        if _ID.fullmatch(asked):
            found = await self._way(core, asked)
            if found is None:
                faults = _fault("Aucun message de ce numéro n'est parti d'ici, ni arrivé ici.")
        else:
            faults = _fault("Un numéro de message a 32 chiffres ou lettres de a à f.")
        values: Mapping[str, Any] = {"asked": asked[:64], "faults": faults, "way": found}
        page = self._page("operation_message.html", session, **values)
        if faults is not None:
            page.status_code = HTTPStatus.NOT_FOUND
        return page

    async def _way(self, core: Core, message_id: str) -> Way | None:
        here = await self._node.database.read(lambda c: known_here(c, core, message_id))
        if here is None:
            return None  # the observer is asked for no message but our own
        return await observed(self._node.settings.otlp_endpoint, message_id, core) or here

    async def _shown(
        self, session: Session, *, retried: list[str], faults: Faults | None
    ) -> HTMLResponse:
        inner, seen = await self._inner(session)
        values: Mapping[str, Any] = {"inner": inner, "seen": seen, "retried": retried}
        return self._page("operation.html", session, faults=faults, **values)

    async def _inner(self, session: Session) -> tuple[Markup, str]:
        """The live part, and what it is known by while it stays as it is."""
        core, at = self._node.core, self._node.clock.now()
        found = await self._node.database.read(lambda c: working(c, core))
        inner = render("parts/operation_state.html", session=session, **self._told(found, at))
        return Markup(inner), sha256(inner.encode()).hexdigest()[:16]  # noqa: S704 -- our own template, which escapes

    def _told(self, found: Working, at: datetime) -> dict[str, Any]:
        core = self._node.core
        synced, since = core.synced_at, self._node.keys.signing_since
        return {
            "waiting": [(words.STATES[state], n) for state, n in sorted(found.waiting.items())],
            "oldest": None if found.oldest is None else length_in_words(at - found.oldest),
            "failing": [(reason_in_words(code), n) for code, n in sorted(found.failing.items())],
            "dead": [_dead(core, one) for one in found.dead],
            "dead_count": found.dead_count,
            "partners": list(_partners(core, found, at)),
            "endings": endings(self._node, at),
            "signing": self._node.keys.kid,
            "signing_since": None if since is None else instant_in_words(since),
            "secured": self._node.settings.nats_tls is not None,
            "synced": None if synced is None else length_in_words(at - synced),
            "behind": synced is None or at - synced > _LATE,
            "entries": len(core.directory.entries),
            "conventions": len(core.directory.conventions),
            "rejected": sorted(
                (words.CODES.get(code, code), n) for code, n in core.directory.rejected.items()
            ),
        }

    def _page(self, template: str, session: Session, **values: Any) -> HTMLResponse:  # noqa: ANN401 -- template's values
        org = self._node.settings.name
        return HTMLResponse(render(template, place=PLACE, org=org, session=session, **values))


def _fault(sentence: str) -> Faults:
    return Faults(sentence, (), {"number": sentence})


def _dead(core: Core, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "sender": name_of(core, one["sender"]) if one["sender"] else "inconnu",
        "reason": reason_in_words(one["reason"]),
        "failed": instant_in_words(datetime.fromisoformat(one["failed_at"])),
    }


def _partners(core: Core, found: Working, at: datetime) -> Iterator[dict[str, Any]]:
    for one in found.partners:
        yield {
            "name": name_of(core, one.org),
            "receipt": _when(one.last_receipt),
            "arrival": _when(one.last_arrival),
            "entry": "absente" if one.entry_of is None else instant_in_words(one.entry_of),
            "until": _when(one.keys_until),
            "soon": _nearness(one.keys_until, at),
        }


def _when(at: datetime | None) -> str:
    return _NEVER if at is None else instant_in_words(at)
