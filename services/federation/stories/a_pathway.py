"""The shared support told: the watch cell, the pathway, its referent, the family at each step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from contracts.kernel.paris import day_of
from services.federation.stories.a_desks import SchoolDesks


class PathwayStory(SchoolDesks):
    """What follows a referral that the city accepts."""

    def convening(self) -> None:
        """A watch cell is called without a name; whom it speaks of stays at the school."""
        self.teller.step(f"La cellule de veille est convoquée : {self.at_school} → {self.at_city}")
        at = (self.fed.now(self.school) + timedelta(days=7)).isoformat()
        body = {"at": at, "place": "Salle des conseils", "situations": 2}
        sent = self.tell(self.head, "watch_cell.convened", self.city, body)
        self.teller.check(
            sent["state"] == "accepted" and sent["case_id"] is None,
            "Une date, un lieu, un nombre de situations : aucun nom, aucun dossier",
            "A-2.2",
        )
        item = {"person_id": self.pupil(), "decisions": ["referral"]}
        path = f"/api/v1/watch-cells/{sent['message_id']}/agenda"
        noted = self.head.post(path, json=item)
        self.teller.check(
            noted.status_code == httpx.codes.CREATED,
            "L'ordre du jour reste à l'établissement, qui seul y met des noms",
            "A-2.3",
        )

    def opening_pathway(self) -> None:
        """The referent opens the pathway; both sides hold it alike."""
        self.teller.step(f"Le parcours s'ouvre : {self.at_city} → {self.at_school}")
        today = day_of(self.fed.now(self.city))
        body = {
            "opened_on": today.isoformat(),
            "objectives": ["attendance", "motivation"],
            "strategy": ["individual_support"],
            "review_on": (today + timedelta(days=30)).isoformat(),
        }
        self.step_of_case(self.youth, "pathway.opened", body)
        held = [
            client.get(f"/api/v1/cases/{self.case}").json()["content"]["pathway"]
            for client in (self.head, self.youth)
        ]
        self.teller.check(
            held[0] == held[1] and held[0]["objectives"] == body["objectives"],
            "Les deux côtés tiennent les mêmes objectifs, choisis dans une liste",
            "A-2.1",
            "A-2.4",
        )

    def following(self) -> None:
        """News from the referent, a new element from the school, a meeting with the family."""
        self.teller.step("Nouvelles du parcours, élément nouveau, rencontre avec la famille")
        progress = {"stage": "engaged", "engaged": True, "next_date": None}
        self.told = self.step_of_case(self.youth, "pathway.progress", progress)
        self.teller.check(self.told != "", "Le référent dit où en est le parcours", "A-2.7")
        on = day_of(self.fed.now(self.school)).isoformat()
        element = {"element": "timetable", "on": on}
        new = self.step_of_case(self.head, "pathway.new_element", element)
        self.teller.check(new != "", "L'établissement dit ce qui change, jamais pourquoi", "A-2.8")
        meeting = {
            "at": (self.fed.now(self.city) + timedelta(days=5)).isoformat(),
            "place": "Maison de la jeunesse",
            "participants": ["school", "referent"],
        }
        self.expect_refusal(
            self.post(self.youth, "meeting.called", self.school, meeting, case_id=self.case),
            "A-2.12",
            who="Une rencontre sans la famille",
        )
        meeting["participants"] = ["family", "school", "referent"]
        called = self.step_of_case(self.youth, "meeting.called", meeting)
        self.teller.check(called != "", "La même avec la famille est envoyée", "A-2.9")

    def informing(self) -> None:
        """The family hears of each step; until then the node reminds whoever took it."""
        self.teller.step("La famille est informée de chaque étape")
        waiting = self.due(self.youth, "family.told", self.told)
        self.teller.check(
            bool(waiting), "L'étape attend d'être dite à la famille, sous sept jours", "A-2.12"
        )
        body = {"message_id": self.told, "channel": "phone"}
        self.youth.post(f"/api/v1/cases/{self.case}/acts/family_told", json=body)
        self.teller.check(
            not self.due(self.youth, "family.told", self.told), "Dite, elle n'attend plus", "A-2.12"
        )

    def changing_referent(self) -> None:
        """Another referent takes over: the former has no access from that instant."""
        self.teller.step("Le référent change : l'ancien perd l'accès aussitôt")
        path = f"/api/v1/cases/{self.case}"
        contact = {
            "name": "Alix Inventé",
            "role": "référent de parcours",
            "phone": None,
            "email": None,
        }
        body = {"agent_id": "referent-2", "contact": contact}
        before = self.youth.get(path).status_code
        changed = self.youth.post(f"{path}/acts/referent", json=body)
        self.teller.check(
            changed.status_code == httpx.codes.CREATED, "Le nouveau référent est nommé", "A-2.5"
        )
        after = self.youth.get(path)
        self.teller.check(
            (before, after.status_code) == (httpx.codes.OK, httpx.codes.FORBIDDEN),
            "L'ancien lisait ce dossier, il ne le peut plus",
            "A-2.5",
        )
        self.sit("referent-2")
        self.teller.check(
            self.youth.get(path).status_code == httpx.codes.OK, "Le nouveau le lit", "A-2.5"
        )

    def step_of_case(self, client: httpx.Client, message_type: str, data: dict[str, Any]) -> str:
        """Send a message about the case; its id once accepted, nothing otherwise."""
        to = self.city if client is self.head else self.school
        sent = self.tell(client, message_type, to, data, case_id=self.case)
        return str(sent["message_id"]) if sent["state"] == "accepted" else ""
