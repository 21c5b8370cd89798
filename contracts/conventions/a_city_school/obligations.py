"""What the text of convention A asks, one line each; what cites an id is where it is kept."""

from __future__ import annotations

from contracts.kernel.obligation import Nature, Obligation

_DEADLINE, _GATE, _MESSAGE = Nature.DEADLINE, Nature.GATE, Nature.MESSAGE
_INDICATOR, _ORGANISATIONAL, _RECORD = Nature.INDICATOR, Nature.ORGANISATIONAL, Nature.RECORD

_LINES: tuple[tuple[str, str, tuple[Nature, ...], str], ...] = (
    (
        "A-0.1",
        "parties",
        (_RECORD,),
        "Elle lie la Ville et un seul établissement, chacun par une personne habilitée à signer.",
    ),
    (
        "A-0.2",
        "préambule",
        (_GATE,),
        "Les équipes de l'établissement repèrent les premiers signes : lui seul ouvre un repérage.",
    ),
    (
        "A-0.3",
        "préambule",
        (_GATE,),
        "Le maire est informé de l'assiduité par la loi, à part de tout accompagnement sur accord.",
    ),
    (
        "A-1.1",
        "1",
        (_GATE,),
        "Tout sert la persévérance éducative et la prévention du décrochage, et rien d'autre.",
    ),
    ("A-1.2", "1", (_GATE,), "Le jeune fréquente l'établissement qui envoie le message."),
    (
        "A-1.3",
        "1",
        (_GATE,),
        "Un dossier est de deux sortes : l'accompagnement partagé, ou l'alternative à l'exclusion.",
    ),
    ("A-2.1", "2", (_RECORD,), "La Ville et l'établissement construisent le parcours ensemble."),
    (
        "A-2.2",
        "2",
        (_MESSAGE,),
        "L'établissement convoque la cellule de veille et y invite le service Jeunesse.",
    ),
    ("A-2.3", "2", (_GATE,), "La cellule de veille examine ce que l'établissement lui présente."),
    (
        "A-2.4",
        "2",
        (_RECORD,),
        "La cellule de veille fixe le parcours, ses objectifs et sa stratégie.",
    ),
    ("A-2.5", "2", (_GATE,), "Un parcours a un référent, et un seul à la fois."),
    (
        "A-2.6",
        "2",
        (_GATE,),
        "Le référent suit le jeune et ne fait appel à d'autres organismes que si c'est nécessaire.",
    ),
    ("A-2.7", "2", (_MESSAGE,), "Le référent dit à l'établissement comment avance le parcours."),
    (
        "A-2.8",
        "2",
        (_MESSAGE,),
        "L'établissement signale au référent tout fait nouveau qui compte.",
    ),
    (
        "A-2.9",
        "2",
        (_MESSAGE,),
        "La Ville peut réunir la famille, l'établissement et des partenaires extérieurs.",
    ),
    (
        "A-2.10",
        "2",
        (_GATE,),
        "L'établissement informe les représentants légaux de ce qui est engagé pour leur enfant.",
    ),
    (
        "A-2.11",
        "2",
        (_GATE,),
        "Les représentants légaux acceptent l'accompagnement avant que rien ne nomme l'enfant.",
    ),
    (
        "A-2.12",
        "2",
        (_MESSAGE,),
        "Une fois leur accord donné, les représentants légaux prennent part à chaque étape.",
    ),
    ("A-3.1", "3", (_GATE,), "Une exclusion temporaire dure huit jours au plus."),
    (
        "A-3.2",
        "3",
        (_RECORD,),
        "L'alternative se conçoit avec une association de prévention, qui n'est pas partie.",
    ),
    ("A-3.3", "3", (_GATE,), "L'alternative répond par l'éducation : une finalité à part."),
    (
        "A-3.4",
        "3",
        (_RECORD,),
        "Le travail porte sur l'autorité, sur soi et sur les pairs ; aucune appréciation ne sort.",
    ),
    ("A-3.5", "3", (_GATE,), "Un contrat d'engagement précède chaque mesure."),
    (
        "A-3.6",
        "3",
        (_GATE,),
        "Chef d'établissement, service Jeunesse, élève et représentant légal signent ce contrat.",
    ),
    (
        "A-3.7",
        "3",
        (_DEADLINE,),
        "Le premier jour, le service Jeunesse reçoit l'élève et son représentant légal.",
    ),
    ("A-3.8", "3", (_RECORD,), "L'élève réfléchit à sa conduite ; ce travail reste à la Ville."),
    (
        "A-3.9",
        "3",
        (_RECORD,),
        "L'élève accomplit une mission d'intérêt général dans un service ou une association.",
    ),
    ("A-3.10", "3", (_GATE,), "Un tuteur est désigné avant que la mission commence."),
    ("A-3.11", "3", (_RECORD,), "L'élève reçoit un livret d'accueil, qui reste le sien."),
    ("A-3.12", "3", (_RECORD,), "L'élève présente son livret à son retour dans l'établissement."),
    (
        "A-3.13",
        "3",
        (_MESSAGE,),
        "Chef d'établissement et service Jeunesse se tiennent informés de la mesure.",
    ),
    (
        "A-3.14",
        "3",
        (_MESSAGE,),
        "Le chef d'établissement peut mettre fin à la mesure : hygiène, sécurité ou moralité.",
    ),
    (
        "A-3.15",
        "3",
        (_MESSAGE, _DEADLINE),
        "Le service Jeunesse signale sans délai un manquement, un incident ou une absence.",
    ),
    (
        "A-3.16",
        "3",
        (_MESSAGE, _DEADLINE),
        "Le service Jeunesse signale sans délai un accident, sans rien dire de la santé.",
    ),
    (
        "A-4.1",
        "4",
        (_GATE,),
        "La Ville n'associe un autre organisme qu'avec l'accord préalable de la famille.",
    ),
    ("A-4.2", "4", (_RECORD,), "La Ville suit et accompagne le jeune."),
    (
        "A-4.3",
        "4",
        (_MESSAGE,),
        "L'établissement envoie les fiches de repérage au service Jeunesse.",
    ),
    (
        "A-4.4",
        "4",
        (_GATE,),
        "L'établissement prévient la famille et reçoit son accord avant d'envoyer la fiche.",
    ),
    (
        "A-4.5",
        "4",
        (_ORGANISATIONAL,),
        "L'établissement fait connaître le dispositif à ses propres équipes.",
    ),
    ("A-4.6", "4", (_GATE,), "Aucun argent ne change de mains."),
    (
        "A-5.1",
        "5",
        (_GATE,),
        "Seul circule le strict nécessaire à la compréhension d'une situation.",
    ),
    (
        "A-5.2",
        "5",
        (_GATE,),
        "Chaque personne qui intervient est tenue par une charte de confidentialité.",
    ),
    (
        "A-6.1",
        "6",
        (_GATE,),
        "L'accompagnement vient du service Jeunesse, de l'éducateur de l'association, ou des deux.",
    ),
    (
        "A-6.2",
        "6",
        (_GATE,),
        "La Ville coordonne la mission ; la structure d'accueil a une convention avec elle.",
    ),
    (
        "A-7.1",
        "7",
        (_RECORD,),
        "L'établissement répond du temps scolaire, la Ville du temps qui l'entoure.",
    ),
    ("A-7.2", "7", (_RECORD,), "Pendant l'alternative, l'établissement seul reste responsable."),
    ("A-7.3", "7", (_RECORD,), "La Ville et l'établissement sont tous deux assurés."),
    (
        "A-8.1",
        "8",
        (_DEADLINE, _INDICATOR),
        "La Ville et l'établissement se réunissent au moins une fois par an et évaluent.",
    ),
    ("A-9.1", "9", (_GATE,), "Elle dure trois ans à compter de sa signature."),
    (
        "A-10.1",
        "10",
        (_DEADLINE,),
        "Chaque partie peut y mettre fin par lettre recommandée, avec six mois de préavis.",
    ),
    ("A-11.1", "11", (_RECORD,), "Un changement est un avenant, le même pour les deux parties."),
    (
        "A-12.1",
        "12",
        (_RECORD,),
        "Un différend se règle à l'amiable, sinon devant le tribunal administratif.",
    ),
    (
        "A-13.1",
        "signatures",
        (_RECORD,),
        "Elle est signée en deux exemplaires, et la preuve des deux signatures est conservée.",
    ),
)

OBLIGATIONS = tuple(
    Obligation(id=name, article=article, natures=natures, asks=asks)
    for name, article, natures, asks in _LINES
)
