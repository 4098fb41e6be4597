"""`models`: what is trained, how good it is, which version is the champion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.learning.artefact import Model
from riskseg.learning.scorecard.tables import Scorecard
from riskseg.run.journal import open_journal, read_journal
from riskseg.run.models import spec_files
from riskseg.run.outputs import check_output
from riskseg.run.session import locked, open_checked
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.train import Trained
    from riskseg.store.journal import Journal


@dataclass(frozen=True)
class Version:
    """One trained version. `at` is when it was trained, `auc` that of its hold-out."""

    model: str
    version: str
    learner: str
    champion: bool
    at: datetime
    auc: float | None


def versions(root: Path) -> list[Version]:
    """Every version the journal knows whose files are there, oldest first."""
    from riskseg.learning.artefact import load
    from riskseg.learning.show import summary

    workspace = open_checked(root)
    found = []
    with read_journal(workspace) as journal:
        for record in journal.models():
            champion = journal.champion(record.model)
            folder = workspace.models / record.model / record.version
            if (folder / "manifest.json").is_file():
                told = summary(load(folder, shown=workspace.shown(folder)))
                found.append(
                    Version(
                        record.model,
                        record.version,
                        told["learner"],
                        champion is not None and champion.version == record.version,
                        record.at,
                        told["metrics"]["hold_out"]["auc"],
                    )
                )
    return found


def opened(workspace: Workspace, name: str, version: str | None = None) -> tuple[Model, bool]:
    """(the version, the champion's where none is named; whether it is the champion).

    A name may bring its version along: `late_payment@0d62212175de`. Raises RS401, RS406.
    """
    from riskseg.learning.artefact import load

    if version is None and "@" in name:
        name, version = name.split("@", 1)
    with read_journal(workspace) as journal:
        champion = journal.champion(name)
    chosen = version or (champion.version if champion else None)
    if chosen is None:
        known = spec_files(workspace)
        missing = f'The model "{name}" has not been trained here.'
        mend = f"Run `riskseg train {name}`." if name in known else did_you_mean(name, known)
        raise problem("RS401", missing, mend=mend)
    folder = workspace.models / name / chosen
    model = load(folder, shown=workspace.shown(folder))
    return model, champion is not None and champion.version == chosen


def show(root: Path, name: str, version: str | None = None) -> dict[str, Any]:
    """The summary of a version, the champion's where none is named. Raises RS401, RS406."""
    from riskseg.learning.show import summary

    model, champion = opened(open_checked(root), name, version)
    return summary(model) | {"champion": champion}


def card(root: Path, name: str, version: str | None, out: Path) -> str:
    """Write a version's card, one page of HTML; the version. Raises RS401, RS406."""
    from riskseg.learning.card import card as page
    from riskseg.store.files import write_beside

    workspace = open_checked(root)
    problems = Problems()
    check_output(workspace, out, problems, (".html", ".htm"))
    problems.raise_if_any()
    model, _ = opened(workspace, name, version)
    with write_beside(out, token="card") as part:
        part.write_text(
            page(
                model.manifest,
                model.evidence,
                model.scorer.as_json() if isinstance(model.scorer, Scorecard) else None,
                model.reference,
            ),
            encoding="utf-8",
        )
    return model.version


def keep(workspace: Workspace, name: str, trained: Trained, journal: Journal, at: datetime) -> bool:
    """Write a version's files, then the journal; whether it is the champion now: the first
    version of a model is."""
    from riskseg.store.files import folder_beside
    from riskseg.store.records import ModelRecord

    home = workspace.models / name
    home.mkdir(parents=True, exist_ok=True)
    with folder_beside(home / trained.version, token="train") as part:
        for file, content in trained.files.items():
            (part / file).write_bytes(content)
    journal.record_model(
        ModelRecord(
            model=name,
            version=trained.version,
            fingerprint=trained.version,
            metrics={learner: dict(m) for learner, m in trained.metrics.items()},
            at=at,
        )
    )
    champion = journal.champion(name)
    if champion is None:
        journal.promote(name, trained.version, at=at, by="train", reason="the first version")
        champion = journal.champion(name)
    return champion is not None and champion.version == trained.version


def promote(root: Path, name: str, version: str, *, at: datetime, by: str, reason: str) -> None:
    """Make a version the champion from now on. Raises RS401, RS406."""
    from riskseg.learning.artefact import load

    workspace = open_checked(root)
    folder = workspace.models / name / version
    load(folder, shown=workspace.shown(folder))
    with locked(workspace), open_journal(workspace) as journal:
        journal.promote(name, version, at=at, by=by, reason=reason)
