"""What persons are told before anything is: from a convention's own data, to read, print and give.

Its version changes with whatever it says: it ends in a digest of the whole text, so that a record
of an agreement names the very words that were given (GDPR 13, 14; A-2.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.export import BASES, blocks
from contracts.kernel.binding import Binding, DutyBetween
from contracts.kernel.canonical import digest
from contracts.kernel.checks import Agreement
from contracts.kernel.errors import UnknownName
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Flow, Instrument, LegalBasis, Retention
from contracts.kernel.organisation import Kind
from services.chassis.core import Core
from services.chassis.pages.agreed import GIVERS
from services.chassis.pages.content import name_of
from services.chassis.pages.part import Part
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import Right
from services.chassis.words import kept

_DIGITS: Final = 8
"""Characters of the digest in a version: enough that two texts never share one by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Who sends or receives, and where rights are exercised."""

    name: str
    kind: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One kind of message: from whom to whom, what it says, how long it is kept."""

    label: str
    article: str
    way: str
    says: Sequence[str]
    kept: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why, and the messages that serve it.

    givers: who agrees, in sentences; none where nobody is asked. unasked: messages that pass
    without an agreement of their own, where others ask for one. despite: in which danger one passes
    although nobody agreed.
    """

    why: str
    basis: str
    givers: Sequence[str]
    unasked: Sequence[str]
    despite: Sequence[str]
    messages: Sequence[Told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The whole text, whose version follows from the rest."""

    title: str
    invented: bool
    by_law: bool
    organisations: Sequence[Organisation]
    purposes: Sequence[Purpose]
    minimisation_article: str
    edition: str

    @property
    def version(self) -> str:
        """What a record of an agreement cites; the same as long as not a word changed."""
        return f"{self.edition}-{digest(asdict(self))[:_DIGITS]}"


def notice_of(core: Core, name: str) -> Notice:
    """The notice of what binds us under a name, for all whom it binds. Raises UnknownName."""
    return _notice(core, _binding(core, name))


def version_of(core: Core, name: str) -> str:
    """Version of a notice as it is written now. Raises UnknownName."""
    versions: str = core.once(("notice", name), lambda _known: notice_of(core, name).version)
    return versions


def _binding(core: Core, name: str) -> list[Binding]:
    signed = core.directory.conventions.get(name)
    if signed is not None:
        return [signed]
    between = [
        one
        for org in sorted(core.directory.entries)
        if org != core.org
        for one in core.bindings(org)
        if one.id == name
    ]
    if not between:
        raise UnknownName("Aucune convention et aucun devoir légal d'ici ne porte ce nom.")
    return between


def _notice(core: Core, bound: Sequence[Binding]) -> Notice:
    first, instrument = bound[0], bound[0].instrument
    flows = [one for one in instrument.flows if _about_persons(one) and core.kind in _ends(one)]
    names = _names(core, bound, {kind for one in flows for kind in _ends(one)})
    purposes = dict.fromkeys((one.purpose, one.legal_basis) for one in flows)
    texts = [] if isinstance(first, DutyBetween) else [one.terms for one in first.versions]
    return Notice(
        title=instrument.title,
        invented=any(one.invented for one in texts),
        by_law=not texts,
        organisations=[_organisation(core, org) for orgs in names.values() for org in orgs],
        purposes=[
            _purpose(
                core,
                instrument,
                [one for one in flows if (one.purpose, one.legal_basis) == (purpose, basis)],
                {kind: _called(core, kind, orgs) for kind, orgs in names.items()},
            )
            for purpose, basis in purposes
        ],
        minimisation_article=instrument.minimisation_article,
        edition=".".join(
            (f"{instrument.letter}{instrument.version}", *(str(one.version) for one in texts[-1:]))
        ),
    )


def _about_persons(flow: Flow) -> bool:
    return flow.legal_basis is not LegalBasis.NO_PERSONAL_DATA


def _ends(flow: Flow) -> tuple[Kind, Kind]:
    return flow.sender, flow.receiver


