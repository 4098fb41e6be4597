"""`train`: from the ledger to a kept version of each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import Problem, Problems, ProblemsError, did_you_mean, problem
from riskseg.learning import train as learning
from riskseg.learning.learners import registered
from riskseg.learning.spec import AuthoredSpec
from riskseg.pipeline.buckets import bucket_ledger
from riskseg.pipeline.feed_checks import check_feeds
from riskseg.pipeline.labelled_rows import Drawn, labelled, observe
from riskseg.pipeline.model_versions import KEEP, keep, summarised
from riskseg.pipeline.models import check_spec, read_specs, without_hint, without_spec
from riskseg.pipeline.observation_points import Asked, asked
from riskseg.pipeline.on_spark import on_spark, ranges_for, spark_at
from riskseg.pipeline.open_journal import open_journal, read_journal
from riskseg.pipeline.protected_names import note_of, unmarked
from riskseg.pipeline.session import (
    LOAD,
    Session,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.pipeline.special_values import proposed
from riskseg.pipeline.stages import ForEach, Job, NothingLeft, Plan, Progress, Stage
from riskseg.pipeline.training_rows import (
    LABEL,
    OBSERVE,
    check_settings,
    training_frame,
    wanted_rows,
)
from riskseg.pipeline.work_on_buckets import Observing, observe_bucket
from riskseg.results.models import TrainedModel, Training
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.learning.frame import TrainingFrame
    from riskseg.learning.train import Trained

LEARN = Stage("learn", "learn, calibrate, compare inside the training window; validate", weight=12)

# There is too little, as yet, to learn this model from. The other models are trained all the same.
TOO_LITTLE = frozenset({"RS402", "RS403", "RS405"})


class _Training(Job):
    """What a run of `train` holds while it is carried out; `models` in the order of their specs."""

    models: Sequence[_Learning] = ()

    def __init__(
        self,
        workspace: Workspace,
        specs: Mapping[str, AuthoredSpec],
        *,
        at: datetime,
        promote: bool,
        as_of: date | None,
        accept_feeds: bool,
        spark: str | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.spark_master, self.accept_feeds = spark, accept_feeds
        self.workspace, self.specs, self.at = workspace, specs, at
        self.promote, self.as_of = promote, as_of
        self.kept: list[TrainedModel] = []
        self.too_little: dict[str, tuple[Problem, ...]] = {}

    def load(self) -> None:
        enter = self.opened.enter_context
        enter(locked(self.workspace))
        engine = enter(scratch_engine(self.workspace, lasting=True))
        session = begin(self.workspace, engine, outcomes=True)
        if self.as_of is not None:
            last_known_day = session.ledger.last_on
            session = session.known_by(self.as_of)
            if last_known_day is not None and last_known_day < self.as_of:
                self.progress.warn(
                    f"nothing became known from {last_known_day} to {self.as_of}: all is used"
                )
        check_feeds(session, self.as_of, accept=self.accept_feeds, progress=self.progress)
        set_apart(session, self.progress)
        self.session = session
        asked_models, self.too_little = _asked(session, self.specs)
        self.models = [_Learning(model) for model in asked_models]
        if not self.models:
            raise NothingLeft
        special = proposed(engine, session.ledger, session.catalogue, session.facts)
        self.noted = {finding.column: str(finding) for finding in special}
        for name in unmarked(session.ledger, session.catalogue, session.facts):
            self.noted[name] = " ".join([*filter(None, [self.noted.get(name)]), note_of([name])])

    def observe(self) -> None:
        wanted = [wanted_rows(self.session, model.asked) for model in self.models]
        observed = observe(self.session, wanted, self.session.partitions())
        for model, rows, facts in zip(self.models, wanted, observed, strict=True):
            model.rows = partial(labelled, self.session, rows, facts)
        self.journal = self.opened.enter_context(open_journal(self.workspace))

    def observe_on_spark(self) -> None:
        """The same rows, of ranges of accounts that executors look at."""
        assert self.spark_master is not None
        session, models = self.session, self.models
        given = Observing(
            [wanted_rows(session, model.asked) for model in models], bucket_ledger(session)
        )
        spark = spark_at(self.spark_master)
        work, ranges = partial(observe_bucket, given), ranges_for(spark, session)
        buckets = on_spark(spark, session, given.ledger, ranges, work)
        all_drawn = next(buckets)
        for number, of_bucket in enumerate(buckets, 1):
            self.progress.within(number / len(ranges), f"bucket {number} of {len(ranges)}")
            for drawn, more in zip(all_drawn, of_bucket, strict=True):
                drawn.include(more)
        for model, drawn in zip(models, all_drawn, strict=True):
            model.rows = partial(_as_drawn, drawn)
        self.journal = self.opened.enter_context(open_journal(self.workspace))

    @contextmanager
    def _unless_too_little(self, model: str) -> Iterator[None]:
        """Take note where there is too little to learn a model from, and go on with the others."""
        try:
            yield
        except ProblemsError as error:
            if not TOO_LITTLE.issuperset(problem.code for problem in error.problems):
                raise
            self.too_little[model] = error.problems

    def label(self, model: _Learning) -> None:
        with self._unless_too_little(model.name):
            model.frame = training_frame(self.session, model.asked, model.rows())

    def learn(self, model: _Learning) -> None:
        if model.name in self.too_little:
            return
        with self._unless_too_little(model.name):
            model.trained = learning.train(
                model.asked.authored,
                model.frame,
                threads=self.session.engine.threads,
                progress=lambda share, stage_text: self.progress.within(
                    share, f"{model.name}: {stage_text}"
                ),
                known_by=self.as_of,
                noted=self.noted,
            )

    def keep(self, model: _Learning) -> None:
        if model.name in self.too_little:
            return
        authored, trained = model.asked.authored, model.trained
        model_name = authored.spec.name
        promotion_reason = "trained with --promote" if self.promote else None
        kept_version = keep(
            self.workspace, model_name, trained, self.journal, self.at, promote=promotion_reason
        )
        for note in settings_without_effect(authored, kept_version.model):
            self.progress.note(f"{model_name}: {note}")
        self.kept.append(
            TrainedModel(
                name=model_name,
                version=trained.version,
                champion=kept_version.champion,
                summary=summarised(kept_version.model, kept_version.champion_version),
                champion_version=kept_version.champion_version,
            )
        )
        del model.rows, model.frame, model.trained  # the next model needs the memory


class _Learning:
    """One model on its way: what each stage has made of it."""

    # Draws the rows it learns from.
    rows: Callable[[], Drawn]
    frame: TrainingFrame
    trained: Trained

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.name = asked.authored.spec.name


def _as_drawn(drawn: Drawn) -> Drawn:
    return drawn


def plan(
    root: Path, names: Sequence[str] = (), *, only: str | None = None, spark: bool = False
) -> Plan:
    """What `train` carries out, in this process or with rows observed on Spark. Raises RS401 as it
    does."""
    _chosen(open_checked(root), names, only)
    return stages(spark=spark)


def stages(*, spark: bool = False) -> Plan:
    """What any training carries out, whichever models it trains."""
    return [
        LOAD.by(_Training.load),
        OBSERVE.by(_Training.observe_on_spark if spark else _Training.observe),
        ForEach(
            "model",
            lambda job: job.models,
            (LABEL.by(_Training.label), LEARN.by(_Training.learn), KEEP.by(_Training.keep)),
        ),
    ]


def train(
    root: Path,
    names: Sequence[str],
    *,
    at: datetime,
    only: str | None = None,
    promote: bool = False,
    as_of: date | None = None,
    accept_feeds: bool = False,
    spark: str | None = None,
    progress: Progress | None = None,
) -> Training:
    """Train the named models, or all that have a spec. The first version of a model is promoted
    unless it ranks barely better than chance; a later one waits for `models promote`, unless it is
    the very same. With `promote` whatever is trained is promoted.

    `only` names the one learner to learn with, of those in the spec: after a hand edit of a
    scorecard the other learners need not be waited for. With `as_of`, only what was known by the
    close of that day is used, so that scoring a later date is an honest back-test. `spark` names
    the master of a Spark cluster whose executors work out the rows that models learn from: the
    versions are the same.

    Raises ProblemsError. Sources that are not as expected by the close of `as_of`, or of the last
    day that anything is known of, are RS650, unless it is to `accept_feeds`. Models trained before
    the one with a Problem stay; where there is too little to learn one from (RS402, RS403, RS405),
    the models after it are trained as well.
    """
    workspace = open_checked(root)
    specs = _chosen(workspace, names, only)
    for unlearned_model in () if names else without_spec(workspace):
        spec = workspace.shown(workspace.models / f"{unlearned_model}.yaml")
        if progress is not None:
            progress.note(
                f"{unlearned_model}: there is no {spec}, so it is not learned; its versions stay"
            )
    if not specs:
        return Training(())
    job = _Training(
        workspace,
        specs,
        at=at,
        promote=promote,
        as_of=as_of,
        accept_feeds=accept_feeds,
        spark=spark,
        progress=progress,
    )
    job.carry_out(stages(spark=spark is not None))
    if job.too_little:
        raise ProblemsError(_too_little(workspace, job))
    return Training(tuple(job.kept))


def _too_little(workspace: Workspace, job: _Training) -> Iterator[Problem]:
    """The Problems of models that there is too little to learn from, with what was trained and how
    the strategy decides without them."""
    trained = ", ".join(f"{model.name} {model.version}" for model in job.kept)
    others = f" Trained all the same: {trained}." if trained else ""
    with read_journal(workspace) as journal:
        never_trained = [name for name in job.too_little if not journal.models(name)]
    for name, problems in job.too_little.items():
        without = f" {without_hint(workspace, *never_trained)}" if name in never_trained else ""
        for found in problems:
            yield replace(found, hint=f"{found.hint}{without}{others}".strip())


def settings_without_effect(authored: AuthoredSpec, model: Model) -> list[str]:
    """What is said of a learner's settings for features that were left out all the same."""
    dropped = model.manifest.dropped
    return [
        sentence
        for learner in registered()
        for sentence in learner.without_effect(authored.spec.settings(learner.name), dropped)
    ]


