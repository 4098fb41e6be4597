"""A version of a strategy by what a person calls it: a folder, or a version in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from riskseg.domain.problems import Problems, did_you_mean
from riskseg.run.journal import read_journal
from riskseg.run.kept import authored_from
from riskseg.run.rules import check_here
from riskseg.run.session import Session
from riskseg.store import kept as store
from riskseg.strategy.authored import read_strategy
from riskseg.strategy.entries import Edition
from riskseg.workspace import Workspace


@dataclass(frozen=True)
class Text:
    """A version's files: those in a folder, or `files`. `shown` stands for the folder."""

    shown: str
    folder: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def found(workspace: Workspace, here: Path, name: str | None, problems: Problems) -> Text | None:
    """Where a version's files are; a folder comes before a version in the journal."""
    if name is None:
        return Text(workspace.settings.strategy, folder=workspace.strategy)
    if not name.strip():
        # It begins every fingerprint.
        mend = "Give a strategy folder, or the beginning of a fingerprint."
        problems.add("RS230", "No version is named.", mend=mend)
        return None
    for place in (here / name, workspace.root / name):
        if place.is_dir():
            return Text(workspace.shown(place.resolve()), folder=place)
    known = _journalled(workspace)
    meant = sorted(fingerprint for fingerprint in known if fingerprint.startswith(name))
    if len(meant) == 1:
        return known[meant[0]]
    if meant:
        told = f'"{name}" could be {" or ".join(meant)}.'
        problems.add("RS230", told, mend="Give more of the fingerprint.")
        return None
    near = [workspace.shown(p.parent) for p in workspace.root.glob("*/*/strategy.yaml")]
    problems.add(
        "RS230",
        f'"{name}" is no strategy folder and no version in the journal.',
        mend=did_you_mean(name, [*near, *known]),
    )
    return None


def _journalled(workspace: Workspace) -> dict[str, Text]:
    """Versions by fingerprint whose text was kept: those ever activated, and those of runs that
    kept their inputs. Of several texts with one fingerprint, the latest activated."""
    found: dict[str, Text] = {}
    with read_journal(workspace) as journal:
        for record in journal.strategies():
            shown = f"{record.name}@{record.fingerprint}"
            found.setdefault(record.fingerprint, Text(shown, files=record.files))
        for run in journal.runs():
            folder = workspace.state / "runs" / run.run_id / store.STRATEGY
            if run.strategy and folder.is_dir():
                found.setdefault(run.strategy, Text(workspace.shown(folder), folder=folder))
    return found


def read(session: Session, text: Text, problems: Problems) -> Edition | None:
    """The version checked against the facts of the workspace, or None after adding Problems."""
    if text.folder is not None:
        authored = read_strategy(text.folder, problems, shown=text.shown)
    else:
        authored = authored_from(text.files, problems, shown=text.shown)
    if authored is None:
        return None
    strategy = check_here(session, authored, problems)
    return Edition(strategy, authored.documents, authored.texts) if strategy else None
