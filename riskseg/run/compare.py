"""`models compare`: two versions on the same accounts, none of which either was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from riskseg.domain.problems import problem
from riskseg.learning.artefact import Model
from riskseg.learning.evidence.compare import compare as compared
from riskseg.learning.learned_from import unseen
from riskseg.learning.spec import Target
from riskseg.pipeline.feed_checks import source_notes
from riskseg.pipeline.model_versions import opened
from riskseg.pipeline.models import spec_of
from riskseg.pipeline.open_journal import read_journal
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Plan, Progress, Stage
from riskseg.pipeline.training_rows import LABEL, OBSERVE, JudgingJob
from riskseg.results.model_comparison import Comparison
from riskseg.workspace import Workspace

if TYPE_CHECKING:
    from riskseg.learning.frame import TrainingFrame

COMPARE = Stage("compare", "both versions on rows that neither learned from")
LEAST_OF_EACH = 10


class _Comparison(JudgingJob):
    """What a run of `models compare` holds while it is carried out."""

    def __init__(
        self,
        workspace: Workspace,
        names: Sequence[str],
        cut: float | None,
        progress: Progress | None,
    ) -> None:
        super().__init__(progress)
        self.workspace, self.cut = workspace, cut
        self.models = [opened(workspace, compared_name)[0] for compared_name in names]
        _same_question(self.models)
        self.authored = spec_of(workspace, self.models[0].name)

    def load(self) -> None:
        self.engine = self.opened.enter_context(scratch_engine(self.workspace))
        self.session = begin(self.workspace, self.engine, outcomes=True)
        if (last_day := self.session.ledger.last_on) is not None:
            for note in source_notes(self.session, last_day):
                self.progress.warn(note)

    def compare(self) -> None:
        old, new = self.models
        frame = self.frame.ordered()
        frame = frame.where(unseen(old.manifest, frame) & unseen(new.manifest, frame))
        _check_enough(self.models, frame)
        probabilities = [model.predict(frame.rows, self.engine.threads) for model in self.models]
        notes = [
            f"{model.name} {model.version} was recalibrated to some of these accounts."
            for model in self.models
            if model.manifest.parent
        ]
        notes += [
            f"{model.name} {model.version} was imported: what it learned from is not known."
            for model in self.models
            if model.imported
        ]
        done = compared(
            frame.label,
            frame.weight,
            frame.group,
            *probabilities,
            names=(f"{old.name} {old.version}", f"{new.name} {new.version}"),
            cut=old.cut if self.cut is None else self.cut,
            seed=self.authored.spec.seed,
            notes=notes,
        )
        self.done = done.model_copy(
            update={"verdict": (*done.verdict, self._next_step(done.better))}
        )

    def _next_step(self, better: int | None) -> str:
        if better is None:
            return "This is no clear reason to change the champion."
        model = self.models[better]
        with read_journal(self.workspace) as journal:
            champion = journal.champion(model.name)
        return next_step(
            model.name,
            model.version,
            champion=None if champion is None else champion.version,
            other=self.models[1 - better].version,
        )


def next_step(name: str, version: str, *, champion: str | None, other: str) -> str:
    """What to do with the better version: a champion that was not compared is compared first."""
    if champion == version:
        return "The better one is the champion already."
    if champion is not None and champion != other:
        command = f"riskseg models compare {name} {name}@{version}"
        return f"Neither is the champion of {name}: `{command}` compares the better one with it."
    return f"`riskseg models promote {name} {version}` makes the better one the champion."


def plan(root: Path, first: str, second: str) -> Plan:
    """What `models compare` carries out. Raises RS401, RS406 and RS408 as it does."""
    _Comparison(open_checked(root), (first, second), None, None)
    return _stages()


def _stages() -> Plan:
    return [
        LOAD.by(_Comparison.load),
        OBSERVE.by(_Comparison.observe),
        LABEL.by(_Comparison.label),
        COMPARE.by(_Comparison.compare),
    ]


def compare(
    root: Path, first: str, second: str, *, cut: float | None, progress: Progress | None = None
) -> Comparison:
    """How the second version differs from the first.

    Each is NAME (its champion) or NAME@VERSION. `cut` left out is the first's own. Raises RS401,
    RS406, RS408 where they answer different questions, RS402 where they learned from all but too
    few accounts.
    """
    job = _Comparison(open_checked(root), (first, second), cut, progress)
    job.carry_out(_stages())
    return job.done


def _check_enough(models: Sequence[Model], frame: TrainingFrame) -> None:
    bad = int(frame.label.sum())
    if min(bad, len(frame) - bad) >= LEAST_OF_EACH:
        return
    days = [day for model in models if (day := model.manifest.first_unseen)]
    all_rows = [
        f"{compared_model.name} {compared_model.version}"
        for compared_model in models
        if compared_model.manifest.refit is not None
    ]
    hint = "Compare versions whose hold-outs share more accounts or dates."
    if all_rows:
        hint = f"With `refit: true`, {' and '.join(all_rows)} learned from the hold-out too: " + (
            f"wait for more outcomes of what was observed from {max(days)} on."
            if days
            else "compare versions trained without it."
        )
    raise problem(
        "RS402",
        f"There are {len(frame)} rows, {bad} of them bad, that neither version learned from; the "
        f"least is {LEAST_OF_EACH} of each outcome.",
        hint=hint,
    )


def _same_question(models: Sequence[Model]) -> None:
    targets = [model.manifest.spec.target for model in models]
    if targets[0] != targets[1]:
        raise problem(
            "RS408",
            f"{models[0].name} and {models[1].name} predict different things: "
            f"{_shown(targets[0])}, and {_shown(targets[1])}.",
            hint="Compare versions that have one target.",
        )


def _shown(target: Target) -> str:
    return ", ".join(f"{key} {value}" for key, value in target if value is not None)