def _chosen(
    workspace: Workspace, names: Sequence[str], only: str | None
) -> dict[str, AuthoredSpec]:
    """The specs to learn, by the names of their models; each with the learner `only` alone, where
    one is named. Raises RS401."""
    problems = Problems()
    specs = read_specs(workspace, problems)
    unlearned = without_spec(workspace)
    for requested_model in names:
        if requested_model not in specs and not len(problems):
            message, hint = (
                f'There is no model "{requested_model}"',
                did_you_mean(requested_model, specs),
            )
            if requested_model in unlearned:
                message = f'The model "{requested_model}" has versions and no spec'
                hint = f"Write {requested_model}.yaml to learn it; the versions stay."
            problems.add("RS401", f"{message} in {workspace.shown(workspace.models)}.", hint=hint)
    if not specs and not unlearned and not len(problems):
        problems.add(
            "RS401",
            f"There is no model spec in {workspace.shown(workspace.models)}.",
            hint="Write one, for instance models/late_payment.yaml.",
        )
    problems.raise_if_any()
    chosen_specs = {
        spec_name: authored_spec
        for spec_name, authored_spec in specs.items()
        if not names or spec_name in names
    }
    return (
        chosen_specs
        if only is None
        else {
            spec_name: _by(authored_spec, only) for spec_name, authored_spec in chosen_specs.items()
        }
    )


