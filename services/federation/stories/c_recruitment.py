"""Convention C's employers: an offer, a candidate, a contract of three, an immersion."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx

from contracts.conventions.c_employment_city_ccas.course import booklet_due_dates
from contracts.kernel.paris import add_months
from services.chassis.clock import new_id
from services.federation.stories.c_desks import CONTACT, IDENTITY, TUTOR, EmploymentDesks

PUBLISHED, PROPOSED, OUTCOME = (
    "pec.offer_published",
    "pec.candidate_proposed",
    "pec.candidate_outcome",
)


class RecruitmentStory(EmploymentDesks):
    """The part of the story in which somebody is hired.

    reopened: this story had the text amended, no former one. offer: id of the offer at work.
    contract: case of who was hired; ends: last day of that contract; starts: its first.
    """

    reopened = False
    offer = contract = ""
    starts = ends = date.max

    # -- a supported contract ------------------------------------------------------------------

    def publishing(self) -> None:
        """An offer after the employer's interview, with a tutor whom the register knows."""
        self.teller.step(f"Une offre : {self.names[self.city]} → {self.names[self.agency]}")
        if self.reopened:
            early = self.post(self.hr, PUBLISHED, self.agency, self.new_offer())
            self.expect_refusal(early, "C-3a.1", who="Sans l'entretien de diagnostic")
        self.record(self.hr, "employer-interviews", held_on=self.day(0)).raise_for_status()
        self._tutor(working_since=self.day(-700))
        claimed = self.post(self.hr, PUBLISHED, self.agency, self.new_offer())
        self.expect_refusal(claimed, "C-3a.6", who="Le tuteur n'a pas deux ans d'expérience")
        self._tutor()
        offer = self.new_offer()
        self.offer = offer["offer_id"]
        sent = self.tell(self.hr, PUBLISHED, self.agency, offer)
        held = self.counsellor.get("/api/v1/pec-offers").raise_for_status().json()
        shown: dict[str, Any] = next((one for one in held if one["offer_id"] == self.offer), {})
        self.teller.check(
            sent["state"] == "accepted"
            and shown.get("eligible_tutor") is True
            and TUTOR not in str(shown),
            "Publiée : « tuteur éligible : oui », jamais qui il est",
            "C-3a.6",
            "C-3a.11",
        )

    def new_offer(self) -> dict[str, Any]:
        """An offer that is open today."""
        return {
            "offer_id": new_id(),
            "post": "agente d'accueil",
            "trade": "M1601",
            "weekly_hours": 26,
            "starts_on": self.day(15),
            "closes_on": self.day(12),
            "eligible_tutor": True,
            "may_become_permanent": True,
        }

    def _tutor(self, **changes: Any) -> None:  # noqa: ANN401 -- JSON values
        fit = {
            "staff_id": TUTOR,
            "volunteered_on": self.day(-10),
            "qualified_on": self.day(-10),
            "working_since": "2015-09-01",
            "supported": False,
        }
        self.record(self.hr, "tutors", **{**fit, **changes}).raise_for_status()

    def proposing(self) -> None:
        """Eligible or not, without a reason; then seen at the city, and written nowhere."""
        self.teller.step("Une candidature : vue, jamais gardée")
        counsellor, data = self.counsellor, {"offer_id": self.offer}
        person_id = self.person(counsellor)
        agreement = self.agree(counsellor, person_id, self.city)
        for changes, article, who in (
            ({"commune": "76498"}, "C-2.1", "La personne habite une autre commune"),
            ({"eligible": False}, "C-3a.3", "Le diagnostic ne conclut pas"),
            ({"explained": False}, "C-3a.16", "Rien ne lui a été expliqué"),
        ):
            self.seeker(person_id, **changes)
            answer = self.post(counsellor, PROPOSED, self.city, data, agreement_id=agreement)
            self.expect_refusal(answer, article, who=who)
        self.seeker(person_id)
        said_no = self.agree(counsellor, person_id, self.city, granted=False)
        answer = self.post(counsellor, PROPOSED, self.city, data, agreement_id=said_no)
        self.expect_refusal(answer, "C-4.1", who="La personne a dit non")
        agreement = self.agree(counsellor, person_id, self.city)
        sent = self.tell(counsellor, PROPOSED, self.city, data, agreement_id=agreement)
        self.case = sent["case_id"]
        path = f"/api/v1/received/{sent['message_id']}/view"
        before = self.hr.get(path)
        name = self.seen(self.hr, sent["message_id"]).get("candidate", {})
        family = IDENTITY["family_name"]
        self.teller.check(
            before.status_code == httpx.codes.NOT_FOUND and name.get("family_name") == family,
            "Rien n'est là d'avance : le poste demande, l'agence montre, la mémoire oublie",
            "C-3a.13",
            "C-5.1",
        )
        held = self.hr.get(f"/api/v1/cases/{self.case}").raise_for_status()
        lists = [self.hr.get(f"/api/v1/{one}").text for one in ("cases", "persons", "pec-offers")]
        self.teller.check(
            held.json()["person"] is None and not any(str(family) in one for one in lists),
            "Le dossier dit « en attente », et personne ; aucune liste n'en garde le nom",
            "C-5.1",
        )
        others = [self.seat(self.city, "agent", "agent-2"), self.manager(self.city), self.social]
        walled = [one.post(path).status_code for one in others]
        self.teller.check(
            walled == [httpx.codes.FORBIDDEN, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND],
            "Un autre agent de la Ville, son encadrant : refusé ; au CCAS, ce message n'existe pas",
            "C-3.2",
            code=" ".join(map(str, walled)),
        )

    def contracting(self) -> None:
        """Retained: the name is shown no more; three signatures, and each fills a booklet alone."""
        self.teller.step("Retenue : trois signatures, et un livret que chacun remplit à l'écart")
        kind, signed = "pec.commitment_agreed", self._commitment()
        early = self.post(self.hr, kind, self.agency, signed, case_id=self.case)
        self.expect_refusal(early, "C-3a.20", who="La personne n'est pas encore retenue")
        for outcome in ("met", "retained"):
            self.within(self.hr, OUTCOME, self.agency, {"outcome": outcome})
        self.act(self.hr, "tutor_named", staff_id=TUTOR).raise_for_status()
        two = {**signed, "workplace_tutor": self.day(1)}
        refused = self.post(self.hr, kind, self.agency, two, case_id=self.case)
        self.expect_refusal(refused, "C-3a.20", who="Le tuteur ne signe que demain")
        sent = self.within(self.hr, kind, self.agency, signed)
        self.teller.check(sent, "Conseiller, salarié, tuteur : les trois ont signé", "C-3a.20")
        self.contract, self.starts = self.case, date.fromisoformat(signed["first_day"])
        self.ends = date.fromisoformat(signed["last_day"])
        due = booklet_due_dates(self.starts, self.ends)["month_1"]
        off = {"step": "month_1", "due_on": (due - timedelta(days=1)).isoformat()}
        asked = "pec.booklet_due"
        wrong = self.post(self.counsellor, asked, self.city, off, case_id=self.case)
        self.expect_refusal(wrong, "C-3a.23", who="La veille de son jour")
        said = {**off, "due_on": due.isoformat()}
        self.within(self.counsellor, asked, self.city, said)
        self.later((due - self.today).days)
        for_her = self.act(self.hr, "booklet_filled", step="month_1")
        self.expect_refusal(for_her, "C-3a.22", who="Un autre que le tuteur le déclare")
        self._filled("month_1")
        (seen,) = self.content(self.hr)["booklets"]
        self.teller.check(
            seen["tutor"] and seen["employee"] and "prospects" not in seen,
            "Rempli deux fois, à l'écart : un oui chacun, aucune réponse",
            "C-3a.21",
            "C-3a.22",
        )

    def _filled(self, step: str) -> None:
        """Tutor and employee fill in their booklets, and each side says that it is done."""
        for filling, sending, to in (
            (self.tutor, self.hr, self.agency),
            (self.counsellor, self.counsellor, self.city),
        ):
            self.act(filling, "booklet_filled", step=step).raise_for_status()
            self.within(sending, "pec.booklet_filled", to, {"step": step, "filled": True})

    def leaving(self) -> None:
        """Months later: where there is no prospect, a talk before the exit; and a certificate."""
        self.teller.step("Des mois plus tard : la sortie se prépare")
        self.case, step = self.contract, "three_quarters"
        due = booklet_due_dates(self.starts, self.ends)["three_quarters"]
        said = {"step": step, "due_on": due.isoformat()}
        self.later((due - self.today).days)
        self.within(self.counsellor, "pec.booklet_due", self.city, said)
        self._filled(step)
        kind = "pec.exit_interview"
        at = {"at": (self.fed.now(self.agency) + timedelta(days=10)).isoformat()}
        early = self.post(self.counsellor, kind, self.city, at, case_id=self.case)
        self.expect_refusal(early, "C-3a.26", who="Le dernier livret n'est pas lu")
        self.act(self.counsellor, "booklet_read", step=step, prospects=False).raise_for_status()
        called = self.within(self.counsellor, kind, self.city, at)
        self.teller.check(
            called and self.content(self.hr)["contract"]["exit_interview_at"] is not None,
            "Lu par le conseiller seul, sans perspective : un entretien, sans ses sujets",
            "C-3a.26",
        )
        self.act(self.hr, "certificate_asked", on=self.day(0)).raise_for_status()
        owed = self.due(self.hr, "experience_certificate", self.case)
        given = self.within(self.hr, "pec.attestation", self.agency, {"issued_on": self.day(0)})
        left = self.due(self.hr, "experience_certificate", self.case)
        self.teller.check(
            len(owed) == 1 and given and not left,
            "Demandée par la salariée, l'attestation est due aussitôt ; remise, elle est datée",
            "C-3a.28",
        )

    def _commitment(self) -> dict[str, Any]:
        first = self.today + timedelta(days=15)
        signed = dict.fromkeys(("job_counsellor", "employee", "workplace_tutor"), self.day(0))
        return {
            "skills": ["12345"],
            "training": ["refresher"],
            "support": ["taking_up_the_post"],
            "first_day": first.isoformat(),
            "last_day": (add_months(first, 6) - timedelta(days=1)).isoformat(),
            **signed,
        }

    # -- immersion -----------------------------------------------------------------------------

    def immersing(self) -> None:
        """For published trades alone, without a name until the host accepts."""
        self.teller.step("Une immersion, dans les métiers que la Ville a publiés")
        trades = {"host": "city", "trades": ["M1601", "A1203"], "since": self.day(0)}
        self.tell(self.hr, "immersion_trades.published", self.agency, trades)
        asked = {
            "host": "city",
            "object": "discover_trade",
            "rome": "N4105",
            "first_day": self.day(10),
            "last_day": self.day(23),
            "weekly_hours": 35,
            "referent": CONTACT,
            "offer": None,
            "renewal": False,
            "profile_promotion": False,
        }
        kind, about = "immersion.requested", {"agreement_id": self.ready()}
        other = self.post(self.counsellor, kind, self.city, asked, **about)
        self.expect_refusal(other, "C-3b.4", who="Un métier qui n'est pas de la liste")
        asked = {**asked, "rome": "M1601"}
        sent = self.tell(self.counsellor, kind, self.city, asked, **about)
        self.case = sent["case_id"]
        named = self.hr.get(f"/api/v1/cases/{self.case}").json()["person"]
        self.teller.check(
            sent["state"] == "accepted" and named is None,
            "Demandée sans nommer personne : l'hôte répond d'abord",
            "C-3b.1",
            "C-4.1",
        )
        again = {**asked, "first_day": self.day(30), "last_day": self.day(40)}
        unsaid = self.post(self.counsellor, kind, self.city, again, **about)
        self.expect_refusal(unsaid, "D5135-3", who="Un renouvellement qui ne dit pas en être un")
        self._coming()

    def _coming(self) -> None:
        """The host accepts and names a tutor; then it is told who comes, once."""
        kind = "immersion.status"
        said = {"on": self.day(0), "tutor": None, "representative_signed": None}
        confirmed = {**said, "status": "confirmed"}
        early = self.post(self.counsellor, kind, self.city, confirmed, case_id=self.case)
        self.expect_refusal(early, "C-4.1", who="L'hôte n'a pas accepté encore")
        accepted = {**said, "status": "accepted", "tutor": CONTACT}
        self.within(self.hr, kind, self.agency, accepted)
        sent = self.tell(self.counsellor, kind, self.city, confirmed, case_id=self.case)
        seen = self.seen(self.hr, sent["message_id"]).get("person") or {}
        held = self.hr.get(f"/api/v1/cases/{self.case}").json()
        self.teller.check(
            seen.get("family_name") == IDENTITY["family_name"]
            and "birth_date" not in seen
            and held["person"] is None
            and held["content"]["immersion"]["status"] == "confirmed",
            "Acceptée, puis confirmée : un nom et un contact, sans âge, vus de mémoire",
            "C-3b.1",
            "C-5.1",
        )
