"""Which documents the registrar takes: signed by who they are about, and contradicting nothing.

A signed document proves itself, so there is no login: whoever brings it may bring it. Each
function says what to keep, nothing when all of it is held already, or raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.broker.activations import Activation, ActivationRefused, read_activation
from contracts.broker.claims import Account
from contracts.broker.subjects import parse_subject
from contracts.kernel.documents import header_of, kid_of, public_key, unverified_content, verify
from contracts.kernel.errors import InvalidDocument, RelaisError, UnknownKey, UnknownName
from contracts.kernel.keyring import ROTATION, Keyring, build_keyring, read_entry
from contracts.kernel.organisation import DirectoryEntry, RotationStatement
from contracts.kernel.terms import Act, Terms
from contracts.registry import Registry
from services.chassis.bundle import OneSignature, join_terms, split_terms
from services.chassis.settings import Admitted
from services.chassis.verified import Find, Reader
from services.registrar.store import Documents, Kind, Name, Row
from services.registrar.view import View, is_admitted


class NotAdmitted(RelaisError):
    """An organisation that the registrar's settings do not list so."""

    code = "not_admitted"
    status = 403


class Contradicts(RelaisError):
    """Another document is held under the same name, or a later one."""

    code = "contradicts"
    status = 409


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules of admission over what is held. system_account: the hub's own, nobody else's."""

    held: Documents
    view: View
    admitted: Mapping[str, Admitted]
    registry: Registry
    system_account: str

    def entry(self, token: str) -> list[Row]:
        """Take a directory entry: by the pinned key or its successor, with a higher sequence.

        The very first key of an organisation is pinned. Raises InvalidDocument, UnknownKey,
        NotAdmitted, Contradicts.
        """
        entry = read_entry(token)
        kid = kid_of(public_key(entry.signing_key.x))
        name = Name(entry.org, kid)
        if self._has(Kind.ENTRY, name, token):
            return []
        if not is_admitted(entry, self.admitted):
            raise NotAdmitted(f"{entry.org} n'est pas admis sous ce type et ce code.")
        pinned = self._pinned(entry.org, kid)
        keyring = self._keyring(entry.org, pinned, token)
        keyring.find(entry.org, kid)
        if keyring.entry(entry.org) != entry:
            raise Contradicts(
                f"Une fiche de {entry.org} plus récente, ou sous une clé plus récente, est connue.",
                code="stale_entry",
            )
        self._check_account(entry)
        return [Row(Kind.PIN, Name(entry.org), pinned), Row(Kind.ENTRY, name, token)]

    def rotation(self, token: str) -> list[Row]:
        """Take a rotation statement: a key names one successor, once.

        Raises InvalidDocument, UnknownKey, Contradicts.
        """
        statement = RotationStatement.parse(unverified_content(token))
        name = Name(statement.org, str(header_of(token).get("kid", "")))
        if self._has(Kind.ROTATION, name, token):
            return []
        verify(token, lambda kid: self.view.keyring.find(statement.org, kid), typ=ROTATION)
        if name in self.held.get(Kind.ROTATION, {}):
            raise Contradicts("Cette clé a déjà un successeur.", code="already_rotated")
        return [Row(Kind.ROTATION, name, token)]

    def terms(self, token: str) -> list[Row]:
        """Take signatures of a text, adding them to those held of the very same text.

        Every signature must hold, every party be admitted. Raises InvalidDocument, UnknownKey,
        UnknownName, NotAdmitted, Contradicts.
        """
        parts = split_terms(token)
        terms = Terms.parse(parts[0].content)
        name = Name(terms.id, str(terms.version))
        self.registry.convention(terms.convention)
        for party in terms.parties:
            one = self.admitted.get(party.org)
            if one is None or one.kind is not party.kind:
                raise NotAdmitted(f"{terms.id} : {party.org} n'est pas admis sous ce type.")
        held = self.held.get(Kind.TERMS, {})
        merged = _merged(held.get(name), parts)
        if merged == held.get(name):
            return []
        texts = {other: body for other, body in held.items() if other.of == terms.id}
        self._read({**texts, name: merged}.values(), self._of(Kind.ACT, terms.id))
        return [Row(Kind.TERMS, name, merged)]

    def act(self, token: str) -> list[Row]:
        """Take a party's unilateral act.

        Raises InvalidDocument, UnknownKey, UnknownName, Contradicts.
        """
        act = Act.parse(unverified_content(token))
        if act.convention_id not in self.view.conventions:
            raise UnknownName("Cette convention n'est pas déposée ici.")
        name = Name(act.convention_id, f"{act.org}:{act.id}")
        if self._has(Kind.ACT, name, token):
            return []
        self._read(self._of(Kind.TERMS, act.convention_id), [token])
        if name in self.held.get(Kind.ACT, {}):
            raise Contradicts("Un autre acte porte ce numéro.", code="other_act")
        return [Row(Kind.ACT, name, token)]

    def activations(self, org: str, tokens: Iterable[str], at: datetime) -> list[Row]:
        """Take activations signed by that organisation's account; per subject the newest counts.

        at: real time; what has expired is left out. Raises ActivationRefused for a token that is
        not the organisation's own, and UnknownName when it has no entry here.
        """
        entry = self.view.entries.get(org)
        if entry is None:
            raise UnknownName(f"{org} n'a pas de fiche ici.")
        kept: dict[str, Activation] = {}
        for token in tokens:
            one = read_activation(token)
            _check_own(one, entry)
            known = kept.get(one.subject) or self.view.activations.get(one.subject)
            if at < one.expires_at and (known is None or _replaces(one, known, entry, at)):
                kept[one.subject] = one
        return [Row(Kind.ACTIVATION, Name(s), one.token) for s, one in kept.items()]

    def _has(self, kind: Kind, name: Name, body: str) -> bool:
        return self.held.get(kind, {}).get(name) == body

    def _pinned(self, org: str, kid: str) -> str:
        """Thumbprint of the organisation's first key: held, or given by the settings, or this."""
        held = self.held.get(Kind.PIN, {}).get(Name(org))
        return held or self.admitted[org].thumbprint or kid

    def _keyring(self, org: str, pinned: str, entry: str) -> Keyring:
        """Keys of one organisation if this entry came on top of what is held."""
        entries = [*self._of(Kind.ENTRY, org), entry]
        return build_keyring({org: [pinned]}, entries, self._of(Kind.ROTATION, org))

    def _of(self, kind: Kind, of: str) -> list[str]:
        return [body for name, body in self.held.get(kind, {}).items() if name.of == of]

    def _check_account(self, entry: DirectoryEntry) -> None:
        """Refuse NATS keys that are none, or that are another's: claims would collide."""
        Account(entry.code, entry.broker.account, (entry.broker.signing,))
        others = {
            other.broker.account for org, other in self.view.entries.items() if org != entry.org
        }
        if entry.broker.account in {self.system_account, *others}:
            raise Contradicts("Ce compte NATS est celui d'un autre.", code="account_taken")

    def _read(self, terms: Iterable[str], acts: Iterable[str]) -> None:
        """Refuse with the first code for which a document would be left out."""
        find: Find = self.view.keyring.find
        reading = Reader(self.registry).read(terms, acts, find)
        for code in reading.rejected:
            raise _refusal(code)