def _by(authored: AuthoredSpec, only: str) -> AuthoredSpec:
    """The spec with one of its learners alone. Raises RS401 where it is not among them."""
    spec = authored.spec
    if only not in spec.learners:
        raise problem(
            "RS401",
            f"{spec.name} does not learn with {only}: its learners are "
            f"{' and '.join(spec.learners)}.",
            file=authored.file,
            line=authored.line("learners"),
            hint=did_you_mean(only, spec.learners),
        )
    alone = {"learners": (only,), "champion": spec.champion.model_copy(update={"prefer": None})}
    return replace(authored, spec=spec.model_copy(update=alone))


def _asked(
    session: Session, specs: Mapping[str, AuthoredSpec]
) -> tuple[list[Asked], dict[str, tuple[Problem, ...]]]:
    """What each spec asks of this workspace, and the Problems of those that there is too little to
    learn from. Raises every other Problem of any of them."""
    problems = Problems()
    conditions = {
        asked_model: check_spec(authored, session.facts, session.catalogue.lacking, problems)
        for asked_model, authored in specs.items()
    }
    for authored in specs.values():
        check_settings(session, authored, problems)
    problems.raise_if_any()
    models, too_little = [], {}
    for name, authored in specs.items():
        own_problems = Problems()
        model = asked(session, authored, conditions[name], own_problems)
        if model is not None and not len(own_problems):
            models.append(model)
        elif TOO_LITTLE.issuperset(found.code for found in own_problems):
            too_little[name] = tuple(own_problems)
        else:
            problems.extend(own_problems)
    problems.raise_if_any()
    return models, too_little
