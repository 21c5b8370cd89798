"""Errors as RFC 9457 problems: a code for machines, a French sentence, the articles that refuse.

No field of a problem quotes what the caller sent: paths and codes only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from contracts.gate import Refused
from contracts.kernel.errors import InvalidPayload, RelaisError

MEDIA_TYPE = "application/problem+json"

TITLES: Final = {
    400: "Requête illisible",
    401: "Identification requise",
    403: "Refusé",
    404: "Inconnu",
    405: "Méthode refusée",
    409: "Conflit",
    410: "Effacé",
    413: "Requête trop longue",
    422: "Contenu refusé",
    429: "Trop de demandes",
    503: "Indisponible pour l'instant",
}
"""What people read of a status."""

MALFORMED: Final = "La requête n'a pas la forme attendue."


def problem(
    status: int,
    code: str,
    detail: str,
    articles: tuple[str, ...] = (),
    **more: Any,  # noqa: ANN401 -- any JSON value
) -> JSONResponse:
    """One problem document."""
    body = {**_document(status, code, detail, articles), **more}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def _document(status: int, code: str, detail: str, articles: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": f"urn:relais:problem:{code}",
        "title": TITLES.get(status, "Erreur"),
        "status": status,
        "code": code,
        "detail": detail,
        "articles": list(articles),
    }


def refusal(message_id: str, decision: Refused) -> dict[str, Any]:
    """The gate's no: every reason with its article, and the id under which it was journaled."""
    reasons = [
        {"article": one.article, "code": one.code, "sentence": one.sentence}
        for one in decision.reasons
    ]
    said = " ".join(dict.fromkeys(one.sentence for one in decision.reasons))
    document = _document(403, "refused", said, decision.articles)
    return {**document, "message_id": message_id, "reasons": reasons}


async def answer(request: Request, error: Exception) -> JSONResponse:
    """The problem of an error that a request met, whatever it is."""
    for kind, told in _TOLD.items():
        if isinstance(error, kind):
            return await told(request, error)
    return await _defect(request, error)


def install(app: FastAPI) -> None:
    """Turn every error of a request into a problem."""
    for kind, told in _TOLD.items():
        app.add_exception_handler(kind, told)
    app.add_exception_handler(Exception, _defect)


async def _relais(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RelaisError):
        raise error
    more: dict[str, Any] = {}
    if isinstance(error, InvalidPayload):
        more["fields"] = [{"path": path, "code": code} for path, code in error.fields]
        if error.message_id is not None:
            more["message_id"] = error.message_id
    return problem(error.status, error.code, error.sentence, error.articles, **more)


async def _shape(_request: Request, _error: Exception) -> JSONResponse:
    return problem(422, "invalid_request", MALFORMED)


async def _defect(_request: Request, error: Exception) -> JSONResponse:
    """A defect says its kind and nothing else: a message could quote a value."""
    return problem(
        500, "defect", f"Erreur interne ({type(error).__name__}), signalée aux journaux."
    )


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = TITLES.get(status, "Erreur")
    return problem(status, f"http_{status}", f"{title} : cette adresse n'accepte pas cela.")


_TOLD: dict[type[Exception], Callable[[Request, Exception], Awaitable[JSONResponse]]] = {
    RelaisError: _relais,
    HTTPException: _http,
    RequestValidationError: _shape,
}
