from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import ProblemsError
from riskseg.learning import train as train_module
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.spec import AuthoredSpec
from riskseg.learning.train import Trained, train

Author = Callable[[str], AuthoredSpec]
Make = Callable[[], TrainingFrame]


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def with_feature(frame: TrainingFrame, fact: Fact, values: Any) -> TrainingFrame:
    rows = frame.rows.assign(**{fact.name: values})
    return replace(frame, rows=rows, features=(*frame.features, fact))


def test_what_is_in_a_model(trained: Trained, frame: TrainingFrame) -> None:
    assert sorted(trained.files) == [
        "booster.json",
        "booster.txt",
        "calibration.json",
        "evidence.json",
        "manifest.json",
        "reference.json",
        "scorecard.json",
    ]
    manifest = json.loads(trained.files["manifest.json"])
    assert manifest["training"]["rows"] + manifest["hold_out"]["rows"] == len(frame)
    assert manifest["hold_out"]["rows"] == int(frame.held_out.sum())
    assert manifest["training"]["from"] == "2024-04-01"
    assert manifest["spec"]["observe"]["for"] == 360
    for learner in ("scorecard", "lightgbm"):
        assert trained.manifest.metrics[learner].hold_out["auc"] > 0.7
        assert 0.7 < trained.manifest.metrics[learner].hold_out["calibration_slope"] < 1.4
    # The truth is a scorecard's: trees do not beat it.
    assert trained.manifest.learner == "scorecard"


def test_same_bytes_at_any_thread_count_and_row_order(
    trained: Trained, frame: TrainingFrame, author: Author
) -> None:
    shuffled = frame.where(np.random.default_rng(1).permutation(len(frame)))
    again = train(author(""), shuffled, threads=2)
    assert again.files == trained.files
    assert again.version == trained.version


def test_other_rows_or_spec_make_another_version(
    trained: Trained, frame: TrainingFrame, author: Author
) -> None:
    card = train(author("learners: [scorecard]\n"), frame, threads=1)
    label = frame.label.copy()
    label[0] = 1 - label[0]
    turned = train(author("learners: [scorecard]\n"), replace(frame, label=label), threads=1)
    assert len({trained.version, card.version, turned.version}) == 3


def test_a_shuffled_label_teaches_nothing(make: Make, author: Author) -> None:
    frame = make()
    label = np.random.default_rng(9).permutation(frame.label)
    reported = train(author(""), replace(frame, label=label), threads=1)
    for learner in ("scorecard", "lightgbm"):
        assert abs(reported.manifest.metrics[learner].hold_out["auc"] - 0.5) < 0.08


@pytest.mark.parametrize("kind", ["order", "turn", "text", "rare"])
def test_a_planted_leak_is_named(frame: TrainingFrame, author: Author, kind: str) -> None:
    random = np.random.default_rng(4)
    label = frame.label
    leak: Any = {
        "order": label * 10.0 + random.random(len(frame)),
        "turn": np.where(label == 1, random.random(len(frame)), random.choice([-1, 2], len(frame))),
        "text": np.where(label == 1, "written off", "paid").astype(object),
        "rare": np.where(label == 1, random.random(len(frame)) + 0.01, 0.0),
    }[kind]
    fact = Fact("closing_code", Kind.TEXT if kind == "text" else Kind.NUMBER)
    with pytest.raises(ProblemsError) as error:
        train(author(""), with_feature(frame, fact, leak), threads=1)
    (problem,) = error.value.problems
    assert problem.code == "RS404"
    assert '"closing_code"' in problem.what and "closing_code" in problem.hint


def test_an_excluded_leak_is_harmless(frame: TrainingFrame, author: Author) -> None:
    leaky = with_feature(frame, Fact("closing_code", Kind.NUMBER), frame.label.astype(float))
    spec = author("features: {exclude: [closing_code]}\nlearners: [scorecard]\n")
    reported = train(spec, leaky, threads=1)
    manifest = json.loads(reported.files["manifest.json"])
    assert manifest["dropped"]["closing_code"] == "excluded by the spec"


