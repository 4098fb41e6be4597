"""Boosted trees are fitted: LightGBM, tuned on folds, held to the declared directions of risk and
to the same trees at any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskseg.domain.facts import Fact
from riskseg.learning.canonical import fixed
from riskseg.learning.parallel import side_by_side
from riskseg.learning.parties import Parties
from riskseg.learning.trees.bag import merged
from riskseg.learning.trees.boosted import Boosted
from riskseg.learning.trees.training_rows import AllRows, TrainingFold, TrainingRows
from riskseg.learning.trees.tuning import (
    AS_GOOD,
    CANDIDATES,
    FIRST_FOLDS,
    STEP,
    Bag,
    Candidate,
    Judged,
    Part,
    grow,
    mean_curve,
    search,
)

if TYPE_CHECKING:
    import lightgbm as lgb
    import pandas as pd

    from riskseg.learning.frame import Floats, Folds, Labels

BAGS = (1, 3)
# No bag is tried with more cells: it would cost minutes, and gains less the more rows there are.
BAGGED_CELLS = 10_000_000
# The ends of a 95% interval of the mean of five folds' differences, in standard errors.
BEYOND_NOISE = 2.8

Progress = Callable[[str], None]
Record = Callable[[str, float, bool], None]


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
    directions are let go, the parameters, whether features that predict no more than chance are
    left out, the size of the bag and the number of trees. All but the last two on at most 20,000
    rows; without `searching` the number of trees alone is chosen. What looks at labels more
    closely than a choice among a few (the order of levels, which directions to let go, which
    features to leave out) is found anew in the training rows of each fold. With what was chosen,
    all rows are learned from once more. `party` numbers the party of each row, where one has
    several.
    """
    attempts: list[dict[str, Any]] = []
    training_rows = TrainingRows(rows, label, weight, features, folds, party, seed, threads)
    sample = training_rows.sample()
    search_task = training_rows if len(sample) == len(label) else training_rows.where(sample)
    on_rows = "" if search_task is training_rows else f" (on {len(sample):,} rows)"

    def record(description: str, loss: float, chosen: bool) -> None:
        attempts.append({"what": description + on_rows, "log_loss": fixed(loss), "chosen": chosen})

    directions_freed = False
    notes: list[str] = []
    winner = CANDIDATES[0]
    # What each fold leaves out, and then what all rows do.
    left_out: list[dict[str, str]] = [{} for _ in [*training_rows.fold_numbers, None]]
    if searching:
        training_folds = search_task.training_folds(training_rows.fold_numbers)
        judge = Judged([training_fold.part for training_fold in training_folds], seed, threads)
        if any(any(training_fold.part.directions) for training_fold in training_folds):
            say("asking whether the data refuse a declared direction of risk")
            judge, directions_freed, notes = _try_directions(judge, training_folds, record)
        say(f"comparing {len(CANDIDATES)} sets of parameters")
        winner, losses = search(judge)
        for candidate, loss, trees_grown in losses:
            on_folds = "" if trees_grown == len(training_folds) else f", {trees_grown} folds"
            record(candidate.words + on_folds, loss, candidate == winner)
        say("looking for features that predict no more than chance")
        left_out = _try_fewer_features(
            judge, search_task, training_folds, winner, directions_freed, record
        )

    on_rows = ""
    say("learning on all folds")
    *left_out_by_fold, dropped = left_out
    training_folds = training_rows.training_folds(training_rows.fold_numbers, left_out_by_fold)
    all_rows = training_rows.whole(dropped, directions_freed)
    bagged = searching and winner.random and len(label) * len(features) <= BAGGED_CELLS
    grown = _grow_all(
        [training_fold.held_to(directions_freed) for training_fold in training_folds],
        all_rows,
        winner,
        BAGS if bagged else BAGS[:1],
        seed,
        threads,
        record,
    )
    out_of_fold = np.zeros(len(label))
    for training_fold, bag in zip(training_folds, grown.bags, strict=True):
        out_of_fold[training_fold.part.held] = bag.margin(grown.size, grown.trees)
    gains = np.mean(
        [
            booster.feature_importance(importance_type="gain", iteration=grown.trees)
            for booster in grown.whole
        ],
        axis=0,
    )
    columns = tuple(
        replace(column, gain=fixed(gain), direction=direction)
        for column, gain, direction in zip(
            all_rows.columns, gains, all_rows.directions, strict=True
        )
    )
    model_text = merged(
        [booster.model_to_string(num_iteration=grown.trees) for booster in grown.whole]
    )
    return Boosted(columns, model_text, dropped, (*notes, *all_rows.notes)), out_of_fold, attempts


