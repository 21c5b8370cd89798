"""An opened letter that waits to be tried again goes with its case (GDPR art. 17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from contracts.kernel.envelope import bind
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.dead_letters import Dead, bury
from services.chassis.erasure import erase_case
from services.chassis.keystore import KeyDestroyed
from services.chassis.opening import Letter, open_letter
from services.chassis.scopes import REFUSAL_SCOPE, case_scope
from services.chassis.tokens import Role
from tests.pair import START, Pair
from tests.reports import ask

CONTENT = b"opened"


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def buried(tx: Tx, *, core: Core, number: int, case_id: str | None) -> None:
    letter = Letter("lb.v1", {}, b"sealed")
    dead = Dead(letter, "ecole", f"{number:032x}", "failed:test", to_retry=True, case_id=case_id)
    bury(tx, core, dead, CONTENT, START)


def erased(tx: Tx, *, core: Core, case_id: str) -> None:
    erase_case(tx, core, case_id, core.new_id(), START)


async def test_a_letter_to_try_again_goes_with_its_case_and_no_other(pair: Pair) -> None:
    """Body and key, in a backup too; one of no case stays under the node's own key."""
    case_id = str(pair.refer().case_id)
    await pair.carry()
    side, core, keys = pair.city, pair.city.node.core, pair.city.node.keystore
    for number, one in ((1, case_id), (2, None)):
        side.write(partial(buried, core=core, number=number, case_id=one))
    before = {row.message_id: row for row in side.rows(tables.dead_letters)}
    mine, other = before[f"{1:032x}"], before[f"{2:032x}"]
    assert (mine.case_id, other.case_id) == (case_id, None)
    assert keys.open(case_scope(case_id), mine.body, mine.id.encode()) == CONTENT
    assert keys.open(REFUSAL_SCOPE, other.body, other.id.encode()) == CONTENT
    side.write(partial(erased, core=core, case_id=case_id))
    after = {row.message_id: row.body for row in side.rows(tables.dead_letters)}
    assert after == {mine.message_id: None, other.message_id: other.body}
    with pytest.raises(KeyDestroyed):
        keys.open(case_scope(case_id), mine.body, mine.id.encode())


async def test_nothing_is_kept_of_a_letter_whose_case_is_erased(pair: Pair) -> None:
    case_id = str(pair.refer().case_id)
    await pair.carry()
    side, core = pair.city, pair.city.node.core
    side.write(partial(erased, core=core, case_id=case_id))
    side.write(partial(buried, core=core, number=1, case_id=case_id))
    (row,) = side.rows(tables.dead_letters)
    assert (row.body, row.case_id, row.reason) == (None, None, "failed:test")


@pytest.mark.parametrize("opened", [True, False], ids=["opened", "as it came"])
async def test_a_damaged_letter_is_said_to_be_so_and_kept(pair: Pair, opened: bool) -> None:  # noqa: FBT001 -- a parameter
    """One bit on a disk is no defect of the node: whoever tries again is told, and nothing goes."""
    pair.refer()
    (letter,) = pair.school.outgoing()
    city, core, dead = pair.city, pair.city.node.core, tables.dead_letters
    lot = open_letter(core, letter, START)
    content = bind([lot.envelopes[0].to_plaintext()], lot.proof_list)
    kept = Dead(letter, "ecole", "1" * 32, "failed:test", as_it_came=not opened, to_retry=opened)
    city.write(lambda tx: bury(tx, core, kept, content if opened else letter.body, START))
    (whole,) = city.rows(dead)
    where = f"/api/v1/dead-letters/{whole.id}/retry"
    harmed = bytes([whole.body[0] ^ 1]) + whole.body[1:]
    city.write(lambda tx: tx.execute(dead.update().values(body=harmed)))
    answer = await ask(city, where, Role.OPERATOR, "POST")
    assert (answer.status_code, answer.json()["code"]) == (409, "letter_still_closed")
    assert "émetteur" in answer.json()["detail"]
    (row,) = city.rows(dead)
    assert (row.body, row.retried_at) == (harmed, None)
    city.write(lambda tx: tx.execute(dead.update().values(body=whole.body)))
    answer = await ask(city, where, Role.OPERATOR, "POST")
    assert (answer.status_code, answer.json()) == (202, {"outcome": "received"})
