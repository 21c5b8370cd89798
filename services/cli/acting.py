"""Acting for an organisation at the command line: which convention, for whom, on which day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import httpx
import typer

from services.chassis.tokens import Role
from services.cli.output import BadUsage
from services.federation.federation import Federation

Name = Annotated[str, typer.Argument(metavar="ID", help="Convention signée.")]
Org = Annotated[str, typer.Option("--org", help="Organisme qui agit.")]


def manager(running: Federation, org: str) -> httpx.Client:
    """Speak to an organisation's node as whoever answers for it."""
    return running.client(org, Role.MANAGER, "cli")


def read_day(text: str) -> date:
    """A day as one types it. Raises BadUsage."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"« {text} » n'est pas une date : écrivez AAAA-MM-JJ.") from None
