"""`models`: what is trained, how good it is, which version is the champion."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problems, problem
from riskseg.learning.artefact import load
from riskseg.learning.show import summary
from riskseg.pipeline.model_versions import opened, summarised
from riskseg.pipeline.open_journal import open_journal, read_journal
from riskseg.pipeline.outputs import check_output
from riskseg.pipeline.session import locked, open_checked
from riskseg.results.models import (
    ModelCard,
    ModelSummary,
    ModelVersion,
    ModelVersions,
    Promoted,
    Promotion,
)
from riskseg.store.files import write_beside

if TYPE_CHECKING:
    from riskseg.store.journal import Journal
    from riskseg.store.records import ModelRecord


def versions(root: Path) -> ModelVersions:
    """Every version the journal knows whose files are there, and champions whose are not; the
    latest first."""
    workspace = open_checked(root)
    listed_versions = []
    with read_journal(workspace) as journal:
        for record in journal.models():
            champion_record = journal.champion(record.model)
            champion = champion_record is not None and champion_record.version == record.version
            folder = workspace.models / record.model / record.version
            if (folder / "manifest.json").is_file():
                version_summary = summary(load(folder, shown=workspace.shown(folder)))
                auc = (version_summary["metrics"]["hold_out"] or {}).get("auc")
                learner, in_place = version_summary["learner"], True
            elif champion:
                auc, learner, in_place = None, "", False
            else:
                continue
            listed_versions.append(
                ModelVersion(
                    model=record.model,
                    version=record.version,
                    learner=learner,
                    champion=champion,
                    at=record.at,
                    auc=auc,
                    there=in_place,
                    promoted=_promoted(journal, record),
                )
            )
    return ModelVersions(tuple(listed_versions))


def _promoted(journal: Journal, record: ModelRecord) -> Promoted | None:
    """The last time that a version was made the champion."""
    for promotion in journal.promotions(record.model):
        if promotion.version == record.version:
            return Promoted(at=promotion.at, by=promotion.by, reason=promotion.reason)
    return None


def show(root: Path, name: str, version: str | None = None) -> ModelSummary:
    """The summary of a version, as :func:`opened` finds it. Raises RS401, RS406, RS411."""
    workspace = open_checked(root)
    model, _ = opened(workspace, name, version, lone=True)
    with read_journal(workspace) as journal:
        current = journal.champion(model.name)
    return summarised(model, None if current is None else current.version)


def card(root: Path, name: str, version: str | None, out: Path) -> ModelCard:
    """Write a version's card, one page of HTML. Raises RS401, RS406."""
    from riskseg.report.model_card import card as page

    workspace = open_checked(root)
    problems = Problems()
    check_output(workspace, out, problems, (".html", ".htm"))
    problems.raise_if_any()
    model, _ = opened(workspace, name, version, lone=True)
    with write_beside(out, token="card") as part:
        part.write_text(
            page(
                model.manifest,
                model.evidence,
                model.points_json,
                model.reference,
            ),
            encoding="utf-8",
        )
    return ModelCard(model=model.name, version=model.version, place=str(out))


def promote(
    root: Path, name: str, version: str, *, at: datetime, by: str, reason: str
) -> Promotion:
    """Make a version, named in full or by its beginning, the champion from now on.

    Raises RS401, RS406, RS410.
    """
    workspace = open_checked(root)
    model, _ = opened(workspace, name, version)
    with locked(workspace), open_journal(workspace) as journal:
        if all(model_record.version != model.version for model_record in journal.models(name)):
            folder = workspace.shown(workspace.models / name / model.version)
            raise problem(
                "RS401",
                f"The journal does not know {name} {model.version}: it was not trained here.",
                file=folder,
                hint=f"Run `riskseg models register {folder} --promote`.",
            )
        journal.promote(name, model.version, at=at, by=by, reason=reason)
    return Promotion(model=name, version=model.version)
