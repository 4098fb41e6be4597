"""The evidence of a model whose truth is known: each part says what was put in."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.learning.canonical import canonical
from riskseg.learning.evidence.cohorts import cohorts, levels_of
from riskseg.learning.evidence.curves import calibration_groups, distribution, gains, ks_curve, roc
from riskseg.learning.evidence.effects import effects, monotone
from riskseg.learning.evidence.gathered import evidence, known_and_new, learning_curve
from riskseg.learning.evidence.metrics import Ranked, auc, ks
from riskseg.learning.evidence.model import Evidence, Gain
from riskseg.learning.evidence.stability import by_snapshot, stability
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.learners import learner_named
from riskseg.learning.psi import Groups, psi
from riskseg.learning.spec import ModelSpec
from riskseg.learning.split import held_out_by_party

FACTS = (
    Fact("late", Kind.INTEGER, words="{value} {bill was|bills were} late", direction=1),
    Fact("age", Kind.NUMBER, nullable=True, direction=-1),
    Fact("tariff", Kind.TEXT, nullable=True),
    Fact("debit", Kind.BOOLEAN),
    Fact("noise", Kind.NUMBER),
)
LEARNER = learner_named("scorecard")
REGION = Fact("region", Kind.TEXT, nullable=True)
FRAIL = Fact("is_frail", Kind.BOOLEAN, protected=True)


def truth(rows: pd.DataFrame) -> np.ndarray:
    """The log-odds that outcomes are drawn from."""
    reported: np.ndarray = (
        -2.0
        + 0.7 * rows["late"].to_numpy()
        - 0.8 * rows["age"].fillna(2.0).to_numpy()
        + 1.5 * (rows["tariff"] == "prepay").to_numpy()
        - 0.6 * rows["debit"].to_numpy()
    )
    return reported


@dataclass(frozen=True)
class Known:
    """A model that is the truth."""

    features: tuple[str, ...] = tuple(fact.name for fact in FACTS)

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> np.ndarray:
        return truth(batch)


def make(rows: int = 6_000, seed: int = 1) -> tuple[TrainingFrame, np.ndarray]:
    """(six months of rows of some parties, right probabilities)."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "late": random.poisson(1.0, rows).astype(float),
            "age": random.gamma(2.0, 1.0, rows).round(3),
            "tariff": random.choice(["flat", "prepay"], rows, p=[0.8, 0.2]).astype(object),
            "debit": (random.random(rows) < 0.5).astype(float),
            "noise": random.normal(size=rows),
            "region": random.choice(["north", "south", "west"], rows).astype(object),
        }
    )
    table["is_frail"] = (table["age"] > 3).astype(float)
    table.loc[random.random(rows) < 0.1, "age"] = np.nan
    table.loc[random.random(rows) < 0.05, "tariff"] = None
    table.loc[random.random(rows) < 0.03, "region"] = None
    p = np.round(1 / (1 + np.exp(-truth(table))), 6)
    label = (random.random(rows) < p).astype(np.int8)
    party = np.array([f"P{n // 2}" for n in range(rows)], dtype=object)
    as_of = np.datetime64("2025-01-10") + 30 * (np.arange(rows) % 6).astype("timedelta64[D]")
    frame = TrainingFrame(
        rows=table,
        features=FACTS,
        label=label,
        account=np.arange(rows),
        group=party,
        as_of=as_of,
        held_out=held_out_by_party(party, 0.4, 7),
        weight=np.ones(rows),
        attributes=(REGION, FRAIL),
    )
    return frame, p


def split(frame: TrainingFrame, p: np.ndarray) -> tuple[Any, Any, Any, Any]:
    held = frame.held_out
    return frame.where(~held), p[~held], frame.where(held), p[held]


def whole(frame: TrainingFrame, p: np.ndarray, **more: Any) -> Evidence:
    spec = ModelSpec.model_validate({"name": "m", "target": {"column": "x"}, **more})
    fitted = p[~frame.held_out]
    return evidence(spec, LEARNER, Known(), FACTS, *split(frame, p), fitted=fitted, threads=1)


