"""What the text of convention B asks, one line each; what cites an id is where it is kept."""

from __future__ import annotations

from contracts.kernel.obligation import Nature, Obligation

_DEADLINE, _GATE, _MESSAGE = Nature.DEADLINE, Nature.GATE, Nature.MESSAGE
_INDICATOR, _ORGANISATIONAL, _RECORD = Nature.INDICATOR, Nature.ORGANISATIONAL, Nature.RECORD

_LINES: tuple[tuple[str, str, tuple[Nature, ...], str], ...] = (
    (
        "B-0.1",
        "parties",
        (_RECORD,),
        "Elle lie la Ville et la Mission Locale, chacune par une personne habilitée à signer.",
    ),
    (
        "B-0.2",
        "préambule",
        (_GATE,),
        "Le fonds d'aide, le logement et l'écoute que gère la Mission Locale restent chez elle.",
    ),
    (
        "B-0.3",
        "préambule",
        (_GATE,),
        "Chaque jeune est reçu également : rien ne dit son origine, et rien ne le note.",
    ),
    (
        "B-0.4",
        "préambule",
        (_INDICATOR,),
        "La Mission Locale partage ce qu'elle observe des publics, en nombres seulement.",
    ),
    (
        "B-1.1",
        "1",
        (_GATE,),
        "Tout sert la persévérance éducative ou l'insertion des jeunes, et rien d'autre.",
    ),
    ("B-1.2", "1", (_GATE,), "Elle concerne les jeunes de 16 à 25 ans que reçoivent les deux."),
    (
        "B-1.3",
        "1",
        (_ORGANISATIONAL,),
        "Les professionnels des deux structures apprennent à se connaître.",
    ),
    (
        "B-2.1",
        "2",
        (_GATE,),
        "La Ville signe la charte de la plateforme des décrocheurs (PSAD) avant tout échange.",
    ),
    (
        "B-2.2",
        "2",
        (_GATE,),
        "La PSAD s'adresse aux jeunes sans solution que tient l'obligation de formation.",
    ),
    ("B-2.3", "2", (_ORGANISATIONAL,), "Chacun présente à l'autre ses offres de service."),
    (
        "B-2.4",
        "2",
        (_MESSAGE,),
        "L'accueil et l'inscription à la Mission Locale s'adaptent aux plus vulnérables.",
    ),
    (
        "B-2.5",
        "2",
        (_ORGANISATIONAL,),
        "Les jeunes apprennent ce que proposent la Mission Locale et la Ville.",
    ),
    (
        "B-2.6",
        "2",
        (_DEADLINE, _INDICATOR),
        "Un événement commun au moins s'adresse chaque année aux jeunes.",
    ),
    (
        "B-2.7",
        "2",
        (_MESSAGE,),
        "Les deux cherchent ensemble à retrouver le jeune qui ne répond plus.",
    ),
    (
        "B-2.8",
        "2",
        (_ORGANISATIONAL,),
        "Rencontres et formations communes des professionnels sont prévues.",
    ),
    ("B-2.9", "2", (_MESSAGE,), "Des périodes d'immersion professionnelle sont proposées."),
    (
        "B-2.10",
        "2",
        (_MESSAGE,),
        "Un jeune est orienté vers l'offre de l'un ou de l'autre selon son projet.",
    ),
    ("B-2.11", "2", (_MESSAGE,), "La Ville et la Mission Locale accompagnent un jeune ensemble."),
    (
        "B-2.12",
        "2",
        (_RECORD,),
        "Les deux équipes adaptent entre elles la façon d'accompagner.",
    ),
    (
        "B-2.13",
        "2",
        (_GATE,),
        "Un référent est désigné de chaque côté avant que le suivi commence.",
    ),
    (
        "B-2.14",
        "2",
        (_MESSAGE, _DEADLINE),
        "Les deux référents se disent régulièrement où en est le parcours.",
    ),
    ("B-2.15", "2", (_GATE,), "Aucun argent ne change de mains."),
    (
        "B-3.1",
        "3",
        (_GATE,),
        "Chacun est tenu à la confidentialité ; seul circule le strict nécessaire.",
    ),
    (
        "B-4.1",
        "4",
        (_DEADLINE,),
        "La Ville et la Mission Locale se réunissent au moins deux fois par an.",
    ),
    (
        "B-4.2",
        "4",
        (_INDICATOR,),
        "Elles font le bilan des actions, des retours des équipes et de ce qu'il faut ajuster.",
    ),
    ("B-5.1", "5", (_GATE,), "Elle dure trois ans à compter de sa signature."),
    (
        "B-6.1",
        "6",
        (_DEADLINE,),
        "Chaque partie peut y mettre fin par lettre recommandée, avec six mois de préavis.",
    ),
    ("B-7.1", "7", (_RECORD,), "Un changement est un avenant, le même pour les deux parties."),
    (
        "B-8.1",
        "8",
        (_RECORD,),
        "Un différend se règle à l'amiable, sinon devant le tribunal administratif.",
    ),
    (
        "B-9.1",
        "signatures",
        (_RECORD,),
        "Elle est signée en deux exemplaires, et la preuve des deux signatures est conservée.",
    ),
)

OBLIGATIONS = tuple(
    Obligation(id=name, article=article, natures=natures, asks=asks)
    for name, article, natures, asks in _LINES
)
