"""Boosted trees: LightGBM, tuned on folds, held to the declared directions of risk and to the
same trees at any number of threads.

Text goes in as the place of its level in the order of risk. A null is a value of its own where
training saw nulls; elsewhere it counts as the median of training, never as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.levels import level_codes, levels_by_risk
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import Parties, rows_as_one
from riskseg.learning.trees.bag import merged
from riskseg.learning.trees.directions import refused
from riskseg.learning.trees.null_importance import uninformative
from riskseg.learning.trees.shap import Explainer
from riskseg.learning.trees.text import read_trees
from riskseg.learning.trees.tuning import (
    AS_GOOD,
    CANDIDATES,
    FIRST_FOLDS,
    STEP,
    Bag,
    Candidate,
    Judged,
    Part,
    dataset,
    grow,
    mean_curve,
    search,
)

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd
    from numpy.typing import NDArray

    from riskseg.learning.frame import Floats, Folds, Labels, Mask

# Parameters are searched for, and features looked at, on no more rows than this.
SEARCHED_ROWS = 20_000
BAGS = (1, 3)
# No bag is tried with more cells: it would cost minutes, and gains less the more rows there are.
BAGGED_CELLS = 10_000_000
# The ends of a 95% interval of the mean of five folds' differences, in standard errors.
BEYOND_NOISE = 2.8

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Column:
    """How a feature becomes a number. `fill` stands in for a null training never saw;
    `direction` is the one its trees are held to; `special_values` are the codes of
    a feature that is held to a direction: they have no place in it, and count as nulls."""

    name: str
    levels: tuple[str, ...] | None
    fill: float | None
    gain: float = 0.0
    direction: int = 0
    special_values: tuple[float, ...] = ()

    def numbers(self, batch: pd.DataFrame) -> Floats:
        values = batch[self.name]
        if self.levels is None:
            numbers: Floats = values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
            if self.special_values:
                numbers[np.isin(numbers, self.special_values)] = np.nan
        else:
            numbers = level_codes(values, self.levels)
            numbers[numbers < 0] = np.nan
        if self.fill is not None:
            numbers[np.isnan(numbers)] = self.fill
        return numbers


@dataclass(frozen=True)
class Boosted:
    """Trees as LightGBM's own text, and how a batch becomes their input.

    `dropped` says why a feature on offer was left out; `notes` are for the model's record.
    """

    columns: tuple[Column, ...]
    text: str
    dropped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def directions(self) -> dict[str, int]:
        """The direction each feature's trees are held to: 0 where none was declared, or where
        the data refused it."""
        return {column.name: column.direction for column in self.columns}

    @cached_property
    def _booster(self) -> lgb.Booster:
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    @property
    def trees(self) -> int:
        return int(self._booster.num_trees())

    def margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Log-odds of the bad outcome."""
        return self._predict(batch, threads, raw_score=True)

    def contributions(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """Exact SHAP values in log-odds, (rows, features): positive raises the risk.

        See :mod:`riskseg.learning.trees.shap`; LightGBM's `pred_contrib` to about 1e-13.
        """
        return self._explainer.values(matrix_of(batch, self.columns), threads)

    def swift_margin(self, batch: pd.DataFrame, threads: int = 1) -> Floats:
        """The margin, to about 1e-12, by the tables of the SHAP values: about three times as fast
        where those are at hand."""
        return self._explainer.margin(matrix_of(batch, self.columns), threads)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer.of(read_trees(self.text))

    def _predict(self, batch: pd.DataFrame, threads: int, **how: bool) -> Floats:
        if batch.empty:  # LightGBM refuses a batch without rows
            return np.zeros(0)
        matrix = matrix_of(batch, self.columns)
        return np.asarray(self._booster.predict(matrix, num_threads=threads, **how))

    def as_json(self) -> dict[str, Any]:
        return {
            "trees": self.trees,
            "columns": [
                {
                    "feature": column.name,
                    "levels": None if column.levels is None else list(column.levels),
                    "fill": column.fill,
                    "gain": column.gain,
                    "direction": column.direction,
                    **(
                        {"special_values": list(column.special_values)}
                        if column.special_values
                        else {}
                    ),
                }
                for column in self.columns
            ],
            "dropped": dict(self.dropped),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any], text: str) -> Boosted:
        columns = (
            Column(
                c["feature"],
                None if c["levels"] is None else tuple(c["levels"]),
                c["fill"],
                c["gain"],
                c.get("direction", 0),
                tuple(c.get("special_values", ())),
            )
            for c in told["columns"]
        )
        dropped, notes = told.get("dropped", {}), told.get("notes", ())
        return cls(tuple(columns), text, dict(dropped), tuple(notes))