def _try_directions(
    judge: Judged, training_folds: Sequence[TrainingFold], record: Record
) -> tuple[Judged, bool, list[str]]:
    """(the judge with the directions chosen, whether refused ones are let go, notes).

    Directions are kept unless all of them together lose to none beyond noise. Then those that
    the features on their own speak against are let go, where that helps.
    """

    base_candidate = CANDIDATES[0]
    direction_notes: list[str] = []
    without_directions = judge.with_directions(
        [(0,) * len(training_fold.freed) for training_fold in training_folds]
    )
    kept_loss, none_loss = judge.loss(base_candidate)[0], without_directions.loss(base_candidate)[0]
    extra_losses = judge.by_fold(base_candidate) - without_directions.by_fold(base_candidate)
    too_costly = extra_losses.mean() > _noise(extra_losses) and kept_loss > none_loss * AS_GOOD
    judge_freed = judge
    if too_costly and any(
        training_fold.freed != training_fold.part.directions for training_fold in training_folds
    ):
        judge_freed = judge.with_directions(
            [training_fold.freed for training_fold in training_folds]
        )
    let_go = judge_freed is not judge and judge_freed.loss(base_candidate)[0] < kept_loss
    record("held to all declared directions", kept_loss, not let_go)
    record("held to no direction", none_loss, False)
    if judge_freed is not judge:
        record(
            "held to the directions that the data do not refuse",
            judge_freed.loss(base_candidate)[0],
            let_go,
        )
    chosen_loss = judge_freed.loss(base_candidate)[0] if let_go else kept_loss
    if too_costly and chosen_loss > none_loss * AS_GOOD:
        direction_notes.append(
            f"the directions kept cost {fixed(chosen_loss - none_loss)} in log loss together; "
            "no feature on its own refuses its direction"
        )
    return (judge_freed if let_go else judge), let_go, direction_notes


def _try_fewer_features(
    judge: Judged,
    training_rows: TrainingRows,
    training_folds: Sequence[TrainingFold],
    winner: Candidate,
    directions_freed: bool,
    record: Record,
) -> list[dict[str, str]]:
    """What each fold leaves out as telling no more than chance, and then what all rows do; nothing
    where that costs."""
    folds = training_rows.fold_numbers
    uninformative = side_by_side(
        training_rows.uninformative_features, [*folds, None], training_rows.threads
    )
    none_left_out: list[dict[str, str]] = [{} for _ in uninformative]
    if not any(uninformative[:-1]):
        return none_left_out
    loss_of_all, _ = judge.loss(winner)
    lean_parts = [
        training_fold.held_to(directions_freed)
        for training_fold in training_rows.training_folds(folds, uninformative[:-1])
    ]
    judge_of_fewer = Judged(lean_parts, judge.seed, judge.threads)
    loss_of_fewer, _ = judge_of_fewer.loss(winner)
    leave_out = loss_of_fewer <= loss_of_all * AS_GOOD
    if not leave_out and training_rows.party is not None:
        # Few parties more or less decide which is better: the leaner is kept if it is no worse
        # beyond noise.
        extra_losses = judge_of_fewer.by_fold(winner) - judge.by_fold(winner)
        leave_out = bool(extra_losses.mean() <= _noise(extra_losses))
    record("with all features", loss_of_all, not leave_out)
    record("without features that predict no more than chance", loss_of_fewer, leave_out)
    return uninformative if leave_out else none_left_out


