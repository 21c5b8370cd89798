"""What becomes of the chassis' own rows, and how the tables of a node are found by their fate.

The reasons are read by data protection officers.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from sqlalchemy import Table

from services.chassis import convention_tables, migrate, schema, tables
from services.chassis.fates import OF_AGENTS, WITH_CASE, WITH_PERSON, Fate, Goes, decide, fate_of

_PROOF: Final = "preuve, gardée trois ans (RGPD 5.2)"

decide(
    {
        tables.persons: WITH_PERSON,
        tables.notices: WITH_PERSON,
        tables.held_proofs: WITH_CASE,
        tables.withheld: WITH_CASE,
        tables.reversals: WITH_CASE,
        tables.agreements: Fate(
            goes=Goes.AGE,
            why="preuve de l'accord ou du refus, sans nom, trois ans après sa fin (RGPD 5.2)",
            kept="agreement_id person_id flows giver authority means assent associated refused"
            " notice_version notice_channel notice_language notice_at given_at expires_at"
            " withdrawn_at suspended_at ended_at agent_id",
        ),
        tables.agreement_recipients: Fate(
            goes=Goes.AGE,
            why="destinataires d'un accord : partent avec lui",
            kept="reference agreement_id recipient convention_id",
        ),
        tables.proof_lists: Fate(
            goes=Goes.AGE,
            why="empreintes signées, dont d'autres preuves dépendent ; elles ne disent rien",
            kept="list_id collector token received_at",
        ),
        tables.tombstones: Fate(
            goes=Goes.AGE,
            why="référence retirée : aucun message tardif ne doit plus passer",
            kept="reference org withdrawn_at state",
        ),
        tables.charters: Fate(goes=Goes.AGE, why=OF_AGENTS, kept="agent_id version accepted_at"),
        tables.cases: Fate(
            goes=Goes.NEVER,
            why="numéro d'un dossier détruit : une lettre tardive ne doit pas le rouvrir, et la fin"
            " de la convention compte ce qui fut détruit ; il ne mène plus à personne",
            kept="case_id instrument partner purpose opened_here rests_on state opened_at closed_at"
            " retain_until seq_out seq_in",
            emptied="person_id reference",
        ),
        tables.deadlines: Fate(
            goes=Goes.AGE,
            why=_PROOF,
            kept="deadline_id kind subject level case_id article due_at state armed_at closed_at",
        ),
        tables.tallies: Fate(
            goes=Goes.NEVER,
            why="nombres seuls, sans dossier, pour les bilans",
            kept="convention_id month what code number",
        ),
        tables.derogations: Fate(
            goes=Goes.AGE,
            why="preuve d'une décision prise sans accord, gardée trois ans (RGPD 5.2)",
            kept="derogation_id case_id type sender receiver ground asked_at asked_by confirmed_at"
            " confirmed_by expires_at sealed_until message_id told_on told_by channel reviewed_at"
            " reviewed_by outcome",
        ),
        tables.certificates: Fate(
            goes=Goes.AGE,
            why="certificat de destruction, gardé trois ans (RGPD 5.2)",
            kept="certificate case_id org outcome article records done_at",
        ),
        tables.outbox: Fate(
            goes=Goes.AGE,
            why="preuve d'un envoi, sans son contenu, gardée trois ans (RGPD 5.2)",
            kept="message_id kind type receiver subject instrument case_id reference seq state"
            " traceparent created_at expires_at due_at attempts unverified failure delivered_at"
            " closed_at status receipt_id",
            emptied="sealed",
        ),
        tables.inbox: Fate(
            goes=Goes.AGE,
            why="numéro d'une lettre traitée : elle ne doit pas l'être deux fois (RGPD 32)",
            kept="sender message_id type case_id status received_at expires_at",
        ),
        tables.receipts: Fate(goes=Goes.AGE, why=_PROOF, kept="receipt_id org token received_at"),
        tables.withdrawals: Fate(
            goes=Goes.AGE, why=_PROOF, kept="reference org told_at outcome article done_at"
        ),
        tables.dead_letters: Fate(
            goes=Goes.AGE,
            why="échec technique, sans contenu lisible, gardé trente jours (RGPD 32)",
            kept="id sender message_id case_id subject reason articles commitment headers attempts"
            " failed_at keep_until retry_at retried_at",
            emptied="body",
        ),
        tables.idempotency: Fate(
            goes=Goes.AGE,
            why="numéros donnés en réponse, gardés un jour : le même appel n'agit pas deux fois",
            kept="agent_id key request status answer created_at",
        ),
        convention_tables.reviews: Fate(
            goes=Goes.AGE, why=_PROOF, kept="convention_id held_on agent_id"
        ),
        convention_tables.reports: Fate(
            goes=Goes.NEVER,
            why="bilans tels que publiés, petits nombres masqués ; ils ne nomment personne",
            kept="convention_id first_day audience content published_at",
        ),
        convention_tables.insurances: Fate(
            goes=Goes.AGE, why=_PROOF, kept="convention_id last_day first_day policy agent_id"
        ),
        convention_tables.holds: Fate(
            goes=Goes.AGE,
            why=_PROOF,
            kept="hold_id convention_id case_id ground placed_at released_at agent_id",
        ),
        convention_tables.purges: Fate(
            goes=Goes.NEVER,
            why="preuve que la fin d'une convention a tout détruit ; elle ne nomme personne",
            kept="convention_id ended_on cases kept done_at",
        ),
        schema.journal: Fate(
            goes=Goes.NEVER,
            why="chaîne des décisions : sans dossier, agent ni faits, elle se vérifie encore"
            " (RGPD 5.2)",
            kept="chain seq at event message_id flow outcome articles rules_version commitment prev"
            " hash",
            emptied="scope case_id agent_id facts_sealed",
        ),
        schema.witnessed_heads: Fate(
            goes=Goes.AGE, why=_PROOF, kept="id org chain seq hash proof at"
        ),
    }
)


@cache
def tables_of(kind: str) -> tuple[Table, ...]:
    """Every table of a node of that kind, by branch and name."""
    return tuple(
        table for branch in migrate.branches_of(kind) for table in branch.metadata.sorted_tables
    )


@cache
def tables_with(kind: str, goes: Goes) -> tuple[Table, ...]:
    """Tables of a node whose rows go with a case, or with a person; the register itself apart."""
    return tuple(
        table
        for table in tables_of(kind)
        if fate_of(table).goes is goes and table is not tables.persons
    )
