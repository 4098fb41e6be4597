"""`train`: from the ledger to a kept version of each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import Problems, did_you_mean
from riskseg.learning.spec import AuthoredSpec
from riskseg.run.journal import open_journal
from riskseg.run.models import check_spec, read_specs
from riskseg.run.observed import check_card, observed_rows
from riskseg.run.session import (
    LOAD,
    Session,
    begin,
    locked,
    open_checked,
    scratch_engine,
    set_apart,
)
from riskseg.run.stages import Progress, Stage
from riskseg.run.versions import keep
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.expressions import Expression
    from riskseg.learning.frame import TrainingFrame
    from riskseg.learning.train import Trained

OBSERVE = Stage("observe", "facts of each account as of its own dates", "model")
LABEL = Stage("label", "how it came out, as known on the day the label is known", "model")
LEARN = Stage("learn", "learn, calibrate, compare inside the training window; validate", "model")
KEEP = Stage("keep", "write the version as text, then the journal", "model")


def plan() -> list[Stage]:
    return [LOAD, OBSERVE, LABEL, LEARN, KEEP]


@dataclass(frozen=True)
class Kept:
    """One model, trained: its version, whether it now is the champion, and its summary."""

    name: str
    version: str
    champion: bool
    summary: Mapping[str, Any]


def train(
    root: Path, names: Sequence[str], *, at: datetime, progress: Progress | None = None
) -> list[Kept]:
    """Train the named models, or all. The first version of a model is promoted; a later one
    waits for `models promote`, unless it is the very same.

    Raises ProblemsError; models trained before the one with a Problem stay.
    """
    from riskseg.learning.artefact import load
    from riskseg.learning.show import summary

    progress = progress or Progress()
    workspace = open_checked(root)
    specs = _chosen(workspace, names)
    stages = plan()
    total = 1 + 4 * len(specs)
    with locked(workspace), scratch_engine(workspace, lasting=True) as engine:
        progress.reached(stages[0], 0, total)
        session = begin(workspace, engine)
        set_apart(session, progress)
        conditions = _checked(session, specs)
        kept = []
        with open_journal(workspace) as journal:
            for i, (name, authored) in enumerate(specs.items()):
                training = observed_rows(
                    session,
                    authored,
                    conditions[name],
                    partial(_reached, progress, 1 + 4 * i, total),
                )
                progress.reached(LEARN, 3 + 4 * i, total)
                trained = _learn(session, authored, training, progress)
                progress.reached(KEEP, 4 + 4 * i, total)
                champion = keep(workspace, name, trained, journal, at)
                told = summary(load(workspace.models / name / trained.version))
                kept.append(Kept(name, trained.version, champion, told))
    return kept


def _reached(progress: Progress, done: int, total: int, step: int) -> None:
    progress.reached((OBSERVE, LABEL)[step], done + step, total)


def _chosen(workspace: Workspace, names: Sequence[str]) -> dict[str, AuthoredSpec]:
    problems = Problems()
    specs = read_specs(workspace, problems)
    for name in names:
        if name not in specs and not len(problems):
            problems.add(
                "RS401",
                f'There is no model "{name}" in {workspace.shown(workspace.models)}.',
                mend=did_you_mean(name, specs),
            )
    if not specs and not len(problems):
        problems.add(
            "RS401",
            f"There is no model spec in {workspace.shown(workspace.models)}.",
            mend="Write one, for instance models/late_payment.yaml.",
        )
    problems.raise_if_any()
    return {n: s for n, s in specs.items() if not names or n in names}


def _checked(session: Session, specs: Mapping[str, AuthoredSpec]) -> dict[str, Expression | None]:
    problems = Problems()
    conditions = {
        name: check_spec(authored, session.facts, session.catalogue.lacking, problems)
        for name, authored in specs.items()
    }
    for authored in specs.values():
        check_card(session, authored, problems)
    problems.raise_if_any()
    return conditions


def _learn(
    session: Session, authored: AuthoredSpec, training: TrainingFrame, progress: Progress
) -> Trained:
    from riskseg.learning.train import train as learn

    return learn(
        authored,
        training,
        threads=session.engine.threads,
        progress=lambda text: progress.note(f"{authored.spec.name}: {text}"),
    )
