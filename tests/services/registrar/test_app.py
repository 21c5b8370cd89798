"""What the registrar takes of entries, texts and acts over HTTP; the hub is away throughout."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contracts.broker.nkey import KeyKind, KeyPair
from contracts.kernel.documents import new_key
from contracts.kernel.keyring import read_entry
from contracts.kernel.organisation import Kind
from contracts.kernel.terms import ActKind
from services.chassis.bundle import Bundle, split_terms
from services.chassis.settings import BadSettings
from services.registrar.app import MAX_DOCUMENT
from services.registrar.operator import OperatorKeys
from tests.parties import Organisation, city, school, signed, text
from tests.services.registrar.calling import (
    Client,
    bundle,
    code_of,
    listed,
    now,
    published,
    put,
    serving,
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with serving(tmp_path) as client:
        yield client


# -- entries and rotations -----------------------------------------------------------------


async def test_the_first_key_is_pinned_and_no_other_comes_after(client: Client) -> None:
    one, liar = city(), city()
    await published(client, one)
    liar.sequence = 50
    assert await put(client, "/entries", liar.entry()) == "unknown_key"
    assert await put(client, "/entries", one.entry()) == "ok"
    assert [read_entry(token).sequence for token in (await bundle(client)).entries] == [2]


async def test_a_thumbprint_in_the_settings_leaves_no_race_for_the_first_key(
    tmp_path: Path,
) -> None:
    one, liar = city(), city()
    admitted = [listed(one)[0].model_copy(update={"thumbprint": one.kid})]
    async with serving(tmp_path, admitted=admitted) as client:
        assert await put(client, "/entries", liar.entry()) == "unknown_key"
        assert await put(client, "/entries", one.entry()) == "ok"


@pytest.mark.parametrize(
    "stranger",
    [
        Organisation("ccas", Kind.CCAS, "x1"),
        Organisation("ville", Kind.CCAS, "c1"),
        Organisation("ville", Kind.CITY, "c2"),
    ],
)
async def test_only_listed_organisations_publish(client: Client, stranger: Organisation) -> None:
    answer = await client.put("/entries", content=stranger.entry())
    assert (answer.status_code, await code_of(answer)) == (403, "not_admitted")
    await published(client, city())


async def test_an_older_entry_does_not_come_back(client: Client) -> None:
    one = city()
    first, second = one.entry(), one.entry()
    assert await put(client, "/entries", second) == "ok"
    assert await put(client, "/entries", first) == "stale_entry"
    assert await put(client, "/entries", second) == "ok"
    assert (await bundle(client)).entries == (second,)


async def test_a_later_key_comes_through_a_rotation_only(client: Client) -> None:
    one = city()
    await published(client, one)
    before = one.entry()
    statement = one.rotate()
    assert await put(client, "/entries", one.entry()) == "unknown_key"
    assert await put(client, "/rotations", statement) == "ok"
    assert await put(client, "/rotations", statement) == "ok"
    assert await put(client, "/entries", before) == "stale_entry"
    assert await put(client, "/entries", one.entry()) == "ok"
    held = await bundle(client)
    assert held.rotations == (statement,)
    assert len(held.entries) == 2


async def test_a_rotation_is_handed_out_with_the_entry_of_the_new_key(client: Client) -> None:
    """In between, the organisation would have no entry, and its letters be a stranger's."""
    one = city()
    await published(client, one)
    statements = [one.rotate(), one.rotate()]
    for statement in statements:
        assert await put(client, "/rotations", statement) == "ok"
        held = await bundle(client)
        assert (len(held.entries), held.rotations) == (1, ())
    await published(client, one)
    assert (await bundle(client)).rotations == tuple(statements)
    assert await put(client, "/rotations", one.rotate()) == "ok"
    assert (await bundle(client)).rotations == tuple(statements)


