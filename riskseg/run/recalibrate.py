"""`models recalibrate`: a version whose probabilities are moved to how recent accounts came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from riskseg.domain.facts import folded
from riskseg.domain.problems import Problems
from riskseg.learning.spec import AuthoredSpec
from riskseg.pipeline.journal import open_journal
from riskseg.pipeline.model_versions import KEEP, keep, opened
from riskseg.pipeline.models import spec_of
from riskseg.pipeline.session import LOAD, begin, locked, open_checked, scratch_engine, set_apart
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.training_rows import LABEL, OBSERVE, rows_to_judge

MOVE = Stage("recalibrate", "a line on the log-odds, by how recent accounts came out", "model")


def plan() -> list[Stage]:
    return [LOAD, OBSERVE, LABEL, MOVE, KEEP]


@dataclass(frozen=True)
class Recalibrated:
    """`before` and `after` are metrics on the recent accounts, `after` by folds of parties that
    the line was not fitted to."""

    name: str
    version: str
    parent: str
    champion: bool
    rows: int
    bad: int
    first: str | None
    last: str | None
    slope: float
    intercept: float
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def recalibrate(
    root: Path,
    name: str,
    version: str | None = None,
    *,
    since: date | None = None,
    slope: bool = False,
    at: datetime,
    progress: Progress | None = None,
) -> Recalibrated:
    """Keep a new version of a model, recalibrated to the accounts observed since a day, less those
    that it learned from.

    Left out, the day is the one after the last that the version was trained or validated on; where
    accounts were observed once, those that it held out are taken.
    The version it comes from is its parent; it is not promoted. Raises RS401, RS402, RS406.
    """
    from riskseg.learning.recalibrate import recalibrated

    progress = progress or Progress()
    workspace = open_checked(root)
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        model, _ = opened(workspace, name, version)
        progress.reached(LOAD, 0, 5)
        session = begin(workspace, engine, outcomes=True)
        set_apart(session, progress)
        authored = spec_of(workspace, model.name)
        _same_question(authored, model.manifest["spec"], model.version)
        frame = rows_to_judge(
            session,
            authored,
            [model],
            lambda step: progress.reached((OBSERVE, LABEL)[step], 1 + step, 5),
        )
        progress.reached(MOVE, 3, 5)
        first = since or _day_after(model.manifest)
        made = recalibrated(
            model, frame, authored, since=first, slope=slope, threads=engine.threads
        )
        progress.reached(KEEP, 4, 5)
        with open_journal(workspace) as journal:
            champion = keep(workspace, model.name, made.trained, journal, at).champion
    return Recalibrated(
        name=model.name,
        version=made.trained.version,
        parent=model.version,
        champion=champion,
        rows=made.rows,
        bad=made.bad,
        first=made.first,
        last=made.last,
        slope=made.slope,
        intercept=made.intercept,
        before=made.before,
        after=made.after,
        notes=made.notes,
    )


def _same_question(authored: AuthoredSpec, trained: Mapping[str, Any], version: str) -> None:
    """Outcomes of another question say nothing of this model. Raises RS408."""
    asked = authored.spec.model_dump(mode="json", by_alias=True)
    problems = Problems()
    for key in ("target", "population"):
        if _plain(asked[key]) != _plain(trained[key]):
            problems.add(
                "RS408",
                f"The spec's {key} is not the one that version {version} was trained on.",
                file=authored.file,
                line=authored.line(key),
                hint=f"Restore the {key}, or train the model anew.",
            )
    problems.raise_if_any()


def _plain(asked: Any) -> Any:
    """A target with its column's name folded: an older version may have it in another case."""
    if isinstance(asked, Mapping) and asked.get("column") is not None:
        return {**asked, "column": folded(asked["column"])}
    return asked


def _day_after(manifest: Mapping[str, Any]) -> date | None:
    last, learned = manifest["hold_out"]["until"], manifest["training"]
    once = learned["rows"] and learned["from"] == learned["until"]
    return None if last is None or once else date.fromisoformat(last) + timedelta(days=1)
