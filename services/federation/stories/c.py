"""The story of convention C: over, renewed on a report, then a job seeker hired; and no file."""

from __future__ import annotations

import asyncio

import httpx

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.errors import UnknownName
from contracts.kernel.organisation import Kind
from services.chassis import words
from services.chassis.clock import new_id
from services.federation.federation import Federation
from services.federation.intruder import subject_of
from services.federation.stories.c_desks import HR
from services.federation.stories.c_recruitment import OUTCOME, PROPOSED, PUBLISHED
from services.federation.stories.c_territory import TerritoryStory
from services.federation.telling import Teller

ANNOUNCED = "communication.announced"
ASKED, ANSWERED = "clause.eligibility_asked", "clause.eligibility_answered"
UNPROCESSABLE = httpx.codes.UNPROCESSABLE_ENTITY


class Story(TerritoryStory):
    """Convention C, told on a running federation.

    signed: id of the signed convention.
    """

    signed = ""

    # -- the text itself -----------------------------------------------------------------------

    def ended(self) -> None:
        """At today's date the text is over; what it brought is destroyed, and that is proved."""
        self.teller.step("La convention C, à la date d'aujourd'hui : elle est finie")
        self.signed = self.convention(self.agency, CONVENTION.code)
        held = self.held(self.agency, self.signed)
        self.teller.tell(
            f"Signée à trois, le {held['signed_on']} (date supposée : son papier n'en porte pas) ; "
            f"finie le {held['ends_on']}"
        )
        if held["state"] != "purged":
            self.teller.check(
                held["version"] != 1, "Un avenant l'a déjà rouverte dans cette fédération", "C-8.2"
            )
            return
        self.expect_refusal(self._announce(self.counsellor), "C-8.1", who="Une annonce")
        self.prove_purge(self.signed, self.parties)

    def amending(self) -> None:
        """An amendment of all three reopens it; it says of itself that it is invented."""
        self.teller.step("Un avenant, inventé pour cette démonstration, la reconduit")
        amendment = self.fed.planned(self.signed)
        if amendment is None:
            raise UnknownName(f"Aucun avenant à {self.signed} n'est prêt dans ce fichier.")
        if self.held(self.agency, self.signed)["state"] == "purged":
            self.fed.amend(self.signed, **amendment, by=[self.agency, self.city])
            two = self._announce(self.counsellor)
            self.expect_refusal(two, "C-8.1", who=f"{self.names[self.ccas]} ne l'a pas signé")
            self.fed.amend(self.signed, **amendment, by=[self.ccas])
            self.reopened = True
        for org in self.parties:
            held = self.wait_state(org, self.signed, "in_force")
            self.teller.check(
                held["state"] == "in_force" and held["invented"],
                f"{self.names[org]} : en vigueur, version {held['version']}, jusqu'au "
                f"{held['ends_on']} ; texte marqué inventé",
                "C-7.4",
            )

    def reporting(self) -> None:
        """Signed again, it stays shut: each agent reads it, and each side records the report."""
        self.teller.step("Reconduite, mais fermée : chacun la lit, et le bilan est écrit")
        if self.reopened:
            self.expect_refusal(
                self._announce(self.counsellor), "C-5.5", who="Un agent qui ne l'a pas lue"
            )
        version = self.held(self.agency, self.signed)["version"]
        beside = [one for org in self.parties for one in (self.dpo[org], self.manager(org))]
        for client in (*self.agents, *beside):
            body = {"convention_id": self.signed, "version": version}
            self.record(client, "convention-readings", **body).raise_for_status()
        if self.reopened:
            self.expect_refusal(
                self._announce(self.counsellor), "C-8.2", who="Lue, mais sans bilan"
            )
        self._report(self.agency)
        if self.reopened:
            sent = self._announce(self.counsellor).raise_for_status().json()["message_id"]
            state = self.until(self.counsellor, sent, "refused")["state"]
            self.teller.check(
                state == "refused",
                f"Le bilan enregistré ici seulement : {self.names[self.city]} refuse de son côté",
                "C-8.2",
            )
        self._report(self.city)
        self._report(self.ccas)
        for client, to in (
            (self.counsellor, self.city),
            (self.hr, self.agency),
            (self.social, self.agency),
        ):
            sent = self._announce(client, to).raise_for_status().json()["message_id"]
            state = self.until(client, sent, "accepted")["state"]
            self.teller.check(
                state == "accepted",
                f"Le bilan enregistré des deux côtés, l'annonce à {self.names[to]} passe",
                "C-5.4",
                "C-5.5",
                "C-8.2",
            )

    def _announce(self, client: httpx.Client, to: str = "") -> httpx.Response:
        data = {"subject": "inclusion", "medium": "press", "on": self.day(20)}
        return self.post(client, ANNOUNCED, to or self.city, data)

    def _report(self, org: str) -> None:
        body = {
            "convention_id": self.signed,
            "term_ends_on": CONVENTION.term.until.isoformat() if CONVENTION.term.until else "",
            "written_on": self.day(0),
            "evidence": "e" * 64,
        }
        self.record(self.manager(org), "final-reports", **body).raise_for_status()

    # -- which desk ----------------------------------------------------------------------------

    def seating(self) -> None:
        """One way in for each axis: a lead agency, and one department of the city's."""
        self.teller.step("Une seule porte par sujet")
        manager = self.manager(self.agency)
        other = {"task": "employer", "agency": "luciline", "agent_id": "conseillere-1"}
        refused = self.record(manager, "desks", **other)
        self.expect_refusal(refused, "C-3.1", who="Une autre agence pour les employeurs")
        if self.reopened:
            unseated = self.post(self.hr, PUBLISHED, self.agency, self.new_offer())
            self.expect_refusal(unseated, "C-3.2", who="La Ville n'a pas désigné ce poste")
        for task, agency, agent_id in (
            ("employer", "beauvoisine", "conseillere-1"),
            ("social_clauses", "aubette", "clauses-1"),
            ("zero_unemployment", "saint_sever", "territoire-1"),
        ):
            body = {"task": task, "agency": agency, "agent_id": agent_id}
            self.record(manager, "desks", **body).raise_for_status()
        manager = self.manager(self.city)
        for task, agent_id in (("human_resources", HR), ("social_clauses", "clauses-1")):
            self.record(
                manager, "desks", task=task, agency=None, agent_id=agent_id
            ).raise_for_status()
        held = manager.get("/api/v1/desks").raise_for_status().json()["desks"]
        self.teller.check(
            {one["task"] for one in held} == {"human_resources", "social_clauses"},
            "Employeurs : Beauvoisine seule ; Ville et CCAS : une seule direction des ressources "
            "humaines",
            "C-3.1",
            "C-3.2",
        )

    # -- the social clauses --------------------------------------------------------------------

    def asking(self) -> None:
        """One question on one person, three answers, no reason; both forget it within a day."""
        self.teller.step("Clauses sociales : une question, une réponse, et l'oubli")
        refused = self.post(self.hr, ASKED, self.agency, {}, agreement_id=self._asked_of())
        self.expect_refusal(refused, "C-3d.4", who="Les ressources humaines demandent")
        for answer, said in (("yes", "oui"), ("no", "non"), ("unknown", "inconnu")):
            sent = self.tell(
                self.city_clauses, ASKED, self.agency, {}, agreement_id=self._asked_of()
            )
            self.case = sent["case_id"]
            if answer == "yes":
                untold = self._answer(answer=answer)
                self.expect_refusal(untold, "C-4.2", who="La personne ignore ce qui sera lu")
            at = self.fed.now(self.agency).isoformat()
            self.act(self.clauses, "person_told", at=at).raise_for_status()
            if answer == "yes":
                why = self._answer(answer=answer, reason="inscrite depuis deux ans")
                self.expect_refusal(why, "C-4.1", UNPROCESSABLE, who="Un motif en plus")
            back = self._answer(answer=answer).raise_for_status().json()["message_id"]
            self.until(self.clauses, back, "accepted")
            seen = self.seen(self.city_clauses, back)
            self.teller.check(
                seen == {"answer": answer}, f"« {said} », vu de mémoire, sans motif", "C-3d.4"
            )
        sides = (self.city, self.agency)
        before = [self._remembered(org) for org in sides]
        self.later(2)
        after = self.wait(
            lambda: [self._remembered(org) for org in sides], lambda found: not any(found)
        )
        self.teller.check(
            all(before) and not any(after),
            "Vingt-quatre heures passées, question et réponse sont oubliées des deux côtés",
            "C-3d.4",
        )

    def _asked_of(self) -> str:
        client = self.city_clauses
        return self.agree(client, self.person(client), self.agency)

    def _answer(self, **data: str) -> httpx.Response:
        return self.post(self.clauses, ANSWERED, self.city, data, case_id=self.case)

    def _remembered(self, org: str) -> bool:
        found = self.dpo[org].get(f"/api/v1/cases/{self.case}")
        return found.is_success and bool(found.json()["content"])

    # -- what is refused, and what stops -------------------------------------------------------

    def intruding(self) -> None:
        """No edge joins the agency to a Mission Locale, nor the CCAS to a school."""
        self.teller.step("Barrière coupée : écrire à qui ne l'a pas convenu")
        asyncio.run(self._write_to_strangers())

    async def _write_to_strangers(self) -> None:
        (mission,) = self.orgs_of(Kind.MISSION_LOCALE)
        school = self.orgs_of(Kind.SCHOOL)[0]
        for mine, org in (
            (self.agency, mission),
            (self.ccas, school),
            (self.ccas, self.city),
            (self.agency, self.city),
        ):
            subject = subject_of(self.code(org), self.code(mine), self.signed, "m2")
            async with self.intruder(mine) as intruder:
                said = await intruder.publish(subject, {"Nats-Msg-Id": new_id()}, b"x")
            way = f"{self.names[mine]} → {self.names[org]}"
            if (mine, org) == (self.agency, self.city):
                sentence = f"{way} : la même lettre passe le serveur"
                self.teller.check(said == "stored", sentence, code=said)
            else:
                sentence = f"{way}, refusé : {words.reason(said)}"
                self.teller.check(said != "stored", sentence, "C-0.1", code=said)

    def withdrawing(self) -> None:
        """The person withdraws, without a reason; then asks that all of it be erased."""
        self.teller.step("La personne retire son accord, sans motif ; puis demande l'effacement")
        agreement, offer = self.ready(), self.new_offer()
        self.tell(self.hr, PUBLISHED, self.agency, offer)
        data = {"offer_id": offer["offer_id"]}
        sent = self.tell(self.counsellor, PROPOSED, self.city, data, agreement_id=agreement)
        self.case = sent["case_id"]
        self.withdraw(self.counsellor, agreement, "C-4.1")
        late = self.post(self.hr, OUTCOME, self.agency, {"outcome": "met"}, case_id=self.case)
        self.expect_refusal(late, "C-5.3", who=f"{self.names[self.city]} répond encore")
        again = self.hr.post(f"/api/v1/received/{sent['message_id']}/view")
        self.expect_refusal(again, "C-5.1", who="Revoir le nom")
        self.erase(self.agency, self.city, self.case, "C-6.5")

    def verifying(self) -> None:
        """Both journals, each checked with the heads the other holds."""
        self.teller.step("Les journaux se vérifient des deux côtés")
        self.verify(self.agency, self.city)


def tell(federation: Federation, teller: Teller) -> None:
    """Tell the whole story of convention C."""
    story = Story(federation, teller)
    story.play(
        story.ended,
        story.amending,
        story.reporting,
        story.seating,
        story.publishing,
        story.proposing,
        story.contracting,
        story.immersing,
        story.sharing,
        story.asking,
        story.campaigning,
        story.counting,
        story.volunteering,
        story.naming,
        story.intruding,
        story.withdrawing,
        story.leaving,
        story.verifying,
    )
