"""A dispute at the command line, on a federation that runs."""

from __future__ import annotations

import pytest

from tests.federations import CITY, CONVENTION
from tests.services.cli.calling import Captured, read, refused, told


@pytest.mark.usefixtures("home")
def test_a_dispute_keeps_a_convention_until_it_is_released(capsys: Captured) -> None:
    """A-12.1."""
    said = told(capsys, "convention", "hold", CONVENTION, "--org", CITY, "--ground", "court")
    hold_id = said.split()[1]
    holds = ("convention", "holds", CONVENTION, "--org", CITY)
    (held,) = read(capsys, *holds)
    assert (held["hold_id"], held["case_id"], held["released_at"]) == (hold_id, None, None)
    assert "tribunal" in told(capsys, *holds)
    release = ("convention", "release", CONVENTION, "--org", CITY, "--hold")
    assert told(capsys, *release, hold_id) == "Conservation levée.\n"
    (held,) = read(capsys, *holds)
    assert held["released_at"] is not None
    assert refused(capsys, *release, "0" * 32)[0] == 1
    assert (
        refused(capsys, "convention", "hold", "a-b-c", "--org", CITY, "--ground", "court")[0] == 1
    )
    assert refused(capsys, "convention", "hold", CONVENTION, "--org", CITY, "--ground", "?")[0] == 2
