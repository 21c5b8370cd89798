"""The alternative to a temporary exclusion as a machine of statuses: who may do what, and when.

    requested ─accept─> accepted ─sign (fourth)─> signed ─start─> running ─complete──> completed
        └─decline─> declined  └─lapse─> lapsed       └──interrupt──┴──────────────> interrupted

A withdrawal stops whatever is not over. The clock starts a measure whose four signatures are there
on its first day, at midnight in Paris, and lapses one whose are not (A-3.5, A-3.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from contracts.conventions.a_city_school.messages import SIGNATORIES, Responsible
from contracts.kernel.errors import Refused
from contracts.kernel.organisation import Kind


class Status(StrEnum):
    """Where a measure stands; the last five are ends."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    SIGNED = "signed"
    RUNNING = "running"
    DECLINED = "declined"
    LAPSED = "lapsed"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


class Act(StrEnum):
    """What moves a measure."""

    ACCEPT = "accept"
    DECLINE = "decline"
    SIGN = "sign"
    START = "start"
    LAPSE = "lapse"
    COMPLETE = "complete"
    INTERRUPT = "interrupt"
    STOP = "stop"


class Role(StrEnum):
    """Who acts: the four signatories, or the clock."""

    HEAD_TEACHER = "head_teacher"
    YOUTH_SERVICE = "youth_service"
    PUPIL = "pupil"
    REPRESENTATIVE = "representative"
    CLOCK = "clock"


_FAMILY: Final = frozenset({Role.PUPIL, Role.REPRESENTATIVE})
_MAY: Final[dict[Act, frozenset[Role]]] = {
    Act.ACCEPT: frozenset({Role.YOUTH_SERVICE}),
    Act.DECLINE: frozenset({Role.YOUTH_SERVICE}),
    Act.SIGN: frozenset(Role(one) for one in SIGNATORIES),
    Act.START: frozenset({Role.CLOCK}),
    Act.LAPSE: frozenset({Role.CLOCK}),
    Act.COMPLETE: frozenset({Role.HEAD_TEACHER, Role.YOUTH_SERVICE}),
    Act.INTERRUPT: frozenset({Role.HEAD_TEACHER}),
    Act.STOP: _FAMILY,
}
_NEXT: Final[dict[tuple[Status, Act], Status]] = {
    (Status.REQUESTED, Act.ACCEPT): Status.ACCEPTED,
    (Status.REQUESTED, Act.DECLINE): Status.DECLINED,
    (Status.ACCEPTED, Act.SIGN): Status.ACCEPTED,
    (Status.ACCEPTED, Act.LAPSE): Status.LAPSED,
    (Status.SIGNED, Act.START): Status.RUNNING,
    (Status.SIGNED, Act.INTERRUPT): Status.INTERRUPTED,
    (Status.RUNNING, Act.COMPLETE): Status.COMPLETED,
    (Status.RUNNING, Act.INTERRUPT): Status.INTERRUPTED,
    (Status.REQUESTED, Act.STOP): Status.STOPPED,
    (Status.ACCEPTED, Act.STOP): Status.STOPPED,
    (Status.SIGNED, Act.STOP): Status.STOPPED,
    (Status.RUNNING, Act.STOP): Status.STOPPED,
}
_NO: Final[dict[Act, tuple[str, str]]] = {
    Act.ACCEPT: ("A-3.3", "Le service Jeunesse répond une seule fois à la demande."),
    Act.DECLINE: ("A-3.3", "Le service Jeunesse répond une seule fois à la demande."),
    Act.SIGN: (
        "A-3.6",
        "Le contrat se signe à quatre, après l'accord de la Ville et avant le début.",
    ),
    Act.START: ("A-3.5", "Une mesure ne commence qu'avec son contrat signé."),
    Act.LAPSE: ("A-3.6", "Seul un contrat incomplet devient caduc."),
    Act.COMPLETE: (
        "A-3.5",
        "Seule une mesure en cours s'achève, constatée par l'un des deux côtés.",
    ),
    Act.INTERRUPT: ("A-3.14", "Seul le chef d'établissement met fin, à une mesure signée."),
    Act.STOP: ("A-2.11", "Seule la famille retire son accord, tant que la mesure n'est pas finie."),
}


def after(status: Status, act: Act, role: Role, *, complete: bool = False) -> Status:
    """Status that an act leaves. Raises Refused, with the article, where it is not allowed.

    complete: of a signature, whether it is the fourth.
    """
    following = _NEXT.get((status, act)) if role in _MAY[act] else None
    if following is None:
        article, sentence = _NO[act]
        raise Refused(sentence, articles=(article,))
    return Status.SIGNED if act is Act.SIGN and complete else following


Signed = Mapping[str, date]
"""Days of the signatures of a contract, by role."""

_COLLECTED_BY: Final[dict[str, frozenset[Kind]]] = {
    "head_teacher": frozenset({Kind.SCHOOL}),
    "youth_service": frozenset({Kind.CITY}),
    "pupil": frozenset({Kind.SCHOOL, Kind.CITY}),
    "representative": frozenset({Kind.SCHOOL, Kind.CITY}),
}


def signatures_of_others(kind: Kind, declared: Signed, known: Signed) -> int:
    """Signatures that an organisation of that kind cannot have collected, nor heard of (A-3.6).

    known: what is held of the contract where the question is asked.
    """
    return sum(
        kind not in _COLLECTED_BY[role] and known.get(role) != day for role, day in declared.items()
    )


def merged(one: Signed, other: Signed) -> dict[str, date]:
    """Both sides' signatures; of two days for one role the earlier: their order changes nothing."""
    both = {**other, **one}
    return {
        role: min(days[role] for days in (one, other) if role in days)
        for role in SIGNATORIES
        if role in both
    }


def complete(signed: Signed) -> bool:
    """Whether all four have signed (A-3.6)."""
    return all(role in signed for role in SIGNATORIES)


def responsible(*, in_measure: bool, in_school_time: bool) -> Responsible:
    """Who answers for the young person at an instant.

    in_measure: during the alternative the school alone does, whatever the hour (A-7.2).
    in_school_time: otherwise the school on school time, the city around it (A-7.1).
    """
    return "school" if in_measure or in_school_time else "city"
