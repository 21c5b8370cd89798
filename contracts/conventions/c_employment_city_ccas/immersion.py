"""Work immersion (article 3, 1 b): what is said of it, what is asked of it, and its flows.

The agency asks for one and names nobody; the host answers; then only is it told who comes. The text
names the city as host, within its own trades; the CCAS recruits through the same human resources
department, which answers for both (C-3.2), and no message about an immersion reaches its own node.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from contracts.conventions.c_employment_city_ccas import checks
from contracts.conventions.c_employment_city_ccas.checks import EVERY, from_agency, on, to_agency
from contracts.conventions.c_employment_city_ccas.messages import Candidate
from contracts.kernel import messages as shared
from contracts.kernel.checks import Check, Limit, Recorded, Side
from contracts.kernel.fields import Day, Listed, Payload, said
from contracts.kernel.instrument import Cardinality, Flow, LegalBasis, Retention
from contracts.kernel.messages import ImmersionSituation, OfferId, Rome
from contracts.kernel.organisation import Kind

Host = Literal["city", "ccas"]
"""Which of the two employers takes in; one human resources department answers for both (C-3.2)."""


class TradesPublished(Payload):
    """A host makes known the trades that are exercised there, which an immersion keeps to."""

    host: Host = said("Hôte", why="Dit lequel des deux employeurs.", source="C-3.2")
    trades: Annotated[tuple[Rome, ...], Listed(300)] = said(
        "Métiers", why="Fixe sur quels métiers une immersion peut porter.", source="C-3b.4"
    )
    since: Day = said("Depuis le", why="Date la liste, qui remplace l'autre.", source="C-3b.4")


class ImmersionRequested(shared.ImmersionRequested):
    """The agency asks a host for an immersion, for a person who is not named yet (C-3b.1).

    Its second version: the host is one of two, and a recruitment hangs on an offer that both sides
    hold, or on the promotion of a profile (C-3b.3).
    """

    host: Host = said("Hôte", why="Dit lequel des deux employeurs.", source="C-3.2")
    offer: OfferId | None = said(
        "Offre",
        why="Désigne l'offre dont l'immersion est une étape ; absente pour tout autre objet.",
        source="C-3b.3",
    )
    profile_promotion: bool = said(
        "Promotion de profil", why="Dit qu'un recrutement s'engage sans offre.", source="C-3b.3"
    )

    @property
    def misplaced_offers(self) -> int:
        """1 where a recruitment has neither offer nor promotion, or both, or other objects any."""
        links = (self.offer is not None) + self.profile_promotion
        return int(links != (self.object == "start_recruitment"))


class ImmersionStatus(ImmersionSituation):
    """Where an immersion stands; its second version names the person without an age (C-4.1)."""

    person: Candidate | None = said(
        "Personne accueillie",
        why="Nommée une seule fois, à un hôte qui a accepté.",
        source="C-4.1",
        filled="identity",
    )


# --- checks: the text's own limits, then the law's, then who may say what

OFFER_OR_PROFILE = Limit(
    article="C-3b.3",
    name="misplaced_offers",
    at_most=0,
    sentence="Un recrutement se rattache à une offre ou à une promotion de profil, et lui seul.",
)

OFFER_HELD = Recorded(
    article="C-3b.3",
    name="offer_held",
    sentence="Cette offre n'est pas publiée ou est close : choisir une offre ouverte.",
)
"""Of an immersion that names no offer there is none to look for, and it holds."""

QUESTIONING = Recorded(
    article="C-3b.2",
    name="questioning",
    side=Side.SENDER,
    sentence="Rien ne dit que la personne s'interroge ou change de métier : l'enregistrer d'abord.",
)
"""Of the agency's own file, as a fact and not as a reason. Of a recruitment it is not asked, and it
holds."""

TRADE_LISTED = Recorded(
    article="C-3b.4",
    name="trade_listed",
    sentence="Ce métier n'est pas de la liste que l'hôte a publiée : en choisir un qui en est.",
)
"""Both gates hold the list: the city publishes it. Without one nothing is listed."""

ONE_MONTH = Limit(
    article="D5135-3",
    name="days_beyond_month",
    at_most=0,
    sentence="Une immersion dure un mois au plus, de date à date : la raccourcir.",
)

ONE_RENEWAL = Limit(
    article="D5135-3",
    name="renewals",
    at_most=1,
    side=Side.SENDER,
    sentence="Une immersion se renouvelle une seule fois : changer d'objet ou d'hôte.",
)

RENEWAL_NAMED = Limit(
    article="D5135-3",
    name="misnamed_renewals",
    at_most=0,
    side=Side.SENDER,
    sentence="Une immersion est un renouvellement si une autre a le même objet chez cet hôte, et "
    "dans ce cas seul : corriger.",
)

TWO_AT_HOST = Limit(
    article="D5135-3",
    name="host_agreements",
    at_least=1,
    at_most=2,
    side=Side.SENDER,
    sentence="Un hôte conclut deux immersions au plus sur douze mois avec une personne : attendre.",
)

DAYS_AT_HOST = Limit(
    article="D5135-3",
    name="host_days",
    at_least=1,
    at_most=60,
    side=Side.SENDER,
    sentence="Un hôte accueille une personne 60 jours au plus sur douze mois : raccourcir.",
)
"""The agency alone knows whose immersions to count: the host keeps no file (C-5.1)."""

AWAITED_STEP = Recorded(
    article="C-3b.1",
    name="awaited_step",
    sentence="Cette étape ne suit pas où en est l'immersion : regarder sa dernière situation.",
)

HOST_ACCEPTED = Recorded(
    article="C-4.1",
    name="host_accepted",
    sentence="L'hôte n'a pas accepté, ou la personne est déjà nommée : elle ne l'est qu'une fois.",
)

HOST_SPEAKS = Limit(
    article="C-3b.1",
    name="host_steps",
    at_most=0,
    sentence="Seul l'hôte accepte, refuse ou termine l'immersion : confirmer qui vient.",
)

HOST_NAMES_NOBODY = Limit(
    article="C-5.2",
    name="confirmations",
    at_most=0,
    sentence="Seule l'agence confirme qui vient.",
)

REPRESENTATIVE_SIGNED = Recorded(
    article="D5135-2",
    name="representative_signed",
    side=Side.SENDER,
    sentence="Le représentant légal d'un mineur n'a pas signé : recueillir sa signature.",
)
"""Of an adult nobody else signs, and it holds. The host is told no age: the agency alone knows."""

# --- flows

_AGENCY, _CITY = Kind.EMPLOYMENT_AGENCY, Kind.CITY
_PERSON: tuple[Check, ...] = (checks.TOLD_BY_AGENCY, checks.AGREED)
_LIMITS: tuple[Check, ...] = (ONE_MONTH, ONE_RENEWAL, RENEWAL_NAMED, TWO_AT_HOST, DAYS_AT_HOST)
_TO_HR = from_agency(checks.LEAD_EMPLOYER, checks.HR_DESK)
_FROM_HR = to_agency(checks.LEAD_EMPLOYER, checks.HR_DESK)
_KEPT = Retention(event="immersion_ended", months=2, article="C-6.5")


def flows(purpose: str) -> tuple[Flow, ...]:
    """Flows of an immersion; purpose: the axis that it serves."""
    flow = partial(Flow, legal_basis=LegalBasis.PUBLIC_TASK, purpose=purpose, version=2)
    status = partial(
        flow,
        type="immersion.status",
        label="situation de l'immersion",
        article="C-3b.1",
        payload=ImmersionStatus,
        case=Cardinality.WITHIN,
    )
    return (
        Flow(
            type="immersion_trades.published",
            code="m28",
            label="métiers ouverts à l'immersion",
            sender=_CITY,
            receiver=_AGENCY,
            article="C-3b.4",
            purpose=purpose,
            legal_basis=LegalBasis.NO_PERSONAL_DATA,
            payload=TradesPublished,
            case=Cardinality.NONE,
            checks=(*EVERY, *_FROM_HR),
            retention=Retention(event="trades_replaced", months=0, article="C-6.5"),
        ),
        flow(
            type="immersion.requested",
            code="m29",
            label="demande d'immersion",
            sender=_AGENCY,
            receiver=_CITY,
            article="C-3b.1",
            payload=ImmersionRequested,
            case=Cardinality.OPENS,
            checks=(
                *EVERY,
                *on(Side.SENDER, *_PERSON),
                *_TO_HR,
                checks.RESIDENT,
                QUESTIONING,
                OFFER_OR_PROFILE,
                OFFER_HELD,
                TRADE_LISTED,
                *_LIMITS,
            ),
            retention=_KEPT,
        ),
        status(
            code="m30",
            sender=_CITY,
            receiver=_AGENCY,
            checks=(
                *EVERY,
                checks.OPEN_CASE,
                *on(Side.RECEIVER, *_PERSON),
                *_FROM_HR,
                HOST_NAMES_NOBODY,
                AWAITED_STEP,
            ),
            retention=_KEPT,
        ),
        status(
            code="m31",
            sender=_AGENCY,
            receiver=_CITY,
            checks=(
                *EVERY,
                checks.OPEN_CASE,
                *on(Side.SENDER, *_PERSON),
                *_TO_HR,
                HOST_SPEAKS,
                HOST_ACCEPTED,
                REPRESENTATIVE_SIGNED,
                checks.NO_FILE,
            ),
            retention=Retention(event="immersion_ended", article="C-5.1", transient=True),
        ),
    )
