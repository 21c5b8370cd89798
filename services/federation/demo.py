"""The demonstration: a story told step by step on a federation of its own.

Each step says what was tried, by whom, on which article, what was expected and what happened; the
run ends with a summary and fails if a single step did not do as told.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TextIO

from contracts.kernel.errors import UnknownName
from services.federation.federation import Federation
from services.federation.stories import a, b, c, d
from services.federation.telling import Teller

FEDERATION_FILE = Path(__file__).parents[2] / "deploy" / "federation.yaml"

STORIES: Final = {"a": a.tell, "b": b.tell, "c": c.tell, "d": d.tell}
"""What is told of each convention, by its letter."""


def run(
    home: Path | None = None,
    *,
    convention: str | None = None,
    as_json: bool = False,
    out: TextIO | None = None,
) -> int:
    """Play the story of a convention, or of each in turn; returns the exit code.

    convention: its letter. home: state folder of a federation that runs, in containers or not; a
    new one in a temporary folder otherwise. as_json: print the summary alone, as JSON. Raises
    Unavailable, UnknownName.
    """
    told = [*STORIES] if convention is None else [convention.lower()]
    if not set(told) <= set(STORIES):
        known = ", ".join(sorted(STORIES))
        raise UnknownName(f"Aucune histoire de la convention {convention}. Connues : {known}.")
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # warns of how nats-py ends TLS links
    stream = out or sys.stdout
    teller = Teller(None if as_json else stream)
    began = time.monotonic()
    teller.note(
        "Relais : des organismes, un bus, aucune base commune. Tout ce qui suit est fictif.\n"
        "✓ marque ce qui s'est passé comme prévu, un refus attendu compris ; ✗ ce qui diffère.\n"
        "A-2.11 est un article : le point 2.11 de la convention A."
    )
    with _new() if home is None else nullcontext(Federation.open(home)) as federation:
        federation.wait_ready()
        teller.note(
            f"Fédération prête en {time.monotonic() - began:.0f} s : un hub qui ne garde rien, "
            "un serveur NATS, une base et un service par organisme."
        )
        for letter in told:
            teller.note(f"\n── Convention {letter.upper()} " + "─" * 40)
            STORIES[letter](federation, teller)
    return _summary(teller, time.monotonic() - began, stream, as_json=as_json)


@contextmanager
def _new() -> Iterator[Federation]:
    with tempfile.TemporaryDirectory(prefix="relais-demo-") as folder:
        federation = Federation.create(Path(folder), FEDERATION_FILE)
        try:
            federation.start()
            yield federation
        finally:
            federation.stop()


def _summary(teller: Teller, seconds: float, stream: TextIO, *, as_json: bool) -> int:
    failed = [number for number, step in enumerate(teller.steps, 1) if not step.ok]
    if as_json:
        body: dict[str, Any] = {
            "ok": not failed,
            "seconds": round(seconds, 1),
            "steps": [asdict(step) for step in teller.steps],
        }
        stream.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    else:
        count = len(teller.steps)
        teller.note(f"\n{count - len(failed)} étapes sur {count} conformes, en {seconds:.0f} s.")
        if failed:
            teller.note(f"Étapes non conformes : {', '.join(map(str, failed))}.")
        else:
            teller.note("Rien n'a circulé qu'une convention ne permette.")
    return 1 if failed else 0
