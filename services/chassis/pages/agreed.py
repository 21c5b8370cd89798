"""What was agreed to, and what may be: read from the register and from conventions in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from contracts.kernel.checks import Agreement, Giver
from contracts.kernel.instrument import Flow
from contracts.kernel.paris import day_of, reached
from contracts.kernel.signed import SignedConvention
from services.chassis import deadlines, standing, tables, views
from services.chassis.core import Core
from services.chassis.minors import MAJORITY_AGE
from services.chassis.pages.content import name_of
from services.chassis.pages.rendering import by_in_words, instant_in_words

STATES: Final = {
    "given": "donné",
    "refused": "refusé",
    "suspended": "suspendu par une opposition",
    "withdrawn": "retiré",
    "expired": "terminé",
}
"""What people read of where an agreement stands."""

COUNTED: Final = {
    "given": ("accord en cours", "accords en cours"),
    "suspended": ("accord suspendu", "accords suspendus"),
    "refused": ("refus", "refus"),
    "withdrawn": ("accord retiré", "accords retirés"),
    "expired": ("accord terminé", "accords terminés"),
}
"""The same of one and of several, as a list says it."""

GIVERS: Final = {
    Giver.REPRESENTATIVE: "un représentant légal",
    Giver.YOUNG_PERSON: "la personne elle-même",
    Giver.BOTH: "le jeune et un représentant légal, ensemble",
}
"""Who gives an agreement, inside a sentence."""

ASSENTS: Final = {"yes": "oui", "no": "non", "not_asked": "pas demandé"}
LANGUAGES: Final = {
    "fr": "français",
    "ar": "arabe",
    "de": "allemand",
    "en": "anglais",
    "es": "espagnol",
    "fa": "persan",
    "pt": "portugais",
    "ro": "roumain",
    "ru": "russe",
    "tr": "turc",
    "uk": "ukrainien",
    "zh": "chinois",
}
"""Languages in which people are informed here, by their code (ISO 639-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A kind of message in plain words. way: who sends it to whom. type: its code."""

    type: str
    label: str
    articles: str
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An agreement as people read it; days in Paris. recipients: name and id of each.

    article: on which its messages ask for it.
    """

    agreement_id: str
    person_id: str
    state: str
    giver: str
    authority: str
    means: str
    assent: str
    associated: Sequence[str]
    messages: Sequence[Message]
    article: str
    recipients: Sequence[tuple[str, str]]
    references: Sequence[str]
    given_on: date
    last_day: date
    withdrawn_on: date | None
    suspended_on: date | None
    notice_version: str
    notice_channel: str
    notice_language: str
    notice_on: date
    collector: str

    @property
    def live(self) -> bool:
        """Whether it may still be withdrawn, heard about or objected to."""
        return self.state in {"given", "suspended"}

    @property
    def state_word(self) -> str:
        """Where it stands, in words."""
        return STATES[self.state]


def last_day_of(end: datetime) -> date:
    """The last legal day before an end, which is the first instant after."""
    return day_of(end - timedelta(microseconds=1))


def agreements_of(connection: Connection, core: Core, person_id: str, at: datetime) -> list[Shown]:
    """What was collected here from a person, the latest first."""
    table = tables.agreements
    mine = select(table.c.agreement_id).where(table.c.person_id == person_id)
    ids = list(connection.execute(mine.order_by(table.c.given_at.desc())).scalars())
    found = standing.AGREEMENTS.fetch(connection, ids)
    return [_shown(core, found[one].row, found[one].references, at) for one in ids if one in found]


def agreement(connection: Connection, core: Core, agreement_id: str, at: datetime) -> Shown | None:
    """One agreement collected here."""
    found = standing.AGREEMENTS.fetch(connection, (agreement_id,)).get(agreement_id)
    return None if found is None else _shown(core, found.row, found.references, at)


def _shown(core: Core, row: Row[Any], references: Any, at: datetime) -> Shown:  # noqa: ANN401 -- by recipient
    def word(code: str | None) -> str:
        return "" if code is None else core.registry.word(_ANY, code)

    orgs = sorted(references)
    return Shown(
        agreement_id=row.agreement_id,
        person_id=row.person_id,
        state=views.agreement_state(row, at),
        giver=GIVERS[Giver(row.giver)],
        authority=word(row.authority).lower(),
        means=word(row.means).lower(),
        assent=ASSENTS[row.assent],
        associated=[_associated_word(core, one) for one in row.associated],
        messages=[message_of(core, one, orgs) for one in dict.fromkeys(row.flows)],
        article=_article(core, row.flows, orgs),
        recipients=[(name_of(core, org), org) for org in orgs],
        references=[references[org] for org in orgs],
        given_on=day_of(row.given_at),
        last_day=last_day_of(row.expires_at),
        withdrawn_on=None if row.withdrawn_at is None else day_of(row.withdrawn_at),
        suspended_on=None if row.suspended_at is None else day_of(row.suspended_at),
        notice_version=row.notice_version,
        notice_channel=word(row.notice_channel).lower(),
        notice_language=LANGUAGES.get(row.notice_language, row.notice_language),
        notice_on=day_of(row.notice_at),
        collector=row.agent_id,
    )


_ANY: Final = ""
"""Of codes that no convention has a word of its own for."""


def _associated_word(core: Core, code: str) -> str:
    words = (core.registry.word(one, code) for one in core.registry.conventions)
    return next((word for word in words if word != code), code)


def message_of(core: Core, type_: str, orgs: Iterable[str]) -> Message:
    """A type as it stands between us and some organisations, or anywhere where none joins us."""
    between = [
        flow for org in orgs for signed in core.between(org) for flow in _ours(core, signed, org)
    ]
    flows = [one for one in between if one.type == type_]
    flows = flows or [one for _, one in core.flows.get(type_, ())]
    articles = dict.fromkeys(one.article for one in flows)
    label = flows[0].label if flows else type_
    return Message(type=type_, label=label, articles=", ".join(articles))


def _article(core: Core, types: Iterable[str], orgs: Iterable[str]) -> str:
    checks = [
        check
        for org in orgs
        for signed in core.between(org)
        for flow in _ours(core, signed, org)
        for check in flow.checks
        if flow.type in set(types) and isinstance(check, Agreement)
    ]
    return ", ".join(dict.fromkeys(one.article for one in checks))


def _ours(core: Core, signed: SignedConvention, org: str) -> Iterator[Flow]:
    """Flows of a convention between us and one party, both ways."""
    kinds = {(core.kind, signed.kind_of(org)), (signed.kind_of(org), core.kind)}
    return (one for one in signed.convention.flows if (one.sender, one.receiver) in kinds)


# --- what may be agreed to


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Messages of one purpose with one recipient that ask for an agreement.

    key: of the group, of ids and codes alone. minor, adult: who gives it below and from 18.
    """

    key: str
    org: str
    recipient: str
    title: str
    convention_id: str
    purpose: str
    article: str
    minor: Giver
    adult: Giver
    messages: Sequence[Message]

    def giver(self, *, adult: bool) -> str:
        """Who gives it at that age, in words."""
        return GIVERS[self.adult if adult else self.minor]

    def allowed(self, *, adult: bool) -> set[Giver]:
        """Who may give it at that age; what both give, a representative and a minor give."""
        if adult:
            return {self.adult}
        return {self.minor, Giver.BOTH}


def open_groups(core: Core, at: datetime) -> list[Group]:
    """What may be agreed to today: by recipient, convention in force, purpose and giver."""
    found: list[Group] = []
    for org in sorted(core.directory.entries, key=lambda one: name_of(core, one)):
        if org != core.org:
            for signed in core.between(org):
                if signed.open_at(at):
                    found += _groups(core, signed, org)
    return found


def _groups(core: Core, signed: SignedConvention, org: str) -> Iterator[Group]:
    parts: dict[tuple[str, Giver, Giver], list[Flow]] = {}
    for flow in _ours(core, signed, org):
        for check in flow.checks:
            if isinstance(check, Agreement):
                parts.setdefault((flow.purpose, check.minor, check.adult), []).append(flow)
    for (purpose, minor, adult), flows in parts.items():
        checks = [one for flow in flows for one in flow.checks if isinstance(one, Agreement)]
        yield Group(
            key=f"{org}.{signed.id}.{purpose}.{minor.value}",
            org=org,
            recipient=name_of(core, org),
            title=signed.convention.title,
            convention_id=signed.id,
            purpose=core.registry.word(signed.convention.code, purpose),
            article=", ".join(dict.fromkeys(one.article for one in checks)),
            minor=minor,
            adult=adult,
            messages=list(_merged(core, flows, org)),
        )


def _merged(core: Core, flows: Sequence[Flow], org: str) -> Iterator[Message]:
    """One line for each type, whichever way it goes."""
    there = name_of(core, org)
    for type_ in dict.fromkeys(one.type for one in flows):
        same = [one for one in flows if one.type == type_]
        ours = {one.sender is core.kind for one in same}
        ways = {True: f"de nous à {there}", False: f"de {there} à nous"}
        way = "dans les deux sens" if len(ours) > 1 else ways[ours.pop()]
        articles = ", ".join(dict.fromkeys(one.article for one in same))
        yield Message(type=type_, label=same[0].label, articles=articles, way=way)


def of_age(birth: date, at: datetime) -> bool:
    """Whether a person is 18 on the legal day."""
    return reached(birth, MAJORITY_AGE, day_of(at))


def age(birth: date, day: date) -> int:
    """Years reached on a day."""
    years = day.year - birth.year
    return years if reached(birth, years, day) else years - 1


# --- what is due, and who was told


@dataclass(frozen=True, slots=True, kw_only=True)
class DueOn:
    """One thing that is due about a person. case: the short code of the file it is about."""

    label: str
    article: str
    by: str
    late: bool
    case: str


def due_about(
    connection: Connection, core: Core, person_id: str, agreement_ids: Sequence[str]
) -> list[DueOn]:
    """What waits about a person: on agreements, and in cases."""
    table, cases = tables.deadlines, tables.cases
    theirs = select(cases.c.case_id).where(cases.c.person_id == person_id)
    about = table.c.subject.in_(agreement_ids) | table.c.case_id.in_(theirs)
    waits = table.c.state.in_((deadlines.PENDING, deadlines.MISSED))
    rows = connection.execute(select(table).where(about & waits).order_by(table.c.due_at))
    return [
        DueOn(
            label=core.clocks[row.kind].label if row.kind in core.clocks else row.kind,
            article=row.article,
            by=by_in_words(row.due_at),
            late=row.state == deadlines.MISSED,
            case="" if row.case_id is None else row.case_id[:8],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A recipient of an agreement that ended, and what it answered; empty while it has not."""

    name: str
    told_at: str
    answer: str
    article: str
    done_at: str


def told(connection: Connection, core: Core, references: Sequence[str]) -> list[Told]:
    """Who was told that an agreement ended, and what each answered."""
    table = tables.withdrawals
    rows = connection.execute(
        select(table).where(table.c.reference.in_(references)).order_by(table.c.org)
    )
    return [
        Told(
            name=name_of(core, row.org),
            told_at=instant_in_words(row.told_at),
            answer="" if row.outcome is None else _ANSWERS.get(row.outcome, row.outcome),
            article=row.article or "",
            done_at="" if row.done_at is None else instant_in_words(row.done_at),
        )
        for row in rows
    ]


_ANSWERS: Final = {
    "stopped": "tout est arrêté",
    "deleted": "arrêté, et ce qui avait été reçu est détruit",
    "kept": "arrêté ; gardé le temps que dit l'article",
    "suspended": "suspendu",
    "resumed": "repris",
}