def _noise(extra_losses: Floats) -> float:
    """How far the mean of the folds' differences goes by chance."""
    if len(extra_losses) < 2:
        return float(np.inf)
    return float(BEYOND_NOISE * extra_losses.std(ddof=1) / np.sqrt(len(extra_losses)))


@dataclass(frozen=True)
class _Grown:
    """Each fold's bag and the boosters of all rows, and how much of them is taken."""

    bags: Sequence[Bag]
    whole: Sequence[lgb.Booster]
    size: int
    trees: int


def _grow_all(
    parts: Sequence[Part],
    whole: AllRows,
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
    fold_tree_counts: list[int] = []

    def grow_whole(
        trees: int, seed: int, enough: Callable[[int], bool] | None = None
    ) -> lgb.Booster:
        grow_arguments = (whole.data, candidate, whole.directions, trees, seed)
        return grow(*grow_arguments, enough=enough, as_one=whole.as_one)

    def grow_one(bag: Bag | None) -> lgb.Booster | None:
        if bag is None:
            most_trees = candidate.most_trees(1)
            enough = lambda trees: bool(fold_tree_counts) and trees >= min(fold_tree_counts)  # noqa: E731
            return grow_whole(most_trees, seed, enough)
        fold_tree_counts.append(max(bag.grown_to(1).boosters[0].current_iteration(), STEP))
        return None

    *_, booster = side_by_side(grow_one, [*bags, None], threads)
    assert booster is not None
    mean_losses_by_size = {1: mean_curve([bag.curve(1) for bag in bags], 1)}
    size, trees = 1, _fewest(mean_losses_by_size[1], candidate.most_trees(1))
    larger_size = max(sizes)
    # Members of less than half the trees that one alone wants do not make up for them.
    if larger_size > 1 and 2 * candidate.most_trees(larger_size) >= trees:
        first_bags = bags[:FIRST_FOLDS]
        most_trees = candidate.most_trees(larger_size)
        side_by_side(lambda bag: bag.grown_to(larger_size, most_trees), first_bags, threads)
        loss = {
            bag_size: mean_curve([bag.curve(bag_size) for bag in first_bags], bag_size)
            for bag_size in (1, larger_size)
        }
        if min(loss[larger_size]) < min(loss[1]) / AS_GOOD:
            size = larger_size
            side_by_side(lambda bag: bag.grown_to(larger_size, most_trees), bags, threads)
            mean_losses_by_size[larger_size] = mean_curve(
                [bag.curve(larger_size) for bag in bags], larger_size
            )
            trees = _fewest(mean_losses_by_size[larger_size], most_trees)
        else:
            record(f"{_seeds(larger_size)}, {len(first_bags)} folds", min(loss[larger_size]), False)
    for bag_size, mean_losses in mean_losses_by_size.items():
        tree_count = (
            trees if bag_size == size else _fewest(mean_losses, candidate.most_trees(bag_size))
        )
        record(
            f"{_seeds(bag_size)} of {tree_count} trees",
            float(mean_losses[tree_count // STEP - 1]),
            bag_size == size,
        )
    other_boosters = side_by_side(
        lambda member: grow_whole(trees, seed + member), range(1, size), threads
    )
    return _Grown(bags, [booster, *other_boosters], size, trees)


def _fewest(mean_losses: Floats, most_trees: int) -> int:
    """The fewest trees that are as good as any number up to the most, in whole steps."""
    allowed = mean_losses[: most_trees // STEP]
    return (int(np.argmax(allowed <= allowed.min() * AS_GOOD)) + 1) * STEP


def _seeds(size: int) -> str:
    return "one seed" if size == 1 else f"a bag of {size} seeds, each"
