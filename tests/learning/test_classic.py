from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.evidence.metrics import auc
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.scorecard import classic
from riskseg.learning.scorecard.binning import best_starts, prebin_cuts, refuses, shaped_blocks
from riskseg.learning.scorecard.classic import fit_classic
from riskseg.learning.scorecard.controls import Controls
from riskseg.learning.scorecard.edits import Edit
from riskseg.learning.scorecard.tables import Scorecard, Table
from riskseg.learning.split import folds_by_party

NUMBER = Kind.NUMBER


@pytest.fixture(autouse=True)
def few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here must hold under any setting: two are enough to choose from."""
    monkeypatch.setattr(classic, "CUTTING", classic.CUTTING[4:6])
    monkeypatch.setattr(classic, "WEIGHING", classic.WEIGHING[-1:])


def learn(
    rows: pd.DataFrame,
    label: Any,
    features: Sequence[Fact],
    edits: dict[str, Edit] | None = None,
    **more: Any,
) -> tuple[Scorecard, Any, list[dict[str, Any]]]:
    folds = (np.arange(len(label)) % 2).astype(np.int8)
    weight = more.pop("weight", np.ones(len(label)))
    controls = Controls(edits=edits or {})
    return fit_classic(rows, label, weight, features, folds, controls=controls, **more)


def table_of(card: Scorecard, name: str) -> Table:
    return next(table for table in card.tables if table.bins.name == name)


def drawn(odds: Any, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    return (random.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(np.int8)


@pytest.fixture(scope="module")
def learned(frame: TrainingFrame) -> tuple[Scorecard, Any, list[dict[str, Any]]]:
    folds = folds_by_party(frame.group, 3, 1)
    return fit_classic(frame.rows, frame.label, frame.weight, frame.features, folds)


@pytest.fixture(scope="module")
def card(learned: tuple[Scorecard, Any, list[dict[str, Any]]]) -> Scorecard:
    return learned[0]


def test_margins_of_unseen_rows_rank_them(
    learned: tuple[Scorecard, Any, list[dict[str, Any]]], frame: TrainingFrame
) -> None:
    card, outside, tried = learned
    inside = auc(frame.label, card.margin(frame.rows))
    assert 0.7 < auc(frame.label, outside) < inside
    assert sum(one["chosen"] for one in tried) == 1
    assert len({one["log_loss"] for one in tried}) > 1


def test_outcomes_at_random_cannot_be_foretold(frame: TrainingFrame) -> None:
    label = np.random.default_rng(5).permutation(frame.label)
    _, outside, _ = fit_classic(
        frame.rows, label, frame.weight, frame.features, folds_by_party(frame.group, 3, 1)
    )
    assert abs(auc(label, outside) - 0.5) < 0.04


def test_points_follow_the_declared_direction(card: Scorecard, frame: TrainingFrame) -> None:
    directed = {fact.name: fact.direction for fact in frame.features if fact.direction}
    seen = 0
    for row in card.tables:
        if row.bins.name in directed:
            along = np.array(row.points[: len(row.bins.cuts) + 1]) * directed[row.bins.name]
            assert (np.diff(along) < 0).all(), row.bins.name
            seen += 1
    assert seen >= 3


def test_counts_are_of_all_rows(card: Scorecard, frame: TrainingFrame) -> None:
    for row in card.tables:
        assert sum(row.counts) == len(frame)
        assert sum(row.bads) == frame.label.sum()


def test_a_row_of_weight_two_is_two_rows(frame: TrainingFrame) -> None:
    good = frame.label == 0
    drawn_goods = good & (np.arange(len(frame)) % 2 == 0)
    kept = drawn_goods | ~good
    rows = frame.rows[kept].reset_index(drop=True)
    weight = np.where(drawn_goods, 2.0, 1.0)[kept]
    sampled, _, _ = learn(rows, frame.label[kept], frame.features, weight=weight)
    whole, _, _ = learn(frame.rows, frame.label, frame.features)
    late = sampled.tables[0]
    assert sum(late.counts) == 2 * drawn_goods.sum() + (~good).sum()
    assert sum(late.bads) == frame.label.sum()
    apart = sampled.margin(frame.rows) - whole.margin(frame.rows)
    assert abs(apart.mean()) < 0.05 and apart.std() < 0.35
    # Weights all alike say nothing.
    same, _, _ = learn(frame.rows, frame.label, frame.features, weight=np.full(len(frame), 3.0))
    assert same.margin(frame.rows) == pytest.approx(whole.margin(frame.rows), abs=0.01)


def test_a_feature_that_says_nothing_is_dropped(frame: TrainingFrame) -> None:
    rows = frame.rows.assign(coin=np.arange(len(frame)) // 5 % 2.0)
    label = np.where(np.arange(len(frame)) % 5 == 0, 1, 0).astype(np.int8)
    card, _, _ = learn(rows, label, (Fact("coin", Kind.INTEGER),))
    assert "chance" in card.dropped["coin"]
    # Everyone then has the base score.
    assert card.margin(rows) == pytest.approx(np.log(0.25), abs=0.001)


def test_a_feature_whose_sign_turns_is_dropped() -> None:
    # y follows a; b is a copy of a with noise and -y in it, so that beside a it turns over.
    random = np.random.default_rng(1)
    a = random.normal(size=4000)
    label = drawn(2 * a, 1)
    b = a - 0.8 * (label - 0.5) + random.normal(0, 0.1, 4000)
    facts = (Fact("a", NUMBER, direction=1), Fact("b", NUMBER, direction=1))
    card, _, _ = learn(pd.DataFrame({"a": a, "b": b}), label, facts)
    assert card.features == ("a",)
    assert "sign" in card.dropped["b"]


@pytest.mark.parametrize("direction", [1, -1])
def test_a_direction_that_the_data_refuse_leaves_the_feature_out(direction: int) -> None:
    a = np.random.default_rng(4).normal(size=3000)
    facts = (Fact("a", NUMBER, direction=-direction), Fact("b", NUMBER, direction=direction))
    card, _, _ = learn(pd.DataFrame({"a": a, "b": a}), drawn(direction * a), facts)
    assert card.features == ("b",)
    assert card.dropped["a"] == f"the data refuse the direction {'-' if direction > 0 else '+'}"


def test_a_bend_shows_where_no_direction_is_declared() -> None:
    a = np.random.default_rng(6).normal(size=6000)
    card, _, _ = learn(pd.DataFrame({"a": a}), drawn(1.5 * np.abs(a) - 2), (Fact("a", NUMBER),))
    points = table_of(card, "a").points
    middle = max(range(len(points) - 1), key=lambda n: points[n])
    assert 0 < middle < len(points) - 2
    assert list(points[: middle + 1]) == sorted(points[: middle + 1])
    assert list(points[middle:-1]) == sorted(points[middle:-1], reverse=True)


@pytest.mark.parametrize("direction", [1, 0])
def test_the_cuts_are_the_best_there_are(direction: int) -> None:
    """Against every way to join eight pre-bins."""
    random = np.random.default_rng(8)
    for _ in range(20):
        counts = random.integers(30, 300, 8).astype(float)
        rate = np.sort(random.random(8) * 0.5)
        if not direction:  # one turn, which lies in the data beyond doubt
            rate = np.abs(np.linspace(-0.6, 0.5, 8)) + 0.1
            counts *= 10
        bads = np.round(counts * rate)
        blocks = shaped_blocks(counts, bads, direction)
        got = best_starts(counts, bads, counts, blocks, penalty=2.0, least=100)

        def cost(starts: Sequence[int], c: Any = counts, b: Any = bads) -> float:
            n, k = np.add.reduceat(c, starts), np.add.reduceat(b, starts)
            if n.min() < 100:
                return float("inf")
            r = (k + 0.5 * b.sum() / c.sum()) / (n + 0.5)
            return float(-(k * np.log(r) + (n - k) * np.log(1 - r)).sum() + 2.0 * len(starts))

        every = [[0, *more] for size in range(8) for more in combinations(range(1, 8), size)]
        assert cost(got) == pytest.approx(min(cost(one) for one in every))


def test_prebins() -> None:
    assert prebin_cuts(np.array([3.0, 1.0, 2.0, 1.0])).tolist() == [2.0, 3.0]
    cuts = prebin_cuts(np.random.default_rng(9).normal(size=5000), 40)
    assert len(cuts) == 39 and (np.diff(cuts) > 0).all()
    many, few = np.array([100.0, 100.0]), np.array([10.0, 60.0])
    assert not refuses(many, few, 1) and refuses(many, few, -1)


def test_a_rare_code_has_a_bin_of_its_own() -> None:
    random = np.random.default_rng(10)
    late = random.poisson(0.5, 6000).astype(float)
    odds = -2 + 0.8 * late
    code = np.arange(6000) % 60 == 0
    late[code], odds[code] = 98.0, -3.0  # far up the scale, and harmless
    unknown = np.arange(6000) % 60 == 1
    late[unknown], odds[unknown] = -1.0, 1.0
    rows, label = pd.DataFrame({"late": late}), drawn(odds)
    facts = (Fact("late", Kind.INTEGER, direction=1),)
    card, _, _ = learn(rows, label, facts, {"late": Edit(specials=(-1, 98))})
    table = table_of(card, "late")
    assert table.bins.cuts[:2] == (-1.0, 0.0) and table.bins.cuts[-2:] == (98.0, 99.0)
    assert table.counts[1] == unknown.sum() and table.counts[-3] == code.sum()
    ordinary = table.points[2:-3]
    assert len(ordinary) >= 3 and (np.diff(ordinary) < 0).all()
    assert table.points[-3] > ordinary[0] > table.points[1]
    # Nothing was below the one code or above the other: what comes there goes with the next.
    assert (table.points[0], table.points[-2]) == (ordinary[0], ordinary[-1])


def test_a_code_within_a_bin_by_hand_does_not_part_it() -> None:
    random = np.random.default_rng(10)
    score = random.integers(300, 850, 6000).astype(float)
    odds = (575 - score) / 90
    code = np.arange(6000) % 10 == 0
    score[code], odds[code] = -9.0, -3.0
    rows, facts = pd.DataFrame({"score": score}), (Fact("score", NUMBER, direction=-1),)
    edits = {"score": Edit(cuts=(450, 700), specials=(-9,))}
    card, _, _ = learn(rows, drawn(odds), facts, edits)
    below, coded, above, *_ = card.tables[0].points
    assert below == above != coded
    assert card.tables[0].counts[:2] == (0, code.sum())


def test_edits_by_hand_hold(frame: TrainingFrame) -> None:
    edits = {
        "late_bills_12m": Edit(cuts=(1, 3, 6)),
        "tariff": Edit(levels=(("night", "flat"), ("prepay",))),
        "balance": Edit(drop=True),
    }
    card, _, _ = learn(frame.rows, frame.label, frame.features, edits)
    assert card.dropped["balance"] == "left out by hand"
    tariff = table_of(card, "tariff")
    assert tariff.bins.levels == ("night", "flat", "prepay") and tariff.bins.cuts == (2.0,)
    assert tariff.counts[2] == (frame.rows["tariff"] == "rare").sum()
    late = [t for t in card.tables if t.bins.name == "late_bills_12m"]
    assert late and late[0].bins.cuts == (1.0, 3.0, 6.0)


def test_a_cut_that_is_not_wanted_goes() -> None:
    a = np.random.default_rng(11).normal(size=5000)
    rows, label, facts = pd.DataFrame({"a": a}), drawn(2 * a), (Fact("a", NUMBER, direction=1),)
    cuts = table_of(learn(rows, label, facts)[0], "a").bins.cuts
    gone = cuts[len(cuts) // 2]
    fewer = table_of(learn(rows, label, facts, {"a": Edit(without=(gone,))})[0], "a").bins.cuts
    assert len(cuts) >= 4 and gone not in fewer


def test_bins_that_do_not_hold_over_time_are_joined() -> None:
    random = np.random.default_rng(12)
    a = random.integers(0, 4, 12_000).astype(float)
    second = np.arange(12_000) % 2 == 1
    # Between 1 and 2 the order turns with time; 0 and 3 keep theirs.
    odds = np.choose(a.astype(int), [-3.0, -1.6, -1.0, 1.0])
    odds = np.where(second & (a == 1), -0.9, np.where(second & (a == 2), -1.5, odds))
    odds = np.where(~second & (a == 2), -0.4, odds)
    as_of = np.where(second, np.datetime64("2024-06-01"), np.datetime64("2024-01-01"))
    rows, label, facts = pd.DataFrame({"a": a}), drawn(odds), (Fact("a", NUMBER, direction=1),)
    kept, _, _ = learn(rows, label, facts)
    joined, _, _ = learn(rows, label, facts, snapshots=as_of)
    assert table_of(kept, "a").bins.cuts == (1.0, 2.0, 3.0)
    assert table_of(joined, "a").bins.cuts == (1.0, 3.0)
    assert any("a: 2 is not used as a cut" in note for note in joined.notes)
    # A value that only occurs in one half joins its neighbour.
    late_only = np.where(second & (a == 3), 4.0, a)
    joined, _, _ = learn(pd.DataFrame({"a": late_only}), label, facts, snapshots=as_of)
    assert 4.0 not in table_of(joined, "a").bins.cuts
    nothing = np.full(12_000, np.datetime64("NaT"))
    assert learn(rows, label, facts, snapshots=nothing)[0] == kept


def test_a_setting_chosen_on_a_sample_learns_from_all_rows(
    frame: TrainingFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classic, "ENOUGH_TO_CHOOSE", 1_000)
    card, outside, tried = fit_classic(
        frame.rows, frame.label, frame.weight, frame.features, folds_by_party(frame.group, 5, 7)
    )
    assert sum(one["chosen"] for one in tried) == 1
    assert all(sum(table.counts) == len(frame) for table in card.tables)
    assert auc(frame.label, outside) > 0.7
