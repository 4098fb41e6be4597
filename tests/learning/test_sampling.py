"""Outcomes may be sampled; every rate and probability stays that of the whole population."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from riskseg.learning.artefact import Model, load
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import AuthoredSpec
from riskseg.learning.train import Trained, train

EACH_STANDS_FOR = 4
EACH_BAD_STANDS_FOR = 2


@pytest.fixture(scope="module")
def population(make: Callable[..., TrainingFrame]) -> TrainingFrame:
    return make(rows=12_000)


@pytest.fixture(scope="module")
def sampled(population: TrainingFrame) -> TrainingFrame:
    """One bad outcome in two, and one good one in four."""
    number = np.arange(len(population))
    each = np.where(population.label == 1, EACH_BAD_STANDS_FOR, EACH_STANDS_FOR)
    part = population.where(number % each == 0)
    for label in (0, 1):
        of_label, drawn = population.label == label, part.label == label
        part.weight[drawn] = of_label.sum() / drawn.sum()
    return part


@pytest.fixture(scope="module")
def learned(
    sampled: TrainingFrame,
    author: Callable[[str], AuthoredSpec],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Trained, Model]]:
    found = {}
    for name, more in (
        ("classic", "learners: [scorecard]\n"),
        ("additive", "learners: [scorecard]\nscorecard: {form: additive}\n"),
        ("lightgbm", "learners: [lightgbm]\n"),
    ):
        reported = train(author(more), sampled, threads=1)
        folder: Path = tmp_path_factory.mktemp(name) / reported.version
        folder.mkdir()
        for file, content in reported.files.items():
            (folder / file).write_bytes(content)
        found[name] = (reported, load(folder))
    return found


@pytest.mark.parametrize("name", ["classic", "additive", "lightgbm"])
def test_probabilities_are_those_of_the_population(
    learned: dict[str, tuple[Trained, Model]], population: TrainingFrame, name: str
) -> None:
    """Unweighted, the sample's share of bad outcomes is far above the population's."""
    reported, model = learned[name]
    p = model.predict(population.rows)
    rate = float(population.label.mean())
    assert float(p.mean()) == pytest.approx(rate, rel=0.05)
    # In every fifth too, so the shape is right and not the level alone.
    for part in np.array_split(np.argsort(p, kind="stable"), 5):
        here = float(population.label[part].mean())
        assert float(p[part].mean()) == pytest.approx(
            here, abs=3 * np.sqrt(here / len(part)) + 0.01
        )
    manifest = json.loads(reported.files["manifest.json"])
    training = manifest["training"]
    assert training["bads_stand_for"] / training["stands_for"] == pytest.approx(rate, rel=0.06)
    out_of_fold = manifest["metrics"][model.learner]["out_of_fold"]
    assert abs(out_of_fold["calibration_intercept"]) < 0.1


def test_the_table_counts_the_population(
    learned: dict[str, tuple[Trained, Model]], population: TrainingFrame
) -> None:
    for name in ("classic", "additive"):
        card = json.loads(learned[name][0].files["scorecard.json"])
        held = int(population.held_out.sum())
        for feature in card["features"]:
            count = sum(b["count"] for b in feature["bins"])
            assert count == pytest.approx(len(population) - held, rel=0.02)
