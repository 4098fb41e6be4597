"""A version of a strategy by what a person calls it: a folder, or a version in the journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from riskseg.domain.problems import Problems, did_you_mean
from riskseg.pipeline.archive import authored_from
from riskseg.pipeline.fact_source import FactSource, fact_source
from riskseg.pipeline.journal import meant, read_journal
from riskseg.pipeline.session import open_checked
from riskseg.pipeline.strategies import check_here
from riskseg.store import kept as store
from riskseg.strategy.authored import AuthoredStrategy, read_strategy
from riskseg.strategy.entries import Edition
from riskseg.workspace import Workspace


@dataclass(frozen=True)
class Text:
    """A version's files: those in a folder, or `files`. `shown` stands for the folder."""

    shown: str
    folder: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None


def found(
    workspace: Workspace | None, here: Path, name: str | None, problems: Problems
) -> Text | None:
    """Where a version's files are, or None after adding RS230. `name` is a folder (relative to
    `here` or to the workspace), the name of one in `rules/`, or a version in the journal or the
    beginning of one; without it, the strategy that riskseg.toml names, or the folder `here`."""
    if name is None:
        if workspace is not None:
            line = workspace.document.line("workspace", "strategy")
            return Text(workspace.settings.strategy, workspace.strategy, line=line)
        if (here / "strategy.yaml").is_file():
            return Text(here.name, here)
        hint = "Name a strategy folder, or a workspace with `riskseg -w DIR`."
        problems.add("RS230", f"There is no strategy.yaml in {here}.", hint=hint)
        return None
    if not name.strip():
        # It begins every fingerprint.
        hint = "Give a strategy folder, or the beginning of a fingerprint."
        problems.add("RS230", "No version is named.", hint=hint)
        return None
    roots = [here, here / "rules"]
    roots += [workspace.root, workspace.root / "rules"] if workspace is not None else []
    folders = [root / name for root in roots if os.path.isdir(root / name)]
    strategies = [place for place in folders if (place / "strategy.yaml").is_file()]
    known = _journalled(workspace) if workspace is not None and not strategies else {}
    versions = sorted(meant(name, known))
    if len(versions) == 1:
        return known[versions[0]]
    # A folder that holds no strategy is taken where the name can mean nothing else.
    for place in (*strategies, *(folders if not versions else ())):
        shown = workspace.shown(place.resolve()) if workspace is not None else name
        return Text(shown, place)
    if versions:
        told = f'"{name}" could be {" or ".join(versions)}.'
        problems.add("RS230", told, hint="Give more of the fingerprint.")
        return None
    near = [p.parent for root in roots for p in root.glob("*/strategy.yaml")]
    names = [workspace.shown(p.resolve()) if workspace is not None else p.name for p in near]
    problems.add(
        "RS230",
        f'"{name}" is no strategy folder and no version in the journal.',
        hint=did_you_mean(name, [*names, *(p.name for p in near), *known]),
    )
    return None


def authored_of(text: Text, problems: Problems) -> AuthoredStrategy | None:
    """What a version's files say, or None after adding their Problems."""
    if text.folder is not None:
        return read_strategy(text.folder, problems, shown=text.shown, line=text.line)
    return authored_from(text.files, problems, shown=text.shown)


@contextmanager
def checked_editions(
    root: Path | None,
    names: Sequence[str | None],
    here: Path,
    *,
    data: bool = True,
    loading: Callable[[], None] = lambda: None,
) -> Iterator[tuple[FactSource, list[Edition]]]:
    """The versions that are named, checked against the facts of the workspace's data; without a
    workspace (`root`) or `data`, against the facts that are declared. Raises all their Problems
    together."""
    workspace = open_checked(root) if root is not None else None
    problems = Problems()
    texts = [found(workspace, here, name, problems) for name in names]
    problems.raise_if_any()
    authored = [authored_of(text, problems) for text in texts if text is not None]
    read = [one for one in authored if one is not None]
    if workspace is None or not data:
        # Which facts there are is read off the rules themselves.
        problems.raise_if_any()
    with fact_source(workspace, read, data=data, loading=loading) as source:
        editions = []
        for one in read:
            strategy = check_here(source, one, problems)
            if strategy is not None:
                editions.append(Edition(strategy, one.documents, one.texts))
        problems.raise_if_any()
        yield source, editions


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
