"""What the text of convention D asks, one line each; what cites an id is where it is kept."""

from __future__ import annotations

from contracts.kernel.obligation import Nature, Obligation

_DEADLINE, _GATE, _MESSAGE = Nature.DEADLINE, Nature.GATE, Nature.MESSAGE
_INDICATOR, _ORGANISATIONAL, _RECORD = Nature.INDICATOR, Nature.ORGANISATIONAL, Nature.RECORD

_LINES: tuple[tuple[str, str, tuple[Nature, ...], str], ...] = (
    (
        "D-0.1",
        "parties",
        (_GATE,),
        "Elle lie deux associations nationales : seule, elle n'ouvre rien entre organismes locaux.",
    ),
    (
        "D-0.2",
        "préambule",
        (_GATE,),
        "Elle vise les jeunes que suit le Département dès seize ans, sans dire à quel titre.",
    ),
    (
        "D-0.3",
        "préambule",
        (_INDICATOR,),
        "Elle s'adresse d'abord aux jeunes majeurs, que le texte dénombre au niveau national.",
    ),
    (
        "D-0.4",
        "préambule",
        (_GATE,),
        "La Mission Locale accueille de 16 à 25 ans ; au-delà, elle seule en juge avec le jeune.",
    ),
    (
        "D-0.5",
        "objectifs",
        (_ORGANISATIONAL,),
        "Départements et Missions Locales partagent des ambitions et joignent leurs compétences.",
    ),
    (
        "D-1.1",
        "1",
        (_RECORD,),
        "Les jeunes suivis par le Département sont un public prioritaire de la coopération.",
    ),
    (
        "D-1.2",
        "1",
        (_MESSAGE,),
        "Dès seize ans, un premier contact avec un conseiller est rendu possible.",
    ),
    (
        "D-1.3",
        "1",
        (_MESSAGE,),
        "Une inscription à la Mission Locale est proposée au jeune.",
    ),
    (
        "D-1.4",
        "1",
        (_RECORD,),
        "Intervenir ensemble ou passer le relais se décide en confiance avec le jeune.",
    ),
    (
        "D-1.5",
        "1",
        (_MESSAGE,),
        "Un conseiller peut faire un diagnostic d'orientation lors du bilan de parcours.",
    ),
    (
        "D-1.6",
        "1",
        (_MESSAGE, _DEADLINE),
        "Un conseiller prend part, s'il y a lieu, à l'entretien des 17 ans du Département.",
    ),
    (
        "D-1.7",
        "1",
        (_MESSAGE,),
        "Le projet d'accès à l'autonomie se construit avec le conseiller si cela sert le jeune.",
    ),
    (
        "D-1.8",
        "1",
        (_RECORD,),
        "L'éligibilité du jeune aux dispositifs ouverts à tous est vérifiée.",
    ),
    (
        "D-1.9",
        "1",
        (_MESSAGE, _INDICATOR),
        "Le contrat d'engagement jeune est proposé à chacun.",
    ),
    (
        "D-1.10",
        "1",
        (_ORGANISATIONAL,),
        "Les jeunes de 18 à 21 ans connaissent l'offre de la Mission Locale.",
    ),
    (
        "D-1.11",
        "1",
        (_RECORD,),
        "Les jeunes majeurs sont informés de leurs droits.",
    ),
    (
        "D-1.12",
        "1",
        (_DEADLINE,),
        "Le Département reste attentif aux jeunes qu'il ne suit plus.",
    ),
    (
        "D-1.13",
        "1",
        (_ORGANISATIONAL,),
        "L'accompagnement global et tous les partenaires concourent au parcours du jeune.",
    ),
    (
        "D-2.1",
        "2",
        (_GATE,),
        "Les plus fragiles accèdent tôt à un parcours, sans qu'aucun critère de fragilité circule.",
    ),
    (
        "D-2.2",
        "2",
        (_ORGANISATIONAL,),
        "La coopération évite aux jeunes d'avoir à demander un revenu minimum.",
    ),
    (
        "D-2.3",
        "2",
        (_MESSAGE,),
        "Le rôle de chacun dans l'obligation de formation est revu, avec des outils de liaison.",
    ),
    (
        "D-2.4",
        "note 3",
        (_MESSAGE, _DEADLINE),
        "La Mission Locale signale au Département le manquement à l'obligation de formation.",
    ),
    (
        "D-3.1",
        "3",
        (_ORGANISATIONAL,),
        "Chacun fait connaître son offre à son réseau et en facilite l'usage.",
    ),
    (
        "D-3.2",
        "3",
        (_ORGANISATIONAL,),
        "Chacun s'appuie sur ce que l'autre sait des jeunes, des employeurs et des formations.",
    ),
    (
        "D-4.1",
        "4",
        (_ORGANISATIONAL,),
        "Les élus départementaux prennent part à la gouvernance et aux politiques d'insertion.",
    ),
    (
        "D-4.2",
        "4",
        (_ORGANISATIONAL,),
        "Les Missions Locales participent aux diagnostics de territoire et aux instances locales.",
    ),
    (
        "D-4.3",
        "4",
        (_INDICATOR,),
        "Les parcours sont observés pour savoir ce qui aide, sans désigner personne.",
    ),
    (
        "D-5.1",
        "5",
        (_GATE,),
        "Chaque Département et chaque Mission Locale décline la convention localement.",
    ),
    (
        "D-5.2",
        "5",
        (_ORGANISATIONAL,),
        "Chaque réseau invite l'autre à ses instances et à ses rencontres.",
    ),
    (
        "D-5.3",
        "5",
        (_DEADLINE,),
        "Les avancées sont suivies régulièrement et rapportées aux élus.",
    ),
    (
        "D-5.4",
        "5",
        (_INDICATOR,),
        "Un rapport par territoire dit ce que produit l'action commune.",
    ),
    (
        "D-5.5",
        "5",
        (_DEADLINE, _INDICATOR),
        "Un bilan d'étape est partagé aux rencontres annuelles.",
    ),
    (
        "D-5.6",
        "5",
        (_ORGANISATIONAL,),
        "Les bonnes pratiques sont réunies dans un outil commun.",
    ),
    (
        "D-5.7a",
        "5",
        (_INDICATOR,),
        "Au 31 décembre : les jeunes pour qui le Département a sollicité la Mission Locale.",
    ),
    (
        "D-5.7b",
        "5",
        (_INDICATOR,),
        "Au 31 décembre : les entretiens des 17 ans tenus en binôme.",
    ),
    (
        "D-5.7c",
        "5",
        (_INDICATOR,),
        "Au 31 décembre : les jeunes qui ont eu un diagnostic d'orientation.",
    ),
    (
        "D-5.7d",
        "5",
        (_INDICATOR,),
        "Au 31 décembre : les jeunes inscrits à la Mission Locale.",
    ),
    (
        "D-5.7e",
        "5",
        (_INDICATOR,),
        "Au 31 décembre : les projets d'accès à l'autonomie faits ensemble.",
    ),
    (
        "D-5.7f",
        "5",
        (_INDICATOR,),
        "Au 31 décembre : les jeunes entrés en contrat d'engagement jeune.",
    ),
    (
        "D-6.1",
        "6",
        (_ORGANISATIONAL,),
        "Chacun fait connaître la coopération par ses propres moyens.",
    ),
    (
        "D-7.1",
        "7",
        (_GATE,),
        "Elle dure trois ans à compter du 8 octobre 2024 ; un avenant seul la modifie.",
    ),
    (
        "D-7.2",
        "7",
        (_DEADLINE,),
        "Chaque partie peut y mettre fin, deux mois après l'envoi d'une lettre recommandée.",
    ),
    (
        "D-8.1",
        "8",
        (_GATE,),
        "Tout traitement de données respecte le droit de la protection des données.",
    ),
    (
        "D-9.1",
        "signatures",
        (_RECORD,),
        "Elle est signée en deux originaux, et la preuve des signatures est conservée.",
    ),
)

OBLIGATIONS = tuple(
    Obligation(id=name, article=article, natures=natures, asks=asks)
    for name, article, natures, asks in _LINES
)
