"""The stories of the demonstration, each told on a federation of its own.

It is the one of `deploy/federation.yaml`, but for its dates: texts end, and these tests go on. What
the broker lets pass ends with a text on real time, whatever the nodes' clocks say; so each text is
signed, or has an amendment ready, some days before today, and ends long after.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from contracts.kernel.paris import day_of
from services.chassis.clock import SystemClock
from services.federation.config import FederationFile, installed
from services.federation.demo import FEDERATION_FILE, STORIES, run
from services.federation.federation import Federation
from tests.federation.town import until

TODAY: Final = day_of(SystemClock().now())
BEFORE, AFTER = TODAY - timedelta(days=60), TODAY + timedelta(days=800)
"""Longer than any story moves its clocks: that of D lives until 31 December."""

AMENDED: Final = "d_department_mission_locale"
"""The one text in force as it was written, until 8 October 2027: here it has a later end."""

SHOWN = {
    "b": {
        *("B-0.1", "B-1.2", "B-2.1", "B-2.2", "B-2.3", "B-2.4", "B-2.6", "B-2.7", "B-2.9"),
        *("B-2.10", "B-2.11", "B-2.13", "B-2.14", "B-3.1", "B-4.1", "B-4.2", "B-5.1", "B-7.1"),
        *("D5135-2", "D5135-3", "RGPD 13"),
    },
    "c": {
        *("C-0.1", "C-2.1", "C-3.1", "C-3.2", "C-3a.1", "C-3a.3", "C-3a.6", "C-3a.11", "C-3a.13"),
        *("C-3a.14", "C-3a.16", "C-3a.20", "C-3a.21", "C-3a.22", "C-3a.23", "C-3a.26", "C-3a.28"),
        *("C-3b.1", "C-3b.4", "C-3d.2", "C-3d.3", "C-3d.4", "C-3e.1", "C-3e.3", "C-3e.4"),
        *("C-3e.5", "C-3f.1", "C-3f.3", "C-4.1", "C-4.2", "C-5.1", "C-5.3", "C-5.4", "C-5.5"),
        *("C-6.1", "C-6.2", "C-6.5", "C-7.4", "C-8.1", "C-8.2", "D5135-3"),
    },
    "d": {
        *("D-0.1", "D-0.2", "D-0.4", "D-1.1", "D-1.2", "D-1.3", "D-1.4", "D-1.5", "D-1.6"),
        *("D-1.7", "D-1.8", "D-1.9", "D-2.1", "D-2.3", "D-2.4", "D-4.3", "D-5.1", "D-5.4"),
        *("D-5.7a", "D-5.7b", "D-5.7c", "D-5.7d", "D-5.7e", "D-5.7f", "D-8.1"),
        *("R114-7", "RGPD 13"),
    },
}
"""Articles that each story shows; that of A is told in the town of the other tests."""


def test_every_story_is_looked_at() -> None:
    assert set(STORIES) == {"a", *SHOWN}


def dated() -> FederationFile:
    """The demonstration's federation, with dates of today's."""
    values = yaml.safe_load(FEDERATION_FILE.read_text(encoding="utf-8"))
    amendment = {"invented": True, "evidence": "Avenant d'essai"}
    for one in values["conventions"]:
        if one["convention"] == AMENDED:
            one["amendment"] = amendment
        if "amendment" in one:
            one["amendment"] |= {"signed_on": BEFORE, "until": AFTER}
        else:
            one["signatures"] = {
                kind: {**said, "signed_on": BEFORE} for kind, said in one["signatures"].items()
            }
    return FederationFile.model_validate(values)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A running federation of that file, in which the text in force has its later end."""
    with Federation.create(tmp_path, dated()) as federation:
        for one in federation.layout.federation.to_sign(installed()):
            if one.convention == AMENDED and one.amendment is not None:
                federation.amend(one.id, **one.amendment.signing)
                for party in one.parties:
                    wait_amended(federation, party.org, one.id)
        yield tmp_path


def wait_amended(federation: Federation, org: str, convention_id: str) -> None:
    """Until a party applies the amendment."""
    with federation.client(org, "manager", "manager-1") as client:

        def amended() -> bool:
            held = client.get("/api/v1/conventions").raise_for_status().json()
            return (convention_id, AFTER.isoformat()) in {
                (one["convention_id"], one["ends_on"]) for one in held
            }

        until(amended, f"{org} does not hold the amendment of {convention_id}")


@pytest.mark.parametrize("letter", SHOWN)
def test_every_step_does_as_told_and_shows_its_articles(letter: str, home: Path) -> None:
    out = io.StringIO()
    code = run(home, convention=letter, as_json=True, out=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    assert [step for step in told["steps"] if not step["ok"]] == []
    assert (code, told["ok"]) == (0, True)
    assert SHOWN[letter] <= {article for step in told["steps"] for article in step["articles"]}
