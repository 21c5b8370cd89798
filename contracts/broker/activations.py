"""Activations: the receiver's own signature without which no import passes anything.

The registrar compiles and pushes, but an activation is signed inside the receiver's node. So the
registrar can withhold a grant or cut it, never open one: whatever fails here stays shut.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contracts.broker.claims import Account
from contracts.broker.grants import Grant
from contracts.broker.nkey import KeyPair
from contracts.broker.tokens import InvalidToken, decode_and_verify, seconds, sign
from contracts.kernel.errors import InvalidDocument

_VERSION: Final = 2


class ActivationRefused(InvalidDocument):
    """An activation that does not open that grant; `code` says why.

    Codes: activation_missing, activation_unreadable, activation_subject, activation_sender,
    activation_issuer, activation_too_long, activation_expired, activation_revoked,
    account_unknown, grant_expired; or a code of InvalidToken.
    """

    code = "activation_refused"


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation whose signature has been verified, once; the rest is checked at each compile.

    token: its text. subject: the one it opens. sender_key, receiver_key: public account keys.
    issuer: public key that signed. issued_at, expires_at: aware instants, whole seconds.
    """

    token: str
    subject: str
    sender_key: str
    receiver_key: str
    issuer: str
    issued_at: datetime
    expires_at: datetime


def activation_token(
    grant: Grant,
    *,
    sender_key: str,
    receiver_key: str,
    signer: KeyPair,
    issued_at: datetime,
) -> str:
    """Sign, in the receiver's node, that one account may use one literal subject until its end.

    sender_key, receiver_key: public account keys. signer: one of the receiver's signing keys.
    """
    nats = {
        "subject": grant.subject,
        "kind": "service",
        "issuer_account": receiver_key,
        "type": "activation",
        "version": _VERSION,
    }
    claims = {
        "exp": seconds(grant.expires_at),
        "name": grant.subject,
        "sub": sender_key,
        "nats": nats,
    }
    return sign(claims, signer, issued_at)


def read_activation(token: str) -> Activation:
    """Verify an activation's signature and shape. Raises ActivationRefused."""
    try:
        claims = decode_and_verify(token)
        nats = claims["nats"]
        if (nats["type"], nats["kind"], nats["version"]) != ("activation", "service", _VERSION):
            raise ActivationRefused("Ce jeton n'active rien.", code="activation_unreadable")
        return Activation(
            token=token,
            subject=nats["subject"],
            sender_key=claims["sub"],
            receiver_key=nats["issuer_account"],
            issuer=claims["iss"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except InvalidToken as error:
        raise ActivationRefused(error.sentence, code=error.code) from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ActivationRefused(
            "Il manque à cette activation un champ obligatoire.", code="activation_unreadable"
        ) from error


def fault(
    activation: Activation | None,
    grant: Grant,
    receiver: Account,
    sender_key: str,
    at: datetime,
) -> str | None:
    """Why that activation does not open that grant at that instant (a code), or None if it does."""
    if activation is None:
        return "activation_missing"
    revoked_until = receiver.revoked_activations.get(grant.subject)
    checks = {
        "activation_subject": activation.subject == grant.subject,
        "activation_sender": activation.sender_key == sender_key,
        "activation_issuer": activation.receiver_key == receiver.key
        and activation.issuer in receiver.signing_keys,
        "activation_too_long": activation.expires_at <= grant.expires_at,
        "activation_expired": at < activation.expires_at,
        "activation_revoked": revoked_until is None or revoked_until < activation.issued_at,
    }
    return next((code for code, holds in checks.items() if not holds), None)


_SENTENCES: Final = {
    "activation_missing": "Le destinataire n'a pas activé ce droit.",
    "activation_subject": "L'activation porte sur un autre sujet.",
    "activation_sender": "L'activation désigne un autre émetteur.",
    "activation_issuer": "L'activation n'est pas signée par une clé du destinataire.",
    "activation_too_long": "L'activation dépasse la fin de la convention.",
    "activation_expired": "L'activation est échue.",
    "activation_revoked": "L'activation a été révoquée.",
    "account_unknown": "L'émetteur ou le destinataire n'est pas à l'annuaire.",
    "grant_expired": "Le droit est échu.",
}


def refusal(code: str) -> ActivationRefused:
    """Error, with its sentence, of one of the codes of `fault`."""
    return ActivationRefused(_SENTENCES[code], code=code)


def check_activation(
    token: str | None, grant: Grant, receiver: Account, sender_key: str, at: datetime
) -> Activation:
    """Read an activation and return it only if it opens that grant at that instant.

    sender_key: public key of the sender's account. Raises ActivationRefused.
    """
    if token is None:
        raise refusal("activation_missing")
    activation = read_activation(token)
    code = fault(activation, grant, receiver, sender_key, at)
    if code is not None:
        raise refusal(code)
    return activation
