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
    names = (pair.first.name, pair.second.name)
    return FeaturePair(
        features=names,
        cells=len(pair.points),
        least=min(pair.points) / 100,
        most=max(pair.points) / 100,
    )


def _feature(table: Table, codes: Sequence[float]) -> BinnedFeature:
    coded = _coded(table.bins, codes)
    table, shown = _gathered(table, coded)
    whole = sum(table.counts)
    woe, parts = _evidence(table)
    bins = tuple(
        ScorecardBin(
            holds=holds,
            accounts=table.counts[n] if whole else None,
            share=table.counts[n] / whole if whole else None,
            bad=None if table.bads is None else table.bads[n],
            bad_rate=(
                table.bads[n] / table.counts[n]
                if table.bads is not None and table.counts[n]
                else None
            ),
            woe=woe[n],
            iv=parts[n],
            points=table.points[n] / 100,
        )
        for n, holds in enumerate(shown)
    )
    known = [part for part in parts if part is not None]
    area = _auc(table)
    ordered = [b.points for b in bins if "from" in b.holds and "code" not in b.holds]
    return BinnedFeature(
        feature=table.bins.name,
        risk="levels" if table.bins.levels is not None else _risk(ordered),
        iv=sum(known) if known else None,
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
    end = len(table.bins.cuts) + 1
    runs: list[list[int]] = []
    for place in (n for n in range(end) if n not in coded):
        alike = runs and runs[-1][-1] < place - 1 and _alike(table, runs[-1][-1], place)
        if alike:
            runs[-1].append(place)
        else:
            runs.append([place])
    shown = [{"from": described[run[0]]["from"], "to": described[run[-1]]["to"]} for run in runs]
    shown += [{**described[place], "code": code} for place, code in coded.items()]
    runs += [[place] for place in (*coded, *range(end, len(described)))]
    first = [run[0] for run in runs]

    def added(of: Sequence[int]) -> tuple[int, ...]:
        return tuple(sum(of[place] for place in run) for run in runs)

    gathered = replace(
        table,
        counts=added(table.counts),
        bads=None if table.bads is None else added(table.bads),
        points=tuple(table.points[place] for place in first),
        woe=None if table.woe is None else tuple(table.woe[place] for place in first),
    )
    return gathered, [*shown, *described[end:]]


def _alike(table: Table, one: int, other: int) -> bool:
    same_weight = table.woe is None or table.woe[one] == table.woe[other]
    return table.points[one] == table.points[other] and same_weight


def _evidence(table: Table) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """(weights of evidence, parts of the information value); the card's own weights if any."""
    nothing = [None] * len(table.points)
    if table.bads is None or not 0 < sum(table.bads) < sum(table.counts):
        return table.woe or nothing, nothing
    bad = sum(table.bads)
    good = sum(table.counts) - bad
    woe: list[float | None] = []
    parts: list[float | None] = []
    for n, (count, bads) in enumerate(zip(table.counts, table.bads, strict=True)):
        if not count:
            woe.append(None if table.woe is None else table.woe[n])
            parts.append(0.0)
            continue
        # Half an account where there is none of a kind: no bin is infinitely good or bad.
        goods, wrong = max(count - bads, 0.5) / good, max(bads, 0.5) / bad
        own = math.log(goods / wrong) if table.woe is None else table.woe[n]
        woe.append(own)
        parts.append((goods - wrong) * own)
    return woe, parts


def _auc(table: Table) -> float | None:
    """How well the points alone rank the training window's accounts; 0.5 is chance."""
    if table.bads is None or not 0 < sum(table.bads) < sum(table.counts):
        return None
    ranked: dict[int, tuple[int, int]] = {}
    for points, count, bad in zip(table.points, table.counts, table.bads, strict=True):
        goods, bads = ranked.get(points, (0, 0))
        ranked[points] = goods + count - bad, bads + bad
    above, pairs = 0, 0.0
    for points in sorted(ranked, reverse=True):
        goods, bads = ranked[points]
        pairs += bads * (above + goods / 2)
        above += goods
    return pairs / (above * sum(table.bads))


def _risk(points: Sequence[float]) -> Risk:
    """Where a number is riskier, by the points of its bins in order."""
    falls = {low > high for low, high in pairwise(points) if low != high}
    if len(falls) != 1:
        return "turns" if falls else "flat"
    return "more" if falls == {True} else "less"
