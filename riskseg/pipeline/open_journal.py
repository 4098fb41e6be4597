"""The door to a workspace's journal: one that is gone is never taken for one that is new."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, ProblemsError
from riskseg.store import run_inputs as store
from riskseg.store.journal_place import JournalPlace, PostgresPlace
from riskseg.workspace import Workspace
from riskseg.workspace.addresses import with_environment

if TYPE_CHECKING:
    from riskseg.store.journal import Journal


def place_of_journal(workspace: Workspace) -> JournalPlace:
    """Where the journal is kept: the workspace's own file, or what [journal] names.

    Raises RS004 where its address needs something of the environment that is not there.
    """
    url = workspace.settings.journal_url
    if url is None:
        return workspace.journal
    url = with_environment(url, workspace.document.at("journal", "url"))
    return PostgresPlace(url, workspace.settings.journal_schema)


def name_of_journal(workspace: Workspace) -> str:
    """The journal as a person in the workspace would name it."""
    return workspace.settings.journal_url or workspace.shown(workspace.journal)


def open_journal(workspace: Workspace) -> Journal:
    """The journal, to write in. Raises RS603 where it is gone."""
    return _there(workspace).open(place_of_journal(workspace), workspace.root)


def read_journal(workspace: Workspace) -> Journal:
    """The journal, for a command that writes nothing. Raises RS603 where it is gone."""
    return _there(workspace).open_to_read(place_of_journal(workspace), workspace.root)


@contextmanager
def only_writer(workspace: Workspace) -> Iterator[None]:
    """Keep commands on other machines away from a journal that they share while the block runs.
    Raises RS604 where one works with it."""
    with only_writer_in(place_of_journal(workspace)):
        yield


@contextmanager
def only_writer_in(place: JournalPlace) -> Iterator[None]:
    """The same of the journal at a place. The file of a workspace has the lock of the workspace."""
    if isinstance(place, Path):
        yield
        return
    from riskseg.store.postgres_journal import PostgresJournal

    database = PostgresJournal.to_write(place)
    try:
        with database.only_writer():
            yield
    finally:
        database.close()


def _there(workspace: Workspace) -> type[Journal]:
    """What opens the journal, loaded once it is known not to be gone."""
    from riskseg.store.journal import Journal

    problems = Problems()
    check_there(workspace, problems)
    problems.raise_if_any()
    return Journal


def check_there(workspace: Workspace, problems: Problems) -> None:
    """Add RS603 where the journal is gone, or its database cannot be asked.

    A run makes the journal before it keeps anything, so that what is kept without one has lost
    it: activations and promotions with it, and to go on would decide by whatever is in the folder.
    """
    runs = workspace.state / "runs"
    try:
        place = place_of_journal(workspace)
        if _has_entries(place):
            return
    except ProblemsError as error:
        problems.extend(error.problems)
        return
    if not isinstance(place, Path) and _has_entries(workspace.journal):
        _check_file_was_left(workspace, problems)
        return
    kept_count = sum(map(store.is_kept, store.folders(runs)))
    if kept_count:
        is_empty = isinstance(place, Path) and place.exists()
        they = "1 run has" if kept_count == 1 else f"{kept_count} runs have"
        problems.add(
            "RS603",
            f"The journal {'is empty' if is_empty else 'is gone'}, though {they} kept inputs.",
            file=name_of_journal(workspace),
            hint=f"Restore it from a copy. To start over, with nothing activated or promoted and "
            f"no run known, remove {workspace.shown(runs)}.",
        )


def _check_file_was_left(workspace: Workspace, problems: Problems) -> None:
    """Add RS603 for a database without a journal where the workspace has one in its own file: one
    that goes on would be forgotten, and one that was moved away is no longer true."""
    from riskseg.store.journal import Journal

    shown, place = workspace.shown(workspace.journal), name_of_journal(workspace)
    try:
        Journal.open_to_read(workspace.journal, workspace.root).close()
    except ProblemsError as error:
        problems.add(
            "RS603",
            "There is no journal in the database that riskseg.toml names, and the one in "
            f"{shown} cannot be used.",
            file=place,
            hint="Restore it from a copy, or correct [journal] in riskseg.toml.",
        )
        problems.extend(error.problems)
        return
    problems.add(
        "RS603",
        "riskseg.toml names a database for the journal, and there is no journal in it, while "
        f"this workspace has one in {shown}: what it knows was activated, promoted and issued "
        "would be forgotten.",
        file=place,
        hint=f"Move it to the database: {_command_to_move(workspace)}. Or remove [journal] from "
        "riskseg.toml to go on with the file. To start over in the database, move "
        f"{shown} and {workspace.shown(workspace.state / 'runs')} out of the workspace.",
    )


def _command_to_move(workspace: Workspace) -> str:
    """The command that moves the journal to where riskseg.toml says, as it is given to a shell."""
    settings = workspace.settings
    words = ("riskseg", "journal", "move", "--to", settings.journal_url or "")
    return shlex.join([*words, "--schema", settings.journal_schema])


def _has_entries(place: JournalPlace) -> bool:
    """Whether there is a journal at a place."""
    if isinstance(place, Path):
        return place.exists() and not (place.is_file() and place.stat().st_size == 0)
    from riskseg.store.postgres_journal import PostgresJournal

    database = PostgresJournal.to_read(place)
    if database is not None:
        database.close()
    return database is not None


def unknown_runs(workspace: Workspace, journal: Journal) -> list[str]:
    """Runs that the journal once knew and does not know now: it is an older copy."""
    known = {run.run_id for run in journal.decided_runs()}
    folders = store.folders(workspace.state / "runs")
    return [f.name for f in folders if f.name not in known and store.is_journalled(f)]


def unknown_runs_message(workspace: Workspace, names: list[str]) -> str:
    """The message about such runs."""
    runs = "1 kept run" if len(names) == 1 else f"{len(names)} kept runs"
    shown_runs = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    runs_folder = workspace.shown(workspace.state / "runs")
    return (
        f"the journal does not know {runs} in {runs_folder} that it once knew: {shown_runs}. It is "
        "an older copy, and what was activated or promoted since may be missing too. They are left "
        "as they are: restore a later copy, or remove their folders"
    )


def meant(name: str, versions: Iterable[str]) -> list[str]:
    """The versions that a name stands for: the one of that name, else those it begins."""
    known = list(dict.fromkeys(versions))
    return [name] if name in known else [v for v in known if name and v.startswith(name)]
