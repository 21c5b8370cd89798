"""Convention C's territory: opportunities, campaigns, numbers, volunteers, and colleagues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contracts.conventions.c_employment_city_ccas.messages import LEAST
from services.federation.stories.c_desks import CONTACT, IDENTITY
from services.federation.stories.c_recruitment import RecruitmentStory

SECOND = {"name": "Alex Inventé", "role": "conseiller", "phone": None, "email": None}
OPPORTUNITY, CENSUS = "clause.opportunity", "census.aggregate"
OFFERED, REFERENTS = "volunteer.skills_offered", "referents.published"
ANTENNA = "antenna_referents.published"


class TerritoryStory(RecruitmentStory):
    """The part of the story in which nobody is hired: inclusion, the territory, and colleagues."""

    def sharing(self) -> None:
        """A building site that wants somebody: both ways, and nobody in it."""
        self.teller.step("Clauses sociales : une opportunité, dite à l'autre, sans personne")
        site = {
            "site": "Chantier du quai inventé",
            "trade": "F1702",
            "first_day": self.day(15),
            "last_day": self.day(45),
        }
        refused = self.post(self.counsellor, OPPORTUNITY, self.city, site)
        self.expect_refusal(refused, "C-3d.3", who="Une autre agence que l'Aubette")
        path = "/api/v1/clause-opportunities"
        for mine, there, to in (
            (self.clauses, self.city_clauses, self.city),
            (self.city_clauses, self.clauses, self.agency),
        ):
            self.tell(mine, OPPORTUNITY, to, site)
            held = there.get(path).raise_for_status().json()
            self.teller.check(
                any(one["site"] == site["site"] and not one["sent_here"] for one in held),
                f"Reçue par {self.names[to]} : un chantier, un métier, deux dates",
                "C-3d.2",
            )

    def campaigning(self) -> None:
        """The agency writes to its own job seekers; the partner is told a number, if it is one."""
        self.teller.step("Une campagne : l'agence l'envoie, le partenaire n'en sait qu'un nombre")
        asked = {
            "event": "presentation",
            "at": (self.fed.now(self.city) + timedelta(days=10)).isoformat(),
            "place": "Salle des fêtes",
            "means": "email",
            "priority_districts_only": True,
        }
        self.tell(self.hr, "campaign.requested", self.agency, asked)
        few = {"sent_on": self.day(0), "reached": LEAST - 1}
        refused = self.post(self.territory, "campaign.sent", self.city, few)
        self.expect_refusal(refused, "C-3e.4", who=f"{LEAST - 1} destinataires")
        sent = {**few, "reached": 40}
        other = self.post(self.counsellor, "campaign.sent", self.city, sent)
        self.expect_refusal(other, "C-3e.1", who="Une autre agence que Saint-Sever")
        self.tell(self.territory, "campaign.sent", self.city, sent)
        (seen,) = self.hr.get("/api/v1/campaigns").raise_for_status().json()
        self.teller.check(
            seen["reached"] == sent["reached"],
            f"Envoyée : {self.names[self.city]} lit « {seen['reached']} », et aucune liste",
            "C-3e.4",
        )

    def counting(self) -> None:
        """A census of numbers: what is small is hidden, and what would give it away too."""
        self.teller.step("Un recensement : des nombres, aucun petit, aucun qui se retrouve")
        table: dict[str, Any] = {
            "table": "job_seekers",
            "counted_on": self.day(0),
            "under_one_year": 40,
            "from_one_to_two": 30,
            "from_two_to_three": LEAST - 1,
            "over_three_years": 20,
            "total": 90 + LEAST - 1,
        }
        small = self.post(self.territory, CENSUS, self.city, table)
        self.expect_refusal(small, "C-3e.3", who=f"Une case de {LEAST - 1}")
        alone = {**table, "from_two_to_three": None}
        found = self.post(self.territory, CENSUS, self.city, alone)
        self.expect_refusal(found, "C-3e.3", who="La case masquée se retrouve par le total")
        self.tell(self.territory, CENSUS, self.city, {**alone, "total": None})
        (seen,) = self.hr.get("/api/v1/censuses").raise_for_status().json()
        self.teller.check(
            (seen["from_two_to_three"], seen["total"]) == (None, None),
            "Le total masqué avec elle, le tableau passe : personne ne s'y retrouve",
            "C-3e.3",
        )

    def volunteering(self) -> None:
        """Skills are offered at the person's own request alone; answered, both forget."""
        self.teller.step("Une volontaire fait connaître ses compétences, de sa propre initiative")
        person_id, client = self.person(self.territory), self.territory
        self.seeker(person_id)
        data = {"skills": ["100123"], "needs": ["training"]}
        about = {"agreement_id": self.agree(client, person_id, self.city)}
        early = self.post(client, OFFERED, self.city, data, **about)
        self.expect_refusal(early, "C-3e.5", who="La personne n'a rien demandé")
        asked_at = (self.fed.now(self.agency) - timedelta(minutes=5)).isoformat()
        self.record(client, "volunteers", person_id=person_id, asked_at=asked_at).raise_for_status()
        sent = self.tell(client, OFFERED, self.city, data, **about)
        self.case = sent["case_id"]
        seen = self.seen(self.hr, sent["message_id"])
        self.teller.check(
            seen.get("volunteer", {}).get("family_name") == IDENTITY["family_name"]
            and self.hr.get(f"/api/v1/cases/{self.case}").json()["person"] is None,
            "Vue de mémoire, écrite nulle part ; la demande ne sert qu'une fois",
            "C-3e.5",
            "C-5.1",
        )
        at = self.fed.now(self.city).isoformat()
        self.act(self.hr, "volunteer_answered", at=at).raise_for_status()
        path = f"/api/v1/cases/{self.case}"
        left = self.wait(
            lambda: [self.dpo[org].get(path).json()["content"] for org in (self.city, self.agency)],
            lambda found: not any(found),
        )
        self.teller.check(not any(left), "Réponse donnée, les deux oublient", "C-5.1")

    def naming(self) -> None:
        """Whom to call: colleagues who know that their contact is passed on, and no others."""
        self.teller.step("Qui appeler : des collègues, qui savent que leur contact est transmis")
        pair = {"agency": "saint_sever", "task": "employer", "first": CONTACT, "second": SECOND}
        pair["since"] = self.day(0)
        if self.reopened:
            untold = self.post(self.counsellor, REFERENTS, self.city, pair)
            self.expect_refusal(untold, "C-6.2", who="Personne ne les a prévenus")
        for org in (self.agency, self.ccas):
            for one in (CONTACT, SECOND):
                told_at = (self.fed.now(org) - timedelta(minutes=5)).isoformat()
                body = {"name": one["name"], "told_at": told_at}
                self.record(self.manager(org), "staff-notices", **body).raise_for_status()
        self.tell(self.counsellor, REFERENTS, self.city, pair)
        held = self.hr.get("/api/v1/referents").raise_for_status().json()
        self.teller.check(
            any(str(CONTACT["name"]) in str(one) for one in held),
            f"{self.names[self.city]} sait qui appeler, et par quel moyen professionnel",
            "C-3a.14",
            "C-6.1",
        )
        unit = {"unit": 2, "agency": "beauvoisine", "referent": CONTACT, "since": self.day(0)}
        self.tell(self.counsellor, ANTENNA, self.ccas, unit)
        self.tell(self.social, ANTENNA, self.agency, unit)
        units = self.social.get("/api/v1/antennas/pairs").raise_for_status().json()
        self.teller.check(
            any(one["unit"] == unit["unit"] and one["agreed"] for one in units),
            "Une unité de travail social, une agence : les deux disent la même",
            "C-3f.1",
            "C-3f.3",
        )
