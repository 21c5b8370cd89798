"""The story of convention B: over, amended, then a young person oriented and supported by two."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.kernel.errors import UnknownName
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months
from services.chassis import words
from services.chassis.clock import new_id
from services.federation.federation import Federation
from services.federation.intruder import subject_of
from services.federation.stories.b_desks import CONTACT, OTHER, MissionDesks
from services.federation.telling import Teller

REQUEST = {
    "theme": "se-former--trouver-sa-formation",
    "scheme": None,
    "contact_mode": "phone",
    "adapted_reception": True,
}
SERVICE = {
    "name": "Atelier mobilité",
    "theme": "mobilite--etre-accompagne-dans-son-parcours-mobilite",
    "kind": "atelier",
    "last_day": None,
    "contact": CONTACT,
}


class Story(MissionDesks):
    """Convention B, told on a running federation.

    signed: id of the signed convention. reopened: this story had it amended, no former one.
    """

    signed = ""
    reopened = False

    # -- the text itself -----------------------------------------------------------------------

    def ended(self) -> None:
        """At today's date the text is over; what it brought is destroyed, and that is proved."""
        self.teller.step("La convention B, à la date d'aujourd'hui : elle est finie")
        self.signed = self.convention(self.mission, CONVENTION.code)
        held = self.held(self.mission, self.signed)
        self.teller.tell(
            f"Signée le {held['signed_on']} pour trois ans, finie le {held['ends_on']}"
        )
        if held["state"] != "purged":
            self.teller.check(
                held["version"] != 1, "Un avenant l'a déjà rouverte dans cette fédération", "B-7.1"
            )
            return
        agreement = self.ready(self.counsellor)
        answer = self.ask(self.counsellor, "orientation.requested", REQUEST, agreement_id=agreement)
        self.expect_refusal(answer, "B-5.1", who="Une orientation")
        self.prove_purge(self.signed, (self.city, self.mission))

    def amending(self) -> None:
        """An amendment reopens it, once both have signed; it says of itself that it is invented."""
        self.teller.step("Un avenant, inventé pour cette démonstration, la rouvre")
        amendment = self.fed.planned(self.signed)
        if amendment is None:
            raise UnknownName(f"Aucun avenant à {self.signed} n'est prêt dans ce fichier.")
        if self.held(self.mission, self.signed)["state"] == "purged":
            self.fed.amend(self.signed, **amendment, by=[self.city])
            agreement = self.ready(self.counsellor)
            alone = self.ask(
                self.counsellor, "orientation.requested", REQUEST, agreement_id=agreement
            )
            self.expect_refusal(alone, "B-5.1", who=f"{self.at_city} seule l'a signé")
            self.fed.amend(self.signed, **amendment, by=[self.mission])
            self.reopened = True
        for org in (self.city, self.mission):
            held = self.wait_state(org, self.signed, "in_force")
            self.teller.check(
                held["state"] == "in_force" and held["invented"],
                f"{self.names[org]} : en vigueur, version {held['version']}, jusqu'au "
                f"{held['ends_on']} ; texte marqué inventé",
                "B-7.1",
            )

    # -- what names nobody ---------------------------------------------------------------------

    def presenting(self) -> None:
        """Each side presents a service, in a common vocabulary."""
        self.teller.step("Chacun présente ses services, en un vocabulaire commun")
        for client in (self.counsellor, self.youth):
            sent = self.send(client, "service_catalogue.published", SERVICE)
            self.teller.check(
                sent["state"] == "accepted" and sent["case_id"] is None,
                f"Présenté à {self.names[self.other(client)]} : aucun nom, aucun dossier",
                "B-2.3",
            )

    def offering(self) -> None:
        """The platform for dropouts stays closed until the charter's signature is recorded."""
        self.teller.step(
            "La plateforme des décrocheurs : fermée tant que sa charte n'est pas signée"
        )
        offer = {
            "theme": "remobilisation--lien-social",
            "places": 4,
            "youngest": 16,
            "oldest": 17,
            "last_day": self.day(60),
            "contact": OTHER,
        }
        if self.reopened:
            closed = self.ask(self.youth, "psad.offer", offer)
            self.expect_refusal(closed, "B-2.1", who="Avant la charte")
        charter = {"signed_on": self.day(-1), "evidence": "e" * 64}
        for org in (self.city, self.mission):
            manager = self.seat(org, "manager", "responsable-1")
            manager.post("/api/v1/psad-charters", json=charter).raise_for_status()
        older = self.ask(self.youth, "psad.offer", {**offer, "oldest": 18})
        self.expect_refusal(older, "B-2.2", who="Dix-huit ans compris")
        sent = self.send(self.youth, "psad.offer", offer)
        self.teller.check(
            sent["state"] == "accepted", "Sa date enregistrée, l'offre passe", "B-2.1", "B-2.2"
        )

    # -- orientation ---------------------------------------------------------------------------

    def orienting(self) -> None:
        """From the Mission Locale to the city; age, information and agreement each refuse."""
        self.teller.step(f"Orientation : {self.at_mission} → {self.at_city}")
        counsellor = self.counsellor
        person_id = self.young(counsellor)
        agreement = self.agree(counsellor, person_id)
        self._refused_orientation(agreement, "RGPD 13", "Représentant du mineur non informé")
        self.inform(counsellor, person_id)
        said_no = self.agree(counsellor, person_id, granted=False)
        self._refused_orientation(said_no, "B-3.1", "Le jeune a dit non")
        for years, days, who in (
            (15, 364, "La veille de ses 16 ans"),
            (26, 0, "Le jour de ses 26"),
        ):
            self._refused_orientation(self.ready(counsellor, years=years, days=days), "B-1.2", who)
        sent = self.send(counsellor, "orientation.requested", REQUEST, agreement_id=agreement)
        case = sent["case_id"]
        held = self.content(self.youth, case)["orientation"]["data"]
        self.teller.check(
            sent["state"] == "accepted" and held["adapted_reception"] is True,
            "Acceptée : un thème, un moyen de contact, « accueil adapté » sans dire pourquoi",
            "B-2.4",
            "B-2.10",
        )
        late = {"outcome": "received", "on": self.day(0)}
        back = self.ask(counsellor, "orientation.answered", late, case_id=case)
        self.expect_refusal(back, "B-2.10", who="Qui demande ne répond pas")
        done = self.send(self.youth, "orientation.answered", late, case_id=case)
        self.teller.check(done["state"] == "accepted", "Reçu : un mot, et sa date", "B-2.10")

    def _refused_orientation(self, agreement_id: str, article: str, who: str) -> None:
        answer = self.ask(
            self.counsellor, "orientation.requested", REQUEST, agreement_id=agreement_id
        )
        self.expect_refusal(answer, article, who=who)

    # -- co-support ----------------------------------------------------------------------------

    def opening(self) -> None:
        """The city opens a co-support; no follow-up before both have named a referent."""
        self.teller.step("Co-accompagnement : deux référents avant tout suivi")
        self.agreement = self.ready(self.youth)
        body = {
            "opened_on": self.day(0),
            "referent": OTHER,
            "other_referent": None,
            "objectives": ["training", "mobility"],
            "next_date": self.day(14),
        }
        sent = self.send(self.youth, "cosupport.opened", body, agreement_id=self.agreement)
        self.case = sent["case_id"]
        early = self.ask(self.youth, "cosupport.checkpoint", self._stage(), case_id=self.case)
        self.expect_refusal(early, "B-2.13", who=f"{self.at_mission} n'a pas encore de référent")
        self.act(self.counsellor, "cosupport_referent", agent_id="conseillere-1", contact=CONTACT)
        pair = self.wait(
            lambda: self.content(self.youth, self.case)["cosupport"]["referents"],
            lambda found: len(found) == 2,  # noqa: PLR2004 -- a pair
        )
        self.teller.check(len(pair) == 2, "Les deux référents sont nommés", "B-2.13")  # noqa: PLR2004
        sent = self.send(self.youth, "cosupport.checkpoint", self._stage(), case_id=self.case)
        self.teller.check(sent["state"] == "accepted", "Le premier point passe", "B-2.14")
        other = self.seat(self.mission, "referent", "conseillere-2")
        refused = self.post(
            other, "cosupport.checkpoint", self.city, self._stage(), case_id=self.case
        )
        self.teller.check(
            refused.status_code == httpx.codes.FORBIDDEN,
            "Un autre conseiller n'y a pas accès",
            "B-2.13",
        )

    def losing_touch(self) -> None:
        """No answer since: told to the other referent alone; three silent tries end the case."""
        self.teller.step("Le jeune ne répond plus : chercher ensemble, puis savoir finir")
        since = self._stage(no_answer_since=self.day(0))
        sent = self.send(self.youth, "cosupport.checkpoint", since, case_id=self.case)
        seen = self.content(self.counsellor, self.case)["cosupport"]["no_answer_since"]
        self.teller.check(
            sent["state"] == "accepted" and seen == self.day(0),
            "« Sans réponse depuis » : dit au seul co-référent, jamais pourquoi",
            "B-2.7",
        )
        for number in range(1, 4):
            self.fed.move_clock(timedelta(days=number))
            self.close()
            self.act(self.youth, "silent_try", on=self.day(0))
        held = self.wait(
            lambda: self.content(self.seat(self.mission, "dpo", "dpo-1"), self.case)["cosupport"],
            lambda found: found["state"] == "closed",
        )
        self.teller.check(
            (held["state"], held["outcome"]) == ("closed", "no_answer"),
            "Au troisième essai resté sans réponse, le dossier se clôt des deux côtés",
            "B-2.7",
            "B-2.11",
        )

    # -- immersion -----------------------------------------------------------------------------

    def immersing(self) -> None:
        """Asked without a name; named once, to a host that accepted; a month, no more."""
        self.teller.step(f"Immersion : {self.at_mission} demande, {self.at_city} accueille")
        counsellor = self.counsellor
        agreement = self.ready(counsellor)
        first = self.today + timedelta(days=20)
        month = add_months(first, 1) - timedelta(days=1)
        asked = {
            "object": "discover_trade",
            "rome": "A1203",
            "first_day": first.isoformat(),
            "last_day": month.isoformat(),
            "weekly_hours": 35,
            "referent": CONTACT,
            "offer": None,
            "renewal": False,
        }
        longer = {**asked, "last_day": (month + timedelta(days=1)).isoformat()}
        refused = self.ask(counsellor, "immersion.requested", longer, agreement_id=agreement)
        self.expect_refusal(refused, "D5135-3", who="Un mois et un jour")
        sent = self.send(counsellor, "immersion.requested", asked, agreement_id=agreement)
        case = sent["case_id"]
        unnamed = self.youth.get(f"/api/v1/cases/{case}").json()
        self.teller.check(
            sent["state"] == "accepted" and unnamed["person"] is None,
            "Un mois : la demande passe, et ne nomme personne",
            "B-2.9",
            "B-3.1",
        )
        accepted = {"status": "accepted", "on": self.day(0), "tutor": OTHER}
        self.send(self.youth, "immersion.status", self._status(**accepted), case_id=case)
        unsigned = self._status(status="confirmed", on=self.day(0), representative_signed=False)
        refused = self.ask(counsellor, "immersion.status", unsigned, case_id=case)
        self.expect_refusal(refused, "D5135-2", who="Sans la signature du représentant")
        confirmed = {**unsigned, "representative_signed": True}
        self.send(counsellor, "immersion.status", confirmed, case_id=case)
        named = self.content(self.youth, case)["immersion"]["person"]
        self.teller.check(
            bool(named), "L'accueil accepté, le jeune est nommé, une seule fois", "B-2.9"
        )

    # -- what the two owe each other -----------------------------------------------------------

    def meeting(self) -> None:
        """A common event a year, and two reviews: counted, and reminded."""
        self.teller.step("Un événement commun par an, deux bilans par an : comptés et rappelés")
        manager = self.seat(self.mission, "manager", "responsable-1")
        body = {"convention_id": self.signed, "held_on": self.day(0)}
        manager.post("/api/v1/common-events", json=body).raise_for_status()
        path = f"/api/v1/conventions/{self.signed}/reviews"
        held = manager.post(path, json={"held_on": self.day(0)}).raise_for_status().json()
        self.teller.check(
            held["next_review"] == add_months(self.today, 6).isoformat(),
            f"Réunis aujourd'hui ; le prochain bilan est attendu le {held['next_review']}",
            "B-2.6",
            "B-4.1",
        )
        path, year = f"/api/v1/conventions/{self.signed}", self.today.year - 1
        manager.post(f"{path}/reports", json={"year": year})  # once, whoever told the story before
        again = manager.post(f"{path}/reports", json={"year": year})
        report = manager.get(f"{path}/report", params={"year": year}).raise_for_status().json()
        counted = [table["cells"] for table in report["tables"] if table["persons"]]
        numbers = [cell["number"] for cells in counted for cell in cells]
        self.teller.check(
            again.status_code == httpx.codes.CONFLICT
            and all(number is None or number >= report["threshold"] for number in numbers),
            "L'an passé est arrêté une fois ; de personnes, aucun nombre sous "
            f"{report['threshold']}",
            "B-4.2",
        )

    # -- what is refused, and what stops -------------------------------------------------------

    def intruding(self) -> None:
        """No edge joins a Mission Locale to a school, nor to the agency: the broker says so."""
        self.teller.step(f"Barrière coupée : {self.at_mission} écrit à qui ne l'a pas convenu")
        asyncio.run(self._write_to_strangers())

    async def _write_to_strangers(self) -> None:
        mine = self.code(self.mission)
        strangers = [self.orgs_of(kind)[0] for kind in (Kind.SCHOOL, Kind.EMPLOYMENT_AGENCY)]
        async with self.intruder(self.mission) as intruder:
            for org in (*strangers, self.city):
                subject = subject_of(self.code(org), mine, self.signed, "m2")
                said = await intruder.publish(subject, {"Nats-Msg-Id": new_id()}, b"x")
                if org == self.city:
                    sentence = f"La même lettre vers {self.at_city} passe le serveur"
                    self.teller.check(said == "stored", sentence, code=said)
                else:
                    sentence = f"Vers {self.names[org]}, refusé : {words.reason(said)}"
                    self.teller.check(said != "stored", sentence, "B-0.1", code=said)

    def withdrawing(self) -> None:
        """The young person withdraws, without a reason: everything stops at both sides."""
        self.teller.step("Le jeune retire son accord, sans motif")
        agreement = self.ready(self.counsellor)
        sent = self.send(self.counsellor, "orientation.requested", REQUEST, agreement_id=agreement)
        self.case = sent["case_id"]
        self.withdraw(self.counsellor, agreement, "B-3.1")
        answer = {"outcome": "received", "on": self.day(0)}
        late = self.ask(self.youth, "orientation.answered", answer, case_id=self.case)
        self.expect_refusal(late, "B-3.1", who=f"{self.at_city} répond encore")

    def erasing(self) -> None:
        """Erasure at both sides, and the certificates."""
        self.teller.step("Il demande l'effacement")
        self.erase(self.mission, self.city, self.case, "B-3.1")

    def verifying(self) -> None:
        """Both journals, each checked with the heads the other holds."""
        self.teller.step("Les journaux se vérifient des deux côtés")
        self.verify(self.mission, self.city)

    def act(self, client: httpx.Client, name: str, **content: Any) -> None:  # noqa: ANN401 -- JSON
        """Record an act about the case at work."""
        path = f"/api/v1/cases/{self.case}/acts/{name}"
        client.post(path, json=content).raise_for_status()

    def _stage(self, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON values
        return {
            "stage": "engaged",
            "next_date": self.day(14),
            "no_answer_since": None,
            "adaptations": None,
            **changes,
        }

    @staticmethod
    def _status(**said: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON values
        return {"tutor": None, "representative_signed": None, **said}


def tell(federation: Federation, teller: Teller) -> None:
    """Tell the whole story of convention B."""
    story = Story(federation, teller)
    story.play(
        story.ended,
        story.amending,
        story.presenting,
        story.offering,
        story.orienting,
        story.opening,
        story.losing_touch,
        story.immersing,
        story.meeting,
        story.intruding,
        story.withdrawing,
        story.erasing,
        story.verifying,
    )