def _refusal(code: str) -> InvalidDocument:
    sentence = f"Ce document ne tient pas ({code})."
    return UnknownKey(sentence) if code == UnknownKey.code else InvalidDocument(sentence, code=code)


def _merged(held: str | None, parts: Iterable[OneSignature]) -> str:
    """Signatures held and new ones of the same text. Raises Contradicts."""
    by_org = {part.org: part for part in (split_terms(held) if held else ())}
    for part in parts:
        if any(other.payload != part.payload for other in by_org.values()):
            raise Contradicts("Un autre texte porte ce numéro et cette version.", code="other_text")
        if by_org.setdefault(part.org, part) != part:
            raise Contradicts(f"{part.org} a déjà signé ce texte.", code="signed_twice")
    return join_terms(by_org.values())


def _check_own(one: Activation, entry: DirectoryEntry) -> None:
    own = (one.receiver_key, one.issuer) == (entry.broker.account, entry.broker.signing)
    if not own or parse_subject(one.subject).receiver != entry.code:
        raise ActivationRefused(
            "L'activation n'est pas signée par une clé du destinataire.", code="activation_issuer"
        )


def _replaces(one: Activation, known: Activation, entry: DirectoryEntry, at: datetime) -> bool:
    """Whether it is newer than the one held, or the one held is under a former key.

    One that a clock set too far ahead signed counts as older than any other: or the organisation
    could sign nothing anew until that day comes.
    """
    former = (known.receiver_key, known.issuer) != (entry.broker.account, entry.broker.signing)
    newer = one.issued_at >= known.issued_at or at < known.issued_at
    return former or (one.token != known.token and newer)
