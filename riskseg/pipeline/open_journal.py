"""The door to a workspace's journal: one that is gone is never taken for one that is new."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems
from riskseg.store import run_inputs as store
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.journal import Journal


def open_journal(workspace: Workspace) -> Journal:
    """The journal, to write in. Raises RS603 where it is gone."""
    return _there(workspace).open(workspace.journal)


def read_journal(workspace: Workspace) -> Journal:
    """The journal, for a command that writes nothing. Raises RS603 where it is gone."""
    return _there(workspace).open_to_read(workspace.journal)


def _there(workspace: Workspace) -> type[Journal]:
    """What opens the journal, loaded once it is known not to be gone."""
    from riskseg.store.journal import Journal

    problems = Problems()
    check_there(workspace, problems)
    problems.raise_if_any()
    return Journal


def check_there(workspace: Workspace, problems: Problems) -> None:
    """Add RS603 where the journal is gone.

    A run makes the journal before it keeps anything, so that what is kept without one has lost
    it: activations and promotions with it, and to go on would decide by whatever is in the folder.
    """
    path = workspace.journal
    if path.exists() and not (path.is_file() and path.stat().st_size == 0):
        return
    runs = workspace.state / "runs"
    count = sum(map(store.is_kept, store.folders(runs)))
    if count:
        state = "is empty" if path.exists() else "is gone"
        they = "1 run has" if count == 1 else f"{count} runs have"
        problems.add(
            "RS603",
            f"The journal {state}, though {they} kept inputs.",
            file=workspace.shown(path),
            hint=f"Restore it from a copy. To begin anew, with nothing activated or promoted and "
            f"no run known, remove {workspace.shown(runs)}.",
        )


def unknown_runs(workspace: Workspace, journal: Journal) -> list[str]:
    """Runs that the journal once knew and does not know now: it is an older copy."""
    known = {run.run_id for run in journal.runs()}
    folders = store.folders(workspace.state / "runs")
    return [f.name for f in folders if f.name not in known and store.is_journalled(f)]


def unknown_runs_message(workspace: Workspace, names: list[str]) -> str:
    """What a person is told of such runs."""
    runs = "1 kept run" if len(names) == 1 else f"{len(names)} kept runs"
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    where = workspace.shown(workspace.state / "runs")
    return (
        f"the journal does not know {runs} in {where} that it once knew: {shown}. It is an older "
        "copy, and what was activated or promoted since may be missing too. They are left as they "
        "are: restore a later copy, or remove their folders"
    )


def meant(name: str, versions: Iterable[str]) -> list[str]:
    """The versions that a name stands for: the one of that name, else those it begins."""
    known = list(dict.fromkeys(versions))
    return [name] if name in known else [v for v in known if name and v.startswith(name)]
