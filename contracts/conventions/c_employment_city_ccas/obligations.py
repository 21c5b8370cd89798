"""What the text of convention C asks, one line each; what cites an id is where it is kept."""

from __future__ import annotations

from typing import Final

from contracts.kernel.obligation import Nature, Obligation

_DEADLINE, _GATE, _MESSAGE = (Nature.DEADLINE,), (Nature.GATE,), (Nature.MESSAGE,)
_INDICATOR, _RECORD = (Nature.INDICATOR,), (Nature.RECORD,)
_ORGANISATIONAL = (Nature.ORGANISATIONAL,)

_BY_ARTICLE: Final[dict[str, tuple[tuple[str, tuple[Nature, ...], str], ...]]] = {
    "parties": (
        (
            "C-0.1",
            _RECORD,
            "Elle lie France Travail, la Ville et le CCAS, trois personnes morales distinctes.",
        ),
    ),
    "préambule": (
        (
            "C-0.2",
            _RECORD,
            "Quatre agences y prennent part : Saint-Sever, Luciline, Aubette, Beauvoisine.",
        ),
        (
            "C-0.3",
            _ORGANISATIONAL,
            "Le partenariat poursuit quatre objectifs, que l'évaluation reprend.",
        ),
    ),
    "1": (
        (
            "C-1.1",
            _GATE,
            "Trois axes, trois finalités : ce qui est dit pour l'une ne sert pas aux autres.",
        ),
    ),
    "2": (
        (
            "C-2.1",
            _GATE,
            "Il s'agit des demandeurs d'emploi de Rouen, d'abord ceux des quartiers prioritaires.",
        ),
        ("C-2.2", _INDICATOR, "Un état chiffré de la demande d'emploi est joint à la convention."),
    ),
    "3-1": (
        (
            "C-3.1",
            _GATE,
            "Pour le recrutement, une seule agence est l'interlocutrice : Beauvoisine.",
        ),
        ("C-3.2", _GATE, "Ville et CCAS recrutent par une même direction des ressources humaines."),
    ),
    "3-1a": (
        (
            "C-3a.1",
            _RECORD,
            "Un entretien de diagnostic et de conseil précède tout parcours emploi compétences.",
        ),
        (
            "C-3a.2",
            _RECORD,
            "Un parcours réunit un emploi, de la formation et de l'accompagnement.",
        ),
        ("C-3a.3", _GATE, "L'éligibilité vient du diagnostic du conseiller, non d'une catégorie."),
        ("C-3a.4", _RECORD, "Les engagements de l'employeur sont écrits et réellement suivis."),
        (
            "C-3a.5",
            _RECORD,
            "Les conseillers accompagnent pendant tout le parcours, jusqu'à la sortie.",
        ),
        (
            "C-3a.6",
            _GATE,
            "Le tuteur, salarié volontaire, qualifié, aguerri, hors CUI, en suit trois au plus.",
        ),
        ("C-3a.7", _INDICATOR, "Le nombre de parcours se juge au regard de l'effectif total."),
        (
            "C-3a.8",
            _RECORD,
            "L'employeur facilite l'accès à une formation qualifiante ou qui y prépare.",
        ),
        ("C-3a.9", _DEADLINE, "Les suites du parcours sont fixées avant la sortie du contrat."),
        ("C-3a.10", _RECORD, "La Ville se déclare en mesure de pérenniser des postes."),
        (
            "C-3a.11",
            _MESSAGE,
            "La Ville communique toutes ses offres en parcours emploi compétences.",
        ),
        (
            "C-3a.12",
            _MESSAGE,
            "La Ville reçoit les candidatures qui lui sont proposées et y donne suite.",
        ),
        ("C-3a.13", _MESSAGE, "France Travail propose des candidatures pour ces offres."),
        ("C-3a.14", _RECORD, "Un conseiller entreprise est nommé, et un second pour ses absences."),
        (
            "C-3a.15",
            _GATE,
            "Le conseiller référent juge sur un diagnostic partagé, qui reste à l'agence.",
        ),
        (
            "C-3a.16",
            _GATE,
            "Le conseiller référent expose d'abord à la personne l'intérêt et les engagements.",
        ),
        (
            "C-3a.17",
            _RECORD,
            "Le conseiller référent suit le contrat avec le tuteur et propose des actions.",
        ),
        (
            "C-3a.18",
            _RECORD,
            "Les compétences visées se définissent à trois, dans le référentiel de l'agence.",
        ),
        (
            "C-3a.19",
            _RECORD,
            "L'employeur propose des actions de formation et d'accompagnement, de deux listes.",
        ),
        ("C-3a.20", _GATE, "Un entretien à trois s'achève par la signature de la demande d'aide."),
        (
            "C-3a.21",
            _MESSAGE,
            "Un livret de suivi dématérialisé est commun au conseiller et au tuteur.",
        ),
        (
            "C-3a.22",
            _GATE,
            "Salarié et tuteur le remplissent chacun sans voir ce que l'autre a répondu.",
        ),
        (
            "C-3a.23",
            _DEADLINE,
            "Il se remplit au premier mois, à la moitié et aux trois quarts du contrat.",
        ),
        ("C-3a.24", _RECORD, "Il peut conduire à un entretien, à deux ou à plusieurs."),
        (
            "C-3a.25",
            _RECORD,
            "Le conseiller vérifie les engagements, mesure l'évolution, fait médiation au besoin.",
        ),
        (
            "C-3a.26",
            _MESSAGE + _DEADLINE,
            "Sans perspective au dernier livret, l'agence réunit un entretien avant la sortie.",
        ),
        (
            "C-3a.27",
            _RECORD,
            "Il a quatre sujets : compétences, renouvellement, recherche, promotion du profil.",
        ),
        (
            "C-3a.28",
            _MESSAGE + _DEADLINE,
            "L'employeur remet une attestation d'expérience à la demande, ou un mois avant la fin.",
        ),
    ),
    "3-1b": (
        ("C-3b.1", _GATE, "Une immersion a un objet, et un seul, parmi trois."),
        ("C-3b.2", _GATE, "Découvrir ou confirmer vaut pour qui s'interroge ou change de métier."),
        (
            "C-3b.3",
            _GATE,
            "Initier un recrutement se rattache à une offre ou à la promotion d'un profil.",
        ),
        ("C-3b.4", _GATE, "Une immersion ne porte que sur un métier exercé à la Ville."),
    ),
    "3-1c": (
        (
            "C-3c.1",
            _INDICATOR,
            "France Travail mène quatre actions collectives par mois, dont une pour les jeunes.",
        ),
        (
            "C-3c.2",
            _ORGANISATIONAL,
            "Une ou plusieurs de ces actions se font en commun, sans liste de noms.",
        ),
    ),
    "3-2a": (
        (
            "C-3d.1",
            _RECORD,
            "Ville et France Travail tiennent un processus commun pour les clauses sociales.",
        ),
        (
            "C-3d.2",
            _MESSAGE,
            "Les opportunités des chantiers sont transmises au référent des clauses de la Ville.",
        ),
        (
            "C-3d.3",
            _RECORD,
            "Chaque agence des quartiers prioritaires désigne un référent des clauses.",
        ),
        (
            "C-3d.4",
            _MESSAGE,
            "L'agent référent dit si une candidature relève de l'insertion, sans dire pourquoi.",
        ),
        (
            "C-3d.5",
            _ORGANISATIONAL,
            "Les référents restent en lien régulier et peuvent monter des actions par chantier.",
        ),
    ),
    "3-2b": (
        (
            "C-3e.1",
            _GATE,
            "Pour le territoire zéro chômeur, une seule agence est l'interlocutrice : Saint-Sever.",
        ),
        (
            "C-3e.2",
            _RECORD,
            "La direction de cette agence nomme un interlocuteur, qui peut siéger au comité local.",
        ),
        ("C-3e.3", _INDICATOR, "France Travail aide au recensement statistique du public visé."),
        (
            "C-3e.4",
            _MESSAGE,
            "France Travail diffuse l'information aux personnes visées, sans donner leur liste.",
        ),
        (
            "C-3e.5",
            _MESSAGE,
            "Les compétences et besoins des volontaires s'identifient à leur propre initiative.",
        ),
        (
            "C-3e.6",
            _RECORD,
            "L'accompagnement des volontaires se poursuit sans rupture à l'agence.",
        ),
    ),
    "3-2c": (
        (
            "C-3f.1",
            _RECORD,
            "Trois unités de travail social du CCAS répondent à trois agences du même territoire.",
        ),
        (
            "C-3f.2",
            _ORGANISATIONAL,
            "Les équipes se rencontrent et échangent sur leurs offres de service.",
        ),
        ("C-3f.3", _RECORD, "Chaque antenne désigne des référents, mis en relation."),
        (
            "C-3f.4",
            _ORGANISATIONAL,
            "France Travail forme les équipes du CCAS à la plateforme de l'inclusion.",
        ),
        ("C-3f.5", _RECORD, "Un agent référent suit le collectif des Hauts de Rouen."),
        (
            "C-3f.6",
            _RECORD,
            "L'espace France Services dispose d'un référent et d'un mode de contact.",
        ),
    ),
    "4": (
        (
            "C-4.1",
            _GATE,
            "Égalité, non-discrimination, confidentialité et vie privée sont garanties.",
        ),
        (
            "C-4.2",
            _GATE,
            "France Travail informe d'abord la personne de ce que le partenaire pourra lire.",
        ),
    ),
    "5": (
        ("C-5.1", _GATE, "Le partenaire ne constitue aucun fichier de demandeurs d'emploi."),
        ("C-5.2", _GATE, "Aucune information nominative ne va à un tiers."),
        ("C-5.3", _GATE, "Ce que France Travail transmet ne sert qu'à la coopération prévue."),
        (
            "C-5.4",
            _ORGANISATIONAL + _MESSAGE,
            "Les parties s'informent avant toute communication au-dehors.",
        ),
        ("C-5.5", _RECORD, "Chaque partie fait connaître la convention à ses propres agents."),
    ),
    "6": (
        (
            "C-6.1",
            _GATE,
            "Les données des agents ne servent qu'à l'exécution et au suivi de la convention.",
        ),
        (
            "C-6.2",
            _GATE,
            "Chaque partie informe les personnes de la transmission et de leurs droits.",
        ),
        (
            "C-6.3",
            _RECORD,
            "À France Travail, les droits s'exercent auprès de son délégué aux données.",
        ),
        ("C-6.4", _RECORD, "À la Ville aussi ; pour le CCAS, aucune adresse n'est donnée."),
        (
            "C-6.5",
            _DEADLINE,
            "Les données sont détruites dès qu'inutiles, au plus tard deux mois après l'échéance.",
        ),
    ),
    "7": (
        ("C-7.1", _DEADLINE, "Une réunion d'évaluation a lieu une fois par an."),
        ("C-7.2", _DEADLINE, "Un bilan écrit, chiffré et commenté, clôt la convention."),
        (
            "C-7.3",
            _INDICATOR,
            "L'évaluation porte sur les moyens, les résultats et la contribution de chacun.",
        ),
        (
            "C-7.4",
            _RECORD,
            "Les engagements s'actualisent à la demande, et en tout cas à la réunion annuelle.",
        ),
    ),
    "8": (
        ("C-8.1", _GATE, "Elle court de sa signature au 31 décembre 2025."),
        ("C-8.2", _GATE, "Elle se renouvelle par avenant, au vu d'un bilan et non sans lui."),
        ("C-8.3", _DEADLINE, "Elle se résilie trois mois avant l'échéance annuelle."),
    ),
    "signatures": (
        (
            "C-9.1",
            _RECORD,
            "Elle est signée en trois exemplaires ; la preuve des trois signatures est gardée.",
        ),
    ),
}

OBLIGATIONS = tuple(
    Obligation(id=name, article=article, natures=natures, asks=asks)
    for article, lines in _BY_ARTICLE.items()
    for name, natures, asks in lines
)
