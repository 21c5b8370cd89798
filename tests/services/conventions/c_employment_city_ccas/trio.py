"""A signed convention of three parties in tests: two have whole nodes, the third one only signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contracts.kernel.documents import add_signature
from contracts.kernel.organisation import Kind
from contracts.kernel.terms import Party, Terms
from tests.pair import Pair
from tests.parties import Organisation


@dataclass
class Trio(Pair):
    """The agency first, one of its partners second, and the other that only signs.

    third: the CCAS, unless said otherwise.
    """

    third: Organisation = field(default_factory=lambda: Organisation("ccas", Kind.CCAS, "x1"))

    def terms(self, version: int, **more: Any) -> Terms:
        terms, centre = super().terms(version, **more), self.third
        other = terms.parties[0].model_dump() | {
            "org": centre.org,
            "kind": centre.kind,
            "signing_key": centre.kid,
        }
        return terms.model_copy(update={"parties": (*terms.parties, Party.model_validate(other))})

    def sign_terms(self, version: int, **more: Any) -> str:
        token, content = super().sign_terms(version, **more), self.terms(version, **more).to_bytes()
        said = {"signed_on": self.signed_on.isoformat()}
        return add_signature(token, content, self.third.org, self.third.key, said)
