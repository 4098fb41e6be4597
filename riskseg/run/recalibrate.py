"""`models recalibrate`: a version whose probabilities are moved to how recent accounts came out."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from riskseg.domain.problems import Problems
from riskseg.learning.artefact import Model
from riskseg.learning.manifest import Manifest
from riskseg.learning.recalibrate import recalibrated
from riskseg.learning.spec import AuthoredSpec
from riskseg.pipeline.feed_checks import check_feeds
from riskseg.pipeline.model_versions import KEEP, keep, opened
from riskseg.pipeline.models import spec_of
from riskseg.pipeline.open_journal import open_journal
from riskseg.pipeline.session import LOAD, begin, locked, open_checked, scratch_engine, set_apart
from riskseg.pipeline.stages import Plan, Progress, Stage
from riskseg.pipeline.training_rows import LABEL, OBSERVE, JudgingJob
from riskseg.results.models import Metrics, Recalibration
from riskseg.workspace import Workspace

MOVE = Stage("recalibrate", "a line on the log-odds, by how recent accounts came out")


class _Recalibration(JudgingJob):
    """What a run of `models recalibrate` holds while it is carried out."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        version: str | None,
        *,
        since: date | None,
        slope: bool,
        accept_feeds: bool,
        at: datetime,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.accept_feeds = accept_feeds
        self.workspace, self.name, self.version = workspace, name, version
        self.since, self.slope, self.at = since, slope, at

    def load(self) -> None:
        workspace, enter = self.workspace, self.opened.enter_context
        enter(locked(workspace))
        self.engine = enter(scratch_engine(workspace, lasting=True))
        self.model, _ = opened(workspace, self.name, self.version)
        self.models = [self.model]
        self.session = begin(workspace, self.engine, outcomes=True)
        check_feeds(self.session, None, accept=self.accept_feeds, progress=self.progress)
        set_apart(self.session, self.progress)
        self.authored = spec_of(workspace, self.model.name)
        _same_question(self.authored, self.model)

    def recalibrate(self) -> None:
        self.made = recalibrated(
            self.model,
            self.frame,
            self.authored,
            since=self.since or _day_after(self.model.manifest),
            slope=self.slope,
            threads=self.engine.threads,
        )

    def keep(self) -> None:
        model, made = self.model, self.made
        with open_journal(self.workspace) as journal:
            kept = keep(self.workspace, model.name, made.trained, journal, self.at)
        self.done = Recalibration(
            name=model.name,
            version=made.trained.version,
            parent=model.version,
            champion=kept.champion,
            rows=made.rows,
            bad=made.bad,
            first=_text(made.first),
            last=_text(made.last),
            slope=made.slope,
            intercept=made.intercept,
            before=Metrics.model_validate(made.before),
            after=Metrics.model_validate(made.after),
            notes=made.notes,
        )


def plan(root: Path, name: str, version: str | None = None) -> Plan:
    """What `models recalibrate` carries out. Raises RS401 and RS406 as it does."""
    opened(open_checked(root), name, version)
    return _stages()


def _stages() -> Plan:
    return [
        LOAD.by(_Recalibration.load),
        OBSERVE.by(_Recalibration.observe),
        LABEL.by(_Recalibration.label),
        MOVE.by(_Recalibration.recalibrate),
        KEEP.by(_Recalibration.keep),
    ]


def recalibrate(
    root: Path,
    name: str,
    version: str | None = None,
    *,
    since: date | None = None,
    slope: bool = False,
    accept_feeds: bool = False,
    at: datetime,
    progress: Progress | None = None,
) -> Recalibration:
    """Keep a new version of a model, recalibrated to the accounts observed since a day, less those
    that it learned from.

    Left out, the day is the one after the last that the version was trained or validated on; where
    accounts were observed once, those that it held out are taken.
    The version it comes from is its parent; it is not promoted. Raises RS401, RS402, RS406, and
    RS650 for sources that are not as expected, unless it is to `accept_feeds`.
    """
    job = _Recalibration(
        open_checked(root),
        name,
        version,
        since=since,
        slope=slope,
        accept_feeds=accept_feeds,
        at=at,
        progress=progress,
    )
    job.carry_out(_stages())
    return job.done


def _same_question(authored: AuthoredSpec, model: Model) -> None:
    """Outcomes of another question say nothing of this model. Raises RS408."""
    spec_now, manifest_then = authored.spec, model.manifest
    problems = Problems()
    for key, is_same in (
        ("target", spec_now.target == manifest_then.spec.target),
        ("population", spec_now.population == manifest_then.population),
    ):
        if not is_same:
            problems.add(
                "RS408",
                f"The spec's {key} is not the one that version {model.version} was trained on.",
                file=authored.file,
                line=authored.line(key),
                hint=f"Restore the {key}, or train the model again.",
            )
    problems.raise_if_any()


def _day_after(manifest: Manifest) -> date | None:
    """The day after the last that was validated on; None where days say nothing of what is new."""
    last, learned = manifest.hold_out.until, manifest.training
    once = learned.rows and learned.from_ == learned.until
    return None if last is None or once else last + timedelta(days=1)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
