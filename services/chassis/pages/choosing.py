"""What an agent chooses among where a field takes a number that nobody knows by heart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.forms import Option
from services.chassis.partner import ANEW


def choices(
    tx: Tx, core: Core, code: str, name: str, case_id: str | None, at: datetime
) -> dict[str, list[Option]]:
    """By field, of a message or an act. code: of its instrument. name: its type, or the act's."""
    choosers = core.partner.side(code).choices
    return {
        field: [Option(code=one, word=word) for one, word in choose(tx, core, case_id, at)]
        for (about, field), choose in choosers.items()
        if about == name
    }


def numbered(core: Core, content: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, with a number of its own for what was chosen as new."""
    return {name: core.new_id() if one == ANEW else one for name, one in content.items()}
