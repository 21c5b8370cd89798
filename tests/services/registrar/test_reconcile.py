"""What the hub holds is compared claim by claim, and mended without a word too many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.broker.accounts import compile_accounts
from contracts.broker.tokens import Claims, decode_and_verify, sign
from contracts.kernel.errors import InvalidDocument, RelaisError, Unavailable
from services.registrar.reconcile import Difference, Mended, compare, reconcile
from tests.contracts.broker.samples import (
    NOW,
    OPERATOR,
    OPERATOR_SIGNING,
    RENEWAL,
    account,
    activated,
    flow,
    key,
)

GRANTS = [flow(), flow("c", "b")]
RENEW_BEFORE = NOW + timedelta(days=15)
SYSTEM = key("sys").public


class Kept(dict[str, str]):
    """Claims that a hub holds, in memory: what `HubLink` offers, with a hub's known faults.

    The real hub answers the same calls in test_hub.py; here it can also fail at will.
    """

    def __init__(self) -> None:
        super().__init__({SYSTEM: "the system account"})
        self.pushed: list[str] = []
        self.refuses: type[RelaisError] | None = None
        self.forgets = False

    async def push(self, token: str) -> None:
        self._answer()
        self.pushed.append(decode_and_verify(token)["name"])
        if not self.forgets:
            self[decode_and_verify(token)["sub"]] = token

    async def lookup(self, account: str) -> str | None:
        return self.get(account)

    async def accounts(self) -> tuple[str, ...]:
        return tuple(self)

    async def delete(self, request: str) -> None:
        self._answer()
        for name in decode_and_verify(request)["nats"]["accounts"]:
            if not self.forgets:
                del self[name]

    def _answer(self) -> None:
        if self.refuses is not None:
            raise self.refuses("no")


def compiled(codes: str = "abc") -> list[Claims]:
    accounts = [account(code) for code in codes]
    return list(
        compile_accounts(accounts, GRANTS, activated(*GRANTS), NOW, RENEWAL).values(),
    )


async def run(store: Kept, wanted: list[Claims]) -> tuple[Mended, ...]:
    return await reconcile(
        store,
        wanted,
        OPERATOR_SIGNING,
        system_account=SYSTEM,
        at=NOW,
        renew_before=RENEW_BEFORE,
    )


def judge(found: str | None, wanted: Claims) -> Difference | None:
    return compare(wanted, found, issuer=OPERATOR_SIGNING.public, renew_before=RENEW_BEFORE)


def test_the_same_rights_signed_at_another_time_are_no_difference() -> None:
    wanted = compiled()[0]
    later = sign(wanted, OPERATOR_SIGNING, NOW + timedelta(days=3))
    assert judge(later, wanted) is None


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (lambda _: None, Difference.MISSING),
        (lambda _: "garbage", Difference.UNREADABLE),
        (lambda w: sign(w, OPERATOR_SIGNING, NOW)[:-8] + "AAAAAAAA", Difference.UNREADABLE),
        (lambda w: sign(w, OPERATOR, NOW), Difference.FOREIGN_KEY),
        (lambda w: signed(w, name="other"), Difference.CHANGED),
        (lambda w: signed(w, nats={**w["nats"], "imports": []}), Difference.CHANGED),
        (lambda w: signed(w, nbf=1), Difference.CHANGED),
        (lambda w: signed(w, exp=w["exp"] + 1), Difference.ENDING),
        (lambda w: signed(w, exp=int(RENEW_BEFORE.timestamp()) - 1), Difference.ENDING),
        (lambda w: signed({k: v for k, v in w.items() if k != "exp"}), Difference.ENDING),
        (lambda w: signed(w, exp=int(RENEW_BEFORE.timestamp())), None),
    ],
)
def test_each_difference_is_named(
    found: Callable[[Claims], str | None], difference: Difference | None
) -> None:
    wanted = compiled()[0]
    assert judge(found(wanted), wanted) is difference


def signed(claims: Claims, **changes: object) -> str:
    return sign({**claims, **changes}, OPERATOR_SIGNING, NOW)


async def test_only_what_differs_is_pushed() -> None:
    store = Kept()
    assert {m.difference for m in await run(store, compiled())} == {Difference.MISSING}
    assert sorted(store.pushed) == ["a", "b", "c"]
    assert await run(store, compiled()) == ()
    store[key("b").public] = sign(compiled()[1], OPERATOR, NOW)
    assert await run(store, compiled()) == (Mended(key("b").public, Difference.FOREIGN_KEY),)
    assert store.pushed[3:] == ["b"]


async def test_a_stranger_is_forgotten_and_the_system_account_is_none() -> None:
    store = Kept()
    await run(store, compiled())
    gone = await run(store, compiled("ab"))
    assert Mended(key("c").public, Difference.STRANGER) in gone
    assert set(store) == {SYSTEM, key("a").public, key("b").public}


async def test_an_empty_directory_cuts_nobody() -> None:
    store = Kept()
    await run(store, compiled())
    with pytest.raises(InvalidDocument):
        await run(store, [])
    assert len(store) == 4


async def test_what_the_hub_refuses_or_does_not_keep_is_reported() -> None:
    store = Kept()
    store["stranger"] = "x"
    store.refuses = Unavailable
    assert {m.failure for m in await run(store, compiled())} == {"unavailable"}
    store.refuses, store.forgets = None, True
    assert {m.failure for m in await run(store, compiled())} == {"not_kept"}
    store.forgets = False
    assert {m.failure for m in await run(store, compiled())} == {None}
    assert await run(store, compiled()) == ()


async def test_claims_with_a_hole_are_not_pushed() -> None:
    store, wanted = Kept(), compiled()
    wanted[1]["nats"]["exports"][0]["token_req"] = False
    mended = {m.account: m.failure for m in await run(store, wanted)}
    assert mended == {
        key("a").public: None,
        key("b").public: "token_shape",
        key("c").public: None,
    }
    assert sorted(store.pushed) == ["a", "c"]
