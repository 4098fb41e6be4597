"""A version of a strategy by what a person calls it: a folder, or a version in the journal."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, ProblemsError, did_you_mean
from riskseg.pipeline.archive import authored_from
from riskseg.pipeline.fact_source import FactSource, declared_facts, from_data
from riskseg.pipeline.open_journal import meant, read_journal
from riskseg.pipeline.session import LOAD, open_checked
from riskseg.pipeline.stages import Job, Progress, Stage
from riskseg.pipeline.strategies import check_here
from riskseg.store import run_inputs as store
from riskseg.strategy.authored import AuthoredStrategy, read_strategy
from riskseg.strategy.editions import Edition
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.store.records import RunRecord


@dataclass(frozen=True)
class Text:
    """A version's files: those in a folder, or `files`. `shown` stands for the folder."""

    shown: str
    folder: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True)
class InForceOn:
    """The version that the journal says is in force on a day; without a day, the one that was
    activated last."""

    day: date | None


def find_version(
    workspace: Workspace | None, here: Path, name: str | InForceOn | None, problems: Problems
) -> Text | None:
    """Where a version's files are, or None after adding RS230. `name` is a folder (relative to
    `here` or to the workspace), the name of one in `rules/`, or a version in the journal or the
    beginning of one; without it, the strategy that riskseg.toml names, or the folder `here`."""
    if isinstance(name, InForceOn):
        return _in_force(workspace, name.day, problems)
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
    strategies = [candidate for candidate in folders if (candidate / "strategy.yaml").is_file()]
    journalled = _journalled(workspace) if workspace is not None and not strategies else {}
    # NAME@VERSION is how a version is shown.
    versions = sorted(meant(name.rpartition("@")[2], journalled))
    if len(versions) == 1:
        return journalled[versions[0]]
    # A folder that holds no strategy is taken where the name can mean nothing else.
    for candidate in (*strategies, *(folders if not versions else ())):
        shown_name = workspace.shown(candidate.resolve()) if workspace is not None else name
        return Text(shown_name, candidate)
    if versions:
        message = f'"{name}" could be {" or ".join(versions)}.'
        problems.add("RS230", message, hint="Give more of the fingerprint.")
        return None
    nearby = [
        strategy_file.parent for root in roots for strategy_file in root.glob("*/strategy.yaml")
    ]
    nearby_names = [
        workspace.shown(strategy_file.resolve()) if workspace is not None else strategy_file.name
        for strategy_file in nearby
    ]
    problems.add(
        "RS230",
        f'"{name}" is neither a strategy folder nor a version in the journal.',
        hint=did_you_mean(
            name, [*nearby_names, *(strategy_file.name for strategy_file in nearby), *journalled]
        ),
    )
    return None


def _in_force(workspace: Workspace | None, day: date | None, problems: Problems) -> Text | None:
    """The text that the journal keeps of the version in force. Where none was ever activated, the
    one that the latest run decided by; None after adding RS605."""
    hint = "Name the versions to compare, such as a strategy folder."
    if workspace is None:
        message = "Without a workspace no strategy is in force."
        problems.add("RS605", message, hint=hint)
        return None
    with read_journal(workspace) as journal:
        activations = journal.activations()
        active = next(iter(activations), None) if day is None else journal.in_force(day)
        if active is not None:
            record = journal.strategy(active)
            return Text(f"{record.name}@{record.fingerprint}", files=record.files)
        if not activations:
            for run in journal.decided_runs():
                if (folder := _kept_of(workspace, run)).is_dir():
                    return Text(workspace.shown(folder), folder=folder)
    message = "No strategy is in force: none was activated, and no run has kept one."
    if activations:
        first_day = min(activation.effective_from for activation in activations)
        message = f"No strategy is in force on {day}: the first holds from {first_day}."
        hint = f"{hint} {activate_earlier(day)}"
    problems.add("RS605", message, hint=hint)
    return None


def activate_earlier(day: date | None) -> str:
    """How a strategy comes to be in force on a day before the first activation."""
    return (
        "To have a strategy in force from that day on: `riskseg strategy activate --by NAME "
        f"--from {day}`."
    )


def _kept_of(workspace: Workspace, run: RunRecord) -> Path:
    """Where the text of the strategy is that a run decided by, if the run kept its inputs."""
    return workspace.state / "runs" / run.run_id / store.STRATEGY


