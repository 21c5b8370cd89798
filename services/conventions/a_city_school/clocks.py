"""Deadlines of convention A: who must do what by when, and what follows when nobody does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final

from contracts.conventions.a_city_school.measure import Act, Role, Status, after, complete
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, again, arm, move
from services.chassis.holds import put_off
from services.chassis.tokens import Right
from services.conventions.a_city_school import store
from services.conventions.a_city_school.models import measures
from services.conventions.a_city_school.store import measure_of, signed_days

DELIVER: Final = timedelta(minutes=15)
"""Until an alert lies in the school's letterbox; the text says without delay, we propose this."""
ACKNOWLEDGE: Final = timedelta(hours=2)
"""Until a person at the school has read it; a proposal too."""
LEVELS: Final = 3
"""Times a late alert is escalated; then it stays on top of the list until somebody acts."""
SILENCE: Final = timedelta(weeks=6)
"""Time without news of a pathway after which its referent is reminded (A-2.7)."""
TELL: Final = timedelta(days=7)
"""Time within which the family hears of a step (A-2.12)."""
KEPT_MONTHS: Final = 3
KEPT_ALERT_MONTHS: Final = 1


def _escalates(wait: timedelta) -> Callable[[Tx, Core, Due, datetime], None]:
    def missed(tx: Tx, core: Core, due: Due, at: datetime) -> None:
        if due.level < LEVELS:
            arm(tx, core, again(due, wait, at), at)

    return missed


def _start(tx: Tx, _core: Core, due: Due, at: datetime) -> None:
    """The first day has come: the measure runs, or its contract is void for want of signatures."""
    row = measure_of(tx, due.subject)
    if row is None or row.status not in {Status.ACCEPTED, Status.SIGNED}:
        return
    act = Act.START if complete(signed_days(row)) else Act.LAPSE
    status = after(Status(row.status), act, Role.CLOCK)
    casefile.change(tx, measures, due.subject, status=status.value)
    if status is Status.LAPSED:
        casefile.close_case(tx, due.subject, add_months(day_of(at), KEPT_MONTHS), at)


def _forget_alerts(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """A month after the measure an alert has served its purpose (A-5.1)."""
    if not put_off(tx, core, due, due.subject, at):
        store.forget_records(tx, due.subject, "alert")


def _forget_request(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """Three months after the measure nobody needs to know for whom it was (A-5.1)."""
    if not put_off(tx, core, due, due.subject, at):
        store.forget_records(tx, due.subject, "news")
        casefile.forget_person(tx, due.subject)


def _forget_contract(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """The contract and its end serve until the school year is over (A-5.1)."""
    if not put_off(tx, core, due, due.subject, at):
        store.forget_contract(tx, due.subject)


def _silent(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    arm(tx, core, again(due, SILENCE, at), at)


CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(kind="referral.answer", article="A-4.2", label="Répondre à la fiche de repérage"),
        Clock(
            kind="pathway.news",
            article="A-2.7",
            label="Donner des nouvelles du parcours",
            missed=_silent,
        ),
        Clock(kind="pathway.review", article="A-2.4", label="Point commun sur le parcours"),
        Clock(kind="meeting", article="A-2.9", label="Rencontre avec la famille"),
        Clock(kind="watch_cell", article="A-2.2", label="Cellule de veille", told_to={Right.READ}),
        Clock(kind="family.told", article="A-2.12", label="Informer la famille de cette étape"),
        Clock(kind="measure.answer", article="A-3.3", label="Répondre à la demande d'alternative"),
        Clock(
            kind="measure.start",
            article="A-3.5",
            label="Premier jour de la mesure : contrat signé par les quatre",
            missed=_start,
            automatic=True,
        ),
        Clock(
            kind="measure.reception",
            article="A-3.7",
            label="Recevoir l'élève et son représentant le premier jour",
        ),
        Clock(kind="measure.end", article="A-3.1", label="Dire que la mesure est finie"),
        Clock(
            kind="booklet.shown", article="A-3.12", label="Livret d'accueil à présenter au retour"
        ),
        Clock(
            kind="alert.delivery",
            article="A-3.15",
            label="Alerte non remise : appeler l'établissement",
            missed=_escalates(DELIVER),
        ),
        Clock(
            kind="alert.reading",
            article="A-3.15",
            label="Alerte non lue : appeler l'établissement",
            missed=_escalates(ACKNOWLEDGE),
        ),
        Clock(
            kind="alert.seen",
            article="A-3.15",
            label="Alerte à lire sans délai",
            missed=_escalates(ACKNOWLEDGE),
        ),
        Clock(
            kind="alerts.forgotten",
            article="A-5.1",
            label="Destruction des alertes de la mesure",
            missed=_forget_alerts,
            automatic=True,
        ),
        Clock(
            kind="request.forgotten",
            article="A-5.1",
            label="Destruction de la demande de mesure et de l'identité reçue",
            missed=_forget_request,
            automatic=True,
        ),
        Clock(
            kind="contract.forgotten",
            article="A-5.1",
            label="Destruction du contrat d'engagement",
            missed=_forget_contract,
            automatic=True,
        ),
    )
}


def tell_family(tx: Tx, core: Core, case_id: str, message_id: str, at: datetime) -> None:
    """The family is to hear of a step (A-2.12)."""
    arm(
        tx,
        core,
        Due(kind="family.told", subject=message_id, case_id=case_id, due_at=at + TELL),
        at,
    )


def expect_news(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """News of the pathway are expected again from now on (A-2.7)."""
    due = Due(kind="pathway.news", subject=case_id, case_id=case_id, due_at=at + SILENCE)
    move(tx, core, due, at)


def on_day(tx: Tx, core: Core, kind: str, case_id: str, day: date, at: datetime) -> None:
    """Something is due by the first instant of a day."""
    due = Due(kind=kind, subject=case_id, case_id=case_id, due_at=midnight(day))
    move(tx, core, due, at)


def expect_reading(tx: Tx, core: Core, case_id: str, message_id: str, at: datetime) -> None:
    """An alert has left: it must arrive, then be read (A-3.15, A-3.16)."""
    for kind, wait in (("alert.delivery", DELIVER), ("alert.reading", ACKNOWLEDGE)):
        arm(tx, core, Due(kind=kind, subject=message_id, case_id=case_id, due_at=at + wait), at)


def expect_seen(tx: Tx, core: Core, case_id: str, message_id: str, at: datetime) -> None:
    """An alert has come: somebody here must read it (A-3.15)."""
    due = Due(kind="alert.seen", subject=message_id, case_id=case_id, due_at=at + ACKNOWLEDGE)
    arm(tx, core, due, at)
