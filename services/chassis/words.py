"""French words for the codes that spans, journals, pages and problems carry.

Codes are for machines and stay as they are in JSON; people read these. A code without a word is
shown as it is, since an unknown word is better than none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Final

from contracts import registry as conventions
from contracts.export import blocks, instruments, said
from contracts.gate import instrument_checks
from contracts.kernel.checks import Agreement, Check, Purpose, Recorded
from contracts.kernel.control import CONTROL_TYPES
from contracts.kernel.instrument import Instrument, Retention
from contracts.kernel.organisation import Kind
from contracts.registry import Registry

STEPS: Final = {
    "agreement.withdraw": "retrait d'un accord",
    "case.erase": "demande d'effacement",
    "convention.act": "acte sur une convention",
    "letter.handle": "traitement à l'arrivée",
    "letter.publish": "dépôt chez le destinataire",
    "message.send": "demande d'envoi",
    "receipt.take": "accusé de réception",
    "unnamed": "étape sans nom",
}
"""Steps of a message's way."""

STATES: Final = {
    "": "en cours",
    "accepted": "accepté",
    "allowed": "autorisé",
    "deleted": "détruit",
    "delivered": "remis",
    "expired": "expiré",
    "failed": "en échec",
    "invalid": "contenu refusé",
    "kept": "conservé",
    "met": "atteinte",
    "missed": "dépassée",
    "not_open": "fermé",
    "other": "autre personne",
    "queued": "en attente",
    "read": "lu",
    "receipts": "accusés pris en compte",
    "received": "reçu",
    "recorded": "enregistré",
    "refused": "refusé",
    "repeated": "réponse répétée",
    "same": "même personne",
    "resumed": "repris",
    "stale": "annuaire à relire",
    "stopped": "arrêté",
    "suspended": "suspendu",
    "too_early": "trop tôt",
    "unknown": "inconnu",
    "unverified": "origine non prouvée",
    "withdrawn": "retiré",
}
"""States and outcomes of messages."""

EVENTS: Final = {
    "act.recorded": "acte enregistré",
    "agent.designated": "agent désigné",
    "agreement.expired": "accord échu",
    "agreement.heard": "jeune écouté sur l'accord",
    "agreement.recorded": "accord ou refus enregistré",
    "agreement.suspended": "accord suspendu par une opposition",
    "agreement.withdrawn": "accord retiré",
    "attention.given": "nouvelles prises d'un jeune qui n'est plus suivi",
    "attention.set": "délai d'attention réglé",
    "authorisation.ended": "habilitation finie",
    "authorisation.given": "habilitation donnée",
    "case.erased": "dossier effacé",
    "charter.accepted": "charte acceptée",
    "collective_action.held": "action collective tenue",
    "common_event.held": "événement commun tenu",
    "content.requested": "contenu redemandé",
    "content.shown": "contenu montré à nouveau",
    "content.viewed": "contenu vu, non conservé",
    "control.received": "message de contrôle reçu",
    "control.sent": "message de contrôle envoyé",
    "convention.purged": "destruction prouvée après la fin d'une convention",
    "convention.read": "convention lue par l'agent",
    "deadline.missed": "échéance dépassée",
    "deadline.struck": "échéance atteinte",
    "derogation.asked": "décision sans accord demandée",
    "derogation.confirmed": "décision sans accord confirmée",
    "derogation.justified": "envoi sans accord jugé fondé",
    "derogation.unjustified": "envoi sans accord jugé infondé",
    "derogation.told": "famille informée d'un envoi sans accord",
    "desk.agent_named": "agent désigné à un poste",
    "desk.agent_removed": "agent retiré d'un poste",
    "desk.closed": "agent déchargé",
    "desk.opened": "agent chargé",
    "dpia.recorded": "analyse d'impact enregistrée",
    "employer.interviewed": "entretien de l'employeur tenu",
    "final_report.recorded": "bilan écrit enregistré",
    "hold.placed": "conservation décidée pour un différend",
    "hold.released": "conservation levée",
    "holder.informed": "titulaire de l'autorité parentale informé",
    "host.registered": "structure d'accueil enregistrée",
    "insurance.recorded": "assurance enregistrée",
    "interview.recorded": "entretien des 17 ans enregistré",
    "key.rotated": "clé de signature remplacée",
    "local_implementation.recorded": "déclinaison locale enregistrée",
    "message.expired": "lettre expirée",
    "message.read": "message lu",
    "message.received": "arrivée",
    "message.refused": "envoi refusé",
    "message.sent": "envoi",
    "message.stopped": "lettre arrêtée",
    "notice.recorded": "information enregistrée",
    "objection.lifted": "opposition levée",
    "objection.upheld": "opposition admise",
    "person.compared": "ressemblance examinée",
    "person.rectified": "identité corrigée",
    "rights.copied": "copie des données remise",
    "person.code_given": "code remis pour la page d'une personne",
    "person.erased": "personne effacée",
    "person.left": "personne partie",
    "person.registered": "personne inscrite au registre",
    "person.visited": "page ouverte par une personne",
    "person.withdrew": "accord retiré par la personne, à sa page",
    "psad_charter.recorded": "signature de la charte PSAD enregistrée",
    "receipt": "accusé de réception",
    "report.published": "bilan d'une année arrêté",
    "representative.informed": "représentant légal informé",
    "resident.confirmed": "commune vérifiée",
    "rights.answered": "demande d'une personne répondue",
    "rights.asked": "droit exercé par une personne",
    "rights.checked": "identité de qui demande vérifiée",
    "rights.extended": "délai de réponse prolongé",
    "rights.sent": "demande transmise aux partenaires",
    "review.held": "réunion d'évaluation tenue",
    "seeker.recorded": "demandeur d'emploi renseigné",
    "session.began": "session ouverte",
    "session.ended": "session fermée",
    "staff.told": "agent informé de la transmission",
    "support.recorded": "suivi enregistré",
    "tutor.recorded": "tuteur enregistré",
    "volunteer.asked": "demande d'un volontaire enregistrée",
}
"""Events of a journal."""

