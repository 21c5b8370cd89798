"""Reading signed texts and acts: what holds becomes conventions, the rest is left out and counted.

Whoever keeps the documents may withhold some, hand them out in any order, or add lies. So nothing
here depends on the order of what verifies, an amendment counts only when all versions before it
are known (or withholding the first one would move the end), and no document can spoil another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from joserfc.jwk import OKPKey

from contracts.kernel.documents import header_of, unverified_content
from contracts.kernel.errors import InvalidDocument, RelaisError
from contracts.kernel.signed import SignedConvention, assemble
from contracts.kernel.terms import Act, Signed, Terms, read_act, read_terms
from contracts.registry import Registry
from services.chassis.bundle import OneSignature, join_terms, split_terms

Find = Callable[[str, str, datetime | None], OKPKey]
"""Public key of (organisation, key id), good at an instant; raises UnknownKey."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Conventions by id, the documents they rest on, and how many were left out, by code."""

    conventions: Mapping[str, SignedConvention]
    terms: tuple[str, ...]
    acts: tuple[str, ...]
    rejected: Counter[str]


@dataclass(slots=True)
class _Text:
    """One text and the signatures of it that hold."""

    terms: Terms
    parts: dict[str, OneSignature] = field(default_factory=dict)
    signed: dict[str, Signed] = field(default_factory=dict)

    def verified(self) -> Signed:
        days = {org: one.signed_on[org] for org, one in self.signed.items()}
        return Signed(self.terms, days)


class Reader:
    """Reads documents against a keyring; remembers what it verified, since a key never changes.

    registry: the conventions known here. org: leave out, uncounted, what does not name that
    organisation as a party.
    """

    def __init__(self, registry: Registry, org: str | None = None) -> None:
        self._registry = registry
        self._org = org
        self._terms: dict[str, Signed] = {}
        self._acts: dict[str, Act] = {}

    def read(self, terms: Iterable[str], acts: Iterable[str], find: Find) -> Reading:
        """Verify everything; the first of two texts or acts that contradict each other holds.

        Never raises for a document that does not hold.
        """
        rejected: Counter[str] = Counter()
        versions = self._versions(terms, find, rejected)
        held = self._acts_of(acts, versions, find, rejected)
        conventions: dict[str, SignedConvention] = {}
        for name, texts in versions.items():
            try:
                conventions[name] = self._convention(texts, held[name].values())
            except RelaisError as error:
                rejected[error.code] += 1
        return Reading(
            conventions,
            tuple(join_terms(t.parts.values()) for n in conventions for t in versions[n]),
            tuple(token for n in conventions for token in held[n]),
            +rejected,
        )

    def _convention(self, texts: list[_Text], acts: Iterable[Act]) -> SignedConvention:
        convention = self._registry.convention(texts[0].terms.convention)
        ordered = sorted(acts, key=lambda act: (act.at, act.org, act.id))
        return assemble(convention, [text.verified() for text in texts], ordered)

    def _versions(
        self, tokens: Iterable[str], find: Find, rejected: Counter[str]
    ) -> dict[str, list[_Text]]:
        texts: dict[tuple[str, int], dict[str, _Text]] = defaultdict(dict)
        for token in tokens:
            for part in self._parts(token, rejected):
                self._add(texts, part, find, rejected)
        chosen: dict[str, dict[int, _Text]] = defaultdict(dict)
        for (name, version), rivals in texts.items():
            rejected["other_text"] += len(rivals) - 1
            # max keeps the first of equals: a text signed by all wins, then the first one known.
            chosen[name][version] = max(rivals.values(), key=lambda one: one.verified().complete)
        return {
            name: kept
            for name, by_version in chosen.items()
            if (kept := _unbroken(by_version, rejected))
        }

    def _parts(self, token: str, rejected: Counter[str]) -> list[OneSignature]:
        try:
            parts = split_terms(token)
            if self._org is None or self._org in _parties(parts[0]):
                return parts
        except InvalidDocument as error:
            rejected[error.code] += 1
        return []

    def _add(
        self,
        texts: dict[tuple[str, int], dict[str, _Text]],
        part: OneSignature,
        find: Find,
        rejected: Counter[str],
    ) -> None:
        try:
            signed = self._signed(part, find)
        except InvalidDocument as error:
            rejected[error.code] += 1
            return
        terms = signed.terms
        text = texts[terms.id, terms.version].setdefault(part.payload, _Text(terms))
        if text.parts.setdefault(part.org, part) != part:
            rejected["signed_twice"] += 1
        text.signed.setdefault(part.org, signed)

    def _signed(self, part: OneSignature, find: Find) -> Signed:
        known = self._terms.get(part.token)
        if known is None:
            known = read_terms(part.token, lambda org, kid: find(org, kid, None))
            self._terms[part.token] = known
            return known
        for party in known.terms.parties:
            if party.org in known.signed_on:
                find(party.org, party.signing_key, None)
        return known

    def _acts_of(
        self,
        tokens: Iterable[str],
        versions: Mapping[str, list[_Text]],
        find: Find,
        rejected: Counter[str],
    ) -> dict[str, dict[str, Act]]:
        held: dict[str, dict[str, Act]] = defaultdict(dict)
        seen: set[tuple[str, str, str]] = set()
        for token in dict.fromkeys(tokens):
            try:
                act = self._act(token, versions, find)
            except InvalidDocument as error:
                rejected[error.code] += 1
                continue
            if act is None:
                continue
            name = (act.convention_id, act.org, act.id)
            if name in seen:
                rejected["other_act"] += 1
                continue
            seen.add(name)
            held[act.convention_id][token] = act
        return held

    def _act(self, token: str, versions: Mapping[str, list[_Text]], find: Find) -> Act | None:
        """Verified act of a party to a known convention; None when it is about another one."""
        known = self._acts.get(token) or Act.parse(unverified_content(token))
        texts = versions.get(known.convention_id)
        if texts is None:
            return None
        if known.org not in {party.org for party in texts[0].terms.parties}:
            raise InvalidDocument("Cet acte ne vient pas d'une partie.", code="not_a_party")
        key = find(known.org, str(header_of(token).get("kid", "")), known.at)
        if token not in self._acts:
            self._acts[token] = read_act(token, lambda _kid: key)
        return self._acts[token]


def _parties(part: OneSignature) -> set[str]:
    return {party.org for party in Terms.parse(part.content).parties}


def _unbroken(by_version: Mapping[int, _Text], rejected: Counter[str]) -> list[_Text]:
    """Versions 1, 2, 3… of one convention between the same parties, up to the first gap."""
    kept: list[_Text] = []
    for version in sorted(by_version):
        text = by_version[version]
        if version != len(kept) + 1:
            rejected["version_gap"] += 1
        elif kept and _binding(text) != _binding(kept[0]):
            rejected["other_parties"] += 1
        else:
            kept.append(text)
    return kept


def _binding(text: _Text) -> tuple[str, frozenset[tuple[str, str]]]:
    """What an amendment cannot change: the convention and who is bound by it, as what."""
    parties = frozenset((party.org, party.kind.value) for party in text.terms.parties)
    return text.terms.convention, parties
