"""Facts that tell by themselves who is in a cohort, among those that a strategy and its models
read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskseg.domain.facts import Fact, Kind
from riskseg.domain.relations import fact_column
from riskseg.insight.intervals import NORMAL_95
from riskseg.insight.portfolio import Portfolio
from riskseg.learning.evidence.checks import STAND_IN_AUC
from riskseg.results.insights.answer import FEWEST
from riskseg.results.insights.fairness import Proxy

# A text of more values than these names accounts rather than groups of them.
_MOST_VALUES = 50

Numbers = NDArray[np.float64]


def level_sql(name: str) -> str:
    """The level of a cohort as a text, over the table `profiled`."""
    return f"coalesce(cast({fact_column(name)} as varchar), 'unknown')"


def proxies(subject: Portfolio, cohorts: Mapping[str, Sequence[str]]) -> tuple[Proxy, ...]:
    """The facts that are used and whose AUC for a level of a cohort is above that at which the
    features of a model are said to stand in for it. `cohorts` are the facts that are compared, with
    their levels. An unknown value is a value of its own."""
    used = [
        fact
        for name, fact in subject.facts.items()
        if name in subject.used and name not in cohorts and fact.kind is not Kind.DATE
    ]
    if not used or not cohorts:
        return ()
    columns = [f"{level_sql(name)} as {fact_column(name)}" for name in cohorts]
    columns += [
        f"dense_rank() over (order by {fact_column(fact.name)} nulls first) - 1 as value_{number}"
        for number, fact in enumerate(used)
    ]
    table = subject.engine.arrow(f"select {', '.join(columns)} from profiled")
    members = {
        (name, level): pc.equal(table[f"@{name}"], level).to_numpy()
        for name, levels in cohorts.items()
        for level in levels
    }
    found = []
    for number, fact in enumerate(used):
        values = table[f"value_{number}"].to_numpy()
        if fact.kind.is_textual and values.max(initial=0) >= _MOST_VALUES:
            continue
        for (name, level), is_member in members.items():
            proxy = _proxy(fact, values, name, level, is_member)
            found += [proxy] if proxy is not None else []
    return tuple(sorted(found, key=lambda p: (p.cohort, p.level, -p.auc, p.fact)))


def _proxy(
    fact: Fact, values: NDArray[Any], cohort: str, level: str, is_member: NDArray[Any]
) -> Proxy | None:
    """How well a fact identifies a cohort; None where it hardly does, or where few accounts are in
    the cohort or outside."""
    all_: Numbers = np.bincount(values).astype(np.float64)
    own: Numbers = np.bincount(values, weights=is_member).astype(np.float64)
    inside, outside = own.sum(), all_.sum() - own.sum()
    if min(inside, outside) < FEWEST:
        return None
    if fact.kind.is_textual:
        # Texts have no order: the values with the largest share of the cohort come last.
        order = np.argsort(own / all_, kind="stable")
        own, all_ = own[order], all_[order]
    area = _area(own, all_ - own)
    area = max(area, 1 - area)
    reach = NORMAL_95 * _error(area, inside, outside)
    if area <= STAND_IN_AUC or area - reach <= 0.5:
        return None
    return Proxy(
        cohort=cohort,
        level=level,
        fact=fact.name,
        auc=round(Decimal(area), 4),
        low=round(Decimal(area - reach), 4),
        high=round(Decimal(min(area + reach, 1.0)), 4),
    )


def _area(inside: Numbers, outside: Numbers) -> float:
    """The AUC from the accounts inside and outside by value: the share of pairs of which the one
    inside has the larger value, half of those with the same."""
    below = np.cumsum(outside) - outside
    return float((inside * (below + outside / 2)).sum() / (inside.sum() * outside.sum()))


def _error(area: float, inside: float, outside: float) -> float:
    """The standard error of an AUC (Hanley and McNeil, Radiology 143, 1982)."""
    of_inside, of_outside = area / (2 - area), 2 * area * area / (1 + area)
    variance = area * (1 - area)
    variance += (inside - 1) * (of_inside - area * area)
    variance += (outside - 1) * (of_outside - area * area)
    return math.sqrt(max(variance, 0.0) / (inside * outside))