async def test_a_retired_key_names_no_second_successor(client: Client) -> None:
    one = city()
    await published(client, one)
    thief = replace(one)
    assert await put(client, "/rotations", one.rotate()) == "ok"
    assert await put(client, "/rotations", thief.rotate()) == "already_rotated"
    assert await put(client, "/entries", thief.entry()) == "unknown_key"
    assert await put(client, "/rotations", one.rotate()) == "ok"


async def test_a_forged_rotation_is_refused(client: Client) -> None:
    one, thief = city(), city()
    await published(client, one)
    assert await put(client, "/rotations", thief.rotate()) == "unknown_key"
    head, body, signature = replace(one).rotate(successor=new_key()).split(".")
    flipped = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    assert await put(client, "/rotations", f"{head}.{body}.{flipped}") == "invalid_document"
    assert await put(client, "/rotations", one.rotate()) == "ok"


async def test_nobody_takes_the_account_of_another_or_of_the_hub(
    tmp_path: Path, client: Client
) -> None:
    one, other = city(), school()
    await published(client, one)
    own, other.account = other.account, one.account
    assert await put(client, "/entries", other.entry()) == "account_taken"
    system = OperatorKeys.open(tmp_path, now()).system_account
    other.account = KeyPair(KeyKind.ACCOUNT, system, "")
    assert await put(client, "/entries", other.entry()) == "account_taken"
    other.account = KeyPair(KeyKind.ACCOUNT, "A" + "B" * 55, "")
    assert await put(client, "/entries", other.entry()) == "invalid_nkey"
    other.account = own
    assert await put(client, "/entries", other.entry()) == "ok"


# -- texts and acts ------------------------------------------------------------------------