def fit_boosted(
    rows: pd.DataFrame,
    label: Labels,
    weight: Floats,
    features: Sequence[Fact],
    folds: Folds,
    *,
    seed: int,
    threads: int,
    say: Progress,
    party: Parties | None = None,
    searching: bool = True,
) -> tuple[Boosted, Floats, list[dict[str, Any]]]:
    """(the trees, each row's log-odds from trees that did not see its fold, what was tried).

    Chosen in this order, each by the mean weighted log loss over the folds: whether declared
    directions are let go, the parameters, whether features that tell no more than chance are
    left out, the size of the bag and the number of trees. All but the last two on at most 20,000
    rows; without `searching` the number of trees alone is chosen. What looks at labels more
    closely than a choice among a few (the order of levels, which directions to let go, which
    features to leave out) is found anew in the training rows of each fold. With what was chosen,
    all rows are learned from once more. `party` numbers the party of each row, where one has
    several.
    """
    tried: list[dict[str, Any]] = []
    task = _Task(rows, label, weight, features, folds, party, seed, threads)
    sample = task.sample()
    small = task if len(sample) == len(label) else task.where(sample)
    where = "" if small is task else f" (on {len(sample):,} rows)"

    def record(what: str, loss: float, chosen: bool) -> None:
        tried.append({"what": what + where, "log_loss": fixed(loss), "chosen": chosen})

    freed = False
    notes: list[str] = []
    winner = CANDIDATES[0]
    # What each fold leaves out, and then what all rows do.
    idle: list[dict[str, str]] = [{} for _ in [*task.folds_there, None]]
    if searching:
        lessons = small.lessons(task.folds_there)
        judged = Judged([lesson.part for lesson in lessons], seed, threads)
        if any(any(lesson.part.directions) for lesson in lessons):
            say("asking whether the data refuse a declared direction of risk")
            judged, freed, notes = _try_directions(judged, lessons, record)
        say(f"comparing {len(CANDIDATES)} sets of parameters")
        winner, losses = search(judged)
        for candidate, loss, count in losses:
            over = "" if count == len(lessons) else f", {count} folds"
            record(candidate.words + over, loss, candidate == winner)
        say("looking for features that tell no more than chance")
        idle = _try_leaner(judged, small, lessons, winner, freed, record)

    where = ""
    say("learning on all folds")
    *by_fold, dropped = idle
    lessons = task.lessons(task.folds_there, by_fold)
    all_rows = _whole(task, dropped, freed)
    bagged = searching and winner.random and len(label) * len(features) <= BAGGED_CELLS
    grown = _grow_all(
        [lesson.held_to(freed) for lesson in lessons],
        all_rows,
        winner,
        BAGS if bagged else BAGS[:1],
        seed,
        threads,
        record,
    )
    outside = np.zeros(len(label))
    for lesson, bag in zip(lessons, grown.bags, strict=True):
        outside[lesson.part.held] = bag.margin(grown.size, grown.trees)
    gains = np.mean(
        [b.feature_importance(importance_type="gain", iteration=grown.trees) for b in grown.whole],
        axis=0,
    )
    columns = tuple(
        replace(column, gain=fixed(gain), direction=direction)
        for column, gain, direction in zip(
            all_rows.columns, gains, all_rows.directions, strict=True
        )
    )
    text = merged([booster.model_to_string(num_iteration=grown.trees) for booster in grown.whole])
    return Boosted(columns, text, dropped, (*notes, *all_rows.notes)), outside, tried