@pytest.fixture(scope="module")
def reported() -> Evidence:
    return whole(*make())


def test_all_of_it_is_plain_data_at_six_decimals(reported: Evidence) -> None:
    plain = reported.as_json()
    back = json.loads(canonical(plain))
    assert back == plain
    assert Evidence.model_validate(back) == reported
    assert canonical(Evidence.model_validate(back).as_json()) == canonical(plain)

    def check(value: Any) -> None:
        if isinstance(value, dict):
            for one in value.values():
                check(one)
        elif isinstance(value, list):
            for one in value:
                check(one)
        elif isinstance(value, float):
            assert value == round(value, 6)

    check(plain)


def test_the_same_rows_give_the_same_evidence(reported: Evidence) -> None:
    assert whole(*make()) == reported


def test_every_interval_holds_its_estimate(reported: Evidence) -> None:
    found = [
        *reported.intervals.values(),
        *(group.rate for group in reported.calibration),
        *(getattr(one, key) for one in reported.cohorts for key in ("rate", "above_cut", "auc")),
        *(one.auc for one in reported.by_snapshot),
    ]
    found = [one for one in found if one is not None]
    assert len(found) > 30
    for estimate, low, high in found:
        assert low <= estimate <= high
        assert low < high


def test_the_roc_curve_bounds_the_auc() -> None:
    frame, p = make()
    points = np.array(roc(Ranked.of(frame.label, p)))
    assert len(points) <= 101
    assert points[0].tolist() == [0, 0] and points[-1].tolist() == [1, 1]
    assert (np.diff(points, axis=0) >= 0).all()
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(auc(frame.label, p), abs=2e-3)
    few = roc(Ranked.of(np.array([0, 1, 0, 1], dtype=np.int8), np.array([0.1, 0.1, 0.4, 0.8])))
    assert few == [(0, 0), (0, 0.5), (0.5, 0.5), (1, 1)]


def test_the_ks_curve_says_where_the_gap_is_widest() -> None:
    frame, p = make()
    found = ks_curve(Ranked.of(frame.label, p))
    assert len(found.curve) <= 101
    assert found.value == pytest.approx(ks(frame.label, p), abs=1e-6)
    at = [point for point in found.curve if point[0] == found.at]
    assert at[0][1] - at[0][2] == pytest.approx(found.value, abs=2e-6)
    assert found.curve[-1][1:] == (1, 1)


def test_calibration_groups_keep_ties_together_and_count_every_row() -> None:
    frame, p = make()
    groups = calibration_groups(frame.label, p, frame.weight, frame.group)
    assert len(groups) == 10 and sum(g.rows for g in groups) == len(p)
    assert all(a.high < b.low for a, b in itertools.pairwise(groups))
    assert sum(g.rate[1] <= g.mean <= g.rate[2] for g in groups) >= 8
    tied = calibration_groups(frame.label, p.round(1), frame.weight, frame.group)
    assert len(tied) < 10 and sum(g.rows for g in tied) == len(p)
    assert sum(g.bad for g in tied) == frame.label.sum()


def test_gains_and_distribution_by_hand() -> None:
    label = np.r_[np.ones(2), np.zeros(18)].astype(np.int8)
    p = np.linspace(0.99, 0.01, 20)
    found = gains(Ranked.of(label, p))
    assert found[0] == Gain(share=0.1, caught=1.0, lift=10.0)
    assert found[-1] == Gain(share=1.0, caught=1.0, lift=1.0)
    spread = distribution(label, p, np.ones(20))
    assert len(spread.edges) == 21
    for shares in (spread.good, spread.bad):
        assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert spread.bad[19] == 0.5 and spread.bad[18] == 0.5
    edge = distribution(np.array([0, 1], dtype=np.int8), np.array([0.15, 0.15]), np.ones(2))
    assert edge.good[3] == 1  # a group holds its lower edge


