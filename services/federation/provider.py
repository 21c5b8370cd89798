"""The demonstration's sign-in provider: an OpenID Connect provider of invented agents.

It speaks as ProConnect does to a service (authorization code, PKCE, userinfo as a signed JWT with
the SIRET, logout), and asks nobody for a password: whoever opens its page chooses an agent. It is
for a federation on loopback alone; a real one names its own provider in its settings.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.chassis.telemetry import FASTAPI_OFF

_CODE_S: Final = 60
_TOKEN_S: Final = 600
_ALGORITHM: Final = "ES256"


class Persona(BaseModel):
    """An invented agent. sub: what the provider calls him."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sub: str
    name: str


class Client(BaseModel):
    """A node that sends its agents here. entry_url: where they sign in, hence come back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: str
    entry_url: str
    siret: str | None
    personas: tuple[Persona, ...]

    @property
    def return_url(self) -> str:
        """The one place to which a code may go."""
        return f"{self.entry_url}/return"


class ProviderSettings(BaseModel):
    """What the provider is told at start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    clients: tuple[Client, ...]


@dataclass(frozen=True, slots=True)
class _Granted:
    client: Client
    sub: str
    nonce: str
    challenge: str
    at: float


@dataclass
class _State:
    settings: ProviderSettings
    now: Callable[[], float]
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    codes: dict[str, _Granted] = field(default_factory=dict)
    tokens: dict[str, _Granted] = field(default_factory=dict)

    def client(self, client_id: str) -> Client | None:
        return next((one for one in self.settings.clients if one.client_id == client_id), None)

    def signed(self, claims: Mapping[str, Any], client: Client) -> str:
        now = int(self.now())
        content = {
            "iss": self.settings.issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + _TOKEN_S,
            **claims,
        }
        header = {"alg": _ALGORITHM, "kid": self.key.kid}
        return jwt.encode(header, content, self.key, algorithms=[_ALGORITHM])


def read_settings(path: Path) -> ProviderSettings:
    """What `lay_out` wrote."""
    return ProviderSettings.model_validate_json(path.read_text("utf-8"))


def create_app(settings: ProviderSettings, now: Callable[[], float] = time.time) -> FastAPI:
    """Make the provider. now: seconds since the epoch."""
    state = _State(settings, now)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry=FASTAPI_OFF)

    async def discovery(_request: Request) -> Response:
        return JSONResponse(_metadata(settings.issuer))

    async def keys(_request: Request) -> Response:
        return JSONResponse(KeySet([state.key]).as_dict(private=False))

    async def authorize(request: Request) -> Response:
        return await _authorize(state, request)

    async def token(request: Request) -> Response:
        async with request.form() as form:
            return _token(state, {name: str(value) for name, value in form.items()})

    async def userinfo(request: Request) -> Response:
        return _userinfo(state, request)

    async def end(request: Request) -> Response:
        return _end(state, request)

    path = urlsplit(settings.issuer).path
    app.router.routes += [
        Route(f"{path}/.well-known/openid-configuration", discovery),
        Route(f"{path}/jwks", keys),
        Route(f"{path}/authorize", authorize, methods=["GET", "POST"]),
        Route(f"{path}/token", token, methods=["POST"]),
        Route(f"{path}/userinfo", userinfo),
        Route(f"{path}/session/end", end),
    ]
    return app


def _metadata(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": f"{issuer}/session/end",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "siret"],
        "id_token_signing_alg_values_supported": [_ALGORITHM],
        "userinfo_signing_alg_values_supported": [_ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }


async def _authorize(state: _State, request: Request) -> Response:
    asked = dict(request.query_params)
    client = state.client(asked.get("client_id", ""))
    if client is None or asked.get("redirect_uri") != client.return_url:
        return HTMLResponse(_page("<p>Ce service n'est pas connu ici.</p>"), 400)
    good = asked.get("response_type") == "code" and "openid" in asked.get("scope", "").split()
    if not good or asked.get("code_challenge_method") != "S256" or not asked.get("nonce"):
        told = {"error": "invalid_request", "state": asked.get("state", "")}
        return RedirectResponse(f"{client.return_url}?{urlencode(told)}", HTTPStatus.SEE_OTHER)
    if request.method == "GET":
        return HTMLResponse(_page(_choices(client)))
    async with request.form() as form:
        chosen = str(form.get("sub", ""))
    if chosen not in {one.sub for one in client.personas}:
        return HTMLResponse(_page("<p>Cet agent n'est pas connu ici.</p>"), 400)
    code = secrets.token_urlsafe(32)
    state.codes[code] = _Granted(
        client, chosen, asked["nonce"], asked.get("code_challenge", ""), state.now()
    )
    back = {"code": code, "state": asked.get("state", "")}
    return RedirectResponse(f"{client.return_url}?{urlencode(back)}", HTTPStatus.SEE_OTHER)


def _choices(client: Client) -> str:
    buttons = "".join(
        f'<li><button name="sub" value="{escape(one.sub)}">{escape(one.name)}</button></li>'
        for one in client.personas
    )
    return f'<form method="post"><ul>{buttons}</ul></form>'


def _page(content: str) -> str:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Fournisseur d'identité de démonstration</title></head><body><main>"
        "<h1>Fournisseur d'identité de démonstration</h1>"
        "<p>Agents inventés ; aucun mot de passe n'est demandé.</p>"
        f"{content}</main></body></html>"
    )


def _token(state: _State, form: Mapping[str, str]) -> Response:
    client = state.client(form.get("client_id", ""))
    secret = form.get("client_secret", "")
    if client is None or not hmac.compare_digest(client.client_secret, secret):
        return JSONResponse({"error": "invalid_client"}, HTTPStatus.UNAUTHORIZED)
    granted = state.codes.pop(form.get("code", ""), None)
    if (
        granted is None
        or granted.client is not client
        or state.now() > granted.at + _CODE_S
        or form.get("redirect_uri") != client.return_url
        or _challenge(form.get("code_verifier", "")) != granted.challenge
    ):
        return JSONResponse({"error": "invalid_grant"}, HTTPStatus.BAD_REQUEST)
    access = secrets.token_urlsafe(32)
    state.tokens[access] = granted
    claims = {"sub": granted.sub, "nonce": granted.nonce, "amr": ["pwd"]}
    return JSONResponse(
        {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": _TOKEN_S,
            "id_token": state.signed(claims, client),
        }
    )


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _userinfo(state: _State, request: Request) -> Response:
    scheme, _, access = request.headers.get("authorization", "").partition(" ")
    granted = state.tokens.get(access) if scheme.lower() == "bearer" else None
    if granted is None:
        return JSONResponse({"error": "invalid_token"}, HTTPStatus.UNAUTHORIZED)
    claims = {"sub": granted.sub}
    if granted.client.siret is not None:
        claims["siret"] = granted.client.siret
    return Response(state.signed(claims, granted.client), media_type="application/jwt")


def _end(state: _State, request: Request) -> Response:
    wanted = request.query_params.get("post_logout_redirect_uri", "")
    if wanted not in {one.entry_url for one in state.settings.clients}:
        return HTMLResponse(_page("<p>Vous êtes déconnecté.</p>"))
    return RedirectResponse(wanted, HTTPStatus.SEE_OTHER)
