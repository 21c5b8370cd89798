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


def require_acquaintance(tx: Tx, core: Core, instrument: str, agent: Agent, at: datetime) -> None:
    """Refuse whoever does not know the text, where it asks that. Raises ConventionUnread.

    instrument: what binds us, by its name in a case.
    """
    asked = core.side(instrument).acquaintance
    signed = core.directory.conventions.get(instrument)
    if asked is None or signed is None or asked.known(tx, signed, agent.agent_id, at):
        return
    raise ConventionUnread(signed.id, asked.path, asked.article)
