"""Every message of a convention over the real bus: where it crosses, and where it is refused.

The clocks of all are moved through the life of one convention, once: its eve, its first day, the
next where something must have begun, the last day and the day after its end. At each, every message
is tried; the tests then look at what came of it, by the functions of `crossed.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

import httpx

from contracts import registry
from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from services.chassis.clock import new_id
from services.federation.config import FederationFile, ToSign
from services.federation.federation import Federation
from tests.federation.cast import Cast, at_ten, side_by_side
from tests.federation.examples import Case, Content, Script

DAY: Final = timedelta(days=1)
_UAIS: Final = ("9990101F", "9990102G", "9990103H")


def signed_file(
    text: str,
    members: Mapping[str, Kind],
    signed: Sequence[Mapping[Kind, Sequence[str]]],
    signed_on: date,
    reopened: tuple[date, date] | None = None,
) -> FederationFile:
    """Some organisations, of which some have signed a text with each other, all on one day.

    reopened: first day of an amendment, kept ready, and the first on which it is over.
    """
    uais = iter(_UAIS)
    amendment = reopened and {
        "invented": True,
        "evidence": "Avenant de substitution",
        "signed_on": reopened[0].isoformat(),
        "until": reopened[1].isoformat(),
    }
    signature = {"signatory": "maire", "decision": "acte 1", "signed_on": signed_on.isoformat()}
    return FederationFile.model_validate(
        {
            "organisations": [
                {"id": org, "kind": kind} | ({"uai": next(uais)} if kind is Kind.SCHOOL else {})
                for org, kind in members.items()
            ],
            "conventions": [
                {
                    "convention": text,
                    "parties": parties,
                    "evidence": "Texte de substitution",
                    "invented": True,
                    "signatures": dict.fromkeys(parties, signature),
                    "amendment": amendment,
                }
                for parties in signed
            ],
        }
    )


@dataclass
class Crossing:
    """A message that was allowed: as its sender holds it, and its effect before and after.

    held: all that the receiver's agents then see. again: what the sender showed them once more, of
    a message that leaves no file.
    """

    message: dict[str, Any]
    before: bool
    after: bool
    held: Content
    again: Content | None


@dataclass
class Life:
    """What came of every message, by its code."""

    cast: Cast
    eve: dict[str, httpx.Response] = field(default_factory=dict)
    first: dict[str, Crossing] = field(default_factory=dict)
    last: dict[str, Crossing] = field(default_factory=dict)
    over: dict[str, httpx.Response] = field(default_factory=dict)
    others: dict[str, dict[str, httpx.Response]] = field(default_factory=dict)
    back: dict[str, httpx.Response] = field(default_factory=dict)

    @property
    def script(self) -> Script:
        """The messages of the convention."""
        return self.cast.script

    @cached_property
    def signed(self) -> list[ToSign]:
        """The convention as it was signed, by whom each time."""
        return self.cast.fed.layout.federation.to_sign(registry.load())

    def may_know(self, code: str, org: str) -> bool:
        """Whether an organisation has signed, with the receiver, that it may send such a message.

        It knows the text then, and still nothing of the case.
        """
        flow = self.script.flows[code]
        way = (flow.type, self.cast.fed.layout.federation.member(org).kind, flow.receiver)
        ways = {(one.type, one.sender, one.receiver) for one in self.script.flows.values()}
        return way in ways and self.bound(code, org)

    def bound(self, code: str, org: str) -> bool:
        """Whether an organisation has signed with the receiver, whatever it may send to it."""
        to = self.cast.receiver(code)
        return any({org, to} <= {one.org for one in signed.parties} for signed in self.signed)


class Narrator:
    """Moves the clocks, and has every message sent."""

    def __init__(self, cast: Cast, signed_on: date, ended_on: date) -> None:
        self.cast = cast
        self.script = cast.script
        self.signed_on = signed_on
        self.ended_on = ended_on
        self.life = Life(cast)

    def tell(self) -> Life:
        """The whole life of the convention."""
        self.on(self.signed_on - DAY)
        self.cast.amend()
        self.cast.prepare(self.signed_on - DAY, self.ended_on + 30 * DAY)
        self.life.eve = self.tried(self.signed_on - DAY, self.fresh(self.signed_on - DAY))
        self.on(self.signed_on)
        cases = self.ready(self.signed_on, self.signed_on + DAY)
        self.through(self.life.first, cases, self.signed_on, during=False)
        if self.codes(during=True):
            self.on(self.signed_on + DAY)
            self.through(self.life.first, cases, self.signed_on + DAY, during=True)
        before_last, last = self.ended_on - 2 * DAY, self.ended_on - DAY
        self.on(before_last)
        cases, left = (self.ready(before_last, last) for _ in range(2))
        self.on(last)
        brief = [code for code, one in self.script.examples.items() if one.same_day]
        cases |= self.ready(last, last, brief)
        for during in (False, True):
            self.through(self.life.last, cases, last, during=during, alone=True)
        self.on(self.ended_on)
        self.life.over = self.tried(self.ended_on, left)
        return self.life

    def codes(self, *, during: bool) -> list[str]:
        """Messages that wait until what their case plans has begun, or the others."""
        return [code for code in self.script.flows if self.script.examples[code].during is during]

    def on(self, day: date) -> None:
        """Everybody lives on that day."""
        self.cast.go(at_ten(day))
        self.cast.open_desks()

    def fresh(self, today: date) -> dict[str, Case]:
        """Cases of which nobody knows anything yet, under ids that nobody holds."""
        later = today + 2 * DAY
        make = [
            partial(self.cast.case, today, later, code, case_id=new_id())
            for code in self.script.flows
        ]
        return dict(zip(self.script.flows, side_by_side(make), strict=True))

    def ready(self, today: date, then: date, codes: Iterable[str] | None = None) -> dict[str, Case]:
        """For each message a case that waits for it alone; what must run begins that day.

        codes: of those messages, all of them unless said otherwise.
        """
        wanted = list(self.script.flows if codes is None else codes)

        def one(code: str) -> Case:
            example = self.script.examples[code]
            first_day = then if example.during else then + 3 * DAY
            case = self.cast.play(self.cast.case(today, first_day, code), example.after)
            self.cast.lead_up(code, case)
            return case

        works = [partial(one, code) for code in wanted]
        return dict(zip(wanted, side_by_side(works), strict=True))

    def tried(self, today: date, cases: dict[str, Case]) -> dict[str, httpx.Response]:
        """What is answered when each is asked, allowed or not."""
        for case in cases.values():
            case.today = today
        return {code: self.cast.ask(code, cases[code]) for code in self.script.flows}

    def through(
        self,
        kept: dict[str, Crossing],
        cases: dict[str, Case],
        today: date,
        *,
        during: bool,
        alone: bool = False,
    ) -> None:
        """Each is sent and accepted; before that, unless alone, everybody else tries the same."""
        codes = self.codes(during=during)
        for code in codes:
            cases[code].today = today
            if not alone:
                self.life.others[code] = self.others(code, cases[code])
                if not self.script.both_ways(code):
                    self.life.back[code] = self.back(code, cases[code])

        def one(code: str) -> Crossing:
            case, seen = cases[code], self.script.examples[code].seen
            before = self.cast.content(code, case)
            message = self.cast.tell(code, case)
            after = self.cast.content(code, case)
            known = bool(before) and seen(before, message["message_id"])
            took = seen(after, message["message_id"])
            again = self.cast.shown_again(code, message["message_id"])
            return Crossing(message, known, took, after, again)

        made = side_by_side(partial(one, code) for code in codes)
        kept.update(zip(codes, made, strict=True))

    def others(self, code: str, case: Case) -> dict[str, httpx.Response]:
        """The same request from every organisation that neither sends nor receives it."""
        flow, to = self.script.flows[code], self.cast.receiver(code)
        body = self.script.body(code, case.unknown(), to)
        found = {}
        for one in self.cast.fed.layout.federation.organisations:
            if one.id in {self.cast.orgs[flow.sender], to}:
                continue
            if flow.case is Cardinality.NONE and self.life.may_know(code, one.id):
                continue  # it names nobody, and that organisation has signed for itself
            client = self.cast.client(one.id, "manager", "autre-1")
            found[one.id] = client.post("/api/v1/messages", json=body)
        return found

    def back(self, code: str, case: Case) -> httpx.Response:
        """The same request the other way round."""
        flow = self.script.flows[code]
        body = self.script.body(code, case.unknown(), self.cast.orgs[flow.sender])
        return self.cast.seated(flow.receiver).post("/api/v1/messages", json=body)


@contextmanager
def begun(home: Path, file: FederationFile, at: datetime) -> Iterator[Federation]:
    """A federation that lives at that instant, or later, from its first moment on.

    at: no earlier than now, for the broker lives on real time and closes what is over there.
    """
    fed = Federation.create(home, file)
    fed.move_clock(at - datetime.now(UTC))
    with fed:
        yield fed


@contextmanager
def lived(
    home: Path,
    file: FederationFile,
    cast: type[Cast],
    orgs: Mapping[Kind, str],
    signed_on: date,
    ended_on: date,
) -> Iterator[Life]:
    """What came of every message, while its federation still runs.

    signed_on, ended_on: first day of the convention, and the first on which it is over.
    """
    with begun(home, file, at_ten(signed_on - DAY)) as fed:
        actors = cast(fed, orgs)
        try:
            yield Narrator(actors, signed_on, ended_on).tell()
        finally:
            actors.close()
