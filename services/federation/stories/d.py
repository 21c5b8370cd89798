"""The story of convention D: a young person on the way to autonomy, met early and by two."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis import words
from services.chassis.clock import new_id
from services.federation.federation import Federation
from services.federation.intruder import subject_of
from services.federation.stories.d_desks import ADVISER, REFERENT, AutonomyDesks
from services.federation.telling import Teller

REQUEST = {"place": "mission_locale", "priority": True, "referent": REFERENT}
CONTACTED = "youth.contact_requested"
SHOWN = 5
"""Smallest count that one side shows the other."""


class Story(AutonomyDesks):
    """Convention D, told on a running federation.

    signed: id of the signed convention.
    """

    signed = ""

    # -- what opens it -------------------------------------------------------------------------

    def founding(self) -> None:
        """The national text opens nothing: each side records two decisions of its own."""
        self.teller.step("Un cadre national n'ouvre rien à lui seul")
        self.signed = self.convention(self.mission, CONVENTION.code)
        self._prolong()
        early = self.ask(self.referent, CONTACTED, REQUEST, agreement_id=self.ready())
        if early.status_code == httpx.codes.FORBIDDEN:
            self.expect_refusal(early, "D-5.1", who="Sans déclinaison locale")
            self.expect_refusal(early, "D-8.1", who="Sans analyse d'impact")
        paper = {
            "convention_id": self.signed,
            "decided_on": self.day(-1),
            "evidence": "e" * 64,
        }
        for org in (self.department, self.mission):
            path = "/api/v1/impact-assessments"
            refused = self.manager(org).post(path, json=paper)
            self.expect_refusal(refused, "D-8.1", who="La direction ne l'enregistre pas")
            self.dpo[org].post(path, json=paper).raise_for_status()
            path = "/api/v1/local-implementations"
            done = self.manager(org).post(path, json=paper).raise_for_status()
            self.teller.check(
                done.is_success,
                f"{self.names[org]} : les deux décisions sont enregistrées, avec leur empreinte",
                "D-5.1",
                "D-8.1",
            )

    def _prolong(self) -> None:
        """From 8 October 2027 on, an amendment that says of itself that it is invented."""
        held = self.held(self.mission, self.signed)
        amendment = self.fed.planned(self.signed)
        if held["state"] == "in_force" or amendment is None:
            return
        self.fed.amend(self.signed, **amendment)
        for org in (self.department, self.mission):
            reopened = self.wait_state(org, self.signed, "in_force")
            self.teller.check(
                reopened["state"] == "in_force" and reopened["invented"],
                f"{self.names[org]} : fini le {held['ends_on']}, le texte court jusqu'au "
                f"{reopened['ends_on']} par un avenant inventé pour cette démonstration",
                "D-7.1",
            )

    # -- a first contact -----------------------------------------------------------------------

    def contacting(self) -> None:
        """From sixteen, whom the department supports, with the young person's own agreement."""
        self.teller.step(f"Premier contact : {self.at_department} → {self.at_mission}")
        person_id = self.young(self.referent)
        self.agreement = self.agree(person_id)
        self._refused(self.agreement, "D-1.2", "Le titulaire de l'autorité parentale l'ignore")
        self.inform(person_id)
        said_no = self.agree(person_id, granted=False)
        self._refused(said_no, "D-1.4", "Le jeune a dit non")
        self._refused(self.ready(years=15, days=364), "D-0.2", "La veille de ses 16 ans")
        self._refused(self.ready(years=26, days=0), "D-0.4", "Le jour de ses 26 ans")
        sent = self.send(self.referent, CONTACTED, REQUEST, agreement_id=self.agreement)
        self.case = sent["case_id"]
        held = self.content(self.adviser, self.case)["youth"]["request"]
        self.teller.check(
            held["priority"] is True and set(held) == {*REQUEST, "young_person"},
            "Accepté : « prioritaire », jamais à quel titre ; un lieu en un code, pas d'adresse",
            "D-1.1",
            "D-1.2",
        )
        due = self.due(self.referent, "interview.due", person_id)
        self.teller.check(
            len(due) == 1,
            "L'entretien des 17 ans est attendu un an avant la majorité, avec ou sans conseiller",
            "D-1.6",
        )

    def _refused(self, agreement_id: str, article: str, who: str) -> None:
        answer = self.ask(self.referent, CONTACTED, REQUEST, agreement_id=agreement_id)
        self.expect_refusal(answer, article, who=who)

    def enrolling(self) -> None:
        """Met, then enrolled: each time one word and a date."""
        self.teller.step("La rencontre a eu lieu ; une inscription est proposée")
        self.within(self.adviser, "youth.contact_answered", outcome="met", adviser=ADVISER)
        done = {"outcome": "accepted", "on": self.day(0)}
        early = self.ask(self.adviser, "enrolment.outcome", done, case_id=self.case)
        self.expect_refusal(early, "D-1.3", who="Rien n'a été proposé encore")
        self.within(self.referent, "enrolment.proposed", proposed_on=self.day(0))
        sent = self.within(self.adviser, "enrolment.outcome", **done)
        self.teller.check(sent, "Proposée, puis acceptée : oui ou non, jamais pourquoi", "D-1.3")

    # -- towards majority ----------------------------------------------------------------------

    def interviewing(self) -> None:
        """The interview of the seventeenth year, with an adviser since the young person agrees."""
        self.teller.step("L'entretien des 17 ans, en binôme")
        held = {"held_on": self.day(0), "together": True}
        early = self.ask(self.referent, "interview17.held", held, case_id=self.case)
        self.expect_refusal(early, "D-1.6", who="Personne n'y a été invité")
        at = (self.fed.now(self.department) + timedelta(days=7)).isoformat()
        invitation = {"at": at, "place": "department", "contact": REFERENT}
        self.within(self.referent, "interview17.invited", **invitation)
        self.within(self.adviser, "interview17.answered", attends=True, adviser=ADVISER)
        sent = self.within(self.referent, "interview17.held", **held)
        self.teller.check(
            sent, "Invité, venu, tenu : rien de ce qui s'y est dit ne circule", "D-1.6", "D-5.7b"
        )

    def preparing(self) -> None:
        """A diagnosis, and what the Mission Locale brings to the project."""
        self.teller.step("Un diagnostic d'orientation, un projet d'accès à l'autonomie")
        self.within(self.referent, "orientation_diagnosis.requested", review_on=self.day(20))
        done = {"done_on": self.day(0), "handed_over": True}
        sent = self.within(self.adviser, "orientation_diagnosis.done", **done)
        self.teller.check(sent, "Fait et remis au jeune : le diagnostic est le sien", "D-1.5")
        actions = ["training_search", "training_apprenticeship"]
        project = {"actions": actions, "starts_on": self.day(0), "ends_on": None}
        kind = "autonomy_project.contribution"
        more = {**project, "housing": "x"}
        wrong = self.ask(self.adviser, kind, more, case_id=self.case)
        unprocessable = httpx.codes.UNPROCESSABLE_ENTITY
        self.expect_refusal(wrong, "D-8.1", unprocessable, who="Un mot du logement")
        sent = self.within(self.adviser, kind, **project)
        self.teller.check(
            sent,
            "L'emploi et la formation, en codes ; les autres volets n'ont pas de champ",
            "D-1.7",
            "D-2.1",
        )

    def contracting(self) -> None:
        """The youth contract is proposed to each: the department sees to whom it was not."""
        self.teller.step("Le contrat d'engagement jeune, proposé à chacun")
        before = self._missing()
        self.teller.check(
            self.case in before,
            f"Pas encore proposé : {self.at_department} en voit la liste ({len(before)})",
            "D-1.9",
        )
        self.within(self.adviser, "youth_contract.proposed", proposed_on=self.day(0))
        done = {"outcome": "entered", "on": self.day(0)}
        sent = self.within(self.adviser, "youth_contract.outcome", **done)
        self.act(self.adviser, "eligibility_checked", on=self.day(0))
        self.teller.check(
            sent and self.case not in self._missing(),
            "Proposé, entré ; l'éligibilité, la Mission Locale la vérifie chez elle",
            "D-1.8",
            "D-1.9",
        )

    def _missing(self) -> list[str]:
        found = self.referent.get("/api/v1/youth-contracts/missing").raise_for_status().json()
        return list(found["cases"])

    # -- together, then one alone --------------------------------------------------------------

    def deciding(self) -> None:
        """Nothing is decided against the young person; a former referent has no access."""
        self.teller.step("À deux, puis un relais : jamais contre l'avis du jeune")
        together = {
            "mode": "together",
            "since": self.day(0),
            "view": "against",
            "contact": ADVISER,
        }
        against = self.ask(self.adviser, "cosupport.decided", together, case_id=self.case)
        self.expect_refusal(against, "D-1.4", who="Le jeune s'y oppose")
        sent = self.within(self.adviser, "cosupport.decided", **{**together, "view": "agrees"})
        self.teller.check(sent, "Il est d'accord : les deux continuent ensemble", "D-1.4")
        new = {"name": "Lou Nouvelle", "phone": None, "email": None}
        self.act(self.referent, "youth_referent", agent_id="referente-2", contact=new)
        path = f"/api/v1/cases/{self.case}"
        former = self.referent.get(path)
        writing = self.ask(self.referent, "cosupport.decided", together, case_id=self.case)
        self.expect_refusal(writing, "D-1.4", who="L'ancienne référente écrit encore")
        taking = self.seat(self.department, "referent", "referente-2")
        self.teller.check(
            former.status_code == httpx.codes.FORBIDDEN and taking.get(path).is_success,
            "Une autre référente prend la suite : l'ancienne n'a plus accès, aussitôt",
            "D-1.4",
        )
        handed = {**together, "mode": "handover", "view": "asked"}
        self.within(taking, "cosupport.decided", **handed)
        seen = self.wait(
            lambda: self.adviser.get(path).json(), lambda found: found["state"] == "closed"
        )
        self.teller.check(
            seen["state"] == "closed",
            f"Le relais passé, le dossier est clos des deux côtés, et détruit le "
            f"{seen['retain_until']}",
            "D-1.4",
            "D-8.1",
        )

    # -- the law beside the convention ---------------------------------------------------------

    def signalling(self) -> None:
        """The training obligation: by law, to designated agents alone, and nothing else."""
        self.teller.step("L'obligation de formation : un devoir de la loi, à part")
        kind = "training_obligation.breach"
        breach = {
            "convened_on": self.day(-30),
            "ground": "no_answer",
            "not_met_on": self.day(0),
        }
        untold = self.ask(self.adviser, kind, breach)
        self.expect_refusal(untold, "RGPD 13", who="Le jeune et son représentant l'ignorent")
        notice = self.notify(self.young(self.adviser))
        late = {**breach, "convened_on": self.day(-70), "not_met_on": self.day(-40)}
        too_late = self.ask(self.adviser, kind, late, notice_id=notice)
        self.expect_refusal(too_late, "D-2.4", who="Plus de deux mois après la convocation")
        designation = {
            "agent_id": "obligation-1",
            "first_day": self.day(-10),
            "decision": "arrêté inventé 2026-12",
        }
        manager = self.manager(self.department)
        manager.post("/api/v1/designations", json=designation).raise_for_status()
        sent = self.send(self.adviser, kind, breach, notice_id=notice)
        path = f"/api/v1/cases/{sent['case_id']}"
        reader = self.seat(self.department, "agent", "obligation-1")
        self.teller.check(
            manager.get(path).status_code == httpx.codes.FORBIDDEN
            and bool(reader.get(path).json()["content"]),
            "Reçu sans accord, comme la loi le veut ; seul l'agent désigné l'ouvre, et il est "
            "détruit aux 18 ans",
            "R114-7",
            "D-2.3",
            "D-2.4",
        )

    def intruding(self) -> None:
        """No edge joins a department to a school or a city: the broker says so."""
        self.teller.step(f"Barrière coupée : {self.at_department} écrit à qui ne l'a pas convenu")
        asyncio.run(self._write_to_strangers())

    async def _write_to_strangers(self) -> None:
        mine = self.code(self.department)
        strangers = [self.orgs_of(kind)[0] for kind in (Kind.SCHOOL, Kind.CITY)]
        async with self.intruder(self.department) as intruder:
            for org in strangers:
                subject = subject_of(self.code(org), mine, self.signed, "m1")
                said = await intruder.publish(subject, {"Nats-Msg-Id": new_id()}, b"x")
                sentence = f"Vers {self.names[org]}, refusé : {words.reason(said)}"
                self.teller.check(said != "stored", sentence, "D-0.1", code=said)

    # -- what stops, and what is counted -------------------------------------------------------

    def withdrawing(self) -> None:
        """The young person withdraws, without a reason: everything stops at both sides."""
        self.teller.step("Le jeune retire son accord, sans motif ; puis il demande l'effacement")
        self.agreement = self.ready()
        sent = self.send(self.referent, CONTACTED, REQUEST, agreement_id=self.agreement)
        self.case = sent["case_id"]
        self.withdraw(self.referent, self.agreement, "D-1.4")
        answer = {"outcome": "met", "adviser": None}
        late = self.ask(self.adviser, "youth.contact_answered", answer, case_id=self.case)
        self.expect_refusal(late, "D-1.4", who=f"{self.at_mission} répond encore")
        self.erase(self.department, self.mission, self.case, "D-8.1")

    def counting(self) -> None:
        """The six indicators at 31 December: three at each side, joined, small ones hidden."""
        self.teller.step("Au 31 décembre : six indicateurs, aucun nom")
        for _ in range(SHOWN):
            self.send(self.referent, CONTACTED, REQUEST, agreement_id=self.ready())
        year = self.today.year
        self.fed.move_clock(timedelta(days=(date(year, 12, 31) - self.today).days))
        self.close()
        body = {"convention_id": self.signed, "year": year}
        for org in (self.department, self.mission):
            answer = self.manager(org).post("/api/v1/yearly-indicators", json=body)
            if answer.status_code != httpx.codes.CONFLICT:  # told before: the year is counted once
                sent = answer.raise_for_status().json()["message_id"]
                self.until(self.manager(org), sent, "accepted")
        path = f"/api/v1/yearly-indicators?convention_id={self.signed}"
        seen = [self.manager(org).get(path).json() for org in (self.department, self.mission)]
        cells = seen[0][0]["cells"]
        self.teller.check(
            seen[0] == seen[1] and None not in cells.values(),
            f"Chacun a compté les siens ; les deux lisent la même fiche : {self._said(cells)}",
            *("D-5.7a", "D-5.7b", "D-5.7c", "D-5.7d", "D-5.7e", "D-5.7f"),
        )
        page = f"/pages/conventions/{self.signed}/yearly-indicators"
        written = [self.manager(org).get(page).text for org in (self.department, self.mission)]
        self.teller.check(
            all(f">{cells['requested']}<" in one and ">masqué<" in one for one in written),
            "La fiche se lit en page, et s'imprime, chez l'un comme chez l'autre",
            "D-5.4",
        )
        numbers = [cell for cell in cells.values() if isinstance(cell, int)]
        self.teller.check(
            cells["requested"] >= SHOWN and min(numbers) >= SHOWN and "hidden" in cells.values(),
            f"Sous {SHOWN}, un nombre désignerait quelqu'un : il reste masqué, même entre eux",
            "D-4.3",
            "D-5.4",
        )

    def _said(self, cells: dict[str, Any]) -> str:
        shown = {"hidden": "masqué"}
        return ", ".join(
            f"{self.titles[name].lower()} : {shown.get(cell, cell)}" for name, cell in cells.items()
        )

    def verifying(self) -> None:
        """Both journals, each checked with the heads the other holds."""
        self.teller.step("Les journaux se vérifient des deux côtés")
        self.verify(self.mission, self.department)

    # -- what they type ------------------------------------------------------------------------

    def within(self, client: httpx.Client, message_type: str, **data: Any) -> bool:  # noqa: ANN401 -- JSON
        """Send within the case what must be allowed; whether it was accepted."""
        sent = self.send(client, message_type, data, case_id=self.case)
        return bool(sent["state"] == "accepted")

    def act(self, client: httpx.Client, name: str, **content: Any) -> None:  # noqa: ANN401 -- JSON
        """Record an act about the case at work."""
        path = f"/api/v1/cases/{self.case}/acts/{name}"
        client.post(path, json=content).raise_for_status()


def tell(federation: Federation, teller: Teller) -> None:
    """Tell the whole story of convention D."""
    story = Story(federation, teller)
    story.play(
        story.founding,
        story.contacting,
        story.enrolling,
        story.interviewing,
        story.preparing,
        story.contracting,
        story.deciding,
        story.signalling,
        story.intruding,
        story.withdrawing,
        story.counting,
        story.verifying,
    )
