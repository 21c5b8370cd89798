"""How a colleague is named between the two: no value tells under what protection a person stands.

A role, a mailbox or a service's name would say it at once, so there is no role, and a name or an
address that holds such a word is refused (D-0.2, D-8.1).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from contracts.kernel.fields import Email, Payload, PersonName, Phone, said

_TELLING: Final = frozenset(
    {"ase", "aed", "aemo", "mecs", "pjj", "mdph", "rqth"}
    | {"enfance", "protection", "placement", "handicap", "judiciaire", "tribunal"}
)
"""Words and initials of the field that say it; a surname is none of them."""


def _discreet(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    if not _TELLING.isdisjoint(re.split(r"[^a-z]+", letters)):
        raise PydanticCustomError("telling_word", "holds a word that tells too much")
    return text


class Colleague(Payload):
    """Who to speak to in the other organisation, and not in what capacity (D-1.4)."""

    name: Annotated[PersonName, AfterValidator(_discreet)] = said(
        "Nom", why="Dit à qui s'adresser.", source="D-1.4"
    )
    phone: Phone | None = said("Téléphone", why="Ligne professionnelle.", source="D-1.4")
    email: Annotated[Email, AfterValidator(_discreet)] | None = said(
        "Courriel", why="Adresse professionnelle, sans nom de service.", source="D-1.4"
    )
