"""What convention D asks of a message: kinds of check with their article and their refusal.

The national frame binds two associations and opens nothing here: each node must have recorded the
local implementation (D-5.1) and the impact assessment (D-8.1), and its own gate asks for both.
Facts under these names come from the nodes (`Recorded`) or from the content itself (`Limit`).
"""

from __future__ import annotations

from contracts.kernel.checks import (
    Age,
    Agreement,
    Check,
    Giver,
    Limit,
    NoticeGiven,
    Recorded,
    Side,
)

LOCAL = Recorded(
    article="D-5.1",
    name="local_implementation",
    sentence="La déclinaison locale n'est pas enregistrée ici : la convention nationale n'ouvre "
    "rien sans elle. Demandez à votre direction d'en enregistrer la référence.",
)

DPIA = Recorded(
    article="D-8.1",
    name="dpia",
    sentence="La référence de l'analyse d'impact n'est pas enregistrée ici : demandez au délégué à "
    "la protection des données de l'enregistrer.",
)

CHARTER = Recorded(
    article="D-8.1",
    name="charter",
    side=Side.SENDER,
    sentence="Vous n'avez pas accepté la charte de confidentialité en vigueur : acceptez-la avant "
    "d'envoyer.",
)

FOLLOWED = Recorded(
    article="D-0.2",
    name="enrolled",
    side=Side.SENDER,
    sentence="Le registre du Département ne tient pas, ou plus, ce jeune : inscrivez-le s'il est "
    "suivi ; sinon aucun dossier ne s'ouvre.",
)
"""No new case for whoever left: what remains due then is a reminder at the department (D-1.12)."""

FROM_16 = Age(
    article="D-0.2",
    at_least=16,
    sentence="Le jeune n'a pas seize ans, ou son âge n'est pas connu : attendez ses seize ans.",
)

BELOW_26 = Age(
    article="D-0.4",
    below=26,
    sentence="Le jeune a vingt-six ans ou plus, ou son âge n'est pas connu : orientez-le vers la "
    "Mission Locale, qui voit avec lui ce qu'elle peut.",
)
"""The Mission Locale may go on to 29; what for is its own question and no field here (D-0.4)."""

HOLDER_INFORMED = Recorded(
    article="D-1.2",
    name="holder_informed",
    side=Side.SENDER,
    sentence="Le titulaire de l'autorité parentale n'est pas informé : informez-le et "
    "enregistrez-le avant le premier contact.",
)
"""Of an adult the node records it as of majority: there is nobody left to inform."""

INFORMED = NoticeGiven(
    article="RGPD 13",
    sentence="Le jeune n'a pas été informé de cet échange et de ses droits : informez-le et "
    "enregistrez-le avant d'envoyer.",
)
"""What the young person is told holds the rights that the text wants known too (D-1.11)."""

AGREED = Agreement(
    article="D-1.4",
    recipient_article="D-1.4",
    sentence="L'accord du jeune n'est pas enregistré : demandez-le-lui ; rien ne part sans lui.",
    minor=Giver.YOUNG_PERSON,
    adult=Giver.YOUNG_PERSON,
)
"""The young person's own, before majority as after: the trust is between him and the two."""

PRESENCE_AGREED = Agreement(
    article="D-1.6",
    recipient_article="D-1.6",
    sentence="Le jeune n'a pas accepté qu'un conseiller assiste à l'entretien : demandez-le-lui ; "
    "l'entretien se tient aussi sans conseiller.",
    minor=Giver.YOUNG_PERSON,
    adult=Giver.YOUNG_PERSON,
)

OPEN_CASE = Recorded(
    article="D-1.2",
    name="open_case",
    sentence="Aucun dossier n'est ouvert pour ce jeune : le Département commence par demander un "
    "premier contact.",
)

BY_REFERENT = Recorded(
    article="D-1.4",
    name="by_referent",
    side=Side.SENDER,
    sentence="Ce dossier est suivi par un autre référent, qui seul y écrit : adressez-vous à lui, "
    "ou demandez à votre direction d'en nommer un autre.",
)
"""Of a case that nobody known here follows yet, whoever works on it writes."""

ENROLMENT_PROPOSED = Recorded(
    article="D-1.3",
    name="enrolment_proposed",
    sentence="Aucune inscription n'a été proposée dans ce dossier : le Département la propose "
    "d'abord.",
)

DIAGNOSIS_REQUESTED = Recorded(
    article="D-1.5",
    name="diagnosis_requested",
    sentence="Aucun diagnostic n'a été demandé dans ce dossier : le Département le demande "
    "d'abord.",
)

BELOW_18 = Age(
    article="D-1.6",
    below=18,
    sentence="L'entretien précède la majorité : le jeune est majeur, ou son âge n'est pas connu.",
)

INVITED = Recorded(
    article="D-1.6",
    name="interview_invited",
    sentence="Aucun conseiller n'a été invité dans ce dossier : il n'y a rien à annoncer à la "
    "Mission Locale.",
)

CONTRACT_PROPOSED = Recorded(
    article="D-1.9",
    name="youth_contract_proposed",
    sentence="Le contrat d'engagement jeune n'a pas été proposé dans ce dossier : proposez-le "
    "d'abord.",
)

NOT_AGAINST = Limit(
    article="D-1.4",
    name="against",
    at_most=0,
    sentence="Le jeune s'y oppose : reprenez la question avec lui, rien ne se décide contre lui.",
)

YEAR_END = Limit(
    article="D-5.7a",
    name="off_year_end",
    at_most=0,
    sentence="Les indicateurs se comptent au 31 décembre : corrigez la date.",
)

NO_SMALL_CELL = Limit(
    article="D-4.3",
    name="small_cells",
    at_most=0,
    sentence="Un nombre trop petit désignerait des jeunes : masquez-le.",
)

TOLD = NoticeGiven(
    article="RGPD 13",
    sentence="Le jeune et son représentant légal n'ont pas été informés de cette transmission : "
    "informez-les et enregistrez-le avant d'envoyer.",
)

OBLIGED = Age(
    article="L114-1",
    at_least=16,
    below=18,
    sentence="L'obligation de formation vaut à seize et dix-sept ans : ce jeune n'y est pas "
    "soumis, ou son âge n'est pas connu.",
)

FOUND_IN_TIME = Limit(
    article="R114-7",
    name="days_outside",
    at_most=0,
    sentence="Le constat sort des deux mois qui suivent la convocation : convoquez de nouveau.",
)

SENT_IN_TIME = Limit(
    article="D-2.4",
    name="sent_outside",
    at_most=0,
    side=Side.SENDER,
    sentence="L'envoi sort des deux mois qui suivent la convocation : convoquez de nouveau.",
)
"""Of the sender's day alone: a department whose node was down still receives what left on time."""

DESIGNATED = Recorded(
    article="R114-7",
    name="designated",
    side=Side.RECEIVER,
    sentence="Aucun agent n'est désigné au Département pour recevoir cette transmission.",
)

FRAME: tuple[Check, ...] = (LOCAL, DPIA, CHARTER)
"""Asked of every flow of the convention, whoever it names or not."""

PERSON: tuple[Check, ...] = (*FRAME, FROM_16, BELOW_26, INFORMED)
WITHIN: tuple[Check, ...] = (*PERSON, OPEN_CASE, BY_REFERENT)
BEFORE_MAJORITY: tuple[Check, ...] = (*FRAME, FROM_16, BELOW_18, INFORMED, OPEN_CASE, BY_REFERENT)