def test_psi_by_hand() -> None:
    before, after = np.repeat([0, 1], [60, 40]), np.repeat([0, 1], [40, 60])
    p, q = np.array([60.5, 40.5]) / 101, np.array([40.5, 60.5]) / 101
    found, chance = psi(before, after)
    assert found == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert chance == pytest.approx(1 / 100 + 1 / 100)
    # An empty group is neither left out nor decides everything.
    p = np.array([100.5, 0.5]) / 101
    found, _ = psi(np.zeros(100, dtype=int), after, groups=2)
    assert found == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_psi_by_chance_is_what_chance_gives() -> None:
    random = np.random.default_rng(1)
    found = [
        psi(random.integers(0, 10, 4_000), random.integers(0, 10, 1_000), groups=10)
        for _ in range(200)
    ]
    assert np.mean([one for one, _ in found]) == pytest.approx(found[0][1], rel=0.1)


def test_stability_tells_what_moved() -> None:
    frame, p = make()
    training, within, held, beyond = split(frame, p)
    moved = held.rows.assign(noise=held.rows["noise"] + 1.0, tariff="flat")
    reported = stability(FACTS, training, within, replace(held, rows=moved), beyond)
    assert reported.probability.psi < 3 * reported.probability.by_chance
    by = {(one.feature, one.part): one for one in reported.features}
    assert len(by) == 2 * len(FACTS)
    for (name, part), one in by.items():
        if part == "hold-out" and name in ("noise", "tariff"):
            assert one.psi > 0.2, name
        else:
            assert one.psi < 4 * one.by_chance, (name, part)


def test_the_psi_compares_probabilities_of_one_function() -> None:
    """Probabilities out of fold are those of other functions, here twice as bold."""
    frame, p = make()
    training, _, held, beyond = split(frame, p)
    fitted = p[~frame.held_out]
    within = np.round(1 / (1 + np.exp(-2 * truth(training.rows))), 6)
    spec = ModelSpec.model_validate({"name": "m", "target": {"column": "x"}})
    reported = evidence(
        spec, LEARNER, Known(), FACTS, training, within, held, beyond, fitted=fitted, threads=1
    )
    for one in (reported.stability.probability, *reported.by_snapshot):
        assert one.psi < 3 * one.by_chance
    months = [month for month in reported.by_snapshot if month.part == "training"]
    as_of = training.as_of.astype("datetime64[M]")
    first = within[as_of == as_of.min()]
    assert months[0].mean == pytest.approx(first.mean(), abs=1e-6)  # judged out of fold


def test_text_is_grouped_by_its_levels_and_null_is_one() -> None:
    values = pd.Series(["a"] * 6 + ["b"] * 3 + [None], dtype=object)
    groups = Groups.of(values, FACTS[2], np.ones(10))
    assert groups.levels == ("a", "b")
    later = pd.Series(["b", "new", None, "a"], dtype=object)
    assert groups.places(later).tolist() == [1, 2, 3, 0]
    numbers = Groups.of(pd.Series([1.0, 2.0, np.nan]), FACTS[1], np.ones(3))
    assert numbers.places(pd.Series([0.0, 1.0, 5.0, np.nan])).tolist() == [0, 1, 2, 3]


def test_every_month_of_each_part() -> None:
    frame, p = make()
    reported = by_snapshot(*split(frame, p), p[~frame.held_out])
    assert [one.part for one in reported] == ["training"] * 6 + ["hold_out"] * 6
    assert reported[0].from_ == reported[0].until == "2025-01-10"
    assert sum(one.rows for one in reported) == len(p)
    assert all(one.psi < 5 * one.by_chance for one in reported)
    undated = replace(frame, as_of=np.full(len(p), np.datetime64("NaT", "D")))
    assert by_snapshot(*split(undated, p), p[~frame.held_out]) == []


