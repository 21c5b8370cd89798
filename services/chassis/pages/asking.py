"""A page with one form: shown, then handed to the API; refused, shown again with the reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.chassis.node import Node
from services.chassis.pages.forms import NOTHING_TYPED, Field, content_of, filled
from services.chassis.pages.own_api import Answer, OwnApi
from services.chassis.pages.refusals import Refusal, refused
from services.chassis.pages.rendering import render
from services.chassis.problems import MALFORMED
from services.chassis.sign_in.desk import form_of
from services.chassis.sign_in.sessions import Session

_NAMED: Final = re.compile(r"\{(\w+)\}")

KEY: Final = "key"
"""Field of every form, under which the API counts it once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One form. template: of its page, with what else that shows.

    method, path: of the API's call; a field's name in braces stands for what was typed there. body:
    what it is given, of what was typed. done: where to go when it did. place: entry of the menu.
    person_id: whom a refusal is about.
    """

    template: str
    title: str
    fields: Sequence[Field]
    path: str
    body: Callable[[dict[str, Any]], Mapping[str, Any]]
    done: Callable[[Mapping[str, Any]], str]
    place: str
    submit: str
    method: str = "POST"
    person_id: str | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)


async def asked(
    node: Node, api: OwnApi, request: Request, session: Session, question: Question
) -> Response:
    """Show the form, or hand it to the API. Raises ForeignForm."""
    if request.method == "GET":
        fields = filled(question.fields, NOTHING_TYPED)
        return _page(node, session, question, fields, node.given.new_id())
    typed = await form_of(request, session)
    said = content_of(question.fields, typed)
    if blank := [name for name in _NAMED.findall(question.path) if not said.get(name)]:
        answer = _incomplete(blank)
    else:
        path = _NAMED.sub(lambda found: quote(str(said.pop(found[1])), safe=""), question.path)
        key = typed.get(KEY) or None
        answer = await api.call(session.agent, question.method, path, question.body(said), key)
    if answer.done:
        return RedirectResponse(question.done(answer.content or {}), HTTPStatus.SEE_OTHER)
    refusal, fields = refused(answer, question.fields, typed, question.person_id)
    return _page(node, session, question, fields, node.given.new_id(), refusal)


def _incomplete(blank: Sequence[str]) -> Answer:
    """What the API would say of fields of its address, which it never sees empty."""
    fields = [{"path": name, "code": "missing"} for name in blank]
    return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, {"detail": MALFORMED, "fields": fields})


def _page(
    node: Node,
    session: Session,
    question: Question,
    fields: Sequence[Field],
    key: str,
    refusal: Refusal | None = None,
) -> Response:
    page = render(
        question.template,
        org=node.settings.name,
        session=session,
        place=question.place,
        title=question.title,
        fields=fields,
        key=key,
        refusal=refusal,
        submit=question.submit,
        **question.shown,
    )
    status = HTTPStatus.OK if refusal is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return HTMLResponse(page, status)
