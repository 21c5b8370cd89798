"""The story of convention A: a referral, its answer, every refusal, the withdrawal, the proof."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from contracts.conventions.a_city_school.convention import CONVENTION, DUTIES
from contracts.kernel.paris import add_years, day_of
from services.chassis import words
from services.chassis.clock import new_id
from services.chassis.keys import NodeKeys
from services.federation.federation import Federation
from services.federation.intruder import forged_letter, published_entry, subject_of
from services.federation.layout import OBSERVER, TRACES
from services.federation.stories.a_danger import DangerStory
from services.federation.stories.a_desks import REFERRAL
from services.federation.stories.a_pathway import PathwayStory
from services.federation.telling import Teller
from services.observer.page import render_text
from services.observer.store import Store, Trace

HIDDEN_NIR = "référente 2 95 10 99 126 " + "111 93"
"""A role in which somebody hid a number (python-stdnum's own documented example)."""


class Story(PathwayStory, DangerStory):
    """Convention A, told on a running federation."""

    # -- what goes well ------------------------------------------------------------------------

    def opening(self) -> None:
        """What convention A opens between a school and the city; to nobody else anything of it."""
        self.teller.step("Qui peut dire quoi à qui")
        for org, client in self.dpo.items():
            flows = client.get("/api/v1/flows").json()
            opened = (*flows["send"], *flows["receive"])
            mine = self._of_this_text(client)
            types = sorted({one["type"] for one in opened if one["convention_id"] in mine})
            names, name = ", ".join(map(self.label, types)), self.names[org]
            code = " ".join(types)
            if org in {self.school, self.other_school, self.city}:
                self.teller.check(bool(types), f"{name} : {names}", "A-4.3", code=code)
            else:
                self.teller.check(not types, f"{name} : {names or 'rien'}", code=code)
        self.teller.tell(
            "Ce qu'aucune convention signée n'ouvre est fermé : les autres organismes ont leur "
            "nœud, et de celle-ci rien à dire ni à entendre tant qu'ils ne la signent pas."
        )

    @staticmethod
    def _of_this_text(client: httpx.Client) -> set[str]:
        """What an organisation is bound by of convention A, and the duties beside it."""
        held = client.get("/api/v1/conventions").json()
        signed = {one["convention_id"] for one in held if one["convention"] == CONVENTION.code}
        return signed | {duty.code for duty in DUTIES}

    def agreeing(self) -> None:
        """The family is informed, then agrees; the agents have accepted the charter."""
        self.teller.step(f"La famille est informée puis donne son accord ({self.at_school})")
        flows = self.flows("school_perseverance")
        self.agreement = self.agree(self.pupil(), flows=flows)
        self.teller.check(
            bool(self.agreement),
            "Information (A-2.10) puis accord (A-2.11), "
            f"pour le seul destinataire {self.at_city}, sur {len(flows)} messages nommés",
            "A-2.10",
            "A-2.11",
        )

    def referring(self) -> None:
        """The referral leaves, arrives, and is acknowledged by a signed receipt."""
        label = self.label("referral.submitted").capitalize()
        self.teller.step(f"{label} : {self.at_school} → {self.at_city}")
        answer = self.refer(self.agreement)
        self.message, self.case = answer["message_id"], answer["case_id"]
        self.teller.tell(
            "Article A-4.3, avec l'accord du représentant légal ; l'agent n'a saisi "
            "que des codes, le nœud a ajouté l'identité de son registre."
        )
        sent = self.until(self.head, self.message, "accepted")
        receipt = (sent.get("receipt") or {}).get("status", "")
        self.teller.check(
            sent["state"] == "accepted",
            f"Acceptée ; accusé de réception signé : {words.STATES.get(receipt, receipt)}",
            "A-4.3",
            code=receipt,
        )
        held = self.youth.get(f"/api/v1/cases/{self.case}").json()
        known = sorted(held["content"]["referral"]["data"])
        titles = ", ".join(self.titles.get(name, name) for name in known)
        self.teller.check(
            held["state"] == "open",
            f"{self.at_city} tient ces champs et aucun autre : {titles}",
            "A-5.1",
            code=" ".join(known),
        )

    def answering(self) -> None:
        """The city accepts and names the pathway referent."""
        self.teller.step(f"Réponse et référent de parcours : {self.at_city} → {self.at_school}")
        answer = self.reply("référente de parcours")
        self.teller.check(answer.status_code == httpx.codes.ACCEPTED, "Réponse envoyée", "A-2.5")
        sent = self.until(self.youth, answer.json().get("message_id", ""), "accepted")
        self.teller.check(sent["state"] == "accepted", "Acceptée, accusé signé", "A-2.5")
        held = self.head.get(f"/api/v1/cases/{self.case}").json()
        named = held["content"]["answer"]["referent"]["role"]
        self.teller.check(bool(named), f"L'établissement connaît le référent : {named}", "A-2.5")

    def tracing(self) -> None:
        """The way of one message through both nodes."""
        self.teller.step("La trace d'un message à travers les deux nœuds")
        store = Store(self.fed.layout.folder(OBSERVER) / TRACES)
        found = self.wait(lambda: store.by_message(self.message), _crosses)
        for trace in found[:1]:
            for line in render_text(trace, width=88).splitlines():
                self.teller.tell(line)
        self.teller.check(bool(found), "Des identifiants et des codes, aucun contenu")

    # -- what is refused -----------------------------------------------------------------------

    def refusing(self) -> None:
        """Everything the gate refuses, each with its article."""
        self._refused_without_agreement()
        self._refused_other_recipient()
        self._refused_adult()
        self._refused_extra_field()
        self._refused_hidden_number()

    def _refused_without_agreement(self) -> None:
        self.teller.step("Refus : aucun accord (la famille a été informée, elle a dit non)")
        answer = self.attempt(self.agree(self.pupil(), granted=False))
        self.refused = answer.json()["message_id"]
        self.expect_refusal(answer, "A-2.11")

    def _refused_other_recipient(self) -> None:
        mission = self.names[self.mission]
        self.teller.step(f"Refus : l'accord vise un autre destinataire ({mission})")
        other = self.agree(self.pupil(), recipients=[self.mission])
        self.expect_refusal(self.attempt(other), "A-4.1")

    def _refused_adult(self) -> None:
        self.teller.step("Refus : l'élève a eu dix-huit ans hier, l'accord était celui du parent")
        today = day_of(self.fed.now(self.school))
        eighteen = add_years(today, -18) - timedelta(days=1)
        pupil = self.pupil(eighteen)
        month_ago = (self.fed.now(self.school) - timedelta(days=30)).isoformat()
        self.expect_refusal(self.attempt(self.agree(pupil, given_at=month_ago)), "A-2.11")
        own = self.agree(pupil, giver="young_person", authority=None)
        self.teller.check(
            self.attempt(own).status_code == httpx.codes.ACCEPTED,
            "Avec son propre accord, la même fiche part",
            "A-2.11",
        )

    def _refused_extra_field(self) -> None:
        self.teller.step("Refus : un champ de trop")
        answer = self.attempt(self.agreement, {**REFERRAL, "absences_count": 12})
        self.expect_refusal(answer, "A-5.1", httpx.codes.UNPROCESSABLE_ENTITY)

    def _refused_hidden_number(self) -> None:
        self.teller.step("Refus : un numéro de sécurité sociale caché dans un champ")
        self.expect_refusal(self.reply(HIDDEN_NIR), "A-5.1", httpx.codes.UNPROCESSABLE_ENTITY)

    # -- what the broker refuses ---------------------------------------------------------------

    def intruding(self) -> None:
        """True credentials, a bare client, no gate: the broker alone."""
        asyncio.run(self._write_to_the_mission())
        asyncio.run(self._forge_a_sender())
        asyncio.run(self._read_another_letterbox())

    async def _write_to_the_mission(self) -> None:
        mission = self.names[self.mission]
        self.teller.step(f"Barrière coupée : {self.at_school} écrit à {mission}")
        self.teller.tell(
            "Quelqu'un tient les vrais identifiants de l'établissement et contourne son nœud : "
            "il ne reste que le serveur de messages."
        )
        code, there = self.code(self.school), self.code(self.mission)
        here = subject_of(self.code(self.city), code, self.convention(self.school), "m1")
        async with self.intruder(self.school) as intruder:
            said = await intruder.publish(
                subject_of(there, code, self.convention(self.school), "m1"), _random(), b"x"
            )
            allowed = await intruder.publish(here, _random(), b"x")
        self.teller.check(
            said != "stored",
            f"Refusé par le serveur lui-même : {words.reason(said)}",
            "A-0.1",
            code=said,
        )
        self.teller.check(
            allowed == "stored", f"La même lettre vers {self.at_city} passe le serveur"
        )

    async def _forge_a_sender(self) -> None:
        other = self.names[self.other_school]
        self.teller.step(f"Faux expéditeur : {other} se dit {self.at_school}")
        city, mine = self.code(self.city), self.code(self.other_school)
        stolen = subject_of(city, self.code(self.school), self.convention(self.school), "m1")
        own = subject_of(city, mine, self.convention(self.other_school), "m1")
        keys = NodeKeys.open(
            self.fed.layout.node_dir(self.other_school),
            self.other_school,
            self.fed.now(self.other_school),
        )
        message_id = new_id()
        headers, body = forged_letter(
            keys,
            pretends=self.school,
            to=published_entry(self.fed.layout.node_dir(self.other_school), self.city),
            subject=own,
            convention_id=self.convention(self.other_school),
            message_id=message_id,
            at=self.fed.now(self.other_school),
        )
        async with self.intruder(self.other_school) as intruder:
            said = await intruder.publish(stolen, headers, body)
            self.teller.check(
                said != "stored",
                f"À l'adresse réservée à {self.at_school}, refusé par le serveur : "
                f"{words.reason(said)}",
                code=said,
            )
            await intruder.publish(own, headers, body)
        reason = self.wait(
            lambda: self.dead(self.city, message_id), lambda found: found is not None
        )
        self.teller.check(
            reason == "unverified",
            f"À sa propre adresse, sous le nom de l'autre, refusé par {self.at_city} : "
            f"{words.reason(str(reason))} ; rien n'est ouvert",
            code=str(reason),
        )

    async def _read_another_letterbox(self) -> None:
        other = self.names[self.other_school]
        self.teller.step(f"{other} tente de lire la boîte de {self.at_school}")
        box = f"lb.{self.code(self.school)}.>"
        async with self.intruder(self.other_school) as intruder:
            listening = asyncio.create_task(intruder.listen(box, 2.0))
            await asyncio.sleep(0.3)
            answer = await asyncio.to_thread(self.reply, "référente de parcours")
            heard = await listening
            read = await intruder.read_stream(self.code(self.school))
        passed = answer.status_code == httpx.codes.ACCEPTED
        self.teller.check(passed and heard == 0, "Une lettre est passée, il n'a rien entendu")
        self.teller.check(
            read != "read", f"Sa lecture de la boîte est refusée : {words.reason(read)}", code=read
        )

    # -- what stops ----------------------------------------------------------------------------

    def withdrawing(self) -> None:
        """The family withdraws: everything stops everywhere, with receipts."""
        self.teller.step("La famille retire son accord, sans motif")
        self.withdraw(self.head, self.agreement, "A-2.11")
        again = self.attempt(self.agreement)
        self.expect_refusal(again, "A-2.11", who=f"{self.at_school} renvoie la fiche")
        late = self.reply("référente de parcours")
        self.expect_refusal(late, "A-2.11", who=f"{self.at_city} répond encore")

    def erasing(self) -> None:
        """Erasure at the partner, and its certificate."""
        self.teller.step("La famille demande l'effacement")
        self.erase(self.school, self.city, self.case, "A-5.1")

    def verifying(self) -> None:
        """Both journals, each checked with the heads the other holds."""
        self.teller.step("Les journaux se vérifient des deux côtés, même après l'effacement")
        self.verify(self.school, self.city)
        erased, same = self._replay(self.message), self._replay(self.refused)
        self.teller.check(
            {one.get("replay") for one in erased if "replay" in one} == {"inputs erased"},
            "La décision d'envoi ne se rejoue plus : entrées effacées, certificat à l'appui",
        )
        self.teller.check(
            [one["replay"] for one in same if "replay" in one] == ["same"],
            "Un refus rejoué donne la même réponse, mot pour mot",
        )

    def ending(self) -> None:
        """Years later the convention is over; last, since whatever was agreed ends with it."""
        self.teller.step("Refus : les trois ans de la convention sont passés")
        agreement = self.agree(self.pupil())
        self.fed.move_clock(timedelta(days=3 * 366), self.school)
        try:
            with self.fed.client(self.school, "manager", "cheffe-1") as later:
                self.expect_refusal(self.attempt(agreement, client=later), "A-9.1")
        finally:
            self.fed.move_clock(timedelta(0), self.school)

    def _replay(self, message_id: str) -> list[dict[str, Any]]:
        path = f"/api/v1/messages/{message_id}/decision"
        found: list[dict[str, Any]] = self.dpo[self.school].get(path).json()
        return found


def _random() -> dict[str, str]:
    return {"Nats-Msg-Id": new_id()}


def tell(federation: Federation, teller: Teller) -> None:
    """Tell the whole story of convention A."""
    story = Story(federation, teller)
    story.play(
        story.opening,
        story.agreeing,
        story.referring,
        story.answering,
        story.tracing,
        story.convening,
        story.opening_pathway,
        story.following,
        story.informing,
        story.changing_referent,
        story.requesting,
        story.contracting,
        story.running,
        story.in_danger,
        story.interrupting,
        story.notifying,
        story.reviewing,
        story.refusing,
        story.intruding,
        story.withdrawing,
        story.erasing,
        story.verifying,
        story.ending,
    )


def _crosses(traces: list[Trace]) -> bool:
    """Whether a trace shows both nodes."""
    return any(len(trace.nodes) > 1 for trace in traces)
