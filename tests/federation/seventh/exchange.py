"""A pupil is proposed to a guidance centre, which answers; run where the product knows the kind.

`python -m tests.federation.seventh.exchange HOME` prints as JSON what was signed and seen.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from contracts.kernel.paris import add_years, day_of
from services.federation.config import FederationFile
from services.federation.federation import Federation, wait_for

SCHOOL, CENTRE = "lycee-des-metiers", "cio-du-val"


def file(signed_on: str) -> FederationFile:
    signature = {"signatory": "direction", "decision": "acte 1", "signed_on": signed_on}
    return FederationFile.model_validate(
        {
            "organisations": [
                {"id": SCHOOL, "kind": "school", "name": "Lycée", "uai": "9990101F"},
                {"id": CENTRE, "kind": "guidance_centre", "name": "CIO"},
            ],
            "conventions": [
                {
                    "convention": "f_school_guidance_centre",
                    "parties": {"school": "every", "guidance_centre": "every"},
                    "evidence": "Texte de substitution",
                    "invented": True,
                    "signatures": {"school": signature, "guidance_centre": signature},
                }
            ],
        }
    )


def agreed(school: httpx.Client, now: datetime) -> str:
    """The agreement of a pupil of eighteen, registered at the school."""
    birth = add_years(day_of(now), -18)
    identity = {"family_name": "Exemplaire", "first_name": "Noa", "channel": None}
    person = school.post(
        "/api/v1/persons",
        json={"identity": {**identity, "birth_date": birth.isoformat()}, "representatives": []},
    ).raise_for_status()
    ago = (now - timedelta(minutes=5)).isoformat()
    record = {
        "person_id": person.json()["person_id"],
        "recipients": [CENTRE],
        "flows": ["discovery.proposed", "discovery.answered"],
        "giver": "young_person",
        "means": "in_person",
        "granted": True,
        "assent": "not_asked",
        "notice": {"version": "1", "channel": "letter", "language": "fr", "given_at": ago},
        "given_at": ago,
    }
    return str(
        school.post("/api/v1/agreements", json=record).raise_for_status().json()["agreement_id"]
    )


def sent(client: httpx.Client, **body: Any) -> dict[str, Any]:
    """A message that the other side accepts."""
    answer = client.post("/api/v1/messages", json=body).raise_for_status().json()
    path = f"/api/v1/messages/{answer['message_id']}"
    wait_for(lambda: client.get(path).json()["state"] == "accepted", 20, "not accepted")
    found: dict[str, Any] = client.get(path).json()
    return found


def exchanged(federation: Federation) -> dict[str, Any]:
    """A proposal, who may read it at the centre, the answer, and what the centre may not send."""
    with (
        federation.client(SCHOOL, "agent", "cpe-1") as school,
        federation.client(CENTRE, "agent", "psy-en-1") as agent,
        federation.client(CENTRE, "referent", "psy-en-2") as referent,
    ):
        for client in (school, agent, referent):
            client.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        proposal = {"type": "discovery.proposed", "data": {"weeks": 2, "trade": "care"}}
        agreement = agreed(school, federation.now(SCHOOL))
        case_id = sent(school, **proposal, to=CENTRE, agreement_id=agreement)["case_id"]
        case = referent.get(f"/api/v1/cases/{case_id}").raise_for_status().json()
        data = {"decision": "found", "starts_on": "2031-03-03"}
        sent(referent, type="discovery.answered", to=SCHOOL, case_id=case_id, data=data)
        return {
            "seen": case["person"]["identity"]["first_name"],
            "closed": agent.get(f"/api/v1/cases/{case_id}").json()["articles"],
            "backwards": referent.post(
                "/api/v1/messages", json={**proposal, "to": SCHOOL}
            ).status_code,
        }


def main(home: Path) -> None:
    signed_on = datetime.now(UTC).date() - timedelta(days=30)
    federation = Federation.create(home, file(signed_on.isoformat()))
    try:
        signed = federation.start()
        found = {"signed": signed, **exchanged(federation)}
    finally:
        federation.stop()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
