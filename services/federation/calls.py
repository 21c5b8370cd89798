"""Calls to a node's HTTP API, whose problems come back as errors of Relais."""

from __future__ import annotations

from typing import Any

import httpx

from contracts.kernel.errors import RelaisError, Unavailable


class CallRefused(RelaisError):
    """A node answered with a problem; its sentence, code and articles are passed on."""

    code = "call_refused"


def call(client: httpx.Client, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 -- JSON
    """Call one path and return the JSON it answers.

    content: as httpx takes it (``json``, ``params``, ``headers``). Raises CallRefused with what the
    node's problem says, Unavailable when nobody answers.
    """
    return _answer(client, method, path, **content).json()


def fetch(client: httpx.Client, path: str, **content: Any) -> bytes:  # noqa: ANN401 -- see `call`
    """Get what is no JSON, a page or a table; raises as `call` does."""
    return _answer(client, "GET", path, **content).content


def _answer(client: httpx.Client, method: str, path: str, **content: Any) -> httpx.Response:  # noqa: ANN401 -- see `call`
    try:
        response = client.request(method, path, **content)
    except httpx.TransportError as error:
        raise Unavailable(
            f"{client.base_url} ne répond pas : voir « relais status ».", code="node_away"
        ) from error
    if response.is_success:
        return response
    raise _refused(response)


def _refused(response: httpx.Response) -> CallRefused:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    where = f"{response.request.url.host}:{response.request.url.port}"
    sentence = problem.get("detail") or f"{where} répond {response.status_code}."
    faults = ", ".join(f"{one['path']} ({one['code']})" for one in problem.get("fields", ()))
    return CallRefused(
        f"{sentence} {faults}".strip(),
        code=problem.get("code"),
        articles=tuple(problem.get("articles", ())),
    )