def test_one_class(frame: TrainingFrame, author: Author) -> None:
    with pytest.raises(ProblemsError) as error:
        train(author(""), replace(frame, label=np.zeros(len(frame), np.int8)), threads=1)
    assert codes(error) == ["RS403"]


def test_no_rows(frame: TrainingFrame, author: Author) -> None:
    with pytest.raises(ProblemsError) as error:
        train(author(""), frame.where(np.zeros(len(frame), bool)), threads=1)
    assert "RS402" in codes(error)


def test_too_few_says_how_many_there_are(frame: TrainingFrame, author: Author) -> None:
    few = frame.where(np.arange(150))
    with pytest.raises(ProblemsError) as error:
        train(author(""), few, threads=1)
    assert set(codes(error)) == {"RS402"}
    reported = str(error.value)
    training = few.label[~few.held_out]
    bad, good = int(training.sum()), int(len(training) - training.sum())
    assert f"For training there are {len(training)} rows, {bad} bad and {good} good" in reported
    assert "30 of each outcome among 200 rows" in reported


def test_a_hold_out_with_too_few_of_one_outcome(frame: TrainingFrame, author: Author) -> None:
    label = np.where(frame.held_out, 0, frame.label).astype(np.int8)
    with pytest.raises(ProblemsError) as error:
        train(author(""), replace(frame, label=label), threads=1)
    assert "For the hold-out" in str(error.value)


def test_useless_features_are_dropped_with_a_reason(frame: TrainingFrame, author: Author) -> None:
    wide = frame
    nowhere = np.full(len(frame), np.nan)
    for fact, values in (
        (Fact("same", Kind.INTEGER), 1.0),
        (Fact("null", Kind.NUMBER), nowhere),
        (Fact("born", Kind.DATE), frame.as_of),
        (Fact("postcode_today", Kind.NUMBER, static=True), np.arange(len(frame)) % 7.0),
        (Fact("sometimes", Kind.INTEGER), np.where(np.arange(len(frame)) % 3, 1.0, np.nan)),
    ):
        wide = with_feature(wide, fact, values)
    reported = train(author("learners: [scorecard]\n"), wide, threads=1)
    manifest = json.loads(reported.files["manifest.json"])
    assert manifest["dropped"] == {
        "same": "always the same",
        "null": "always null",
        "born": "a date",
        "postcode_today": "known only as of today",
    }
    spec = author("learners: [scorecard]\nfeatures: {static: [postcode_today]}\n")
    listed = json.loads(train(spec, wide, threads=1).files["manifest.json"])
    assert "postcode_today" not in listed["dropped"]


def test_no_feature_left(frame: TrainingFrame, author: Author) -> None:
    with pytest.raises(ProblemsError) as error:
        train(author(f"features: {{exclude: [{', '.join(frame.names)}]}}\n"), frame, threads=1)
    assert codes(error) == ["RS407"]


def noise(frame: TrainingFrame) -> TrainingFrame:
    """The same outcomes, and nothing that has to do with them."""
    values = np.random.default_rng(5).normal(size=len(frame))
    rows, facts = pd.DataFrame({"noise": values}), (Fact("noise", Kind.NUMBER),)
    return replace(frame, rows=rows, features=facts, attributes=())


def dropped(frame: TrainingFrame) -> str:
    edits = ", ".join(f"{name}: {{drop: true}}" for name in frame.names)
    return f"scorecard: {{form: additive, edits: {{{edits}}}}}\n"


