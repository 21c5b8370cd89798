"""An accident while a parent's objection is waited for: acting without agreement, told."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import httpx

from contracts.kernel.paris import day_of
from services.federation.stories.a_measure import CONTACT, MeasureStory


class DangerStory(MeasureStory):
    """The measure goes on, one parent objects, and the pupil has an accident at the host."""

    def in_danger(self) -> None:
        """Two persons decide, for one message; the family is told, a third person reviews."""
        self.teller.step("Un accident pendant l'opposition d'un parent : agir sans accord")
        path = f"/api/v1/agreements/{self.both}/objection"
        self.head.post(path, json={"raised_by": "representative"}).raise_for_status()
        self._known_at_city("suspended")
        accident = {
            "kind": "accident",
            "at": self.fed.now(self.city).isoformat(),
            "call_back": CONTACT["phone"],
        }
        self.expect_refusal(self._alert(accident), "A-4.4", who="L'accord est suspendu")
        asked = {"case_id": self.measure, "to": self.school, "ground": "vital_interests"}
        others = self._ask({**asked, "type": "alternative.status"})
        self.expect_refusal(others, "A-3.13", who="Un autre message, sans accord")
        number = self._ask({**asked, "type": "alternative.alert"}).json()["derogation_id"]
        alone = self._alert(accident, derogation_id=number)
        self.expect_refusal(alone, "A-3.15", who="Décidé par une seule personne")
        with ExitStack() as stack:
            second, third = (
                stack.enter_context(self.fed.client(self.city, role, agent))
                for role, agent in (("manager", "responsable-1"), ("dpo", "dpo-2"))
            )
            for one in (second, third):
                one.post("/api/v1/charter", json={"version": "1"}).raise_for_status()
            decision = f"/api/v1/derogations/{number}"
            second.post(f"{decision}/confirmation").raise_for_status()
            told = self._alert(accident, derogation_id=number).raise_for_status().json()
            sent = self.until(self.youth, told["message_id"], "accepted")
            self.teller.check(
                sent["state"] == "accepted",
                "Une seconde personne confirme : ce message-là passe, pour des intérêts vitaux",
                "A-3.15",
            )
            due = [
                bool(self.due(self.youth, f"derogation.{what}", number))
                for what in ("telling", "review")
            ]
            by_phone = {"on": day_of(self.fed.now(self.city)).isoformat(), "channel": "phone"}
            self.youth.post(f"{decision}/telling", json=by_phone).raise_for_status()
            third.post(f"{decision}/review", json={"outcome": "justified"}).raise_for_status()
        exchanges = f"/api/v1/cases/{self.measure}/exchanges"
        shown = [
            one["without_agreement"]
            for client in (self.head, self.youth)
            for one in client.get(exchanges).json()
            if one["message_id"] == sent["message_id"]
        ]
        self.teller.check(
            all(due) and bool(shown) and all(shown),
            "La famille est informée et le voit des deux côtés ; une troisième personne a revu "
            "la décision",
            "A-2.12",
        )
        with self.fed.client(self.school, "manager", "cheffe-1") as manager:
            manager.post(f"{path}/answer", json={"outcome": "lifted"}).raise_for_status()
        self._known_at_city("resumed")

    def _known_at_city(self, state: str) -> None:
        """Wait until the city has answered that it knows the agreement's new state."""
        agreement = f"/api/v1/agreements/{self.both}"
        self.wait(
            lambda: [one["outcome"] for one in self.head.get(agreement).json()["withdrawal"]],
            lambda found: found == [state],
        )

    def _ask(self, body: dict[str, Any]) -> httpx.Response:
        return self.youth.post("/api/v1/derogations", json=body)

    def _alert(self, accident: dict[str, Any], **about: str) -> httpx.Response:
        about = {"case_id": self.measure, **about}
        return self.post(self.youth, "alternative.alert", self.school, accident, **about)
