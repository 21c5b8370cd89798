"""A small federation really started: one school, the city, their servers, hub and registrar."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import yaml

from contracts import registry
from contracts.kernel.errors import Unavailable
from services.federation.config import FederationFile, read_federation
from services.federation.federation import Federation, wait_for

SCHOOL, CITY, THIRD = "college-essai", "ville-essai", "lycee-essai"
CONVENTION = f"a-{CITY}-{SCHOOL}"
SIGNED_ON: Final = "2026-08-31"
"""The last day of a school year, which is thus one that the convention ran in and that is over.

These federations live on real time: three years later the convention has ended.
"""


def content() -> dict[str, Any]:
    """What a sound file holds."""
    return {
        "organisations": [
            {"id": SCHOOL, "kind": "school", "name": "Collège d'essai", "uai": "9990101F"},
            {"id": CITY, "kind": "city", "name": "Ville d'essai", "siret": "99910001900010"},
        ],
        "conventions": [
            {
                "convention": "a_city_school",
                "parties": {"city": "every", "school": "every"},
                "evidence": "Texte de substitution",
                "invented": True,
                "signatures": {
                    kind: {"signatory": "maire", "decision": "acte 1", "signed_on": SIGNED_ON}
                    for kind in ("city", "school")
                },
            }
        ],
    }


def third_school() -> dict[str, Any]:
    return {"id": THIRD, "kind": "school", "name": "Lycée d'essai", "uai": "9990102G"}


def write(path: Path, values: object) -> Path:
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path


def read(folder: Path, values: object) -> FederationFile:
    return read_federation(write(folder / "federation.yaml", values), registry.load())


@contextmanager
def started(home: Path, database_base_url: str | None = None) -> Iterator[Federation]:
    """A federation of one school and the city, running, its convention signed."""
    home.mkdir(parents=True, exist_ok=True)
    federation = Federation.create(home, read(home, content()), database_base_url)
    with federation:
        yield federation


def survivors(home: Path) -> list[int]:
    """Processes that still work on a state folder: named by it, or with a file of it open."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            files = " ".join(one.path for one in process.open_files())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.pid != os.getpid() and f"{home}/" in f"{words}/ {files}":
            found.append(process.pid)
    return found


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/api/v1/{path}", json=body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def agreement(federation: Federation, client: httpx.Client) -> str:
    """Everything a referral rests on: a pupil, the charter, notice and agreement."""
    person = {
        "identity": {
            "family_name": "Exemplaire",
            "first_name": "Camille",
            "birth_date": "2012-03-09",
            "channel": None,
        },
        "representatives": [
            {
                "family_name": "Exemplaire",
                "first_name": "Dominique",
                "channel": {"kind": "email", "value": "dominique@famille.example"},
            }
        ],
    }
    post(client, "charter", {"version": "1"})
    ago = (federation.now(SCHOOL) - timedelta(minutes=5)).isoformat()
    record = {
        "person_id": post(client, "persons", person)["person_id"],
        "recipients": [CITY],
        "flows": ["referral.submitted", "referral.answered"],
        "giver": "representative",
        "authority": "parental",
        "means": "in_person",
        "granted": True,
        "assent": "not_asked",
        "notice": {"version": "1", "channel": "meeting", "language": "fr", "given_at": ago},
        "given_at": ago,
    }
    return str(post(client, "agreements", record)["agreement_id"])


def referral(agreement_id: str | None) -> dict[str, Any]:
    data = {"level": "4e", "concerns": ["absences"], "hoped_help": "support"}
    return {
        "type": "referral.submitted",
        "to": CITY,
        "data": data,
        **({} if agreement_id is None else {"agreement_id": agreement_id}),
    }


def wait_accepted(client: httpx.Client, message_id: str, timeout_s: float = 20) -> None:
    """Return once the receiver's signed receipt is home."""
    found: dict[str, Any] = {}

    def accepted() -> bool:
        found.update(client.get(f"/api/v1/messages/{message_id}").json())
        return bool(found["state"] == "accepted")

    try:
        wait_for(accepted, timeout_s, f"message {message_id} is not accepted")
    except Unavailable as error:
        raise AssertionError(f"{error.sentence}: {found}") from error


def send_referral(federation: Federation) -> str:
    """Send a referral from the school to the city; returns its id once it is accepted."""
    with federation.client(SCHOOL, "agent") as client:
        sent = post(client, "messages", referral(agreement(federation, client)))
        wait_accepted(client, sent["message_id"])
    return str(sent["message_id"])
