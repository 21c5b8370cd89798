"""Migrations of a node's database: the branch `chassis`, and beside it the partner's own.

A branch is a folder of Alembic revisions and the tables they must lead to. No alembic.ini: a node
calls `upgrade` when it starts. For developers:

    python -m services.chassis.migrate revision chassis "message"   write what a branch lacks
    python -m services.chassis.migrate check city                   say what it lacks

A branch goes forward only. SQLite and PostgreSQL run the same revisions.
"""

from __future__ import annotations

import argparse
import os
import sys
import sysconfig
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from contracts import registry
from contracts.kernel.errors import RelaisError, UnknownName
from services.chassis import convention_tables, person_tables, schema, sign_in_tables
from services.chassis.engines import make_engine, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alembic.autogenerate.api import AutogenContext
    from sqlalchemy import Connection, MetaData

_HERE = Path(__file__).parent / "migrations"
_LOCK = 7_234_191_003  # any number of our own: one upgrade of a PostgreSQL database at a time
_TURN = threading.Lock()  # Alembic keeps its context in a global


class NotMigrated(RelaisError):
    """The database is not at the revisions of this version of the code."""

    code = "not_migrated"


@dataclass(frozen=True, slots=True)
class Branch:
    """Tables under one owner, and the folder of the revisions that make them."""

    name: str
    versions: Path
    metadata: MetaData


# Through their modules, since tables of one that was not imported would look like strangers.
(_SHARED,) = {
    table.metadata
    for table in (convention_tables.holds, person_tables.codes, sign_in_tables.sessions)
}
CHASSIS = Branch("chassis", _HERE / "versions", _SHARED)
"""Tables that every node has."""


def partner_branch(name: str) -> Branch:
    """Branch of a partner: `metadata` of its models.py, revisions in its migrations/versions.

    name: its folder in services, ``city`` or ``conventions.a_city_school``. Raises UnknownName.
    """
    try:
        models = import_module(f"services.{name}.models")
    except ModuleNotFoundError:
        raise UnknownName(f"No partner called {name} has a models.py.") from None
    folder = Path(str(models.__file__)).parent
    return Branch(name.rpartition(".")[2], folder / "migrations" / "versions", models.metadata)


def convention_branches(kind: str) -> tuple[Branch, ...]:
    """Branches of the conventions that bind that kind, whose tables all its parties have."""
    found = []
    for code, convention in registry.load().conventions.items():
        if kind in convention.parties and find_spec(f"services.conventions.{code}") is not None:
            found.append(partner_branch(f"conventions.{code}"))
    return tuple(found)


def branches_of(kind: str) -> tuple[Branch, ...]:
    """Branches of a node of that kind: the chassis, its conventions' and its partner's, if any."""
    has_tables = find_spec(f"services.{kind}.models") is not None
    partner = (partner_branch(kind),) if has_tables else ()
    return (CHASSIS, *convention_branches(kind), *partner)


def upgrade(url: str, branches: Sequence[Branch] = (CHASSIS,)) -> None:
    """Bring a database to the last revision of every branch, in one transaction.

    Replicas and nodes that start together take turns. Raises StorageUnavailable; NotMigrated when a
    revision leaves a row without its parent.
    """
    with _connected(url) as connection:
        command.upgrade(_config(branches, connection, _comparison(branches)), "heads")
        if connection.dialect.name == "sqlite":
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if orphans is not None:
                raise NotMigrated(f"A revision leaves rows of {orphans[0]} without their parent.")


def drift(url: str, branches: Sequence[Branch] = (CHASSIS,)) -> list[str]:
    """Differences between a migrated database and the tables of the code; empty when none.

    Each one says what would have to be done to the database. Raises StorageUnavailable.
    """
    with _connected(url) as connection:
        return _differences(connection, _comparison(branches))


def revise(branch: Branch, message: str, beside: Sequence[Branch] = ()) -> Path:
    """Write the revision that leads from a branch's last revision to its tables.

    beside: branches whose tables this one refers to; its first revision depends on them. The
    differences are taken on an empty SQLite database, brought to the last revisions.
    Raises NotMigrated when there is no difference to write.
    """
    branch.versions.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/revise.sqlite"
        upgrade(url, (*beside, branch))
        with _connected(url) as connection:
            options = _comparison((branch,), beside)
            if not _differences(connection, options):
                raise NotMigrated(f"The branch {branch.name} lacks nothing.")
            config = _config((*beside, branch), connection, options)
            # The first is the chassis: those after it rest on it, and it must not be named twice.
            named = [other.name for other in beside]
            return _write(config, branch.name, message, named[1:] or named)


