"""`models compare`: two versions on the same accounts, none of which either was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskseg.domain.problems import problem
from riskseg.learning.artefact import Model
from riskseg.learning.evidence.compare import compare as compared
from riskseg.learning.evidence.model import Comparison
from riskseg.learning.learned_from import first_unseen, refitted, unseen
from riskseg.pipeline.model_versions import opened
from riskseg.pipeline.models import spec_of
from riskseg.pipeline.session import LOAD, begin, open_checked, scratch_engine
from riskseg.pipeline.stages import Progress, Stage
from riskseg.pipeline.training_rows import LABEL, OBSERVE, rows_to_judge

if TYPE_CHECKING:
    from riskseg.learning.frame import TrainingFrame

COMPARE = Stage("compare", "both versions on rows that neither learned from")
LEAST_OF_EACH = 10


def plan() -> list[Stage]:
    return [LOAD, OBSERVE, LABEL, COMPARE]


def compare(
    root: Path, first: str, second: str, *, cut: float | None, progress: Progress | None = None
) -> Comparison:
    """How the second version differs from the first.

    Each is NAME (its champion) or NAME@VERSION. `cut` left out is the first's own. Raises RS401,
    RS406, RS408 where they answer different questions, RS402 where they learned from all but too
    few accounts.
    """
    progress = progress or Progress()
    workspace = open_checked(root)
    models = [opened(workspace, name)[0] for name in (first, second)]
    _same_question(models)
    authored = spec_of(workspace, models[0].name)
    with scratch_engine(workspace) as engine:
        progress.reached(LOAD, 0, 4)
        session = begin(workspace, engine, outcomes=True)
        frame = rows_to_judge(
            session,
            authored,
            models,
            lambda step: progress.reached((OBSERVE, LABEL)[step], 1 + step, 4),
        ).ordered()
        progress.reached(COMPARE, 3, 4)
        new = unseen(models[0].manifest, frame) & unseen(models[1].manifest, frame)
        frame = frame.where(new)
        _check_enough(models, frame)
        told = [model.predict(frame.rows, engine.threads) for model in models]
        one, other = (f"{model.name} {model.version}" for model in models)
        notes = [
            f"{model.name} {model.version} was recalibrated to some of these accounts."
            for model in models
            if model.manifest["parent"]
        ]
        notes += [
            f"{model.name} {model.version} was imported: what it learned from is not known."
            for model in models
            if model.imported
        ]
        return compared(
            frame.label,
            frame.weight,
            frame.group,
            told[0],
            told[1],
            names=(one, other),
            cut=models[0].cut if cut is None else cut,
            seed=authored.spec.seed,
            notes=notes,
        )


def _check_enough(models: list[Model], frame: TrainingFrame) -> None:
    bad = int(frame.label.sum())
    if min(bad, len(frame) - bad) >= LEAST_OF_EACH:
        return
    days = [day for model in models if (day := first_unseen(model.manifest))]
    all_rows = [f"{m.name} {m.version}" for m in models if refitted(m.manifest)]
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


def _same_question(models: list[Model]) -> None:
    asked = [model.manifest["spec"]["target"] for model in models]
    if asked[0] != asked[1]:
        raise problem(
            "RS408",
            f"{models[0].name} and {models[1].name} foretell different things: "
            f"{_shown(asked[0])}, and {_shown(asked[1])}.",
            hint="Compare versions that have one target.",
        )


def _shown(target: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in target.items() if value is not None)