@pytest.mark.parametrize("form", ["classic", "additive"])
def test_a_card_without_a_feature_is_no_model(
    frame: TrainingFrame, author: Author, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskseg.learning.scorecard.learner.FEW_BADS", 30)
    spec = author(dropped(frame).replace("additive", form) + "learners: [scorecard]\n")
    with pytest.raises(ProblemsError) as error:
        train(spec, frame, threads=1)
    assert codes(error) == ["RS407"]
    assert "balance: left out by hand; " in error.value.problems[0].what


def test_noise_alone_is_no_model(frame: TrainingFrame, author: Author) -> None:
    spec = author("scorecard: {form: classic}\nlearners: [scorecard]\n")
    with pytest.raises(ProblemsError) as error:
        train(spec, noise(frame), threads=1)
    assert codes(error) == ["RS407"]
    assert re.search("noise: .* chance", error.value.problems[0].what)


def test_a_learner_without_a_feature_is_not_the_champion(
    frame: TrainingFrame, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskseg.learning.scorecard.learner.FEW_BADS", 30)
    more = "lightgbm: {search: none}\nlearners: [scorecard, lightgbm]\n"
    trained = train(author(dropped(frame) + more), frame, threads=1)
    assert trained.manifest.learner == "lightgbm" and "scorecard.json" not in trained.files
    reported = json.loads(trained.files["manifest.json"])
    assert reported["champion"]["why"] == "It is the only learner that is left with a feature."


def test_a_refit_without_a_feature_is_no_model(
    frame: TrainingFrame, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells something in the training window may tell nothing in all rows."""
    once = train_module.learn

    def learn(spec: Any, name: Any, rows: TrainingFrame, *more: Any) -> Any:
        found = once(spec, name, rows, *more)
        if len(rows) < len(frame):
            return found
        return replace(found, model=replace(found.model, tables=()))

    monkeypatch.setattr(train_module, "learn", learn)
    spec = author("scorecard: {form: classic}\nlearners: [scorecard]\nrefit: true\n")
    with pytest.raises(ProblemsError) as error:
        train(spec, frame, threads=1)
    assert codes(error) == ["RS407"]


def test_what_is_no_feature_here_may_be_excluded(frame: TrainingFrame, author: Author) -> None:
    """An attribute known only as of today, or a feature of a source that is not here."""
    spec = author("features: {exclude: [postcode_today], keep: [hops]}\nlearners: [scorecard]\n")
    assert train(spec, frame, threads=1).version


def test_without_calibration_the_margin_is_the_log_odds(
    frame: TrainingFrame, author: Author
) -> None:
    reported = train(author("learners: [scorecard]\ncalibration: none\n"), frame, threads=1)
    line = json.loads(reported.files["calibration.json"])
    assert line == {"scorecard": {"kind": "none"}}


def test_progress_is_reported(frame: TrainingFrame, author: Author) -> None:
    said: list[tuple[float, str]] = []

    def progress(share: float, text: str) -> None:
        said.append((share, text))

    train(author("learners: [scorecard]\n"), frame, threads=2, progress=progress)
    shares, texts = zip(*said, strict=True)
    assert "learning: scorecard" in texts
    assert list(shares) == sorted(shares) and 0.5 < shares[-1] < 1


def test_a_refit_learns_from_the_hold_out_too_and_says_so(
    trained: Trained, frame: TrainingFrame, author: Author
) -> None:
    card = "learners: [scorecard]\nscorecard: {form: classic}\n"
    alone = train(author(card), frame, threads=1)
    again = train(author(card + "refit: true\n"), frame, threads=1)
    before, after = (json.loads(one.files["manifest.json"]) for one in (alone, again))
    assert after["metrics"] == before["metrics"]
    assert (before["refit"], after["refit"]["rows"]) == (None, len(frame))
    assert any("the hold-out among them" in note for note in after["notes"])
    cards = [
        json.loads(one.files["scorecard.json"])["features"][0]["bins"] for one in (alone, again)
    ]
    counted = [sum(part["count"] for part in bins) for bins in cards]
    assert counted == [int((~frame.held_out).sum()), len(frame)]
    assert json.loads(again.files["reference.json"])["rows"] == len(frame)
