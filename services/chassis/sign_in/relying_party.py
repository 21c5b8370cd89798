"""The node as an OpenID Connect relying party: authorization code, PKCE, state and nonce.

The provider says who a person is and for which organisation he acts (ProConnect: `siret`); what he
may do here, the organisation's own authorisations say. Tokens live on real time, never on a moved
clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client import BaseApp
from authlib.integrations.base_client.async_app import AsyncOAuth2Mixin
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from authlib.integrations.httpx_client import AsyncOAuth2Client
from httpx2 import HTTPError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from contracts.kernel.canonical import digest
from contracts.kernel.errors import RelaisError, Unavailable
from services.chassis.settings import SignInSettings

SCOPES: Final = "openid siret"
"""No name and no address is asked for: an agent is an id here."""

_ALGORITHMS: Final = ("RS256", "ES256")
"""Signatures that are believed, whatever the provider says it may use."""
_SIGNED_WITH: Final = "id_token_signing_alg_values_supported"
_LEEWAY_S: Final = 60
_TIMEOUT_S: Final = 10.0
_CLAIMS: Final = '{"id_token":{"amr":{"essential":true}}}'
"""How the person was authenticated is asked for by name: ProConnect gives it no other way."""


class NotSignedIn(RelaisError):
    """What came back from the provider is not what was asked of it, or for another organisation."""

    code = "not_signed_in"
    status = 403


@dataclass(frozen=True, slots=True)
class Departure:
    """A person who left for the provider: what only that return may bring back.

    state: known again by it. nonce: must be in the token. verifier: proves that we asked (PKCE).
    """

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom the provider signed in.

    subject: digest of issuer and `sub`, never a name. amr: how (RFC 8176). id_token: shown to the
    provider again at the end.
    """

    subject: str
    amr: tuple[str, ...]
    id_token: str


def subject_of(issuer: str, sub: str) -> str:
    """What a person is known by here: the same each time, and nothing to look up elsewhere."""
    return digest([issuer, sub])


class _Provider(AsyncOAuth2Mixin, AsyncOpenIDMixin, BaseApp):  # type: ignore[misc]  # untyped library
    """Authlib's client, without a web framework of its own."""

    client_cls = AsyncOAuth2Client


class RelyingParty:
    """Talks to one provider."""

    def __init__(self, settings: SignInSettings) -> None:
        self._settings = settings
        self._provider = _Provider(
            None,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            authorize_params={"claims": _CLAIMS},
            client_kwargs={
                "scope": SCOPES,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_post",
                "timeout": _TIMEOUT_S,
            },
        )

    async def depart(self) -> Departure:
        """Where to send a browser, and what to keep until it is back. Raises Unavailable."""
        await self._discover()
        made = await self._provider.create_authorization_url(self._settings.return_url)
        return Departure(made["url"], made["state"], made["nonce"], made["code_verifier"])

    async def arrive(self, code: str, nonce: str, verifier: str) -> SignedIn:
        """Exchange the code for who it is. Raises NotSignedIn, Unavailable."""
        metadata = await self._discover()
        try:
            token = await self._provider.fetch_access_token(
                self._settings.return_url, code=code, code_verifier=verifier
            )
            claims = await self._provider.parse_id_token(token, nonce, leeway=_LEEWAY_S)
            told = await self._told(token, metadata)
        except HTTPError as error:
            raise _away() from error
        except (AuthlibBaseError, JoseError, KeyError, ValueError) as error:
            raise NotSignedIn(_AGAIN) from error
        if claims is None or told.get("sub") != claims["sub"]:
            raise NotSignedIn(_AGAIN)
        if self._settings.siret is not None and told.get("siret") != self._settings.siret:
            raise NotSignedIn(
                "Vous êtes connecté pour un autre organisme : choisissez celui-ci au moment de "
                "vous identifier.",
                code="other_organisation",
            )
        subject = subject_of(self._settings.issuer, str(claims["sub"]))
        return SignedIn(subject, tuple(map(str, claims.get("amr", ()))), token["id_token"])

    async def farewell(self, id_token: str) -> str | None:
        """Where to send a browser so that the provider forgets the person too, if there is one.

        Raises Unavailable.
        """
        if "end_session_endpoint" not in await self._discover():
            return None
        made = await self._provider.create_logout_url(self._settings.entry_url, id_token)
        return str(made["url"])

    async def _discover(self) -> Mapping[str, Any]:
        try:
            metadata: dict[str, Any] = await self._provider.load_server_metadata()
        except (HTTPError, ValueError) as error:
            raise _away() from error
        if metadata.get("issuer") != self._settings.issuer:
            raise _away()
        named = metadata.get(_SIGNED_WITH) or _ALGORITHMS
        metadata[_SIGNED_WITH] = [one for one in _ALGORITHMS if one in named]
        return metadata

    async def _told(self, token: Any, metadata: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ANN401 -- Authlib's token
        """What the provider says of the person: signed, as ProConnect does, or plain."""
        answer = await self._provider.get(metadata["userinfo_endpoint"], token=token)
        answer.raise_for_status()
        if not answer.headers.get("content-type", "").startswith("application/jwt"):
            plain: Mapping[str, Any] = answer.json()
            return plain
        keys = KeySet.import_key_set(await self._provider.fetch_jwk_set())
        found = jwt.decode(answer.text, keys, algorithms=metadata[_SIGNED_WITH])
        JWTClaimsRegistry(
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
        ).validate(found.claims)
        return found.claims


_AGAIN: Final = "Le fournisseur d'identité n'a pas confirmé qui vous êtes : recommencez."


def _away() -> Unavailable:
    return Unavailable(
        "Le fournisseur d'identité ne répond pas : réessayez dans un instant.", code="no_provider"
    )
