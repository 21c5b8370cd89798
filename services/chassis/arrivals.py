"""What the letterbox hands out: opened, handled, answered; and what to do with what fails.

A lot is handled in one transaction. Where that fails, each of its letters is handled by itself, so
that one letter at fault harms no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, Update, select, update

from contracts.broker.subjects import RECEIPT
from contracts.kernel.envelope import Envelope, Lot, bind
from contracts.kernel.errors import RelaisError, Unavailable, Unverified
from contracts.kernel.instrument import Cardinality, Flow
from services.chassis import standing, tables
from services.chassis.clock import Clock
from services.chassis.core import Core
from services.chassis.database import Database, Need, Tx, Work
from services.chassis.dead_letters import Dead, bury, exhume, full
from services.chassis.inbox import INBOX, READINGS, Handled, handle, take_receipts
from services.chassis.keystore import SealBroken
from services.chassis.metrics import Metrics
from services.chassis.opening import Letter, NotYetKnown, Opened, open_letter, reopened, sender_of
from services.chassis.receipting import acknowledge
from services.chassis.telemetry import Step, Telemetry, Together

RETRIES = (0.2, 1.0, 5.0, 30.0)
"""Seconds before a letter whose handling failed is handed out again; then it is a dead letter."""

BEHIND = 1.0
"""Seconds until a letter that is newer than our directory is looked at again."""

_LATER = timedelta(minutes=1)
"""How long until what was set aside is tried again, where it fails."""

_AT_ONCE = 200
"""Letters set aside that are tried in one round, at most."""


class StillClosed(RelaisError):
    """A dead letter that does not open, when somebody tries it again; it stays as it is."""

    code = "letter_still_closed"
    status = 409


_log = logging.getLogger("relais.inbox")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a letter: None acknowledges it, a number of seconds hands it out again."""

    again_after: float | None = None


