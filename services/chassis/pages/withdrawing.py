"""One agreement: where it stands, its withdrawal, and what each recipient answered.

A withdrawal asks for no reason. One page says before what stops and who is told; afterwards the
agreement's own page follows the answers by itself. Where a partner collected it, its reference
stands for it: what rests on it stops here at once, and the collector tells the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final

from pydantic import BaseModel
from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.kernel.agreement import Proof
from contracts.kernel.errors import UnknownName
from contracts.kernel.paris import day_of
from services.chassis import letters, minors, standing, tables
from services.chassis.core import Core
from services.chassis.pages import agreed
from services.chassis.pages.agreed import (
    GIVERS,
    Message,
    Shown,
    Told,
    last_day_of,
    message_of,
)
from services.chassis.pages.content import name_of
from services.chassis.pages.forms import NOTHING_TYPED, content_of, fields_of, filled
from services.chassis.pages.part import AGREEMENTS, Part, asked_id, onward
from services.chassis.pages.refusals import refused
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.standing import ERASED
from services.chassis.tokens import RIGHTS, Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An agreement that a partner collected, as its proof says."""

    reference: str
    collector: str
    giver: str
    messages: Sequence[Message]
    given_on: date
    last_day: date
    withdrawn_on: date | None
    article: str = ""

    @property
    def live(self) -> bool:
        """Whether it may still be withdrawn."""
        return self.withdrawn_on is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What a withdrawal would stop here: letters not yet accepted, cases that are open."""

    letters: int
    cases: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """One thing that is said of an agreement beside its withdrawal: its form and its call."""

    right: Right
    model: type[BaseModel]
    title: str
    says: str
    button: str
    call: str


_WORDS: Final = {
    "hearing": _Word(
        right=Right.REGISTER,
        model=minors.Hearing,
        title="Écouter le jeune",
        says="Notez sa réponse, et si l'accord continue.",
        button="Enregistrer sa parole",
        call="hearing",
    ),
    "objection": _Word(
        right=Right.WITHDRAW,
        model=minors.Objection,
        title="Enregistrer une opposition",
        says="L'accord est suspendu tout de suite, chez tous les destinataires, jusqu'à la réponse "
        "due dans le mois.",
        button="Suspendre l'accord",
        call="objection",
    ),
    "objection-answer": _Word(
        right=Right.CONVENTIONS,
        model=minors.ObjectionAnswer,
        title="Répondre à l'opposition",
        says="Admise, l'accord est retiré partout. Levée, il reprend partout.",
        button="Enregistrer la réponse",
        call="objection/answer",
    ),
}


class Withdrawing:
    """Pages of one agreement."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [
            Route("/agreements/{agreement_id}", self.agreement),
            Route("/agreements/{agreement_id}/answers", self.answers),
            Route(
                "/agreements/{agreement_id}/withdrawal", self.withdrawal, methods=["GET", "POST"]
            ),
            *(
                Route(f"/agreements/{{agreement_id}}/{name}", self._said(word), methods=_BOTH)
                for name, word in _WORDS.items()
            ),
        ]

    async def agreement(self, request: Request) -> Response:
        """Where an agreement stands, and what was answered to its end."""
        session = await at_desk(self._node, request, Right.CASES)
        shown, told = await self._read(asked_id(request, "agreement_id"))
        if isinstance(shown, Held):
            return self._part.page("agreement_held.html", session, shown=shown)
        return self._part.page(
            "agreement.html",
            session,
            shown=shown,
            told=told,
            version=_version(told),
            may=self._may(session, shown),
        )

    def _may(self, session: Session, shown: Shown) -> set[str]:
        """What the agent who looks may do about it now."""
        rights = RIGHTS[session.agent.role]
        if not shown.live:
            return set()
        may = {"withdrawal"} if Right.WITHDRAW in rights else set()
        if shown.state == "given" and Right.SEND in rights:
            may.add("situation")
        named = {name for name, word in _WORDS.items() if word.right in rights}
        suspended = shown.state == "suspended"
        return may | (named - ({"objection"} if suspended else {"objection-answer"}))

    async def answers(self, request: Request) -> Response:
        """The part of the page that follows the recipients' answers; 204 while none is new."""
        await at_desk(self._node, request, Right.CASES, somebody=False)
        shown, told = await self._read(asked_id(request, "agreement_id"))
        version = _version(told)
        if isinstance(shown, Held) or request.query_params.get("seen") == version:
            return Response(status_code=204)
        return self._part.part("agreement_answers.html", shown=shown, told=told, version=version)

    async def withdrawal(self, request: Request) -> Response:
        """Say what stops and who is told; then do it, at once and without a reason."""
        session = await at_desk(self._node, request, Right.WITHDRAW)
        agreement_id = asked_id(request, "agreement_id")
        refusal = None
        if request.method == "POST":
            typed = await form_of(request, session)
            path = f"/agreements/{agreement_id}/withdrawal"
            answer = await self._part.post(session, path, None, typed.get("key"))
            if answer.done:
                return onward(f"{AGREEMENTS}/{agreement_id}")
            refusal, _ = refused(answer, (), typed)
        shown, _told = await self._read(agreement_id)
        if not shown.live:
            return onward(f"{AGREEMENTS}/{agreement_id}")
        references = [shown.reference] if isinstance(shown, Held) else shown.references
        recipients = (
            [shown.collector] if isinstance(shown, Held) else [name for name, _ in shown.recipients]
        )
        return self._part.page(
            "agreement_withdrawal.html",
            session,
            422 if refusal else 200,
            agreement_id=agreement_id,
            shown=shown,
            held=isinstance(shown, Held),
            recipients=recipients,
            stopping=await self._node.database.read(lambda c: _stopping(c, references)),
            refusal=refusal,
            key=self._part.fresh_key(),
        )

    def _said(self, word: _Word) -> Callable[[Request], Awaitable[Response]]:
        """The page of one of the words: its form, then the agreement again."""
        node, part = self._node, self._part
        fields = fields_of(word.model, lambda code: node.core.registry.word("", code))

        async def page(request: Request) -> Response:
            session = await at_desk(node, request, word.right)
            agreement_id = asked_id(request, "agreement_id")
            refusal, shown_fields = None, filled(fields, NOTHING_TYPED)
            if request.method == "POST":
                typed = await form_of(request, session)
                path = f"/agreements/{agreement_id}/{word.call}"
                body = content_of(fields, typed)
                answer = await part.post(session, path, body, typed.get("key"))
                if answer.done:
                    return onward(f"{AGREEMENTS}/{agreement_id}")
                refusal, shown_fields = refused(answer, fields, typed)
            shown, _told = await self._read(agreement_id)
            return part.page(
                "agreement_word.html",
                session,
                422 if refusal else 200,
                agreement_id=agreement_id,
                shown=shown,
                name=request.url.path.rpartition("/")[2],
                word=word,
                fields=shown_fields,
                refusal=refusal,
                key=part.fresh_key(),
            )

        return page

    async def _read(self, agreement_id: str) -> tuple[Shown | Held, list[Told]]:
        """An agreement and who was told of its end. Raises UnknownName."""
        core, at = self._node.core, self._node.clock.now()

        def read(c: Connection) -> tuple[Shown | Held, list[Told]]:
            shown = agreed.agreement(c, core, agreement_id, at)
            if shown is not None:
                return shown, agreed.told(c, core, shown.references)
            held = _held(c, core, agreement_id)
            if held is None:
                raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")
            return held, []

        return await self._node.database.read(read)