def _names(core: Core, bound: Sequence[Binding], kinds: set[Kind]) -> dict[Kind, list[str]]:
    """The organisations of each kind, our own first, then by name."""
    found: dict[Kind, list[str]] = {core.kind: []}
    for org in sorted({org for one in bound for org in one.orgs}, key=lambda o: name_of(core, o)):
        kind = next((it for one in bound if (it := one.kind_of(org)) is not None), None)
        if kind in kinds and kind is not None:
            found.setdefault(kind, []).append(org)
    return found


def _called(core: Core, kind: Kind, orgs: Sequence[str]) -> str:
    """What the one organisation of a kind is called; several, by their kind."""
    return name_of(core, orgs[0]) if len(orgs) == 1 else kind.label


def _organisation(core: Core, org: str) -> Organisation:
    entry = core.directory.entry(org)
    if entry is None:
        return Organisation(name=org, kind="", contact="")
    return Organisation(name=entry.name, kind=entry.kind.label, contact=entry.dpo)


def _purpose(
    core: Core, instrument: Instrument, flows: Sequence[Flow], names: dict[Kind, str]
) -> Purpose:
    return Purpose(
        why=core.registry.word(instrument.code, flows[0].purpose),
        basis=BASES[flows[0].legal_basis],
        givers=list(dict.fromkeys(_givers(flows))),
        unasked=list(dict.fromkeys(_cited(one) for one in flows if not _asks(one))),
        despite=list(dict.fromkeys(_despite(core, instrument, flows))),
        messages=list(_all_told(core, instrument, flows, names)),
    )


def _asks(flow: Flow) -> bool:
    return any(isinstance(check, Agreement) for check in flow.checks)


def _cited(flow: Flow) -> str:
    return f"{flow.label} ({flow.article})"


def _despite(core: Core, instrument: Instrument, flows: Iterable[Flow]) -> Iterator[str]:
    for flow in flows:
        for rule in flow.derogations:
            ground = core.registry.word(instrument.code, rule.ground.value)
            yield (
                f"{flow.label} ({rule.article}). Motif : {ground}. Deux personnes le décident, "
                f"pour un seul message, dans les {rule.hours} heures. Vous l'apprenez ensuite, "
                f"au plus tard {rule.sealed_days} jours après"
            )


def _givers(flows: Iterable[Flow]) -> Iterator[str]:
    for flow in flows:
        for check in flow.checks:
            if isinstance(check, Agreement):
                minor, adult = GIVERS[check.minor], GIVERS[check.adult]
                same = minor == adult
                who = minor if same else f"avant 18 ans, {minor} ; ensuite, {adult}"
                yield f"{who[:1].upper()}{who[1:]} ({check.article})."


def _all_told(
    core: Core, instrument: Instrument, flows: Sequence[Flow], names: dict[Kind, str]
) -> Iterator[Told]:
    """One line for each type; of one that goes both ways alike, one line for both."""
    alike: dict[tuple[str, str, Retention], list[Flow]] = {}
    for flow in flows:
        alike.setdefault((flow.type, flow.article, flow.retention), []).append(flow)
    for same in alike.values():
        first, arrow = same[0], "→" if len(same) == 1 else "↔"
        ends = [names.get(one, one.label) for one in _ends(first)]
        yield Told(
            label=first.label,
            article=first.article,
            way=f"{ends[0]} {arrow} {ends[1]}",
            says=list(said_by(first.payload)),
            kept=f"{kept(core.registry, instrument.code, first.retention)} "
            f"({first.retention.article})",
        )


def said_by(payload: type[Payload]) -> Iterator[str]:
    """What a content says, field by field, in the words of its own declaration."""
    for info in payload.model_fields.values():
        inner = dict.fromkeys(t for block in blocks(info.annotation) for t in said_by(block))
        yield f"{info.title} ({', '.join(inner)})" if inner else str(info.title)


class Notices:
    """Pages of what persons are told."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [Route("/notices/{instrument}", self.notice)]

    async def notice(self, request: Request) -> Response:
        """The text to read aloud, print and hand over."""
        session = await at_desk(self._node, request, Right.WITHDRAW)
        found = notice_of(self._node.core, request.path_params["instrument"])
        return self._part.page("notice.html", session, notice=found)
