"""Templates filled in: every value escaped, every missing name an error, and no style in a tag."""

from __future__ import annotations

import base64
import re
from datetime import date, datetime, time, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from contracts.kernel.paris import PARIS
from services.chassis.tokens import RIGHTS, Right, Role

ROOM: Final = "services.chassis.pages"
PERSON_ROOM: Final = "services.chassis.person"
"""Where the templates of a person's own page lie, on the same base."""
ROOT: Final = "/pages"
"""Path under which a node serves its pages."""
STATIC: Final = f"{ROOT}/static"
"""Path of what pages refer to: the same for every page and every partner."""

_STYLE: Final = "style.css"
_LINK: Final = Markup('<link rel="stylesheet" href="{}/{}">').format(STATIC, _STYLE)
_LIVE: Final = Markup(
    '<meta name="htmx-config" content=\'{{"includeIndicatorStyles": false, "allowEval": false, '
    '"allowScriptTags": false, "selfRequestsOnly": true, "historyCacheSize": 0}}\'>\n'
    '<script src="{}/htmx.min.js" defer></script>'
).format(STATIC)
"""Head of a page with parts that refresh themselves: htmx, without what the policy forbids."""
_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)
_THIN: Final = "\N{NARROW NO-BREAK SPACE}"
_TIED: Final = re.compile(r" (?=[:;?!»])|(?<=«) |(?<=\d) (?=h \d)|(?<=\d h) (?=\d)")
"""Spaces at which no line may break: beside the high signs of French, and within an hour."""


PLACES: Final = (
    (Right.READ, f"{ROOT}/today", "Aujourd'hui"),
    (Right.CASES, f"{ROOT}/situations", "Situations"),
    (Right.WITHDRAW, f"{ROOT}/agreements", "Accords"),
    (Right.READ, f"{ROOT}/procedures", "Démarches"),
    (Right.READ, f"{ROOT}/conventions", "Conventions"),
    (Right.READ, f"{ROOT}/reports", "Bilans"),
    (Right.REVIEW, f"{ROOT}/requests", "Demandes"),
    (Right.REGISTERS, f"{ROOT}/registers", "Registres"),
    (Right.JOURNAL, f"{ROOT}/journal", "Journal"),
    (Right.OPERATE, f"{ROOT}/operation", "Exploitation"),
)
"""Where the pages' menu leads, and the right that opens each."""

ROLES: Final = {
    Role.AGENT: "agent",
    Role.REFERENT: "référent",
    Role.MANAGER: "responsable",
    Role.DPO: "délégué à la protection des données",
    Role.OPERATOR: "exploitant",
    Role.INTEGRATOR: "programme",
}
"""What people call each role."""


def day_in_words(day: date) -> str:
    """A day as French writes it: ``1er septembre 2026``."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"


def instant_in_words(at: datetime) -> str:
    """An instant as Paris reads it: ``1er septembre 2026, 9 h 05``."""
    local = at.astimezone(PARIS)
    return f"{day_in_words(local.date())}, {local.hour} h {local.minute:02}"


def by_in_words(due_at: datetime) -> str:
    """Until when, in Paris: the day before, whole, where it is midnight."""
    local = due_at.astimezone(PARIS)
    if local.time() == time():
        return day_in_words(local.date() - timedelta(days=1))
    return instant_in_words(due_at)


def count_in_words(number: int) -> str:
    """A whole number as French writes it, thousands apart."""
    return f"{number:,}".replace(",", _THIN)


def places(role: Role) -> list[tuple[str, str]]:
    """Address and name of each page that a role may open."""
    return [(path, label) for right, path, label in PLACES if right in RIGHTS[role]]


def typeset(value: object) -> object:
    """A text as French sets it; anything else as it is."""
    return _TIED.sub(_THIN, value) if type(value) is str else value


@cache
def _environment() -> Environment:
    made = Environment(
        loader=ChoiceLoader([PackageLoader(room, "templates") for room in (ROOM, PERSON_ROOM)]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=typeset,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["day"] = day_in_words
    made.filters["count"] = count_in_words
    made.filters["role"] = ROLES.__getitem__
    made.globals["style_link"] = _LINK
    made.globals["live"] = _LIVE
    made.globals["places"] = places
    return made


def render(template: str, **values: Any) -> str:  # noqa: ANN401 -- whatever the template names
    """Fill a template of these rooms. Raises jinja2's UndefinedError for a name that is missing."""
    return _environment().get_template(template).render(**values)


def standalone(page: str) -> str:
    """A page as one file: its style sheet inside, and a policy that lets nothing else in."""
    style = files(ROOM).joinpath("static", _STYLE).read_text("utf-8")
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"
    inside = f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style>'
    return page.replace(str(_LINK), inside)