def _write(config: Config, branch: str, message: str, beside: list[str]) -> Path:
    steps = ScriptDirectory.from_config(config).walk_revisions()
    known = [step.revision for step in steps if branch in step.branch_labels]
    last = max((int(name.rpartition("_")[2]) for name in known), default=0)
    first: dict[str, Any] = {"head": "base", "branch_label": branch, "depends_on": beside or None}
    written: Any = command.revision(
        config,
        message,
        autogenerate=True,
        version_path=config.get_main_option("version_locations", "").split(os.pathsep)[-1],
        rev_id=f"{branch}_{last + 1:04d}",
        **({"head": f"{branch}@head"} if known else first),
    )
    return Path(written.path)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Open the one transaction of a command; foreign keys off, since SQLite rebuilds tables."""
    engine = make_engine(url, begin="BEGIN IMMEDIATE")
    try:
        with _TURN, engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
                yield connection
    except DBAPIError as error:
        raise translated(error) from None
    finally:
        engine.dispose()


def _comparison(branches: Sequence[Branch], hidden: Sequence[Branch] = ()) -> dict[str, Any]:
    """Options to compare a database with these branches' tables, as if it had no hidden ones."""
    names = {name for branch in hidden for name in branch.metadata.tables}
    return {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _parents: kind != "table" or name not in names,
        "render_as_batch": True,  # SQLite alters by rebuilding the table
        "render_item": _render,
        "target_metadata": [branch.metadata for branch in branches],
    }


def _differences(connection: Connection, options: dict[str, Any]) -> list[str]:
    context = MigrationContext.configure(connection, opts=options)
    return [str(found) for found in compare_metadata(context, options["target_metadata"])]


def _config(branches: Sequence[Branch], connection: Connection, options: dict[str, Any]) -> Config:
    """Build what alembic.ini would say; the branch to write to comes last."""
    config = Config(cmd_opts=argparse.Namespace(quiet=True))
    folders = os.pathsep.join(str(branch.versions) for branch in branches)
    for name, value in {
        "script_location": str(_HERE),
        "path_separator": "os",
        "file_template": "%(rev)s_%(slug)s",
        "version_locations": folders,
    }.items():
        config.set_main_option(name, value.replace("%", "%%"))
    _format_with_ruff(config)
    config.attributes["configure"] = {"connection": connection, **options}
    return config


def _format_with_ruff(config: Config) -> None:
    ruff = Path(sysconfig.get_path("scripts")) / "ruff"
    if ruff.exists():
        for name, value in {
            "hooks": "ruff",
            "ruff.type": "exec",
            "ruff.executable": str(ruff),
            "ruff.options": "format --quiet REVISION_SCRIPT_FILENAME",
        }.items():
            config.set_section_option("post_write_hooks", name, value)


def _render(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write our own column types by the name that a revision imports."""
    if kind != "type" or type(item).__module__ != schema.__name__:
        return False
    if isinstance(item, schema.Chars):  # what the database is told of it
        return f"sa.String(length={item.length})"
    context.imports.add("from services.chassis import schema")
    return f"schema.{type(item).__name__}()"


def _branches(name: str) -> tuple[Branch, tuple[Branch, ...]]:
    """Return a branch, and those beside it."""
    if name == CHASSIS.name:
        return CHASSIS, ()
    beside = () if name.startswith("conventions.") else convention_branches(name)
    return partner_branch(name), (CHASSIS, *beside)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns 1 when `check` finds a difference or nothing can be done."""
    parser = argparse.ArgumentParser(prog="python -m services.chassis.migrate")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("revision", "check"):
        commands.add_parser(name).add_argument("branch", help="chassis, or a partner's folder")
    commands.choices["revision"].add_argument("message")
    given = parser.parse_args(arguments)
    try:
        branch, beside = _branches(given.branch)
        if given.command == "revision":
            sys.stdout.write(f"{revise(branch, given.message, beside)}\n")
            return 0
        return _check((*beside, branch))
    except RelaisError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1


def _check(branches: Sequence[Branch]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/check.sqlite"
        upgrade(url, branches)
        found = drift(url, branches)
    sys.stdout.writelines(f"{difference}\n" for difference in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
