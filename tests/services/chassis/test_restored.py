"""A backup brings back no erased person: neither the data's, nor the key store's, nor both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.chassis import restored, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.destroyed import DestroyedList
from services.chassis.engines import StorageUnavailable
from services.chassis.erasure import erase_case, erase_person
from services.chassis.holds import Hold, place_hold, release_hold
from services.chassis.keystore import KeyDestroyed
from services.chassis.scopes import case_scope, person_scope
from tests.backups import backup
from tests.pair import CONVENTION, START, Pair, Side

NAME = "Exemplaire"


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def known(side: Side, person_id: str) -> str:
    """Family name of a person of the register, opened from its row."""
    (row,) = side.rows(tables.persons, tables.persons.c.person_id == person_id)
    core = side.node.core

    def opened(tx: Any) -> str:
        return str(standing.opened_person(tx, core, row.scope, row.sealed).identity.family_name)

    name: str = side.write(opened)
    return name


async def erased(pair: Pair, tmp_path: Path, *stores: str) -> tuple[str, str]:
    """A person and their case, backed up, erased, and brought back at the school from there.

    stores: which of the two databases is restored.
    """
    person = pair.person()
    case_id = str(pair.refer(pair.agreement(person)).case_id)
    await pair.carry()
    side, settings = pair.school, pair.school.node.settings
    urls = {"data": settings.database_url, "keys": settings.keystore_url}
    copies = []
    for name in stores:
        (tmp_path / name).mkdir()
        copies.append(backup(urls[name], tmp_path / name))
    assert known(side, person) == NAME
    core, at = side.node.core, pair.clock.now()
    side.write(lambda tx: erase_person(tx, core, person, at))
    side.close()
    for restore in copies:
        restore()
    pair.restart(side)
    return person, case_id


async def test_restored_data_do_not_open(pair: Pair, tmp_path: Path) -> None:
    """GDPR 17: the row is back, and nothing in it can be read, since its key is destroyed."""
    person, case_id = await erased(pair, tmp_path, "data")
    side = pair.school
    assert [row.state for row in side.rows(tables.cases)] == ["open"]
    with pytest.raises(KeyDestroyed):
        known(side, person)
    (letter,) = side.rows(tables.outbox, tables.outbox.c.case_id == case_id)
    if letter.sealed is not None:
        with pytest.raises(KeyDestroyed):
            side.node.keystore.open(case_scope(case_id), letter.sealed, b"")


async def test_restored_data_are_erased_again(pair: Pair, tmp_path: Path) -> None:
    """GDPR 17: what the key store remembers of destroyed keys empties the rows too."""
    person, case_id = await erased(pair, tmp_path, "data")
    side, at = pair.school, pair.clock.now()
    assert await restored.forget_again(side.node.database, side.node.core, at) == 2
    assert side.rows(tables.persons) == []
    assert [(row.case_id, row.state) for row in side.rows(tables.cases)] == [(case_id, "erased")]
    (agreement,) = side.rows(tables.agreements)
    assert (agreement.person_id, agreement.withdrawn_at) == (person, at)
    assert await restored.forget_again(side.node.database, side.node.core, at) == 0


@pytest.mark.parametrize("stores", [("keys",), ("keys", "data")])
async def test_a_restored_key_store_forgets_again(
    pair: Pair, tmp_path: Path, stores: tuple[str, ...]
) -> None:
    """GDPR 17: the list beside both says what was destroyed; beside the key that had come back."""
    person, case_id = await erased(pair, tmp_path, *stores)
    side, scopes = pair.school, (person_scope(person), case_scope(case_id))
    keys = side.node.keystore
    assert all(keys.seal(scope, b"", b"") for scope in scopes)  # both are back
    assert keys.recall() == 2
    assert keys.recall() == 0
    for scope in scopes:
        assert keys.destroyed_at(scope) == START
        with pytest.raises(KeyDestroyed):
            keys.seal(scope, b"", b"")
    if "data" in stores:
        with pytest.raises(KeyDestroyed):
            known(side, person)


async def test_without_the_list_a_restored_key_store_would_open_everything(
    pair: Pair, tmp_path: Path
) -> None:
    """Why the list is kept apart, and copied often."""
    person, _ = await erased(pair, tmp_path, "keys", "data")
    side = pair.school
    (side.node.settings.node_dir / "destroyed").unlink()
    assert side.node.keystore.recall() == 0
    assert known(side, person) == NAME


async def test_what_cannot_be_erased_again_holds_up_nobody_else(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A-12.1: a hold that the backup brings back keeps the row; its content is gone anyway."""
    side, core = pair.school, pair.school.node.core
    kept, other = (str(pair.refer().case_id) for _ in range(2))
    await pair.carry()
    hold = Hold(ground="court", case_id=kept)
    side.write(lambda tx: place_hold(tx, core, CONVENTION, hold, "h" * 32, "chef", START))
    restore = backup(side.node.settings.database_url, tmp_path)
    side.write(lambda tx: release_hold(tx, core, CONVENTION, "h" * 32, "chef", START))
    for case_id in (kept, other):
        side.write(partial(_erase, core=core, case_id=case_id))
    side.close()
    restore()
    side = pair.restart(side)
    assert await restored.forget_again(side.node.database, side.node.core, START) == 2
    states = {row.case_id: row.state for row in side.rows(tables.cases)}
    assert states == {kept: "open", other: "erased"}
    assert "not_forgotten_again: OnHold" in caplog.text
    with pytest.raises(KeyDestroyed):
        side.node.keystore.seal(case_scope(kept), b"", b"")


def _erase(tx: Tx, *, core: Core, case_id: str) -> None:
    erase_case(tx, core, case_id, core.new_id(), START)


# --- the list itself


def test_a_line_cut_short_says_nothing(tmp_path: Path) -> None:
    """A crash in the middle of a line destroys no key whose name begins alike."""
    listed = DestroyedList(tmp_path / "destroyed")
    assert listed.read() == {}
    listed.add({"case:1": START})
    listed.add({"case:2": START + timedelta(1), "case:1": START + timedelta(2)})
    assert listed.read() == {"case:1": START, "case:2": START + timedelta(1)}
    for torn in ("\ncase:3", "\ncase:34 2026-11", "\ncase:34 2026-11-22T12:00:00"):
        with (tmp_path / "destroyed").open("a", encoding="utf-8") as file:
            file.write(torn)
        assert set(listed.read()) == {"case:1", "case:2"}
    listed.add({"case:4": START})
    assert set(listed.read()) == {"case:1", "case:2", "case:4"}
    assert (tmp_path / "destroyed").stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_listed_is_not_destroyed(pair: Pair) -> None:
    """What is not on the list would come back with the next restoration."""
    person, side = pair.person(), pair.school
    (side.node.settings.node_dir / "destroyed").mkdir()
    core, at = side.node.core, pair.clock.now()
    with pytest.raises(StorageUnavailable):
        side.write(lambda tx: erase_person(tx, core, person, at))
    assert known(side, person) == NAME
