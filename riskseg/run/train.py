"""`train`: from the ledger to a kept version of each model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, did_you_mean, problem
from riskseg.learning.learners import registered
from riskseg.learning.spec import AuthoredSpec
from riskseg.pipeline.journal import open_journal
from riskseg.pipeline.model_versions import KEEP, keep
from riskseg.pipeline.models import check_spec, read_specs, without_spec
from riskseg.pipeline.observation_points import Asked, asked
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
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.training_rows import LABEL, OBSERVE, check_settings, observe, observed_rows
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.artefact import Model
    from riskseg.learning.frame import TrainingFrame
    from riskseg.learning.train import Trained

LEARN = Stage("learn", "learn, calibrate, compare inside the training window; validate", "model")


# What loading and observing take of the time, about, and the stages of each model: label, learn,
# keep.
BEFORE, SHARES = (1, 2), (1, 12, 1)


def plan() -> list[Stage]:
    return [LOAD, OBSERVE, LABEL, LEARN, KEEP]


@dataclass(frozen=True)
class Kept:
    """One model, trained: its version, whether it now is the champion, its summary, and which
    version is the champion, if any."""

    name: str
    version: str
    champion: bool
    summary: Mapping[str, Any]
    champion_version: str | None = None


def train(
    root: Path,
    names: Sequence[str],
    *,
    at: datetime,
    only: str | None = None,
    promote: bool = False,
    as_of: date | None = None,
    progress: Progress | None = None,
) -> list[Kept]:
    """Train the named models, or all that have a spec. The first version of a model is promoted
    unless it ranks barely better than chance; a later one waits for `models promote`, unless it is
    the very same. With `promote` whatever is trained is promoted.

    `only` names the one learner to learn with, of those in the spec: after a hand edit of a
    scorecard the other learners need not be waited for. With `as_of`, only what was known by the
    close of that day is used, so that scoring a later date is an honest back-test.

    Raises ProblemsError; models trained before the one with a Problem stay.
    """
    from riskseg.learning.show import summary

    progress = progress or Progress()
    workspace = open_checked(root)
    specs = _chosen(workspace, names)
    for name in () if names else without_spec(workspace):
        spec = workspace.shown(workspace.models / f"{name}.yaml")
        progress.note(f"{name}: there is no {spec}, so it is not learned; its versions stay")
    if not specs:
        return []
    if only is not None:
        specs = {name: _by(authored, only) for name, authored in specs.items()}
    total = sum(BEFORE) + sum(SHARES) * len(specs)
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(LOAD, 0, total)
        session = begin(workspace, engine, outcomes=True)
        if as_of is not None:
            last = session.ledger.last_on
            session = session.known_by(as_of)
            if last is not None and last < as_of:
                progress.note(f"nothing became known from {last} to {as_of}: all is used")
        set_apart(session, progress)
        models = _asked(session, specs)
        found = proposed(engine, session.ledger, session.catalogue, session.facts)
        noted = {finding.column: str(finding) for finding in found}
        progress.reached(OBSERVE, BEFORE[0], total)
        observed = observe(session, models)
        kept = []
        with open_journal(workspace) as journal:
            for i, (model, facts) in enumerate(zip(models, observed, strict=True)):
                authored, name = model.authored, model.authored.spec.name
                begun = sum(BEFORE) + sum(SHARES) * i
                progress.reached(LABEL, begun, total)
                training = observed_rows(session, model, facts)
                learning, keeping = begun + SHARES[0], begun + sum(SHARES[:2])
                progress.reached(LEARN, learning, total)
                within = partial(_within, progress, learning)
                trained = _learn(session, authored, training, within, noted, as_of)
                progress.reached(KEEP, keeping, total)
                reason = "trained with --promote" if promote else None
                done = keep(workspace, name, trained, journal, at, promote=reason)
                for note in settings_without_effect(authored, done.model):
                    progress.note(f"{name}: {note}")
                told = summary(done.model)
                kept.append(Kept(name, trained.version, done.champion, told, done.champion_version))
    return kept


def settings_without_effect(authored: AuthoredSpec, model: Model) -> list[str]:
    """What is said of a learner's settings for features that were left out all the same."""
    dropped = dict(model.manifest["dropped"])
    return [
        sentence
        for learner in registered()
        for sentence in learner.without_effect(authored.spec.settings(learner.name), dropped)
    ]


def _within(progress: Progress, done: int, share: float, text: str) -> None:
    progress.within(done + share * SHARES[1], text)


def _chosen(workspace: Workspace, names: Sequence[str]) -> dict[str, AuthoredSpec]:
    problems = Problems()
    specs = read_specs(workspace, problems)
    unlearned = without_spec(workspace)
    for name in names:
        if name not in specs and not len(problems):
            what, hint = f'There is no model "{name}"', did_you_mean(name, specs)
            if name in unlearned:
                what = f'The model "{name}" has versions and no spec'
                hint = f"Write {name}.yaml to learn it; the versions stay."
            problems.add("RS401", f"{what} in {workspace.shown(workspace.models)}.", hint=hint)
    if not specs and not unlearned and not len(problems):
        problems.add(
            "RS401",
            f"There is no model spec in {workspace.shown(workspace.models)}.",
            hint="Write one, for instance models/late_payment.yaml.",
        )
    problems.raise_if_any()
    return {n: s for n, s in specs.items() if not names or n in names}


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


def _asked(session: Session, specs: Mapping[str, AuthoredSpec]) -> list[Asked]:
    """What each spec asks of this workspace. Raises every Problem of any of them."""
    problems = Problems()
    conditions = {
        name: check_spec(authored, session.facts, session.catalogue.lacking, problems)
        for name, authored in specs.items()
    }
    for authored in specs.values():
        check_settings(session, authored, problems)
    problems.raise_if_any()
    models = [asked(session, specs[name], conditions[name], problems) for name in specs]
    problems.raise_if_any()
    return [model for model in models if model is not None]


def _learn(
    session: Session,
    authored: AuthoredSpec,
    training: TrainingFrame,
    within: Callable[[float, str], None],
    noted: Mapping[str, str],
    known_by: date | None,
) -> Trained:
    from riskseg.learning.train import train as learn

    name = authored.spec.name
    return learn(
        authored,
        training,
        threads=session.engine.threads,
        progress=lambda share, text: within(share, f"{name}: {text}"),
        known_by=known_by,
        noted=noted,
    )
