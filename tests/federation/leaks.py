"""Looking for words where they must not be: in any file, table or page, in any plain encoding.

A word is looked for by its longest part without accents, which every charset, normal form and
escape writes alike; case, and the zeros of UTF-16, are taken off what is read.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

CHUNK = 1 << 22
OVERLAP = 1 << 9
SHORTEST = 8
"""Letters below which a word turns up by chance: seven, in some megabytes of base64 read without
case, once in a few hundred runs."""
SHIFTS = 3
"""Ways in which the bytes of a word can lie in base64."""


def core_of(word: str) -> str:
    """The longest part of a word that is plain ASCII."""
    parts: list[str] = re.findall(r"[ -~]+", word)
    return max(parts, key=len).strip()


def number_spellings(number: str) -> Iterator[str]:
    """A number that identifies or reaches somebody, however it is spaced."""
    digits = re.sub(r"\D", "", number)
    local = f"0{digits[2:]}" if digits.startswith("33") else digits
    yield digits.removeprefix("33")
    for gap in (" ", ".", "-"):
        yield gap.join(re.findall(r"..?", local))
        yield gap.join(re.findall(r"..?", local[1:]))


def day_spellings(day: date) -> Iterator[str]:
    """A birth date, in the ways of forms and databases."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d"):
        yield day.strftime(pattern)


def base64_cores(text: str) -> Iterator[bytes]:
    """What base64 makes of a text, but for the letters that depend on its neighbours."""
    plain = text.encode()
    for shift in range(SHIFTS):
        first, last = -(-shift * 4 // 3), (shift + len(plain)) * 4 // 3
        yield b64encode(b"\0" * shift + plain)[first:last]


class Search:
    """Finds any of many texts; what is too short to be told from chance must not be given."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._plain: dict[bytes, str] = {}
        self._exact: dict[bytes, str] = {}
        for text in texts:
            core = core_of(text)
            assert len(core) >= SHORTEST, core
            self._plain[core.lower().encode()] = text
            for spelt in {core, core.lower(), core.upper()}:
                self._plain[spelt.encode().hex().encode()] = text
                self._exact.update((body, text) for body in base64_cores(spelt))

    def in_bytes(self, content: bytes) -> set[str]:
        """Texts that are there."""
        plain = content.replace(b"\0", b"").lower()
        return {text for body, text in self._plain.items() if body in plain} | {
            text for body, text in self._exact.items() if body in content
        }

    def in_text(self, content: str) -> set[str]:
        """Texts that are there."""
        return self.in_bytes(content.encode())

    def in_file(self, path: Path) -> set[str]:
        """Texts that are in a file, read piece by piece."""
        found, before = set(), b""
        with path.open("rb") as stream:
            while piece := stream.read(CHUNK):
                found |= self.in_bytes(before + piece)
                before = piece[-OVERLAP:]
        return found

    def in_folder(self, folder: Path) -> dict[str, set[str]]:
        """Texts by file, in its name too; a file that goes meanwhile holds nothing."""
        found: dict[str, set[str]] = {}
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            texts = self.in_text(name)
            try:
                texts |= self.in_file(path) if path.is_file() else set()
            except FileNotFoundError:
                continue
            if texts:
                found[name] = texts
        return found