class Arrivals:
    """Handles letters as they arrive."""

    def __init__(
        self, core: Core, database: Database, clock: Clock, telemetry: Telemetry, metrics: Metrics
    ) -> None:
        self._core = core
        self._database = database
        self._clock = clock
        self._telemetry = telemetry
        self._metrics = metrics

    async def receive(self, letter: Letter) -> Verdict:
        """Handle what the letterbox hands out; never raises."""
        try:
            opened = open_letter(self._core, letter, self._clock.now())
        except Exception as error:  # noqa: BLE001 -- the letterbox must go on; see RETRIES
            return await self._unopened(letter, error)
        with Together(self._step(one) for one in opened.envelopes) as steps:
            outcomes = await self._handle(opened, letter)
            for step, outcome in zip(steps, outcomes, strict=False):  # receipts have no step
                if isinstance(outcome, Exception):
                    step.fail(_code(outcome))
                else:
                    step.set(state=outcome.value)
        return await self._verdict(opened, letter, outcomes)

    def _step(self, envelope: Envelope) -> Step:
        return self._telemetry.span(
            "letter.handle", parent=envelope.traceparent or "", message_id=envelope.id
        )

    async def _handle(self, opened: Opened, letter: Letter) -> list[Handled | Exception]:
        """Outcome of each letter, or what it raised."""
        try:
            handled = await self._database.write(self._work(opened, letter))
        except Exception as error:  # noqa: BLE001 -- the letterbox must go on; see RETRIES
            letters = len(opened.envelopes)
            if letters <= 1 or isinstance(error, Unavailable):
                return [error] * max(letters, 1)
        else:
            return [*handled]
        alone = [replace(opened, envelopes=(one,)) for one in opened.envelopes]
        found = await asyncio.gather(*(self._handle(one, letter) for one in alone))
        return [outcome for (outcome,) in found]

    async def _verdict(
        self, opened: Opened, letter: Letter, outcomes: Sequence[Handled | Exception]
    ) -> Verdict:
        delays: list[float] = []
        early: list[Envelope] = []
        done: Counter[Handled] = Counter()
        failed: list[tuple[Envelope | None, Exception]] = []
        envelopes: Sequence[Envelope | None] = opened.envelopes or (None,)
        for envelope, outcome in zip(envelopes, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failed.append((envelope, outcome))
            elif outcome is Handled.TOO_EARLY and envelope is not None:
                early.append(envelope)
            elif outcome is Handled.STALE:
                delays.append(BEHIND)
            else:
                done[outcome] += 1
        for outcome, count in done.items():
            self._metrics.message("in", outcome.value, count)
        if failed and (wait := await self._failed(opened, letter, failed)) is not None:
            delays.append(wait)
        if early and not await self._set_aside(opened, letter, early):
            delays.append(RETRIES[-1])
        return Verdict(min(delays, default=None))

    async def _set_aside(self, opened: Opened, letter: Letter, early: Sequence[Envelope]) -> bool:
        """Keep letters from the future apart until their time comes; whether that worked.

        In the letterbox they would hold up everybody else's: it hands out few lots at once. Beyond
        a sender's quota they are refused, and say so.
        """
        core, at = self._core, self._clock.now()

        def unit(tx: Tx) -> None:
            known = _buried(tx, opened.sender.org)
            for envelope in early:
                if envelope.id in known:
                    continue
                if full(tx, core, opened.sender.org):
                    status = Handled.NOT_OPEN.value
                    acknowledge(tx, core, opened.sender, opened.binding.id, envelope.id, status, at)
                    continue
                dead = Dead(
                    letter,
                    opened.sender.org,
                    envelope.id,
                    Handled.TOO_EARLY.value,
                    to_retry=not unfiled(opened.flow),
                    retry_at=envelope.time - core.policy.ahead,
                    case_id=envelope.caseid,
                )
                bury(tx, core, dead, bind([envelope.to_plaintext()], opened.proof_list), at)

        with suppress(RelaisError):
            await self._database.write(unit)
            return True
        return False

    async def retry_due(self) -> None:
        """Handle what was set aside and whose time has come; what fails is tried a minute later."""
        dead, at = tables.dead_letters, self._clock.now()
        due = (dead.c.retry_at <= at) & dead.c.body.is_not(None)
        query = select(dead.c.id).where(due).order_by(dead.c.retry_at).limit(_AT_ONCE)
        found = await self._database.read(lambda c: c.execute(query).scalars().all())
        for dead_id in found:
            try:
                outcome = await self.retry(dead_id)
            except Exception as error:  # noqa: BLE001 -- the others must be tried too
                _log.warning("letter_failed: %s", _code(error))
                outcome = Handled.TOO_EARLY.value
            if outcome in {Handled.TOO_EARLY.value, Handled.STALE.value}:
                later = update(dead).where(dead.c.id == dead_id).values(retry_at=at + _LATER)
                await self._database.write(partial(_run, later))

    async def _failed(
        self,
        opened: Opened,
        letter: Letter,
        failed: Sequence[tuple[Envelope | None, Exception]],
    ) -> float | None:
        """Seconds until the next try; None once they are dead letters, each with its reason."""
        for _, error in failed:
            _log.warning("letter_failed: %s", _code(error))
        if any(isinstance(error, Unavailable) for _, error in failed):
            return RETRIES[-1]
        if letter.deliveries <= len(RETRIES):
            return RETRIES[letter.deliveries - 1]
        at = self._clock.now()

        def unit(tx: Tx) -> None:
            known = _buried(tx, opened.sender.org)
            for envelope, error in failed:
                if envelope is not None and envelope.id in known:
                    continue
                one = letter.message_id if envelope is None else envelope.id
                content = letter.body
                if envelope is not None:
                    content = bind([envelope.to_plaintext()], opened.proof_list)
                reason = f"failed:{_code(error)}"
                kept = not unfiled(opened.flow)
                whole = envelope is None
                dead = Dead(
                    letter,
                    opened.sender.org,
                    one,
                    reason,
                    as_it_came=kept and whole,
                    to_retry=kept and not whole,
                    case_id=None if envelope is None else envelope.caseid,
                )
                bury(tx, self._core, dead, content, at)

        with suppress(RelaisError):
            await self._database.write(unit)
            return None
        return RETRIES[-1]

    async def _unopened(self, letter: Letter, error: Exception) -> Verdict:
        """Refuse what cannot be proven, and keep it as it came, since the fault may be ours."""
        at = self._clock.now()
        reason = error.code if isinstance(error, Unverified) else f"failed:{_code(error)}"
        if isinstance(error, NotYetKnown) and letter.deliveries <= READINGS:
            return Verdict(BEHIND)
        with self._telemetry.span("letter.handle", message_id=letter.message_id) as step:
            step.fail(reason)
        if not isinstance(error, Unverified):
            _log.warning("letter_failed: %s", _code(error))
            if letter.deliveries <= len(RETRIES):
                return Verdict(RETRIES[letter.deliveries - 1])

        def unit(tx: Tx) -> None:
            try:
                sender, binding, address = sender_of(self._core, letter)
            except Unverified:
                bury(tx, self._core, Dead(letter, "", letter.message_id, reason), letter.body, at)
                return
            flows = binding.instrument.flows
            flow = next((one for one in flows if one.code == address.message), None)
            dead = Dead(letter, sender.org, letter.message_id, reason, as_it_came=not unfiled(flow))
            bury(tx, self._core, dead, letter.body, at)
            if address.message == RECEIPT:  # receipts are terminal
                return
            for one in filter(None, letter.claimed):
                status = Handled.UNVERIFIED.value
                acknowledge(tx, self._core, sender, binding.id, one, status, at)

        try:
            await self._database.write(unit)
        except Exception as again:  # noqa: BLE001 -- the letterbox must go on
            _log.warning("letter_failed: %s", _code(again))
            return Verdict(RETRIES[-1])
        self._metrics.message("in", Handled.UNVERIFIED.value)
        return Verdict()

    # -- dead letters ----------------------------------------------------------------------

    async def retry(self, dead_id: str) -> str | None:
        """Handle a dead letter once more; returns what became of it, None where nothing is kept.

        Its body goes with the transaction that handles it, and stays where it must wait again.
        Raises StillClosed where it does not open, and what the handling raises.
        """
        at = self._clock.now()
        try:
            found = await self._database.read(lambda c: self._exhumed(c, dead_id))
            if found is None:
                return None
            if isinstance(found, Letter):
                letter, opened = found, open_letter(self._core, found, at)
            else:
                letter, opened = found[0], reopened(self._core, *found, at)
        except (Unverified, SealBroken, ValueError):
            raise StillClosed(
                "Cette lettre ne s'ouvre pas : elle est abîmée, ou ce qui la vérifie manque ici. "
                "Elle reste gardée ; demandez à son émetteur de la renvoyer."
            ) from None
        work, dead = self._work(opened, letter), tables.dead_letters
        done = update(dead).where(dead.c.id == dead_id).values(retried_at=at, body=None)

        def unit(tx: Tx) -> set[Handled]:
            outcomes = set(work.run(tx))
            if not outcomes & {Handled.TOO_EARLY, Handled.STALE}:
                tx.execute(done)
            return outcomes

        try:
            outcomes = await self._database.write(Work(unit, needs=work.needs))
        except Exception:
            if len(opened.envelopes) <= 1:
                raise
            return await self._retry_apart(opened, letter, done)
        return ",".join(sorted(outcome.value for outcome in outcomes))

    async def _retry_apart(self, opened: Opened, letter: Letter, done: Update) -> str:
        """Handle each letter of a dead lot by itself; one that fails is buried by itself."""
        outcomes = await self._handle(opened, letter)
        failed = [
            (envelope, outcome)
            for envelope, outcome in zip(opened.envelopes, outcomes, strict=True)
            if isinstance(outcome, Exception)
        ]
        spent = replace(letter, deliveries=len(RETRIES) + 1)
        if failed and await self._failed(opened, spent, failed) is not None:
            raise failed[0][1]
        await self._database.write(lambda tx: tx.execute(done))
        said = (_code(one) if isinstance(one, Exception) else one.value for one in outcomes)
        return ",".join(sorted(set(said)))

    def _exhumed(self, connection: Connection, dead_id: str) -> Letter | tuple[Letter, Lot] | None:
        dead = tables.dead_letters
        row = connection.execute(select(dead).where(dead.c.id == dead_id)).first()
        return None if row is None else exhume(self._core, row)

    def _work(self, opened: Opened, letter: Letter) -> Work[Sequence[Handled]]:
        """The unit of one lot, and every row it may look at, read for the whole batch at once."""
        sender, core, clock = opened.sender.org, self._core, self._clock
        batch = opened.receipts
        if batch is not None:
            return Work(
                lambda tx: [take_receipts(tx, core, opened, batch, letter, clock.now())],
                needs=((INBOX, (sender, letter.message_id)),),
            )
        needs: list[Need] = []
        opens = opened.flow is not None and opened.flow.case is Cardinality.OPENS
        for envelope in opened.envelopes:
            needs.append((INBOX, (sender, envelope.id)))
            if envelope.caseid is not None:
                needs.append((standing.CASES, envelope.caseid))
            if envelope.agreement is not None:
                needs.append((standing.PROOFS, envelope.agreement))
                needs.append((standing.TOMBSTONES, (envelope.agreement, sender)))
                if not opens:
                    needs.append((standing.REFERENCES, envelope.agreement))

        def unit(tx: Tx) -> Sequence[Handled]:
            at = clock.now()
            return [handle(tx, core, opened, one, letter, at) for one in opened.envelopes]

        return Work(unit, needs=tuple(needs))


def _run(statement: Update, tx: Tx) -> None:
    tx.execute(statement)


def _buried(tx: Tx, sender: str) -> set[str]:
    """Letters of a sender that wait among the dead, to be tried again."""
    dead = tables.dead_letters
    where = (dead.c.sender == sender) & dead.c.body.is_not(None)
    return set(tx.execute(select(dead.c.message_id).where(where)).scalars())


def unfiled(flow: Flow | None) -> bool:
    """Whether nothing of a letter may be kept here, be it to try again (C-5.1).

    Its sender still has it, and sends it anew for want of a receipt.
    """
    return flow is not None and flow.retention.transient


def _code(error: Exception) -> str:
    return error.code if isinstance(error, RelaisError) else type(error).__name__
