"""`models`: what is trained, how good it is, which version is the champion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, problem
from riskseg.pipeline.journal import open_journal, read_journal
from riskseg.pipeline.model_versions import opened
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.session import locked, open_checked

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Version:
    """One trained version. `at` is when it was trained, or registered; `auc` that of its hold-out.
    Where its files are not `there`, `learner` is empty and `auc` None."""

    model: str
    version: str
    learner: str
    champion: bool
    at: datetime
    auc: float | None
    there: bool = True


def versions(root: Path) -> list[Version]:
    """Every version the journal knows whose files are there, and champions whose are not; the
    latest first."""
    from riskseg.learning.artefact import load
    from riskseg.learning.show import summary

    workspace = open_checked(root)
    found = []
    with read_journal(workspace) as journal:
        for record in journal.models():
            last = journal.champion(record.model)
            champion = last is not None and last.version == record.version
            folder = workspace.models / record.model / record.version
            if (folder / "manifest.json").is_file():
                told = summary(load(folder, shown=workspace.shown(folder)))
                found.append(
                    Version(
                        record.model,
                        record.version,
                        told["learner"],
                        champion,
                        record.at,
                        (told["metrics"]["hold_out"] or {}).get("auc"),
                    )
                )
            elif champion:
                found.append(
                    Version(record.model, record.version, "", True, record.at, None, there=False)
                )
    return found


def show(root: Path, name: str, version: str | None = None) -> dict[str, Any]:
    """The summary of a version, as :func:`opened` finds it. Raises RS401, RS406, RS411."""
    from riskseg.learning.show import summary

    workspace = open_checked(root)
    model, champion = opened(workspace, name, version, lone=True)
    with read_journal(workspace) as journal:
        current = journal.champion(model.name)
    return summary(model) | {
        "champion": champion,
        "champion_version": None if current is None else current.version,
    }


def card(root: Path, name: str, version: str | None, out: Path) -> str:
    """Write a version's card, one page of HTML; the version. Raises RS401, RS406."""
    from riskseg.report.model_card import card as page
    from riskseg.store.files import write_beside

    workspace = open_checked(root)
    problems = Problems()
    check_output(workspace, out, problems, (".html", ".htm"))
    problems.raise_if_any()
    model, _ = opened(workspace, name, version, lone=True)
    with write_beside(out, token="card") as part:
        part.write_text(
            page(
                model.manifest.as_json(),
                model.evidence,
                model.points_json,
                model.reference,
            ),
            encoding="utf-8",
        )
    return model.version


def promote(root: Path, name: str, version: str, *, at: datetime, by: str, reason: str) -> str:
    """Make a version, named in full or by its beginning, the champion from now on; its full name.

    Raises RS401, RS406, RS410.
    """
    workspace = open_checked(root)
    model, _ = opened(workspace, name, version)
    with locked(workspace), open_journal(workspace) as journal:
        if all(r.version != model.version for r in journal.models(name)):
            folder = workspace.shown(workspace.models / name / model.version)
            raise problem(
                "RS401",
                f"The journal does not know {name} {model.version}: it was not trained here.",
                file=folder,
                hint=f"Run `riskseg models register {folder} --promote`.",
            )
        journal.promote(name, model.version, at=at, by=by, reason=reason)
    return model.version
