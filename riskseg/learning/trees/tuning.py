"""The search for the parameters of boosted trees: a few stated candidates, judged on folds.

All candidates are judged on two folds by one seed, the best of them on all folds by two; then one
is chosen by its mean loss, and where several are as good, the one with the fewest leaves. The
candidates are few and known to do well on tables of this kind, so that the search costs seconds
and its winner owes little to chance. Trees are grown by one thread each, many at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.learning.parallel import side_by_side, stop_if_interrupted

if TYPE_CHECKING:
    import lightgbm as lgb

    from riskseg.learning.frame import Floats, Labels, Mask

# What every tree of ours shares. `data_random_seed` and `feature_pre_filter` are set so that
# one binned data set serves every seed and candidate.
SHARED: dict[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "max_bin": 127,
    # The simplest method: the others gained nothing measurable, and have been reported to let
    # a violation through.
    "monotone_constraints_method": "basic",
    "bagging_freq": 1,
    "data_random_seed": 1,
    "feature_pre_filter": False,
    "deterministic": True,
    # With one thread it takes half the time of row by row, for the same trees.
    "force_col_wise": True,
    "verbosity": -1,
    "num_threads": 1,
}
MOST_TREES = 600
PATIENCE = 30
# A loss is taken after every so many trees.
STEP = 10
# A loss within this factor of the least is as good as the least: then fewer leaves win.
AS_GOOD = 1.0002
# A batch takes as long as there are leaves to walk to.
MOST_LEAVES = 3_000
# Where rows tell little each, a leaf need not have more than one in so many.
MOST_OF_A_LEAF = 10
FIRST_FOLDS = 2
SECOND_ROUND = 3
# Chance moves the loss of one seed as far as a candidate does: those that are left after the
# first round are judged by two.
SEEDS = 2
# A search learns so many times as fast as what ships: which candidate is best hardly depends on it.
HASTE = 2


@dataclass(frozen=True)
class Candidate:
    """`least` independent rows a leaf; each tree sees these shares of the rows and columns."""

    leaves: int
    depth: int
    least: int
    l2: float
    rate: float = 0.05
    rows: float = 0.8
    columns: float = 0.5
    extra: bool = False

    @property
    def words(self) -> str:
        settings_text = (
            f"{self.leaves} leaves, depth {self.depth}, rate {self.rate}, "
            f"{self.least} rows a leaf, l2 {self.l2:g}"
        )
        if self.rows < 1 or self.columns < 1:
            settings_text += f", {self.rows:.0%} of rows and {self.columns:.0%} of columns a tree"
        return settings_text + (", random cuts" if self.extra else "")

    @property
    def random(self) -> bool:
        """Whether another seed makes other trees."""
        return self.rows < 1 or self.columns < 1 or self.extra

    def most_trees(self, size: int) -> int:
        """The trees of each member of a bag that the leaves to walk to allow, in whole steps; a
        step at least."""
        rate = self.rate / CANDIDATES[0].rate
        trees_allowed = min(MOST_TREES, MOST_LEAVES / (size * self.leaves)) / rate
        return max(1, int(trees_allowed / STEP)) * STEP

    @property
    def hasty(self) -> Candidate:
        return replace(self, rate=self.rate * HASTE)

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "num_leaves": self.leaves,
            "max_depth": self.depth,
            "lambda_l2": self.l2,
            "learning_rate": self.rate,
            "bagging_fraction": self.rows,
            "feature_fraction": self.columns,
            "extra_trees": self.extra,
        }


# The first is the one to beat; the others lie to both sides of it.
CANDIDATES = (
    Candidate(15, 6, 50, 5.0),
    Candidate(15, 6, 100, 20.0, rows=0.7, columns=0.3),
    Candidate(8, 4, 20, 5.0),
    Candidate(8, 4, 10, 10.0, rows=0.7, columns=0.3),
    Candidate(8, 4, 10, 5.0, rows=0.7, extra=True),
    Candidate(4, 3, 20, 5.0),
)


@dataclass(frozen=True)
class Part:
    """One fold: what is learned from, binned, and what judges it. Of what is learned from, `as_one`
    rows tell as much as one that is independent."""

    held: Mask
    data: lgb.Dataset
    judged: Floats
    label: Labels
    weight: Floats
    directions: tuple[int, ...]
    as_one: float = 1.0


@dataclass(frozen=True)
class Curve:
    """Summed weighted loss after 10, 20, ... trees of each size of bag, and the weight summed."""

    loss: dict[int, Floats]
    weight: float


def dataset(matrix: Floats, label: Labels, weight: Floats) -> lgb.Dataset:
    """Binned once, for every seed and candidate."""
    import lightgbm as lgb

    return lgb.Dataset(matrix, label, weight=weight, params=SHARED).construct()


def grow(
    data: lgb.Dataset,
    candidate: Candidate,
    directions: Sequence[int],
    trees: int,
    seed: int,
    judge: lgb.Dataset | None = None,
    enough: Callable[[int], bool] | None = None,
    as_one: float = 1.0,
) -> lgb.Booster:
    """So many trees; fewer where the loss of a judge has long not fallen, or where `enough` says
    so of the number grown. Where `as_one` rows tell as much as one that is independent, as those of
    a party do, a leaf needs so many times the candidate's rows, up to a tenth of all rows."""
    import lightgbm as lgb
    from lightgbm.callback import EarlyStopException

    def stop(now: Any) -> None:
        stop_if_interrupted()
        if enough is not None and enough(now.iteration + 1):
            raise EarlyStopException(now.iteration, [])

    least_in_leaf = min(round(candidate.least * as_one), data.num_data() // MOST_OF_A_LEAF)
    least_in_leaf = max(least_in_leaf, candidate.least)
    parameters = SHARED | candidate.parameters | {"seed": seed, "min_data_in_leaf": least_in_leaf}
    if any(directions):
        parameters["monotone_constraints"] = list(directions)
    # So many trees at the rate of what ships.
    patience = round(PATIENCE * CANDIDATES[0].rate / candidate.rate)
    patient = [] if judge is None else [lgb.early_stopping(patience, verbose=False)]
    return lgb.train(
        parameters,
        data,
        trees,
        valid_sets=[] if judge is None else [judge],
        callbacks=[*patient, stop],
        keep_training_booster=True,
    )


class Bag:
    """Boosters that learn from one fold with a seed each, grown when they are asked for.

    The first stops when its loss no longer falls; the others grow as many trees, as far as the
    leaves of a bag allow.
    """

    def __init__(self, part: Part, candidate: Candidate, seed: int, most: int) -> None:
        self.part, self.candidate, self.seed, self.most = part, candidate, seed, most
        self.boosters: list[lgb.Booster] = []
        self._margins: list[Floats] = []

    def grown_to(self, size: int, most: int | None = None) -> Bag:
        """With so many members at least, those that are new of at most so many trees."""
        import lightgbm as lgb

        part = self.part
        if not self.boosters:
            judge = lgb.Dataset(part.judged, part.label, weight=part.weight, reference=part.data)
            self._add(self._grow(0, self.most, judge))
        while len(self.boosters) < size:
            trees = len(self._margins[0]) * STEP
            self._add(self._grow(len(self.boosters), min(trees, most or trees)))
        return self

    def curve(self, size: int) -> Curve:
        """The loss of a bag of this size."""
        grown = self.grown_to(size)._margins[:size]
        steps = min(map(len, grown))
        mean: Floats = np.mean([margins[:steps] for margins in grown], axis=0)
        loss = _losses(mean, self.part.label, self.part.weight)
        return Curve({size: loss}, float(self.part.weight.sum()))

    def margin(self, size: int, trees: int) -> Floats:
        """The mean log-odds of the rows held, by members of so many trees."""
        margins = [grown[trees // STEP - 1] for grown in self._margins[:size]]
        return np.asarray(np.mean(margins, axis=0))

    def _grow(self, place: int, trees: int, judge: lgb.Dataset | None = None) -> lgb.Booster:
        part = self.part
        return grow(
            *(part.data, self.candidate, part.directions, trees, self.seed + place, judge),
            as_one=part.as_one,
        )

    def _add(self, booster: lgb.Booster) -> None:
        trees = max(booster.current_iteration() // STEP, 1) * STEP
        self.boosters.append(booster)
        self._margins.append(_staged(booster, self.part.judged, trees))


def mean_curve(curves: Sequence[Curve], size: int) -> Floats:
    """The mean weighted log loss over all rows of the folds, after 10, 20, ... trees."""
    shortest = min(len(curve.loss[size]) for curve in curves)
    summed = np.sum([curve.loss[size][:shortest] for curve in curves], axis=0)
    mean: Floats = summed / sum(curve.weight for curve in curves)
    return mean


@dataclass
class Judged:
    """Candidates' losses, each fold of each reckoned once."""

    parts: Sequence[Part]
    seed: int
    threads: int
    _bags: dict[tuple[Candidate, int], Bag] = field(default_factory=dict)

    def with_directions(self, directions: Sequence[tuple[int, ...]]) -> Judged:
        parts = [replace(p, directions=d) for p, d in zip(self.parts, directions, strict=True)]
        return Judged(parts, self.seed, self.threads)

    def reckon(
        self, candidates: Sequence[Candidate], folds: int | None = None, seeds: int = SEEDS
    ) -> None:
        """Learn what is not known yet of these candidates on the first folds, side by side."""
        places = range(len(self.parts[:folds]))
        bags = [self.bag(candidate, place) for place in places for candidate in candidates]
        side_by_side(lambda bag: bag.grown_to(seeds), bags, self.threads)

    def bag(self, candidate: Candidate, place: int) -> Bag:
        """What this candidate has learned on a fold so far."""
        if (candidate, place) not in self._bags:
            hasty = candidate.hasty
            bag = Bag(self.parts[place], hasty, self.seed, hasty.most_trees(1))
            self._bags[candidate, place] = bag
        return self._bags[candidate, place]

    def loss(
        self, candidate: Candidate, folds: int | None = None, seeds: int = SEEDS
    ) -> tuple[float, int]:
        """(the least mean loss, the leaves of a tree count as good) over the first folds."""
        mean = mean_curve(self._of(candidate, folds, seeds), seeds)
        steps = int(np.argmax(mean <= mean.min() * AS_GOOD)) + 1
        return float(mean.min()), steps * STEP * candidate.leaves

    def by_fold(self, candidate: Candidate) -> Floats:
        """The mean loss of each fold at the number of trees that is best for all."""
        curves = self._of(candidate, None, SEEDS)
        best = int(mean_curve(curves, SEEDS).argmin())
        return np.array([curve.loss[SEEDS][best] / curve.weight for curve in curves])

    def _of(self, candidate: Candidate, folds: int | None, seeds: int) -> list[Curve]:
        self.reckon([candidate], folds, seeds)
        places = range(len(self.parts[:folds]))
        return [self.bag(candidate, place).curve(seeds) for place in places]


def search(judged: Judged) -> tuple[Candidate, list[tuple[Candidate, float, int]]]:
    """(the candidate chosen, each with its loss and the number of folds it was judged on)."""
    folds = len(judged.parts)
    rivals, record = list(CANDIDATES), []
    if folds > FIRST_FOLDS:
        judged.reckon(rivals, FIRST_FOLDS, seeds=1)
        first_losses = {rival: judged.loss(rival, FIRST_FOLDS, seeds=1)[0] for rival in rivals}
        rivals = sorted(rivals, key=first_losses.__getitem__)[:SECOND_ROUND]
        record = [
            (candidate, first_losses[candidate], FIRST_FOLDS)
            for candidate in CANDIDATES
            if candidate not in rivals
        ]
    judged.reckon(rivals)
    losses = {rival: judged.loss(rival) for rival in rivals}
    least_loss = min(loss for loss, _ in losses.values())
    as_good = [rival for rival in rivals if losses[rival][0] <= least_loss * AS_GOOD]
    chosen_rival = min(as_good, key=lambda rival: losses[rival][1])
    record = [(rival, losses[rival][0], folds) for rival in rivals] + record
    return chosen_rival, record


def _staged(booster: lgb.Booster, matrix: Floats, trees: int) -> Floats:
    """(steps, rows): the margins after each ten trees."""
    by_step = [
        booster.predict(
            matrix, raw_score=True, start_iteration=start, num_iteration=STEP, num_threads=1
        )
        for start in range(0, trees, STEP)
    ]
    margins: Floats = np.cumsum(by_step, axis=0)
    return margins


def _losses(margins: Floats, label: Labels, weight: Floats) -> Floats:
    sign = 1.0 - 2.0 * label.astype(np.float64)
    return np.array(
        [float((np.logaddexp(0.0, sign * margin) * weight).sum()) for margin in margins]
    )
