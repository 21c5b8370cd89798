"""From signed conventions and legal duties to grants, and to the activations a node signs for them.

Pure, and the same for everyone: the registrar compiles what the hub should hold, each node what it
is ready to receive, from the same documents. Where they disagree, nothing passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from itertools import permutations
from typing import Final

from contracts.broker.activations import activation_token, read_activation
from contracts.broker.grants import Grant, grant
from contracts.broker.nkey import KeyPair
from contracts.broker.subjects import CONTROL, RECEIPT
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.instrument import LegalDuty, subject_token
from contracts.kernel.organisation import DirectoryEntry
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.signed import OPEN_STATES, SignedConvention, State

AFTER_MONTHS: Final = 12
"""Months during which control and receipts still pass once everything was purged."""

Entries = Mapping[str, DirectoryEntry]
"""Verified directory entries by organisation."""
Activations = Mapping[tuple[str, str], str]
"""Activation tokens by (sender's code, subject)."""


def grants_of(signed: SignedConvention, entries: Entries, at: datetime) -> list[Grant]:
    """Grants of one signed convention at an instant.

    While it is open (in force or notice given), one per flow, which the broker itself closes at
    Paris midnight of its end. From its last signature, open or not, one control and one receipt
    grant per direction, until twelve months after the purge: or nobody could withdraw, erase or
    certify after the end. A party without an entry gets and gives nothing.
    """
    state, ends, purged = signed.state(at), signed.ends_on, signed.purged_on
    if state is State.DRAFT or ends is None or purged is None:
        return []
    token = subject_token(signed.id)
    last = midnight(add_months(purged, AFTER_MONTHS))
    made = list(_both_ways(sorted(signed.orgs), entries, token, last))
    if state in OPEN_STATES:
        for flow in signed.convention.flows:
            pair = (signed.org_of(flow.sender), signed.org_of(flow.receiver))
            made += _one_way(pair, entries, token, flow.code, midnight(ends))
    return [one for one in made if one.expires_at > at]


def duty_grants(
    duty: LegalDuty, sender: DirectoryEntry, receiver: DirectoryEntry, at: datetime
) -> list[Grant]:
    """Grants of a legal duty between two organisations of its kinds, whatever they signed.

    Flows while the text is in force. Control and receipts, both ways, hang on the duty itself and
    on no convention, until twelve months after its repeal. A text without a known end is granted
    to the end of next year, so that each new year compiles a new end.
    """
    if at < midnight(duty.starts_on) or (sender.kind, receiver.kind) != (
        duty.sender,
        duty.receiver,
    ):
        return []
    ends = duty.repealed_on or date(day_of(at).year + 2, 1, 1)
    token, pair = subject_token(duty.code), {sender.org: sender, receiver.org: receiver}
    made = list(_both_ways(list(pair), pair, token, midnight(add_months(ends, AFTER_MONTHS))))
    for flow in duty.flows:
        made += _one_way((sender.org, receiver.org), pair, token, flow.code, midnight(ends))
    return [one for one in made if one.expires_at > at]


def compile_grants(
    conventions: Iterable[SignedConvention],
    duties: Iterable[LegalDuty],
    entries: Entries,
    at: datetime,
) -> list[Grant]:
    """Every grant of the federation, or of one node's own view of it, each subject once.

    A duty holds between organisations that signed a convention together, open or not: their keys
    are pinned by it, and its lapse never blocks a duty. A convention that cannot be
    compiled gets no grant, and costs nobody else theirs.
    """
    made: dict[str, Grant] = {}
    listed, entries = list(duties), _distinct(entries)
    for signed in conventions:
        with suppress(ValueError, OverflowError):  # dates nobody can compute: no grant for it
            made.update((one.subject, one) for one in grants_of(signed, entries, at))
        if listed and signed.opens_on is not None:
            for pair in _pairs(sorted(signed.orgs), entries):
                for duty in listed:
                    made.update((one.subject, one) for one in duty_grants(duty, *pair, at))
    return [made[subject] for subject in sorted(made)]


def activations_for(
    me: str,
    conventions: Iterable[SignedConvention],
    entries: Entries,
    at: datetime,
    signer: KeyPair,
    former: Activations | None = None,
    duties: Iterable[LegalDuty] = (),
) -> dict[tuple[str, str], str]:
    """Activations that one organisation signs, as receiver, for what it agrees to receive.

    me: its code. conventions, entries: its own verified view. signer: its account's signing key.
    former: those signed before, kept as they are unless the end or a key changed.
    Returns the whole set, by (sender's code, subject); what is not in it is agreed with no more.
    """
    by_code = {entry.code: entry.broker.account for entry in _distinct(entries).values()}
    before = former or {}
    made: dict[tuple[str, str], str] = {}
    for one in compile_grants(conventions, duties, entries, at):
        if one.receiver != me:
            continue
        name, keys = (one.sender, one.subject), (by_code[one.sender], by_code[me])
        kept = before.get(name)
        if kept is None or not _still(kept, one, keys, signer.public):
            kept = activation_token(
                one, sender_key=keys[0], receiver_key=keys[1], signer=signer, issued_at=at
            )
        made[name] = kept
    return made


def _still(token: str, one: Grant, keys: tuple[str, str], issuer: str) -> bool:
    """Whether an activation says what would be signed today, but for its date of issue."""
    try:
        found = read_activation(token)
    except InvalidDocument:
        return False
    said = (found.subject, found.sender_key, found.receiver_key, found.issuer, found.expires_at)
    return said == (one.subject, *keys, issuer, one.expires_at)


def _distinct(entries: Entries) -> Entries:
    """Entries whose code nobody else claims: a code claimed twice stands for nobody."""
    times = Counter(entry.code for entry in entries.values())
    return {org: entry for org, entry in entries.items() if times[entry.code] == 1}


def _both_ways(
    orgs: Iterable[str], entries: Entries, token: str, expires_at: datetime
) -> Iterator[Grant]:
    for pair in permutations(orgs, 2):
        for message in (CONTROL, RECEIPT):
            yield from _one_way(pair, entries, token, message, expires_at)


def _one_way(
    pair: tuple[str | None, str | None],
    entries: Entries,
    token: str,
    message: str,
    expires_at: datetime,
) -> Iterator[Grant]:
    sender, receiver = (entries.get(org) if org is not None else None for org in pair)
    if sender is not None and receiver is not None and sender.code != receiver.code:
        yield grant(
            sender=sender.code,
            receiver=receiver.code,
            convention=token,
            message=message,
            expires_at=expires_at,
        )


def _pairs(
    orgs: Iterable[str], entries: Entries
) -> Iterator[tuple[DirectoryEntry, DirectoryEntry]]:
    for sender, receiver in permutations(orgs, 2):
        if sender in entries and receiver in entries:
            yield entries[sender], entries[receiver]
