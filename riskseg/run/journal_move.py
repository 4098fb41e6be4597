"""`journal move`: the journal from the workspace's file to a database, from there back, or on."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path

from riskseg.domain.problems import problem
from riskseg.pipeline.open_journal import only_writer_in, place_of_journal
from riskseg.pipeline.session import locked, open_checked
from riskseg.pipeline.stages import Progress, Stage
from riskseg.results.journal import JournalMove
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from riskseg.workspace import Workspace
from riskseg.workspace.addresses import has_password, with_environment
from riskseg.workspace.authored import SCHEMA_NAME

STAGES = (
    Stage("check", "read every entry and every event, and check them"),
    Stage("copy", "write them in the new place, and check them there"),
    Stage("leave", "mark the old place as left, then the new one as arrived"),
)


def move(
    root: Path,
    to: str,
    *,
    schema: str | None = None,
    at: datetime,
    by: str,
    progress: Progress | None = None,
) -> JournalMove:
    """Move the journal to the database at `to`, written as in riskseg.toml, or into the workspace's
    own file. It is taken from where riskseg.toml says that it is; where that is the new place
    already, from the file.

    Safe to repeat, and to kill: see `store.journal_move`. Raises RS004 for an address that cannot
    be used, RS603 and RS619 where the journal cannot be moved, RS604 where another command works.
    """
    workspace = open_checked(root)
    named = place_of_journal(workspace)
    target = _place(workspace, to, schema)
    current = target == named
    source = workspace.journal if current else named
    if source == target:
        raise problem(
            "RS619",
            f"riskseg.toml keeps the journal in {_own_file(workspace)} already.",
            hint="To move it from a database into this file, name the database in [journal] of "
            "riskseg.toml until the move is done.",
        )
    from riskseg.store import journal_move as store

    elsewhere = nullcontext() if current else only_writer_in(target)
    with locked(workspace), elsewhere:
        moved = store.move(source, target, at=at, by=by, reached=partial(_reached, progress))
    return JournalMove(
        source=moved.source,
        target=moved.target,
        entries=moved.content.entries,
        events=moved.content.events,
        done_before=moved.done_before,
        settings=_settings(to, target),
        settings_current=current,
    )


def _reached(progress: Progress | None, phase: str) -> None:
    for number, stage in enumerate(STAGES):
        if progress is not None and stage.name == phase:
            progress.reached(stage, number, len(STAGES))


def _place(workspace: Workspace, to: str, schema: str | None) -> JournalPlace:
    """The place that is meant. Raises RS004 for an address with a password in it, RS619 for another
    file than the workspace's own."""
    if "://" not in to:
        if workspace.journal.resolve() in ((workspace.root / to).resolve(), Path(to).resolve()):
            return workspace.journal
        raise problem(
            "RS619",
            f'"{to}" is no place for the journal of this workspace.',
            hint=f"Give the address of a PostgreSQL database, or {_own_file(workspace)}.",
        )
    if has_password(to):
        raise problem(
            "RS004",
            "A password does not belong on a command line: others can read it there.",
            hint="Write ${NAME} in its place, set NAME in the environment, and put the address in "
            "single quotes.",
            file="--to",
        )
    name = schema or workspace.settings.journal_schema
    if not re.fullmatch(SCHEMA_NAME, name):
        raise problem(
            "RS004",
            f'"{name}" is no name of a schema.',
            file="--schema",
            hint="Use small letters, digits and _, and begin with a letter.",
        )
    return PostgresPlace(with_environment(to, {"file": "--to"}), name)


def _own_file(workspace: Workspace) -> str:
    return workspace.shown(workspace.journal)


def _settings(to: str, target: JournalPlace) -> str:
    """The table [journal] of riskseg.toml that names the new place; nothing for the file."""
    if isinstance(target, Path):
        return ""
    return f"[journal]\nurl = {json.dumps(to)}\nschema = {json.dumps(target.schema)}\n"
