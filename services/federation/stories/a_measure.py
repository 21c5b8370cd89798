"""The alternative to a temporary exclusion told, and what the mayor is told by law."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from contracts.kernel.paris import day_of
from services.federation.stories.a_desks import SchoolDesks

CONTACT = {
    "name": "Camille Fictive",
    "role": "éducatrice",
    "phone": "+33 1 99 00 12 34",
    "email": None,
}
HOST = "Jardins d'exemple"


class MeasureStory(SchoolDesks):
    """A measure from its request to its end, on the clock of its days."""

    measure = both = ""
    signed_on = first_day = last_day = date.min

    def requesting(self) -> None:
        """Eight days at most, agreed by pupil and representative both."""
        self.teller.step(f"Alternative à l'exclusion : {self.at_school} → {self.at_city}")
        self.signed_on = day_of(self.fed.now(self.school))
        self.first_day = self.signed_on + timedelta(days=1)
        self.last_day = self.first_day + timedelta(days=7)
        flows = self.flows("exclusion_alternative")
        pupil = self.pupil()
        alone = self.agree(pupil, flows=flows)
        self.expect_refusal(
            self._request(alone, self.last_day), "A-4.4", who="Le représentant seul a dit oui"
        )
        self.both = self.agree(pupil, flows=flows, giver="both", associated=["host_association"])
        self.expect_refusal(
            self._request(self.both, self.last_day + timedelta(days=1)), "A-3.1", who="Neuf jours"
        )
        answer = self._request(self.both, self.last_day)
        self.measure = str(answer.json().get("case_id") or "")
        sent = self.until(self.head, str(answer.json().get("message_id")), "accepted")
        self.teller.check(
            sent["state"] == "accepted", "Huit jours, l'élève et son parent d'accord", "A-3.1"
        )

    def contracting(self) -> None:
        """The city accepts; four sign before the first day, at a host under agreement."""
        self.teller.step("Le contrat d'engagement : quatre signatures avant le premier jour")
        accepted = {"decision": "accepted", "contact": CONTACT}
        self._about_measure(self.youth, "alternative.answered", accepted)
        signed = self.signed_on.isoformat()
        refused = self._post_contract(self.youth, youth_service=signed)
        self.expect_refusal(refused, "A-6.2", who="Chez une association sans convention")
        self._register_host()
        without = self._post_contract(self.youth, youth_service=signed, task_tutor=None)
        self.expect_refusal(without, "A-3.10", who="Sans tuteur")
        self._told_contract(self.youth, youth_service=signed)
        others = self._post_contract(self.youth, head_teacher=signed)
        self.expect_refusal(others, "A-3.6", who=f"{self.at_city} signe pour {self.at_school}")
        self._told_contract(self.head, head_teacher=signed, pupil=signed, representative=signed)
        held = self._measure_at(self.head)
        self.teller.check(
            held["status"] == "signed" and len(held["signatures"]) == 4,  # noqa: PLR2004
            "Les quatre ont signé ; le contrat de papier ne voyage pas",
            "A-3.5",
            "A-3.6",
        )

    def running(self) -> None:
        """The first day: reception, then an alert without delay, read by a person."""
        self.teller.step("Premier jour de la mesure : l'accueil, puis une information sans délai")
        self.fed.move_clock(timedelta(days=1))
        self.sit(self.referent)
        self.wait(lambda: self._measure_at(self.youth)["status"], lambda found: found == "running")
        self.teller.check(
            self._measure_at(self.youth)["status"] == "running",
            "La mesure court d'elle-même, son contrat étant complet",
            "A-3.5",
        )
        body = {"on": self.first_day.isoformat(), "pupil": True, "representative": True}
        received = self.youth.post(f"/api/v1/cases/{self.measure}/acts/reception", json=body)
        self.teller.check(
            received.status_code == httpx.codes.CREATED,
            "L'élève et son représentant sont reçus",
            "A-3.7",
        )
        at = self.fed.now(self.city).isoformat()
        alert = {"kind": "absence", "at": at, "call_back": CONTACT["phone"]}
        sent = self._about_measure(self.youth, "alternative.alert", alert)
        message_id = sent["message_id"]
        self.teller.check(
            sent["state"] == "accepted" and bool(self.due(self.head, "alert.seen", message_id)),
            "Absence signalée, remise : un code, un numéro à rappeler, rien d'autre",
            "A-3.15",
        )
        waits = bool(self.due(self.youth, "alert.reading", message_id))
        self.head.post(f"/api/v1/received/{message_id}/reading").raise_for_status()
        self.wait(
            lambda: self.due(self.youth, "alert.reading", message_id), lambda found: not found
        )
        self.teller.check(
            waits and not self.due(self.youth, "alert.reading", message_id),
            f"{self.at_city} attend qu'une personne la lise, et sait qu'elle l'a lue",
            "A-3.15",
        )

    def interrupting(self) -> None:
        """Only the head of the school may interrupt, on one of three grounds."""
        self.teller.step("Fin de la mesure : le chef d'établissement seul l'interrompt")
        body = {
            "outcome": "ended_safety",
            "ended_on": day_of(self.fed.now(self.school)).isoformat(),
            "booklet_handed": True,
        }
        refused = self.post(
            self.youth, "alternative.ended", self.school, body, case_id=self.measure
        )
        self.expect_refusal(refused, "A-3.14", who=f"{self.at_city} interrompt")
        sent = self._about_measure(self.head, "alternative.ended", body)
        self.teller.check(
            sent["state"] == "accepted" and self._measure_at(self.youth)["status"] == "interrupted",
            "Pour sa sécurité, dit l'établissement : un motif sur trois, sans récit",
            "A-3.14",
        )
        late = {"kind": "incident", "at": self.fed.now(self.city).isoformat()}
        late["call_back"] = str(CONTACT["phone"])
        after = self.post(self.youth, "alternative.alert", self.school, late, case_id=self.measure)
        self.teller.check(
            after.status_code == httpx.codes.FORBIDDEN, "Après la fin, plus rien n'y passe"
        )

    def notifying(self) -> None:
        """The mayor is told by law, without agreement, apart from every support."""
        self.teller.step("Assiduité : ce que la loi fait dire au maire, et à lui seul")
        pupil, today = self.pupil(), day_of(self.fed.now(self.school))
        event = {"event": "attendance_warning", "on": today.isoformat()}
        kind = "attendance.municipal_notice"
        untold = self.post(self.head, kind, self.city, event)
        self.teller.check(
            untold.status_code == httpx.codes.FORBIDDEN,
            "Sans que la famille en soit avertie, rien ne part",
        )
        notice = {
            "person_id": pupil,
            "instrument": "mayor_attendance",
            "version": "2026-1",
            "channel": "letter",
            "language": "fr",
            "given_at": self.fed.now(self.school).isoformat(),
        }
        given = self.head.post("/api/v1/notices", json=notice).raise_for_status().json()
        self._designate("avis-1", today)
        answer = self.post(self.head, kind, self.city, event, notice_id=given["notice_id"])
        sent = self.until(self.head, str(answer.json().get("message_id")), "accepted")
        self.teller.check(
            sent["state"] == "accepted",
            "Avertie, aucun accord n'est demandé : c'est une obligation légale",
            "A-0.3",
        )
        path = f"/api/v1/cases/{sent['case_id']}"
        with self.fed.client(self.city, "agent", "avis-1") as named:
            named.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
            seen = [one.get(path).status_code for one in (named, self.youth)]
        self.teller.check(
            seen == [httpx.codes.OK, httpx.codes.FORBIDDEN],
            "L'agent que le maire désigne la lit ; le service Jeunesse, non",
            "A-0.3",
        )

    def reviewing(self) -> None:
        """A year is counted when it is over: from day to day the difference would be a pupil."""
        self.teller.step("Le bilan annuel : une année finie, comptée une fois")
        name = self.convention(self.school)
        path = f"/api/v1/conventions/{name}"
        year = day_of(self.fed.now(self.city)).year
        with self.fed.client(self.city, "manager", "responsable-1") as manager:
            running = manager.post(f"{path}/reports", json={"year": year})
            absent = manager.get(f"{path}/report", params={"year": year})
        refused = httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.NOT_FOUND
        self.teller.check(
            (running.status_code, absent.status_code) == refused,
            "Une année qui court n'est comptée pour personne ; celle-ci s'arrête un 31 août",
            "A-8.1",
        )

    def _request(self, agreement_id: str, last_day: date) -> httpx.Response:
        first, last = self.first_day.isoformat(), last_day.isoformat()
        body = {
            "exclusion_first_day": first,
            "exclusion_last_day": last,
            "wanted_first_day": first,
            "wanted_last_day": last,
        }
        return self.post(
            self.head, "alternative.requested", self.city, body, agreement_id=agreement_id
        )

    def _contract(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON values
        signatures = dict.fromkeys(("head_teacher", "youth_service", "pupil", "representative"))
        return {
            **signatures,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "host": HOST,
            "task_tutor": CONTACT,
            **changes,
        }

    def _post_contract(self, client: httpx.Client, **changes: Any) -> httpx.Response:  # noqa: ANN401
        to = self.city if client is self.head else self.school
        body = self._contract(**changes)
        return self.post(client, "alternative.contract_status", to, body, case_id=self.measure)

    def _told_contract(self, client: httpx.Client, **changes: Any) -> None:  # noqa: ANN401
        self._about_measure(client, "alternative.contract_status", self._contract(**changes))

    def _about_measure(
        self, client: httpx.Client, message_type: str, data: dict[str, Any]
    ) -> dict[str, Any]:
        to = self.city if client is self.head else self.school
        return self.tell(client, message_type, to, data, case_id=self.measure)

    def _measure_at(self, client: httpx.Client) -> dict[str, Any]:
        held = client.get(f"/api/v1/cases/{self.measure}").json()
        found: dict[str, Any] = held["content"]["measure"]
        return found

    def _register_host(self) -> None:
        body = {
            "name": HOST,
            "nature": "association",
            "agreement": "convention d'exemple",
            "first_day": (self.signed_on - timedelta(days=30)).isoformat(),
            "last_day": (self.signed_on + timedelta(days=300)).isoformat(),
        }
        with self.fed.client(self.city, "manager", "responsable-1") as manager:
            manager.post("/api/v1/hosts", json=body).raise_for_status()

    def _designate(self, agent_id: str, today: date) -> None:
        body = {
            "agent_id": agent_id,
            "first_day": (today - timedelta(days=1)).isoformat(),
            "decision": "arrêté d'exemple",
        }
        with self.fed.client(self.city, "manager", "responsable-1") as manager:
            manager.post("/api/v1/designations", json=body).raise_for_status()
