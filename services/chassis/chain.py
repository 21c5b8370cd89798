"""The lines of a chain by themselves: what their hashes cover, whether they hold, how to tell them.

Pure: whoever settles a dispute verifies them without a node (A-12.1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.kernel.canonical import canonical, digest
from contracts.kernel.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

GENESIS = "0" * 64
"""What the first line of a chain names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Last line of a chain; seq 0 and GENESIS before the first."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """A recorded entry. Hashes are lower-case hexadecimal; seq counts from 1 without a gap."""

    chain: str
    seq: int
    at: datetime
    event: str
    message_id: str | None
    flow: str | None
    outcome: str
    articles: tuple[str, ...]
    rules_version: str
    commitment: str | None
    prev: str
    hash: str = ""
    scope: str | None = None
    case_id: str | None = None
    agent_id: str | None = None
    facts_sealed: bytes | None = None

    def covered(self) -> dict[str, Any]:
        """Return what the hash covers, as JSON values."""
        return covered({name: getattr(self, name) for name in _COVERED})

    @property
    def head(self) -> Head:
        """This line as the end of its chain."""
        return Head(self.chain, self.seq, self.hash)


_COVERED = (
    *("chain", "seq", "at", "event", "message_id", "flow", "outcome", "articles"),
    *("rules_version", "commitment", "prev"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that does not hold.

    code: `gap` (lines are missing before it), `broken_link` (it does not follow the line before),
    `altered` (its content is not what was hashed), `inputs_altered` (case, agent, facts or scope
    are not what was committed to), `rewritten` (a partner holds another hash for it), `cut` (a
    partner holds a later line than the last).
    """

    chain: str
    seq: int
    code: str


@dataclass(slots=True)
class Report:
    """Outcome of a verification.

    heads: last line of each chain. checked: commitments compared with case, agent and facts.
    erased: lines whose case, agent and facts are gone, so that only the chain vouches for them.
    """

    lines: int = 0
    checked: int = 0
    erased: int = 0
    heads: dict[str, Head] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_lines(
    lines: Iterable[Line], held: Iterable[Head] = (), report: Report | None = None
) -> Report:
    """Check chains from their first line on. Pure; lines come in the order of chain and seq.

    held: heads that others hold of these chains.
    """
    report = report or Report()
    expected: dict[tuple[str, int], set[str]] = {}
    for head in held:
        expected.setdefault((head.chain, head.seq), set()).add(head.hash)
    for line in lines:
        before = report.heads.get(line.chain, Head(line.chain, 0, GENESIS))
        hashes = expected.pop((line.chain, line.seq), {line.hash})
        codes = [code for code, wrong in _faults(line, before, hashes) if wrong]
        report.problems += [Problem(line.chain, line.seq, code) for code in codes]
        report.heads[line.chain] = line.head
        report.lines += 1
    report.problems += [Problem(chain, seq, "cut") for chain, seq in expected if seq > 0]
    return report


def _faults(line: Line, before: Head, hashes: set[str]) -> Iterator[tuple[str, bool]]:
    yield "gap", line.seq != before.seq + 1
    yield "broken_link", line.seq == before.seq + 1 and line.prev != before.hash
    yield "altered", digest(line.covered()) != line.hash
    yield "rewritten", hashes != {line.hash}


def covered(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the hash of a line covers, as JSON values."""
    covered = {name: values[name] for name in _COVERED}
    covered["at"] = _instant(covered["at"])
    covered["articles"] = list(covered["articles"])
    return covered


def to_json_lines(lines: Iterable[Line]) -> Iterator[str]:
    """Write each line as JSON, with what the hash covers and nothing personal.

    It can be verified by whoever settles a dispute, without a node (A-12.1).
    """
    for line in lines:
        yield canonical({**line.covered(), "hash": line.hash}).decode() + "\n"


def from_json_lines(texts: Iterable[str]) -> Iterator[Line]:
    """Read what `to_json_lines` wrote. Raises InvalidDocument with the number of a bad line."""
    for number, text in enumerate(texts, 1):
        try:
            values = json.loads(text)
            values["at"] = datetime.fromisoformat(values["at"])
            values["articles"] = tuple(values["articles"])
            line = Line(**values)
            digest(line.covered())
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InvalidDocument(f"Line {number} is not a line of a journal.") from None
        yield line


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
