"""Two models on the same rows: which is better, by how much, and for whom that changes things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskseg.learning.canonical import fixed
from riskseg.learning.evidence.curves import calibration_groups
from riskseg.learning.evidence.metrics import GROUPS, all_metrics, log_losses, squares, sums_by
from riskseg.learning.evidence.uncertainty import (
    DRAWS,
    auc_difference,
    drawn_sums,
    intervals,
    wilson,
)
from riskseg.results.interval import Interval
from riskseg.results.model_comparison import (
    ComparedModel,
    Comparison,
    MetricDifferences,
    MovesBetweenTenths,
    SwapPart,
    SwapSet,
)

if TYPE_CHECKING:
    from riskseg.learning.frame import Floats, Labels, Mask


def compare(
    label: Labels,
    weight: Floats,
    party: NDArray[Any],
    a: Floats,
    b: Floats,
    *,
    names: tuple[str, str],
    cut: float,
    seed: int,
    cut_b: float | None = None,
    notes: Sequence[str] = (),
) -> Comparison:
    """Two sets of probabilities of the same rows, whose outcomes are known.

    `cut` is the probability from which A acts. `cut_b` is B's; left out, it is the one that takes
    the same share of rows as A's, or the nearest that ties allow. Differences are B less A, with
    intervals over parties: of the AUC by DeLong, of Brier and log loss by a paired bootstrap.
    """
    cut_b = same_share(a, b, weight, cut) if cut_b is None else cut_b

    def measured(name: str, p: Floats) -> ComparedModel:
        return ComparedModel.model_validate(
            {
                "name": name,
                "metrics": all_metrics(label, p, weight),
                "intervals": intervals(label, p, weight, party, seed),
                "calibration": calibration_groups(label, p, weight, party),
            }
        )

    difference = differences(label, weight, party, a, b, seed)
    return Comparison(
        notes=tuple(notes),
        names=names,
        rows=len(label),
        bad=fixed(float((weight * label).sum())),
        models=(measured(names[0], a), measured(names[1], b)),
        difference=difference,
        better=better(difference),
        verdict=verdict(names, difference),
        swap=swap_set(label, weight, party, a, b, cut, cut_b),
        moves=moves(a, b, weight),
    )


def differences(
    label: Labels, weight: Floats, party: NDArray[Any], a: Floats, b: Floats, seed: int
) -> MetricDifferences:
    """B less A: differences of AUC, Brier score and log loss with their intervals."""
    difference_columns = np.column_stack(
        [
            weight,
            weight * (squares(label, b) - squares(label, a)),
            weight * (log_losses(label, b) - log_losses(label, a)),
        ]
    )
    sums_drawn = drawn_sums(difference_columns, party, seed=seed, draws=DRAWS)
    sums_of_all = difference_columns.sum(axis=0)
    brier, log_loss = (
        Interval(
            fixed(sums_of_all[column] / sums_of_all[0]),
            *(
                fixed(interval_end)
                for interval_end in np.quantile(
                    sums_drawn[:, column] / sums_drawn[:, 0], [0.025, 0.975]
                )
            ),
        )
        for column in (1, 2)
    )
    return MetricDifferences(
        auc=auc_difference(label, a, b, weight, party), brier=brier, log_loss=log_loss
    )


def _gains(difference: MetricDifferences) -> dict[str, Interval]:
    """How much better the second is by the measure of ranking and by that of probabilities."""
    loss = difference.log_loss
    gains = {"log-loss": Interval(-loss.value, -loss.high, -loss.low)}
    return gains if difference.auc is None else {"AUC": difference.auc, **gains}


def better(difference: MetricDifferences) -> int | None:
    """Which version is better, 0 or 1: clearly by one measure, and by no other clearly worse.
    Clear is a difference whose interval holds no 0."""
    clearly = {int(gain.low > 0) for gain in _gains(difference).values() if not gain.holds(0)}
    return clearly.pop() if len(clearly) == 1 else None


def verdict(names: tuple[str, str], difference: MetricDifferences) -> tuple[str, ...]:
    """A sentence for ranking, by the AUC, and one for probabilities, by the log-loss."""
    said = {
        "AUC": (
            "ranks accounts better",
            "higher",
            "Neither version clearly ranks better",
            "Both versions rank these accounts equally well",
        ),
        "log-loss": (
            "has better probabilities",
            "lower",
            "Neither version's probabilities are clearly better",
            "The probabilities of both versions are equally good",
        ),
    }
    sentences = []
    for metric, gain in _gains(difference).items():
        does_better, direction, neither, alike = said[metric]
        if gain.low == gain.high == 0:
            sentences.append(f"{alike}: their {metric} is the same.")
        elif gain.holds(0):
            sentences.append(
                f"{neither}: their {metric} differs by {abs(gain.value):.4f}, which may be chance."
            )
        else:
            low, high = sorted((abs(gain.low), abs(gain.high)))
            sentences.append(
                f"{names[gain.low > 0]} {does_better}: its {metric} is {direction} by "
                f"{abs(gain.value):.4f} ({low:.4f} to {high:.4f})."
            )
    return tuple(sentences)


def same_share(a: Floats, b: Floats, weight: Floats, cut: float) -> float:
    """The probability at or above which B takes the share of rows nearest to what A takes at the
    cut; just above all of B's where A takes none."""
    weight_above = float(weight[a >= cut].sum())
    distinct, distinct_place = np.unique(b, return_inverse=True)
    weight_from = np.cumsum(sums_by(distinct_place, weight, len(distinct))[::-1])[::-1]
    weight_from = np.r_[weight_from, 0.0]
    cuts = np.r_[distinct, min(1.0, float(distinct[-1]) + 1e-6)]
    return float(cuts[np.abs(weight_from - weight_above).argmin()])


