"""Least numbers are of parties, where parties have several rows whose outcomes are alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.problems import Problems
from riskseg.learning import worth_of_drift
from riskseg.learning.evidence.gathered import known_and_new
from riskseg.learning.evidence.stability import by_snapshot, stability
from riskseg.learning.frame import TrainingFrame
from riskseg.learning.parties import LEAST_PARTIES, Parties, counted_outcomes
from riskseg.learning.scorecard.controls import Controls
from riskseg.learning.scorecard.optimal import optimal_bins
from riskseg.learning.scorecard.tables import Bins
from riskseg.learning.screen import check_outcomes
from riskseg.learning.trees.columns import columns_of, matrix_of
from riskseg.learning.trees.tuning import CANDIDATES, MOST_OF_A_LEAF, dataset, grow
from tests.learning.conftest import author_spec

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats

FACTS = (Fact("x", Kind.NUMBER), Fact("region", Kind.TEXT))


def frame(parties: int, each: int, *, alike: bool, seed: int = 1) -> TrainingFrame:
    """So many rows of each party, in a month of its own each; all of one outcome, or each of its
    own. The last two months are held out. `x` is the same in all rows of a party."""
    random = np.random.default_rng(seed)
    party = np.repeat(np.arange(parties), each)
    month = np.tile(np.arange(each), parties)
    x = random.normal(size=parties)[party]
    drawn = random.random(parties)[party] if alike else random.random(parties * each)
    label = (drawn < 1 / (1 + np.exp(1.0 - x))).astype(np.int8)
    region = np.array(["a", "b"], dtype=object)[party % 2]
    ids = np.array([f"P{n}" for n in party], dtype=object)
    as_of = (np.datetime64("2024-01") + month).astype("datetime64[D]")
    rows = pd.DataFrame({"x": x, "region": region})
    held = month >= each - 2
    return TrainingFrame(rows, FACTS, label, ids, ids, as_of, held, np.ones(len(label)))


def split(made: TrainingFrame) -> tuple[TrainingFrame, Floats, TrainingFrame, Floats]:
    p = np.round(1 / (1 + np.exp(1.0 - made.rows.x.to_numpy())), 6)
    held = made.held_out
    return made.where(~held), p[~held], made.where(held), p[held]


@pytest.mark.parametrize(("parties", "alike", "enough"), [
    (60, True, False), (60, False, True), (400, True, True),
])  # fmt: skip
def test_outcomes_to_learn_from_are_those_of_parties(
    parties: int, alike: bool, enough: bool
) -> None:
    problems = Problems()
    made = frame(parties, 12, alike=alike)
    check_outcomes(author_spec(), made, problems)
    assert len(problems) == (0 if enough else 1)
    for problem in problems:
        bad = int(made.label[~made.held_out].sum())
        assert problem.code == "RS402" and f"{bad} bad" in problem.what and bad > 100
        assert "worth as much as" in problem.what


def test_outcomes_count_as_rows_where_every_row_is_a_party() -> None:
    made = frame(500, 1, alike=True)
    bad = int(made.label.sum())
    assert counted_outcomes(made.group, made.label, made.weight) == (bad, 500 - bad)
    # Of parties that come out alike, a row each is all there is.
    several = frame(500, 10, alike=True)
    counted = counted_outcomes(several.group, several.label, several.weight)
    assert counted == pytest.approx((several.label.sum() / 10, 500 - several.label.sum() / 10), 0.1)


def test_a_month_of_few_parties_has_no_auc() -> None:
    made = frame(40, 8, alike=True)
    of_rows = replace(made, group=np.arange(len(made)).astype(str).astype(object))
    # Twelve rows of each party in one month.
    once = np.datetime64("2024-03-05")
    for one, known in ((made, False), (of_rows, True)):
        at_once = replace(one, as_of=np.where(one.held_out, one.as_of, once))
        few = at_once.where((np.arange(len(made)) // 8) < 20)
        reported = [m for m in by_snapshot(*split(few), split(few)[1]) if m.part == "training"]
        assert [m.auc is not None for m in reported] == [known]


def test_a_shift_of_probabilities_is_judged_by_parties() -> None:
    made = frame(300, 8, alike=True)
    of_rows = replace(made, group=np.arange(len(made)).astype(str).astype(object))
    for found in (
        lambda one: [m.by_chance for m in by_snapshot(*split(one), split(one)[1])],
        lambda one: [stability([], *split(one)).probability.by_chance],
    ):
        by_party, by_row = np.array(found(made)), np.array(found(of_rows))
        # Six rows of each party against one or two: all of them tell as much as one.
        assert (by_party > 1.6 * by_row).all()


def test_known_parties_are_judged_by_outcomes_of_parties() -> None:
    made = frame(80, 8, alike=True)
    training, _, held, p = split(made)
    assert int(held.label.sum()) >= 30
    assert known_and_new(training, held, p).known is None
    made = frame(400, 8, alike=True)
    training, _, held, p = split(made)
    assert known_and_new(training, held, p).known is not None


@pytest.mark.parametrize(("as_one", "times"), [(1.0, 1.0), (3.0, 3.0), (1000.0, None)])
def test_a_leaf_needs_so_many_times_the_rows(as_one: float, times: float | None) -> None:
    made = frame(400, 8, alike=False)
    columns = columns_of(made.rows, made.label, made.weight, made.features)
    data = dataset(matrix_of(made.rows, columns), made.label, made.weight)
    whole = replace(CANDIDATES[2], rows=1.0)
    booster = grow(data, whole, (0, 0), 20, 1, as_one=as_one)
    table = booster.trees_to_dataframe()
    least = table[table.left_child.isna()]["count"].min()
    wanted = len(made) // MOST_OF_A_LEAF if times is None else times * whole.least
    # LightGBM reckons how many rows are in a leaf from their curvature.
    assert 0.9 * wanted <= least <= 1.5 * wanted


def test_drift_is_asked_of_trees_with_leaves_of_parties(monkeypatch: pytest.MonkeyPatch) -> None:
    made = frame(400, 8, alike=True)
    given = []

    def growing(*args: object, as_one: float = 1.0, **more: object) -> object:
        given.append(as_one)
        return grow(*args, as_one=as_one, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(worth_of_drift, "grow", growing)
    later = made.as_of > np.datetime64("2024-04-01")
    worth_of_drift.worth_their_drift(made, later, FACTS[1:], FACTS[:1])
    assert len(given) == 2 and min(given) > 3


def test_bins_of_optbinning_hold_enough_parties() -> None:
    made = frame(110, 30, alike=True)
    asked = (made.rows.x, made.label, made.weight, FACTS[0], Controls(optimal=True))
    party = Parties.of(made.group, made.rows, FACTS)
    assert party is not None

    def parties_in(bins: Bins | str) -> list[int]:
        assert isinstance(bins, Bins)
        place = bins.bin_indexes(made.rows.x)
        return [len(np.unique(made.group[place == n])) for n in range(bins.count - 1)]

    assert min(parties_in(optimal_bins(*asked))) < LEAST_PARTIES
    assert min(parties_in(optimal_bins(*asked, party))) >= LEAST_PARTIES - 1
    few = frame(2 * LEAST_PARTIES - 1, 30, alike=True)
    party = Parties.of(few.group, few.rows, FACTS)
    reported = optimal_bins(few.rows.x, few.label, few.weight, *asked[3:], party)
    assert reported == "fewer than 50 parties are too few for two bins"