async def test_signatures_of_the_same_text_add_up(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    terms = text(one, other)
    assert await put(client, "/terms", signed(terms, one)) == "ok"
    assert await put(client, "/terms", signed(terms, one)) == "ok"
    assert await put(client, "/terms", signed(terms, other)) == "ok"
    (held,) = (await bundle(client)).terms
    assert {part.org for part in split_terms(held)} == {"ville", "college"}


async def test_another_text_under_the_same_number_is_refused(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    assert await put(client, "/terms", signed(text(one, other), one)) == "ok"
    rival = text(one, other, until=date(2040, 1, 1))
    assert await put(client, "/terms", signed(rival, other)) == "other_text"
    assert await put(client, "/terms", signed(text(one, other), other)) == "ok"


async def test_a_party_signs_a_text_once(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    terms = text(one, other)
    assert await put(client, "/terms", signed(terms, one)) == "ok"
    again = signed(terms, one, on=date(2026, 2, 2))
    assert await put(client, "/terms", again) == "signed_twice"


async def test_a_false_signature_makes_the_registrar_refuse_the_whole(client: Client) -> None:
    one, other, liar = city(), school(), school()
    await published(client, one, other)
    assert await put(client, "/terms", signed(text(one, liar), one, liar)) == "unknown_key"
    assert await put(client, "/terms", signed(text(one, other), one, other)) == "ok"


async def test_a_text_binds_admitted_organisations_of_the_right_kinds(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    stranger = Organisation("ccas", Kind.CCAS, "x1")
    assert await put(client, "/terms", signed(text(one, stranger), one)) == "not_admitted"
    unknown = text(one, other).model_copy(update={"convention": "z_unknown"})
    assert await put(client, "/terms", signed(unknown, one)) == "unknown"
    twice = text(one, one)
    assert await put(client, "/terms", signed(twice, one)) == "invalid_document"
    assert await put(client, "/terms", signed(text(one, other), one)) == "ok"


async def test_an_amendment_needs_what_it_amends(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    second = signed(text(one, other, version=2, effective_on=date(2026, 6, 1)), one, other)
    assert await put(client, "/terms", second) == "version_gap"
    assert await put(client, "/terms", signed(text(one, other), one, other)) == "ok"
    assert await put(client, "/terms", second) == "ok"


async def test_acts_come_from_a_party_and_once(client: Client) -> None:
    one, other = city(), school()
    await published(client, one, other)
    suspension = other.act(ActKind.SUSPENSION, "conv-a")
    assert await put(client, "/acts", suspension) == "unknown"
    assert await put(client, "/terms", signed(text(one, other), one, other)) == "ok"
    liar = Organisation("college", Kind.SCHOOL, "s1")
    assert await put(client, "/acts", liar.act(ActKind.SUSPENSION, "conv-a")) == "unknown_key"
    stranger = Organisation("ccas", Kind.CCAS, "x1")
    assert await put(client, "/acts", stranger.act(ActKind.SUSPENSION, "conv-a")) == "not_a_party"
    assert await put(client, "/acts", suspension) == "ok"
    assert await put(client, "/acts", suspension) == "ok"
    rival = other.act(ActKind.SUSPENSION, "conv-a", sent_on=date(2026, 1, 1))
    assert await put(client, "/acts", rival) == "other_act"
    assert (await bundle(client)).acts == (suspension,)


@pytest.mark.parametrize("path", ["/entries", "/rotations", "/terms", "/acts"])
@pytest.mark.parametrize("junk", ["", "a.b.c", "[]", "{}", "e30.e30.e30", '"x"'])
async def test_junk_is_refused_as_such(client: Client, path: str, junk: str) -> None:
    assert await put(client, path, junk) in {"invalid_document", "unsigned"}


async def test_a_body_that_is_too_large_or_no_text_is_refused(client: Client) -> None:
    assert await put(client, "/entries", "x" * (MAX_DOCUMENT + 1)) == "too_large"
    answer = await client.put("/entries", content=b"\xff\xfe")
    assert await code_of(answer) == "invalid_document"
    assert (await client.get("/entries")).status_code == 405


# -- directory, probes, restart ------------------------------------------------------------


async def test_the_directory_is_sent_again_only_when_it_changed(client: Client) -> None:
    one = city()
    first = await client.get("/directory")
    again = await client.get("/directory", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    await published(client, one)
    after = await client.get("/directory", headers={"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200
    assert Bundle.parse(after.content).revision in after.headers["ETag"]


async def test_probes_while_the_hub_is_away(client: Client) -> None:
    await published(client, city())
    assert (await client.get("/healthz")).status_code == 200
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert await code_of(ready) in {"not_yet", "hub_away"}
    state = (await client.get("/state")).json()
    assert state["reconciled_at"] is None
    assert state["open"] == []
    assert "relais_registrar_failures_total" in (await client.get("/metrics")).text


async def test_what_was_taken_is_there_after_a_restart(tmp_path: Path, database_url: str) -> None:
    one, other = city(), school()
    liar, thief = city(), replace(one)
    async with serving(tmp_path, database_url=database_url) as client:
        await published(client, one, other)
        assert await put(client, "/terms", signed(text(one, other), one, other)) == "ok"
        assert await put(client, "/rotations", one.rotate()) == "ok"
        await published(client, one)
        assert await put(client, "/acts", other.act(ActKind.SUSPENSION, "conv-a")) == "ok"
        before = await bundle(client)
    async with serving(tmp_path, database_url=database_url) as client:
        assert await bundle(client) == before
        assert await put(client, "/entries", liar.entry()) == "unknown_key"
        assert await put(client, "/rotations", thief.rotate()) == "already_rotated"
        assert await put(client, "/entries", one.entry()) == "ok"


def test_operator_keys_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = OperatorKeys.open(tmp_path, now())
    (tmp_path / "keys" / "operator-identity.seed").unlink()
    again = OperatorKeys.open(tmp_path, now())
    assert (first.signing, first.system_account) == (again.signing, again.system_account)
    file = tmp_path / "keys" / "operator.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(BadSettings, match="chmod 600"):
        OperatorKeys.open(tmp_path, now())
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(BadSettings, match="abîmé"):
        OperatorKeys.open(tmp_path, now())
