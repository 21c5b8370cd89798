"""A report as a table for a spreadsheet: what a hidden number is, in words, on each line.

RFC 4180 with the semicolon that French spreadsheets part columns by, and the mark by which they
know UTF-8; programs read the JSON. What a spreadsheet would take for a formula is made text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final

COLUMNS: Final = (
    "Convention",
    "Premier jour",
    "Dernier jour",
    "Article",
    "Indicateur",
    "Détail",
    "Nombre",
    "Explication",
)
HIDDEN: Final = "masqué"
"""Stands where a number is hidden: never an empty cell, which would read as none."""

_TOTAL: Final = "Total"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters of what spreadsheets compute (OWASP, CSV injection)."""


def as_csv(report: Mapping[str, Any]) -> bytes:
    """Write a report: one line a number, the total of each indicator after its parts."""
    return write([COLUMNS, *_lines(report)])


def why_hidden(report: Mapping[str, Any]) -> str:
    """What a hidden number is, as people read it."""
    return f"moins de {report['threshold']}, ou de quoi le retrouver"


def write(lines: Iterable[Sequence[str]]) -> bytes:
    """Lines of cells as a file: a cell that would be a formula begins with an apostrophe."""
    written = StringIO()
    csv.writer(written, delimiter=";").writerows([_text(one) for one in line] for line in lines)
    return written.getvalue().encode("utf-8-sig")


def _text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _lines(report: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    period = report["title"], report["first_day"], report["last_day"]
    for table in report["tables"]:
        about = *period, table["article"], table["label"]
        for label, number in _numbers(table):
            hidden = number is None
            why = why_hidden(report) if hidden else ""
            yield *about, label, HIDDEN if hidden else str(number), why


def _numbers(table: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    for cell in table["cells"]:
        yield cell["label"], cell["number"]
    if len(table["cells"]) > 1:
        yield _TOTAL, table["total"]
