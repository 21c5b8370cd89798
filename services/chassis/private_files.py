"""Files that hold keys: made once, closed to others, and refused when they are not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from services.chassis.settings import BadSettings
from services.chassis.tls import write_private


def create_once(path: Path, content: str) -> None:
    """Write a file of mode 0600 unless it exists; of two processes, the first to link it wins.

    Its folder is made if need be, closed to others.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    draft = write_private(path.with_name(f"{path.name}.{os.getpid()}"), content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def read_private(path: Path) -> bytes:
    """Read such a file. Raises BadSettings when others can read it too."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadSettings(f"Le fichier de clés {path} est lisible par d'autres : chmod 600.")
    return path.read_bytes()