CODES: Final = {
    "NoStreamResponseError": "aucune boîte ne lui est ouverte à cette adresse",
    "ambiguous": "plusieurs conventions possibles",
    "bool_type": "répondez par oui ou par non",
    "date_type": "n'est pas une date",
    "document_only": "demande une pièce d'identité",
    "email": "n'est pas une adresse électronique",
    "birth_date": "date de naissance impossible",
    "case": "dossier d'un autre échange",
    "conflict": "déjà enregistré",
    "expired": "lettre arrivée trop tard",
    "extra_forbidden": "ce champ n'existe pas dans ce message",
    "hidden_identifier:email": "contient une adresse électronique",
    "hidden_identifier:ine": "contient un identifiant national d'élève",
    "hidden_identifier:link": "contient un lien",
    "hidden_identifier:nir": "contient un numéro de sécurité sociale",
    "hidden_identifier:phone": "contient un numéro de téléphone",
    "greater_than_equal": "est trop petit",
    "idempotency_key_reused": "clé d'idempotence déjà servie",
    "instant": "n'est pas une date avec son heure",
    "int_type": "n'est pas un nombre entier",
    "invalid_payload": "contenu refusé",
    "invisible_character": "contient un caractère invisible",
    "less_than_equal": "est trop grand",
    "invalid_document": "document illisible",
    "kept_here": "contenu tenu dans son dossier",
    "key_destroyed": "clé détruite ici",
    "literal_error": "valeur hors de la liste",
    "missing": "ce champ manque",
    "person_name": "contient un chiffre ou une parenthèse",
    "phone": "n'est pas un numéro de téléphone",
    "siret": "n'est pas un SIRET",
    "string_pattern_mismatch": "n'a pas la forme attendue",
    "string_too_long": "est trop long",
    "string_too_short": "ce champ manque",
    "too_long": "en nomme trop",
    "too_short": "ce champ manque",
    "twice": "nomme deux fois la même chose",
    "no_common_suite": "aucun chiffrement commun",
    "no_common_version": "aucune version commune du message",
    "no_longer_shown": "ce contenu ne se revoit plus",
    "not_delivered": "boîte du destinataire injoignable",
    "not_identified": "jeton absent ou refusé",
    "not_permitted": "ce rôle ne le permet pas",
    "not_yet_shown": "l'émetteur n'a pas encore répondu",
    "overloaded": "trop de travail en attente",
    "permission_denied": "ses droits ne le permettent pas",
    "registrar_away": "registraire injoignable",
    "schema": "contenu d'une autre forme que celle du message",
    "seal_broken": "contenu altéré ici",
    "storage_unavailable": "base de données injoignable",
    "unavailable": "serveur indisponible",
    "undeliverable": "lettre trop longue",
    "unknown": "inconnu",
    "unknown_agreement": "accord inconnu",
    "unknown_case": "dossier inconnu",
    "unknown_encryption_key": "clé de chiffrement détruite ou inconnue",
    "unknown_key": "clé de signature inconnue",
    "unknown_person": "personne inconnue",
    "unknown_type": "type de message inconnu",
    "unverified": "la signature n'est pas celle de l'expéditeur annoncé",
}
"""Codes of errors and of faults in a content."""

