"""The people at their desks in the demonstration: what they type, and what they wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from contracts.kernel.errors import RelaisError
from contracts.kernel.organisation import Kind
from services.chassis import words
from services.chassis.secret import NodeSecret
from services.federation.config import installed
from services.federation.federation import Federation
from services.federation.intruder import Intruder
from services.federation.layout import leaf_of
from services.federation.telling import Teller

_PATIENCE = 20.0
"""Seconds to wait for what takes milliseconds on a quiet machine."""


class Desks:
    """The agents of every organisation, each at a desk of their own, and each one's DPO."""

    def __init__(self, federation: Federation, teller: Teller) -> None:
        self.fed = federation
        self.teller = teller
        self.names = {one.id: one.name for one in federation.layout.federation.organisations}
        self.registry = installed()
        self.titles = words.titles(self.registry)
        self._seats: dict[tuple[str, str, str], httpx.Client] = {}

    def orgs_of(self, kind: Kind) -> list[str]:
        """Organisations of a kind, in the order of the federation's file."""
        members = self.fed.layout.federation.organisations
        return [one.id for one in members if one.kind is kind]

    def seat(self, org: str, role: str, agent: str) -> httpx.Client:
        """The client of an agent, who has accepted the charter; its token is as of its first use.

        agent: local id.
        """
        name = (org, role, agent)
        if name not in self._seats:
            self._seats[name] = self.fed.client(*name)
            self._seats[name].post("/api/v1/charter", json={"version": "1"}).raise_for_status()
        return self._seats[name]

    @property
    def dpo(self) -> dict[str, httpx.Client]:
        """The data protection officer of every organisation."""
        return {org: self.seat(org, "dpo", "dpo-1") for org in self.names}

    def close(self) -> None:
        """Everybody leaves; who sits down again has a new token, as of then."""
        for client in self._seats.values():
            client.close()
        self._seats.clear()

    def play(self, *parts: Callable[[], None]) -> None:
        """Play the parts of a story; one that is interrupted fails, and the next goes on."""
        try:
            for part in parts:
                try:
                    part()
                except (httpx.HTTPError, RelaisError, LookupError, TypeError) as error:
                    said = error.sentence if isinstance(error, RelaisError) else "inattendu"
                    name = type(error).__name__
                    self.teller.check(holds=False, sentence=f"Interrompu : {said}", code=name)
        finally:
            self.close()
            self.fed.move_clock(timedelta(0))

    def post(
        self,
        client: httpx.Client,
        message_type: str,
        to: str,
        data: dict[str, Any],
        **about: str,
    ) -> httpx.Response:
        """Ask to send a message, whatever comes of it. about: a case, an agreement or a notice."""
        body = {"type": message_type, "to": to, "data": data, **about}
        return client.post("/api/v1/messages", json=body)

    def tell(
        self,
        client: httpx.Client,
        message_type: str,
        to: str,
        data: dict[str, Any],
        **about: str,
    ) -> dict[str, Any]:
        """Send a message that must be allowed; returns it once accepted."""
        answer = self.post(client, message_type, to, data, **about).raise_for_status()
        return self.until(client, answer.json()["message_id"], "accepted")

    def due(self, client: httpx.Client, kind: str, subject: str) -> list[dict[str, Any]]:
        """What waits of a kind, about a subject."""
        waiting = client.get("/api/v1/deadlines").json()
        return [one for one in waiting if (one["kind"], one["subject"]) == (kind, subject)]

    def expect_refusal(
        self,
        answer: httpx.Response,
        article: str,
        status: int = httpx.codes.FORBIDDEN,
        *,
        who: str = "",
    ) -> None:
        """Check that the answer refuses, with that article. who: who tried what, if it is said."""
        body = answer.json()
        named = body.get("articles", ())
        refused = answer.status_code == status and article in named
        said = body.get("detail", "")
        for one in body.get("fields", ()):
            field = one["path"].rpartition(".")[2]
            title = self.titles.get(field, field)
            said = f"{said.removesuffix('.')} : « {title} », {words.reason(one['code'])}."
        outcome = f"refusé par {', '.join(named)}" if refused else "aucun refus de cet article"
        sentence = f"{who} : {outcome}" if who else outcome[0].upper() + outcome[1:]
        codes = [str(answer.status_code), *(one["code"] for one in body.get("fields", ()))]
        self.teller.check(refused, f"{sentence}. {said}", article, code=" ".join(codes))

    def until(self, client: httpx.Client, message_id: str, state: str) -> dict[str, Any]:
        """Wait until a message reaches a state; returns it as it then is."""
        found: dict[str, Any] = self.wait(
            lambda: client.get(f"/api/v1/messages/{message_id}").json(),
            lambda found: found.get("state") == state,
        )
        return found

    def wait(self, look: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:  # noqa: ANN401
        """Look again until it is enough, or patience ends; returns what was last seen."""
        deadline = time.monotonic() + _PATIENCE
        while not enough(found := look()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def withdraw(self, client: httpx.Client, agreement_id: str, article: str) -> None:
        """Withdraw an agreement where it was collected; every recipient certifies that it stops."""
        path = f"/api/v1/agreements/{agreement_id}"
        told = client.post(f"{path}/withdrawal").raise_for_status().json()
        names = ", ".join(self.names[org] for org in told["told"])
        self.teller.tell(
            f"Prévenu aussitôt, que la convention soit ouverte ou non : {names} ({article})"
        )
        answers = self.wait(
            lambda: client.get(path).json()["withdrawal"],
            lambda found: bool(found) and all(one["outcome"] for one in found),
        )
        for one in answers:
            self.teller.check(
                one["outcome"] == "stopped",
                f"{self.names[one['org']]} certifie : arrêté, destruction au plus tard selon "
                f"{one['article']}",
                article,
                code=str(one["outcome"]),
            )

    def erase(self, org: str, partner: str, case_id: str, article: str) -> None:
        """Have a case erased at both sides, on the demand of its person; both certify it."""
        path = f"/api/v1/cases/{case_id}"
        self.dpo[org].post(f"{path}/erasure").raise_for_status()
        found = self.wait(
            lambda: self.dpo[org].get(path).json()["certificates"],
            lambda found: {org, partner} <= {one["org"] for one in found},
        )
        for one in found:
            self.teller.check(
                one["outcome"] == "deleted",
                f"{self.names[one['org']]} certifie la destruction, clé comprise "
                f"(pièces : {one['records']})",
                article,
            )
        held = [self.dpo[one].get(path).json() for one in (partner, org)]
        self.teller.check(
            all(one["person"] is None and not one["content"] for one in held),
            "Plus rien n'y est lisible, d'aucun côté",
        )

    def verify(self, org: str, partner: str) -> None:
        """Check the journals of two organisations, each with the heads that the other holds."""
        for one, other in ((org, partner), (partner, org)):
            report = self.dpo[one].get("/api/v1/journal/verification").json()
            held = self.dpo[other].get(f"/api/v1/journal/witnessed/{one}").json()
            self.teller.check(
                report["ok"],
                f"{self.names[one]} : {report['lines']} lignes chaînées, {report['erased']} "
                f"effacées, {len(held)} têtes tenues par {self.names[other]}",
            )

    def dead(self, org: str, message_id: str) -> str | None:
        """Reason for which an organisation buried a letter, if it did."""
        with self.fed.client(org, "operator", "operateur-1") as operator:
            found = operator.get("/api/v1/dead-letters").json()
        return next((one["reason"] for one in found if one["message_id"] == message_id), None)

    def label(self, message_type: str) -> str:
        """What people call a type of message."""
        return words.message(message_type, self.registry)

    def code(self, org: str) -> str:
        """Code of an organisation in subjects."""
        return self.fed.layout.federation.member(org).code

    def convention(self, org: str, code: str = "a_city_school") -> str:
        """Id of the first convention of a text that binds an organisation. Raises LookupError."""
        held = self.dpo[org].get("/api/v1/conventions").json()
        return next(str(one["convention_id"]) for one in held if one["convention"] == code)

    def held(self, org: str, convention_id: str) -> dict[str, Any]:
        """A signed convention as an organisation sees it now. Raises LookupError."""
        listed = self.dpo[org].get("/api/v1/conventions").json()
        found: dict[str, Any] = {one["convention_id"]: one for one in listed}[convention_id]
        return found

    def wait_state(self, org: str, convention_id: str, state: str) -> dict[str, Any]:
        """Wait until an organisation sees a convention in a state; returns it as it then is."""
        found: dict[str, Any] = self.wait(
            lambda: self.held(org, convention_id), lambda one: one["state"] == state
        )
        return found

    def prove_purge(self, convention_id: str, orgs: tuple[str, ...]) -> None:
        """Each party shows the proof that what a convention had brought is destroyed."""
        for org in orgs:
            self.dpo[org].post("/api/v1/retention").raise_for_status()
            held = self.held(org, convention_id)
            proof = held["purge"] or {}
            self.teller.check(
                proof.get("ended_on") == held["ends_on"] and proof.get("kept") == 0,
                f"{self.names[org]} prouve la destruction, due le {held['purged_on']} : il ne "
                f"reste rien (dossiers détruits : {proof.get('cases')})",
                str(proof.get("article", "")),
            )

    def intruder(self, org: str) -> Intruder:
        """A bare client with the true credentials of an organisation."""
        layout = self.fed.layout
        password = NodeSecret.load(layout.secret_file(org)).nats_password("app")
        return Intruder(layout.nats_url(leaf_of(org)), password, layout.nats_tls(org))
