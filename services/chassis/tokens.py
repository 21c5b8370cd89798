"""Bearer tokens of a node's HTTP API: who asks, for which organisation, in which role.

A token is a JWT (RFC 7519, by joserfc) under a key derived from the node's secret; it is good for
one organisation and one role, and rights never add up.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry
from pydantic import Field, WithJsonSchema

from contracts.kernel.errors import RelaisError


class Role(StrEnum):
    """What a person or a program may do at a node."""

    AGENT = "agent"
    REFERENT = "referent"
    MANAGER = "manager"
    DPO = "dpo"
    OPERATOR = "operator"
    INTEGRATOR = "integrator"


class Right(StrEnum):
    """One kind of act behind the API."""

    SEND = "send"
    REGISTER = "register"
    WITHDRAW = "withdraw"
    CASES = "cases"
    JOURNAL = "journal"
    ERASE = "erase"
    CONVENTIONS = "conventions"
    CONFIRM = "confirm"
    REVIEW = "review"
    AUTHORISE = "authorise"
    REGISTERS = "registers"
    OPERATE = "operate"
    READ = "read"


_WORK = frozenset({Right.SEND, Right.REGISTER, Right.WITHDRAW, Right.CASES, Right.READ})

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.AGENT: _WORK,
    Role.REFERENT: _WORK,
    Role.MANAGER: _WORK
    | {Right.CONVENTIONS, Right.CONFIRM, Right.REVIEW, Right.AUTHORISE, Right.REGISTERS},
    Role.DPO: frozenset(
        {
            Right.CASES,
            Right.WITHDRAW,
            Right.JOURNAL,
            Right.ERASE,
            Right.REVIEW,
            Right.REGISTERS,
            Right.READ,
        }
    ),
    Role.OPERATOR: frozenset({Right.OPERATE, Right.JOURNAL, Right.READ}),
    Role.INTEGRATOR: frozenset({Right.SEND, Right.READ}),
}
"""Deny by default: what a role is not given here, it may not do."""


class NotIdentified(RelaisError):
    """No token, or one that is not valid here and now."""

    code = "not_identified"
    status = 401


class NotPermitted(RelaisError):
    """The role does not include that act."""

    code = "not_permitted"
    status = 403


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks: a local id, never a name, and the role of this token."""

    agent_id: str
    role: Role

    def require(self, right: Right) -> None:
        """Raise NotPermitted when the role does not include the right."""
        if right not in RIGHTS[self.role]:
            raise NotPermitted(f"Le rôle {self.role.value} ne permet pas cet acte.")


_AGENT: Final = r"^[!-~]{1,64}$"

AgentId = Annotated[
    str,
    Field(pattern=_AGENT),
    WithJsonSchema({"type": "string", "pattern": _AGENT, "format": "agent"}),
]
"""Local name of an agent: as long as any table keeps it. A form offers those that it knows."""


def _check_agent(agent_id: object) -> None:
    if not isinstance(agent_id, str) or re.fullmatch(_AGENT, agent_id) is None:
        raise NotIdentified("Un agent porte un identifiant de 64 caractères au plus.")


class Tokens:
    """Makes and reads the tokens of one organisation.

    key: 32 bytes, derived from the node's secret. Verified tokens are remembered until they end,
    since a signature that held once holds again.
    """

    def __init__(self, org: str, key: bytes, *, remembered: int = 1024) -> None:
        self._org = org
        self._key = OctKey.import_key(key)
        self._seen: OrderedDict[bytes, tuple[Agent, int]] = OrderedDict()
        self._remembered = remembered

    def make(self, agent_id: str, role: Role, at: datetime, lifetime: timedelta) -> str:
        """A token for an agent, valid from now for a time; NotIdentified for no such name."""
        _check_agent(agent_id)
        claims = {
            "iss": self._org,
            "sub": agent_id,
            "role": role.value,
            "iat": int(at.timestamp()),
            "exp": int((at + lifetime).timestamp()),
        }
        return jwt.encode({"alg": "HS256"}, claims, self._key)

    def read(self, header: str | None, at: datetime) -> Agent:
        """The agent behind an Authorization header; raises NotIdentified."""
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotIdentified("Présentez un jeton : Authorization: Bearer …")
        name = sha256(token.encode()).digest()
        known = self._seen.get(name)
        now = int(at.timestamp())
        if known is None:
            known = self._verify(token, now)
            self._seen[name] = known
            if len(self._seen) > self._remembered:
                self._seen.popitem(last=False)
        agent, expires = known
        if now >= expires:
            raise NotIdentified("Ce jeton a expiré ; demandez-en un autre.")
        return agent

    def _verify(self, token: str, now: int) -> tuple[Agent, int]:
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            JWTClaimsRegistry(
                now=now, iss={"essential": True, "value": self._org}, exp={"essential": True}
            ).validate(claims)
            _check_agent(claims["sub"])
            return Agent(claims["sub"], Role(claims["role"])), int(claims["exp"])
        except (JoseError, KeyError, ValueError):
            raise NotIdentified("Ce jeton n'est pas valable ici.") from None
