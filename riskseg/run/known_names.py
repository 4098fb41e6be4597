"""The names that a command line may give, as a workspace has them: what a shell completes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from riskseg.domain.problems import Problems
from riskseg.pipeline.models import spec_files, there, without_spec
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import open_checked
from riskseg.pipeline.strategies import read_authored
from riskseg.strategy.authored import AuthoredStrategy
from riskseg.workspace import Workspace

Of = Literal["models", "strategies", "strategy versions", "segments", "actions", "channels", "runs"]


def known_names(root: Path, of: Of) -> list[str]:
    """The names of a kind that a workspace has, in a fixed order. Raises its Problems."""
    workspace = open_checked(root)
    match of:
        case "models":
            return sorted({*spec_files(workspace), *without_spec(workspace)})
        case "strategies":
            folders = (workspace.root / "rules").glob("*/strategy.yaml")
            return [*sorted(file.parent.name for file in folders), *_journalled(workspace)]
        case "strategy versions":
            return _journalled(workspace)
        case "segments":
            return list(dict.fromkeys(row.segment for row in _strategy(workspace).segments.rows))
        case "actions":
            return [action.name for action in _strategy(workspace).head.actions]
        case "channels":
            return sorted({action.channel for action in _strategy(workspace).head.actions})
        case "runs":
            with read_journal(workspace) as journal:
                return ["last", *(run.run_id for run in reversed(journal.decided_runs()))]


def versions(root: Path, model: str) -> list[str]:
    """The versions of a model that are there."""
    return there(open_checked(root), model)


def _strategy(workspace: Workspace) -> AuthoredStrategy:
    problems = Problems()
    authored = read_authored(workspace, problems)
    problems.raise_if_any()
    assert authored is not None
    return authored


def _journalled(workspace: Workspace) -> list[str]:
    with read_journal(workspace) as journal:
        return sorted({record.fingerprint for record in journal.strategies()})