def test_effects_are_the_models_own(reported: Evidence) -> None:
    by = {one.feature: one for one in reported.effects}
    assert list(by) == [fact.name for fact in FACTS]
    assert by["late"].words == "… bills were late" and by["late"].kind == "number"
    late = {p.value: p.margin for p in by["late"].points}
    assert late[3.0] - late[1.0] == pytest.approx(1.4, abs=1e-5)
    age = by["age"].points
    assert len(age) <= 20 and age[-1].value is None
    at_two = np.interp(2.0, [p.value for p in age[:-1]], [p.margin for p in age[:-1]])
    assert age[-1].margin == pytest.approx(at_two, abs=1e-5)
    tariff = [(p.value, p.margin) for p in by["tariff"].points]
    assert [value for value, _ in tariff] == ["flat", "prepay", None]
    assert tariff[1][1] - tariff[0][1] == pytest.approx(1.5, abs=1e-5)
    assert by["debit"].kind == "boolean"
    assert {p.margin for p in by["noise"].points} == {by["noise"].points[0].margin}
    for one in by.values():
        assert sum(p.share for p in one.points) == pytest.approx(1, abs=1e-5)


def test_many_levels_are_cut_to_the_commonest() -> None:
    frame, _ = make(2_000)
    many = [f"level {n % 50:02}" if n % 4 else "common" for n in range(2_000)]
    rows = frame.rows.assign(tariff=pd.Series(many, dtype=object))
    (reported,) = effects(truth, rows, frame.weight, FACTS[2:3])
    assert len(reported.points) == 19
    assert {"common", "level 01"} <= {p.value for p in reported.points}


def test_a_turn_against_the_direction_is_counted_and_measured(reported: Evidence) -> None:
    assert [(one.feature, one.violations) for one in reported.monotone] == [
        ("late", 0),
        ("age", 0),
    ]
    frame, _ = make(2_000)

    def bent(rows: pd.DataFrame) -> np.ndarray:
        late = rows["late"].to_numpy()
        return np.asarray(late - 2.5 * (late == 3) * (rows["debit"].to_numpy() == 1))

    (one,) = monotone(bent, frame.rows, FACTS[:1], {"late": 0})
    assert one.worst == pytest.approx(1.5) and not one.constrained
    assert 0 < one.violations < one.tried / 2


def test_cohorts_by_level_and_null(reported: Evidence) -> None:
    regions = [one for one in reported.cohorts if one.attribute == "region"]
    assert [one.level for one in regions] == ["north", "south", "west", None]
    frail = [one for one in reported.cohorts if one.attribute == "is_frail"]
    assert [one.level for one in frail] == [False, True]
    assert frail[0].mean > 2 * frail[1].mean
    frame, p = make()
    training, _, held, beyond = split(frame, p)
    assert sum(one.rows for one in regions) == len(held)
    north = held.rows["region"] == "north"
    entry = cohorts(held, beyond, [REGION], 0.25)[0]
    assert entry.above_cut[0] == pytest.approx((beyond[north] >= 0.25).mean(), abs=1e-6)
    bad = north & (held.label == 1)
    assert entry.bad_above_cut[0] == pytest.approx((beyond[bad] >= 0.25).mean(), abs=1e-6)
    assert reported.cohorts[0].cut == pytest.approx(training.label.mean(), abs=1e-6)
    assert whole(*make(), fairness={"cut": 0.4}).cohorts[0].cut == 0.4


