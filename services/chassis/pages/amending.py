"""An amendment: one party proposes it by signing it, the others sign the same text.

It gives the convention another last day. Its text is the one before with that day, the parties'
keys of today and the decisions that authorise it; all of it goes through the API, which signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.documents import kid_of, public_key
from contracts.kernel.errors import UnknownName
from contracts.kernel.signed import SignedConvention
from contracts.kernel.terms import Party, Signed, Terms
from services.chassis.core import Core
from services.chassis.governance import own_convention
from services.chassis.node import Node
from services.chassis.pages import texts
from services.chassis.pages.content import name_of
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.rendering import ROOT, render
from services.chassis.pages.wording import Faults, faults_of
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import Right

PLACE: Final = f"{ROOT}/conventions"

_DAY: Final = timedelta(days=1)
_SAID: Final = {
    "until": "Le dernier jour n'est pas un jour possible.",
    "effective_on": "Ce n'est pas un jour possible.",
    "signed_on": "Ce n'est pas un jour possible.",
    "evidence": "Une empreinte SHA-256 a 64 chiffres ou lettres de a à f.",
    "decision": "Une décision tient en quelques mots.",
}
"""What to write beside a field that the API refuses."""
_OWN: Final = frozenset(("until", "effective_on", "signed_on", "evidence"))
_BLANK: Final = "Remplissez ce champ."
_TICK: Final = "Cochez cette case pour confirmer."
_DECISION: Final = "decision-"


def amended(core: Core, signed: SignedConvention, typed: Mapping[str, str]) -> dict[str, Any]:
    """The text of an amendment as the API takes it: what was typed, on the last version's text."""
    last = signed.versions[-1].terms
    parties = [
        {**party.model_dump(mode="json"), "signing_key": _key(core, party), "decision": decision}
        for party in last.parties
        if (decision := typed.get(f"{_DECISION}{party.org}", "").strip() or party.decision)
    ]
    return {
        **last.model_dump(mode="json"),
        "version": last.version + 1,
        "parties": parties,
        "evidence": typed.get("evidence", "").strip().lower(),
        "effective_on": typed.get("effective_on", "").strip() or None,
        "until": _day_after(typed.get("until", "").strip()),
    }


def _key(core: Core, party: Party) -> str:
    """Name of the key with which a party signs today."""
    if party.org == core.org:
        return core.keys.kid
    entry = core.directory.entry(party.org)
    return party.signing_key if entry is None else kid_of(public_key(entry.signing_key.x))


def _day_after(last_day: str) -> str:
    """The first day after the last one; what is no day is left for the API to refuse."""
    try:
        return (date.fromisoformat(last_day) + _DAY).isoformat()
    except (ValueError, OverflowError):
        return last_day


def awaiting(core: Core, signed: SignedConvention) -> list[Signed]:
    """Versions that others signed and we have not."""
    return [one for one in signed.versions if core.org not in one.signed_on]


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of amendments."""
    if node.settings.sign_in is None:
        return []
    pages = _Pages(node, api)
    return [
        Route("/conventions/{convention_id}/amendment", pages.shown),
        Route("/conventions/{convention_id}/amendment", pages.propose, methods=["POST"]),
        Route("/conventions/{convention_id}/versions/{version}", pages.sign, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api

    async def shown(self, request: Request) -> Response:
        """What waits for our signature, and a form to propose another."""
        session = await at_desk(self._node, request, Right.CONVENTIONS)
        return self._page(session, self._signed(request))

    async def propose(self, request: Request) -> Response:
        """Sign an amendment of our own."""
        session = await at_desk(self._node, request, Right.CONVENTIONS)
        typed, signed = dict(await form_of(request, session)), self._signed(request)
        needed = ("until", "evidence", "signed_on")
        blank = {name: _BLANK for name in needed if not typed.get(name, "").strip()}
        if not typed.get("sure"):
            blank["sure"] = _TICK
        if blank:
            faults = Faults("Rien n'a été signé : il manque quelque chose.", (), blank)
            return self._page(session, signed, typed, faults)
        return await self._sent(session, signed, amended(self._node.core, signed, typed), typed)

    async def sign(self, request: Request) -> Response:
        """Sign what another party proposed, as it stands."""
        session = await at_desk(self._node, request, Right.CONVENTIONS)
        typed, signed = dict(await form_of(request, session)), self._signed(request)
        number = request.path_params["version"]
        found = (
            one for one in awaiting(self._node.core, signed) if str(one.terms.version) == number
        )
        version = next(found, None)
        if version is None:
            raise UnknownName("Aucune version de ce numéro n'attend votre signature.")
        prefix = f"version-{number}-"
        blank = {} if typed.get("signed_on", "").strip() else {f"{prefix}signed_on": _BLANK}
        if not typed.get("sure"):
            blank[f"{prefix}sure"] = _TICK
        if blank:
            faults = Faults("Rien n'a été signé : il manque quelque chose.", (), blank)
            return self._page(session, signed, typed, faults)
        terms = version.terms.model_dump(mode="json")
        return await self._sent(session, signed, terms, typed, prefix)

    async def _sent(
        self,
        session: Session,
        signed: SignedConvention,
        terms: Mapping[str, Any],
        typed: Mapping[str, str],
        prefix: str = "",
    ) -> Response:
        body = {"terms": terms, "signed_on": typed["signed_on"].strip()}
        answer = await self._api.call(session.agent, "POST", "/conventions", body)
        if not answer.done:
            faults = _placed(faults_of(answer, _SAID), typed, prefix)
            page = self._page(session, signed, typed, faults)
            page.status_code = answer.status
            return page
        return RedirectResponse(f"{PLACE}/{signed.id}?done=signature", HTTPStatus.SEE_OTHER)

    def _signed(self, request: Request) -> SignedConvention:
        return own_convention(self._node.core, request.path_params["convention_id"])

    def _page(
        self,
        session: Session,
        signed: SignedConvention,
        typed: Mapping[str, str] | None = None,
        faults: Faults | None = None,
    ) -> HTMLResponse:
        core, last = self._node.core, signed.versions[-1].terms
        page = render(
            "convention_amendment.html",
            place=PLACE,
            org=self._node.settings.name,
            session=session,
            convention_id=signed.id,
            title=signed.convention.title,
            partners=texts.partners(core, signed),
            article=signed.convention.amendment_article,
            waiting=[(one, _read(core, one.terms)) for one in awaiting(core, signed)],
            complete=all(one.complete for one in signed.versions),
            parties=[
                (f"{_DECISION}{one.org}", name_of(core, one.org), one.decision)
                for one in last.parties
            ],
            typed=typed or {},
            faults=faults,
        )
        status = HTTPStatus.OK if faults is None else HTTPStatus.UNPROCESSABLE_ENTITY
        return HTMLResponse(page, status)


def _placed(faults: Faults, typed: Mapping[str, str], prefix: str) -> Faults:
    """The same, by the names of the form's own fields."""
    fields = {f"{prefix}{name}": said for name, said in faults.fields.items() if name in _OWN}
    if "decision" in faults.fields:
        decisions = (name for name in typed if name.startswith(_DECISION))
        fields |= dict.fromkeys(decisions, faults.fields["decision"])
    return replace(faults, fields=fields)


def _read(core: Core, terms: Terms) -> dict[str, Any]:
    """What somebody reads before signing it."""
    return {
        "last_day": None if terms.until is None else terms.until - _DAY,
        "effective_on": terms.effective_on,
        "decisions": [(name_of(core, one.org), one.decision) for one in terms.parties],
        "evidence": terms.evidence,
    }
