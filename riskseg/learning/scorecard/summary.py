"""A scorecard's bins as an analyst reads them: what each holds, its evidence and its points."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from riskseg.learning.scorecard.tables import Bins, PairTable, Scorecard, Table
from riskseg.results.scorecard import BinnedFeature, FeaturePair, Risk, ScorecardBin

Codes = Mapping[str, Sequence[float]]


def feature_bins(card: Scorecard, codes: Codes = MappingProxyType({})) -> list[BinnedFeature]:
    """Every feature with a table, the most informative first. `codes` are the numbers of each
    feature that were set apart as codes."""
    features = [_feature(table, codes.get(table.bins.name, ())) for table in card.tables]
    return sorted(features, key=lambda f: (-(f.iv or 0.0), f.least - f.most, f.feature))


def pairs(card: Scorecard) -> list[FeaturePair]:
    """The two-way tables, the widest range of points first."""
    summaries = [_pair(pair) for pair in card.pairs]
    return sorted(summaries, key=lambda p: (p.least - p.most, p.features))


def _pair(pair: PairTable) -> FeaturePair:
    pair_names = (pair.first.name, pair.second.name)
    return FeaturePair(
        features=pair_names,
        cells=len(pair.points),
        least=min(pair.points) / 100,
        most=max(pair.points) / 100,
    )


def _feature(table: Table, codes: Sequence[float]) -> BinnedFeature:
    coded = _coded(table.bins, codes)
    table, bins_described = _gathered(table, coded)
    all_rows = sum(table.counts)
    woe, iv_parts = _evidence(table)
    bins = tuple(
        ScorecardBin(
            holds=holds,
            accounts=table.counts[bin_index] if all_rows else None,
            share=table.counts[bin_index] / all_rows if all_rows else None,
            bad=None if table.bads is None else table.bads[bin_index],
            bad_rate=(
                table.bads[bin_index] / table.counts[bin_index]
                if table.bads is not None and table.counts[bin_index]
                else None
            ),
            woe=woe[bin_index],
            iv=iv_parts[bin_index],
            points=table.points[bin_index] / 100,
        )
        for bin_index, holds in enumerate(bins_described)
    )
    known_parts = [iv_part for iv_part in iv_parts if iv_part is not None]
    area = _auc(table)
    ordered_points = [
        bin_.points for bin_ in bins if "from" in bin_.holds and "code" not in bin_.holds
    ]
    return BinnedFeature(
        feature=table.bins.name,
        risk="levels" if table.bins.levels is not None else _risk(ordered_points),
        iv=sum(known_parts) if known_parts else None,
        auc=area,
        gini=None if area is None else 2 * area - 1,
        missing=bins[-1].share,
        least=min(table.points) / 100,
        most=max(table.points) / 100,
        bins=bins,
    )


def _coded(bins: Bins, codes: Sequence[float]) -> dict[int, float]:
    """The bins that hold a code and nothing else, each with its code."""
    if bins.levels is not None:
        return {}
    lower = (-math.inf, *bins.cuts)
    code_of_bin = {bisect_right(bins.cuts, code): code for code in sorted(codes)}
    # Nothing is below the least code where its bin has no lower end.
    return {
        bin_index: code
        for bin_index, code in code_of_bin.items()
        if lower[bin_index] == code or (bin_index == 0 and bins.cuts and code == min(codes))
    }


def _gathered(
    table: Table, coded: Mapping[int, float]
) -> tuple[Table, Sequence[Mapping[str, Any]]]:
    """The table with codes after all other numbers, and what each of its bins holds. Two bins
    that are alike but for a code between them are one."""
    described = table.bins.described()
    if not coded:
        return table, described
    ordered_end = len(table.bins.cuts) + 1
    runs: list[list[int]] = []
    for bin_index in (index for index in range(ordered_end) if index not in coded):
        alike = runs and runs[-1][-1] < bin_index - 1 and _alike(table, runs[-1][-1], bin_index)
        if alike:
            runs[-1].append(bin_index)
        else:
            runs.append([bin_index])
    bins_described = [
        {"from": described[run[0]]["from"], "to": described[run[-1]]["to"]} for run in runs
    ]
    bins_described += [{**described[bin_index], "code": code} for bin_index, code in coded.items()]
    runs += [[bin_index] for bin_index in (*coded, *range(ordered_end, len(described)))]
    first_of_runs = [run[0] for run in runs]

    def added(values: Sequence[int]) -> tuple[int, ...]:
        return tuple(sum(values[bin_index] for bin_index in run) for run in runs)

    gathered = replace(
        table,
        counts=added(table.counts),
        bads=None if table.bads is None else added(table.bads),
        points=tuple(table.points[bin_index] for bin_index in first_of_runs),
        woe=None
        if table.woe is None
        else tuple(table.woe[bin_index] for bin_index in first_of_runs),
    )
    return gathered, [*bins_described, *described[ordered_end:]]


def _alike(table: Table, first: int, second: int) -> bool:
    same_weight = table.woe is None or table.woe[first] == table.woe[second]
    return table.points[first] == table.points[second] and same_weight


def _evidence(table: Table) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """(weights of evidence, parts of the information value); the card's own weights if any."""
    nothing = [None] * len(table.points)
    if table.bads is None or not 0 < sum(table.bads) < sum(table.counts):
        return table.woe or nothing, nothing
    bad = sum(table.bads)
    good = sum(table.counts) - bad
    woe: list[float | None] = []
    iv_parts: list[float | None] = []
    for bin_index, (count, bads) in enumerate(zip(table.counts, table.bads, strict=True)):
        if not count:
            woe.append(None if table.woe is None else table.woe[bin_index])
            iv_parts.append(0.0)
            continue
        # Half an account where there is none of a kind: no bin is infinitely good or bad.
        goods_share, bads_share = max(count - bads, 0.5) / good, max(bads, 0.5) / bad
        weight_of_evidence = (
            math.log(goods_share / bads_share) if table.woe is None else table.woe[bin_index]
        )
        woe.append(weight_of_evidence)
        iv_parts.append((goods_share - bads_share) * weight_of_evidence)
    return woe, iv_parts


def _auc(table: Table) -> float | None:
    """How well the points alone rank the training window's accounts; 0.5 is chance."""
    if table.bads is None or not 0 < sum(table.bads) < sum(table.counts):
        return None
    outcomes_by_points: dict[int, tuple[int, int]] = {}
    for points, count, bad in zip(table.points, table.counts, table.bads, strict=True):
        goods, bads = outcomes_by_points.get(points, (0, 0))
        outcomes_by_points[points] = goods + count - bad, bads + bad
    goods_above, pairs_won = 0, 0.0
    for points in sorted(outcomes_by_points, reverse=True):
        goods, bads = outcomes_by_points[points]
        pairs_won += bads * (goods_above + goods / 2)
        goods_above += goods
    return pairs_won / (goods_above * sum(table.bads))


def _risk(points: Sequence[float]) -> Risk:
    """Where a number is riskier, by the points of its bins in order."""
    falls = {low > high for low, high in pairwise(points) if low != high}
    if len(falls) != 1:
        return "turns" if falls else "flat"
    return "more" if falls == {True} else "less"