_SERVICES: Final = {f"relais-{kind.value}": f"nœud ({kind.label})" for kind in Kind}
_RECEIPT: Final = ("delivery.receipt", "accusé de réception")
_RECORDED: Final = {
    "agency_referent": "référent des clauses désigné à l'agence",
    "awaited_step": "étape attendue",
    "awaiting": "réponse attendue",
    "awaiting_answer": "question qui attend sa réponse",
    "awaiting_outcome": "suite de la candidature attendue",
    "booklet_asked": "livret de suivi demandé",
    "by_counsellor": "écrit par le conseiller référent",
    "by_referent": "écrit par le référent actuel",
    "charter": "charte acceptée",
    "city_referent": "référent des clauses de la Ville",
    "cosupport": "co-accompagnement ouvert",
    "designated": "agent désigné pour recevoir",
    "diagnosis_requested": "diagnostic d'orientation demandé",
    "dpia": "analyse d'impact enregistrée",
    "eligible": "éligibilité selon le diagnostic du conseiller",
    "employer_agency": "traité par l'agence Beauvoisine",
    "employer_interview": "entretien de diagnostic de l'employeur",
    "enrolled": "inscription dans l'établissement",
    "enrolment_proposed": "inscription proposée",
    "explained": "intérêt et engagements exposés à la personne",
    "filled_alone": "livret rempli par la personne elle-même",
    "holder_informed": "titulaire de l'autorité parentale d'un mineur informé",
    "host_accepted": "accueil accepté par l'hôte",
    "hr_desk": "traité par les ressources humaines de la Ville",
    "interview_invited": "conseiller invité à l'entretien",
    "local_implementation": "déclinaison locale enregistrée",
    "no_file": "affichage sans conservation",
    "no_prospects": "dernier livret sans perspective",
    "offer_held": "offre ouverte, s'il en est nommé une",
    "offer_open": "offre ouverte",
    "open_case": "accompagnement ouvert",
    "psad_charter": "charte PSAD signée par la Ville",
    "questioning": "personne qui s'interroge ou change de métier",
    "referents": "référent nommé de chaque côté",
    "renewed_on_report": "reconduction au vu du bilan écrit",
    "representative_informed": "représentant légal d'un mineur informé",
    "representative_signed": "signature du représentant légal d'un mineur",
    "resident": "demandeur d'emploi de Rouen",
    "retained": "personne retenue",
    "staff_informed": "convention connue de l'agent",
    "staff_told": "agents nommés informés",
    "territory_agency": "agence Saint-Sever",
    "told_by_agency": "personne informée par l'agence",
    "trade_listed": "métier ouvert par l'hôte",
    "tutor_experienced": "deux ans d'expérience du tuteur",
    "tutor_not_supported": "tuteur hors contrat aidé",
    "tutor_qualified": "tuteur qualifié",
    "tutor_volunteer": "tuteur volontaire",
    "volunteered": "demande de la personne elle-même",
    "youth_contract_proposed": "contrat d'engagement jeune proposé",
}
_MINIMISED: Final = "données strictement nécessaires"
_EACH_RECIPIENT: Final = "accord pour ce destinataire"


def reason(code: str) -> str:
    """An article with what it asks, or the words of an error's code."""
    words = articles().get(code)
    return CODES.get(code, code) if words is None else f"{code} ({words})"


def service(name: str) -> str:
    """What program a step ran in."""
    return _SERVICES.get(name, name)


def message(type_: str, registry: Registry | None = None) -> str:
    """What people call a type of message. registry: this installation's, by default."""
    return _labels(registry or _installed()).get(type_, type_)


def titles(registry: Registry, instrument: str | None = None) -> dict[str, str]:
    """What people call each field of the messages, those of inner blocks included.

    instrument: the code of the one whose words count alone; else every one's, the first counts.
    """
    found: dict[str, str] = {}
    waiting = [flow.payload for one, flow in registry.flows() if instrument in {None, one.code}]
    while waiting:
        for name, info in waiting.pop().model_fields.items():
            found.setdefault(name, info.title or name)
            waiting += blocks(info.annotation)
    return found


def kept(registry: Registry, instrument: str, retention: Retention) -> str:
    """How long the receiver keeps a record, without the article. instrument: its code."""
    event = registry.word(instrument, retention.event)
    if retention.transient:
        return f"montré jusqu'à {event}, jamais écrit chez le destinataire"
    lengths = {"mois": retention.months, "jours": retention.days, "heures": retention.hours}
    after = next((f"{number} {unit}" for unit, number in lengths.items() if number), None)
    return f"jusqu'à {event}" if after is None else f"{after} après {event}"


@cache
def articles() -> dict[str, str]:
    """What each article of this installation's conventions asks before a message passes."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for instrument in instruments(_installed()):
        for check in _checks(instrument):
            found[check.article][asked(check).partition(" (")[0]] = None
            if isinstance(check, Agreement):
                found[check.recipient_article][_EACH_RECIPIENT] = None
        found[instrument.minimisation_article][_MINIMISED] = None
    return {article: " ; ".join(words) for article, words in found.items()}


def asked(check: Check) -> str:
    """What a check asks, without the codes that `contracts.export.said` quotes."""
    if isinstance(check, Recorded):
        return _RECORDED.get(check.name, said(check))
    return "finalité prévue" if isinstance(check, Purpose) else said(check)


def _checks(instrument: Instrument) -> Iterator[Check]:
    for flow in instrument.flows:
        yield from (*flow.checks, *instrument_checks(instrument, flow))


@cache
def _installed() -> Registry:
    return conventions.load()


def _labels(registry: Registry) -> dict[str, str]:
    named = {one.type: one.label for one in CONTROL_TYPES.values()}
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for _, flow in registry.flows():  # two conventions may call one type otherwise
        found[flow.type][flow.label] = None
    return dict([_RECEIPT]) | named | {name: " / ".join(labels) for name, labels in found.items()}
