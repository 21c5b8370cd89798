"""Questions that neither the conventions nor the law settle: people answer them, never the code.

Each is shown, marked as open, in every register that it bears on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contracts.kernel.organisation import Kind

A, B = "a_city_school", "b_city_mission_locale"
C, D = "c_employment_city_ccas", "d_department_mission_locale"
TRAINING: Final = "training_obligation"

RECORD, DPIA, JOINT, NOTICE = "record", "dpia", "joint", "notice"
"""Kinds of registers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One open question. instruments: codes it bears on; none: all. kinds: likewise.

    papers: kinds of registers in which it is shown.
    """

    asks: str
    papers: tuple[str, ...]
    instruments: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()


QUESTIONS: Final = (
    Question(
        asks="À quelles dates la convention et ses avenants ont-ils été signés, sur quelles pièces,"
        " et quelle déclinaison locale existe ?",
        papers=(RECORD, JOINT),
        instruments=(A, B, C, D),
    ),
    Question(
        asks="L'alternative à l'exclusion suit-elle les règles de la mesure de responsabilisation"
        " (code de l'éducation, R511-13 II et III) et sa convention type ?",
        papers=(RECORD, DPIA),
        instruments=(A,),
    ),
    Question(
        asks="Le conseiller de la Mission Locale est-il tenu ici au secret professionnel ? Sans"
        " réponse, seuls des états lui sont transmis, jamais le fond.",
        papers=(DPIA, JOINT),
        instruments=(B, D, TRAINING),
    ),
    Question(
        asks="L'accord d'un seul représentant légal suffit-il, ou faut-il celui des deux"
        " (code civil, 372-2) ?",
        papers=(DPIA, NOTICE),
        instruments=(A,),
    ),
    Question(
        asks="Le partage repose-t-il sur la seule mission d'intérêt public, ou aussi sur le cadre"
        " « Parcours insertion emploi » (code de l'action sociale et des familles, L263-4-1) ?",
        papers=(RECORD, DPIA, NOTICE),
        instruments=(B, C),
    ),
    Question(
        asks="Les parties sont-elles responsables conjointes (RGPD 26) ou responsables distinctes ?"
        " Il est proposé : distinctes, chacune chez elle.",
        papers=(RECORD, DPIA, JOINT),
    ),
    Question(
        asks="Qui exploite le serveur central qui achemine les lettres, et sous quel contrat de"
        " sous-traitance (RGPD 28) ? Il est proposé : chaque organisme exploite le sien, et un"
        " sous-traitant le point central, qui ne lit ni ne garde rien.",
        papers=(RECORD, DPIA, JOINT),
    ),
    Question(
        asks="À quelle adresse le délégué à la protection des données du CCAS est-il joint"
        " (C-6.4) ?",
        papers=(RECORD, NOTICE),
        instruments=(C,),
        kinds=(Kind.CCAS,),
    ),
    Question(
        asks="Combien de temps le Département garde-t-il ce qui lui est transmis de l'obligation"
        " de formation (R114-7) ? Le texte ne le dit pas.",
        papers=(RECORD, DPIA, NOTICE),
        instruments=(TRAINING,),
    ),
    Question(
        asks="Ce que la convention avait fait recevoir avant Relais a-t-il été détruit dans les"
        " deux mois de sa fin (C-6.5), et qui le certifie ?",
        papers=(RECORD,),
        instruments=(C,),
    ),
)
"""Every question that is open today."""


def questions(paper: str, kind: Kind, instruments: frozenset[str]) -> Iterator[Question]:
    """Those that bear on a register of an organisation under some instruments."""
    for one in QUESTIONS:
        here = not one.instruments or instruments & set(one.instruments)
        if paper in one.papers and here and (not one.kinds or kind in one.kinds):
            yield one
