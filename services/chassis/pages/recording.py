"""Recording what a person agrees to, or refuses: to whom, which messages, by whom, until when.

What may be agreed to is read from the conventions in force between us and each partner; who may
give it, from what each of their messages asks of a person of that age. Nothing is ticked before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.kernel.agreement import expiry
from contracts.kernel.checks import Giver
from contracts.kernel.paris import PARIS, day_of
from services.chassis.core import Core
from services.chassis.pages.agreed import LANGUAGES, Group, last_day_of
from services.chassis.pages.forms import Field, Option, Shape, Typed, content_of, fields_of, filled
from services.chassis.pages.notices import version_of
from services.chassis.pages.part import AGREEMENTS, Part, asked_id, onward
from services.chassis.pages.people import Sheet, birth_of, sheet_of
from services.chassis.pages.refusals import Refusal, refused
from services.chassis.register import AgreementRecord
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import Right

_BY_THE_PAGE: Final = ("person_id", "recipients", "flows")
"""Fields of an agreement that stand on the page in another form than the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When an agreement given today would end, by who gives it."""

    giver: str
    last_day: date


class Recording:
    """Pages on which an agreement is recorded."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [Route("/people/{person_id}/agreement", self.record, methods=["GET", "POST"])]

    async def record(self, request: Request) -> Response:
        """Choose the recipients, then the messages and the rest; then the agreement's page."""
        session = await at_desk(self._node, request, Right.REGISTER)
        person_id = asked_id(request, "person_id")
        core, at = self._node.core, self._node.clock.now()
        sheet = await self._node.database.read(lambda c: sheet_of(c, core, person_id, at))
        if request.method == "POST":
            typed = await form_of(request, session)
            return await self._posted(session, sheet, typed)
        chosen = _chosen(sheet.groups, request.query_params.getlist("to"))
        if not chosen:
            return self._part.page("agreement_to.html", session, sheet=sheet)
        return self._form(session, sheet, chosen, _today(core, chosen, at))

    async def _posted(self, session: Session, sheet: Sheet, typed: Typed) -> Response:
        chosen = _chosen(sheet.groups, typed.getlist("recipients"))
        if not chosen:
            return self._part.page("agreement_to.html", session, sheet=sheet)
        if "tick" in typed:
            return self._form(session, sheet, chosen, _ticked(chosen, typed))
        fields = self._fields(sheet, chosen)
        flows = list(dict.fromkeys(typed.getlist("flows")))
        body = {
            **content_of(fields, typed),
            "person_id": sheet.who.person_id,
            "recipients": list(dict.fromkeys(one.org for one in chosen)),
            "flows": flows,
        }
        answer = await self._part.post(session, "/agreements", body, typed.get("key"))
        if answer.done:
            return onward(f"{AGREEMENTS}/{answer.content['agreement_id']}")
        refusal, faulty = refused(answer, fields, typed)
        return self._form(session, sheet, chosen, typed, refusal, faulty)

    def _form(
        self,
        session: Session,
        sheet: Sheet,
        chosen: Sequence[Group],
        typed: Typed,
        refusal: Refusal | None = None,
        faulty: Sequence[Field] = (),
    ) -> Response:
        core, at = self._node.core, self._node.clock.now()
        return self._part.page(
            "agreement_new.html",
            session,
            422 if refusal else 200,
            sheet=sheet,
            groups=chosen,
            recipients=list(dict.fromkeys((one.org, one.recipient) for one in chosen)),
            notices=list(dict.fromkeys((one.convention_id, one.title) for one in chosen)),
            ticked=set(typed.getlist("flows")),
            fields=faulty or filled(self._fields(sheet, chosen), typed),
            endings=list(_endings(core, sheet, chosen, at)),
            refusal=refusal,
            key=self._part.fresh_key(),
        )

    def _fields(self, sheet: Sheet, chosen: Sequence[Group]) -> tuple[Field, ...]:
        """The fields of the record, with those givers and bodies alone that are possible."""
        registry = self._node.core.registry
        givers = {one for group in chosen for one in group.allowed(adult=sheet.adult)}
        offered = [
            Option(code=one.value, word=registry.word("", one.value))
            for one in Giver
            if one in givers
        ]
        bodies = self._bodies(chosen)
        left_out = [*_BY_THE_PAGE, *(() if bodies else ("associated",))]
        if givers == {Giver.YOUNG_PERSON}:
            left_out.append("authority")
        fields = fields_of(
            AgreementRecord,
            lambda code: registry.word("", code),
            leave_out=left_out,
            choices={"giver": offered, "associated": bodies},
        )
        return tuple(_in_languages(one) if one.name == "notice" else one for one in fields)

    def _bodies(self, chosen: Sequence[Group]) -> list[Option]:
        """Bodies beside the recipients that the conventions let an agreement name."""
        core = self._node.core
        signed = [core.directory.conventions[one.convention_id] for one in chosen]
        texts = {one.convention.code: one.convention for one in signed}
        return [
            Option(code=code, word=f"{core.registry.word(text.code, code)} ({article})")
            for text in texts.values()
            for code, article in text.associated.items()
        ]


def _in_languages(notice: Field) -> Field:
    """The notice's fields, its language to choose."""
    languages = tuple(Option(code=code, word=word) for code, word in LANGUAGES.items())
    parts = [
        replace(one, shape=Shape.CHOICE, options=languages)
        if one.name == "notice.language"
        else one
        for one in notice.parts
    ]
    return replace(notice, parts=tuple(parts))


def _chosen(groups: Sequence[Group], orgs: Sequence[str]) -> list[Group]:
    """Groups of the recipients that were chosen; all, where there is but one recipient."""
    if len({one.org for one in groups}) == 1:
        return list(groups)
    return [one for one in groups if one.org in orgs]


def _today(core: Core, chosen: Sequence[Group], at: datetime) -> Typed:
    """What the form says before anybody typed: this minute, and the notice as it is written now."""
    local = at.astimezone(PARIS).replace(second=0, microsecond=0, tzinfo=None)
    moment = local.isoformat(timespec="minutes")
    versions = dict.fromkeys(version_of(core, one.convention_id) for one in chosen)
    values = {
        "notice.version": " ".join(versions),
        "notice.language": "fr",
        "notice.given_at": moment,
        "given_at": moment,
    }
    return ImmutableMultiDict(list(values.items()))


def _ticked(chosen: Sequence[Group], typed: Typed) -> Typed:
    """What was typed, and all messages of one group beside."""
    wanted = [one for group in chosen if group.key == typed["tick"] for one in group.messages]
    kept = [one for one in typed.multi_items() if one[0] not in {"tick", "key"}]
    return ImmutableMultiDict([*kept, *(("flows", one.type) for one in wanted)])


def _endings(core: Core, sheet: Sheet, chosen: Sequence[Group], at: datetime) -> Iterable[Ending]:
    """The last day of an agreement given today, by who may give it."""
    conventions = [core.directory.conventions[one.convention_id] for one in chosen]
    ends = [one.ends_on for one in conventions if one.ends_on is not None]
    givers = {one for group in chosen for one in group.allowed(adult=sheet.adult)}
    for giver in (one for one in Giver if one in givers):
        end = expiry(
            day_of(at),
            birth=birth_of(sheet.who),
            giver=giver,
            convention_ends_on=min(ends, default=None),
        )
        yield Ending(
            giver=core.registry.word("", giver.value).lower(),
            last_day=last_day_of(end),
        )