def authored_of(text: Text, problems: Problems) -> AuthoredStrategy | None:
    """What a version's files say, or None after adding their Problems."""
    if text.folder is not None:
        return read_strategy(text.folder, problems, shown=text.shown, line=text.line)
    return authored_from(text.files, problems, shown=text.shown)


class VersionsJob(Job):
    """A job on the versions of a strategy that are named, checked against the facts of the
    workspace's data; without a workspace (`root`) or `data`, against the facts that are declared.
    """

    def __init__(
        self,
        root: Path | None,
        names: Sequence[str | InForceOn | None],
        here: Path,
        *,
        data: bool = True,
        progress: Progress | None = None,
    ) -> None:
        """Read the versions. Raises RS230 for one that cannot be found."""
        super().__init__(progress)
        self.workspace = open_checked(root) if root is not None else None
        self.data = data and root is not None
        self.problems = Problems()
        texts = [find_version(self.workspace, here, name, self.problems) for name in names]
        self.problems.raise_if_any()
        authored = [
            (authored_of(text, self.problems), text.folder is not None)
            for text in texts
            if text is not None
        ]
        self.drafts = [draft for strategy, draft in authored if strategy is not None]
        self.authored = [strategy for strategy, _ in authored if strategy is not None]

    @property
    def needs_data(self) -> bool:
        """Whether the command has no `--no-data`."""
        return False

    def load(self) -> None:
        """The facts of the workspace's data. Raises the Problems of data and catalogue."""
        assert self.workspace is not None
        try:
            self.source = self.opened.enter_context(from_data(self.workspace))
        except ProblemsError as error:
            if self.needs_data:
                raise
            raise _or_without_data(error) from error

    def check(self) -> None:
        """Check the versions. Raises all their Problems together."""
        if not self.data:
            # Which facts there are is read off the rules themselves.
            self.problems.raise_if_any()
            declared = declared_facts(self.workspace, self.authored)
            self.source = self.opened.enter_context(declared)
        self.editions = []
        for authored, draft in zip(self.authored, self.drafts, strict=True):
            strategy = check_here(self.source, authored, self.problems, draft=draft)
            if strategy is not None:
                self.editions.append(Edition(strategy, authored.documents, authored.texts))
        self.problems.raise_if_any()


def _or_without_data(error: ProblemsError) -> ProblemsError:
    """The Problems of data; where a file or a table is missing, the last such names `--no-data`."""
    problems = list(error.problems)
    missing = [place for place, found in enumerate(problems) if found.code == "RS006"]
    for place in missing[-1:]:
        hint = f"{problems[place].hint} To go without the data, add --no-data.".strip()
        problems[place] = replace(problems[place], hint=hint)
    return ProblemsError(problems)


READ = Stage("read", "read and check the strategy")


def checking(job: type[VersionsJob], *, data: bool, read: Stage = READ) -> list[Stage]:
    """The stages up to the checked versions; with `data`, a workspace's are loaded."""
    return [*([LOAD.by(job.load)] if data else []), read.by(job.check)]


@contextmanager
def checked_editions(
    root: Path | None, names: Sequence[str | None], here: Path, *, data: bool = True
) -> Iterator[tuple[FactSource, list[Edition]]]:
    """The versions that are named, checked; see :class:`VersionsJob`."""
    job = VersionsJob(root, names, here, data=data)
    with job.opened:
        for stage in checking(VersionsJob, data=job.data):
            stage.run(job)
        yield job.source, job.editions


def _journalled(workspace: Workspace) -> dict[str, Text]:
    """Versions by fingerprint whose text was kept: those ever activated, and those of runs that
    kept their inputs. Of several texts with one fingerprint, the latest activated."""
    versions: dict[str, Text] = {}
    with read_journal(workspace) as journal:
        for record in journal.strategies():
            shown_version = f"{record.name}@{record.fingerprint}"
            versions.setdefault(record.fingerprint, Text(shown_version, files=record.files))
        for run in journal.decided_runs():
            folder = _kept_of(workspace, run)
            if run.strategy and folder.is_dir():
                versions.setdefault(run.strategy, Text(workspace.shown(folder), folder=folder))
    return versions