def swap_set(
    label: Labels,
    weight: Floats,
    party: NDArray[Any],
    a: Floats,
    b: Floats,
    cut_a: float,
    cut_b: float,
) -> SwapSet:
    """Rows that both models take, one alone, or neither: their share of all and bad rates."""
    total = float(weight.sum())
    by_a, by_b = a >= cut_a, b >= cut_b

    def part(rows: Mask) -> SwapPart:
        part_weight, part_label = weight[rows], label[rows]
        return SwapPart(
            rows=int(rows.sum()),
            bad=fixed(float((part_weight * part_label).sum())),
            share=fixed(float(part_weight.sum()) / total),
            rate=wilson(part_label, part_weight, party[rows]) if rows.any() else None,
        )

    return SwapSet(
        both=part(by_a & by_b),
        only_a=part(by_a & ~by_b),
        only_b=part(~by_a & by_b),
        neither=part(~by_a & ~by_b),
        cut_a=fixed(cut_a),
        cut_b=fixed(cut_b),
    )


def moves(a: Floats, b: Floats, weight: Floats) -> MovesBetweenTenths:
    """Who moves: the share of rows in each tenth by A (down) and by B (across), from the lowest
    probability, each model's tenths its own; the mean change of the probability and of its size;
    the correlation of the ranks (Spearman)."""
    ranks = [_ranks(one_probability, weight) for one_probability in (a, b)]
    tenths = [np.minimum((rank * GROUPS).astype(np.int64), GROUPS - 1) for rank in ranks]
    weight_by_tenths = sums_by(tenths[0] * GROUPS + tenths[1], weight, GROUPS * GROUPS)
    shares = weight_by_tenths.reshape(GROUPS, GROUPS) / weight.sum()
    apart = np.abs(tenths[0] - tenths[1])
    rank_a, rank_b = (rank - np.average(rank, weights=weight) for rank in ranks)
    rank_spread = np.sqrt(
        float((weight * rank_a * rank_a).sum()) * float((weight * rank_b * rank_b).sum())
    )
    return MovesBetweenTenths(
        tenths=tuple(tuple(fixed(share) for share in row) for row in shares),
        same_tenth=fixed(np.average(apart == 0, weights=weight)),
        within_one_tenth=fixed(np.average(apart <= 1, weights=weight)),
        mean_shift=fixed(np.average(b - a, weights=weight)),
        mean_size_of_shift=fixed(np.average(np.abs(b - a), weights=weight)),
        rank_correlation=fixed(float((weight * rank_a * rank_b).sum()) / rank_spread)
        if rank_spread
        else None,
    )


def _ranks(values: Floats, weight: Floats) -> Floats:
    """The share of rows below each, half of its ties among them."""
    distinct, distinct_place = np.unique(values, return_inverse=True)
    total = sums_by(distinct_place, weight, len(distinct))
    rank: Floats = ((np.cumsum(total) - total / 2) / total.sum())[distinct_place]
    return rank