@dataclass(frozen=True)
class _Whole:
    """All rows, ready to be learned from."""

    columns: tuple[Column, ...]
    data: lgb.Dataset
    directions: tuple[int, ...]
    notes: tuple[str, ...]
    as_one: float


def _whole(task: _Task, dropped: Mapping[str, str], freed: bool) -> _Whole:
    features = [fact for fact in task.features if fact.name not in dropped]
    columns, matrix, declared = task.prepare(None, features)
    directions = declared
    if freed:
        names = [column.name for column in columns]
        directions = refused(matrix, task.label, task.weight, declared, task.party, names)
    let_go = [c.name for c, a, b in zip(columns, declared, directions, strict=True) if a != b]
    notes = tuple(f"the data refuse the direction of {name}" for name in let_go)
    data = dataset(matrix, task.label, task.weight)
    as_one = rows_as_one(task.party, task.label, task.weight)
    return _Whole(columns, data, directions, notes, as_one)


@dataclass(frozen=True)
class _Grown:
    """Each fold's bag and the boosters of all rows, and how much of them is taken."""

    bags: Sequence[Bag]
    whole: Sequence[lgb.Booster]
    size: int
    trees: int


def _grow_all(
    parts: Sequence[Part],
    whole: _Whole,
    candidate: Candidate,
    sizes: Sequence[int],
    seed: int,
    threads: int,
    record: Record,
) -> _Grown:
    """Trees on each fold and on all rows, side by side; the size of the bag and the number of
    trees are then chosen by the folds' losses.

    A larger bag is first tried on two folds. All rows are learned from while the folds are: at
    least as many trees as any fold has when it is done, of which those chosen are taken.
    """
    bags = [Bag(part, candidate, seed, candidate.most_trees(1)) for part in parts]
    done: list[int] = []

    def grow_whole(
        trees: int, seed: int, enough: Callable[[int], bool] | None = None
    ) -> lgb.Booster:
        given = (whole.data, candidate, whole.directions, trees, seed)
        return grow(*given, enough=enough, as_one=whole.as_one)

    def first(bag: Bag | None) -> lgb.Booster | None:
        if bag is None:
            most = candidate.most_trees(1)
            enough = lambda trees: bool(done) and trees >= min(done)  # noqa: E731
            return grow_whole(most, seed, enough)
        done.append(max(bag.grown_to(1).boosters[0].current_iteration(), STEP))
        return None

    *_, booster = side_by_side(first, [*bags, None], threads)
    assert booster is not None
    means = {1: mean_curve([bag.curve(1) for bag in bags], 1)}
    size, trees = 1, _fewest(means[1], candidate.most_trees(1))
    larger = max(sizes)
    # Members of less than half the trees that one alone wants do not make up for them.
    if larger > 1 and 2 * candidate.most_trees(larger) >= trees:
        few = bags[:FIRST_FOLDS]
        most = candidate.most_trees(larger)
        side_by_side(lambda bag: bag.grown_to(larger, most), few, threads)
        loss = {n: mean_curve([bag.curve(n) for bag in few], n) for n in (1, larger)}
        if min(loss[larger]) < min(loss[1]) / AS_GOOD:
            size = larger
            side_by_side(lambda bag: bag.grown_to(larger, most), bags, threads)
            means[larger] = mean_curve([bag.curve(larger) for bag in bags], larger)
            trees = _fewest(means[larger], most)
        else:
            record(f"{_seeds(larger)}, {len(few)} folds", min(loss[larger]), False)
    for n, mean in means.items():
        tree_count = trees if n == size else _fewest(mean, candidate.most_trees(n))
        record(f"{_seeds(n)} of {tree_count} trees", float(mean[tree_count // STEP - 1]), n == size)
    others = side_by_side(lambda s: grow_whole(trees, seed + s), range(1, size), threads)
    return _Grown(bags, [booster, *others], size, trees)


def _fewest(mean: Floats, most: int) -> int:
    """The fewest trees that are as good as any number up to the most, in whole steps."""
    allowed = mean[: most // STEP]
    return (int(np.argmax(allowed <= allowed.min() * AS_GOOD)) + 1) * STEP


Record = Callable[[str, float, bool], None]


@dataclass(frozen=True)
class _Lesson:
    """A fold ready to learn, and its directions less those its training rows refuse."""

    part: Part
    freed: tuple[int, ...]

    def held_to(self, freed: bool) -> Part:
        return replace(self.part, directions=self.freed) if freed else self.part


@dataclass(frozen=True)
class _Task:
    """What is learned from, and how it is laid out for one fold or for all rows (`None`)."""

    rows: pd.DataFrame
    label: Labels
    weight: Floats
    features: Sequence[Fact]
    folds: Folds
    party: Parties | None
    seed: int
    threads: int

    @property
    def folds_there(self) -> list[int]:
        return [int(fold) for fold in np.unique(self.folds)]

    def sample(self) -> NDArray[np.intp]:
        """Positions of the rows to search on, in their order."""
        count = len(self.label)
        if count <= SEARCHED_ROWS:
            return np.arange(count)
        random = np.random.default_rng(self.seed)
        return np.sort(random.choice(count, SEARCHED_ROWS, replace=False))

    def where(self, chosen: NDArray[np.intp]) -> _Task:
        return replace(
            self,
            rows=self.rows.iloc[chosen],
            label=self.label[chosen],
            weight=self.weight[chosen],
            folds=self.folds[chosen],
            party=None if self.party is None else self.party.where(chosen),
        )

    def learned(self, fold: int | None) -> tuple[pd.DataFrame, Labels, Floats, Parties | None]:
        """(rows, label, weight, party) to learn from when this fold is held."""
        if fold is None:
            return self.rows, self.label, self.weight, self.party
        seen = self.folds != fold
        party = None if self.party is None else self.party.where(seen)
        return self.rows[seen], self.label[seen], self.weight[seen], party

    def prepare(
        self, fold: int | None, features: Sequence[Fact]
    ) -> tuple[tuple[Column, ...], Floats, tuple[int, ...]]:
        """(columns, what is learned from as numbers, the declared directions)."""
        rows, label, weight, party = self.learned(fold)
        columns = columns_of(rows, label, weight, features, party)
        # Text is in order of risk already, as the learner's own doing: no direction to keep.
        declared = tuple(0 if fact.kind.is_textual else fact.direction for fact in features)
        return columns, matrix_of(rows, columns), declared

    def lessons(
        self, folds: Sequence[int], idle: Sequence[Mapping[str, str]] | None = None
    ) -> list[_Lesson]:
        def lesson(place: int) -> _Lesson:
            left_out = idle[place] if idle else {}
            features = [fact for fact in self.features if fact.name not in left_out]
            columns, matrix, declared = self.prepare(folds[place], features)
            _, label, weight, party = self.learned(folds[place])
            held: Mask = self.folds == folds[place]
            part = Part(
                held,
                dataset(matrix, label, weight),
                matrix_of(self.rows[held], columns),
                self.label[held],
                self.weight[held],
                declared,
                rows_as_one(party, label, weight),
            )
            names = [column.name for column in columns]
            return _Lesson(part, refused(matrix, label, weight, declared, party, names))

        return side_by_side(lesson, range(len(folds)), self.threads)

    def idle(self, fold: int | None) -> dict[str, str]:
        """Why each feature that tells no more than chance does not, by the rows learned from."""
        columns, matrix, _ = self.prepare(fold, self.features)
        _, label, weight, party = self.learned(fold)
        return uninformative(
            matrix,
            label,
            weight,
            [column.name for column in columns],
            seed=self.seed,
            party=party,
            levels=[column.levels is not None for column in columns],
        )


def _try_directions(
    judged: Judged, lessons: Sequence[_Lesson], record: Record
) -> tuple[Judged, bool, list[str]]:
    """(the judge with the directions chosen, whether refused ones are let go, notes).

    Directions are kept unless all of them together lose to none beyond noise. Then those that
    the features on their own speak against are let go, where that helps.
    """

    base = CANDIDATES[0]
    notes: list[str] = []
    none = judged.with_directions([(0,) * len(lesson.freed) for lesson in lessons])
    kept_loss, none_loss = judged.loss(base)[0], none.loss(base)[0]
    cost = judged.by_fold(base) - none.by_fold(base)
    costly = cost.mean() > _noise(cost) and kept_loss > none_loss * AS_GOOD
    freed = judged
    if costly and any(lesson.freed != lesson.part.directions for lesson in lessons):
        freed = judged.with_directions([lesson.freed for lesson in lessons])
    take = freed is not judged and freed.loss(base)[0] < kept_loss
    record("held to all declared directions", kept_loss, not take)
    record("held to no direction", none_loss, False)
    if freed is not judged:
        record("held to the directions that the data do not refuse", freed.loss(base)[0], take)
    chosen_loss = freed.loss(base)[0] if take else kept_loss
    if costly and chosen_loss > none_loss * AS_GOOD:
        notes.append(
            f"the directions kept cost {fixed(chosen_loss - none_loss)} in log loss together; "
            "no feature on its own refuses its direction"
        )
    return (freed if take else judged), take, notes


def _noise(cost: Floats) -> float:
    """How far the mean of the folds' differences goes by chance."""
    if len(cost) < 2:
        return float(np.inf)
    return float(BEYOND_NOISE * cost.std(ddof=1) / np.sqrt(len(cost)))


def _try_leaner(
    judged: Judged,
    task: _Task,
    lessons: Sequence[_Lesson],
    winner: Candidate,
    freed: bool,
    record: Record,
) -> list[dict[str, str]]:
    """What each fold leaves out as telling no more than chance, and then what all rows do; nothing
    where that costs."""
    folds = task.folds_there
    idle = side_by_side(task.idle, [*folds, None], task.threads)
    nothing: list[dict[str, str]] = [{} for _ in idle]
    if not any(idle[:-1]):
        return nothing
    full_loss, _ = judged.loss(winner)
    lean_parts = [lesson.held_to(freed) for lesson in task.lessons(folds, idle[:-1])]
    leaner = Judged(lean_parts, judged.seed, judged.threads)
    lean_loss, _ = leaner.loss(winner)
    take = lean_loss <= full_loss * AS_GOOD
    if not take and task.party is not None:
        # Few parties more or less decide which is better: the leaner is kept if it is no worse
        # beyond noise.
        cost = leaner.by_fold(winner) - judged.by_fold(winner)
        take = bool(cost.mean() <= _noise(cost))
    record("with all features", full_loss, not take)
    record("without features that tell no more than chance", lean_loss, take)
    return idle if take else nothing


def _seeds(size: int) -> str:
    return "one seed" if size == 1 else f"a bag of {size} seeds, each"


def columns_of(
    rows: pd.DataFrame,
    label: Labels,
    weight: Floats,
    features: Sequence[Fact],
    party: Parties | None = None,
) -> tuple[Column, ...]:
    codes = None if party is None else party.codes
    columns = []
    for fact in features:
        values = rows[fact.name]
        levels = levels_by_risk(values, label, weight, codes) if fact.kind.is_textual else None
        special = fact.special_values if fact.direction else ()
        column = Column(fact.name, levels, None, special_values=special)
        numbers = column.numbers(rows)
        if not np.isnan(numbers).any():
            # Halves: of two huge numbers, the sum is infinite.
            column = replace(column, fill=2 * float(np.median(numbers / 2)))
        columns.append(column)
    return tuple(columns)


def matrix_of(batch: pd.DataFrame, columns: Sequence[Column]) -> Floats:
    return np.ascontiguousarray(np.column_stack([column.numbers(batch) for column in columns]))