_BOTH: Final = ["GET", "POST"]


def _held(connection: Connection, core: Core, reference: str) -> Held | None:
    proof: Proof | None = standing.PROOFS.fetch(connection, (reference,)).get(reference)
    if proof is None:
        return None
    key = (proof.reference, proof.collector)
    known = standing.TOMBSTONES.fetch(connection, (key,)).get(key)
    ended = known is not None and known.state == "withdrawn"
    return Held(
        reference=reference,
        collector=name_of(core, proof.collector),
        giver=GIVERS[proof.giver],
        messages=[message_of(core, one, [proof.collector]) for one in proof.flows],
        given_on=day_of(proof.given_at),
        last_day=last_day_of(proof.expires_at),
        withdrawn_on=day_of(known.at) if ended and known is not None else None,
    )


def _stopping(connection: Connection, references: Sequence[str]) -> Stopping:
    outbox, cases = tables.outbox, tables.cases
    waiting = (outbox.c.kind == letters.LETTER) & outbox.c.state.in_(
        (letters.QUEUED, letters.DELIVERED)
    )
    mine = outbox.c.reference.in_(references)
    count = select(func.count()).select_from(outbox).where(mine & waiting)
    open_ = cases.c.reference.in_(references) & cases.c.state.not_in((ERASED, "stopped", "closed"))
    ids = connection.execute(select(cases.c.case_id).where(open_)).scalars()
    return Stopping(
        letters=int(connection.execute(count).scalar() or 0), cases=[one[:8] for one in ids]
    )


def _version(told: Sequence[Told]) -> str:
    """Digest of what the answers are now, by which a page knows whether any is new."""
    said = [f"{one.name}|{one.answer}|{one.done_at}" for one in told]
    return sha256("\n".join(said).encode()).hexdigest()[:16]
