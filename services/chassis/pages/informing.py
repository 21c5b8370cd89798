"""Recording that a person was told of a duty of the law, for which nobody's agreement is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.chassis import resemblance
from services.chassis.acts import NoticeBody
from services.chassis.core import Core
from services.chassis.pages.agreed import LANGUAGES
from services.chassis.pages.asking import Question, asked
from services.chassis.pages.forms import Option, fields_of
from services.chassis.pages.notices import version_of
from services.chassis.pages.part import PEOPLE, Part, asked_id
from services.chassis.pages.persons import name_in_words
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import Right


def open_duties(core: Core, at: datetime) -> list[tuple[str, str]]:
    """Code and title of each duty by which this organisation tells somebody something now."""
    found = {
        one.id: duty.title
        for org in core.directory.entries
        if org != core.org
        for one in core.bindings(org)
        if (duty := core.registry.duties.get(one.id)) is not None
        and duty.sender is core.kind
        and one.open_at(at)
    }
    return sorted(found.items())


class Informing:
    """The page on which it is recorded."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [Route("/people/{person_id}/notice", self.notice, methods=["GET", "POST"])]

    async def notice(self, request: Request) -> Response:
        """Ask which duty, how and when; the version is that of the notice as it is now."""
        session = await at_desk(self._node, request, Right.REGISTER)
        person_id = asked_id(request, "person_id")
        core, at = self._node.core, self._node.clock.now()
        who = await self._node.database.read(lambda c: resemblance.of_register(c, core, person_id))
        duties = open_duties(core, at)

        def body(typed: dict[str, Any]) -> dict[str, Any]:
            known = typed.get("instrument") in dict(duties)
            version = {"version": version_of(core, typed["instrument"])} if known else {}
            return {**typed, **version, "person_id": person_id}

        question = Question(
            template="person_informed.html",
            title="Informer d'un devoir légal",
            fields=fields_of(
                NoticeBody,
                lambda code: core.registry.word("", code),
                leave_out=("person_id", "version"),
                choices={
                    "instrument": [Option(code=code, word=title) for code, title in duties],
                    "language": [Option(code=code, word=word) for code, word in LANGUAGES.items()],
                },
            ),
            path="/notices",
            body=body,
            done=lambda _: f"{PEOPLE}/{person_id}",
            place=self._part.place,
            submit="Enregistrer",
            person_id=person_id,
            shown={"person": name_in_words(who.person), "duties": duties, "id": person_id},
        )
        return await asked(self._node, self._part.api, request, session, question)
