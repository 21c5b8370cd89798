"""How a convention's messages are tried: what comes before each, its content, its effect.

Nothing here belongs to one convention: each gives its `Script`, in `examples_a.py` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from contracts.kernel.instrument import Cardinality, Convention, Flow, Instrument, LegalDuty
from services.chassis.clock import new_id

Content = dict[str, Any]


@dataclass
class Case:
    """One case on its way: today, the first day of what it plans, and what it is known by.

    days: how long that lasts. content: changes to what the examples say, by the message's code.
    mark: random digits for what this case alone names, an offer or a tutor.
    """

    today: date
    first_day: date
    days: int = 5
    case_id: str = ""
    agreement_id: str = ""
    notice_id: str = ""
    content: dict[str, Content] = field(default_factory=dict)
    mark: str = field(default_factory=new_id)

    @property
    def last_day(self) -> date:
        """Last day of what it plans."""
        return self.first_day + timedelta(days=self.days - 1)

    def unknown(self) -> Case:
        """The same case as somebody else would name it: no agreement, no information."""
        return Case(self.today, self.first_day, self.days, self.case_id)


@dataclass(frozen=True)
class Example:
    """How to send a message, and how to see at the receiver that it took effect.

    after: codes sent before, in the same case. seen: of the receiver's view of the case and the
    message's id. during: what the case plans must have begun. same_day: what comes before it is
    forgotten by the next day.
    """

    data: Callable[[Case], Content]
    seen: Callable[[Content, str], bool]
    after: tuple[str, ...] = ()
    during: bool = False
    same_day: bool = False


class Script:
    """The messages of a convention, and of the duties that it recalls, each with its example."""

    def __init__(
        self, text: Convention, examples: Mapping[str, Example], duties: tuple[LegalDuty, ...] = ()
    ) -> None:
        self.text = text
        self.texts: tuple[Instrument, ...] = (text, *duties)
        self.examples = examples
        self.flows: Mapping[str, Flow] = {
            flow.code: flow for one in self.texts for flow in one.flows
        }
        self.duties = frozenset(flow.code for duty in duties for flow in duty.flows)

    def opener(self, code: str) -> str:
        """Code of the message that opens the case in which this one is sent: itself, or before.

        The first of them where none opens any.
        """
        codes = (*self.examples[code].after, code)
        opens = (one for one in codes if self.flows[one].case is Cardinality.OPENS)
        return next(opens, codes[0])

    def body(self, code: str, case: Case, to: str) -> dict[str, Any]:
        """Body of the call that asks to send a message in a case."""
        flow = self.flows[code]
        named = {
            Cardinality.OPENS: ("agreement_id", "notice_id"),
            Cardinality.WITHIN: ("case_id",),
            Cardinality.NONE: (),
        }[flow.case]
        given = {name: value for name in named if (value := getattr(case, name))}
        data = {**self.examples[code].data(case), **case.content.get(code, {})}
        return {"type": flow.type, "to": to, "data": data, **given}

    def both_ways(self, code: str) -> list[str]:
        """Codes under which the same type goes the other way."""
        flow = self.flows[code]
        way = (flow.type, flow.receiver, flow.sender)
        flows = self.flows.values()
        return [one.code for one in flows if (one.type, one.sender, one.receiver) == way]

    def pairs(self) -> list[tuple[str, str]]:
        """Codes of the types that go both ways, the first of the text before the other."""
        order = list(self.flows)
        found = [(one, other) for one in order for other in self.both_ways(one)]
        return [(one, other) for one, other in found if order.index(one) < order.index(other)]
