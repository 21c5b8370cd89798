"""Agents who know a convention before anything under it opens to them, where its text asks so."""

from __future__ import annotations

from datetime import datetime

from contracts.kernel.errors import RelaisError
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.tokens import Agent


class ConventionUnread(RelaisError):
    """An agent who has not said that the convention's present version is known.

    convention_id: the signed convention to read first.
    """

    code = "convention_not_read"
    status = 403

    def __init__(self, convention_id: str, path: str, article: str) -> None:
        super().__init__(
            f"Prenez d'abord connaissance de la convention : POST /api/v1{path}.",
            articles=(article,),
        )
        self.convention_id = convention_id


def unread(
    tx: Tx, core: Core, instrument: str, agent: Agent, at: datetime
) -> ConventionUnread | None:
    """What an agent must know before anything under an instrument opens; None where he does.

    instrument: what binds us, by its name in a case.
    """
    asked = core.side(instrument).acquaintance
    signed = core.directory.conventions.get(instrument)
    if asked is None or signed is None or asked.known(tx, signed, agent.agent_id, at):
        return None
    return ConventionUnread(signed.id, asked.path, asked.article)


def require_acquaintance(tx: Tx, core: Core, instrument: str, agent: Agent, at: datetime) -> None:
    """Refuse whoever does not know the text, where it asks that. Raises ConventionUnread."""
    refused = unread(tx, core, instrument, agent, at)
    if refused is not None:
        raise refused


def require_text(tx: Tx, core: Core, code: str, agent: Agent, at: datetime) -> None:
    """The same beside any case: for whoever records or reads what hangs on no single convention.

    code: of the text. What is asked is every convention of that text that is open with us, or all
    that ever applied where none is; before the first one applies there is nothing to know.
    """
    applied = [
        one
        for one in core.directory.conventions.values()
        if one.convention.code == code and core.org in one.orgs and one.version_at(at) is not None
    ]
    for signed in [one for one in applied if one.open_at(at)] or applied:
        require_acquaintance(tx, core, signed.id, agent, at)
