"""The proof of agreement that travels: signed when the agreement is recorded, kept until it leaves.

It is kept under the person's key: its digest of the identity, beside the reference that salts it,
would let somebody with a list of names find out who it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.kernel.agreement import Proof, identity_digest, sign_proof
from contracts.kernel.messages import Identity
from services.chassis.core import Core


@dataclass(frozen=True, slots=True)
class Recipient:
    """One organisation that an agreement names.

    reference: random, of the agreement towards it. sealed: the proof for it, under the person's
    key, signed under the convention of that id by our key of that name; None where there is none.
    """

    reference: str
    convention_id: str
    sealed: bytes | None
    key: str | None


def prove(
    core: Core,
    agreed: Mapping[Any, Any],
    identity: Identity,
    *,
    reference: str,
    receiver: str,
    convention_id: str,
) -> str:
    """Sign the proof of an agreement for one recipient.

    agreed: the agreement, by column.
    """
    proof = Proof(
        reference=reference,
        collector=core.org,
        receiver=receiver,
        convention_id=convention_id,
        identity=identity_digest(reference, identity),
        flows=tuple(sorted(agreed["flows"])),
        giver=agreed["giver"],
        assent=agreed["assent"],
        notice_version=agreed["notice_version"],
        notice_at=agreed["notice_at"],
        given_at=agreed["given_at"],
        expires_at=agreed["expires_at"],
    )
    return sign_proof(proof, core.keys.signing, core.keys.kid)


def keep(core: Core, scope: str, reference: str, token: str) -> dict[str, object]:
    """Columns that keep a proof just signed; scope: of the person's key."""
    sealed = core.keystore.seal(scope, token.encode(), _place(reference))
    return {"proof": sealed, "proof_key": core.keys.kid}


def kept(core: Core, scope: str | None, to: Recipient, convention_id: str) -> str | None:
    """The proof signed when the agreement was recorded.

    None where it was signed under another convention, or by a key that is no longer ours. Raises
    KeyDestroyed, SealBroken.
    """
    current = to.convention_id == convention_id and to.key == core.keys.kid
    if scope is None or to.sealed is None or not current:
        return None
    return core.keystore.open(scope, to.sealed, _place(to.reference)).decode()


def _place(reference: str) -> bytes:
    return b"proof:" + reference.encode()