def test_levels_of_numbers_and_dates() -> None:
    def reported(values: list[Any], kind: Kind, dtype: Any = None) -> list[tuple[Any, int]]:
        series = pd.Series(values, dtype=dtype)
        found = levels_of(series, Fact("x", kind), np.ones(len(values)))
        return [(level, int(rows.sum())) for level, rows in found]

    assert reported([1.0, 2.0, 2.0, np.nan], Kind.INTEGER) == [(1.0, 1), (2.0, 2), (None, 1)]
    assert reported([*map(float, range(8))], Kind.INTEGER) == [
        ("below 1", 1),
        ("1 to below 3", 2),
        ("3 to below 5", 2),
        ("5 and above", 3),
    ]
    many = [f"{n % 25:02}" for n in range(100)]
    text = reported(many, Kind.TEXT, object)
    assert len(text) == 21 and text[-1] == ("other levels", 20)
    days = pd.to_datetime(["2024-03-01", "2025-04-01", "2025-05-01"])
    assert reported(list(days), Kind.DATE) == [("2024", 1), ("2025", 2)]


def test_the_stand_in_is_found(reported: Evidence) -> None:
    (one,) = reported.protected
    assert one.attribute == "is_frail" and one.through[0] == "age" and one.stands_in


def test_a_learning_curve_learns_from_growing_shares_of_the_parties() -> None:
    frame, p = make()
    training, _, held, beyond = split(frame, p)
    seen: list[np.ndarray] = []

    def refit(chosen: np.ndarray) -> np.ndarray:
        seen.append(chosen)
        noise = np.random.default_rng(1).normal(size=len(beyond))
        return np.asarray(truth(held.rows) + 100 / np.sqrt(chosen.sum()) * noise)

    reported = learning_curve(training, held, refit, 7)
    assert [one.share for one in reported] == [0.1, 0.25, 0.5, 0.75, 1]
    assert seen[-1].all()
    for smaller, larger in itertools.pairwise(seen):
        assert (larger | ~smaller).all() and smaller.sum() < larger.sum()
    for chosen in seen[:-1]:
        assert not set(training.group[chosen]) & set(training.group[~chosen])
    areas = [one.auc[0] for one in reported]
    assert areas == sorted(areas)
    small = training.where(np.arange(400))
    assert len(learning_curve(small, held, lambda _: beyond, 7)) < 5


def test_weights_stand_for_rows() -> None:
    """Of the goods two in three are left out, and the rest count for three."""
    frame, p = make(20_000)
    kept = (frame.label == 1) | (np.arange(len(p)) % 3 == 0)
    weight = np.where(frame.label == 1, 1.0, 3.0)
    full = whole(frame, p)
    part = whole(replace(frame, weight=weight).where(kept), p[kept])
    assert part.cohorts[0].mean == pytest.approx(full.cohorts[0].mean, rel=0.05)
    assert part.cohorts[0].cut == pytest.approx(full.cohorts[0].cut, rel=0.03)
    for one, other in zip(part.calibration, full.calibration, strict=True):
        assert one.mean == pytest.approx(other.mean, rel=0.1, abs=0.01)
    assert part.stability.probability.psi < 0.01
    assert part.intervals["brier"].value == pytest.approx(full.intervals["brier"].value, rel=0.03)


def test_parties_that_were_learned_from_are_judged_apart_from_new_ones() -> None:
    random = np.random.default_rng(3)
    rows = 4000
    p = np.round(1 / (1 + np.exp(-random.normal(-1, 1, rows))), 6)
    label = (random.random(rows) < p).astype(np.int8)
    party = np.array([f"P{n:05d}" for n in np.arange(rows) // 2])
    held: Any = SimpleNamespace(label=label, weight=np.ones(rows), group=party)
    training: Any = SimpleNamespace(group=party[:2500])
    # Of those that are new, the probability is too low by 1 in log-odds.
    reported = p.copy()
    reported[2500:] = np.round(1 / (1 + np.exp(1 + np.log((1 - p[2500:]) / p[2500:]))), 6)
    found = known_and_new(training, held, reported)
    known, new = found.known, found.new
    assert known is not None and new is not None
    assert (known.rows, new.rows) == (2500, 1500)
    assert abs(known.calibration_intercept) < 0.15
    assert new.calibration_intercept == pytest.approx(1, abs=0.2)
    training.group = party
    assert known_and_new(training, held, reported).new is None
