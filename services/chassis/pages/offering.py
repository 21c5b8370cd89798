"""What an agent may do next in a case, as it stands: messages, acts, or why there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from contracts.kernel.binding import Binding
from contracts.kernel.instrument import Cardinality, Flow, Instrument, Urgency
from contracts.kernel.organisation import Kind
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.posting import OPEN
from services.chassis.tokens import RIGHTS, Agent, Right


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What an agent may do next in a case."""

    path: str
    label: str
    article: str
    urgent: bool = False


def kind_of_partner(core: Core, row: Row[Any]) -> Kind | None:
    """Kind of the other organisation of a case; None where nothing binds it any more."""
    binding: Binding | None = core.binding(row.partner, row.instrument)
    return None if binding is None else binding.kind_of(row.partner)


def within(
    core: Core, row: Row[Any], text: Instrument | None, *, any_state: bool = False
) -> Iterator[Flow]:
    """Messages that this organisation may send in a case, whatever else they ask for.

    any_state: also where it is open no more, so that who had begun one is told why it cannot go.
    """
    theirs = kind_of_partner(core, row)
    passes = any_state or row.state == OPEN
    for flow in () if text is None or not passes else text.flows:
        ends = (flow.sender, flow.receiver) == (core.kind, theirs)
        if ends and flow.case is Cardinality.WITHIN and flow.purpose == row.purpose:
            yield flow


def messages(
    tx: Tx, core: Core, row: Row[Any], text: Instrument | None, agent: Agent, here: str
) -> Iterator[Offered]:
    """Messages that an agent may ask to send in a case. here: its page."""
    if Right.SEND not in RIGHTS[agent.role]:
        return
    side = core.side(row.instrument)
    matter, not_ours = side.matter(tx, row.case_id), side.not_ours(tx, row.case_id)
    for flow in within(core, row, text):
        if matter not in {"", flow.type.partition(".")[0]} or flow.type in not_ours:
            continue
        yield Offered(
            path=f"{here}/send/{flow.type}",
            label=flow.label,
            article=flow.article,
            urgent=flow.urgency is Urgency.WITHOUT_DELAY,
        )


def acts_of(tx: Tx, core: Core, row: Row[Any], agent: Agent, here: str) -> Iterator[Offered]:
    """What an agent may record about a case as it stands."""
    if Right.SEND not in RIGHTS[agent.role]:
        return
    side = core.side(row.instrument)
    matter, not_ours = side.matter(tx, row.case_id), side.not_ours(tx, row.case_id)
    for name, act in side.acts.items():
        may = not act.roles or agent.role.value in act.roles
        concerned = act.about(row.purpose) and act.goes_with(matter) and name not in not_ours
        if may and row.state in act.states and concerned:
            path = f"{here}/acts/{name}"
            yield Offered(path=path, label=act.label, article=act.article)


def without_agreement(
    core: Core, row: Row[Any], text: Instrument | None, agent: Agent, here: str
) -> Iterator[Offered]:
    """Messages that two may decide to send without agreement."""
    if Right.REGISTER not in RIGHTS[agent.role]:
        return
    for flow in within(core, row, text):
        for rule in flow.derogations[:1]:
            path = f"{here}/without-agreement/{flow.type}"
            yield Offered(path=path, label=flow.label, article=rule.article)


_OVER: Final = {
    "closed": "Cette situation est terminée : aucun message n'y part plus",
    "stopped": "Cette situation est arrêtée : aucun message n'y part plus, et ce que l'autre "
    "organisme en envoie est refusé",
}
"""Why a case offers less than it did, by its state."""


def why_over(row: Row[Any], acts: tuple[Offered, ...], agent: Agent) -> str:
    """Why nothing more is offered in a case to who might otherwise send; empty while it is open."""
    why = _OVER.get(row.state)
    if why is None or Right.SEND not in RIGHTS[agent.role]:
        return ""
    rest = "seul ce qui suit s'y enregistre encore" if acts else "rien ne s'y enregistre plus"
    return f"{why} ; {rest}. Ce qui reprend commence par un premier message."
